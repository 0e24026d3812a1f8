"""The left ventricle in the volume: a stack of rings that are brighter than what they enclose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from cardio_core.api import DataError

N_VALUES = 16

_SORT_EIGHT = (
    (0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7), (0, 1), (2, 3),
    (4, 5), (6, 7), (2, 4), (3, 5), (1, 4), (3, 6), (1, 2), (3, 4), (5, 6),
)  # fmt: skip
"""Pairs to put in order, one after the other, that sort any eight values."""


def middle_half(values: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the mean of the eight middle ones of sixteen values at every place.

    Sorting pair by pair works on whole arrays, which is fifteen times faster than to sort sixteen
    values at each place. Two halves of eight are sorted; of the four smallest of each, the four
    that are larger when the two run against each other are the upper four of eight, and so on.

    Parameters
    ----------
    values : sequence of 16 ndarray of one shape

    Examples
    --------
    >>> import numpy as np
    >>> around = [np.array([float(i)], dtype=np.float32) for i in (*range(100, 104), *range(12))]
    >>> middle_half(around)
    array([7.5], dtype=float32)
    """
    if len(values) != N_VALUES:
        raise ValueError(f"expected {N_VALUES} values at each place, found {len(values)}")
    pairs = [np.stack([values[i], values[i + N_VALUES // 2]]) for i in range(N_VALUES // 2)]
    for i, j in _SORT_EIGHT:
        lower = np.minimum(pairs[i], pairs[j])
        np.maximum(pairs[i], pairs[j], out=pairs[j])
        pairs[i] = lower
    total = np.zeros_like(pairs[0][0])
    for i in range(4):
        total += np.maximum(pairs[i][0], pairs[3 - i][1])
        total += np.minimum(pairs[4 + i][0], pairs[7 - i][1])
    return np.asarray(total / np.float32(N_VALUES // 2))


RADII_MM = np.arange(14.0, 57.0, 4.0)
"""Mid-wall radii that are tried; a dilated ventricle of 38 mm is well inside."""

SMOOTHING_MM = 4.0
CELL_MM = 6.0
RING_SHARE = 0.25
"""Rings of a quarter of the best ring's strength still belong to the heart."""

HOT_ML = 60.0
"""A myocardium has more than this; what is hotter than its hottest 60 mL counts no more."""

MIN_HEART_MM = 20.0
MIN_CONTRAST = 0.15
"""The cavity of a small heart blurs away: .18 was plainly a heart. Volumes without one are refused
for other reasons too (`find_wall`)."""


@dataclass(frozen=True)
class Heart:
    """Rings of the left ventricle, one per slice in which it shows a cavity.

    Attributes
    ----------
    slices : ndarray of int, shape (n,)
        Neighbouring slices.
    centres_mm : ndarray, shape (n, 2)
        Cavity centre (row, column) in mm from the first voxel.
    radii_mm : ndarray, shape (n,)
        Radius of the mid-wall.
    contrast : float
        (Ring - centre) / ring, the median over slices: 1 for an empty cavity, 0 for none.
    tapering : float
        How clearly the cavity closes towards the last slice rather than the first, about -1 to 1.
    """

    slices: NDArray[np.intp]
    centres_mm: NDArray[np.float64]
    radii_mm: NDArray[np.float64]
    contrast: float
    tapering: float

    def turned(self, n_slices: int) -> Heart:
        """Return the same heart in the stack of `n_slices` turned round."""
        return replace(
            self,
            slices=n_slices - 1 - self.slices[::-1],
            centres_mm=self.centres_mm[::-1],
            radii_mm=self.radii_mm[::-1],
            tapering=-self.tapering,
        )


def find_heart(summed: NDArray[np.floating], voxel_mm: tuple[float, float, float]) -> Heart:
    """Find the left ventricle by its rings.

    In every slice, at every centre and radius, the middle half of sixteen samples around the ring
    is compared with the centre. Gut that touches the heart brightens a few of the sixteen, and a
    defect darkens a few; neither moves their middle half. The heart is the stretch of
    neighbouring slices whose rings are strongest while their centres and radii change slowly.

    Parameters
    ----------
    summed : ndarray, shape (n_slices, n_rows, n_columns)
        Counts of all time slots together.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.

    Raises
    ------
    DataError
        If nothing in the volume looks like a ventricle around a cavity.
    """
    smooth = gaussian_filter(
        np.maximum(summed, 0).astype(np.float32), SMOOTHING_MM / np.array(voxel_mm)
    )
    hottest = float(smooth.max())
    top = _level_of_hottest(smooth, voxel_mm)
    if hottest <= 0 or hottest - float(smooth.min()) < 1e-3 * hottest:
        raise DataError("no heart found: the volume has no contrast; check the file")
    if top < 1e-2 * hottest:
        raise DataError(
            f"no heart found: less than {HOT_ML:g} mL holds nearly all counts; check the file for "
            "a hot spot or a wrong voxel size"
        )
    smooth = np.minimum(smooth, top)
    ring, centre, cell_rows, cell_columns = _rings(smooth, voxel_mm)
    strength = ring - centre[..., None]
    best = float(strength.max())
    if best < 0.02 * top:
        raise DataError(
            "no heart found: nothing in the volume is a bright ring around a cavity; check that "
            "the file holds reconstructed short-axis slices of the heart"
        )
    slices, cells = _strongest_stretch(np.minimum(strength, best) - RING_SHARE * best)
    level = ring[(slices, *cells.T)]
    contrast = float(np.median(strength[(slices, *cells.T)] / np.maximum(level, 1e-9 * top)))
    length_mm = len(slices) * voxel_mm[0]
    if length_mm < MIN_HEART_MM or contrast < MIN_CONTRAST:
        raise DataError(
            f"no heart found: the best candidate is {length_mm:.0f} mm long (at least "
            f"{MIN_HEART_MM:g}) with a cavity contrast of {contrast:.2f} (at least "
            f"{MIN_CONTRAST:g}); check that these are short-axis slices"
        )
    centres_mm = np.stack(
        [cell_rows[cells[:, 0]] * voxel_mm[1], cell_columns[cells[:, 1]] * voxel_mm[2]], axis=1
    )
    return Heart(
        slices=slices,
        centres_mm=centres_mm,
        radii_mm=RADII_MM[cells[:, 2]],
        contrast=contrast,
        tapering=_tapering(smooth, voxel_mm, slices, centres_mm, RADII_MM[cells[:, 2]], level),
    )


def _level_of_hottest(smooth: NDArray[np.float32], voxel_mm: tuple[float, float, float]) -> float:
    """Return the counts that the hottest 60 mL exceed, so that a small hot gut has no vote."""
    n_hot = min(int(np.ceil(HOT_ML * 1000 / np.prod(voxel_mm))), smooth.size)
    return float(np.partition(smooth.ravel(), smooth.size - n_hot)[smooth.size - n_hot])


def _rings(
    smooth: NDArray[np.float32], voxel_mm: tuple[float, float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]:
    """Return ring level (slice, row, column, radius), centre level, and the candidate cells."""
    n_slices, n_rows, n_columns = smooth.shape
    steps = [max(1, round(CELL_MM / mm)) for mm in voxel_mm[1:]]
    margins = [int(np.ceil(RADII_MM[0] / mm)) for mm in voxel_mm[1:]]
    rows = np.arange(margins[0], n_rows - margins[0], steps[0])
    columns = np.arange(margins[1], n_columns - margins[1], steps[1])
    pad = int(np.ceil(RADII_MM[-1] / min(voxel_mm[1:])))
    padded = np.pad(smooth, ((0, 0), (pad, pad), (pad, pad)))

    def moved(d_row: int, d_column: int) -> NDArray[np.float32]:
        """Return the counts so many voxels away from every candidate."""
        row, column = rows[0] + pad + d_row, columns[0] + pad + d_column
        return padded[
            :,
            row : row + rows[-1] - rows[0] + 1 : steps[0],
            column : column + columns[-1] - columns[0] + 1 : steps[1],
        ]

    angle = 2 * np.pi * np.arange(N_VALUES) / N_VALUES
    ring = np.empty((n_slices, len(rows), len(columns), len(RADII_MM)), dtype=np.float32)
    for i, radius_mm in enumerate(RADII_MM):
        d_row = np.rint(-radius_mm * np.cos(angle) / voxel_mm[1]).astype(np.intp)
        d_column = np.rint(-radius_mm * np.sin(angle) / voxel_mm[2]).astype(np.intp)
        ring[..., i] = middle_half([moved(*at) for at in zip(d_row, d_column, strict=True)])
    return ring, moved(0, 0), rows, columns


def _strongest_stretch(gain: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return slices and cells (row, column, radius) of the way of largest total gain.

    From slice to slice a way moves by at most one cell in each of row, column and radius; it may
    begin and end at any slice.
    """
    total = np.empty_like(gain)
    total[0] = gain[0]
    for z in range(1, len(gain)):
        total[z] = gain[z] + np.maximum(maximum_filter(total[z - 1], size=3, mode="nearest"), 0)
    z, *cell = (int(i) for i in np.unravel_index(int(total.argmax()), total.shape))
    way = [(z, *cell)]
    while z > 0:
        around = tuple(slice(max(c - 1, 0), c + 2) for c in cell)
        before = total[z - 1][around]
        if before.max() <= 0:
            break
        step = np.unravel_index(int(before.argmax()), before.shape)
        cell = [int(part.start + s) for part, s in zip(around, step, strict=True)]
        z -= 1
        way.append((z, *cell))
    found = np.array(way[::-1], dtype=np.intp)
    return found[:, 0], found[:, 1:]


def _tapering(
    smooth: NDArray[np.float32],
    voxel_mm: tuple[float, float, float],
    slices: NDArray[np.intp],
    centres_mm: NDArray[np.float64],
    radii_mm: NDArray[np.float64],
    level: NDArray[np.float32],
) -> float:
    """Compare both ends: at the apex the cavity fills and the rings get smaller."""
    line = np.polyfit(slices, centres_mm, 1)
    reach = int(np.ceil(25.0 / voxel_mm[0]))
    depth = max(1, len(slices) // 3)

    def filled(z: NDArray[np.intp]) -> float:
        z = z[(z >= 0) & (z < len(smooth))]
        if len(z) == 0:
            return 0.0
        at = np.rint((line[0] * z[:, None] + line[1]) / np.array(voxel_mm[1:])).astype(np.intp)
        at = np.clip(at, 0, np.array(smooth.shape[1:]) - 1)
        return min(float(smooth[z, at[:, 0], at[:, 1]].max()) / float(np.median(level)), 1.2)

    first = filled(np.arange(slices[0] - reach, slices[0] + 1))
    last = filled(np.arange(slices[-1], slices[-1] + reach + 1))
    narrowing = (radii_mm[:depth].mean() - radii_mm[-depth:].mean()) / radii_mm.mean()
    return float(last - first + narrowing)
