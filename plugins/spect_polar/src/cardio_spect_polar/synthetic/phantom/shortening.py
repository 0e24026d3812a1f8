r"""The base descends towards the apex, and the wall twists: motion along and around the long axis.

A point at depth s below the base plane of end-diastole moves to ``s + d(t, theta) w(s)``. The
share w falls from 1 at the base to a little below 0 at the apex, which is nearly fixed, and is flat
there, so that the apical cap moves as a whole. The volume of everything is multiplied by
``1 + d w'(s)``; `wall_motion` gives the wall that much more cross-section, so that it keeps its
volume.

The course d is no sum of two harmonics: the base follows the beat up to end-systole, comes back in
early diastole, waits, and comes back the rest of the way with the atrial kick. The ring is stiff,
so that a wall's delay moves its own side of the base by half of it only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.synthetic.phantom.aha_map import over_wall
from cardio_spect_polar.synthetic.phantom.ventricle import Ventricle

Floats = NDArray[np.float64]

APEX_SHARE = 0.08
"""So much of the base's way the apex moves, the other way."""

BASAL_TWIST = -0.3
"""Share of the twist at the base; the apex has the rest, the other way round."""

_EARLY_RR, _KICK_RR = 0.22, 0.14
_MID_ARC = 0.55


def base_course(time_rr: Floats, ventricle: Ventricle) -> Floats:
    """Return how far the base has come at times in RR: 0 at the R wave, 1 at end-systole.

    Examples
    --------
    >>> heart = Ventricle(atrial_share=0.25)
    >>> base_course(np.array([0.0, 0.38, 0.7, 0.93]), heart).round(3).tolist()
    [0.0, 1.0, 0.25, 0.125]
    """
    time = np.mod(time_rr, 1.0)
    systole = ventricle.end_systole_rr
    left = ventricle.atrial_share

    def rise(start: float, length: float) -> Floats:
        share = np.clip((time - start) / length, 0.0, 1.0)
        return np.asarray(0.5 * (1.0 - np.cos(np.pi * share)))

    back = (1.0 - left) * rise(systole, _EARLY_RR) + left * rise(1.0 - _KICK_RR, _KICK_RR)
    return np.asarray(rise(0.0, systole) - back)


def descent_mm(ventricle: Ventricle, time_rr: Floats, angle_deg: Floats) -> Floats:
    """Return d, how far the base has descended, broadcast over times and angles.

    Parameters
    ----------
    ventricle : Ventricle
        Its `shortening_mm`, `shortening_difference` and delays.
    time_rr, angle_deg : ndarray
        Times in shares of the RR interval, and angles; they broadcast.
    """
    around = over_wall(ventricle.delay_rr, angle_deg, _MID_ARC)
    delay = (around + over_wall(ventricle.delay_rr, np.arange(36) * 10.0, _MID_ARC).mean()) / 2
    uneven = 1.0 - ventricle.shortening_difference * np.sin(np.radians(angle_deg))
    return np.asarray(
        ventricle.shortening_mm * uneven * base_course(np.asarray(time_rr) - delay, ventricle)
    )


def share_at(ventricle: Ventricle, depth_mm: Floats) -> tuple[Floats, Floats]:
    """Return w and its derivative per mm at depths below the base plane of end-diastole.

    Examples
    --------
    >>> share, slope = share_at(Ventricle(), np.array([0.0, 85.0 + 9.5]))
    >>> share.round(6).tolist(), bool(slope[1] == 0)
    ([1.0, -0.08], True)
    """
    reach = ventricle.length_mm + ventricle.thickness_mm
    u = np.minimum(np.asarray(depth_mm) / reach, 1.0)
    steep = 1.25 * (1.0 + APEX_SHARE)
    u2 = u * u
    u4 = u2 * u2
    return 1.0 - steep * u * (1.0 - u4 / 5), -steep * (1.0 - u4) / reach


def twist_deg(ventricle: Ventricle, time_rr: Floats, depth_mm: Floats) -> Floats:
    """Return by how much the wall has turned, towards the septum, at times and depths."""
    reach = ventricle.length_mm + ventricle.thickness_mm
    share = BASAL_TWIST + np.clip(np.asarray(depth_mm) / reach, 0.0, 1.0)
    return np.asarray(ventricle.twist_deg * share * base_course(np.asarray(time_rr), ventricle))
