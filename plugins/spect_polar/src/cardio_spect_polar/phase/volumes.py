"""Volumes of the cavity, and the ejection fraction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter1d

from cardio_spect_polar.phase.rays import rays_of
from cardio_spect_polar.phase.sampling import wall_profiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardio_spect_polar.phase.sampling import WallProfiles
    from cardio_spect_polar.phase.wall import WallGeometry

SURFACE_SD = 0.65
"""Endocardium and epicardium lie at this share of the profile's standard deviation (Germano)."""

WINDOW_MM = 16.0
FAINT_SHARE = 0.4
SMOOTH_RAYS = 2.0
SMOOTH_RINGS = 1.0


@dataclass(frozen=True)
class Volumes:
    """The cavity over the cycle.

    Attributes
    ----------
    curve_ml : ndarray, shape (n_slots,)
        Volume in each time slot.
    edv_ml, esv_ml : float
        Largest and smallest volume.
    ef_pct : float
        Ejection fraction, 0 to 100.
    """

    curve_ml: NDArray[np.float64]
    edv_ml: float
    esv_ml: float
    ef_pct: float


def volumes(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    geometry: WallGeometry,
) -> Volumes:
    """Measure the cavity in every time slot.

    On each ray an asymmetric Gaussian is fitted to the counts across the wall; the endocardium lies
    0.65 of its inner standard deviation inside its peak (after Germano 1995). The surface is
    smoothed a little over neighbouring rays and rings, and the cavity summed: discs along the
    cylinder, sectors of the sphere in the apical cap.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts in canonical orientation.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    geometry : WallGeometry
        The wall, on rays as `lay_rays` lays them.

    Returns
    -------
    Volumes

    References
    ----------
    Germano G et al. Automatic quantification of ejection fraction from gated myocardial perfusion
    SPECT. J Nucl Med 1995; 36: 2138-2147.
    """
    profiles = wall_profiles(counts, voxel_mm, geometry, window_mm=WINDOW_MM)
    peak_mm, inner_sd_mm = fit_inner_side(profiles)
    rays, radius_mm = rays_of(geometry)
    endocardium = radius_mm[..., None] + peak_mm - SURFACE_SD * inner_sd_mm
    endocardium = gaussian_filter1d(endocardium, SMOOTH_RAYS, axis=1, mode="wrap")
    endocardium = np.maximum(
        gaussian_filter1d(endocardium, SMOOTH_RINGS, axis=0, mode="nearest"), 0.0
    )
    curve = cavity_ml(endocardium, rays.origins[:, 0], rays.n_cap)
    edv, esv = float(curve.max()), float(curve.min())
    return Volumes(curve, edv, esv, 100 * (edv - esv) / edv if edv > 0 else 0.0)


def fit_inner_side(
    profiles: WallProfiles,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit the inner half of an asymmetric Gaussian to each profile, in closed form.

    The logarithm of a Gaussian is a parabola; its one coefficient, with the peak given, is a
    weighted mean over the steps between the peak and 40 % of it.

    Parameters
    ----------
    profiles : WallProfiles
        Counts along the rays.

    Returns
    -------
    peak_mm : ndarray, shape (n_rings, N_RAYS, n_slots)
        Where the counts peak, from the mid-wall, positive outwards.
    sd_mm : ndarray, shape (n_rings, N_RAYS, n_slots)
        Standard deviation of the inner side.
    """
    counts = profiles.counts
    step_mm = float(profiles.offset_mm[0, 0, 1] - profiles.offset_mm[0, 0, 0])
    top = counts.argmax(axis=2)
    highest = np.maximum(np.take_along_axis(counts, top[:, :, None], 2)[:, :, 0], 1e-12)
    peak = np.take_along_axis(profiles.offset_mm[..., None], top[:, :, None], 2)[:, :, 0]
    inwards = peak[:, :, None] - profiles.offset_mm[..., None]
    share = counts / highest[:, :, None]
    # A step counts while everything between it and the peak is bright.
    faint = (share < FAINT_SHARE) & (inwards > 0)
    last_faint = np.where(faint, np.arange(counts.shape[2])[:, None], -1).max(axis=2)
    used = (inwards > 0) & (np.arange(counts.shape[2])[:, None] > last_faint[:, :, None])
    d2 = np.where(used, inwards**2, 0.0)
    weight = np.where(used, share, 0.0) ** 2
    fall = -np.log(np.clip(np.where(used, share, 1.0), FAINT_SHARE, 1.0))
    variance = (weight * d2 * d2).sum(axis=2) / np.maximum(
        2 * (weight * d2 * fall).sum(axis=2), 1e-9
    )
    known = used.sum(axis=2) >= 3
    sd = np.sqrt(np.clip(variance, step_mm**2, WINDOW_MM**2))
    typical = float(np.median(sd[known])) if known.any() else step_mm
    return peak, np.where(known, np.minimum(sd, 2 * typical), typical)


def cavity_ml(
    radius_mm: NDArray[np.floating], origins: NDArray[np.floating], n_cap: int
) -> NDArray[np.float64]:
    """Sum the volume within a surface given by its radii.

    Parameters
    ----------
    radius_mm : ndarray, shape (n_rings, n_rays, ...)
        Radii from the rings' origins.
    origins : ndarray, shape (n_rings, 3)
        Points on the axis; those of the cap coincide.
    n_cap : int
        Rings of the hemisphere.

    Returns
    -------
    ndarray, shape (...)
        Volume in mL.

    Examples
    --------
    >>> import numpy as np
    >>> levels = np.array([[0.0], [0.0], [-5.0], [-15.0]]) * [1.0, 0.0, 0.0]
    >>> made = cavity_ml(np.full((4, 40), 30.0), levels, 2)
    >>> bool(np.isclose(made, (2 / 3 * np.pi * 30**3 + np.pi * 30**2 * 20) / 1000))
    True
    """
    azimuth = 2 * np.pi / radius_mm.shape[1]
    edges = np.cos(np.arange(n_cap + 1) / n_cap * np.pi / 2)
    solid = azimuth * (edges[:-1] - edges[1:])
    cap = np.tensordot(solid, (radius_mm[:n_cap] ** 3).sum(axis=1), axes=1) / 3
    height = float(np.linalg.norm(origins[n_cap + 1] - origins[n_cap]))
    discs = 0.5 * azimuth * (radius_mm[n_cap:] ** 2).sum(axis=(0, 1)) * height
    return np.asarray((cap + discs) / 1000.0)
