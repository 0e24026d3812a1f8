"""What is wrong with a recording before anything is measured in it: units, gaps, dead leads.

Nothing is corrected in what the user keeps. What is measured rests on a working copy, in which
gaps are missing values and a unit that cannot be right is one that can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfiltfilt

from cardio_ecg_transfer.signal.ecg import Ecg, Finding, unfit_leads
from cardio_ecg_transfer.signal.filters import fill_gaps, sections
from cardio_ecg_transfer.signal.leads.agreement import disagreements
from cardio_ecg_transfer.signal.leads.names import LIMB_LEADS, STANDARD_LEADS

# Of a lead by itself: the CSE working party's smallest wave, and runs that no heart makes.
FLAT_MV = 0.02
FLAT_RUN_S = 1.0
STILL_RUN_S = 0.5
CLIPPED_RUN_S = 0.016
_NOISE_WINDOW_S = 0.2
_RAIL = 0.2


LIMITS = {
    "missing_share": 0.0,
    "flat_share": 0.05,
    "clipped_share": 0.001,
    "wander_mv": 0.25,
    "noise_mv": 0.03,
    "mains_mv": 0.03,
}
"""What a lead may have before it is flagged; see `LeadQuality`. Set on 353 PTB-XL recordings so
that about one lead in 25 is named."""


@dataclass(frozen=True)
class LeadQuality:
    """The state of one lead.

    Attributes
    ----------
    lead : str
        Its usual name.
    missing_share : float
        Share of samples that are NaN, 0 to 1.
    flat_share : float
        Share of samples within stretches of at least 1 s that move by less than 20 µV; 1 for a
        lead without a signal.
    clipped_share : float
        Share of samples within stretches of at least 16 ms at exactly the lead's largest or
        smallest value.
    wander_mv : float
        Root mean square below 0.5 Hz, the mean excluded.
    noise_mv : float
        Root mean square above 40 Hz in the quieter half of the recording (a median over windows
        of 0.2 s, so that QRS complexes do not count), mains excluded.
    mains_mv : float
        Root mean square of the 50 or 60 Hz component, the larger one.
    """

    lead: str
    missing_share: float
    flat_share: float
    clipped_share: float
    wander_mv: float
    noise_mv: float
    mains_mv: float

    @property
    def is_flat(self) -> bool:
        """Whether the lead carries no signal at all: flat or missing throughout."""
        return self.flat_share + self.missing_share >= 1.0

    @property
    def clips(self) -> bool:
        """Whether so much of it is cut off that its heights are not the heart's."""
        return self.clipped_share > LIMITS["clipped_share"]

    def flags(self, *, clipping: bool = True) -> tuple[str, ...]:
        """Name what is beyond the limits, with its number; `clipping` can be left out.

        Examples
        --------
        >>> LeadQuality("V1", 0.25, 0.0, 0.0, 0.1, 0.04, 0.0).flags()
        ('V1 missing for 25.0% of the time', 'V1 noise 0.040 mV')
        """
        if self.is_flat:
            return (f"{self.lead} flat",)
        found = []
        for share in ("missing", "flat", *(("clipped",) if clipping else ())):
            value = getattr(self, f"{share}_share")
            if value > LIMITS[f"{share}_share"]:
                found.append(f"{self.lead} {share} for {value:.1%} of the time")
        for name, word in (("wander", "wanders by"), ("noise", "noise"), ("mains", "mains")):
            value = getattr(self, f"{name}_mv")
            if value > LIMITS[f"{name}_mv"]:
                found.append(f"{self.lead} {word} {value:.3f} mV")
        return tuple(found)


