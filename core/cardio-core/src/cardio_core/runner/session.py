"""A run at work: what was set up, and what every step of it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cardio_core.compute.executors import Executor
from cardio_core.context import Context
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.needs import Resolved
from cardio_core.runner.progress import Display
from cardio_core.runner.setup import Setup
from cardio_core.types.notes import Note


@dataclass(frozen=True)
class Session:
    """One run between its beginning and its report.

    `ctx` is what hooks are given before protocol, fold and model are known, `needs` are the earlier
    tasks, each with its finished run, and `say` is the display: it takes each line that the user is
    to see, and shows how far each stage has come. `same_as` is a finished run that this repeats:
    its data must be these.
    """

    setup: Setup
    ctx: Context
    executor: Executor
    manifest: Manifest
    needs: tuple[Resolved, ...]
    out: Path
    say: Display
    same_as: Path | None = None

    def note(self, notes: Iterable[Note]) -> None:
        """Say something that the report keeps, too."""
        texts = list(notes)
        for note in texts:
            self.say.note(str(note))
        retained = [note.to_dict() for note in texts]
        self.manifest.update(notes=[*self.manifest.content["notes"], *retained])
