"""How bright the heart and what lies around it are, in dB, 0 dB being myocardium."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_echo_cmr.segments.wall import Wall, fade
from cardio_echo_cmr.synthetic.chambers import chambers
from cardio_echo_cmr.synthetic.motion import Ventricle

BLOOD_DB = -38.0
_AROUND_DB, _LUNG_DB, _PERICARDIUM_DB, _PAPILLARY_DB = -17.0, -26.0, 5.0, -1.0
_PERICARDIUM_MM = 2.2


def reflectivity_db(ventricle: Ventricle, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the level of every point.

    Parameters
    ----------
    ventricle : Ventricle
        The left ventricle at end diastole.
    heart_mm : ndarray, shape (n, 2)
        Points (u, v).

    Returns
    -------
    ndarray, shape (n,)
        dB.
    """
    wall = ventricle.wall
    place = wall.place(heart_mm)
    depth, edge = place.depth_mm, wall.wall_mm / 2
    before = np.ones(depth.shape, np.bool_) if wall.is_ring else heart_mm[:, 1] <= wall.length_mm
    patches = _texture_db(ventricle.texture_seed, heart_mm)
    level = _around_db(wall, heart_mm) + patches
    # The pericardium is the brightest line of a view.
    bright = (depth > edge) & (depth < edge + _PERICARDIUM_MM) & before & _free(wall, heart_mm)
    level = np.where(bright, _PERICARDIUM_DB, level)
    for chamber in chambers(wall):
        there = ~before if chamber.beyond_base else (depth > edge) | ~before
        if chamber.beyond_base is False:
            there &= before
        away, _ = chamber.depth(heart_mm)
        level = np.where(there & (np.abs(away) < chamber.wall_mm / 2), chamber.wall_db, level)
        level = np.where(there & (away <= -chamber.wall_mm / 2), BLOOD_DB, level)
    if not wall.is_ring:
        # Beyond the ring the wall thins out into the groove between ventricle and atrium.
        over_mm = heart_mm[:, 1] - wall.length_mm
        groove = ~before & (np.abs(depth) <= edge) & (over_mm < 7.0)
        level = np.where(groove, -3.0 - 1.2 * over_mm + patches, level)
    across = ventricle.across(place)
    rim = 2.5 * np.exp(-((np.minimum(across, 1.0 - across) / 0.08) ** 2))
    level = np.where((across >= 0) & (across <= 1) & before, rim + patches, level)
    level = np.where((across > 1) & before, BLOOD_DB, level)
    return np.where(_papillary(wall, heart_mm), _PAPILLARY_DB + patches, level)


def _free(wall: Wall, heart_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell where pericardium lies on the wall, and no other chamber."""
    across = heart_mm[:, 0] / wall.half_width_mm
    if wall.view == "a2c":
        return np.asarray(np.abs(across) > 0.5)
    return np.asarray(across > {"a4c": 0.25, "plax": 0.0, "other": -0.3}[wall.view])


def _papillary(wall: Wall, heart_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which points of a short axis lie in a papillary muscle."""
    inside = np.zeros(len(heart_mm), np.bool_)
    if wall.is_ring:
        for side in (-0.42, 0.55):
            middle = (side * wall.half_width_mm, 1.4 * wall.length_mm)
            inside |= np.hypot(*(heart_mm - np.array(middle)).T) < 0.2 * wall.half_width_mm
    return inside


def _around_db(wall: Wall, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the level of what lies around the heart; lung beside it is darker."""
    beside_mm = np.abs(heart_mm[:, 0]) - wall.half_width_mm - wall.wall_mm / 2
    lung = 1.0 - fade(beside_mm - 4.0, 12.0)
    return np.asarray(_AROUND_DB + (_LUNG_DB - _AROUND_DB) * lung)


def _texture_db(seed: int, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return slow variation of brightness, about ±3 dB."""
    rng = np.random.default_rng(seed)
    wave, phase = rng.normal(0.0, 2 * np.pi / 30.0, (6, 2)), rng.uniform(0.0, 2 * np.pi, 6)
    return np.asarray(1.2 * np.cos(heart_mm @ wave.T + phase).sum(axis=1))
