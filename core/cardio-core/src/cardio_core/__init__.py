"""cardio-core: hooks, evaluation and orchestration for cardiac modality models.

From Python, as from the command line::

    import cardio_core as cardio

    run = cardio.run("ecg_transfer", config="smoke")
    run = cardio.open("runs/first")
    cardio.measure("ecg_transfer", "recordings")
    cardio.judge(frame, outcome="died", score="risk")
    cardio.plugins()

Names are resolved when they are first used; importing the package imports nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_stats._lazy import offer

if TYPE_CHECKING:
    from cardio_core.runs.notebook import Run as Run
    from cardio_core.runs.notebook import compare as compare
    from cardio_core.runs.notebook import judge as judge
    from cardio_core.runs.notebook import make_run as run  # noqa: F401
    from cardio_core.runs.notebook import measure as measure
    from cardio_core.runs.notebook import open_run as open  # noqa: A004, F401
    from cardio_core.runs.notebook import plugins as plugins

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker
    __getattr__, __dir__, __all__ = offer(__name__)
