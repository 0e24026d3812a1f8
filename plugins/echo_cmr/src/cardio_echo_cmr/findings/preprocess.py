"""Preprocess: decode every loop once, keep its sector and nothing else, and make it small."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, SampleSet
from cardio_echo_cmr.clips import SectorCutter, square_around
from cardio_echo_cmr.findings.config import PreprocessBlock
from cardio_echo_cmr.mechanics import Mechanics, mechanics_of
from cardio_ultrasound import Loop, nameless, sector_mask, view_of, with_drawn_r_peaks

_TRIANGLE = (
    "leave the clip out, or keep a fixed triangle, print included, with preprocess.triangle=true"
)
LOW_RATE_HZ = 25.0
"""Loops with fewer frames a second are flagged: resampled to 30, frames stand twice."""


@dataclass(frozen=True)
class LoopMeasures:
    """What is measured of a whole loop; NaN where nothing tells it.

    Attributes
    ----------
    n_frames : float
        Recorded, whether they are kept or not.
    duration_s : float
        From its first frame to the end of its last one.
    heart_rate_bpm : float
        Of the median RR interval, else as the header says.
    n_beats : float
        How many beats of that rate the loop is long.
    depth_mm : float
        Height of the sector.
    pixel_mm : float
        Distance of neighbouring rows of the recorded picture.
    """

    n_frames: float = float("nan")
    duration_s: float = float("nan")
    heart_rate_bpm: float = float("nan")
    n_beats: float = float("nan")
    depth_mm: float = float("nan")
    pixel_mm: float = float("nan")


@dataclass(frozen=True, eq=False)
class SectorVideo:
    """One loop as the networks see it.

    Attributes
    ----------
    frames : ndarray of uint8, shape (max_frames, side, side)
        The first frames at their own rate, 0 outside the sector and after the loop's end.
    times_ms : ndarray of float32, shape (max_frames,)
        From the first frame; NaN after the end.
    n_frames : int
        How many of them are the loop's.
    frame_rate_hz : float
        Of the loop.
    mm_per_px : float
        Size of a small pixel; NaN where the loop does not say it.
    flags : tuple of str
        What a reader of the results should know.
    measures : LoopMeasures
        Of all of the loop, frames that are not kept included.
    view : str
        Which view was seen, by name, for a reader: no model hears of it. Empty where nothing
        looked.
    seen : str
        The same in words, with its probability.
    r_times_ms : ndarray or None
        R peaks of new recordings, those of a drawn ECG included.
    mechanics : Mechanics or None
        Of new recordings: what is measured of the heart, for a reader alone.
    """

    frames: NDArray[np.uint8]
    times_ms: NDArray[np.float32]
    n_frames: int
    frame_rate_hz: float
    mm_per_px: float
    flags: tuple[str, ...]
    measures: LoopMeasures = LoopMeasures()
    view: str = ""
    seen: str = ""
    r_times_ms: NDArray[np.float64] | None = None
    mechanics: Mechanics | None = None


def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Make one small video of every loop of a patient.

    Parameters
    ----------
    samples : SampleSet
        One row a recording; values are opened to `Loop`.
    config : PreprocessBlock
        Size of the videos, and what to do where no sector is found.
    ctx : Context
        Quarantines a loop that cannot be used, with its reason, which names no file.

    Returns
    -------
    SampleSet
        Values are `SectorVideo`; the ids are the recordings', and the table is theirs with
        `flags` and, of new recordings, the `view` that was seen.

    Raises
    ------
    DataError
        None of the patient's loops can be used.
    """
    values: list[SectorVideo] = []
    kept: list[str] = []
    given = samples.table.set_index("recording_id").get("view_given", pd.Series(dtype=object))
    for recording_id, loop in samples.opened(ctx.quarantine):
        try:
            video = sector_video(loop, config)
            if ctx.mode == "predict":
                video = looked_at(video, loop, config, str(given.get(recording_id, "")))
        except DataError as error:
            reason = nameless(str(error), Path(loop.name))
            ctx.quarantine(recording_id, DataError(reason, code=error.code))
            continue
        values.append(video)
        kept.append(recording_id)
    if not values:
        raise DataError("none of the patient's loops can be used; see why of each")
    table = samples.table.set_index("recording_id", drop=False).loc[kept]
    table.index = pd.Index(kept, name="sample_id")
    held: NDArray[Any] = np.empty(len(values), dtype=object)
    held[:] = values
    flags = ["; ".join(video.flags) for video in values]
    return SampleSet(table.assign(flags=flags, view=[video.view for video in values]), held)


