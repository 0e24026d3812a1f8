"""Bundle branch blocks and the frontal axis, by published criteria applied to a median beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cardio_ecg_transfer.signal.delineation.limits import WaveBounds
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs import QrsBounds, QrsWaves, qrs_waves
from cardio_ecg_transfer.signal.measurements.names import HEIGHT_LEADS

_ST_MS = 60.0
_LEADS = ("I", "aVF")


def frontal_axis_deg(lead_i: float, lead_avf: float) -> float:
    """Return the direction of a frontal vector from its size in I and aVF.

    Parameters
    ----------
    lead_i, lead_avf : float
        Net area (or net height) of the QRS, in the same unit.

    Returns
    -------
    float
        Degrees, above -180 to 180. In Einthoven's triangle a vector projects on aVF at √3/2 of its
        size in the scale of I, hence the factor.

    Examples
    --------
    >>> [round(frontal_axis_deg(*sizes)) for sizes in ((1, 0), (0, 1), (1, -(3**0.5) / 2))]
    [0, 90, -45]
    """
    return float(np.degrees(np.arctan2(lead_avf * 2 / np.sqrt(3), lead_i)))


def p_axis_deg(beat: MedianBeat, p_wave: WaveBounds | None) -> float:
    """Return the axis of the P wave's area above the line from its onset to its end.

    Parameters
    ----------
    beat : MedianBeat
        Without I and aVF the axis is NaN.
    p_wave : WaveBounds or None
        Without one, too.
    """
    if p_wave is None or not set(_LEADS) <= set(beat.leads):
        return float("nan")
    rows = beat.rows(_LEADS)[:, beat.index(p_wave.on_ms) : beat.index(p_wave.off_ms) + 1]
    chord = np.linspace(rows[:, 0], rows[:, -1], rows.shape[1], axis=1)
    return frontal_axis_deg(*(rows - chord).sum(axis=1))


def t_axis_deg(beat: MedianBeat, qrs: QrsBounds, t_wave: WaveBounds | None) -> float:
    """Return the axis of the area from 60 ms behind the QRS to the end of T.

    Parameters
    ----------
    beat : MedianBeat
        Without I and aVF the axis is NaN.
    qrs : QrsBounds
        Its QRS; the level before it is zero.
    t_wave : WaveBounds or None
        Without one, too.

    Examples
    --------
    A T wave that I and aVF see alike: in Einthoven's triangle at 49 degrees.

    >>> ms = np.arange(-200, 280) * 2.0
    >>> rows_mv = np.tile(0.3 * np.exp(-0.5 * ((ms - 300) / 40) ** 2), (2, 1)).astype(np.float32)
    >>> beat = MedianBeat(rows_mv, 500.0, 200, ("I", "aVF"), 9, 0, 0.8, 0 * rows_mv)
    >>> round(t_axis_deg(beat, QrsBounds(-40.0, 40.0), WaveBounds(np.nan, 300.0, 400.0)))
    49
    """
    if t_wave is None or not set(_LEADS) <= set(beat.leads):
        return float("nan")
    begin, end = beat.index(qrs.off_ms + _ST_MS), beat.index(t_wave.off_ms)
    rows = beat.levelled(_LEADS, qrs.on_ms)
    return frontal_axis_deg(*rows[:, begin : end + 1].sum(axis=1))


Sex = Literal["M", "F"]

CONDUCTION_LEADS = (*HEIGHT_LEADS, "aVF")

GUIDELINE_QRS_MS = 150.0
"""Class I for CRT: LBBB with a QRS of 150 ms or more (Glikson M et al. 2021 ESC guidelines on
cardiac pacing and cardiac resynchronization therapy. Eur Heart J 2021; 42: 3427-3520)."""

_STRAUSS_QRS_MS = {"M": 140.0, "F": 130.0}
_BLOCK_QRS_MS = 120.0
_LATE_R_MS = 60.0
_LATE_R_V1_MS = 50.0
_WIDE_S_MS = 40.0

# What a reading differs by from the next: noise on the median beat, and the QRS's limits by about
# the standard deviation of its duration against human marks.
_NOISE_MV = 0.003
_SHIFTS_MS = (0.0, -8.0, -6.0, -4.0, -2.0, 2.0, 4.0, 6.0, 8.0)
_DEFINITE = 0.85  # of the readings


Grade = Literal["definite", "borderline", "absent"]


@dataclass(frozen=True)
class Verdict:
    """What a definition of a block says of nine readings of one beat.

    Attributes
    ----------
    share : float
        Of the readings that fulfil every criterion, 0 to 1.
    decided_by : str
        The criterion that the fewest readings fulfil, in words.
    """

    share: float
    decided_by: str

    @property
    def present(self) -> bool:
        """Whether most readings say so."""
        return self.share > 0.5

    @property
    def grade(self) -> Grade:
        """``definite`` from 85 % of the readings on, ``absent`` up to 15 %."""
        if self.share >= _DEFINITE:
            return "definite"
        return "absent" if self.share <= 1 - _DEFINITE else "borderline"


@dataclass(frozen=True)
class Conduction:
    """What a median beat's QRS says about conduction.

    Attributes
    ----------
    axis_deg : float
        Frontal QRS axis, above -180 to 180; 0 points to the left, 90 to the feet.
    verdicts : dict of str to Verdict
        By `BLOCKS`; see `conduction`.
    n_notched : int
        Leads of I, aVL, V1, V2, V5, V6 with a notch or slur in mid-QRS, the median of the readings.
    axis_error_deg : float
        Largest difference of a reading's axis from the first one's.
    """

    axis_deg: float
    verdicts: dict[str, Verdict]
    n_notched: int
    axis_error_deg: float


BLOCKS = {
    "lbbb": "LBBB by Strauss",
    "lbbb_esc": "LBBB by the ESC",
    "lbbb_aha": "LBBB by the AHA",
    "rbbb": "RBBB",
}
"""Definitions of complete block, and how a message calls them."""


def conduction(beat: MedianBeat, qrs: QrsBounds, sex: Sex | None = None) -> Conduction:
    """Apply the criteria for bundle branch block to nine readings of one beat.

    A reading is the beat with noise of 3 µV, whose QRS is up to 8 ms longer or shorter: what a
    second recording, or another reader, would differ by. A block is present where most readings
    fulfil all criteria of the definition, definite or absent where nearly all agree. Durations are
    those over all leads, `QrsBounds.qrs_global_ms`.

    ``lbbb``: QRS of 140 ms or more in men, 130 in women; QS or rS in V1 and V2; notch or slur in
    mid-QRS in two or more of I, aVL, V1, V2, V5, V6 (Strauss 2011).

    ``lbbb_esc``: QRS of 120 ms or more; QS or rS in V1; an upright R in I and in V5 or V6 that is
    broad (peak at 60 ms or later, or notched) in V5 or V6; no q in I, V5 and V6 (Brignole 2013).

    ``lbbb_aha``: QRS of 120 ms or more; a broad, notched or slurred R in two or more of I, aVL, V5
    and V6; no q in I, V5 and V6; R peak at 60 ms or later in V5 or V6 (Surawicz 2009).

    ``rbbb``: QRS of 120 ms or more; V1 ends upwards, in an r' or R' or a broad R that peaks later
    than 50 ms; S in I and V6 of 40 ms or more, or wider than R (Surawicz 2009; ESC the same).

    Parameters
    ----------
    beat : MedianBeat
        With I, aVL, aVF, V1, V2, V5 and V6.
    qrs : QrsBounds
        Its QRS.
    sex : {"M", "F"}, optional
        Where it is unknown, the stricter limit for men is taken.

    Raises
    ------
    DataError
        If one of the leads is missing.

    References
    ----------
    Strauss DG, Selvester RH, Wagner GS. Defining left bundle branch block in the era of cardiac
    resynchronization therapy. Am J Cardiol 2011; 107: 927-934.
    Surawicz B et al. AHA/ACCF/HRS recommendations for the standardization and interpretation of
    the electrocardiogram, part III. Circulation 2009; 119: e235-e240.
    Brignole M et al. 2013 ESC guidelines on cardiac pacing and cardiac resynchronization
    therapy. Eur Heart J 2013; 34: 2281-2329.
    """
    beat.rows(CONDUCTION_LEADS)
    readings = [_reading(reading, limits) for reading, limits in _readings(beat, qrs)]
    fulfilled: dict[str, list[dict[str, bool]]] = {name: [] for name in BLOCKS}
    for waves, qrs_ms in readings:
        for name, criteria in _criteria(waves, qrs_ms, sex).items():
            fulfilled[name].append(criteria)
    verdicts = {name: _verdict(rows) for name, rows in fulfilled.items()}
    axes = np.array([_axis(waves) for waves, _ in readings])
    apart = np.abs((axes - axes[0] + 180.0) % 360.0 - 180.0)
    return Conduction(
        axis_deg=float(axes[0]),
        verdicts=verdicts,
        n_notched=int(np.median([_n_notched(waves) for waves, _ in readings])),
        axis_error_deg=float(apart.max()),
    )


def _readings(beat: MedianBeat, qrs: QrsBounds) -> list[tuple[MedianBeat, QrsBounds]]:
    """Return the beat as it is, and disturbed; the same way every time."""
    rng = np.random.default_rng(0)
    made = [(beat, qrs)]
    for shift in _SHIFTS_MS[1:]:
        noisy = beat.signal_mv + _NOISE_MV * beat.noise(rng)
        first, last = qrs.first_and_last_ms
        limits = QrsBounds(
            qrs.on_ms - shift / 2,
            qrs.off_ms + shift / 2,
            global_ms=(first - shift / 2, last + shift / 2),
        )
        made.append((replace(beat, signal_mv=noisy.astype(np.float32)), limits))
    return made


def _reading(beat: MedianBeat, qrs: QrsBounds) -> tuple[dict[str, QrsWaves], float]:
    return {lead: qrs_waves(beat, qrs, lead) for lead in CONDUCTION_LEADS}, qrs.qrs_global_ms


def _verdict(rows: list[dict[str, bool]]) -> Verdict:
    shares = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    whole = float(np.mean([all(row.values()) for row in rows]))
    return Verdict(whole, min(shares, key=lambda name: shares[name]))


def _axis(waves: Mapping[str, QrsWaves]) -> float:
    return frontal_axis_deg(waves["I"].net_area_uvs, waves["aVF"].net_area_uvs)


def _n_notched(waves: Mapping[str, QrsWaves]) -> int:
    return sum(waves[lead].notched for lead in HEIGHT_LEADS)


def _criteria(
    waves: Mapping[str, QrsWaves], qrs_ms: float, sex: Sex | None
) -> dict[str, dict[str, bool]]:
    """Return every criterion of every definition, by its words."""
    least_ms = _STRAUSS_QRS_MS[sex or "M"]
    wide = {f"QRS of {_BLOCK_QRS_MS:g} ms or more": qrs_ms >= _BLOCK_QRS_MS}
    no_q = {"no q in I, V5 and V6": all(waves[lead].q_mv == 0 for lead in ("I", "V5", "V6"))}
    lateral = [waves[lead] for lead in ("V5", "V6") if waves[lead].r_mv > waves[lead].s_mv]
    broad = [
        wave.r_mv > wave.s_mv and (wave.notched or wave.r_peak_ms >= _LATE_R_MS)
        for wave in (waves[lead] for lead in ("I", "aVL", "V5", "V6"))
    ]
    v1 = waves["V1"]
    ends_up = bool(v1.peaks_mv) and v1.peaks_mv[-1] > 0 and v1.peaks_ms[-1] > _LATE_R_V1_MS
    return {
        "lbbb": {
            f"QRS of {least_ms:g} ms or more": qrs_ms >= least_ms,
            "QS or rS in V1 and V2": waves["V1"].is_qs_or_rs and waves["V2"].is_qs_or_rs,
            "notch or slur in two leads": _n_notched(waves) >= 2,
        },
        "lbbb_esc": wide
        | no_q
        | {
            "QS or rS in V1": v1.is_qs_or_rs,
            "upright R in I": waves["I"].r_mv > waves["I"].s_mv,
            "broad R in V5 or V6": any(
                wave.r_peak_ms >= _LATE_R_MS or wave.notched for wave in lateral
            ),
        },
        "lbbb_aha": wide
        | no_q
        | {
            "broad R in two of I, aVL, V5 and V6": sum(broad) >= 2,
            "late R peak in V5 or V6": any(wave.r_peak_ms >= _LATE_R_MS for wave in lateral),
        },
        "rbbb": wide
        | {
            "late R in V1": ends_up,
            "wide S in I and V6": all(_has_wide_s(waves[lead]) for lead in ("I", "V6")),
        },
    }


def _has_wide_s(waves: QrsWaves) -> bool:
    """Tell whether the last wave is an S of 40 ms or more, or wider than R."""
    if not waves.peaks_mv or waves.peaks_mv[-1] > 0:
        return False
    widest_r = max(
        (w for w, peak in zip(waves.widths_ms, waves.peaks_mv, strict=True) if peak > 0),
        default=0.0,
    )
    return waves.widths_ms[-1] >= _WIDE_S_MS or waves.widths_ms[-1] > widest_r
