"""What a command says of itself while it works: the stage, what is done, and what is left."""

from __future__ import annotations

import heapq
import html
import json
import logging
import math
import os
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

from cardio_stats._numerics.watching import duration, roughly

# Plain lines, for wherever there is no terminal: a file, a queue's log, a pipe.

PAUSE_S = 10.0


class Lines:
    """Says a line every ten seconds, also while one long piece of work is under way.

    `look` returns the line that describes the present moment, empty where there is nothing to say;
    `say` takes it. The first is said after `first_s`.
    """

    def __init__(
        self, look: Callable[[], str], say: Callable[[str], None], first_s: float = PAUSE_S
    ) -> None:
        self._look, self._say = look, say
        self._last = time.monotonic() - PAUSE_S + first_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to say lines."""
        self._thread = threading.Thread(target=self._keep_saying, name="progress", daemon=True)
        self._thread.start()

    def show_text(self) -> None:
        """Note that a line was said just now, so that the next one waits."""
        self._last = time.monotonic()

    def stop(self) -> None:
        """Say no more."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _keep_saying(self) -> None:
        while not self._stop.wait(0.5):
            if time.monotonic() - self._last >= PAUSE_S and (line := self._look()):
                self.show_text()
                self._say(line)


# What there is to see at one moment: the stage, its pieces, what is under way.

UnderWay = Callable[[], tuple[str, ...]]
Left = Callable[[], float | None]


@dataclass
class Stage:
    """One stage of a command, as far as it has come.

    `what` it is, `unit` are its pieces ("patients"), `total` how many there are (0: not counted),
    `doing` what is done now, `under_way` returns what is under way elsewhere, `left` the seconds
    left or None.
    """

    what: str
    began: float
    unit: str = ""
    total: int = 0
    done: int = 0
    doing: str = ""
    under_way: UnderWay = field(default=tuple)
    left: Left = field(default=lambda: None)

    def counted(self) -> str:
        """Return ``"12 of 72 fits"``."""
        return f"{self.done} of {self.pieces()}" if self.total else ""

    def pieces(self) -> str:
        """Return ``"72 fits"``, or ``"1 fit"``; the number alone where the stage is its pieces."""
        return (
            f"{self.total} {self.unit.removesuffix('s') if self.total == 1 else self.unit}".strip()
        )

    def time_left(self) -> str:
        """Return ``"about 40 s left"``, empty where it is not known."""
        left = self.left()
        return "" if left is None or left < 2 else f"about {roughly(left)} left"

    def now(self) -> tuple[str, ...]:
        """Return what is being done, one text for each worker."""
        return self.under_way() or ((self.doing,) if self.doing else ())

    def line(self) -> str:
        """Return all of it in one line."""
        facts = ", ".join(filter(None, (self.counted(), self.time_left())))
        now = self.now()
        doing = now[0] + (f" (and {len(now) - 1} more)" if len(now) > 1 else "") if now else ""
        if facts and doing:
            facts += "; now "
        text = f"{self.what}: {facts}{doing}" if facts or doing else self.what
        if not self.total and (so_far := time.monotonic() - self.began) >= 5:
            text += f" ({duration(so_far)} so far)"
        return text


# A living display, on a terminal: a bar, the time left, and what each worker is doing.

_SHOWN = 6


def on_a_terminal() -> bool:
    """Say whether somebody is looking who can be shown something that moves.

    A display cannot move without escape sequences, so that who sets ``NO_COLOR`` gets plain lines.
    """
    able = os.environ.get("TERM", "") not in ("", "dumb") and not os.environ.get("NO_COLOR")
    return able and sys.stderr.isatty()


