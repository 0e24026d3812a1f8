"""Time left, from what has been finished; None as long as it would be a guess.

An estimate is given once it can be expected to be within 30 % of the truth. So these answer None
until enough is finished, and until what is finished agrees with itself.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

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
