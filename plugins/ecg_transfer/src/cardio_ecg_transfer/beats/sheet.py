"""The sheet of `cardio measure`: strips with the beats found, every RR interval, every beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardio_core.api import canvas, write_measurements
from cardio_ecg_transfer.drawing.paper import (
    ROWS_WIDTH_MM,
    STRIP_S,
    Piece,
    draw_rows,
    mark_times,
    page,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cardio_core.api import FeatureSet, SampleSet
    from cardio_ecg_transfer.signal.ecg import Ecg

MOST_LEADS = 2
AROUND_S = 0.5
WIDTH_MM = 277.0

_LEFT, _ROW_MM, _BELOW_MM, _HEAD_MM = 9.0, 35, 82.0, 8.0
_MOST_DRAWN = 300


def sheet(figure: Figure, recording: Ecg, samples: SampleSet, features: FeatureSet) -> None:
    """Draw the beginning with its R peaks, the course of the RR intervals, and the beats."""
    times_s = samples.table["time_s"].to_numpy(float)
    leads = recording.leads[:MOST_LEADS]
    height_mm = _BELOW_MM + _ROW_MM * len(leads) + _HEAD_MM
    paper = page(figure, WIDTH_MM, height_mm)
    top = height_mm - _HEAD_MM
    rows = [(Piece(lead),) for lead in leads]
    gain = draw_rows(paper, _LEFT, top, recording, rows, _ROW_MM)
    mark_times(paper, _LEFT, top - 1.5, times_s, canvas.BLUE, "v")
    text = f"The first {min(STRIP_S, recording.duration_s):.0f} s; R peaks above."
    write(paper, _LEFT, top + 2.0, text)
    drawn = f"25 mm/s   {gain:g} mm/mV   as recorded, no filter added   {recording.rate_hz:g} Hz"
    write(paper, _LEFT + ROWS_WIDTH_MM, top + 2.0, drawn, side="right")

    def place(left: float, width: float) -> Axes:
        return figure.add_axes(
            (left / WIDTH_MM, 13.0 / height_mm, width / WIDTH_MM, (_BELOW_MM - 25.0) / height_mm)
        )

    course = place(22.0, 105.0)
    course.plot(times_s[1:], 1000 * np.diff(times_s), linestyle="none", marker=".", markersize=3,
                color=canvas.BLUE)  # fmt: skip
    canvas.bare_axes(course, x="s", y="ms", title="RR interval before each beat")
    shapes = place(145.0, 50.0)
    _draw_beats(shapes, recording, times_s)
    canvas.bare_axes(shapes, x="ms after R", y="mV", title=f"Beats over each other, {leads[0]}")
    write_measurements(place(203.0, 70.0), features)


def _draw_beats(axes: Axes, recording: Ecg, times_s: NDArray[np.float64]) -> None:
    """Draw beats over each other, evenly over the recording where there are many."""
    reach = round(AROUND_S * recording.rate_hz)
    signal_mv = recording.signal_mv[0]
    chosen = times_s[:: max(1, len(times_s) // _MOST_DRAWN)]
    time_ms = 1000 * np.arange(-reach, reach) / recording.rate_hz
    for at in np.rint(chosen * recording.rate_hz).astype(int):
        if at < reach or at + reach > signal_mv.size:
            continue
        shown = signal_mv[at - reach : at + reach]
        axes.plot(time_ms, shown - np.median(shown), color=canvas.BLUE, linewidth=0.5, alpha=0.15)
