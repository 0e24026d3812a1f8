"""Featurize: pictures for the network, the end-diastolic frame, times, and the septum's motion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_core.api import FeatureBlock, FeatureSet, SampleSet
from cardio_mmode_septal_flash.flash.config import FeaturizeBlock
from cardio_mmode_septal_flash.flash.preprocess import LineOfStudy, StudyMModes
from cardio_mmode_septal_flash.flash.study import Study
from cardio_mmode_septal_flash.mmode.picture import crop, resize
from cardio_mmode_septal_flash.motion import (
    COURSE,
    MEASURES,
    N_TRACE,
    SPREAD,
    BeatsMotion,
    course_of,
    spread_of,
)

FRAME_PIXELS = 256
"""Rows and columns of a kept frame, whatever the loop's."""

TIMING = (
    ("rr_ms", "ms"),
    ("mvc_ms", "ms"),
    ("avo_ms", "ms"),
    ("frame_rate_hz", "Hz"),
    ("mm_per_row", "mm"),
    ("cycle_from_motion", "1"),
    ("septum_confidence", "1"),
    ("frame_mm_per_pixel", "mm"),
)
"""Names and units of the block `timing`."""

_TIMING_TITLES = (
    "RR interval",
    "Mitral valve closure after R",
    "Aortic valve opening after R",
    "Frame rate",
    "",
    "Cycle found in the motion",
    "Confidence in the septum line that was found, 0 to 1",
    "",
)


def featurize(samples: SampleSet, config: FeaturizeBlock) -> FeatureSet:
    """Turn the lines of one patient's loops into blocks of features.

    Returns
    -------
    FeatureSet
        One row a line; the table carries `variant` (0 is the unshifted one), `shift`, `timepoint`
        and `flags`. Blocks:

        `mmode` uint8 (n, n_pixels, n_pixels): rows along the line, 30 mm into the right ventricle
        on top; columns are one cycle from the R peak. `picture` and `picture_crop` uint8
        (n, size, size): the same for the network, whole and cropped to the first half of rows and
        columns.
        `frame` uint8 (n, 256, 256): the end-diastolic frame, cut to its sector and black outside of
        it, in square pixels.
        `septum` float32 (n, 62, 2) and `line` float32 (n, 2, 2): (row, column) in that frame.
        `timing` float32: `TIMING`; valves NaN where unknown, or where the cycle comes from motion;
        confidence NaN where a person drew the septum.
        `motion` float32: `motion.excursion.MEASURES`, medians over all measured beats of the loop;
        `trace` float32 (n, 100): displacement in mm over the cycle that the M-mode shows. Both are
        the study's, measured on all its lines, and NaN where the view or the line is not trusted,
        or the size of a pixel is not known: then nothing is in mm.
        `course` float32: the same for a reader of `cardio measure`, and how many beats were
        measured; NaN where there is no early peak or, without R peaks, nothing says when it was.
        `spread` float32: lowest, highest and SD between beats; NaN of one beat. No model uses
        these two.
    """
    values: list[LineOfStudy] = list(samples.values)
    framed = {id(item.study): _framed(item.study.study) for item in values}
    mmodes = np.stack([item.study.mmodes[item.place] for item in values])
    frames, septa, lines = [], [], []
    for item in values:
        frame, place_px, _ = framed[id(item.study)]
        study, line = item.study.study, item.study.lines[item.place]
        frames.append(frame)
        septa.append(place_px(study.septum.points_px))
        lines.append(place_px(line.places_px(2, study.volume.mm_per_pixel)))
    motions = [item.study.motion if item.study.study.scaled else None for item in values]
    columns = [name for name in samples.table.columns if name not in ("mvc_ms", "avo_ms")]
    blocks = {
        "mmode": _picture(mmodes),
        "picture": _picture(resize(mmodes, config.size)),
        "picture_crop": _picture(resize(crop(mmodes), config.size), until=0.5),
        "frame": FeatureBlock(
            np.stack(frames), ("row", "column"), _numbered("row", FRAME_PIXELS), ("1",)
        ),
        "septum": FeatureBlock(
            _float(septa), ("point", "axis"), _numbered("point", len(septa[0])), ("px",)
        ),
        "line": FeatureBlock(_float(lines), ("end", "axis"), ("rv", "lv"), ("px",)),
        "timing": replace(
            _tabular(_timing(samples, values, framed), TIMING, _TIMING_TITLES),
            levels={"cycle_from_motion": ("no", "yes")},
        ),
        "motion": _tabular(_float([_measures(motion) for motion in motions]), MEASURES, ()),
        "course": _listed([_course(item.study) for item in values], COURSE),
        "spread": _listed([spread_of(motion) for motion in motions], SPREAD),
        "trace": FeatureBlock(
            _float([_trace(motion) for motion in motions]),
            ("time",),
            tuple(str(n) for n in range(N_TRACE)),
            ("mm",),
            extents={"time": (0.0, 1.0, "RR")},
        ),
    }
    return FeatureSet(samples.table[columns], blocks)


