"""Following fits from outside: what is under way, in words, and how long the rest will take."""

from __future__ import annotations

import math
import shutil
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cardio_core.runner.fitting.jobs import FoldJob
from cardio_core.runner.progress.pulse import read_pulse
from cardio_core.runner.progress.timing import Fit, FitTimes
from cardio_core.runner.progress.words import fold_in_words


def telling_first(jobs: Sequence[FoldJob]) -> list[FoldJob]:
    """Return the jobs with two fits of every model and protocol in front, model after model.

    Only when each has been timed can anything be said of the rest. Models of a fold may share what
    they fit, through the cache: side by side in two processes both would fit it, one after the
    other the second finds it. Of the rest the largest comes first, so that no process works on it
    alone at the end, and none begins on it for the next model meanwhile. No result depends on the
    order.
    """
    seen: Counter[tuple[str, str]] = Counter()
    places = []
    for job in jobs:
        key = (str(job.protocol), str(job.ctx.model))
        rest = seen[key] >= 2
        seen[key] += 1
        places.append((rest, list(seen).index(key), -job.train.size if rest else 0))
    in_order = sorted(range(len(jobs)), key=lambda number: places[number])
    return [jobs[number] for number in in_order]


@dataclass(frozen=True)
class Timed:
    """Median seconds of a fit, by ``"model protocol"``, with so many at a time."""

    fits: dict[str, float]
    n_workers: int


class Watch:
    """Follows the fits that are still to do, through the small files that they write.

    `folder` is where those files lie; it is emptied first, and taken away by `close`.
    """

    def __init__(self, jobs: Sequence[FoldJob], folder: Path) -> None:
        self._folder = folder
        self._jobs = {job.pulse.file.name: job for job in jobs if job.pulse is not None}
        self._times = FitTimes({name: _planned(job) for name, job in self._jobs.items()})
        self._folds: dict[str, list[str]] = {}
        for job in jobs:
            self._folds.setdefault(str(job.protocol), []).append(str(job.ctx.fold))
        self._workers: deque[str] = deque(maxlen=32)
        self._seconds: dict[str, list[float]] = {}
        shutil.rmtree(folder, ignore_errors=True)

    def under_way(self) -> tuple[str, ...]:
        """Return each fit that is under way, in words."""
        return tuple(
            ", ".join(filter(None, (self._words(self._jobs[name]), said.get("doing"))))
            for name, said in self._running().items()
        )

    def left(self) -> float | None:
        """Return the seconds left, None as long as it would be a guess."""
        running = self._running()
        workers = {*self._workers, *(said["worker"] for said in running.values())}
        elapsed = {name: max(0.0, time.time() - said["began"]) for name, said in running.items()}
        return self._times.left(elapsed, len(workers))

    def finished(self, out: Path) -> None:
        """Count the fit that left its folder there."""
        for name, job in self._jobs.items():
            if job.out == out and job.pulse is not None:
                said = read_pulse(job.pulse.file)
                job.pulse.file.unlink(missing_ok=True)
                if "seconds" in said:
                    self._workers.append(said["worker"])
                    self._times.finished(name, said["seconds"], said["worker"])
                    whose = f"{job.ctx.model} {job.protocol}"
                    self._seconds.setdefault(whose, []).append(said["seconds"])

    def timed(self) -> Timed:
        """Return what the finished fits took."""
        fits = {whose: round(median(found), 3) for whose, found in self._seconds.items()}
        return Timed(fits, max(1, len(set(self._workers))))

    def close(self) -> None:
        """Take the files away."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _running(self) -> dict[str, dict[str, Any]]:
        """Return what the fits under way said last, by file, the one that began first in front."""
        said = {path.name: read_pulse(path) for path in self._folder.glob("*.json")}
        known = {name: one for name, one in said.items() if name in self._jobs and "began" in one}
        return dict(sorted(known.items(), key=lambda item: float(item[1]["began"])))

    def _words(self, job: FoldJob) -> str:
        title = job.ctx.task.model(str(job.ctx.model)).title
        fold = str(job.ctx.fold)
        where = fold_in_words(fold, self._folds[str(job.protocol)])
        return f"{title}, {where}" if fold == "final" else f"{title}, {job.protocol}, {where}"


def _planned(job: FoldJob) -> Fit:
    """Return what a fit will cost beside others of its model.

    Between a time that grows with the samples and one that does not (epochs may draw a fixed number
    of samples) stands the square root; no two fits of a run differ so much that it would matter.
    """
    if job.members:
        return Fit(str(job.ctx.model), str(job.protocol), 0.0)
    inner = job.config.inner
    n_inner = float(inner.k - 1)
    if inner.k == 1 or (inner.k and job.unit == "sample"):
        n_inner = 1 - inner.validation_share
    if inner.k == 0 or job.ctx.task.model(str(job.ctx.model)).rule:
        n_inner = 0.0
    n_candidates = max(1, len(job.config.search))
    work = math.sqrt(max(1, job.train.size)) * (1 + n_candidates * n_inner)
    return Fit(str(job.ctx.model), str(job.protocol), work)
