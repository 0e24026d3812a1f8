"""What a cardiologist measures on a 12-lead ECG, as one row of numbers, and its median beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import trapezoid
from scipy.ndimage import gaussian_filter1d

from cardio_ecg_transfer.signal.delineation.limits import (
    MOST_MOVED_MS,
    Limits,
    WaveBounds,
    find_limits,
    moves_by,
    p_locking,
)
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat, median_beat
from cardio_ecg_transfer.signal.delineation.qrs import FEW_LEADS, QrsBounds, qrs_waves
from cardio_ecg_transfer.signal.ecg import Ecg, Finding, Unfit, unfit_leads
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ
from cardio_ecg_transfer.signal.leads.exchanges import find_exchanges
from cardio_ecg_transfer.signal.leads.names import (
    INDEPENDENT_LEADS,
    STANDARD_LEADS,
    canonical_leads,
    derive_limb_leads,
)
from cardio_ecg_transfer.signal.measurements.conduction import (
    BLOCKS,
    Conduction,
    Sex,
    conduction,
    p_axis_deg,
    t_axis_deg,
)
from cardio_ecg_transfer.signal.measurements.names import HEIGHT_LEADS, MEASUREMENTS
from cardio_ecg_transfer.signal.pacing import (
    NOT_PACED,
    Pacing,
    beats_without_spikes,
    locked_spikes,
    paced_chambers,
    pacing_finding,
)
from cardio_ecg_transfer.signal.recording_checks import check_recording
from cardio_ecg_transfer.signal.rhythm import Rhythm, atrial_waves, find_rhythm
from cardio_ecg_transfer.signal.rpeaks import at_working_rate

Matrix = Literal["kors", "inverse_dower"]

MATRICES: dict[Matrix, NDArray[np.float64]] = {
    "kors": np.array(
        [
            [0.38, -0.07, -0.13, 0.05, -0.01, 0.14, 0.06, 0.54],
            [-0.07, 0.93, 0.06, -0.02, -0.05, 0.06, -0.17, 0.13],
            [0.11, -0.23, -0.43, -0.06, -0.14, -0.20, -0.11, 0.31],
        ]
    ),
    "inverse_dower": np.array(
        [
            [0.156, -0.010, -0.172, -0.074, 0.122, 0.231, 0.239, 0.194],
            [-0.227, 0.887, 0.057, -0.019, -0.106, -0.022, 0.041, 0.048],
            [0.022, 0.102, -0.229, -0.310, -0.246, -0.063, 0.055, 0.108],
        ]
    ),
}
"""Rows: x to the left, y to the feet, z to the back. Columns: `INDEPENDENT_LEADS`."""


def vectorcardiogram(beat: MedianBeat, matrix: Matrix = "kors") -> NDArray[np.float64]:
    """Reconstruct Frank's x, y and z from the eight independent leads.

    Parameters
    ----------
    beat : MedianBeat
        With I, II and V1 to V6.
    matrix : {"kors", "inverse_dower"}
        Regression on measured Frank leads (Kors 1990), or the pseudoinverse of Dower's
        lead vectors (Edenbrandt and Pahlm 1988).

    Returns
    -------
    ndarray of float64, shape (3, n_samples)
        x, y, z in mV.

    Raises
    ------
    DataError
        If one of the eight leads is missing; the message names it.

    References
    ----------
    Kors JA, van Herpen G, Sittig AC, van Bemmel JH. Reconstruction of the Frank
    vectorcardiogram from standard electrocardiographic leads: diagnostic comparison of different
    methods. Eur Heart J 1990; 11: 1083-1092.
    Edenbrandt L, Pahlm O. Vectorcardiogram synthesized from a 12-lead ECG: superiority of the
    inverse Dower matrix. J Electrocardiol 1988; 21: 361-367.
    """
    return np.asarray(MATRICES[matrix] @ beat.rows(INDEPENDENT_LEADS))


def qrs_area_uvs(beat: MedianBeat, qrs: QrsBounds, matrix: Matrix = "kors") -> float:
    """Measure the three-dimensional QRS area: √(x² + y² + z²) of the leads' QRS integrals.

    Parameters
    ----------
    beat : MedianBeat
        With I, II and V1 to V6.
    qrs : QrsBounds
        From `delineation.delineate_qrs`.
    matrix : {"kors", "inverse_dower"}
        See `vectorcardiogram`.

    Returns
    -------
    float
        µV·s (1 mV·ms). The level of the 14 ms before the onset counts as zero.

    Raises
    ------
    DataError
        If one of the eight leads is missing.

    References
    ----------
    van Deursen CJM et al. Vectorcardiographic QRS area as a novel predictor of response to
    cardiac resynchronization therapy. J Electrocardiol 2015; 48: 45-52.

    Examples
    --------
    A beat whose only vector is a Gaussian along x, 1 mV high and 10 ms wide: √(2π)·10 µV·s.

    >>> x_mv = np.exp(-0.5 * (np.arange(-200, 280) * 2.0 / 10) ** 2)
    >>> leads_mv = np.outer(np.linalg.pinv(MATRICES["kors"])[:, 0], x_mv).astype(np.float32)
    >>> beat = MedianBeat(leads_mv, 500.0, 200, INDEPENDENT_LEADS, 10, 0, 1.0, 0 * leads_mv)
    >>> round(qrs_area_uvs(beat, QrsBounds(-40.0, 40.0)), 1)
    25.1
    """
    vector_mv = MATRICES[matrix] @ beat.levelled(INDEPENDENT_LEADS, qrs.on_ms)
    inside = vector_mv[:, beat.index(qrs.on_ms) : beat.index(qrs.off_ms) + 1]
    return float(np.linalg.norm(trapezoid(inside, dx=1000.0 / beat.rate_hz, axis=1)))


_SHAPE: tuple[Unfit, ...] = ("signal", "place")
_SIZE: tuple[Unfit, ...] = (*_SHAPE, "potential")
_MILLIVOLT: tuple[Unfit, ...] = (*_SIZE, "unit")
_CONDUCTED: tuple[Unfit, ...] = (*_SHAPE, "paced")

_STANDS_ON: dict[str, tuple[tuple[str, ...], tuple[Unfit, ...]]] = {
    "axis_deg": (("I", "aVF"), _SIZE),
    "axis_error_deg": (("I", "aVF"), _SIZE),
    "p_axis_deg": (("I", "aVF"), _SIZE),
    "t_axis_deg": (("I", "aVF"), _SIZE),
    "qrs_area_uvs": (INDEPENDENT_LEADS, _MILLIVOLT),
    "n_notched": (HEIGHT_LEADS, _CONDUCTED),
    "n_fragmented": (STANDARD_LEADS, _CONDUCTED),
    "r_peak_v6_ms": (("V6",), _CONDUCTED),
    "lbbb": (HEIGHT_LEADS, _CONDUCTED),
    "lbbb_esc": (("I", "V1", "V5", "V6"), _CONDUCTED),
    "lbbb_aha": (("I", "aVL", "V5", "V6"), _CONDUCTED),
    "rbbb": (("I", "V1", "V6"), _CONDUCTED),
    **{
        f"{wave}_{lead.lower()}_mv": ((lead,), _MILLIVOLT) for wave in "rs" for lead in HEIGHT_LEADS
    },
}
"""Leads, and what makes them unfit for it. Times over all leads rest on those that are left."""


def without_unfit(
    values: Mapping[str, float], findings: tuple[Finding, ...]
) -> tuple[dict[str, float], dict[str, str]]:
    """Empty the measurements whose leads are unfit for them.

    Parameters
    ----------
    values : mapping of str to float
        By the names of `MEASUREMENTS`.
    findings : tuple of Finding
        What was found in the recording.

    Returns
    -------
    dict of str to float
        NaN where something is withheld.
    dict of str to str
        Why, by the name of what was.

    Examples
    --------
    >>> flat = Finding("V6 flat", ("V6",), "signal")
    >>> without_unfit({"qrs_ms": 96.0, "r_v6_mv": 0.0}, (flat,))
    ({'qrs_ms': 96.0, 'r_v6_mv': nan}, {'r_v6_mv': 'V6 flat'})
    """
    emptied = {
        name: next(
            finding.text for finding in findings if unfit_leads((finding,), *kinds) & set(leads)
        )
        for name in values
        if (stands_on := _STANDS_ON.get(name.removesuffix("_share")))
        for leads, kinds in [stands_on]
        if unfit_leads(findings, *kinds) & set(leads)
    }
    kept = {name: np.nan if name in emptied else value for name, value in values.items()}
    return kept, emptied


def rows_without_unfit(
    rows_mv: NDArray[np.float32], findings: tuple[Finding, ...]
) -> NDArray[np.float32]:
    """Empty the leads, in the order of `STANDARD_LEADS`, whose potentials are not theirs."""
    unfit = unfit_leads(findings, *_MILLIVOLT)
    place = [lead in unfit for lead in STANDARD_LEADS]
    return np.where(np.array(place)[:, None], np.float32(np.nan), rows_mv)


GRID_EXTENT_MS = (-300.0, 500.0)
GRID_POINTS = 121
"""Of the median beat for classical models: one point each 6.7 ms (150 Hz)."""

PLAUSIBLE_QTC_MS = (280.0, 620.0)
"""Fridericia's; beyond, another wave was taken for T, or its end was lost."""

