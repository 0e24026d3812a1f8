"""What a command says of itself while it works: the stage, what is done, and what is left."""

from cardio_core.runner.progress.display import STAGES, Display, Echo, Progress

__all__ = ["STAGES", "Display", "Echo", "Progress"]
