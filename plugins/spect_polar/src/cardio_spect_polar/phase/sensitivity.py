"""What one slice more or less at the base does to the phases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardio_core.api import DataError
from cardio_spect_polar.phase.find_wall import find_wall
from cardio_spect_polar.phase.harmonics import first_harmonic
from cardio_spect_polar.phase.indices import phase_indices
from cardio_spect_polar.phase.sampling import Mode, sample_wall

if TYPE_CHECKING:
    from cardio_spect_polar.phase.heart_sampling import SampledHeart

SHIFTS = (-1, 0, 1)


@dataclass(frozen=True)
class BaseShift:
    """Phase indices with the base moved.

    Attributes
    ----------
    n_slices : int
        How far the base was moved towards the apex; negative is away from it.
    psd_deg, pbw_deg : float
        Phase standard deviation and bandwidth; NaN where the moved base leaves no ventricle.
    """

    n_slices: int
    psd_deg: float
    pbw_deg: float


def base_sensitivity(heart: SampledHeart, *, mode: Mode = "tracked") -> tuple[BaseShift, ...]:
    """Repeat the phase analysis with the base one slice farther out, where it is, and farther in.

    Where the base is put decides about the phases of the last rings, where atrium and valve plane
    spill in: placing it by hand instead of automatically took the repeatability of the phase
    standard deviation in normal hearts from 12.0 to 1.2 degrees.

    Parameters
    ----------
    heart : SampledHeart
        As `sample_heart` returns it.
    mode : {"tracked", "independent"}
        See `sample_wall`.

    Returns
    -------
    tuple of BaseShift
        For -1, 0 and +1 slices.

    References
    ----------
    Nucl Med Commun 2008; 29: 374.
    """
    return tuple(_shifted(heart, n_slices, mode) for n_slices in SHIFTS)


def _shifted(heart: SampledHeart, n_slices: int, mode: Mode) -> BaseShift:
    try:
        wall = find_wall(
            heart.summed,
            heart.voxel_mm,
            base_mm=heart.wall.base_z_mm + n_slices * heart.voxel_mm[0],
            apex_mm=heart.wall.apex_z_mm,
        )
    except DataError:
        return BaseShift(n_slices, float("nan"), float("nan"))
    sampled = sample_wall(heart.canonical.counts, heart.voxel_mm, wall.geometry, mode=mode)
    indices = phase_indices(first_harmonic(sampled.curves).phase_deg)
    return BaseShift(n_slices, indices.psd_deg, indices.pbw_deg)
