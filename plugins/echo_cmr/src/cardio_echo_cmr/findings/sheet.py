"""The sheet of `cardio measure`: frames of the loop in its sector, how it moves, its numbers."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from cardio_core.api import DataError, canvas, write_measurements
from cardio_echo_cmr.clips import moments_of
from cardio_echo_cmr.drawing.sheet import ShownFrame, frame_panel, motion_panel, plane_panel
from cardio_echo_cmr.views.names import VIEW_TITLES
from cardio_ultrasound import sector_mask

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cardio_core.api import FeatureSet, SampleSet
    from cardio_echo_cmr.findings.preprocess import SectorVideo
    from cardio_ultrasound import Loop

N_SHOWN = 4
_WRAPPED_AT = 48


def sheet(figure: Figure, recording: Loop, samples: SampleSet, features: FeatureSet) -> None:
    """Draw what a person checks: is the sector found, is it a heart that beats, which view is it.

    Everything outside the sector is black, because names may be printed there.
    """
    figure.set_size_inches(13.0, 7.4)
    video: SectorVideo = samples.values[0]
    try:
        mask, _ = sector_mask(recording)
    except DataError:  # preprocess kept the triangle
        mask, _ = sector_mask(recording, triangle=True)
    r_times_ms = recording.r_times_ms if video.r_times_ms is None else video.r_times_ms
    shown = moments_of(recording.frame_times_ms, r_times_ms, video.measures.heart_rate_bpm)
    septum_px = None if video.mechanics is None else video.mechanics.septum_px
    grid = figure.add_gridspec(2, N_SHOWN, height_ratios=(1.5, 1.0))
    for place, (number, title) in enumerate(shown[:N_SHOWN]):
        (frame,) = recording.frames(number, number + 1)
        at_ms = float(recording.frame_times_ms[number])
        frame_panel(
            figure.add_subplot(grid[0, place]),
            ShownFrame(np.where(mask, frame, 0), mask, f"{title}, {at_ms:.0f} ms", septum_px),
            recording.mm_per_pixel,
        )
    motion_panel(
        figure.add_subplot(grid[1, :2]),
        video.frames[: video.n_frames],
        video.times_ms[: video.n_frames],
        r_times_ms,
        [float(recording.frame_times_ms[number]) for number, _ in shown],
    )
    if video.mechanics is not None:
        plane_panel(figure.add_subplot(grid[1, 2]), video.mechanics)
    table = figure.add_subplot(grid[1, 3])
    write_measurements(table, features)
    view = str(features.table["view_given"].iloc[0] or "") if "view_given" in features.table else ""
    stated = f"Stated view: {VIEW_TITLES.get(view, view)}" if view else ""
    words = [stated, video.seen[:1].upper() + video.seen[1:]]
    title = "\n".join(fill(line, _WRAPPED_AT) for line in words if line)
    table.set_title(title, fontsize=canvas.TEXT_PT, color=canvas.INK, loc="left")
