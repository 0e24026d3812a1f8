"""Geometry of the left ventricle: interpolation, long axis, rays, and the sampled wall."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cardio_spect_polar.phase.heart import Heart

N_RAYS = 40
"""Rays of a ring, 9 degrees apart."""


@dataclass(frozen=True)
class WallGeometry:
    """Where the wall lies, on the time-averaged volume in canonical orientation.

    Rings run from the apex to the base, rays from anterior (0 degrees) towards the septum (90),
    inferior (180) and lateral (270). Points are (z, y, x) in mm from the centre of the first
    voxel of the canonical volume: z from base to apex, y from anterior to inferior, x from the
    septum to the lateral wall.

    Attributes
    ----------
    points_mm : ndarray, shape (n_rings, N_RAYS, 3)
        Mid-wall points.
    directions : ndarray, shape (n_rings, N_RAYS, 3)
        Unit vectors of the rays, from the cavity outwards.
    arc : ndarray, shape (n_rings,)
        Arc length of the ring's middle from the apex, as a share of that of the base, 0 to 1.
    area_mm2 : ndarray, shape (n_rings, N_RAYS)
        Wall area that a sample stands for.
    n_cap : int
        Rings of the apical hemisphere, the first ones.
    merged : ndarray of bool, shape (n_rings, N_RAYS)
        Samples whose wall merges with what lies outside it (`merged_samples`); known once the wall
        is sampled.
    """

    points_mm: NDArray[np.float64]
    directions: NDArray[np.float64]
    arc: NDArray[np.float64]
    area_mm2: NDArray[np.float64]
    n_cap: int
    merged: NDArray[np.bool_] | np.bool_ = np.False_


@dataclass(frozen=True)
class SampledWall:
    """Curves of the wall over the cycle.

    Attributes
    ----------
    curves : ndarray, shape (n_slots, n_rings, N_RAYS)
        Counts of the sample in every time slot.
    geometry : WallGeometry
        Where they were taken.
    """

    curves: NDArray[np.float64]
    geometry: WallGeometry


def trilinear(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    points_mm: NDArray[np.floating],
) -> NDArray[np.float32]:
    """Interpolate every time slot at the same points.

    The neighbours and weights of a point are computed once for all slots, and a neighbour's
    slots lie side by side in memory, so that one gather fetches them together.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts per voxel.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    points_mm : ndarray, shape (..., 3)
        Points (z, y, x) in mm from the centre of the first voxel. Outside the stack the nearest
        voxel of its border counts.

    Returns
    -------
    ndarray, shape (..., n_slots)
        Interpolated counts.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.arange(4.0).reshape(1, 4, 1, 1) * np.ones((1, 1, 2, 2))
    >>> trilinear(ramp, (5.0, 4.0, 4.0), np.array([[7.5, 1.0, 2.0]]))
    array([[1.5]], dtype=float32)
    """
    place = np.array(points_mm.reshape(-1, 3).T, dtype=np.float32, order="C")
    n_points = place.shape[1]
    corner = np.empty((3, n_points), dtype=np.int32)
    bounds = []
    for at, first, mm, n in zip(place, corner, voxel_mm, counts.shape[1:], strict=True):
        np.clip(at * np.float32(1 / mm), 0, n - 1, out=at)
        first[:] = np.minimum(at, max(n - 2, 0))
        at -= first
        low = int(first.min(initial=n))
        bounds.append(slice(low, min(int(first.max(initial=0)) + 2, n)))
        first -= low
    near = np.moveaxis(counts[(slice(None), *bounds)], 0, -1)
    n_z, n_y, n_x, n_slots = near.shape
    rows = np.ascontiguousarray(near, dtype=np.float32).reshape(-1, n_slots)

    nearest = (corner[0] * n_y + corner[1]) * n_x + corner[2]
    strides = (n_y * n_x * (n_z > 1), n_x * (n_y > 1), int(n_x > 1))
    shares = [(1 - at, at) for at in place]
    neighbours = np.empty((n_points, 8), dtype=np.int32)
    weights = np.empty((n_points, 8), dtype=np.float32)
    for k, (dz, dy, dx) in enumerate(product((0, 1), repeat=3)):
        neighbours[:, k] = nearest + (dz * strides[0] + dy * strides[1] + dx * strides[2])
        weights[:, k] = shares[0][dz] * shares[1][dy] * shares[2][dx]
    # A sparse matrix times the voxels' rows of slots: one pass in compiled code.
    ends = np.arange(0, 8 * n_points + 1, 8, dtype=np.int32)
    mix = csr_array((weights.ravel(), neighbours.ravel(), ends), shape=(n_points, len(rows)))
    values: NDArray[np.float32] = mix @ rows
    return values.reshape(*points_mm.shape[:-1], n_slots)


def trilinear_along(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    starts_mm: NDArray[np.floating],
    directions: NDArray[np.floating],
    steps_mm: NDArray[np.floating],
) -> NDArray[np.float32]:
    """Interpolate every time slot along its own lines, which may move from slot to slot.

    Slot by slot, which keeps all that is worked on in the processor's cache; the eight neighbours
    are read at one index from eight views of the slot, and mixed axis by axis.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts per voxel.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    starts_mm : ndarray, shape (n_slots, n_lines, 3)
        A point (z, y, x) of each line in each slot, in mm from the centre of the first voxel.
    directions : ndarray, shape (n_lines, 3)
        Where it runs from there, the same in all slots.
    steps_mm : ndarray, shape (n_lines, n_steps)
        How far. Outside the stack the nearest voxel of its border counts.

    Returns
    -------
    ndarray, shape (n_slots, n_lines, n_steps)
        Interpolated counts.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.arange(4.0).reshape(1, 4, 1, 1) * np.ones((2, 1, 3, 3))
    >>> starts = np.array([[[7.5, 1.0, 2.0]], [[2.5, 1.0, 2.0]]])
    >>> upwards, steps = np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 5.0]])
    >>> trilinear_along(ramp, (5.0, 4.0, 4.0), starts, upwards, steps)[:, 0]
    array([[1.5, 2.5],
           [0.5, 1.5]], dtype=float32)
    """
    steps = np.ascontiguousarray(steps_mm, dtype=np.float32)
    begin, ways, bounds, leaves = [], [], [], []
    for axis, mm in enumerate(voxel_mm):
        n = counts.shape[1 + axis]
        way = steps * (directions[:, axis, None] / mm).astype(np.float32)
        start = (starts_mm[..., axis, None] / mm).astype(np.float32)
        first, last = float(start.min() + way.min()), float(start.max() + way.max())
        leaves.append(first < 0 or last > n - 1)
        low = min(max(int(first), 0), max(n - 2, 0))
        bounds.append(slice(low, max(min(int(last) + 2, n), low + 1)))
        begin.append(start - np.float32(low))
        ways.append(way)
    near = np.ascontiguousarray(counts[(slice(None), *bounds)], dtype=np.float32)
    n_z, n_y, n_x = near.shape[1:]
    strides = (n_y * n_x, n_x, 1)
    # A neighbour beyond the border has no weight; what is read there only has to exist.
    flat = np.zeros((len(near), n_z * n_y * n_x + sum(strides)), dtype=np.float32)
    flat[:, : n_z * n_y * n_x] = near.reshape(len(near), -1)
    made = np.empty((len(counts), *steps.shape), dtype=np.float32)
    for slot, voxels in enumerate(flat):
        nearest = np.zeros(steps.shape, dtype=np.int32)
        shares = []
        for axis, stride in enumerate(strides):
            at = ways[axis] + begin[axis][slot]
            if leaves[axis]:
                np.clip(at, 0, near.shape[1 + axis] - 1, out=at)
            corner = at.astype(np.int32)
            at -= corner
            shares.append(at)
            corner *= np.int32(stride)
            nearest += corner
        made[slot] = _mixed(voxels, nearest.astype(np.intp), strides, shares)
    return made


def _mixed(
    voxels: NDArray[np.float32],
    nearest: NDArray[np.intp],
    strides: tuple[int, ...],
    shares: list[NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Mix the voxels from `nearest` on along the axes that are left, the first one last."""
    if not strides:
        return voxels.take(nearest)
    here = _mixed(voxels, nearest, strides[1:], shares[1:])
    beyond = _mixed(voxels[strides[0] :], nearest, strides[1:], shares[1:])
    beyond -= here
    beyond *= shares[0]
    here += beyond
    return here


