"""From a ventricle to gated counts: activity, point spread, gates, noise; and hard hearts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift

from cardio_core.api import DataError
from cardio_spect_polar.synthetic.truth import Truth, truth_of
from cardio_spect_polar.synthetic.ventricle import (
    N_SEGMENTS,
    Mesh,
    Pose,
    Ventricle,
    angles,
    area_mm2,
    descent,
    draw_ventricle,
    latitudes,
    lbbb_delay,
    mesh,
    motion,
    n_slices_for,
    pose,
    share_at,
    twist_deg,
    with_segments,
)

_STEP = 0.4
"""Fine grid in standard deviations: the error is then below 1e-3 of the maximum."""


@dataclass(frozen=True)
class Cloud:
    """Small pieces of activity in every gate.

    Attributes
    ----------
    points_mm : ndarray, shape (n_gates, n_pieces, 3)
        (z, y, x) from the centre of the first voxel.
    weights : ndarray, shape (n_gates, n_pieces)
        Activity times volume in mm³.
    """

    points_mm: NDArray[np.float64]
    weights: NDArray[np.float64]


def spread(
    cloud: Cloud, shape: tuple[int, int, int], voxel_mm: tuple[float, float, float], sigma_mm: float
) -> NDArray[np.float64]:
    """Blur a cloud with a Gaussian and read it at the voxel centres.

    The pieces are first put on a fine grid with quadratic B-splines, which blurs them by a quarter
    of a step squared (variance); one matrix an axis then does the rest of the Gaussian and goes
    to the voxels.

    Parameters
    ----------
    cloud : Cloud
        The pieces.
    shape : tuple of int
        Slices, rows, columns.
    voxel_mm : tuple of float
        Their distances.
    sigma_mm : float
        Standard deviation of the Gaussian.

    Returns
    -------
    ndarray, shape (n_gates, n_slices, n_rows, n_columns)
        Activity per mm³ after the blur: 1 deep within a large volume of activity 1.

    Examples
    --------
    >>> one = Cloud(np.array([[[5.0, 5.0, 5.0]]]), np.array([[1000.0]]))
    >>> blurred = spread(one, (12, 12, 12), (1.0, 1.0, 1.0), 4.0)
    >>> round(float(blurred[0, 5, 5, 5]), 3), round(1000 / (2 * np.pi * 16) ** 1.5, 3)
    (0.993, 0.992)
    """
    if cloud.points_mm.shape[1] == 0:
        return np.zeros((cloud.points_mm.shape[0], *shape))
    step = _STEP * sigma_mm
    low = cloud.points_mm.min(axis=(0, 1)) - 2 * step
    high = cloud.points_mm.max(axis=(0, 1)) + 2 * step
    size = tuple(np.ceil((high - low) / step).astype(int) + 1)
    blur = [
        _gaussian(
            distance * np.arange(n, dtype=float),
            start + step * np.arange(m, dtype=float),
            sigma_mm,
            step,
        )
        for n, distance, start, m in zip(shape, voxel_mm, low, size, strict=True)
    ]
    gates = []
    for points, weights in zip(cloud.points_mm, cloud.weights, strict=True):
        fine = _deposit((points - low) / step, weights, size)
        gates.append(np.einsum("zi,yj,xk,ijk->zyx", *blur, fine, optimize=True))
    return np.stack(gates)


def _gaussian(
    to_mm: NDArray[np.float64], from_mm: NDArray[np.float64], sigma_mm: float, step_mm: float
) -> NDArray[np.float64]:
    """Return the matrix that blurs by what the deposit has not blurred yet, per mm."""
    variance = sigma_mm**2 - step_mm**2 / 4
    away = to_mm[:, None] - from_mm
    return np.asarray(np.exp(-(away**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance))


def _deposit(
    place: NDArray[np.float64], weights: NDArray[np.float64], size: tuple[int, ...]
) -> NDArray[np.float64]:
    """Put pieces on a grid, each on 3 × 3 × 3 nodes with quadratic B-spline weights."""
    nearest = np.rint(place).astype(np.int64)
    away = place - nearest
    share = np.stack([(0.5 - away) ** 2 / 2, 0.75 - away**2, (0.5 + away) ** 2 / 2])
    flat = np.ravel_multi_index(tuple(nearest.T), size)
    total = np.zeros(int(np.prod(size)))
    for i, j, k in product(range(3), repeat=3):
        shift = ((i - 1) * size[1] + (j - 1)) * size[2] + (k - 1)
        portion = weights * share[i, :, 0] * share[j, :, 1] * share[k, :, 2]
        total += np.bincount(flat + shift, portion, minlength=total.size)
    return total.reshape(size)


Floats = NDArray[np.float64]

_PER_SD = 1.1
"""Largest distance of neighbouring pieces in standard deviations of the point spread."""
_LEAST_LATITUDES, _LEAST_ANGLES = 28, 48
_N_DEPTHS, _N_CAVITY = 4, 6
_STUB_ANGLES_DEG = (30.0, 150.0)
_STUB_MM, _STUB_STEP_MM = 4.0, 3.0
_GUT_SD_MM, _LIVER_SD_MM = 13.0, 26.0


def heart(ventricle: Ventricle, at: Pose, n_slots: int, n_subframes: int, sigma_mm: float) -> Cloud:
    """Return the pieces of wall and blood in every gate.

    Parameters
    ----------
    ventricle : Ventricle
        Who.
    at : Pose
        Where.
    n_slots, n_subframes : int
        Gates, and moments that are averaged in each.
    sigma_mm : float
        Of the point spread; the pieces are small against it.
    """
    n_latitudes, n_angles = _resolution(ventricle, sigma_mm)
    latitude, weight = latitudes(n_latitudes)
    wall = mesh(ventricle, latitude, angles(n_angles))
    area = area_mm2(ventricle, latitude, weight, n_angles)[:, None]
    n_times = n_slots * n_subframes
    time = (np.arange(n_times) + 0.5) / n_times
    inner, thickness = motion(wall, ventricle, time)
    who = (ventricle, time)
    muscle = _pieces(
        wall, at, inner, thickness, area * wall.perfusion * wall.muscle, _N_DEPTHS, who
    )
    # The blood needs fewer pieces: it is faint and has no fine structure.
    few = slice(None, None, 2)
    axis = np.broadcast_to(-1.0 / wall.k2_per_mm, inner.shape)[..., few]
    coarse = mesh(ventricle, latitude, wall.angle_deg[0, few])
    pool = 2 * area * ventricle.blood
    blood = _pieces(coarse, at, axis, inner[..., few] - axis, pool, _N_CAVITY, who)
    parts = [muscle, blood]
    if ventricle.beyond_activity:
        # It lies where the wall would be at end-diastole, and stays there.
        still = replace(ventricle, shortening_mm=0.0, twist_deg=0.0)
        there = np.zeros(inner.shape)
        faint = area * ventricle.beyond_activity * (1 - wall.muscle)
        parts.append(_pieces(wall, at, there, there + wall.h0_mm, faint, _N_DEPTHS, (still, time)))
    points = np.concatenate([part.points_mm for part in parts], axis=1)
    weights = np.concatenate([part.weights for part in parts], axis=1) / n_subframes
    return Cloud(points.reshape(n_slots, -1, 3), weights.reshape(n_slots, -1))


def _resolution(ventricle: Ventricle, sigma_mm: float) -> tuple[int, int]:
    """Return how many latitudes and angles keep neighbouring pieces close enough.

    In the middle of a meridian Gauss-Legendre nodes lie π/2 times farther apart than on average.
    """
    apart = _PER_SD * sigma_mm
    around = 2 * np.pi * (ventricle.radius_mm + ventricle.thickness_mm)
    meridian = np.pi / 2 * np.hypot(ventricle.length_mm, ventricle.radius_mm)
    return (
        max(int(np.ceil(meridian / apart)), _LEAST_LATITUDES),
        max(2 * int(np.ceil(around / apart / 2)), _LEAST_ANGLES),
    )


def _pieces(
    wall: Mesh,
    at: Pose,
    start_mm: Floats,
    depth_mm: Floats,
    activity: Floats,
    n_depths: int,
    who: tuple[Ventricle, Floats],
) -> Cloud:
    """Cut what lies along the normals from `start_mm` into pieces, at every time.

    `start_mm` and `depth_mm` have the shape (n_times, n_latitudes, n_angles); `activity` is per
    mm³, times the endocardial area; `who` is the ventricle and the times.
    """
    node, share = np.polynomial.legendre.leggauss(n_depths)
    x = start_mm[..., None] + depth_mm[..., None] * (node + 1) / 2
    stretch = (1 + wall.k1_per_mm[..., None] * x) * (1 + wall.k2_per_mm[..., None] * x)
    weights = activity[..., None] * stretch * depth_mm[..., None] * share / 2
    ventricle, time_rr = who
    radius = wall.foot_mm[0][..., None] + x * wall.normal[0][..., None]
    depth = wall.foot_mm[1][..., None] + x * wall.normal[1][..., None]
    angle = wall.angle_deg[..., None]
    if ventricle.twist_deg:
        angle = angle + twist_deg(ventricle, time_rr[:, None, None, None], depth)
    if ventricle.shortening_mm:
        share, slope = share_at(ventricle, depth)
        base_mm = descent(wall, ventricle, time_rr)[..., None]
        weights = weights * (1 + base_mm * slope)
        depth = depth + base_mm * share
    points = at.place(radius, depth, angle)
    n_times = x.shape[0]
    return Cloud(points.reshape(n_times, -1, 3), weights.reshape(n_times, -1))


def right_ventricle(ventricle: Ventricle, at: Pose) -> Cloud:
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


def surroundings(
    ventricle: Ventricle,
    at: Pose,
    shape: tuple[int, int, int],
    voxel_mm: tuple[float, float, float],
    sigma_mm: float,
) -> Floats:
    """Return the activity of gut and liver near the inferior wall: Gaussians, blurred exactly."""
    total = np.zeros(shape)
    epicardium = ventricle.radius_mm + ventricle.thickness_mm
    # Activity, distance, depth as a share of the length, angle, standard deviation.
    for activity, distance, share, angle, sd in (
        (ventricle.gut_activity, ventricle.gut_distance_mm, 0.55, 185.0, _GUT_SD_MM),
        (ventricle.liver_activity, ventricle.liver_distance_mm, 0.4, 155.0, _LIVER_SD_MM),
    ):
        if activity == 0:
            continue
        outside, depth = np.array(epicardium + distance), np.array(share * ventricle.length_mm)
        centre = at.place(outside, depth, np.array(angle))
        variance = sd**2 + sigma_mm**2
        z, y, x = (
            np.exp(-((np.arange(n) * step - middle) ** 2) / (2 * variance))
            for n, step, middle in zip(shape, voxel_mm, centre, strict=True)
        )
        peak = activity * (sd**2 / variance) ** 1.5
        total += peak * z[:, None, None] * y[:, None] * x
    return total


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


DEFECTS = (
    (),
    (3, 4, 5, 9, 10, 11, 15),  # inferior, from the base
    (1, 2, 6),  # anterior base
    (4, 5),  # inferior base
    (13, 14, 15, 16, 17),  # apex
)
"""Segments without normal activity: a quarter of the wall, parts of the base alone, the apex."""

_FIELD_MM, _MOST_ROWS = 256.0, 64


def draw_hard(rng: np.random.Generator) -> tuple[Ventricle, Camera]:
    """Draw a heart and how it was taken.

    A third of the hearts is small (length 58 to 72 mm, radius 18 to 23), a third dilated (95 to
    115, 34 to 42, thickening 10 to 25 %). Every second has an LBBB, four of five a defect of one
    of `DEFECTS` with 20 to 50 % of the activity; half of them each a septum that begins 4 to 12 mm
    late, a liver of 50 to 130 % of the wall's activity, and gut of 40 to 120 %. The base descends
    by 0 to 14 mm.

    Voxels are 3 to 6.8 mm; 16 gates in every fourth. All gates differ by 1.5 % (standard
    deviation), two neighbouring ones hold 10 to 30 % more or less in every third study, and the
    last loses up to 15 %. In every third study one to three gates in the middle of the cycle have
    one or two empty slices at either end. 25 to 200 counts a voxel.

    Examples
    --------
    >>> heart, camera = draw_hard(np.random.default_rng(1))
    >>> len(camera.slot_gain) == camera.n_slots
    True
    """
    size = rng.integers(3)
    shape: dict[str, Any] = {}
    if size == 0:
        shape = {"length_mm": rng.uniform(58.0, 72.0), "radius_mm": rng.uniform(18.0, 23.0)}
    elif size == 1:
        thickening = float(rng.uniform(0.1, 0.25))
        shape = {
            "length_mm": rng.uniform(95.0, 115.0),
            "radius_mm": rng.uniform(34.0, 42.0),
            "thickening": (thickening,) * N_SEGMENTS,
        }
    shape = {name: value if name == "thickening" else float(value) for name, value in shape.items()}
    defect = DEFECTS[rng.integers(len(DEFECTS))]
    heart = draw_ventricle(
        rng,
        **shape,
        perfusion=with_segments((1.0,) * N_SEGMENTS, defect, float(rng.uniform(0.2, 0.5))),
        delay_rr=lbbb_delay() if rng.uniform() < 0.5 else (0.0,) * N_SEGMENTS,
        short_septum_mm=float(rng.uniform(4.0, 12.0)) if rng.uniform() < 0.5 else 0.0,
        liver_activity=float(rng.uniform(0.5, 1.3)) if rng.uniform() < 0.5 else 0.0,
        liver_distance_mm=float(rng.uniform(40.0, 60.0)),
        gut_activity=float(rng.uniform(0.4, 1.2)) if rng.uniform() < 0.5 else 0.0,
        gut_distance_mm=float(rng.uniform(22.0, 34.0)),
    )
    return heart, _draw_camera(rng)


LATE_LATERAL = (1, 4, 7, 10, 13, 15), (5, 6, 11, 12, 16)
"""Segments at the border of the lateral half of the wall, and within it."""


def draw_patient(rng: np.random.Generator, *, delay_deg: float = 0.0) -> tuple[Ventricle, Camera]:
    """Draw a heart as recordings of patients show it: no piece of its wall is like the next.

    Perfusion of the segments varies by 12 % (standard deviation) and their thickening by 30 % of
    its mean; every third heart has a defect of one of `DEFECTS`. The septum ends 5 to 15 mm before
    the lateral wall, with 10 to 50 % of the activity beyond, the mitral plane is tilted by up to 12
    degrees, the base descends by 6 to 14 mm. Counts rise with brightness (power 1.4 to 2.2), late
    gates lose 2 to 40 %, and all gates differ by 0.7 % and lie 0.35 mm apart (standard deviations).
    8 gates, voxels of 3.2 to 6.4 mm, 60 to 200 counts.

    Parameters
    ----------
    rng : Generator
        Of everything; the same one gives the same heart for every delay.
    delay_deg : float
        Delay of the lateral half of the wall, in degrees of the cycle; half of it at its border.

    Examples
    --------
    >>> on_time, _ = draw_patient(np.random.default_rng(1))
    >>> late, _ = draw_patient(np.random.default_rng(1), delay_deg=45.0)
    >>> on_time.perfusion == late.perfusion, max(late.delay_rr)
    (True, 0.125)
    """
    spread = rng.normal(1.0, 0.12, N_SEGMENTS).clip(0.65, 1.1)
    if rng.uniform() < 1 / 3:
        defect = DEFECTS[1 + rng.integers(len(DEFECTS) - 1)]
        spread[np.array(defect) - 1] *= rng.uniform(0.3, 0.6)
    beat = float(rng.uniform(0.15, 0.4)) * rng.normal(1.0, 0.3, N_SEGMENTS).clip(0.3, 1.7)
    delay = np.zeros(N_SEGMENTS)
    for segments, share in zip(LATE_LATERAL, (0.5, 1.0), strict=True):
        delay[np.array(segments) - 1] = share * delay_deg / 360
    heart = draw_ventricle(
        rng,
        perfusion=tuple(spread.tolist()),
        thickening=tuple(beat.tolist()),
        delay_rr=tuple(delay.tolist()),
        short_septum_mm=float(rng.uniform(5.0, 15.0)),
        base_tilt_deg=float(rng.uniform(0.0, 12.0)),
        base_tilt_towards_deg=float(rng.uniform(45.0, 135.0)),
        beyond_activity=float(rng.uniform(0.1, 0.5)),
        shortening_mm=float(rng.uniform(6.0, 14.0)),
    )
    voxel = float(rng.uniform(3.2, 6.4))
    rows = min(2 * round(_FIELD_MM / voxel / 2), _MOST_ROWS)
    gain = 1.0 + rng.normal(0.0, 0.007, 8)
    last = float(rng.uniform(0.02, 0.4))
    gain[-2:] *= 1.0 - last * np.array([0.3, 1.0])
    camera = Camera(
        voxel_mm=(voxel, voxel, voxel),
        n_rows=rows,
        n_columns=rows,
        fwhm_mm=float(rng.uniform(10.0, 16.0)),
        counts_per_voxel=float(np.exp(rng.uniform(np.log(60.0), np.log(200.0)))),
        slot_gain=tuple(gain.tolist()),
        brightening=float(rng.uniform(1.4, 2.2)),
        jitter_mm=tuple((float(y), float(x)) for y, x in rng.normal(0.0, 0.35, (8, 2))),
    )
    return heart, camera


def _draw_camera(rng: np.random.Generator) -> Camera:
    voxel = float(rng.uniform(3.0, 6.8))
    rows = min(2 * round(_FIELD_MM / voxel / 2), _MOST_ROWS)
    camera = draw_camera(
        rng,
        voxel_mm=(voxel, voxel, voxel),
        n_rows=rows,
        n_columns=rows,
        drop_off=float(rng.uniform(0.0, 0.15)),
    )
    n = camera.n_slots
    gain = np.clip(rng.normal(1.0, 0.015, n), 0.96, 1.04)
    if rng.uniform() < 1 / 3:
        first = int(rng.integers(1, n - 2))
        gain[first : first + n // 4] *= 1.0 + rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 0.3)
    empty: tuple[tuple[int, int, int], ...] = ()
    if rng.uniform() < 1 / 3:
        slots = range(n // 4, n // 4 + int(rng.integers(1, 4)))
        empty = tuple((slot, int(rng.integers(0, 3)), int(rng.integers(0, 3))) for slot in slots)
    drawn = {name: getattr(camera, name) for name in camera.__dataclass_fields__}
    return Camera(**{**drawn, "slot_gain": tuple(gain.tolist()), "empty_ends": empty})
