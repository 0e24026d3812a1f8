"""Hospitals of the CRT cohort, and how their cameras take a patient."""

from __future__ import annotations

import numpy as np

from cardio_spect_polar.synthetic.phantom.imaging import Camera

_FIELD_MM, _MOST_ROWS = 256.0, 64
_LEAST_COUNTS = 25.0
_USUAL_MM = 6.4
_FINE, _SIXTEEN, _MANY_LOST, _JUMP, _REFORMATTED = 0.4, 0.25, 1 / 6, 0.05, 0.3
_EMPTY_MM = 13.0


def draw_site(rng: np.random.Generator) -> tuple[str, Camera]:
    """Draw a hospital and how its camera took this patient.

    Voxels of 5.6 to 6.8 mm, in two of five patients reformatted to 3 to 5.6 mm; a field of 256 mm
    or 64 rows and columns. 8 gates, 16 in every fourth patient. 60 to 200 counts a voxel of 6.4 mm
    in one of eight gates: half as many in one of sixteen, fewer in proportion where voxels are
    smaller, never below 25. The last gate loses up to 12 % of its counts, in every sixth patient
    8 to 16 % more; all gates differ by 1.5 % (standard deviation), and in one patient of twenty
    two neighbouring ones in the middle of the cycle hold 5 to 15 % more. In three of ten patients
    up to 13 mm of the slices at either end hold nothing in the systolic gates, as reformatting
    leaves them. The south's camera is less sharp.
    """
    site = str(rng.choice(["north", "south"]))
    fwhm = rng.uniform(11.0, 12.5) if site == "north" else rng.uniform(12.5, 14.5)
    counts = np.exp(rng.uniform(np.log(60.0), np.log(200.0)))
    lost = rng.uniform(0.0, 0.12)
    voxel = float(rng.uniform(3.0, 5.6) if rng.uniform() < _FINE else rng.uniform(5.6, 6.8))
    n_slots = 16 if rng.uniform() < _SIXTEEN else 8
    if rng.uniform() < _MANY_LOST:
        lost += rng.uniform(0.08, 0.16)
    size = min(2 * round(_FIELD_MM / voxel / 2), _MOST_ROWS)
    camera = Camera(
        voxel_mm=(voxel, voxel, voxel),
        n_rows=size,
        n_columns=size,
        n_slots=n_slots,
        fwhm_mm=float(fwhm),
        counts_per_voxel=max(float(counts) * voxel / _USUAL_MM * 8 / n_slots, _LEAST_COUNTS),
        drop_off=float(lost),
        slot_gain=_gains(rng, n_slots),
        empty_ends=_empty_ends(rng, n_slots, voxel),
    )
    return site, camera


def _gains(rng: np.random.Generator, n_slots: int) -> tuple[float, ...]:
    """Draw the factors of the gates' counts."""
    gain = np.clip(rng.normal(1.0, 0.015, n_slots), 0.96, 1.04)
    if rng.uniform() < _JUMP:
        first = int(rng.integers(n_slots // 4, n_slots // 2 + 1))
        gain[first : first + 2] *= rng.uniform(1.05, 1.15)
    return tuple(gain.tolist())


def _empty_ends(
    rng: np.random.Generator, n_slots: int, voxel_mm: float
) -> tuple[tuple[int, int, int], ...]:
    """Draw how many slices are empty at the base and at the apex in the gates about end-systole."""
    if rng.uniform() >= _REFORMATTED:
        return ()
    most = int(_EMPTY_MM / voxel_mm)
    first, last = rng.integers(0, most + 1, 2)
    systole = range(n_slots // 4, n_slots // 2 + 1)
    return tuple((slot, int(first), int(last)) for slot in systole)
