"""What the choice of the base does: the same study with its base one slice lower or higher."""

from __future__ import annotations

from cardio_core.api import DataError
from cardio_spect_polar.phase.sampling.curves import Mode, sample_wall
from cardio_spect_polar.phase.sampling.heart_sampling import SampledHeart
from cardio_spect_polar.phase.ventricle.find_wall import find_wall
from cardio_spect_polar.phase.ventricle.wall import SampledWall


def with_base_moved(heart: SampledHeart, n_slices: float, *, mode: Mode) -> SampledWall | None:
    """Sample the wall again with another base.

    Parameters
    ----------
    heart : SampledHeart
        As it was found.
    n_slices : float
        How far the base is moved towards the apex, in slices; negative is away from it.
    mode : {"tracked", "independent"}
        See `sample_wall`.

    Returns
    -------
    SampledWall or None
        None where no wall is found with that base.

    Notes
    -----
    Nucl Med Commun 2008;29:374: the placement of the base decides how well phase indices repeat
    in normal hearts, so its effect belongs into every report.
    """
    base_mm = heart.wall.base_z_mm + n_slices * heart.voxel_mm[0]
    try:
        wall = find_wall(
            heart.summed,
            heart.voxel_mm,
            base_mm=base_mm,
            apex_mm=heart.wall.apex_z_mm,
            heart=heart.wall.heart,
        )
    except DataError:
        return None
    return sample_wall(heart.canonical.counts, heart.voxel_mm, wall.geometry, mode=mode)
