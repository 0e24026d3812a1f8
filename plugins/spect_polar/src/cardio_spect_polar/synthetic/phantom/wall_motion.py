r"""How the wall moves: inwards, so that every piece of it keeps its volume.

A point of the wall is given by its foot on the end-diastolic endocardium (latitude u, angle theta)
and its distance x along the outward normal there. With the principal curvatures k1 and k2 of the
ellipsoid the volume element is exactly ``(1 + k1 x)(1 + k2 x) dx dA`` (Steiner). The wall over a
piece dA reaches from x = a to x = a + h; a follows from h by

.. math:: \int_a^{a+h} (1 + k_1 x)(1 + k_2 x) dx = \int_0^{h_0} (1 + k_1 x)(1 + k_2 x) dx,

a quadratic equation. So the endocardium moves inwards as the wall thickens and the epicardium
follows it as far as the volume asks. Where the base descends (`shortening`), the right side is
divided by the axial stretch. Normals of a prolate
ellipsoid do not cross before they meet the long axis at x = -1/k2, so the coordinates are valid in
the whole wall and cavity. Where the wall would close the tip of the cavity, its thickening is
limited to leave 1 mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from cardio_spect_polar.synthetic.phantom.aha_map import over_wall
from cardio_spect_polar.synthetic.phantom.shortening import descent_mm, share_at
from cardio_spect_polar.synthetic.phantom.ventricle import Ventricle, wall_beat

Floats = NDArray[np.float64]

_LEAST_CAVITY_MM = 1.0
PERFUSION_EDGE_DEG = 6.0
_ARC_TABLE = 2001


@dataclass(frozen=True)
class Mesh:
    """Feet on the end-diastolic endocardium, and what the wall over them is like.

    All arrays are broadcastable to (n_latitudes, n_angles).

    Attributes
    ----------
    angle_deg : ndarray, shape (1, n_angles)
        0 anterior, 90 septal.
    arc : ndarray, shape (n_latitudes, 1)
        Arc length from the apex, as a share of that of the base, along the middle of the wall.
    foot_mm : tuple of ndarray
        Distance from the long axis, and from the base plane towards the apex.
    normal : tuple of ndarray
        The same components of the outward normal.
    k1_per_mm, k2_per_mm : ndarray
        Principal curvatures along the meridian and around.
    h0_mm : float
        Thickness at end-diastole.
    thickening, delay_rr, perfusion : ndarray
        See `Ventricle`.
    muscle : ndarray
        1 where the wall takes up tracer, 0 in the membranous septum.
    """

    angle_deg: Floats
    arc: Floats
    foot_mm: tuple[Floats, Floats]
    normal: tuple[Floats, Floats]
    k1_per_mm: Floats
    k2_per_mm: Floats
    h0_mm: float
    thickening: Floats
    delay_rr: Floats
    perfusion: Floats
    muscle: Floats

    def volume_mm(self, x_mm: Floats) -> Floats:
        """Return the volume from the endocardium to x per area of the endocardium."""
        k1, k2 = self.k1_per_mm, self.k2_per_mm
        # Horner's rule: powers of large arrays are slow.
        return np.asarray(x_mm * (1 + x_mm * ((k1 + k2) / 2 + x_mm * (k1 * k2 / 3))))


def mesh(ventricle: Ventricle, latitude: Floats, angle_deg: Floats) -> Mesh:
    """Lay a mesh on the endocardium.

    Parameters
    ----------
    ventricle : Ventricle
        The ventricle.
    latitude : ndarray, shape (n_latitudes,)
        u in radians, 0 at the base to π/2 at the apex: the foot is (R cos u, L sin u).
    angle_deg : ndarray, shape (n_angles,)
        Angles.

    Returns
    -------
    Mesh
        One row a latitude, one column an angle.
    """
    long, short = ventricle.length_mm, ventricle.radius_mm
    u, angle = latitude[:, None], angle_deg[None, :]
    stretch = np.hypot(short * np.sin(u), long * np.cos(u))
    arc = _arc(ventricle, u)
    k1, k2 = short * long / stretch**3, long / (short * stretch)
    h0 = ventricle.thickness_mm
    eps = np.minimum(over_wall(ventricle.thickening, angle, arc), _limit(k1, k2, h0))
    return Mesh(
        angle_deg=angle,
        arc=arc,
        foot_mm=(short * np.cos(u), long * np.sin(u)),
        normal=(long * np.cos(u) / stretch, short * np.sin(u) / stretch),
        k1_per_mm=k1,
        k2_per_mm=k2,
        h0_mm=h0,
        thickening=eps,
        delay_rr=over_wall(ventricle.delay_rr, angle, arc),
        perfusion=over_wall(ventricle.perfusion, angle, arc, edge_deg=PERFUSION_EDGE_DEG),
        muscle=muscle_at(ventricle, long * np.sin(u), angle),
    )


def muscle_at(ventricle: Ventricle, depth_mm: Floats, angle_deg: Floats) -> Floats:
    """Return 1 where the wall takes up tracer, 0 beyond its end, soft in between.

    The septum begins `short_septum_mm` below the base plane at 90 degrees, and less so, as the
    square of the sine, towards the anterior and inferior walls. A tilted mitral plane adds
    ``R tan(tilt) (1 + cos(angle - towards))``.
    """
    depth, angle = np.broadcast_arrays(depth_mm, np.radians(angle_deg))
    if ventricle.short_septum_mm == 0 and ventricle.base_tilt_deg == 0:
        return np.ones(depth.shape)
    begins = ventricle.short_septum_mm * np.maximum(np.sin(angle), 0.0) ** 2
    rise = ventricle.radius_mm * np.tan(np.radians(ventricle.base_tilt_deg))
    begins = begins + rise * (1 + np.cos(angle - np.radians(ventricle.base_tilt_towards_deg)))
    # A border a third as wide as the gap itself, so that the gap closes smoothly.
    return np.asarray(ndtr(3.0 * (depth / np.maximum(begins, 1e-6) - 1.0)), dtype=float)


def motion(at: Mesh, ventricle: Ventricle, time_rr: Floats) -> tuple[Floats, Floats]:
    """Return where the endocardium is, and how thick the wall is, at every time.

    Parameters
    ----------
    at : Mesh
        Where.
    ventricle : Ventricle
        Whose beat.
    time_rr : ndarray, shape (n_times,)
        Times in shares of the RR interval.

    Returns
    -------
    inner_mm, thickness_mm : ndarray, shape (n_times, n_latitudes, n_angles)
        Distance of the endocardium from where it was at end-diastole (negative: inwards), and
        the wall's thickness along the normal.
    """
    beat = wall_beat(
        time_rr[:, None, None] - at.delay_rr, ventricle.end_systole_rr, ventricle.relaxation_rr
    )
    thickness = at.h0_mm * (1.0 + at.thickening * beat)
    stretch = 1.0 + descent(at, ventricle, time_rr) * share_at(ventricle, at.foot_mm[1])[1]
    return _inner(at.k1_per_mm, at.k2_per_mm, at.h0_mm, thickness, stretch), thickness


def descent(at: Mesh, ventricle: Ventricle, time_rr: Floats) -> Floats:
    """Return how far the base has descended over the mesh's angles, (n_times, 1, n_angles)."""
    if ventricle.shortening_mm == 0:
        return np.zeros((len(time_rr), 1, 1))
    return descent_mm(ventricle, time_rr[:, None, None], at.angle_deg)