def assess_quality(ecg: Ecg) -> tuple[LeadQuality, ...]:
    """Measure every lead of an unfiltered recording.

    Parameters
    ----------
    ecg : Ecg
        As it was read; filters hide what is looked for here. Missing samples are bridged by
        straight lines for the filters.

    Returns
    -------
    tuple of LeadQuality
        One a lead, in the recording's order.

    Examples
    --------
    >>> t = np.arange(5000) / 500
    >>> mv = np.float32([np.sin(2 * np.pi * 50 * t), np.zeros(5000)])
    >>> first, second = assess_quality(Ecg(mv, 500.0, ("II", "V1")))
    >>> first.flags(), second.flags()
    (('II mains 0.707 mV',), ('V1 flat',))
    """
    return tuple(
        _assess_lead(lead, signal_mv, ecg.rate_hz)
        for lead, signal_mv in zip(ecg.leads, ecg.signal_mv, strict=True)
    )


def still_samples(signal_mv: NDArray[np.float32], rate_hz: float) -> NDArray[np.bool_]:
    """Mark where a lead stays at exactly one value for 0.5 s or more: a dropout, not a heart.

    Recorders that compress hold the line between two beats for up to a third of a second.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_samples,)
        One lead.
    rate_hz : float
        Sampling rate.

    Examples
    --------
    >>> signal_mv = np.float32([*np.sin(np.arange(300)), *[0.5] * 150, *np.sin(np.arange(50))])
    >>> int(still_samples(signal_mv, 250.0).sum())
    150
    """
    n_min = max(3, round(STILL_RUN_S * rate_hz))
    same = np.diff(signal_mv) == 0
    kept = _in_long_runs(same, n_min - 1)
    return np.asarray(np.r_[kept, False] | np.r_[False, kept])


