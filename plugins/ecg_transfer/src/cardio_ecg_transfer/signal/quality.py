"""How usable each lead is: missing, flat, clipped, wandering, noisy; in numbers, then in words.

References
----------
Silva I, Moody GB, Celi L. Improving the quality of ECGs collected using mobile phones. Computing
in Cardiology 2011; 38: 273-276 (flat, saturated, noisy leads as reasons to reject).
Clifford GD et al. Signal quality indices and data fusion for determining clinical acceptability
of electrocardiograms. Physiol Meas 2012; 33: 1419-1433.
Kligfield P et al. Circulation 2007; 115: 1306-1324 (the ECG's band: drift below 0.5 Hz).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfiltfilt

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import fill_gaps, sections

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

    def flags(self) -> tuple[str, ...]:
        """Name what is beyond the limits, with its number.

        Examples
        --------
        >>> LeadQuality("V1", 0.25, 0.0, 0.0, 0.1, 0.04, 0.0).flags()
        ('V1 missing for 25.0% of the time', 'V1 noise 0.040 mV')
        """
        if self.is_flat:
            return (f"{self.lead} flat",)
        found = []
        for share in ("missing", "flat", "clipped"):
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
