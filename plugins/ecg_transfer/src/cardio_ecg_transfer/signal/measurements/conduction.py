"""Bundle branch blocks and the frontal axis, by published criteria applied to a median beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs_bounds import QrsBounds
from cardio_ecg_transfer.signal.delineation.qrs_waves import QrsWaves, qrs_waves

Sex = Literal["M", "F"]

CONDUCTION_LEADS = ("I", "aVL", "aVF", "V1", "V2", "V5", "V6")

GUIDELINE_QRS_MS = 150.0
"""Class I for CRT: LBBB with a QRS of 150 ms or more (Glikson 2021)."""

_STRAUSS_QRS_MS = {"M": 140.0, "F": 130.0}
_NOTCH_LEADS = ("I", "aVL", "V1", "V2", "V5", "V6")
_BLOCK_QRS_MS = 120.0
_LATE_R_MS = 60.0
_LATE_R_V1_MS = 50.0
_WIDE_S_MS = 40.0


@dataclass(frozen=True)
class Conduction:
    """What a median beat's QRS says about conduction.

    Attributes
    ----------
    axis_deg : float
        Frontal QRS axis, above -180 to 180; 0 points to the left, 90 to the feet.
    lbbb_strauss, lbbb_esc, rbbb : bool
        Complete blocks; see `conduction`.
    n_notched : int
        Leads of I, aVL, V1, V2, V5, V6 with a notch or slur in mid-QRS.
    class_one : bool
        LBBB (Strauss) and a QRS of 150 ms or more.
    """

    axis_deg: float
    lbbb_strauss: bool
    lbbb_esc: bool
    rbbb: bool
    n_notched: int
    class_one: bool


def conduction(beat: MedianBeat, qrs: QrsBounds, sex: Sex | None = None) -> Conduction:
    """Apply the criteria for bundle branch block.

    ``lbbb_strauss``: QRS of 140 ms or more in men, 130 in women; QS or rS in V1 and V2; notch or
    slur in mid-QRS in two or more of I, aVL, V1, V2, V5, V6 (Strauss 2011).

    ``lbbb_esc``: QRS of 120 ms or more; QS or rS in V1; an upright R in I and in V5 or V6 that is
    broad (peak at 60 ms or later, or notched) in V5 or V6; no q in I, V5 and V6 (Brignole 2013,
    Surawicz 2009).

    ``rbbb``: QRS of 120 ms or more; V1 ends upwards, in an r' or R' or a broad R that peaks later
    than 50 ms; S in I and V6 of 40 ms or more, or wider than R (Surawicz 2009).

    ``class_one``: LBBB with a QRS of 150 ms or more, the class I indication for CRT in sinus rhythm
    (Glikson 2021), with LBBB as by Strauss.

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
    Glikson M et al. 2021 ESC guidelines on cardiac pacing and cardiac resynchronization therapy.
    Eur Heart J 2021; 42: 3427-3520.
    """
    beat.rows(CONDUCTION_LEADS)
    waves = {lead: qrs_waves(beat, qrs, lead) for lead in CONDUCTION_LEADS}
    n_notched = sum(waves[lead].notched for lead in _NOTCH_LEADS)
    strauss = (
        qrs.qrs_ms >= _STRAUSS_QRS_MS[sex or "M"]
        and waves["V1"].is_qs_or_rs
        and waves["V2"].is_qs_or_rs
        and n_notched >= 2
    )
    return Conduction(
        axis_deg=frontal_axis_deg(waves["I"].net_area_uvs, waves["aVF"].net_area_uvs),
        lbbb_strauss=strauss,
        lbbb_esc=_is_lbbb_esc(waves, qrs.qrs_ms),
        rbbb=_is_rbbb(waves, qrs.qrs_ms),
        n_notched=n_notched,
        class_one=strauss and qrs.qrs_ms >= GUIDELINE_QRS_MS,
    )


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


def _is_lbbb_esc(waves: Mapping[str, QrsWaves], qrs_ms: float) -> bool:
    lateral = [waves[lead] for lead in ("V5", "V6") if waves[lead].r_mv > waves[lead].s_mv]
    return (
        qrs_ms >= _BLOCK_QRS_MS
        and waves["V1"].is_qs_or_rs
        and waves["I"].r_mv > waves["I"].s_mv
        and any(wave.r_peak_ms >= _LATE_R_MS or wave.notched for wave in lateral)
        and all(waves[lead].q_mv == 0 for lead in ("I", "V5", "V6"))
    )


def _is_rbbb(waves: Mapping[str, QrsWaves], qrs_ms: float) -> bool:
    v1 = waves["V1"]
    ends_up = bool(v1.peaks_mv) and v1.peaks_mv[-1] > 0 and v1.peaks_ms[-1] > _LATE_R_V1_MS
    return (
        qrs_ms >= _BLOCK_QRS_MS
        and ends_up
        and all(_has_wide_s(waves[lead]) for lead in ("I", "V6"))
    )


def _has_wide_s(waves: QrsWaves) -> bool:
    """Tell whether the last wave is an S of 40 ms or more, or wider than R."""
    if not waves.peaks_mv or waves.peaks_mv[-1] > 0:
        return False
    widest_r = max(
        (w for w, peak in zip(waves.widths_ms, waves.peaks_mv, strict=True) if peak > 0),
        default=0.0,
    )
    return waves.widths_ms[-1] >= _WIDE_S_MS or waves.widths_ms[-1] > widest_r
