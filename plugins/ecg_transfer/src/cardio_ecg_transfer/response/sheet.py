"""The sheet of `cardio measure`: the ECG on its paper, the median beat, and what was measured.

References
----------
Normal ranges, and where ST counts as elevated or depressed:

Kusumoto FM et al. 2018 ACC/AHA/HRS guideline on bradycardia and cardiac conduction delay.
Circulation 2019; 140: e382-e482 (rate from 50 a minute, PR up to 200 ms).
Page RL et al. 2015 ACC/AHA/HRS guideline for supraventricular tachycardia. Circulation 2016; 133:
e506-e574 (rate up to 100 a minute).
Bayés de Luna A et al. Interatrial blocks: a consensus report. J Electrocardiol 2012; 45: 445-451
(P below 120 ms).
Willems JL et al. Criteria for intraventricular conduction disturbances and pre-excitation. J Am
Coll Cardiol 1985; 5: 1261-1275 (PR from 120 ms).
Surawicz B et al. AHA/ACCF/HRS recommendations for the standardization and interpretation of the
electrocardiogram, part III. Circulation 2009; 119: e235-e240 (QRS below 120 ms, axis of the QRS).
Rautaharju PM et al. The same, part IV. Circulation 2009; 119: e241-e250 (QTc).
Rangel MO, O'Neal WT, Soliman EZ. Usefulness of the electrocardiographic P-wave axis as a predictor
of atrial fibrillation. Am J Cardiol 2016; 117: 100-104 (axis of P).
Kors JA et al. T axis as an indicator of risk of cardiac death in elderly people. Lancet 1998; 352:
601-605 (axis of T).
Thygesen K et al. Fourth universal definition of myocardial infarction. Circulation 2018; 138:
e618-e651 (ST).
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np

from cardio_core.api import canvas
from cardio_ecg_transfer.drawing.paper import (
    LAYOUT,
    ROWS_WIDTH_MM,
    STRIP_S,
    Piece,
    draw_lines,
    draw_rows,
    mark_times,
    page,
    rule,
    write,
)
from cardio_ecg_transfer.signal.ecg import unfit_leads
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS as TWELVE
from cardio_ecg_transfer.signal.leads.names import derive_limb_leads
from cardio_ecg_transfer.signal.measurements.conduction import BLOCKS
from cardio_ecg_transfer.signal.measurements.measure import wave_axes_deg
from cardio_ecg_transfer.signal.measurements.names import TITLES
from cardio_ecg_transfer.signal.measurements.wave_table import st_levels_mv

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cardio_core.api import SampleSet
    from cardio_ecg_transfer.response.preprocess import Beat, Patient
    from cardio_ecg_transfer.signal.ecg import Ecg
    from cardio_ecg_transfer.signal.measurements.measure import Measurements

WIDTH_MM = 277.0
"""A4 across, with room for the title above, a flag or two below, and margins."""

STRIP_LEADS = ("II", "V1", "I")

_ROW_MM = 26
_LEFT = 9.0
_BELOW, _HEAD_MM = 68.0, 6.0  # where the paper ends, and what stands above it
_LINE_LETTERS = 140
_WAVES = {"P": canvas.GREEN, "QRS": canvas.BLUE, "T": "#9A4F80"}
_BEAT_MS = (-300.0, 500.0)
_BEAT_SPEED, _BEAT_GAINS = 0.05, (20.0, 10.0, 5.0, 2.5, 1.0)  # mm/ms, and mm/mV
_BEAT_HEIGHT = 45
_LINE = 3.55  # from one line of a table to the next
_ST_AT = (25.0, 41.0)


@dataclass(frozen=True)
class Normal:
    """A normal range; infinite where there is no limit on that side."""

    low: float
    high: float
    text: str


_NORMAL = {
    "heart_rate_bpm": Normal(50.0, 100.0, "50 to 100"),
    "p_ms": Normal(0.0, 119.99, "below 120"),
    "pr_ms": Normal(120.0, 200.0, "120 to 200"),
    "qrs_global_ms": Normal(0.0, 119.99, "below 120"),
    "p_axis_deg": Normal(0.0, 75.0, "0 to 75"),
    "axis_deg": Normal(-30.0, 90.0, "−30 to 90"),
    "t_axis_deg": Normal(15.0, 75.0, "15 to 75"),
}
_QTC = {
    "M": Normal(390.0, 449.99, "390 to 449"),
    "F": Normal(390.0, 459.99, "390 to 459"),
    None: Normal(390.0, 459.99, "390 to 459"),
}
_SHOWN = (
    ("heart_rate_bpm", "/min"),
    ("p_ms", "ms"),
    ("pr_ms", "ms"),
    ("qrs_global_ms", "ms"),
    ("qrs_ms", "ms"),
    ("qt_ms", "ms"),
    ("qtc_ms", "ms"),
    ("p_axis_deg", "°"),
    ("axis_deg", "°"),
    ("t_axis_deg", "°"),
    ("qrs_area_uvs", "µV·s"),
)
_ALSO = {"p_axis_deg": "P axis", "t_axis_deg": "T axis"}
_SOURCES = (
    "Normal ranges: rate Kusumoto 2019, Page 2016; P Bayés de Luna 2012; PR Willems 1985, Kusumoto "
    "2019; QRS and its axis Surawicz 2009; QTc Rautaharju 2009; axes of P Rangel 2016, of T Kors "
    "1998; ST Thygesen 2018."
)
_ELEVATED_MV = {None: 0.1, "M": 0.2, "F": 0.15}
_DEPRESSED_MV = -0.05


def sheet(figure: Figure, recording: Ecg, samples: SampleSet) -> None:
    """Draw the ECG as it is printed, and beside it what was measured, with its limits."""
    beat: Beat = samples.values[0]
    heart = beat.heart
    whole = derive_limb_leads(recording)
    rows = _rows(whole.leads)
    top = _BELOW + len(rows) * _ROW_MM
    axes = page(figure, WIDTH_MM, top + _HEAD_MM)
    gain = draw_rows(axes, _LEFT, top, whole, rows, _ROW_MM)
    _head(axes, top, whole, beat, gain)
    _marks(axes, beat, whole.signal_mv.shape[1] / whole.rate_hz)
    panels = [TWELVE[:6], TWELVE[6:]] if len(whole.leads) > 4 else [whole.leads]
    shown = [tuple(lead for lead in panel if lead in whole.leads) for panel in panels]
    for n, leads in enumerate(filter(None, shown)):
        _median_beat(axes, heart, leads, _LEFT + 44.0 * n)
    _intervals(axes, beat, _LEFT + 91.0)
    _st_levels(axes, heart, beat.patient, whole.leads, _LEFT + 208.0)
    write(axes, _LEFT, 1.2, _SOURCES, points=5.5, colour=canvas.GREY)


def _rows(leads: tuple[str, ...]) -> list[tuple[Piece, ...]]:
    """Return columns of leads over a rhythm strip, or a strip of each of up to four leads."""
    if len(leads) <= 4:
        return [(Piece(lead),) for lead in leads]
    columns = [column for column in zip(*LAYOUT, strict=True) if set(column) & set(leads)]
    each_s = STRIP_S / max(1, len(columns))
    rows = [
        tuple(Piece(lead, each_s * n, each_s * (n + 1)) for n, lead in enumerate(row))
        for row in zip(*columns, strict=True)
    ]
    return [*rows, (Piece(next((lead for lead in STRIP_LEADS if lead in leads), leads[0])),)]


def _head(axes: Axes, top: float, recording: Ecg, beat: Beat, gain: float) -> None:
    """Write rhythm and rate, whose ECG it is, and how it is drawn."""
    y = top + 2.0
    heart, patient = beat.heart, beat.patient
    rate = heart.values["heart_rate_bpm"]
    text = f"{rate:.0f}/min; {heart.rhythm.text}" if np.isfinite(rate) else heart.rhythm.text
    sex = {"M": "male", "F": "female", None: ""}[patient.sex]
    age = "" if patient.age_y is None else f"{patient.age_y:.0f} years"
    date = "" if patient.date is None else f"{patient.date} (as in the table)"
    whose = ", ".join(filter(None, (age, sex, date)))
    write(axes, _LEFT, y, shorten(text, _LINE_LETTERS - len(whose), placeholder=" …"),
          points=canvas.TEXT_PT, bold=True)  # fmt: skip
    write(axes, _LEFT + ROWS_WIDTH_MM, y, whose, points=canvas.TEXT_PT, side="right")
    drawn = f"25 mm/s   {gain:g} mm/mV   as recorded, no filter added   {recording.rate_hz:g} Hz"
    write(axes, _LEFT + ROWS_WIDTH_MM, _BELOW - 3.0, drawn, points=6.5, side="right")


def _marks(axes: Axes, beat: Beat, duration_s: float) -> None:
    """Mark every R peak of the strip, beats of another shape, and pacing spikes."""
    other = np.zeros(beat.r_s.size, bool)  # a beat that an end cuts is of no shape
    other[beat.heart.beat.others] = True
    top = _BELOW + _ROW_MM - 1.5
    mark_times(axes, _LEFT, top, beat.r_s[~other], canvas.BLUE, "v")
    mark_times(axes, _LEFT, top, beat.r_s[other], canvas.VERMILION, "v")
    text = f"Median of {beat.heart.beat.n_beats} beats.  Strip: R peaks blue, other shapes red"
    if duration_s > STRIP_S + 1.0:
        long = f"{duration_s:.0f} s" if duration_s < 120 else f"{duration_s / 60:.0f} min"
        text = f"The first {STRIP_S:.0f} s of {long}.  {text}"
    if beat.heart.pacing.is_paced:
        mark_times(axes, _LEFT, _BELOW + 1.5, beat.heart.pacing.times_s, canvas.GREEN, "|")
        text += f"; green, {' and '.join(beat.heart.rhythm.evidence)} pacemaker spikes"
    write(axes, _LEFT, _BELOW - 3.0, f"{text}.", points=6.0, colour=canvas.GREY)


def _median_beat(axes: Axes, heart: Measurements, leads: tuple[str, ...], left: float) -> None:
    """Draw up to six leads of the median beat over each other, with the limits of P, QRS and T."""
    bottom, top = _BELOW - 7.0 - _BEAT_HEIGHT, _BELOW - 7.0
    beat = heart.beat
    shown = (beat.time_ms >= _BEAT_MS[0]) & (beat.time_ms <= _BEAT_MS[1])
    rows_mv = beat.rows(leads)
    rows_mv = (rows_mv - rows_mv[:, beat.index(heart.qrs.on_ms - 4.0), None])[:, shown]
    low, high = min(0.0, float(rows_mv.min())), max(0.0, float(rows_mv.max()))
    gain = next((g for g in _BEAT_GAINS if g * (high - low) <= _BEAT_HEIGHT), _BEAT_GAINS[-1])
    # The level before the QRS lies on a thick line.
    zero = bottom + 5 * round((_BEAT_HEIGHT - gain * (high + low)) / 10)
    width = round((_BEAT_MS[1] - _BEAT_MS[0]) * _BEAT_SPEED)
    rule(axes, left, bottom, width, _BEAT_HEIGHT)

    def at(time_ms: float) -> float:
        return left + (time_ms - _BEAT_MS[0]) * _BEAT_SPEED

    for wave, (begin, end) in limits_of(heart).items():
        known = [at(time_ms) for time_ms in (begin, end) if np.isfinite(time_ms)]
        axes.vlines(known, bottom, top, colors=_WAVES[wave], linewidth=0.6, zorder=1)
        if len(known) == 2:
            axes.fill_betweenx(
                (bottom, top), known[0], known[1], color=_WAVES[wave], alpha=0.12, linewidth=0
            )
        if known:
            write(axes, float(np.mean(known)), top + 0.7, wave, colour=_WAVES[wave], side="center")
    first_and_last = [at(time_ms) for time_ms in heart.qrs.first_and_last_ms]
    axes.vlines(first_and_last, bottom, top, colors=_WAVES["QRS"], linewidth=0.6, linestyles=":")
    x = at(0.0) + beat.time_ms[shown] * _BEAT_SPEED
    for n, (lead, row) in enumerate(zip(leads, rows_mv, strict=True)):
        colour = canvas.colour_of(n)
        draw_lines(axes, [(x, zero + gain * row)], colour=colour)
        write(axes, left + width * (n + 0.5) / len(leads), bottom - 3.2, lead, colour=colour,
              side="center", bold=True)  # fmt: skip
    text = f"50 mm/s   {gain:g} mm/mV"
    write(axes, left, bottom - 6.4, text, points=6.0, colour=canvas.GREY)


def _intervals(axes: Axes, beat: Beat, left: float) -> None:
    """Write what was measured, each with its normal range, or why it is withheld."""
    heart = beat.heart
    axes_deg, without = wave_axes_deg(heart)
    values, withheld = heart.values | axes_deg, heart.withheld | without
    normal = _NORMAL | {"qtc_ms": _QTC[beat.patient.sex]}
    y = _BELOW - 6.0
    write(axes, left + 64.0, y, "measured", points=6.0, colour=canvas.GREY, side="right")
    write(axes, left + 77.0, y, "normal", points=6.0, colour=canvas.GREY)
    for name, unit in _SHOWN:
        y -= _LINE
        value, usual = values[name], normal.get(name)
        write(axes, left, y, _ALSO.get(name) or TITLES[name])
        if not np.isfinite(value):
            _absent(axes, left + 50.0, y, withheld.get(name))
            continue
        outside = usual is not None and not usual.low <= round(value) <= usual.high
        write(axes, left + 64.0, y, f"{value:.0f}".replace("-", "−"), side="right", bold=outside,
              colour=canvas.VERMILION if outside else canvas.INK)  # fmt: skip
        write(axes, left + 65.0, y, unit, colour=canvas.GREY)
        if usual is not None:
            write(axes, left + 77.0, y, usual.text, colour=canvas.GREY)
    for name in BLOCKS:
        y -= _LINE
        write(axes, left, y, TITLES[name])
        if not np.isfinite(values[name]):
            _absent(axes, left + 50.0, y, withheld.get(name))
            continue
        verdict = heart.found.verdicts[name]
        answer = {"definite": "yes", "absent": "no"}.get(
            verdict.grade, f"borderline, {'yes' if verdict.present else 'no'}: {verdict.decided_by}"
        )
        write(axes, left + 50.0, y, shorten(answer, 46, placeholder=" …"), bold=verdict.present,
              colour=canvas.VERMILION if verdict.present else canvas.INK)  # fmt: skip


def _absent(axes: Axes, x: float, y: float, reason: str | None, most: int = 54) -> None:
    """Write why there is no value: for a reason, or because there is no such wave."""
    text = shorten(f"withheld: {reason}", most, placeholder=" …") if reason else "not found"
    write(axes, x, y, text, points=6.5, colour=canvas.VERMILION if reason else canvas.GREY)


def _st_levels(
    axes: Axes, heart: Measurements, patient: Patient, recorded: tuple[str, ...], left: float
) -> None:
    """Write how far ST lies from the level before the QRS, at its end and 60 ms later."""
    if not set(TWELVE) & set(recorded):
        return
    unfit = unfit_leads(heart.findings, "signal", "place", "potential", "unit")
    y = _BELOW - 6.0
    write(axes, left, y, "ST (mV)", bold=True)
    for x, text in zip(_ST_AT, ("J", "J + 60 ms"), strict=True):
        write(axes, left + x, y, text, points=6.0, colour=canvas.GREY, side="right")
    for lead, levels_mv in zip(TWELVE, st_levels_mv(heart.beat, heart.qrs), strict=True):
        if lead not in recorded:
            continue
        y -= _LINE
        write(axes, left, y, lead)
        if lead in unfit:
            why = next(finding.text for finding in heart.findings if lead in finding.leads)
            _absent(axes, left + 8.0, y, why, 38)
            continue
        off = _is_off_level(lead, levels_mv, patient)
        colour = canvas.VERMILION if off else canvas.INK
        for x, value in zip(_ST_AT, levels_mv, strict=True):
            text = f"{value:+.2f}".replace("-", "−").replace("−0.00", "+0.00")
            write(axes, left + x, y, text, side="right", bold=off, colour=colour)


def _is_off_level(lead: str, levels_mv: NDArray[np.float64], patient: Patient) -> bool:
    """Whether J is elevated, or ST depressed without rising again."""
    least = _ELEVATED_MV[(patient.sex or "M") if lead in ("V2", "V3") else None]
    return bool(lead != "aVR" and (levels_mv[0] >= least or levels_mv.max() <= _DEPRESSED_MV))


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
