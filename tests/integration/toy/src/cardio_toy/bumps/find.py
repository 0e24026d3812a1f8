"""Finding bumps, which the toy calls beats."""

from __future__ import annotations

import numpy as np

from cardio_toy.readers.trace import Trace

HALF = 8
"""Values on each side of a bump that are cut out with it."""

REFRACTORY_S = 0.3


def find_bumps(trace: Trace, threshold_mv: float) -> np.ndarray:
    """Return the positions of local extremes of at least that height, the highest first served."""
    height = np.abs(trace.values_mv)
    inner = height[1:-1]
    tops = 1 + np.flatnonzero(
        (inner >= height[:-2]) & (inner > height[2:]) & (inner >= threshold_mv)
    )
    taken: list[int] = []
    for top in tops[np.argsort(-height[tops], kind="stable")]:
        if all(abs(top - other) >= REFRACTORY_S * trace.rate_hz for other in taken):
            taken.append(int(top))
    whole = [top for top in taken if HALF <= top < len(height) - HALF]
    return np.array(sorted(whole), dtype=int)


def around(trace: Trace, tops: np.ndarray) -> np.ndarray:
    """Return the values around bumps, shape (n_bumps, 16)."""
    cut: np.ndarray = trace.values_mv[tops[:, None] + np.arange(-HALF, HALF)]
    return cut
