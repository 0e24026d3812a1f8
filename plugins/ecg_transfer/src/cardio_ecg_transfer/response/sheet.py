"""The sheet of `cardio measure`: twelve median beats with their limits, and a rhythm strip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardio_core.api import canvas, write_measurements
from cardio_ecg_transfer.drawing.paper import STRIP_S, median_beats, strip
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS as TWELVE
from cardio_ecg_transfer.signal.measurements.measure import TITLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cardio_core.api import FeatureSet, SampleSet
    from cardio_ecg_transfer.response.preprocess import Beat
    from cardio_ecg_transfer.signal.delineation.qrs_bounds import QrsBounds
    from cardio_ecg_transfer.signal.ecg import Ecg
    from cardio_ecg_transfer.signal.measurements.measure import Measurements

SHOWN_MS = (-300.0, 500.0)
STRIP_LEADS = ("II", "V1", "I")


def sheet(figure: Figure, recording: Ecg, samples: SampleSet, features: FeatureSet) -> None:
    """Draw what a cardiologist checks: the limits of P, QRS and T, and the R peaks."""
    beat: Beat = samples.values[0]
    heart = beat.heart
    figure.set_size_inches(13.0, 8.4)
    grid = figure.add_gridspec(4, 5, width_ratios=(1, 1, 1, 1, 1.25), height_ratios=(1, 1, 1, 0.8))
    panels = np.array(
        [[figure.add_subplot(grid[row, column]) for column in range(4)] for row in range(3)]
    )
    shown = (heart.beat.time_ms >= SHOWN_MS[0]) & (heart.beat.time_ms <= SHOWN_MS[1])
    level = heart.beat.index(heart.qrs.on_ms - 4.0)
    rows_mv = heart.beat.rows(TWELVE)
    rows_mv = rows_mv - rows_mv[:, level, None]
    median_beats(
        panels,
        dict(zip(TWELVE, rows_mv[:, shown], strict=True)),
        heart.beat.time_ms[shown],
        limits_of(heart),
    )
    withheld = {TITLES[name].rstrip("?") for name in heart.withheld}
    write_measurements(figure.add_subplot(grid[:, 4]), features, withheld=withheld)
    below = figure.add_subplot(grid[3, :4])
    lead = next((name for name in STRIP_LEADS if name in recording.leads), recording.leads[0])
    other = np.zeros(beat.r_s.size, bool)  # a beat that an end cuts is of no shape
    other[heart.beat.others] = True
    strip(
        below,
        recording.signal_mv[recording.leads.index(lead)],
        recording.rate_hz,
        beat.r_s[~other],
        beat.r_s[other],
        lead,
        spikes_s=heart.pacing.times_s,
    )
    spikes = ", green: pacemaker spikes" if heart.pacing.is_paced else ""
    below.set_xlabel(
        f"The first {min(STRIP_S, beat.duration_s):.0f} s of lead {lead} as recorded; "
        f"blue: R peaks, red: beats of another shape{spikes}.  "
        "Paper: small squares 40 ms and 0.1 mV."
        f"\n{_deciding_leads(heart.qrs)}"
        "How far an interval moves with noise stands in measurements.csv.",
        fontsize=canvas.SMALL_PT,
        color=canvas.INK,
    )


def _deciding_leads(qrs: QrsBounds) -> str:
    """Say which lead's own limits lie nearest to the common ones."""
    if not (qrs.on_lead and qrs.off_lead):
        return ""
    return f"QRS onset is nearest to that of {qrs.on_lead}, its end to that of {qrs.off_lead}.  "


def limits_of(heart: Measurements) -> dict[str, tuple[float, float]]:
    """Return begin and end of P, QRS and T in ms after R; NaN where there is none.

    Of a T wave only the end is known.
    """
    p_wave, t_wave = heart.p_wave, heart.t_wave
    return {
        "P": (np.nan, np.nan) if p_wave is None else (p_wave.on_ms, p_wave.off_ms),
        "QRS": (heart.qrs.on_ms, heart.qrs.off_ms),
        "T": (np.nan, np.nan if t_wave is None else t_wave.off_ms),
    }