def cavity_ml(ventricle: Ventricle, time_rr: Floats) -> Floats:
    """Return the cavity's volume in ml at every time.

    Numerical integration over the endocardium (Gauss-Legendre along the meridian, midpoints
    around) of the exact volume between the long axis and the moving endocardium.
    """
    latitude, weight = latitudes(24)
    at = mesh(ventricle, latitude, angles(36))
    inner, _ = motion(at, ventricle, time_rr)
    if ventricle.shortening_mm == 0:
        depth = at.volume_mm(inner) - at.volume_mm(-1.0 / at.k2_per_mm)
    else:
        depth = _shortened(at, ventricle, descent(at, ventricle, time_rr), inner)
    area = area_mm2(ventricle, latitude, weight, 36)
    return np.asarray((depth * area[:, None]).sum(axis=(1, 2)) / 1000.0)


def _shortened(at: Mesh, ventricle: Ventricle, base_mm: Floats, inner: Floats) -> Floats:
    """Return the cavity's volume per endocardial area, times the axial stretch of each part."""
    axis = -1.0 / at.k2_per_mm
    total = np.zeros(inner.shape)
    for node, share in zip(*np.polynomial.legendre.leggauss(5), strict=True):
        x = axis + (inner - axis) * (node + 1) / 2
        slope = share_at(ventricle, at.foot_mm[1] + x * at.normal[1])[1]
        part = (1 + at.k1_per_mm * x) * (1 + at.k2_per_mm * x) * (1 + base_mm * slope)
        total += part * (inner - axis) * share / 2
    return total


