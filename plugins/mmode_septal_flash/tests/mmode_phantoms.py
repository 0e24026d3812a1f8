"""Phantom loops that several tests look at, made once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from cardio_mmode_septal_flash.mmode.reslice_torch import reslice_torch
from cardio_mmode_septal_flash.motion import SeptalMotion, septal_motion
from cardio_mmode_septal_flash.synthetic.patients import draw_patient
from cardio_mmode_septal_flash.synthetic.septal_flash import (
    SECTOR,
    LoopSpec,
    SeptumTruth,
    septal_flash_loop,
    septum_truth,
)
from cardio_ultrasound import CycleVolume, centre_index, scan_line, sector_hull, shifted_lines

SPACING = (SECTOR.spacing_mm, SECTOR.spacing_mm)


@dataclass(frozen=True, eq=False)
class Phantom:
    spec: LoopSpec
    frames: np.ndarray
    truth: SeptumTruth

    @property
    def sector(self) -> np.ndarray:
        return sector_hull(self.frames)

    @property
    def volume(self) -> CycleVolume:
        since_r = 1000.0 * (self.spec.time_s - self.spec.r_s[0])
        return CycleVolume(self.frames, since_r, self.spec.beat.rr_ms, self.spacing)

    @property
    def spacing(self) -> tuple[float, float]:
        mm = self.spec.sector.spacing_mm
        return mm, mm


@lru_cache(maxsize=32)
def phantom(
    number: int, difficulty: str = "clear", rate_hz: float | None = None, murky: bool | None = None
) -> Phantom:
    """Return the baseline of a patient; the same arguments return the same loop."""
    who, look = (
        np.random.default_rng(stream) for stream in np.random.SeedSequence([7, number]).spawn(2)
    )
    spec = next(draw_patient(f"p{number}", who, difficulty=difficulty, confounder=False)).spec
    if rate_hz is not None:
        spec = replace(spec, rate_hz=rate_hz)
    if murky is not None:
        spec = replace(spec, murky=murky)
    return Phantom(spec, septal_flash_loop(spec, look), septum_truth(spec))


def measured_motion(one: Phantom, septum_px: np.ndarray, max_shift: int = 5) -> SeptalMotion:
    """Reslice the M-modes of a septum and measure its motion in them."""
    line = scan_line(septum_px, one.spacing, one.sector)
    lines = shifted_lines(line, septum_px, centre_index(10, 20), max_shift)
    (mmodes,) = reslice_torch([one.volume], [list(lines.values())])
    return septal_motion(mmodes, line.mm_per_row(500), one.spec.beat.rr_ms)


def displacement_rmse_mm(one: Phantom, motion: SeptalMotion) -> float:
    """Return the error of the trace in the frames of the cycle, both 0 at the first R peak."""
    since_r, rr_ms = one.volume.times_ms, one.spec.beat.rr_ms
    inside = (since_r >= 0) & (since_r < rr_ms)
    trace = np.r_[motion.trace_mm, motion.trace_mm[0]]
    measured = np.interp(since_r[inside], np.linspace(0, rr_ms, trace.size), trace)
    truth = one.truth.displacement_mm - np.interp(0.0, since_r, one.truth.displacement_mm)
    return float(np.sqrt(np.mean((measured - truth[inside]) ** 2)))