LONGEST_QT = 0.9
"""Of the RR interval: a T wave that ends later would run into the next QRS."""

_GRID_SMOOTHING_MS = 3.0


@dataclass(frozen=True)
class Measurements:
    """One recording, measured.

    Attributes
    ----------
    values : dict of str to float
        By the names of `MEASUREMENTS`. NaN where a wave is not there: ``pr_ms`` in atrial
        fibrillation, ``r_peak_v6_ms`` of a QS complex.
    grid_mv : ndarray of float32, shape (12, GRID_POINTS)
        The median beat in the order of `lead_names.STANDARD_LEADS`, from 300 ms before to 500 ms
        after R, in mV from the level right before the QRS.
    beat : MedianBeat
        The median beat itself.
    qrs : QrsBounds
        Its QRS.
    p_wave, t_wave : WaveBounds or None
        Around it, None where there is none.
    found : Conduction
        Its verdicts on bundle branch block, with the criteria that decided.
    flags : tuple of str
        What is doubtful, in words.
    findings : tuple of Finding
        What is wrong with its leads: those given, exchanged electrodes, and pacing.
    pacing : Pacing
        Its pacemaker spikes.
    withheld : dict of str to str
        Why something was not given on purpose, by the names of `MEASUREMENTS`.
    rhythm : Rhythm
        What drives the ventricles, with its evidence.
    """

    values: dict[str, float]
    grid_mv: NDArray[np.float32]
    beat: MedianBeat
    qrs: QrsBounds
    p_wave: WaveBounds | None
    t_wave: WaveBounds | None
    found: Conduction
    flags: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    pacing: Pacing = NOT_PACED
    withheld: dict[str, str] = field(default_factory=dict)
    rhythm: Rhythm = field(default_factory=Rhythm)

    @property
    def out_of_place(self) -> frozenset[str]:
        """Leads without a signal, or that are not what their names say."""
        return unfit_leads(self.findings, "signal", "place")