def _assess_lead(lead: str, signal_mv: NDArray[np.float32], rate_hz: float) -> LeadQuality:
    """Measure one lead, shape (n_samples,)."""
    missing = np.isnan(signal_mv)
    missing_share = float(missing.mean())
    if missing.all():
        return LeadQuality(lead, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    bridged, _ = fill_gaps(signal_mv)
    flat = _flat_samples(bridged, rate_hz) & ~missing
    clipped = _clipped_samples(signal_mv, rate_hz) & ~flat
    mains_mv, without_mains = _mains(bridged, rate_hz)
    slow = sosfiltfilt(sections("butter", 2, 0.5, "lowpass", rate_hz), bridged)
    return LeadQuality(
        lead=lead,
        missing_share=missing_share,
        flat_share=float(flat.mean()),
        clipped_share=float(clipped.mean()),
        wander_mv=float(np.std(slow)),
        noise_mv=_noise_mv(without_mains, rate_hz),
        mains_mv=mains_mv,
    )


def _in_long_runs(mask: NDArray[np.bool_], n_min: int) -> NDArray[np.bool_]:
    """Keep the runs of True that are at least n_min long."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.view(np.int8), [0]])))
    starts, stops = edges[::2], edges[1::2]
    long = stops - starts >= n_min
    kept = np.zeros(mask.size + 1, dtype=np.int64)
    kept[starts[long]] += 1
    kept[stops[long]] -= 1
    return np.cumsum(kept[:-1]).astype(bool)


def _flat_samples(signal_mv: NDArray[np.float64], rate_hz: float) -> NDArray[np.bool_]:
    """Mark stretches that move by less than 20 µV, found on a grid of half their length."""
    half = max(1, round(FLAT_RUN_S * rate_hz / 2))
    n_blocks = signal_mv.size // half
    flat = np.zeros(signal_mv.size, dtype=bool)
    if n_blocks < 2:
        flat[:] = np.ptp(signal_mv) < FLAT_MV
        return flat
    blocks = signal_mv[: n_blocks * half].reshape(n_blocks, half)
    low, high = blocks.min(axis=1), blocks.max(axis=1)
    span = np.maximum(high[1:], high[:-1]) - np.minimum(low[1:], low[:-1])
    for block in np.flatnonzero(span < FLAT_MV):
        flat[block * half : (block + 2) * half] = True
    flat[n_blocks * half :] = flat[n_blocks * half - 1]
    return flat


def _clipped_samples(signal_mv: NDArray[np.float32], rate_hz: float) -> NDArray[np.bool_]:
    """Mark stretches of at least 16 ms at exactly the largest or the smallest value.

    A rail is far from the resting level: an extreme within a fifth of the lead's span of the
    median is the baseline of a lead that only points one way. Beats hit it again and again; the
    one value with which some recorders fill the last tenth of a second is none.
    """
    n_min = max(3, round(CLIPPED_RUN_S * rate_hz))
    middle, span = np.nanmedian(signal_mv), np.nanmax(signal_mv) - np.nanmin(signal_mv)
    clipped = np.zeros(signal_mv.size, dtype=bool)
    for rail in (np.nanmin(signal_mv), np.nanmax(signal_mv)):
        if abs(rail - middle) > _RAIL * span:
            there = _in_long_runs(signal_mv == rail, n_min)
            there[: int(np.argmin(there))] = False  # a run that the recording begins or ends with
            there[there.size - int(np.argmin(there[::-1])) :] = False
            if np.count_nonzero(np.diff(there.view(np.int8)) == 1) > 2:
                clipped |= there
    return clipped


def _mains(signal_mv: NDArray[np.float64], rate_hz: float) -> tuple[float, NDArray[np.float64]]:
    """Fit a sine of 50 and of 60 Hz to each second; return the larger one's size and the rest.

    A fit a second follows slow changes of the mains; its median ignores bursts.
    """
    n_window = round(rate_hz)
    n_windows = signal_mv.size // n_window
    rest = signal_mv.copy()
    if n_windows == 0:
        return 0.0, rest
    windows = rest[: n_windows * n_window].reshape(n_windows, n_window)
    sizes = {}
    for mains_hz in (50.0, 60.0):
        if mains_hz < 0.45 * rate_hz:
            basis = _sine(mains_hz, n_window, rate_hz)
            fitted = windows @ basis @ basis.T
            sizes[mains_hz] = (float(np.median(np.sqrt(np.mean(fitted**2, axis=1)))), fitted)
    if not sizes:
        return 0.0, rest
    size_mv, fitted = max(sizes.values(), key=lambda pair: pair[0])
    windows -= fitted
    return size_mv, rest


@cache
def _sine(mains_hz: float, n_window: int, rate_hz: float) -> NDArray[np.float64]:
    """Return an orthonormal basis of the sines of one frequency, shape (n_window, 2)."""
    phase = 2 * np.pi * mains_hz * np.arange(n_window) / rate_hz
    return np.linalg.qr(np.stack([np.cos(phase), np.sin(phase)], axis=1))[0]


def _noise_mv(signal_mv: NDArray[np.float64], rate_hz: float) -> float:
    """Return the typical root mean square above 40 Hz outside QRS complexes."""
    if rate_hz <= 90.0:
        return 0.0
    fast = sosfiltfilt(sections("butter", 4, 40.0, "highpass", rate_hz), signal_mv)
    n_window = max(1, round(_NOISE_WINDOW_S * rate_hz))
    n_windows = max(1, fast.size // n_window)
    windows = fast[: n_windows * n_window].reshape(n_windows, -1)
    return float(np.median(np.sqrt(np.mean(windows**2, axis=1))))


SPANS_MV: dict[str, tuple[float, float]] = {
    "I": (0.87, 3.3), "II": (1.02, 4.9), "III": (0.78, 5.2),
    "aVR": (0.90, 3.3), "aVL": (0.64, 3.8), "aVF": (0.79, 4.8),
    "V1": (1.08, 5.5), "V2": (1.92, 8.6), "V3": (1.80, 8.3),
    "V4": (1.85, 7.9), "V5": (1.63, 7.2), "V6": (1.27, 6.1),
}  # fmt: skip
"""What a beat spans on the skin in each lead: usually, and at most. The heart's current is bounded,
and a lead's distance from it decides the rest: medians of PTB-XL's 353 recordings that are here,
and half as much again as the largest of them."""

OF_USUAL = (0.3, 3.4)
"""Between which all leads together, in the geometric mean over what is usual, are one heart's: the
353 recordings lie from 0.50 to 2.7. Ten times as large, or a tenth, is beyond in each of them."""

FEW_LEADS = 6
"""Fewer of the standard leads than this are judged by `FEW_USUAL` alone: one lead may look on the
heart from where it shows little."""

FEW_USUAL = 5.0
_OTHER_LEAD_MV = 1.2
_FACTORS = (10.0, 1e3, 1e6)  # a gain of 10 is taken for one, or mV, µV and V for each other
_SPAN_S = 2.0  # a beat, and little of the baseline's wander
DEAD_SHARE = 0.5
"""Of the time without a signal, from which a lead is left out of everything."""

RESOLVED_HZ = 250.0
"""Below, the resolution is told; diagnostic ECGs have 500 (Kligfield 2007)."""

_SAME = 0.01  # of a lead's size, by which two leads with one signal differ
_COARSE, _ALIKE = 16, 0.99


@dataclass(frozen=True)
class Checked:
    """A recording to measure, and what a reader should know of it.

    Attributes
    ----------
    ecg : Ecg
        The working copy.
    findings : tuple of Finding
        With leads that nothing is said of.
    flags : tuple of str
        Every finding in words, and what else is not as it should be.
    """

    ecg: Ecg
    findings: tuple[Finding, ...]
    flags: tuple[str, ...]


def check_recording(ecg: Ecg) -> Checked:
    """Look at the leads themselves, one by one and beside each other.

    Parameters
    ----------
    ecg : Ecg
        As it was read, with usual lead names, unfiltered.

    Returns
    -------
    Checked
        The working copy has the same leads, rate and length.

    Examples
    --------
    >>> t = np.arange(5000) / 500
    >>> beat = np.sin(7 * t) + np.exp(-(((t % 1) - 0.5) / 0.012) ** 2)
    >>> ecg = Ecg(np.float32([beat * 900, 0 * beat]), 500.0, ("II", "V1"))
    >>> for flag in check_recording(ecg).flags:
    ...     print(flag)
    potentials of 1930 mV are 1000 times too large: correct the unit, amplitudes are withheld
    V1 is flat: intervals come from the other leads, check its electrode
    """
    ecg, findings = _in_a_possible_unit(ecg)
    flags: list[str] = []
    gone = np.isnan(ecg.signal_mv)
    still = np.stack([still_samples(row, ecg.rate_hz) for row in ecg.signal_mv])
    for lead, empty, quality in zip(ecg.leads, gone | still, assess_quality(ecg), strict=True):
        if quality.is_flat:
            text = f"{lead} is flat: intervals come from the other leads, check its electrode"
            findings.append(Finding(text, (lead,), "signal"))
        elif max(empty.mean(), quality.missing_share + quality.flat_share) >= DEAD_SHARE:
            text = f"{lead} has no signal for most of the time: intervals come from the other leads"
            findings.append(Finding(text, (lead,), "signal"))
        elif quality.clips:
            flags += quality.flags(clipping=False)
            share = quality.clipped_share
            text = f"{lead} clipped for {share:.1%} of the time: its amplitudes are withheld"
            findings.append(Finding(text, (lead,), "potential"))
        else:
            flags += quality.flags()
            if quality.flat_share == 0.0 and empty.mean() > quality.missing_share:
                share = empty.mean() - quality.missing_share
                flags.append(f"{lead} does not change for {share:.1%} of the time")
    dead = unfit_leads(tuple(findings), "signal")
    signal_mv = np.where(still, np.float32(np.nan), ecg.signal_mv)
    signal_mv[[lead in dead for lead in ecg.leads]] = 0.0
    ecg = replace(ecg, signal_mv=signal_mv)
    findings += disagreements(ecg, dead)
    findings += _repeated(ecg, dead | unfit_leads(tuple(findings), "place"))
    if ecg.rate_hz < RESOLVED_HZ:
        flags.append(resolution_flag(ecg.rate_hz))
    return Checked(
        ecg,
        tuple(findings),
        (*(finding.text for finding in findings), *flags),
    )


def resolution_flag(rate_hz: float) -> str:
    """Say how finely times are resolved.

    Examples
    --------
    >>> resolution_flag(100.0)
    'recorded at 100 Hz: times are resolved to 10 ms, notches and small waves may be lost'
    """
    return (
        f"recorded at {rate_hz:g} Hz: times are resolved to {1000 / rate_hz:.3g} ms, notches and "
        "small waves may be lost"
    )


def _in_a_possible_unit(ecg: Ecg) -> tuple[Ecg, list[Finding]]:
    """Divide by the likeliest factor where all leads are larger or smaller than any heart's."""
    spans = _spans_mv(ecg)
    usual = np.array([SPANS_MV.get(lead, (_OTHER_LEAD_MV,))[0] for lead in ecg.leads])
    alive = spans > 0
    if not alive.any():
        return ecg, []
    ratio = float(np.exp(np.log(spans[alive] / usual[alive]).mean()))
    few = sum(lead in SPANS_MV for lead in np.array(ecg.leads)[alive]) < FEW_LEADS
    least, most = (0.0, FEW_USUAL) if few else OF_USUAL
    if least <= ratio <= most or np.median(spans) <= FLAT_MV * least:
        return ecg, _too_large_alone(ecg.leads, spans)
    times = min(_FACTORS, key=lambda factor: abs(np.log10(max(ratio, 1 / ratio) / factor)))
    span = float(f"{np.median(spans[alive]):.3g}")
    how, factor = ("large", times) if ratio > 1 else ("small", 1 / times)
    text = (
        f"potentials of {span:g} mV are {times:g} times too {how}: correct the unit, "
        "amplitudes are withheld"
    )
    scaled = replace(ecg, signal_mv=(ecg.signal_mv / factor).astype(np.float32))
    return scaled, [Finding(text, STANDARD_LEADS, "unit")]


def _too_large_alone(leads: tuple[str, ...], spans: NDArray[np.float64]) -> list[Finding]:
    """Find leads that span more than any heart does there, while the others do not."""
    return [
        Finding(
            f"{lead} spans {span:.3g} mV, at most {SPANS_MV[lead][1]:g} mV is possible there: "
            "its amplitudes are withheld, check its gain",
            (lead,),
            "potential",
        )
        for lead, span in zip(leads, spans, strict=True)
        if lead in SPANS_MV and span > SPANS_MV[lead][1]
    ]


def _spans_mv(ecg: Ecg) -> NDArray[np.float64]:
    """Return what each lead spans in two seconds, in the middle of such stretches."""
    n_each = max(2, min(round(_SPAN_S * ecg.rate_hz), ecg.signal_mv.shape[1]))
    n_parts = max(1, ecg.signal_mv.shape[1] // n_each)
    parts = ecg.signal_mv[:, : n_parts * n_each].reshape(len(ecg.leads), n_parts, -1)
    parts = np.where(np.isnan(parts).all(axis=2, keepdims=True), np.float32(0), parts)
    low, high = (np.nanquantile(parts, share, axis=2) for share in (0.002, 0.998))
    return np.asarray(np.median(high - low, axis=1), dtype=np.float64)


def _repeated(ecg: Ecg, reported: frozenset[str]) -> list[Finding]:
    """Find leads that hold one and the same signal."""
    found = []
    coarse = np.nan_to_num(ecg.signal_mv[:, ::_COARSE].astype(np.float64))
    with np.errstate(invalid="ignore"):
        alike = np.atleast_2d(np.corrcoef(coarse))
    for first, second in combinations(range(len(ecg.leads)), 2):
        if not alike[first, second] > _ALIKE:
            continue  # as nearly always
        names = (ecg.leads[first], ecg.leads[second])
        if reported & set(names) or not set(names) <= set(STANDARD_LEADS):
            continue
        if set(names) <= set(LIMB_LEADS) and ecg.derived & set(names):
            continue
        pair = ecg.signal_mv[[first, second]]
        pair = pair[:, np.isfinite(pair).all(axis=0)].astype(np.float64)
        if pair.shape[1] < 2:
            continue
        size = float(pair[0].std())
        if size > 0 and float((pair[1] - pair[0]).std()) < _SAME * size:
            text = f"{names[0]} and {names[1]} hold the same signal: export the recording again"
            found.append(Finding(text, names))
    return found
