"""Hearts and cameras that are hard to measure: all at once that real studies are known for."""

from __future__ import annotations

from typing import Any

import numpy as np

from cardio_spect_polar.synthetic.phantom.imaging import Camera, draw_camera
from cardio_spect_polar.synthetic.phantom.ventricle import (
    N_SEGMENTS,
    Ventricle,
    draw_ventricle,
    lbbb_delay,
    with_segments,
)

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
