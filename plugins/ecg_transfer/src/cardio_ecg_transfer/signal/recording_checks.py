"""What is wrong with a recording before anything is measured in it: units, gaps, dead leads.

Nothing is corrected in what the user keeps. What is measured rests on a working copy, in which
gaps are missing values and a unit that cannot be right is one that can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.agreement import disagreements
from cardio_ecg_transfer.signal.leads.finding import Finding, unfit_leads
from cardio_ecg_transfer.signal.leads.names import LIMB_LEADS, STANDARD_LEADS
from cardio_ecg_transfer.signal.quality import FLAT_MV, assess_quality, still_samples

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
    potentials of 1930 mV are 1000 times too large: correct the unit in the file, no mV are given
    V1 flat: intervals rest on the other leads, check its electrode
    """
    ecg, findings = _in_a_possible_unit(ecg)
    flags: list[str] = []
    gone = np.isnan(ecg.signal_mv)
    still = np.stack([still_samples(row, ecg.rate_hz) for row in ecg.signal_mv])
    for lead, empty, quality in zip(ecg.leads, gone | still, assess_quality(ecg), strict=True):
        named = quality.flags()
        if quality.is_flat:
            text = f"{lead} flat: intervals rest on the other leads, check its electrode"
            findings.append(Finding(text, (lead,), "signal"))
        elif max(empty.mean(), quality.missing_share + quality.flat_share) >= DEAD_SHARE:
            text = f"{lead} has no signal for most of the time: intervals rest on the other leads"
            findings.append(Finding(text, (lead,), "signal"))
        elif quality.clips:
            flags += [flag for flag in named if "clipped" not in flag]
            text = f"{lead} clipped for {quality.clipped_share:.1%} of the time: no mV are given"
            findings.append(Finding(text, (lead,), "potential"))
        else:
            flags += named
            if quality.flat_share == 0.0 and empty.mean() > quality.missing_share:
                share = empty.mean() - quality.missing_share
                flags.append(f"{lead} stands still for {share:.1%} of the time")
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
        (*(one.text for one in findings), *flags),
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
    times = min(_FACTORS, key=lambda one: abs(np.log10(max(ratio, 1 / ratio) / one)))
    span = float(f"{np.median(spans[alive]):.3g}")
    how, factor = ("large", times) if ratio > 1 else ("small", 1 / times)
    text = (
        f"potentials of {span:g} mV are {times:g} times too {how}: correct the unit in the file, "
        "no mV are given"
    )
    scaled = replace(ecg, signal_mv=(ecg.signal_mv / factor).astype(np.float32))
    return scaled, [Finding(text, STANDARD_LEADS, "unit")]


def _too_large_alone(leads: tuple[str, ...], spans: NDArray[np.float64]) -> list[Finding]:
    """Find leads that span more than any heart does there, while the others do not."""
    return [
        Finding(
            f"{lead} spans {span:.3g} mV, a heart at most {SPANS_MV[lead][1]:g} mV there: no mV of "
            "it are given, check its gain",
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


def _repeated(ecg: Ecg, told: frozenset[str]) -> list[Finding]:
    """Find leads that hold one and the same signal."""
    found = []
    coarse = np.nan_to_num(ecg.signal_mv[:, ::_COARSE].astype(np.float64))
    with np.errstate(invalid="ignore"):
        alike = np.atleast_2d(np.corrcoef(coarse))
    for one, other in combinations(range(len(ecg.leads)), 2):
        if not alike[one, other] > _ALIKE:
            continue  # as nearly always
        names = (ecg.leads[one], ecg.leads[other])
        if told & set(names) or not set(names) <= set(STANDARD_LEADS):
            continue
        if set(names) <= set(LIMB_LEADS) and any(f"{lead} derived" in ecg.flags for lead in names):
            continue
        pair = ecg.signal_mv[[one, other]]
        pair = pair[:, np.isfinite(pair).all(axis=0)].astype(np.float64)
        if pair.shape[1] < 2:
            continue
        size = float(pair[0].std())
        if size > 0 and float((pair[1] - pair[0]).std()) < _SAME * size:
            text = f"{names[0]} and {names[1]} hold the same signal: export the recording again"
            found.append(Finding(text, names))
    return found