def _framed(study: Study) -> tuple[NDArray[np.uint8], Any, float]:
    """Return the end-diastolic frame of the sector, how pixels map into it, and its pixels' mm."""
    rows, columns = (np.flatnonzero(study.sector.any(axis=axis)) for axis in (1, 0))
    first = np.array([rows[0], columns[0]], dtype=np.float64)
    spacing = np.asarray(study.volume.mm_per_pixel)
    size_mm = (np.array([rows[-1], columns[-1]]) - first + 1) * spacing
    mm = float(size_mm.max()) / FRAME_PIXELS
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    # What is printed beside the sector may be a name.
    cut = np.where(study.sector[window], study.volume.frames[study.ed_frame][window], 0)
    height, width = (max(round(side / mm), 1) for side in size_mm)
    how = cv2.INTER_AREA if min(spacing) < mm else cv2.INTER_LINEAR
    frame = np.zeros((FRAME_PIXELS, FRAME_PIXELS), dtype=np.uint8)
    frame[:height, :width] = cv2.resize(
        np.ascontiguousarray(cut), (width, height), interpolation=how
    )

    def place_px(points_px: NDArray[np.floating]) -> NDArray[np.float64]:
        """Map (row, column) of the loop's pixels; centres of pixels lie at half of them."""
        return np.asarray((points_px - first + 0.5) * spacing / mm - 0.5)

    return frame, place_px, mm


def _timing(
    samples: SampleSet, values: list[LineOfStudy], framed: dict[int, Any]
) -> NDArray[np.float32]:
    known = samples.table.reindex(columns=["mvc_ms", "avo_ms"]).to_numpy(np.float32)
    rows = []
    for item, valves in zip(values, known, strict=True):
        made: StudyMModes = item.study
        cycle, septum = made.study.cycle, made.study.septum
        # Without R peaks nothing says when the valves move.
        mvc_ms, avo_ms = (np.nan, np.nan) if cycle.from_motion else valves
        sure = np.nan if septum.confidence is None else septum.confidence
        mm = 1.0 if made.study.scaled else np.nan
        # Of a video in which nothing could be measured, what was taken for a beat is none.
        beats = made.motion is not None or not cycle.slow
        rows.append(
            (
                cycle.rr_ms if beats else np.nan,
                mvc_ms,
                avo_ms,
                made.study.frame_rate_hz,
                made.lines[item.place].mm_per_row(made.mmodes.shape[1]) * mm,
                float(cycle.from_motion),
                sure,
                framed[id(made)][2] * mm,
            )
        )
    return _float(rows)


def _picture(pictures: NDArray[np.uint8], until: float = 1.0) -> FeatureBlock:
    rows = _numbered("row", pictures.shape[1])
    return FeatureBlock(
        pictures, ("depth", "time"), rows, ("1",), extents={"time": (0.0, until, "RR")}
    )


def _numbered(what: str, n: int) -> tuple[str, ...]:
    return tuple(f"{what}_{number}" for number in range(1, n + 1))


def _measures(motion: BeatsMotion | None) -> NDArray[np.float32]:
    """Return the medians over the beats; NaN where nothing is measured."""
    if motion is None:
        return np.full(len(MEASURES), np.nan, dtype=np.float32)
    return motion.measures()


def _trace(motion: BeatsMotion | None) -> NDArray[np.float32]:
    if motion is None:
        return np.full(N_TRACE, np.nan, dtype=np.float32)
    return motion.beats[motion.usual].trace_mm


def _course(made: StudyMModes) -> list[float]:
    study = made.study
    return course_of(
        made.motion,
        study.cycle.rr_ms,
        study.beats.n_left_out,
        from_r=not study.cycle.from_motion,
        timed=not study.cycle.slow,
        septum_mm=study.septum_mm,
        scaled=study.scaled,
    )


def _tabular(
    values: NDArray[np.float32], named: tuple[tuple[str, str], ...], titles: tuple[str, ...]
) -> FeatureBlock:
    names, units = zip(*named, strict=True)
    return FeatureBlock(values, ("measure",), names, units, titles=titles)


def _listed(rows: list[list[float]], named: tuple[tuple[str, str, str], ...]) -> FeatureBlock:
    names, units, titles = zip(*named, strict=True)
    return FeatureBlock(_float(rows), ("measure",), names, units, titles=titles)


def _float(rows: Any) -> NDArray[np.float32]:
    return np.asarray(rows, dtype=np.float32)