def latitudes(n: int) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre nodes and weights from base (0) to apex (π/2)."""
    node, weight = np.polynomial.legendre.leggauss(n)
    return (node + 1) * np.pi / 4, weight * np.pi / 4


def angles(n: int) -> Floats:
    """Return the midpoints of n equal angles in degrees."""
    return (np.arange(n) + 0.5) * 360.0 / n


def area_mm2(ventricle: Ventricle, latitude: Floats, weight: Floats, n_angles: int) -> Floats:
    """Return the endocardial area at end-diastole that a node of the mesh stands for."""
    long, short = ventricle.length_mm, ventricle.radius_mm
    stretch = np.hypot(short * np.sin(latitude), long * np.cos(latitude))
    return np.asarray(short * np.cos(latitude) * stretch * weight * 2 * np.pi / n_angles)


def _arc(ventricle: Ventricle, latitude: Floats) -> Floats:
    """Return the arc length from the apex along the middle of the wall, base = 1."""
    long, short = ventricle.length_mm, ventricle.radius_mm
    u = np.linspace(0.0, np.pi / 2, _ARC_TABLE)
    stretch = np.hypot(short * np.sin(u), long * np.cos(u))
    speed = stretch + short * long / stretch**2 * ventricle.thickness_mm / 2
    step = (speed[1:] + speed[:-1]) / 2
    from_base = np.concatenate([[0.0], np.cumsum(step)])
    return np.asarray(1.0 - np.interp(latitude, u, from_base / from_base[-1]))


def _inner(
    k1: Floats, k2: Floats, h0: float, thickness: Floats, stretch: Floats | float = 1.0
) -> Floats:
    """Solve for the endocardium that keeps the wall's volume (module docstring)."""
    mean, product = (k1 + k2) / 2, k1 * k2
    kept = (h0 + mean * h0**2 + product * h0**3 / 3) / stretch
    linear = 2 * mean + product * thickness
    constant = 1 + mean * thickness + product * thickness**2 / 3 - kept / thickness
    # The root near 0, in the form that does not cancel.
    root: Floats = (
        -2 * constant / (linear + np.sqrt(np.maximum(linear**2 - 4 * product * constant, 0.0)))
    )
    return root


def _limit(k1: Floats, k2: Floats, h0: float) -> Floats:
    """Return the thickening that leaves the least cavity on the long axis."""
    low, high = np.zeros(k1.shape), np.full(k1.shape, 5.0)
    for _ in range(40):
        middle = (low + high) / 2
        open_still = _inner(k1, k2, h0, h0 * (1 + middle)) > -1.0 / k2 + _LEAST_CAVITY_MM
        low, high = np.where(open_still, middle, low), np.where(open_still, high, middle)
    return low
