"""Which samples an interpolation takes, and with what weights: linear and Catmull-Rom cubic.

References
----------
Keys, IEEE Trans Acoust Speech Signal Process 1981;29:1153-1160 (cubic convolution, a = -1/2, which
is also what VTK calls cubic).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Interpolation = Literal["linear", "cubic"]


def taps(
    place: NDArray[np.float64], n: int, interpolation: Interpolation
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Yield the index and weight of every tap, for places along one axis of `n` samples.

    Parameters
    ----------
    place : ndarray
        In samples, 0 to n - 1. A tap beyond an end takes the sample at that end.
    n : int
        Samples of the axis.
    interpolation : {"linear", "cubic"}
        Two taps or four.

    Examples
    --------
    >>> [(int(i[0]), float(w[0])) for i, w in taps(np.array([1.25]), 4, "linear")]
    [(1, 0.75), (2, 0.25)]
    >>> round(sum(float(w[0]) for _, w in taps(np.array([0.4]), 4, "cubic")), 12)
    1.0
    """
    first = np.minimum(place.astype(np.intp), max(n - 2, 0))
    t = place - first
    if interpolation == "linear":
        yield first, 1.0 - t
        yield np.minimum(first + 1, n - 1), t
        return
    for number, weight in enumerate(_catmull_rom(t)):
        yield np.clip(first + number - 1, 0, n - 1), weight


def _catmull_rom(t: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    return (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
