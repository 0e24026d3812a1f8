"""The long axis: a straight line through the cavity's centres that outliers do not bend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.phase.ventricle.heart import Heart
from cardio_spect_polar.phase.ventricle.interpolate import trilinear
from cardio_spect_polar.phase.ventricle.ridge import trace_ridges
from cardio_spect_polar.phase.ventricle.wall import N_RAYS

HUBER_MM = 1.5
N_ROUNDS = 8
STEP_MM = 1.0
MAX_TILT_DEG = 35.0


@dataclass(frozen=True)
class LongAxis:
    """A line from base to apex.

    Attributes
    ----------
    point_mm : tuple of float
        The point (z, y, x) from which distances along the axis count.
    direction : tuple of float
        Unit vector towards the apex.
    """

    point_mm: tuple[float, float, float]
    direction: tuple[float, float, float]

    def at(self, along_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return points at distances along the axis, shape (..., 3)."""
        along = np.asarray(along_mm, dtype=np.float64)[..., None]
        return np.asarray(np.asarray(self.point_mm) + along * np.asarray(self.direction))

    def around(self, n: int) -> NDArray[np.float64]:
        """Return unit vectors across the axis, shape (n, 3): anterior first, then to the septum."""
        along = np.asarray(self.direction, dtype=float)
        anterior = np.array([0.0, -1.0, 0.0]) + along[1] * along
        anterior /= np.linalg.norm(anterior)
        septal = np.cross(anterior, along)
        septal = septal * (-1.0 if septal[2] > 0 else 1.0)
        angle = 2 * np.pi * np.arange(n) / n
        return np.asarray(np.cos(angle)[:, None] * anterior + np.sin(angle)[:, None] * septal)

    @property
    def tilt_deg(self) -> float:
        """Angle between the axis and the stack."""
        return float(np.degrees(np.arccos(min(1.0, abs(self.direction[0])))))

    def along_of_z(self, z_mm: float) -> float:
        """Return the distance along the axis at which it reaches a slice."""
        return (z_mm - self.point_mm[0]) / self.direction[0]


def fit_long_axis(
    summed: NDArray[np.floating], voxel_mm: tuple[float, float, float], heart: Heart
) -> tuple[LongAxis, NDArray[np.float64]]:
    """Fit the axis to the ridges of all slices that show a cavity.

    In every slice forty rays from the cavity's centre meet the wall's ridge, a circle is fitted to
    it with small weights for faint and outlying points, and a line with Huber weights runs through
    the circles' centres. A second round begins at the first one's line.

    Parameters
    ----------
    summed : ndarray, shape (n_slices, n_rows, n_columns)
        Counts of all time slots together, base to apex.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    heart : Heart
        Where the rings are.

    Returns
    -------
    LongAxis
        Distances count from the heart's first slice.
    radii_mm : ndarray, shape (n,)
        Radius of the circle in each of the heart's slices.
    """
    z_mm = heart.slices * voxel_mm[0]
    line = fit_line(z_mm, heart.centres_mm, np.ones(len(z_mm)))
    radii_mm = heart.radii_mm
    for _ in range(2):
        centres = line[0] + z_mm[:, None] * line[1]
        points, weights = _ridge_in_slices(summed, voxel_mm, z_mm, centres, radii_mm)
        circles, radii_mm, trust = fit_circles(points, weights)
        line = fit_line(z_mm, circles, trust)
    direction = np.array([1.0, *line[1]])
    norm = np.linalg.norm(direction)
    start = line[0] + z_mm[0] * line[1]
    axis = LongAxis(
        (float(z_mm[0]), float(start[0]), float(start[1])),
        (float(1 / norm), float(line[1][0] / norm), float(line[1][1] / norm)),
    )
    return axis, radii_mm


