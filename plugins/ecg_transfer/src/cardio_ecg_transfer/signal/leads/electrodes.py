"""Signs of exchanged arms and inverted leads where the chest leads are missing.

Rules that a reader applies to an average beat, after the sources below:

* both P and QRS negative in lead II and upright in aVR: right arm and left leg exchanged;
* both P and QRS negative in lead I, upright in aVR: the arm cables are exchanged;
* both P and QRS negative in a lead where a sinus beat has neither (II of a monitor, V5, V6): its
  polarity is reversed.

Without a visible P wave (atrial fibrillation, pacing) these rules stay silent. A flag is a reason
to look; its absence proves nothing. Twelve leads tell much more (`exchanges`).

References
----------
Kligfield P et al. Circulation 2007; 115: 1306-1324 (section on lead switches).
Batchvarov VN, Malik M, Camm AJ. Europace 2007; 9: 1081-1090 (arm and leg cables).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ecg import Ecg

_BEAT_S = (-0.36, 0.40)
_QRS_S = (-0.06, 0.06)
_ONSET_S = (-0.14, -0.05)  # earliest, and where none is steep
_STEEP = 0.15  # of the steepest slope; P waves stay below a tenth
_P_BEFORE_QRS_S = (-0.20, -0.015)
_P_SMOOTHING_S = 0.012
_MIN_BEATS = 4
_MIN_P_MV = 0.025
_MIN_PROMINENCE = 0.4  # of a P wave's height
_MIN_SIDED_MV = 0.05  # a QRS that is as high as deep has no polarity


@dataclass(frozen=True)
class AverageBeat:
    """What the rules look at in one lead's average beat.

    Attributes
    ----------
    p_mv : float
        Signed height of the P wave above the line between its window's ends; 0 if not visible.
    qrs_mv : float
        Highest plus lowest QRS deflection: positive where the upright part is larger.
    """

    p_mv: float
    qrs_mv: float

    @property
    def inverted(self) -> bool:
        """Whether both P and QRS are negative, and both visible."""
        return self.p_mv < 0 and self.qrs_mv < -_MIN_SIDED_MV

    @property
    def upright(self) -> bool:
        """Whether both P and QRS are positive, and both visible."""
        return self.p_mv > 0 and self.qrs_mv > _MIN_SIDED_MV


def electrode_flags(ecg: Ecg, r_samples: NDArray[np.int64]) -> tuple[str, ...]:
    """Name the signs of exchanged electrodes and inverted leads.

    Parameters
    ----------
    ecg : Ecg
        Usual lead names, high-passed or at least free of large wander; any rate. Missing samples
        are left out of the average.
    r_samples : ndarray of int, shape (n_beats,)
        R peaks as sample numbers, ectopic beats included (the average is a median). Fewer than
        four complete beats give no flag.

    Returns
    -------
    tuple of str
        Empty where nothing is suspicious. The recording itself is not changed.

    Examples
    --------
    >>> t = np.arange(5000) / 500
    >>> beat = np.exp(-(((t % 1) - 0.5) / 0.012) ** 2) + 0.1 * np.exp(
    ...     -(((t % 1) - 0.34) / 0.03) ** 2
    ... )
    >>> ecg = Ecg(np.float32([-beat]), 500.0, ("MLII",))
    >>> electrode_flags(ecg, np.arange(250, 5000, 500))
    ('MLII inverted: P -0.10 mV and QRS -1.00 mV',)
    """
    waves = _average_waves(ecg, r_samples)
    if waves is None:
        return ()
    onset_s = _qrs_onset_s(waves, ecg.rate_hz)
    beats = {lead: _describe(wave, onset_s, ecg.rate_hz) for lead, wave in waves.items()}
    flags = _limb_flags(beats)
    explained = {"II"} if any("left leg" in flag for flag in flags) else set()
    for lead in ("II", "MLII", "V5", "V6"):
        beat = beats.get(lead)
        if beat is not None and lead not in explained and beat.inverted:
            flags.append(f"{lead} inverted: P {beat.p_mv:.2f} mV and QRS {beat.qrs_mv:.2f} mV")
    return tuple(flags)


def _average_waves(ecg: Ecg, r_samples: NDArray[np.int64]) -> dict[str, NDArray[np.float64]] | None:
    """Return each lead's median beat around R, levelled to its own median; None if too few."""
    first, last = (round(edge * ecg.rate_hz) for edge in _BEAT_S)
    r_samples = np.asarray(r_samples, dtype=np.int64)
    complete = (r_samples + first >= 0) & (r_samples + last < ecg.signal_mv.shape[1])
    if complete.sum() < _MIN_BEATS:
        return None
    window = r_samples[complete, None] + np.arange(first, last + 1)
    waves = {}
    for lead, signal_mv in zip(ecg.leads, ecg.signal_mv, strict=True):
        beats = signal_mv[window].astype(float)
        beats = beats[~np.isnan(beats).any(axis=1)]
        if len(beats) >= _MIN_BEATS:
            # Each beat is levelled before averaging, so that wander does not blur the median.
            beats -= np.median(beats, axis=1, keepdims=True)
            waves[lead] = np.median(beats, axis=0)
    return waves


