"""Which samples an interpolation takes, and, for time, their weights in every column as a matrix.

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

from cardio_ultrasound import CycleVolume

Interpolation = Literal["linear", "cubic"]


def column_times_ms(rr_ms: float, n_columns: int) -> NDArray[np.float64]:
    """Return when every column lies: the first at the R peak, the last one column before the next.

    Examples
    --------
    >>> column_times_ms(1000.0, 4).tolist()
    [0.0, 250.0, 500.0, 750.0]
    """
    return np.arange(n_columns, dtype=np.float64) * (rr_ms / n_columns)


def time_weights(
    volume: CycleVolume, n_columns: int, interpolation: Interpolation = "linear"
) -> NDArray[np.float32]:
    """Return the weight of every frame in every column.

    Parameters
    ----------
    volume : CycleVolume
        Says when the frames lie. A column before the first or after the last frame shows that
        frame.
    n_columns : int
        Columns of the M-mode.
    interpolation : {"linear", "cubic"}
        Between the two frames around a column, or over four of them (Catmull-Rom); cubic asks for
        even frames, uneven ones are interpolated linearly.

    Returns
    -------
    ndarray of float32, shape (n_frames, n_columns)
        Each column sums to 1.

    Examples
    --------
    >>> from cardio_ultrasound import CycleVolume
    >>> frames = np.zeros((3, 1, 1), np.uint8)
    >>> cycle = CycleVolume(frames, np.array([0.0, 40.0, 100.0]), 100.0, (1.0, 1.0))
    >>> time_weights(cycle, 5)[:, 2].tolist()  # 40 ms: the second frame
    [0.0, 1.0, 0.0]
    """
    at_ms = column_times_ms(volume.rr_ms, n_columns)
    n_frames = volume.times_ms.size
    place = np.interp(at_ms, volume.times_ms, np.arange(n_frames))
    weights = np.zeros((n_frames, n_columns), dtype=np.float32)
    columns = np.arange(n_columns)
    for index, weight in taps(place, n_frames, interpolation if volume.even else "linear"):
        np.add.at(weights, (index, columns), weight)
    return weights


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