def in_a_notebook() -> bool:
    """Say whether the process is the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


class Living:
    """Shows the present stage at the bottom of the terminal; lines that are said stand above it.

    `look` returns the present stage and the names of those that come; None shows nothing.
    """

    def __init__(self, look: Callable[[], tuple[Stage | None, tuple[str, ...]]]) -> None:
        self._look = look
        self._live: Any = None

    def start(self) -> None:
        """Begin to show it."""
        from rich.console import Console
        from rich.live import Live

        self._live = Live(
            get_renderable=self._drawn,
            console=Console(stderr=True, highlight=False),
            refresh_per_second=4,
            transient=True,
            # A line for a file must reach the file.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._live.start()

    def show_text(self) -> None:
        """Do nothing: a line that is said stands above the display."""

    def stop(self) -> None:
        """Take the display away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _drawn(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        stage, coming = self._look()
        if stage is None:
            return Text("")
        row = Table.grid(padding=(0, 2))
        cells: list[Any] = [Text(stage.what, style="bold")]
        if stage.total:
            cells.append(ProgressBar(stage.total, stage.done, width=24))
            cells.append(Text(stage.counted()))
        if left := stage.time_left():
            cells.append(Text(left, style="cyan"))
        row.add_row(*cells)
        now = stage.now()
        more = [f"and {len(now) - _SHOWN} more"] if len(now) > _SHOWN else []
        under = [Text(f"  {text}", style="dim") for text in (*now[:_SHOWN], *more)]
        then = [Text(f"  then {', '.join(coming)}", style="dim")] if coming else []
        return Group(row, *under, *then)


class InNotebook:
    """Shows the present stage as a bar below the cell; lines that are said stand above it."""

    def __init__(self, look: Callable[[], Stage | None]) -> None:
        self._look, self._stop = look, threading.Event()
        self._thread = threading.Thread(target=self._keep_drawing, name="progress", daemon=True)

    def start(self) -> None:
        """Begin to show it."""
        # By name: IPython has no annotations, and mypy may find it installed or not.
        shown: Any = import_module("IPython.display")
        self._html = shown.HTML
        self._handle = shown.display(shown.HTML(""), display_id=True)
        self._thread.start()

    def show_text(self) -> None:
        """Do nothing: a line that is said stands above the bar."""

    def stop(self) -> None:
        """Take the bar away."""
        self._stop.set()
        self._thread.join()
        self._handle.update(self._html(""))

    def _keep_drawing(self) -> None:
        while not self._stop.wait(_PAUSE_S):
            if stage := self._look():
                share = f'value="{stage.done}" max="{stage.total}"' if stage.total else ""
                text = html.escape(stage.line())
                self._handle.update(self._html(f"<progress {share}></progress> {text}"))


# What a fit tells of itself, from whichever process it runs in: one small file.
#
# A fit may run here, in a process of joblib's, or on another machine that sees the same files. A
# file serves all three. Nothing reads it but the display: a fit never waits for it and never fails
# by it.

_PAUSE_S = 0.3
FOLDER = ".progress"


@dataclass
class Pulse:
    """The file of one fit, and the words that say which part of the fit is under way.

    It is entered where the fit begins. Calling it with a text says what is being done; texts that
    follow each other quickly are left out, so that short epochs cost nothing.
    """

    file: Path
    within: str = ""
    _began: float = field(default=0.0, repr=False, compare=False)
    _last: float = field(default=0.0, repr=False, compare=False)
    _entered: float = field(default=0.0, repr=False, compare=False)

    def __call__(self, doing: str) -> None:
        """Say what is being done."""
        now = time.monotonic()
        if now - self._last >= _PAUSE_S:
            self._last = now
            self._write(began=self._began, doing=", ".join(filter(None, (self.within, doing))))

    def part(self, within: str) -> Pulse:
        """Return the pulse of one of several fits inside this one."""
        return Pulse(self.file, within, self._began)

    def __enter__(self) -> Self:
        """Say that the fit has begun."""
        self._began, self._entered = time.time(), time.monotonic()
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
        self._write(began=self._began, doing="")
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        """Say that the fit is done, and how long it took."""
        if kind is None:
            self._write(seconds=time.monotonic() - self._entered)  # clocks are set back

    def _write(self, **fields: Any) -> None:
        # Not whole or not at all: a reader that meets half a line reads again a moment later.
        with suppress(OSError):
            self.file.write_text(json.dumps({"worker": _worker(), **fields}), encoding="utf-8")


def read_pulse(file: Path) -> dict[str, Any]:
    """Return what a fit said last; empty where it said nothing, or is just saying it."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _worker() -> str:
    return f"{os.uname().nodename}-{os.getpid()}" if hasattr(os, "uname") else str(os.getpid())


# Time left, from what has been finished; None as long as it would be a guess.
#
# An estimate is given once it can be expected to be within 30 % of the truth. So these answer None
# until enough is finished, and until what is finished agrees with itself.

_ALLOWED = 0.22  # half-width, as a share of the time left, of what is likely (95 %)
_SPREAD, _SPREAD_N = 0.2, 2  # the spread of equal fits before any is seen, and its weight
_OTHER = 0.35  # how far off fits of another kind are as a measure, as a share
_LONG_S = 60.0  # the first fit of a process also imports; in a fit this long it does not matter


class Steady:
    """Time left of pieces that are alike, patients or files.

    The first quarter of what is finished does not count: it paid for imports. Nothing is said
    before sixteen are finished, nor where the two halves of the rest were not equally fast.
    """

    def __init__(self, total: int, now: float) -> None:
        self._total = total
        self._times = [now]

    def finished(self, now: float) -> None:
        """Count one finished piece."""
        self._times.append(now)

    def left(self, now: float) -> float | None:
        """Return the seconds left, None if nothing can be said yet."""
        n = len(self._times) - 1
        if n < 16 or n >= self._total:
            return None
        first = n // 4
        late = self._times[-1] - self._times[first]
        middle = self._times[(first + n) // 2] - self._times[first]
        if not 0.4 * late <= middle <= 0.6 * late:
            return None
        each = late / (n - first)
        return max(0.0, (self._total - n) * each - (now - self._times[-1]))


@dataclass(frozen=True)
class Fit:
    """One fit that is planned: whose it is, and how much work it should be.

    `work` is how much longer it should take than a fit of work 1; 0 for what costs next to nothing
    (a fusion). `kind` sets fits apart that are made in another way: the protocol.
    """

    model: str
    kind: str
    work: float


class FitTimes:
    """Time left of fits, which differ: by model, by size, and in the first one by imports.

    `fits` are all that are planned, by key, in the order in which they will be started.
    """

    def __init__(self, fits: Mapping[str, Fit]) -> None:
        self._fits = dict(fits)
        self._rates: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._cold: dict[str, list[float]] = defaultdict(list)
        self._seen: set[tuple[str, str]] = set()
        self._done: set[str] = set()

    def finished(self, key: str, seconds: float, worker: str) -> None:
        """Count a finished fit, and the time that it took in that process."""
        fit = self._fits[key]
        self._done.add(key)
        if not fit.work:
            return
        first = (worker, fit.model) not in self._seen
        self._seen.add((worker, fit.model))
        if first and seconds < _LONG_S:
            self._cold[fit.model].append(seconds)
        else:
            self._rates[fit.model, fit.kind].append(seconds / fit.work)

    def left(self, running: Mapping[str, float], n_workers: int) -> float | None:
        """Return the seconds left, None if nothing can be said yet.

        `running` are the fits under way, with the seconds since each began.
        """
        todo = {key: fit for key, fit in self._fits.items() if key not in self._done and fit.work}
        expected: dict[str, float] = {}
        doubts: dict[tuple[str, str], float] = {}
        transferred = 0.0
        for key, fit in todo.items():
            known = self._known(fit)
            if known is None:
                return None
            rate, doubts[fit.model, fit.kind], here = known
            expected[key] = rate * fit.work
            transferred += 0.0 if here else expected[key]
        total = sum(expected.values())
        if not total:
            return None
        variance = (_OTHER * transferred / total) ** 2
        for group, doubt in doubts.items():
            own = [expected[key] for key, fit in todo.items() if (fit.model, fit.kind) == group]
            variance += (sum(own) / total) ** 2 * (doubt + self._spread() ** 2 / len(own))
        if 1.96 * math.sqrt(variance) > _ALLOWED:
            return None
        return _schedule(expected, running, n_workers)

    def _known(self, fit: Fit) -> tuple[float, float, bool] | None:
        """Return seconds per unit of work, its relative variance, and if fits of this kind say so.

        Another kind's fits stand in where none of this kind is done.
        """
        own = self._rates.get((fit.model, fit.kind))
        if own:
            return sum(own) / len(own), self._spread() ** 2 / len(own), True
        others = [rates for (model, _), rates in self._rates.items() if model == fit.model]
        if others:
            rates = [rate for some in others for rate in some]
            return sum(rates) / len(rates), self._spread() ** 2 / len(rates), False
        cold = self._cold.get(fit.model)
        if cold:  # an upper limit, of use where the model hardly counts
            return min(cold) / fit.work, 1.0, True
        return None

    def _spread(self) -> float:
        """Return how much fits of one model and kind differ, as a share of their time."""
        squares, n = _SPREAD**2 * _SPREAD_N, _SPREAD_N
        for rates in self._rates.values():
            mean = sum(rates) / len(rates)
            squares += sum((rate / mean - 1) ** 2 for rate in rates) if mean else 0.0
            n += len(rates) - 1
        return math.sqrt(squares / n)


def _schedule(expected: Mapping[str, float], running: Mapping[str, float], n_workers: int) -> float:
    """Return when the last fit ends if every free worker takes the next one."""
    ends = [max(expected[k] - running[k], 0.1 * expected[k]) for k in running if k in expected]
    heapq.heapify(ends)
    for key, seconds in expected.items():
        if key not in running:
            start = heapq.heappop(ends) if len(ends) >= max(1, n_workers) else 0.0
            heapq.heappush(ends, start + seconds)
    return max(ends, default=0.0)


# The display of a command: one for the whole of it, earlier tasks that it makes first included.

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
        self._counted: list[Stage] = []
        self._task = ""
        self._shown: Lines | Living | InNotebook
        if in_a_notebook():
            self._shown = InNotebook(self._now)
        elif on_a_terminal():
            self._shown = Living(lambda: (self._now(), tuple(self._planned)))
        else:
            self._shown = Lines(
                lambda: stage.line() if (stage := self._now()) else "",
                self._tell,
                PAUSE_S if at_once else 1.0,
            )

    @property
    def last(self) -> Stage | None:
        """The stage that was counted last, those of earlier tasks included."""
        return self._counted[0] if self._counted else None

    def __call__(self, line: str) -> None:
        """Say a line; those of an earlier task, which are of another run, go to the log alone."""
        LOG.info(line.strip())
        if not self._task:
            self._tell(line)

    def note(self, line: str) -> None:
        """Say a line that the report keeps, too."""
        self._tell_of(f"{self._task}: {line}" if self._task else line)

    def for_need(self, task: str) -> Display:
        """Return the display for an earlier task that is made first: a part of this one.

        Its stages are shown with the task's name.
        """
        inner = copy(self)
        inner._task = task
        return inner

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
        self._counted[:] = [stage]
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
        stage.what = f"{self._task}, {stage.what}" if self._task else stage.what
        if stage.what in self._planned:
            del self._planned[: self._planned.index(stage.what) + 1]
        self._stages.append(stage)
        return stage

    def _end(self, stage: Stage) -> None:
        if stage in self._stages:
            self._stages.remove(stage)

    def _now(self) -> Stage | None:
        return self._stages[-1] if self._stages else None

    def _tell(self, line: str) -> None:
        self._shown.show_text()
        self._echo(line)

    def _tell_of(self, line: str) -> None:
        """Say a line about a stage."""
        LOG.info(line.strip())
        self._tell(line)


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


SLOW_S = 60.0
"""A recording that takes longer than this is named while it is under way."""


class Slow:
    """Names the recordings that have been under way for longer than `SLOW_S`.

    Parameters
    ----------
    recordings : sequence of sequence of str
        Of each piece of work; pieces begin in their order.
    at_once : int
        How many are under way at a time.

    Examples
    --------
    >>> slow = Slow([["a"], ["b", "c"]], 1)
    >>> slow(), slow.done(0), slow(after_s=-1.0)
    ((), None, ('recording b (1 more of that patient) for 0 s',))
    """

    def __init__(self, recordings: Sequence[Sequence[str]], at_once: int) -> None:
        self._waiting = dict(enumerate(recordings))
        self._at_once, self._since = at_once, dict[int, float]()

    def done(self, number: int) -> None:
        """Take the piece at a place, from 0, as finished."""
        self._waiting.pop(number, None)
        self()  # what begins now begins now

    def __call__(self, after_s: float = SLOW_S) -> tuple[str, ...]:
        """Return the slow ones in words."""
        now, found = time.monotonic(), []
        for number, names in islice(list(self._waiting.items()), self._at_once):
            seconds = now - self._since.setdefault(number, now)
            if seconds > after_s and names:
                more = f" ({len(names) - 1} more of that patient)" if len(names) > 1 else ""
                found.append(f"recording {names[0]}{more} for {duration(seconds)}")
        return tuple(found)


__all__ = ["STAGES", "Display", "Echo", "Progress", "Slow"]

# Folds in words.


def several(n: int, what: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> [several(n, "fold") for n in (1, 3)]
    ['1 fold', '3 folds']
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def fold_in_words(fold: str, folds: Iterable[str]) -> str:
    """Return which fold of how many: ``r1-f0`` means nothing to a reader.

    Examples
    --------
    >>> fold_in_words("r0-f1", ["r0-f0", "r0-f1", "r0-f2"])
    'fold 2 of 3'
    >>> fold_in_words("r1-f0", ["r0-f0", "r1-f0"])
    'repeat 2 of 2'
    >>> fold_in_words("final", ["r0-f0", "r0-f1"])
    'final model on everybody'
    """
    if fold == "final":
        return "final model on everybody"
    numbers = [match for name in folds if (match := re.fullmatch(r"r(\d+)-f(\d+)", name))]
    own = re.fullmatch(r"r(\d+)-f(\d+)", fold)
    if own is None or not numbers:
        return f"fold {fold}"
    n_repeats = len({match[1] for match in numbers})
    n_folds = len({match[2] for match in numbers})
    parts = [f"repeat {int(own[1]) + 1} of {n_repeats}"] if n_repeats > 1 else []
    if n_folds > 1:
        parts.append(f"fold {int(own[2]) + 1} of {n_folds}")
    return ", ".join(parts) or "the one fold"