def _ridge_in_slices(
    summed: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    z_mm: NDArray[np.floating],
    centres_mm: NDArray[np.floating],
    radii_mm: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ridge points (slice, ray, 2) in mm and how bright they are, 0 to 1."""
    angle = 2 * np.pi * np.arange(N_RAYS) / N_RAYS
    across = np.stack([-np.cos(angle), -np.sin(angle)], axis=-1)
    typical_mm = float(np.median(radii_mm))
    radius = np.arange(max(voxel_mm[1:]), 1.6 * typical_mm + 8.0, STEP_MM)
    flat = centres_mm[:, None, None] + across[None, :, None] * radius[:, None]
    points = np.concatenate(
        [np.broadcast_to(z_mm[:, None, None, None], (*flat.shape[:3], 1)), flat], axis=-1
    )
    profile = trilinear(summed[None], voxel_mm, points)[..., 0]
    level = max(float(np.percentile(profile.max(axis=-1), 75)), 1e-12)
    strength = np.minimum(profile / level, 1.0)
    expected = radii_mm[:, None, None]
    strength = strength - 0.5 * ((radius - expected) / (0.5 * expected)) ** 2
    step = trace_ridges(strength.astype(np.float32))
    bright = np.take_along_axis(profile, step[..., None], -1)[..., 0] / level
    ridge = np.take_along_axis(flat, step[..., None, None], 2)[:, :, 0]
    return ridge, np.clip((bright - 0.3) / 0.3, 0.02, 1.0)


def fit_circles(
    points: NDArray[np.floating], weights: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Fit a circle to each set of points by reweighted least squares on the distances.

    Parameters
    ----------
    points : ndarray, shape (n_circles, n_points, 2)
        In mm.
    weights : ndarray, shape (n_circles, n_points)
        How far each point is to be trusted, 0 to 1.

    Returns
    -------
    centres : ndarray, shape (n_circles, 2)
    radii : ndarray, shape (n_circles,)
    trust : ndarray, shape (n_circles,)
        Mean weight of the points, outliers included.

    Examples
    --------
    >>> import numpy as np
    >>> angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    >>> points = np.stack([5 + 3 * np.cos(angle), 7 + 3 * np.sin(angle)], axis=-1)
    >>> points[0] += 9
    >>> centres, radii, _ = fit_circles(points[None], np.ones((1, 12)))
    >>> bool(np.abs(centres - [[5, 7]]).max() < 0.2)
    True
    """
    total = weights.sum(axis=1)
    centres = (weights[..., None] * points).sum(axis=1) / total[:, None]
    robust = weights
    radii = np.zeros(len(points))
    for _ in range(N_ROUNDS):
        away = points - centres[:, None]
        distance = np.maximum(np.linalg.norm(away, axis=-1), 1e-6)
        radii = (robust * distance).sum(axis=1) / robust.sum(axis=1)
        off = distance - radii[:, None]
        robust = weights * np.minimum(1.0, HUBER_MM / np.maximum(np.abs(off), 1e-6)) ** 2
        # Gauss-Newton on centre and radius: d distance / d centre = -unit vector.
        slope = np.concatenate([-away / distance[..., None], -np.ones((*off.shape, 1))], axis=-1)
        normal = np.einsum("cp,cpi,cpj->cij", robust, slope, slope) + 1e-6 * np.eye(3)
        step = np.linalg.solve(normal, -np.einsum("cp,cpi,cp->ci", robust, slope, off)[..., None])
        centres = centres + np.clip(step[:, :2, 0], -5.0, 5.0)
    return centres, radii, robust.mean(axis=1)


def fit_line(
    z_mm: NDArray[np.floating], centres_mm: NDArray[np.floating], trust: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Fit (row, column) = a + b·z with Huber weights.

    Parameters
    ----------
    z_mm : ndarray, shape (n,)
        Slice positions.
    centres_mm : ndarray, shape (n, 2)
        Centres.
    trust : ndarray, shape (n,)
        Weights, all positive.

    Returns
    -------
    ndarray, shape (2, 2)
        a and b.
    """
    design = np.stack([np.ones(len(z_mm)), z_mm], axis=1)
    weights = trust
    line = np.zeros((2, 2))
    for _ in range(N_ROUNDS):
        root = np.sqrt(weights)[:, None]
        line = np.linalg.lstsq(design * root, centres_mm * root, rcond=None)[0]
        off = np.linalg.norm(centres_mm - design @ line, axis=1)
        weights = trust * np.minimum(1.0, HUBER_MM / np.maximum(off, 1e-6))
    return line
