"""Local regression of one column on another: R's ``loess`` and ``lowess`` without robust steps.

Both are weighted sums of the responses, so the errors of a curve follow from the weights.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cardio_stats._numerics.validate import Floats

Kind = Literal["loess", "lowess"]

SPANS: dict[Kind, float] = {"loess": 0.75, "lowess": 2 / 3}
"""What R takes by default."""

CELL = 0.2
"""Of ``loess.control``: a cell of the tree is divided while it holds more of the span than this."""

DELTA = 0.01
"""Of ``lowess``: fits lie this share of the range apart, as far as rows allow."""

BLOCK = 65_536
"""Rows at which the curve is evaluated at once."""


@dataclass(frozen=True, slots=True)
class Knot:
    """A local fit: its place, how far it reaches, and what turns moments into coefficients.

    `solve` has the shape (n_coefficients, n_powers): the value there, of loess also the slope. A
    fit that reaches nothing but its own place takes all `rows` alike.
    """

    at: float
    reach: float
    rows: slice
    solve: Floats

    def weights(self, x: Floats) -> Floats:
        """Return what each row counts in each coefficient, shape (n_coefficients, n)."""
        away = x - self.at
        powers = np.stack([away**power for power in range(self.solve.shape[1])])
        return np.asarray((self.solve @ powers) * _tricube(away, self.reach))


@dataclass(frozen=True, slots=True)
class LocalRegression:
    """A smoother of rows in the order of `x`, shape (n,): fits at knots, and curves between them.

    loess joins values and slopes by cubic curves, lowess values by lines.
    """

    x: Floats
    knots: tuple[Knot, ...]
    kind: Kind

    @classmethod
    def of(cls, x: Floats, kind: Kind, span: float) -> LocalRegression:
        """Place the knots as R does, and prepare the fit at each; `x` rises and varies."""
        if kind == "loess":
            places, degree, n_near = _vertices(x, span), 2, int(x.size * span + 1e-5)
        else:
            places, degree = _spaced(x), 1
            n_near = max(2, int(x.size * span + 1e-7))
        n_near = min(x.size, max(n_near, degree + 1))
        keep = 2 if kind == "loess" else 1
        return cls(x, tuple(_knot(x, float(at), n_near, degree, keep) for at in places), kind)

    def fit(self, y: Floats) -> Floats:
        """Return the coefficients at the knots, shape (n_knots * n_coefficients,)."""
        found = [knot.weights(self.x[knot.rows]) @ y[knot.rows] for knot in self.knots]
        return np.concatenate(found)

    def weights(self, rows: slice) -> Floats:
        """Return the weights of some rows, shape (n_knots * n_coefficients, n_rows)."""
        x = self.x[rows]
        made = []
        for knot in self.knots:
            own = knot.weights(x)
            start, stop = (place - rows.start for place in (knot.rows.start, knot.rows.stop))
            own[:, : max(0, start)] = 0
            own[:, max(0, stop) :] = 0
            made.append(own)
        return np.concatenate(made)

    def at(self, where: Floats) -> Floats:
        """Return what turns coefficients into the curve at some places, shape (n, n_coefficients).

        Places lie within the range of `x`.
        """
        places = np.array([knot.at for knot in self.knots])
        left = np.clip(np.searchsorted(places, where, side="right") - 1, 0, places.size - 2)
        width = places[left + 1] - places[left]
        h = (where - places[left]) / width
        rows = np.arange(where.size)
        if self.kind == "lowess":
            made = np.zeros((where.size, places.size))
            made[rows, left], made[rows, left + 1] = 1 - h, h
            return made
        made = np.zeros((where.size, 2 * places.size))
        made[rows, 2 * left] = (1 - h) ** 2 * (1 + 2 * h)
        made[rows, 2 * left + 1] = width * h * (1 - h) ** 2
        made[rows, 2 * left + 2] = h**2 * (3 - 2 * h)
        made[rows, 2 * left + 3] = -width * h**2 * (1 - h)
        return made

    def curve(self, coefficients: Floats) -> Floats:
        """Return the curve at every row of `x`, shape (n,)."""
        blocks = range(0, self.x.size, BLOCK)
        return np.concatenate([self.at(self.x[at : at + BLOCK]) @ coefficients for at in blocks])


def _vertices(x: Floats, span: float) -> Floats:
    """Return the vertices of loess's tree: halves of a cell down to `CELL` of the span.

    Equal values stay in one cell: the cut moves to the nearest place where two neighbours differ.
    """
    margin = 0.005 * max(x[-1] - x[0], 1e-3 * max(abs(x[0]), abs(x[-1])) + 1e-30)
    most = int(x.size * span * CELL)
    ends = float(x[0] - margin), float(x[-1] + margin)
    found = set(ends)
    cells = [(0, x.size - 1, *ends)]
    while cells:
        low, high, below, above = cells.pop()
        if high - low + 1 <= most:
            continue
        cut = _nearest_step(x, low, high)
        place = float(x[cut])
        if place in (below, above):
            continue
        found.add(place)
        cells += [(low, cut, below, place), (cut + 1, high, place, above)]
    return np.array(sorted(found))


def _nearest_step(x: Floats, low: int, high: int) -> int:
    """Return the row nearest the middle after which the value changes; the middle without one."""
    middle = (low + high) // 2
    for away in range(high - low + 1):
        for cut in (middle + away, middle - away):
            if not low <= cut < high:
                return middle
            if x[cut] != x[cut + 1]:
                return cut
    return middle


def _spaced(x: Floats) -> Floats:
    """Return where lowess fits: each the farthest row within reach of the one before, or the next.

    W. S. Cleveland's ``lowess.c``, with R's default ``delta``.
    """
    delta, last = DELTA * (x[-1] - x[0]), 0
    found = [float(x[0])]
    while x[last] < x[-1]:
        following = int(np.searchsorted(x, x[last], side="right"))
        within = int(np.searchsorted(x, x[last] + delta, side="right")) - 1
        last = max(following, within)
        found.append(float(x[last]))
    return np.array(found)


def _tricube(away: Floats, reach: float) -> Floats:
    if reach == 0:
        return np.ones(away.size)
    weight: Floats = (1 - np.minimum(np.abs(away) / reach, 1) ** 3) ** 3
    return weight


def _knot(x: Floats, at: float, n_near: int, degree: int, keep: int) -> Knot:
    # the window of n_near rising values whose farthest is nearest
    first = bisect_left(
        range(x.size - n_near), True, key=lambda i: bool(at - x[i] <= x[i + n_near] - at)
    )
    reach = max(at - x[first], x[first + n_near - 1] - at)
    rows = slice(
        int(np.searchsorted(x, at - reach, "left")), int(np.searchsorted(x, at + reach, "right"))
    )
    away = x[rows] - at
    weight = _tricube(away, reach)
    if not weight.any():  # all lie at the edges of the window: scores of exactly 0 and 1, say
        reach, weight = 0.0, np.ones(away.size)
    scale = reach or 1.0
    unit = away / scale  # powers of a number near 1 keep their digits
    powers = np.stack([unit**power for power in range(degree + 1)])
    root = np.linalg.pinv(np.linalg.qr((powers * np.sqrt(weight)).T, mode="r"), rcond=1e-13)
    solve = (root @ root.T)[:keep]
    scales = scale ** np.arange(degree + 1)
    return Knot(at, float(reach), rows, solve / scales / scales[:keep, np.newaxis])
