"""The display of a command: one for the whole of it, earlier tasks that it makes first included."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self, TypeVar

from cardio_core.runner.progress.lines import PAUSE_S, Lines
from cardio_core.runner.progress.living import Living, on_a_terminal
from cardio_core.runner.progress.look import Left, Stage, UnderWay
from cardio_core.runner.progress.timing import Steady
from cardio_core.stats.foundation.watching import duration

Echo = Callable[[str], None]
Piece = TypeVar("Piece")
LOG = logging.getLogger("cardio")  # the run's, as in `context`, whose import is heavier

STAGES = ("features", "training", "evaluation", "report")
"""The stages of every run, in their order."""

_WORTH_SAYING_S = 10.0


class Display:
    """Says lines, and shows in between how far the work has come.

    Calling it with a line says that line; what it says is logged, too. On a terminal the present
    stage moves at the bottom; elsewhere a plain line tells it every ten seconds. It is used as a
    context manager, from the first moment on.

    Parameters
    ----------
    echo : callable
        Takes each line that the user is to see.
    planned : sequence of str
        The stages that will come, in their order.
    at_once : bool
        Whether a stage is named as it begins; otherwise only if it takes longer than a second.

    Attributes
    ----------
    last : Stage or None
        The last stage whose pieces were counted, an earlier task's included.

    Examples
    --------
    >>> with Display(print, ["features"]) as display:
    ...     with display.stage("features"), Progress("features", 2, display, "patients") as count:
    ...         count.advance()
    features: 2 patients
    """

    def __init__(self, echo: Echo, planned: Sequence[str] = (), *, at_once: bool = True) -> None:
        self._echo, self._at_once = echo, at_once
        self._planned = list(planned)
        self._stages: list[Stage] = []
        self.last: Stage | None = None
        self._shown: Lines | Living
        if on_a_terminal():
            self._shown = Living(lambda: (self._now(), tuple(self._planned)))
        else:
            self._shown = Lines(
                lambda: stage.line() if (stage := self._now()) else "",
                self._tell,
                PAUSE_S if at_once else 1.0,
            )

    def __call__(self, line: str) -> None:
        """Say a line."""
        LOG.info(line.strip())
        self._tell(line)

    def note(self, line: str) -> None:
        """Say a line that the report keeps, too."""
        self(line)

    def for_need(self, task: str) -> Display:
        """Return the display for an earlier task that is made first: a part of this one."""
        return _Inner(self, task)

    @contextmanager
    def stage(self, what: str, doing: str = "") -> Iterator[Stage]:
        """Show a stage while the block runs."""
        stage = self._begin(Stage(what, time.monotonic(), doing=doing))
        if doing:
            self._tell_of(stage.line())
        try:
            yield stage
        finally:
            self._end(stage)

    def count(self, what: str, unit: str, total: int, under_way: UnderWay, left: Left) -> Stage:
        """Show how many pieces of a stage are done, until `end`; say how many there are."""
        stage = Stage(what, time.monotonic(), unit, total, under_way=under_way, left=left)
        self._begin(stage)
        self._remember(stage)
        if self._at_once:
            self._tell_of(f"{stage.what}: {stage.pieces()}")
        return stage

    def end(self, stage: Stage) -> None:
        """Show the stage no more; say how long it took, where that is worth a line."""
        took = time.monotonic() - stage.began
        self._end(stage)
        if took >= _WORTH_SAYING_S and stage.done == stage.total:
            self._tell_of(f"{stage.what}: {stage.pieces()} done in {duration(took)}")

    def __enter__(self) -> Self:
        self._shown.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._shown.stop()

    def _begin(self, stage: Stage) -> Stage:
        if stage.what in self._planned:
            del self._planned[: self._planned.index(stage.what) + 1]
        self._stages.append(stage)
        return stage

    def _end(self, stage: Stage) -> None:
        if stage in self._stages:
            self._stages.remove(stage)

    def _remember(self, stage: Stage) -> None:
        self.last = stage

    def _now(self) -> Stage | None:
        return self._stages[-1] if self._stages else None

    def _tell(self, line: str) -> None:
        self._shown.said()
        self._echo(line)

    def _tell_of(self, line: str) -> None:
        """Say a line about a stage."""
        self(line)


class _Inner(Display):
    """The display of a task that another makes first: its stages are shown with the task's name.

    Its other lines go to the log alone: they are those of another run. Its notes are said.
    """

    def __init__(self, outer: Display, task: str) -> None:
        self._outer, self._task, self._at_once = outer, task, True

    def __call__(self, line: str) -> None:
        LOG.info(line.strip())

    def note(self, line: str) -> None:
        self._outer(f"{self._task}: {line}")

    def for_need(self, task: str) -> Display:
        return self._outer.for_need(task)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def _begin(self, stage: Stage) -> Stage:
        stage.what = f"{self._task}, {stage.what}"
        return self._outer._begin(stage)

    def _end(self, stage: Stage) -> None:
        self._outer._end(stage)

    def _tell_of(self, line: str) -> None:
        self._outer._tell_of(line)

    def _remember(self, stage: Stage) -> None:
        self._outer._remember(stage)


class Progress:
    """Counts the finished pieces of one stage and says how long the rest will take.

    Parameters
    ----------
    what : str
        The stage: ``"features"``.
    total : int
        How many pieces there are.
    echo : callable or None
        Takes plain lines; a `Display` shows the count as a part of itself. None says nothing.
    unit : str
        What the pieces are: ``"patients"``.
    under_way : callable, optional
        Returns what is under way elsewhere, in words.
    left : callable, optional
        Returns the seconds left, or None; without it the pieces are taken to be alike.
    """

    def __init__(
        self,
        what: str,
        total: int,
        echo: Echo | None,
        unit: str = "",
        *,
        under_way: UnderWay = tuple,
        left: Left | None = None,
    ) -> None:
        self._display, self._own = None, False
        self._steady = Steady(total, time.monotonic())
        if echo is not None and total:
            self._own = not isinstance(echo, Display)
            self._display = (
                echo if isinstance(echo, Display) else Display(echo, at_once=False).__enter__()
            )
            self._stage = self._display.count(
                what,
                unit,
                total,
                under_way,
                left or (lambda: self._steady.left(time.monotonic())),
            )

    def advance(self, detail: str = "") -> None:
        """Count one finished piece; `detail` is what is known of it, or done next."""
        self._steady.finished(time.monotonic())
        if self._display is not None:
            self._stage.done += 1
            self._stage.doing = detail

    def over(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Yield the pieces, each counted when the next is asked for.

        It does not end the count: a generator that an error has left is closed by nobody.
        """
        for piece in pieces:
            yield piece
            self.advance()

    def correct(self, done: int) -> None:
        """Say how many are done, where some may have been finished and not counted."""
        if self._display is not None:
            self._stage.done = done

    def close(self) -> None:
        """End the count."""
        if self._display is not None:
            self._display.end(self._stage)
            if self._own:
                self._display.__exit__()
            self._display = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
