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


LATE_LATERAL = (1, 4, 7, 10, 13, 15), (5, 6, 11, 12, 16)
"""Segments at the border of the lateral half of the wall, and within it."""


def draw_patient(rng: np.random.Generator, *, delay_deg: float = 0.0) -> tuple[Ventricle, Camera]:
    """Draw a heart as recordings of patients show it: no piece of its wall is like the next.

    Perfusion of the segments varies by 12 % (standard deviation) and their thickening by 30 % of
    its mean; every third heart has a defect of one of `DEFECTS`. The septum ends 5 to 15 mm before
    the lateral wall, with 10 to 50 % of the activity beyond, the mitral plane is tilted by up to 12
    degrees, the base descends by 6 to 14 mm. Counts rise with brightness (power 1.4 to 2.2), late
    gates lose 2 to 40 %, and all gates differ by 0.7 % and lie 0.35 mm apart (standard deviations).
    8 gates, voxels of 3.2 to 6.4 mm, 60 to 200 counts.

    Parameters
    ----------
    rng : Generator
        Of everything; the same one gives the same heart for every delay.
    delay_deg : float
        Delay of the lateral half of the wall, in degrees of the cycle; half of it at its border.

    Examples
    --------
    >>> on_time, _ = draw_patient(np.random.default_rng(1))
    >>> late, _ = draw_patient(np.random.default_rng(1), delay_deg=45.0)
    >>> on_time.perfusion == late.perfusion, max(late.delay_rr)
    (True, 0.125)
    """
    spread = rng.normal(1.0, 0.12, N_SEGMENTS).clip(0.65, 1.1)
    if rng.uniform() < 1 / 3:
        defect = DEFECTS[1 + rng.integers(len(DEFECTS) - 1)]
        spread[np.array(defect) - 1] *= rng.uniform(0.3, 0.6)
    beat = float(rng.uniform(0.15, 0.4)) * rng.normal(1.0, 0.3, N_SEGMENTS).clip(0.3, 1.7)
    delay = np.zeros(N_SEGMENTS)
    for segments, share in zip(LATE_LATERAL, (0.5, 1.0), strict=True):
        delay[np.array(segments) - 1] = share * delay_deg / 360
    heart = draw_ventricle(
        rng,
        perfusion=tuple(spread.tolist()),
        thickening=tuple(beat.tolist()),
        delay_rr=tuple(delay.tolist()),
        short_septum_mm=float(rng.uniform(5.0, 15.0)),
        base_tilt_deg=float(rng.uniform(0.0, 12.0)),
        base_tilt_towards_deg=float(rng.uniform(45.0, 135.0)),
        beyond_activity=float(rng.uniform(0.1, 0.5)),
        shortening_mm=float(rng.uniform(6.0, 14.0)),
    )
    voxel = float(rng.uniform(3.2, 6.4))
    rows = min(2 * round(_FIELD_MM / voxel / 2), _MOST_ROWS)
    gain = 1.0 + rng.normal(0.0, 0.007, 8)
    last = float(rng.uniform(0.02, 0.4))
    gain[-2:] *= 1.0 - last * np.array([0.3, 1.0])
    camera = Camera(
        voxel_mm=(voxel, voxel, voxel),
        n_rows=rows,
        n_columns=rows,
        fwhm_mm=float(rng.uniform(10.0, 16.0)),
        counts_per_voxel=float(np.exp(rng.uniform(np.log(60.0), np.log(200.0)))),
        slot_gain=tuple(gain.tolist()),
        brightening=float(rng.uniform(1.4, 2.2)),
        jitter_mm=tuple((float(y), float(x)) for y, x in rng.normal(0.0, 0.35, (8, 2))),
    )
    return heart, camera


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
