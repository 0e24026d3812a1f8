"""From a ventricle to gated counts: point spread, gates, lost beats, Poisson noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift

from cardio_core.api import DataError
from cardio_spect_polar.synthetic.phantom.activity import heart, right_ventricle, surroundings
from cardio_spect_polar.synthetic.phantom.pose import Pose, n_slices_for, pose
from cardio_spect_polar.synthetic.phantom.spread import spread
from cardio_spect_polar.synthetic.phantom.truth import Truth, truth_of
from cardio_spect_polar.synthetic.phantom.ventricle import Ventricle


@dataclass(frozen=True)
class Camera:
    """How the heart is imaged.

    Attributes
    ----------
    voxel_mm : tuple of float
        Distance of slices, rows and columns.
    n_rows, n_columns : int
        Size of a slice.
    n_slices : int or None
        None takes as many as show the heart with 30 mm to spare at either end.
    n_slots : int
        Gates of an RR interval, 8 or 16.
    n_subframes : int
        Moments that are averaged in a gate.
    fwhm_mm : float
        Of the Gaussian point spread, the same in all directions.
    counts_per_voxel : float
        Counts in one gate of the brightest voxel of the heart: largest expected value of the
        image averaged over the cycle, without gut and liver and before beats are lost.
    drop_off : float
        Share of its counts that the last gate loses as beats end early.
    slot_gain : tuple of float
        Factors of the gates' counts, for jumps in the middle of the cycle; empty for none.
    empty_ends : tuple of (slot, first, last)
        Gates, from 0, whose `first` and `last` slices hold nothing, as reformatting leaves them.
    brightening : float
        Power by which counts follow activity, voxel by voxel. Blur alone (1) keeps a wall's counts
        while it thickens; above it they rise with its brightness, as reconstruction lets them on
        real recordings: 1.85 gives the median slope of 39 studies (.37).
    jitter_mm : tuple of (rows, columns)
        How far each gate lies from where it should, because its beats were breathed otherwise; ()
        for nowhere.
    """

    voxel_mm: tuple[float, float, float] = (6.4, 6.4, 6.4)
    n_rows: int = 64
    n_columns: int = 64
    n_slices: int | None = None
    n_slots: int = 8
    n_subframes: int = 4
    fwhm_mm: float = 13.0
    counts_per_voxel: float = 100.0
    drop_off: float = 0.0
    slot_gain: tuple[float, ...] = ()
    empty_ends: tuple[tuple[int, int, int], ...] = ()
    brightening: float = 1.0
    jitter_mm: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        sizes = (self.n_rows, self.n_columns, self.n_slots, self.n_subframes, self.n_slices or 1)
        if (
            min(sizes) < 1
            or min(*self.voxel_mm, self.fwhm_mm, self.counts_per_voxel, self.brightening) <= 0
        ):
            raise DataError(
                "camera: expected sizes, distances, counts and powers above 0, found "
                f"{self}; correct the camera"
            )
        if not 0 <= self.drop_off < 1:
            raise DataError(
                f"camera: expected a drop-off of 0 to 1, found {self.drop_off:g}; correct it"
            )
        if self.slot_gain and (len(self.slot_gain) != self.n_slots or min(self.slot_gain) <= 0):
            raise DataError(
                f"camera: expected a slot_gain above 0 for each of {self.n_slots} gates, found "
                f"{self.slot_gain}; correct it"
            )
        if self.jitter_mm and len(self.jitter_mm) != self.n_slots:
            raise DataError(
                f"camera: expected a jitter_mm for each of {self.n_slots} gates, found "
                f"{len(self.jitter_mm)}; correct it"
            )


def draw_camera(rng: np.random.Generator, **fixed: Any) -> Camera:
    """Draw a camera from the ranges of the method page; what is named in `fixed` stays.

    Point spread 10 to 16 mm, cubic voxels of 4 to 6.8 mm, 8 gates (16 in every fourth), 25 to 200
    counts a voxel, a drop-off of 0 to 20 %.
    """
    voxel = float(rng.uniform(4.0, 6.8))
    drawn: dict[str, Any] = {
        "voxel_mm": (voxel, voxel, voxel),
        "fwhm_mm": float(rng.uniform(10.0, 16.0)),
        "n_slots": 16 if rng.uniform() < 0.25 else 8,
        "counts_per_voxel": float(np.exp(rng.uniform(np.log(25.0), np.log(200.0)))),
        "drop_off": float(rng.uniform(0.0, 0.2)),
    }
    return Camera(**{**drawn, **fixed})


def image(
    ventricle: Ventricle, rng: np.random.Generator | None = None, camera: Camera | None = None
) -> tuple[NDArray[np.float64], tuple[float, float, float], Truth]:
    """Image a ventricle.

    Parameters
    ----------
    ventricle : Ventricle
        What is imaged.
    rng : Generator, optional
        Of the Poisson noise; without it the expected counts are returned.
    camera : Camera, optional
        How.

    Returns
    -------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        In canonical orientation: slices from base to apex, rows from anterior to inferior,
        columns from the septum to the lateral wall.
    voxel_mm : tuple of float
        Distance of slices, rows and columns.
    truth : Truth
        What is known.

    Examples
    --------
    >>> from cardio_spect_polar.synthetic.phantom.ventricle import Ventricle
    >>> counts, voxel_mm, truth = image(Ventricle())
    >>> counts.shape, round(float(counts.mean(axis=0).max()), 1), round(truth.psd_deg, 6)
    ((8, 25, 64, 64), 100.0, 0.0)
    """
    camera = camera or Camera()
    shape = (
        camera.n_slices or n_slices_for(ventricle, camera.voxel_mm[0]),
        camera.n_rows,
        camera.n_columns,
    )
    at = pose(ventricle, shape, camera.voxel_mm)
    expected = _expected(ventricle, camera, at, shape)
    if camera.brightening != 1:
        most = expected.max()
        expected = most * (expected / most) ** camera.brightening
    for slot, (down, right) in enumerate(camera.jitter_mm):
        by = (0.0, down / camera.voxel_mm[1], right / camera.voxel_mm[2])
        expected[slot] = np.maximum(shift(expected[slot], by, order=3, mode="nearest"), 0.0)
    expected[-1] *= 1.0 - camera.drop_off
    if camera.slot_gain:
        expected *= np.array(camera.slot_gain)[:, None, None, None]
    for slot, first, last in camera.empty_ends:
        expected[slot, :first] = 0.0
        expected[slot, shape[0] - last :] = 0.0
    counts = expected if rng is None else rng.poisson(expected).astype(np.float64)
    return counts, camera.voxel_mm, truth_of(ventricle, at, camera.voxel_mm[0], camera.n_slots)


def _expected(
    ventricle: Ventricle, camera: Camera, at: Pose, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Return the expected counts of every gate, scaled to the brightest voxel of the wall."""
    sigma = camera.fwhm_mm / np.sqrt(8 * np.log(2))
    pieces = heart(ventricle, at, camera.n_slots, camera.n_subframes, sigma)
    both = spread(pieces, shape, camera.voxel_mm, sigma) + spread(
        right_ventricle(ventricle, at), shape, camera.voxel_mm, sigma
    )
    scale = camera.counts_per_voxel / (both.mean(axis=0).max() + ventricle.background)
    around = surroundings(ventricle, at, shape, camera.voxel_mm, sigma) + ventricle.background
    return np.asarray(scale * (both + around))
