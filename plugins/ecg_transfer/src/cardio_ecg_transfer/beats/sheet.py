"""The sheet of `cardio measure`: strips with the beats found, every RR interval, every beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardio_core.api import canvas, write_measurements
from cardio_ecg_transfer.drawing.paper import STRIP_S, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cardio_core.api import FeatureSet, SampleSet
    from cardio_ecg_transfer.signal.ecg import Ecg

MOST_LEADS = 2
AROUND_S = 0.5
_MOST_DRAWN = 300
_NONE = np.empty(0)


def sheet(figure: Figure, recording: Ecg, samples: SampleSet, features: FeatureSet) -> None:
    """Draw the beginning with its R peaks, the course of the RR intervals, and the beats."""
    figure.set_size_inches(13.0, 8.4)
    times_s = samples.table["time_s"].to_numpy(float)
    leads = recording.leads[:MOST_LEADS]
    heights = (*(1.0 for _ in leads), 1.3)
    grid = figure.add_gridspec(len(leads) + 1, 3, height_ratios=heights, width_ratios=(2, 1, 1.1))
    for row, lead in enumerate(leads):
        axes = figure.add_subplot(grid[row, :])
        strip(axes, recording.signal_mv[row], recording.rate_hz, times_s, _NONE, lead)
    axes.set_xlabel(
        f"The first {min(STRIP_S, recording.duration_s):.0f} s as recorded; R peaks above. "
        "Paper: small squares 40 ms and 0.1 mV.",
        fontsize=canvas.SMALL_PT,
        color=canvas.INK,
    )
    course = figure.add_subplot(grid[-1, 0])
    course.plot(times_s[1:], 1000 * np.diff(times_s), linestyle="none", marker=".", markersize=3,
                color=canvas.BLUE)  # fmt: skip
    canvas.bare_axes(course, x="s", y="ms", title="RR interval before each beat")
    shapes = figure.add_subplot(grid[-1, 1])
    _beats(shapes, recording, times_s)
    canvas.bare_axes(shapes, x="ms after R", y="mV", title=f"Beats over each other, {leads[0]}")
    write_measurements(figure.add_subplot(grid[-1, 2]), features)


def _beats(axes: Axes, recording: Ecg, times_s: NDArray[np.float64]) -> None:
    """Draw beats over each other, evenly over the recording where there are many."""
    reach = round(AROUND_S * recording.rate_hz)
    signal_mv = recording.signal_mv[0]
    chosen = times_s[:: max(1, len(times_s) // _MOST_DRAWN)]
    time_ms = 1000 * np.arange(-reach, reach) / recording.rate_hz
    for at in np.rint(chosen * recording.rate_hz).astype(int):
        if at < reach or at + reach > signal_mv.size:
            continue
        one = signal_mv[at - reach : at + reach]
        axes.plot(time_ms, one - np.median(one), color=canvas.BLUE, linewidth=0.5, alpha=0.15)
