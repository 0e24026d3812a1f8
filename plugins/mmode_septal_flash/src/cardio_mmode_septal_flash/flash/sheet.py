"""The sheet of `cardio measure`: where the septum was found, and how it moves in one cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardio_core.api import write_measurements
from cardio_mmode_septal_flash.drawing.study import (
    Course,
    Followed,
    course_of_beat,
    excursion_curve,
    frame_with_line,
    mmode_with_trace,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cardio_core.api import FeatureSet, SampleSet
    from cardio_mmode_septal_flash.flash.preprocess import LineOfStudy
    from cardio_mmode_septal_flash.motion import BeatsMotion


def sheet(figure: Figure, samples: SampleSet, features: FeatureSet) -> None:
    """Draw the line on the frame, its M-mode, the septal excursion, and what was measured."""
    figure.set_size_inches(13.0, 9.2)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.0, 1.25), height_ratios=(1.35, 1.0))
    first: LineOfStudy = samples.values[0]
    line = first.study.lines[first.place]
    study = first.study.study
    # Without a pixel size lengths are shown as shares of the septum.
    per_mm = 1.0 if study.scaled else 100.0 / study.septum_mm

    motion = first.study.motion
    several = motion is not None and len(motion.beats) > 1

    def array(block: str) -> NDArray[Any]:
        return np.asarray(features[block].in_units(np.array([0]))[0])

    timing = dict(zip(features["timing"].names, array("timing"), strict=True))
    peak = dict(zip(features["course"].names, array("course"), strict=True))
    followed = Followed(
        mmode=array("mmode").astype(np.uint8),
        top=line.from_mm * per_mm,
        bottom=line.to_mm * per_mm,
        unit="mm" if study.scaled else "% of the septum's length",
        rr_ms=study.cycle.rr_ms,
        trace=None if motion is None else motion.beats[motion.usual].trace_mm * per_mm,
        onset_ms=float(peak["early_onset_ms"]),
        peak_ms=float(peak["early_peak_ms"]),
        duration_ms=float(peak["early_duration_ms"]),
        mvc_ms=float(timing["mvc_ms"]),
        avo_ms=float(timing["avo_ms"]),
        from_r=not timing["cycle_from_motion"],
        why_not=study.why_not,
        courses=_courses(motion, per_mm) if motion is not None and several else (),
        peak_label=_peak_label(motion) if motion and several and study.scaled else "",
        median=_scaled(motion.course(), per_mm) if motion is not None and several else None,
    )
    frame = array("frame").astype(np.uint8)
    frame_with_line(figure.add_subplot(grid[0, 0]), frame, array("septum"), array("line"))
    above = figure.add_subplot(grid[0, 1])
    mmode_with_trace(above, followed)
    excursion_curve(figure.add_subplot(grid[1, 1], sharex=above), followed)
    whole = motion is not None and followed.from_r and study.scaled
    write_measurements(figure.add_subplot(grid[1, 0]), features, _listed(features, whole=whole))


def _courses(motion: BeatsMotion, per_mm: float) -> tuple[Course, ...]:
    beats = zip(motion.beats, motion.rr_ms, strict=True)
    return tuple(course_of_beat(beat.trace_mm * per_mm, rr_ms) for beat, rr_ms in beats)


def _scaled(course: Course, per_mm: float) -> Course:
    return course[0], course[1] * per_mm


def _peak_label(motion: BeatsMotion) -> str:
    """Return the median of the early peak and how it differs between beats."""
    low, high = motion.limits("excursion_mm")
    return (
        f"early inward peak {motion.median('excursion_mm'):.1f} mm "
        f"({low:.1f} to {high:.1f} mm, SD {motion.sd('excursion_mm'):.1f})"
    )


def _listed(features: FeatureSet, *, whole: bool) -> list[str]:
    """Return what the sheet lists: all of the septum's course, or else what is known.

    The spread between beats stands beside the curve.
    """
    named: list[str] = []
    for name in ("timing", "course"):
        block = features[name]
        known = np.isfinite(block.in_units(np.array([0]))[0])
        all_of = whole and name == "course"
        about = zip(block.names, block.titles or (), known, strict=True)
        named += [item for item, title, there in about if title and (all_of or there)]
    return named
