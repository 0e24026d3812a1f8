"""From a ventricle to gated counts: point spread, gates, lost beats, Poisson noise.

The wall is not voxelised. It is cut into pieces that are small against the point spread (Gauss
nodes in depth and along the meridian, equal steps around), every piece carries its volume times
its activity, and the sum of their Gaussians is evaluated at the voxel centres: no staircase, and
partial volume as the camera has it. Each piece keeps its volume while it moves (`wall_motion`), so
the counts of the wall are the same in every gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cardio_core.api import DataError
from cardio_spect_polar.synthetic.pose import Pose, n_slices_for, pose
from cardio_spect_polar.synthetic.spread import Cloud, spread
from cardio_spect_polar.synthetic.truth import Truth, truth_of
from cardio_spect_polar.synthetic.wall_motion import (
    Mesh,
    angles,
    area_mm2,
    latitudes,
    mesh,
    motion,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardio_spect_polar.synthetic.ventricle import Ventricle

_PER_SD = 1.1
"""Largest distance of neighbouring pieces in standard deviations of the point spread."""
_LEAST_LATITUDES, _LEAST_ANGLES = 28, 48
_N_DEPTHS, _N_CAVITY = 4, 6
_STUB_ANGLES_DEG = (30.0, 150.0)
_STUB_MM, _STUB_STEP_MM = 4.0, 3.0
_GUT_SD_MM = 13.0


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
        image averaged over the cycle, without gut and before beats are lost.
    drop_off : float
        Share of its counts that the last gate loses as beats end early.
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

    def __post_init__(self) -> None:
        sizes = (self.n_rows, self.n_columns, self.n_slots, self.n_subframes, self.n_slices or 1)
        if min(sizes) < 1 or min(*self.voxel_mm, self.fwhm_mm, self.counts_per_voxel) <= 0:
            raise DataError(
                "camera: expected sizes, distances and counts above 0, found "
                f"{self}; correct the camera"
            )
        if not 0 <= self.drop_off < 1:
            raise DataError(
                f"camera: expected a drop-off of 0 to 1, found {self.drop_off:g}; correct it"
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
    ventricle: Ventricle,
    rng: np.random.Generator | None = None,
    camera: Camera | None = None,
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
    >>> from cardio_spect_polar.synthetic.ventricle import Ventricle
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
    expected[-1] *= 1.0 - camera.drop_off
    counts = expected if rng is None else rng.poisson(expected).astype(np.float64)
    return counts, camera.voxel_mm, truth_of(ventricle, at, camera.voxel_mm[0], camera.n_slots)


def _expected(
    ventricle: Ventricle, camera: Camera, at: Pose, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Return the expected counts of every gate, scaled to the brightest voxel of the wall."""
    sigma = camera.fwhm_mm / np.sqrt(8 * np.log(2))
    moving = spread(_heart(ventricle, camera, at), shape, camera.voxel_mm, sigma)
    heart = moving + spread(_stubs(ventricle, at), shape, camera.voxel_mm, sigma)
    scale = camera.counts_per_voxel / (heart.mean(axis=0).max() + ventricle.background)
    around = _gut(ventricle, camera, at, shape, sigma) + ventricle.background
    return np.asarray(scale * (heart + around))


def _heart(ventricle: Ventricle, camera: Camera, at: Pose) -> Cloud:
    """Return the pieces of wall and blood in every gate."""
    n_latitudes, n_angles = _resolution(ventricle, camera)
    latitude, weight = latitudes(n_latitudes)
    wall = mesh(ventricle, latitude, angles(n_angles))
    area = area_mm2(ventricle, latitude, weight, n_angles)[:, None]
    n_times = camera.n_slots * camera.n_subframes
    inner, thickness = motion(wall, ventricle, (np.arange(n_times) + 0.5) / n_times)
    muscle = _pieces(wall, at, inner, thickness, area * wall.perfusion, _N_DEPTHS)
    # The blood needs fewer pieces: it is faint and has no fine structure.
    few = slice(None, None, 2)
    axis = np.broadcast_to(-1.0 / wall.k2_per_mm, inner.shape)[..., few]
    coarse = mesh(ventricle, latitude, wall.angle_deg[0, few])
    blood = _pieces(coarse, at, axis, inner[..., few] - axis, 2 * area * ventricle.blood, _N_CAVITY)
    return Cloud(
        points_mm=np.concatenate([muscle.points_mm, blood.points_mm], axis=1).reshape(
            camera.n_slots, -1, 3
        ),
        weights=np.concatenate([muscle.weights, blood.weights], axis=1).reshape(camera.n_slots, -1)
        / camera.n_subframes,
    )