def measure(
    signal_mv: ArrayLike,
    rate_hz: float,
    r_samples: ArrayLike,
    leads: tuple[str, ...],
    *,
    sex: Sex | None = None,
    findings: tuple[Finding, ...] = (),
    pacing: Pacing = NOT_PACED,
) -> Measurements:
    """Measure a recording that has been filtered and whose R peaks are known.

    Parameters
    ----------
    signal_mv : array_like, shape (n_leads, n_samples)
        Millivolt, high-passed (`filters.high_pass`), 250 Hz or more.
    rate_hz : float
        Sampling rate.
    r_samples : array_like of int, shape (n_peaks,)
        R peaks, ectopic beats included.
    leads : tuple of str, length n_leads
        Any, in any order. Where some of the standard twelve are absent, times rest on the leads
        that are there, a finding names them, and what stands on the absent ones is NaN.
    sex : {"M", "F"}, optional
        For the limit of Strauss's criterion; without it the men's holds.
    findings : tuple of Finding, optional
        What is known to be wrong with the leads (`recording_checks.check_recording`). What stands
        on an unfit lead is NaN; what does not is measured. Leads without a signal hold zeros.
    pacing : Pacing, optional
        The spikes, which are bridged in the signal (`pacing.beats_without_spikes`). Where the
        ventricles are paced, bundle branch blocks, notches and R peak times are NaN.

    Raises
    ------
    DataError
        If fewer than three beats are alike, or the QRS has no limits.
    """
    beat = median_beat(signal_mv, rate_hz, r_samples, leads)
    if pacing.is_paced:
        shown = locked_spikes(pacing.times_s, beat.r_samples / rate_hz)
        beat = replace(beat, spikes_ms=tuple(-before_ms for before_ms in shown.before_r_ms))
    limits = find_limits(beat)
    qrs, p_wave, flags = limits.qrs, limits.p_wave, limits.qrs.flags
    signal, peaks = np.asarray(signal_mv), np.asarray(r_samples)
    withheld: dict[str, str] = {}
    lock = None if p_wave is None else p_locking(signal, beat, qrs, p_wave, peaks)
    atrial = atrial_waves(signal, beat, limits, lock, peaks)
    chambers = paced_chambers(pacing, qrs.on_ms)
    rhythm = find_rhythm(beat, limits, lock, atrial, peaks, chambers)
    if lock is not None and (doubt := lock.reason or atrial.reason):
        reason = f"no PR: {doubt}"
        p_wave, flags = None, (*flags, reason)
        withheld |= dict.fromkeys(("pr_ms", "p_ms", "pr_error_ms"), reason)
    t_wave, qtc_ms, of_rr = limits.t_wave, _qtc_ms(limits, beat), _qt_ms(limits) / beat.rr_s / 1000
    if t_wave is not None and not (
        PLAUSIBLE_QTC_MS[0] <= qtc_ms <= PLAUSIBLE_QTC_MS[1] and of_rr <= LONGEST_QT
    ):
        t_wave = None
        reason = f"no QT: a QTc of {qtc_ms:.0f} ms, {of_rr:.0%} of RR, is not plausible"
        withheld |= dict.fromkeys(("qt_ms", "qtc_ms", "jt_ms", "qt_error_ms"), reason)
        flags = (*flags, reason)
    limits = replace(limits, p_wave=p_wave, t_wave=t_wave)
    moved = moves_by(beat, limits)
    if max(moved.on_ms, moved.off_ms) > MOST_MOVED_MS:
        flags = (*flags, f"QRS limits move by {max(moved.on_ms, moved.off_ms):.0f} ms with noise")
    flags += tuple(
        f"{name} interval moves by {by_ms:.0f} ms with noise"
        for name, by_ms in (("PR", moved.pr_ms), ("QT", moved.qt_ms))
        if by_ms > MOST_MOVED_MS
    )
    absent = _absent(leads)
    if absent is not None:
        findings, flags = (*findings, absent), (absent.text, *flags)
        beat = beat.with_silent(absent.leads)
    found = conduction(beat, qrs, sex)
    if not unfit_leads(findings, "signal", "place", "potential") & set(INDEPENDENT_LEADS):
        exchanged = find_exchanges(beat)
        findings = (*findings, *exchanged)
        flags = (*(item.text for item in exchanged), *flags)
    paced = pacing_finding(pacing, qrs.on_ms)
    if paced is not None:
        findings, flags = (*findings, paced), (paced.text, *flags)
    values = _values(beat, limits, found)
    values |= {
        "p_locked": np.nan if lock is None else lock.share,
        "qrs_error_ms": moved.qrs_ms,
        "pr_error_ms": moved.pr_ms,
        "qt_error_ms": moved.qt_ms,
        "axis_error_deg": found.axis_error_deg,
    }
    values, emptied = without_unfit({name: values[name] for name, _ in MEASUREMENTS}, findings)
    if absent is not None and len(leads) < FEW_LEADS:
        values["qrs_global_ms"], emptied["qrs_global_ms"] = np.nan, absent.text
    flags += tuple(
        f"{BLOCKS[name]} borderline: {verdict.decided_by}"
        for name, verdict in found.verdicts.items()
        if verdict.grade == "borderline" and name not in emptied
    )
    return Measurements(
        values,
        rows_without_unfit(_on_grid(beat, qrs), findings),
        beat,
        qrs,
        p_wave,
        limits.t_wave,
        found,
        flags,
        findings,
        pacing,
        emptied | withheld,
        rhythm,
    )


