"""Where tissue goes: a few smooth modes of motion, each with a course of its own.

Every mode is one where its weight is 1 mm (or, for the valves, fully open), and fades out smoothly
in the blood, so that the map of places is one to one at all amplitudes used here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_mmode_septal_flash.synthetic.anatomy import (
    MMODE_POINT,
    Anatomy,
    rv_depth_mm,
    wall_place,
)

MODES = ("septum", "lateral", "base", "rv", "breath", "valves")
"""Septum and lateral wall inward; base towards the apex; free wall of the right ventricle inward;
the whole heart away from the probe; leaflets from closed to open."""

_FADE_OUT_MM = 15.0
_FADE_BELOW_MM = 25.0
_ATRIUM_MM = 45.0


def tissue_modes(anatomy: Anatomy, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how tissue at rest places moves in every mode but the valves'.

    Parameters
    ----------
    anatomy : Anatomy
        The heart.
    heart_mm : ndarray, shape (n, 2)
        Places (u, v) at rest.

    Returns
    -------
    ndarray, shape (5, n, 2)
        Displacements (du, dv) for a weight of 1: septum, lateral, base, rv, breath.

    Examples
    --------
    >>> from cardio_mmode_septal_flash.synthetic.anatomy import MMODE_POINT, Anatomy
    >>> heart = Anatomy()
    >>> point = heart.septum()[MMODE_POINT : MMODE_POINT + 1]
    >>> np.linalg.norm(tissue_modes(heart, point)[:, 0], axis=1).round(2).tolist()
    [1.0, 0.0, 0.73, 0.0, 1.0]
    """
    u, v = heart_mm[:, 0], heart_mm[:, 1]
    base = anatomy.length_mm
    place = wall_place(anatomy, heart_mm)
    plateau = anatomy.wall_mm / 2 + 2.0
    inside_mm = 0.75 * anatomy.half_width_mm
    radial = _fade(np.maximum(-place.depth_mm - plateau, 0.0), inside_mm) * _fade(
        np.maximum(place.depth_mm - plateau, 0.0), _FADE_OUT_MM
    )
    below = _fade(np.maximum(v - base, 0.0), _FADE_BELOW_MM)
    along = radial * np.cos(place.eccentric) * below / _at_mmode_line(anatomy)
    septum = along * (u < 0)
    lateral = along * (u >= 0)
    aside = _fade(np.maximum(np.abs(u) - 2.4 * anatomy.half_width_mm, 0.0), 25.0)
    upward = np.where(v <= base, np.maximum(v, 0.0) / base, _fade(v - base, _ATRIUM_MM)) * aside
    rv_depth = rv_depth_mm(anatomy, heart_mm)
    rv = (
        _fade(np.maximum(np.abs(rv_depth) - 3.0, 0.0), 18.0)
        * _fade(np.maximum(plateau + 14.0 - place.depth_mm, 0.0), 14.0)
        * below
        * (u < 0)
    )
    modes = np.zeros((5, *heart_mm.shape))
    modes[0] = septum[:, None] * place.inward
    modes[1] = lateral[:, None] * place.inward
    modes[2, :, 1] = -upward
    modes[3, :, 0] = rv
    modes[4, :, 1] = 1.0
    return modes


def _at_mmode_line(anatomy: Anatomy) -> float:
    """Return the radial motion's share where the M-mode's line stands, before scaling."""
    point = anatomy.septum()[MMODE_POINT : MMODE_POINT + 1]
    return float(np.cos(wall_place(anatomy, point).eccentric[0]))


def _fade(beyond_mm: NDArray[np.float64], over_mm: float) -> NDArray[np.float64]:
    """Return 1 at 0 and below, 0 from `over_mm`, a squared cosine between."""
    share = np.clip(beyond_mm / over_mm, 0.0, 1.0)
    return np.asarray(np.cos(0.5 * np.pi * share) ** 2, dtype=np.float64)