def trace_ridges(
    strength: NDArray[np.floating], *, max_jump: int = 2, stiffness: float = 0.05
) -> NDArray[np.intp]:
    """Choose one step on each ray so that strength is high and neighbouring rays agree.

    The line maximises the sum of strength minus ``stiffness`` times the squared jumps between
    neighbouring rays. It is closed by going around twice and keeping the middle of the way,
    which is free of the choice of the first ray.

    Parameters
    ----------
    strength : ndarray, shape (n_rings, n_rays, n_steps)
        How much a point looks like wall, of the order of one; rings are traced independently.
    max_jump : int
        Largest jump between neighbouring rays, in steps.
    stiffness : float
        Cost of a jump by one step.

    Returns
    -------
    ndarray of int, shape (n_rings, n_rays)
        The step of the line on each ray.

    Examples
    --------
    >>> import numpy as np
    >>> bright = np.zeros((1, 8, 5))
    >>> bright[:, :, 3] = 1.0
    >>> bright[:, 4, 0] = 1.2
    >>> trace_ridges(bright, max_jump=1)
    array([[3, 3, 3, 3, 3, 3, 3, 3]])
    """
    n_rings, n_rays, n_steps = strength.shape
    jumps = np.arange(-max_jump, max_jump + 1)
    cost = stiffness * (jumps.astype(strength.dtype) ** 2)
    order = np.arange(2 * n_rays) % n_rays
    padded = np.full((n_rings, n_steps + 2 * max_jump), -np.inf, dtype=strength.dtype)
    inside = slice(max_jump, max_jump + n_steps)
    came_from = np.empty((len(order), n_rings, n_steps), dtype=np.int8)
    best = strength[:, 0].copy()
    for i, ray in enumerate(order[1:], start=1):
        padded[:, inside] = best
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(jumps), axis=1) - cost
        choice = windows.argmax(axis=-1)
        came_from[i] = choice
        best = strength[:, ray] + np.take_along_axis(windows, choice[..., None], -1)[..., 0]
    line = np.empty((len(order), n_rings), dtype=np.intp)
    line[-1] = best.argmax(axis=-1)
    rings = np.arange(n_rings)
    for i in range(len(order) - 1, 0, -1):
        line[i - 1] = line[i] + jumps[came_from[i, rings, line[i]]]
    half = n_rays // 2
    middle = line[half : half + n_rays]
    return np.roll(middle, half, axis=0).T


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