def _qrs_onset_s(waves: Mapping[str, NDArray[np.float64]], rate_hz: float) -> float:
    """Find where QRS, or the stimulus before it, begins: the first steep slope in any lead."""
    slope = np.linalg.norm([np.gradient(wave) for wave in waves.values()], axis=0)
    steep = _cut(slope, (_ONSET_S[0], 0.0), rate_hz) > _STEEP * slope.max()
    return _ONSET_S[0] + int(np.argmax(steep)) / rate_hz if steep.any() else _ONSET_S[1]


def _describe(wave: NDArray[np.float64], onset_s: float, rate_hz: float) -> AverageBeat:
    """Measure P and QRS of one average beat."""
    qrs = _cut(wave, _QRS_S, rate_hz)
    p_wave = _cut(wave, (onset_s + _P_BEFORE_QRS_S[0], onset_s + _P_BEFORE_QRS_S[1]), rate_hz)
    n_smooth = max(1, round(_P_SMOOTHING_S * rate_hz))
    p_wave = np.convolve(p_wave, np.full(n_smooth, 1 / n_smooth), "valid")
    level = p_wave - np.linspace(p_wave[0], p_wave[-1], len(p_wave))
    peak = int(np.argmax(np.abs(level)))
    p_mv = float(level[peak])
    # The falling end of a T wave bends away from its line, too, but has no peak of its own.
    upright = p_wave * np.sign(p_mv)
    prominence = upright[peak] - max(upright[: peak + 1].min(), upright[peak:].min())
    visible = abs(p_mv) >= _MIN_P_MV and prominence >= _MIN_PROMINENCE * abs(p_mv)
    return AverageBeat(
        p_mv=p_mv if visible else 0.0,
        qrs_mv=float(qrs.max() + qrs.min()),
    )


def _cut(
    wave: NDArray[np.float64], edges_s: tuple[float, float], rate_hz: float
) -> NDArray[np.float64]:
    """Cut a part of an average beat by times relative to R."""
    first, last = (round((edge - _BEAT_S[0]) * rate_hz) for edge in edges_s)
    return wave[first : last + 1]


def _limb_flags(beats: Mapping[str, AverageBeat]) -> list[str]:
    """Apply the rules that need several limb leads."""
    if not {"I", "II", "aVR"} <= set(beats) or not beats["aVR"].upright:
        return []
    one, two = beats["I"], beats["II"]
    flags = []
    if two.inverted:
        flags.append(
            f"right arm and left leg exchanged? II has P {two.p_mv:.2f} mV and "
            f"QRS {two.qrs_mv:.2f} mV, aVR is upright"
        )
    if one.inverted:
        flags.append(
            f"arm electrodes exchanged? I has P {one.p_mv:.2f} mV and QRS {one.qrs_mv:.2f} mV, "
            "aVR is upright"
        )
    return flags