def measure_ecg(ecg: Ecg, *, sex: Sex | None = None) -> Measurements:
    """Measure a recording as a reader returns it, at 360 Hz as the tasks do.

    Parameters
    ----------
    ecg : Ecg
        Any leads, by any usual spelling; see `measure` for fewer than twelve. Below 250 Hz a flag
        tells the resolution.
    sex : {"M", "F"}, optional
        See `measure`.

    Raises
    ------
    DataError
        See `measure`.

    Examples
    --------
    >>> from cardio_ecg_transfer.synthetic.patient import PatientSpec
    >>> from cardio_ecg_transfer.synthetic.simulation import simulate
    >>> ecg, truth = simulate(PatientSpec(conduction="lbbb"), 10.0, 500.0, seed=1)
    >>> made = measure_ecg(ecg, sex="F")
    >>> bool(abs(made.values["qrs_ms"] - truth.qrs_ms.mean()) < 20), made.values["lbbb"]
    (True, 1.0)
    """
    full = derive_limb_leads(replace(ecg, leads=canonical_leads(ecg.leads)[0]))
    checked = check_recording(full)
    bridged, peaks, pacing = beats_without_spikes(checked.ecg)
    signal_mv, r_samples = at_working_rate(bridged, peaks)
    made = measure(
        signal_mv,
        TARGET_RATE_HZ,
        r_samples,
        full.leads,
        sex=sex,
        findings=checked.findings,
        pacing=pacing,
    )
    return replace(made, flags=(*checked.flags, *made.flags))