def sector_video(loop: Loop, config: PreprocessBlock) -> SectorVideo:
    """Cut a loop to its sector, frame by frame, in the memory of a few frames.

    A look at 32 frames or a few more finds the sector; then every frame that is kept is decoded
    once, and no other.

    Raises
    ------
    DataError
        Colour Doppler, fewer frames than `min_frames`, no sector or an unclear one, or a frame
        that cannot be decoded.
    """
    _require_usable(loop, config.min_frames)
    mask, flags = sector_mask(loop, triangle=config.triangle, otherwise=_TRIANGLE)
    square = square_around(mask, loop.mm_per_pixel)
    cut = SectorCutter(mask, square, config.side)
    n_frames = min(loop.n_frames, config.max_frames)
    frames = np.zeros((config.max_frames, config.side, config.side), dtype=np.uint8)
    for place, frame in zip(frames[:n_frames], loop.frames(0, n_frames), strict=True):
        place[...] = cut(frame)
    times_ms = np.full(config.max_frames, np.nan, dtype=np.float32)
    times_ms[:n_frames] = loop.frame_times_ms[:n_frames]
    return SectorVideo(
        frames=frames,
        times_ms=times_ms,
        n_frames=n_frames,
        frame_rate_hz=loop.frame_rate_hz,
        mm_per_px=square.mm_per_px(config.side),
        flags=tuple(dict.fromkeys((*loop.flags, *flags, *_own_flags(loop, n_frames)))),
        measures=measures_of(loop, mask),
    )


def looked_at(
    video: SectorVideo, loop: Loop, config: PreprocessBlock, stated: str = ""
) -> SectorVideo:
    """Return a new loop's video with its view and the heart's motion, for a reader.

    R peaks of an ECG that is drawn in the picture count, and so does the view as a person `stated`
    it.
    """
    mask, _ = sector_mask(loop, triangle=config.triangle, otherwise=_TRIANGLE)
    loop = with_drawn_r_peaks(loop)
    seen = view_of(loop, None if config.triangle else mask)
    found = mechanics_of(loop, mask, seen, stated)
    measures = measures_of(loop, mask)
    if not np.isfinite(measures.heart_rate_bpm):
        n_beats = measures.duration_s * found.rate_bpm / 60.0
        measures = replace(measures, heart_rate_bpm=found.rate_bpm, n_beats=n_beats)
    if found.slow:
        measures = replace(measures, heart_rate_bpm=float("nan"))
    return replace(
        video,
        flags=tuple(dict.fromkeys((*loop.flags, *video.flags, *found.flags))),
        measures=measures,
        view=seen.name,
        seen=seen.sentence,
        r_times_ms=loop.r_times_ms,
        mechanics=found,
    )


def measures_of(loop: Loop, mask: NDArray[np.bool_]) -> LoopMeasures:
    """Measure a loop and its sector.

    Parameters
    ----------
    loop : Loop
        With its frame times and, where known, its R peaks and the size of a pixel.
    mask : ndarray of bool, shape (n_rows, n_columns)
        Its sector.
    """
    times_ms = loop.frame_times_ms
    duration_s = float(times_ms[-1] + np.median(np.diff(times_ms))) / 1000.0
    r_times_ms = loop.r_times_ms
    rate = loop.heart_rate_bpm
    if r_times_ms is not None and len(r_times_ms) > 1:
        rate = 60_000.0 / float(np.median(np.diff(r_times_ms)))
    bpm = float("nan") if rate is None else float(rate)
    row_mm = float("nan") if loop.mm_per_pixel is None else float(loop.mm_per_pixel[0])
    rows = np.flatnonzero(mask.any(axis=1))
    depth_mm = float(rows[-1] - rows[0] + 1) * row_mm
    return LoopMeasures(loop.n_frames, duration_s, bpm, duration_s * bpm / 60.0, depth_mm, row_mm)


def _require_usable(loop: Loop, min_frames: int) -> None:
    if loop.colour_doppler:
        raise DataError(
            f"{loop.name}: expected a grey B-mode loop, found colour Doppler; "
            "choose the clip without colour",
            code="unsupported",
        )
    if loop.n_frames < min_frames:
        raise DataError(
            f"{loop.name}: expected at least {min_frames} frames, found {loop.n_frames}; "
            "export the whole loop"
        )


def _own_flags(loop: Loop, n_frames: int) -> list[str]:
    flags = []
    if n_frames < loop.n_frames:
        flags.append(f"networks see the first {n_frames} of {loop.n_frames} frames")
    if loop.frame_rate_hz < LOW_RATE_HZ:
        flags.append(f"{loop.frame_rate_hz:.3g} frames a second, fewer than {LOW_RATE_HZ:g}")
    if loop.mm_per_pixel is None:
        flags.append("size of a pixel not known, taken for square")
    return flags