def _resolution(ventricle: Ventricle, camera: Camera) -> tuple[int, int]:
    """Return how many latitudes and angles keep neighbouring pieces close enough.

    In the middle of a meridian Gauss-Legendre nodes lie π/2 times farther apart than on average.
    """
    apart = _PER_SD * camera.fwhm_mm / np.sqrt(8 * np.log(2))
    around = 2 * np.pi * (ventricle.radius_mm + ventricle.thickness_mm)
    meridian = np.pi / 2 * np.hypot(ventricle.length_mm, ventricle.radius_mm)
    return (
        max(int(np.ceil(meridian / apart)), _LEAST_LATITUDES),
        max(2 * int(np.ceil(around / apart / 2)), _LEAST_ANGLES),
    )


def _pieces(
    wall: Mesh,
    at: Pose,
    start_mm: NDArray[np.float64],
    depth_mm: NDArray[np.float64],
    activity: NDArray[np.float64],
    n_depths: int,
) -> Cloud:
    """Cut what lies along the normals from `start_mm` into pieces, at every time.

    `start_mm` and `depth_mm` have the shape (n_times, n_latitudes, n_angles); `activity` is per
    mm³, times the endocardial area.
    """
    node, share = np.polynomial.legendre.leggauss(n_depths)
    x = start_mm[..., None] + depth_mm[..., None] * (node + 1) / 2
    stretch = (1 + wall.k1_per_mm[..., None] * x) * (1 + wall.k2_per_mm[..., None] * x)
    weights = activity[..., None] * stretch * depth_mm[..., None] * share / 2
    points = at.place(
        wall.foot_mm[0][..., None] + x * wall.normal[0][..., None],
        wall.foot_mm[1][..., None] + x * wall.normal[1][..., None],
        wall.angle_deg[..., None],
    )
    n_times = x.shape[0]
    return Cloud(points.reshape(n_times, -1, 3), weights.reshape(n_times, -1))


def _stubs(ventricle: Ventricle, at: Pose) -> Cloud:
    """Return the walls of the right ventricle where they leave the left one; they do not move."""
    if ventricle.rv_activity == 0:
        return Cloud(np.zeros((1, 0, 3)), np.zeros((1, 0)))
    depth = np.arange(_STUB_STEP_MM / 2, 0.7 * ventricle.length_mm, _STUB_STEP_MM)
    reach = np.arange(_STUB_STEP_MM / 2, ventricle.rv_length_mm, _STUB_STEP_MM)
    surface = ventricle.radius_mm * np.sqrt(1 - (depth / ventricle.length_mm) ** 2)
    surface = surface + ventricle.thickness_mm
    points = []
    for angle in _STUB_ANGLES_DEG:
        root = at.place(surface, depth, np.array(angle))
        across = np.cos(np.radians(angle)) * 0.4 * at.anterior + at.septal
        across = across / np.linalg.norm(across)
        points.append((root[:, None] + reach[:, None] * across).reshape(-1, 3))
    together = np.concatenate(points)
    piece = ventricle.rv_activity * _STUB_MM * _STUB_STEP_MM**2
    return Cloud(together[None], np.full((1, len(together)), piece))


def _gut(
    ventricle: Ventricle,
    camera: Camera,
    at: Pose,
    shape: tuple[int, int, int],
    sigma_mm: float,
) -> NDArray[np.float64]:
    """Return the activity of the blob under the inferior wall: a Gaussian, blurred exactly."""
    if ventricle.gut_activity == 0:
        return np.zeros(shape)
    outside = ventricle.radius_mm + ventricle.thickness_mm + ventricle.gut_distance_mm
    centre = at.place(np.array(outside), np.array(0.55 * ventricle.length_mm), np.array(185.0))
    variance = _GUT_SD_MM**2 + sigma_mm**2
    z, y, x = (
        np.exp(-((np.arange(n) * step - middle) ** 2) / (2 * variance))
        for n, step, middle in zip(shape, camera.voxel_mm, centre, strict=True)
    )
    peak = ventricle.gut_activity * (_GUT_SD_MM**2 / variance) ** 1.5
    return np.asarray(peak * z[:, None, None] * y[:, None] * x)