def _absent(leads: tuple[str, ...]) -> Finding | None:
    """Name what was recorded where that is not all of the twelve leads."""
    absent = tuple(lead for lead in STANDARD_LEADS if lead not in leads)
    if not absent:
        return None
    text = f"only {', '.join(leads)} recorded: times are given, what needs other leads is withheld"
    return Finding(text, absent, "signal")


def _values(beat: MedianBeat, limits: Limits, found: Conduction) -> dict[str, float]:
    """Return what the limits and the criteria give, by name."""
    qrs, p_wave = limits.qrs, limits.p_wave
    waves = {lead: qrs_waves(beat, qrs, lead) for lead in STANDARD_LEADS}
    qt_ms = _qt_ms(limits)
    values = {
        "heart_rate_bpm": 60.0 / beat.rr_s,
        "pr_ms": np.nan if p_wave is None else qrs.on_ms - p_wave.on_ms,
        "p_ms": np.nan if p_wave is None else p_wave.off_ms - p_wave.on_ms,
        "qrs_global_ms": qrs.qrs_global_ms,
        "qrs_ms": qrs.qrs_ms,
        "qt_ms": qt_ms,
        "qtc_ms": _qtc_ms(limits, beat),
        "axis_deg": found.axis_deg,
        "qrs_area_uvs": qrs_area_uvs(beat, qrs),
        "n_notched": float(found.n_notched),
        "r_peak_v6_ms": waves["V6"].r_peak_ms,
    }
    values |= {
        "jt_ms": qt_ms - qrs.qrs_ms,
        "n_fragmented": float(sum(wave.fragmented for wave in waves.values())),
        **{name: float(verdict.present) for name, verdict in found.verdicts.items()},
        **{f"{name}_share": verdict.share for name, verdict in found.verdicts.items()},
    }
    values |= {f"r_{lead.lower()}_mv": waves[lead].r_mv for lead in HEIGHT_LEADS}
    values |= {f"s_{lead.lower()}_mv": waves[lead].s_mv for lead in HEIGHT_LEADS}
    return values


def wave_axes_deg(made: Measurements) -> tuple[dict[str, float], dict[str, str]]:
    """Return the axes of P and T by name, NaN where there is none, and why one is withheld."""
    values = {
        "p_axis_deg": p_axis_deg(made.beat, made.p_wave),
        "t_axis_deg": t_axis_deg(made.beat, made.qrs, made.t_wave),
    }
    without = {"p_axis_deg": made.withheld.get("pr_ms"), "t_axis_deg": made.withheld.get("qt_ms")}
    values, emptied = without_unfit(values, made.findings)
    return values, emptied | {name: why for name, why in without.items() if why}


def _qt_ms(limits: Limits) -> float:
    return np.nan if limits.t_wave is None else limits.t_wave.off_ms - limits.qrs.on_ms


def _qtc_ms(limits: Limits, beat: MedianBeat) -> float:
    return float(_qt_ms(limits) / np.cbrt(beat.rr_s))


def _on_grid(beat: MedianBeat, qrs: QrsBounds) -> NDArray[np.float32]:
    """Bring the twelve leads to the common grid, after a low-pass that fits its rate."""
    rows_mv = beat.rows(STANDARD_LEADS)
    smooth = gaussian_filter1d(rows_mv, _GRID_SMOOTHING_MS * beat.rate_hz / 1000, axis=1)
    levelled = smooth - smooth[:, beat.index(qrs.on_ms - 4.0), None]
    grid_ms = np.linspace(*GRID_EXTENT_MS, GRID_POINTS)
    return np.stack([np.interp(grid_ms, beat.time_ms, row) for row in levelled]).astype(np.float32)