CYLINDER_SHARE = 2 / 3
"""The cylinder ends here on the way from the base to the apex; the hemisphere begins."""

MIN_CAP_RINGS = 3
MIN_CYLINDER_RINGS = 2


@dataclass(frozen=True)
class Rays:
    """Where samples are looked for.

    Rings run from the apex to the base, rays from anterior over the septum.

    Attributes
    ----------
    origins : ndarray, shape (n_rings, 1, 3)
        Points (z, y, x) in mm on the long axis.
    directions : ndarray, shape (n_rings, N_RAYS, 3)
        Unit vectors.
    n_cap : int
        Rings of the hemisphere, the first ones.
    """

    origins: NDArray[np.float64]
    directions: NDArray[np.float64]
    n_cap: int

    def points(self, radius_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the points at a radius of shape (n_rings, N_RAYS) or (n_rings, N_RAYS, n)."""
        if radius_mm.ndim == 3:
            return self.origins[:, :, None] + self.directions[:, :, None] * radius_mm[..., None]
        return self.origins + self.directions * radius_mm[..., None]


def lay_rays(axis: LongAxis, base_mm: float, apex_mm: float, spacing_mm: float) -> Rays:
    """Lay forty rays a ring over the ventricle.

    One ring a slice across the axis from the base to two thirds of the length; beyond, rays that
    leave the centre of the last of these rings, at polar angles of (j + 1/2)/n times 90 degrees.

    Parameters
    ----------
    axis : LongAxis
        The long axis.
    base_mm, apex_mm : float
        The base and the middle of the apical wall along the axis, as `LongAxis.at` counts.
    spacing_mm : float
        Distance of neighbouring rings, about; the slice thickness.

    Examples
    --------
    >>> from cardio_spect_polar.phase.geometry import LongAxis
    >>> rays = lay_rays(LongAxis((0.0, 50.0, 50.0), (1.0, 0.0, 0.0)), 20.0, 110.0, 5.0)
    >>> rays.n_cap, len(rays.directions)
    (6, 18)
    """
    along, around = np.asarray(axis.direction), axis.around(N_RAYS)
    length_mm = apex_mm - base_mm
    n_cylinder = max(MIN_CYLINDER_RINGS, int(CYLINDER_SHARE * length_mm / spacing_mm))
    levels = base_mm + (np.arange(n_cylinder)[::-1] + 0.5) * spacing_mm
    n_cap = max(MIN_CAP_RINGS, round((apex_mm - levels[0]) / spacing_mm))
    polar = (np.arange(n_cap) + 0.5) / n_cap * np.pi / 2
    cap = np.cos(polar)[:, None, None] * along + np.sin(polar)[:, None, None] * around
    tip = axis.at(np.full(n_cap, levels[0]))
    return Rays(
        origins=np.concatenate([tip, axis.at(levels)])[:, None],
        directions=np.concatenate([cap, np.broadcast_to(around, (n_cylinder, N_RAYS, 3))]),
        n_cap=n_cap,
    )


def wall_on_rays(rays: Rays, radius_mm: NDArray[np.floating]) -> WallGeometry:
    """Return the wall at these radii, with its arc lengths and areas.

    Parameters
    ----------
    rays : Rays
        The rays.
    radius_mm : ndarray, shape (n_rings, N_RAYS)
        Distance of the mid-wall from the rays' origins.
    """
    points = rays.points(radius_mm)
    ahead = rays.directions[0].mean(axis=0)
    tip = rays.origins[0] + ahead / np.linalg.norm(ahead) * radius_mm[0].mean()
    end = points[-1] + 0.5 * (points[-1] - points[-2])
    edges = np.concatenate(
        [np.broadcast_to(tip, (1, N_RAYS, 3)), 0.5 * (points[1:] + points[:-1]), end[None]]
    )
    heights = np.linalg.norm(edges[1:] - points, axis=-1) + np.linalg.norm(
        points - edges[:-1], axis=-1
    )
    widths = np.linalg.norm(np.roll(points, -1, axis=1) - np.roll(points, 1, axis=1), axis=-1) / 2
    upper = np.concatenate([[0.0], np.cumsum(heights.mean(axis=1))])
    return WallGeometry(
        points_mm=points,
        directions=np.array(rays.directions),
        arc=(upper[:-1] + upper[1:]) / 2 / upper[-1],
        area_mm2=heights * widths,
        n_cap=rays.n_cap,
    )


def rays_of(geometry: WallGeometry) -> tuple[Rays, NDArray[np.float64]]:
    """Return the rays on which a wall lies, and its radii.

    A ring's origin is the point nearest to all its lines in the least-squares sense; for rays
    that were laid by `lay_rays` it is exact.
    """
    along = geometry.directions
    across = np.eye(3) - along[..., :, None] * along[..., None, :]
    pull = np.einsum("rtij,rtj->ri", across, geometry.points_mm)
    origins = np.linalg.solve(across.sum(axis=1), pull[..., None])[..., 0][:, None]
    radius_mm = np.einsum("rti,rti->rt", geometry.points_mm - origins, along)
    return Rays(origins, along, geometry.n_cap), radius_mm
