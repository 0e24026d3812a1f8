"""Where a recording cannot be read, beside its own usual state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ectopy.shapes import Shapes, windows
from cardio_ecg_transfer.signal.filters import band_pass

RARE = 0.004
"""Share of the beats below which a group of shapes is rare."""

HISS = 0.3
COMPANY = 0.05
EARLY = -0.35
SMALL = -0.5

_ECG_HZ = (0.3, 40.0)
_SMOOTH_HZ = (0.5, 20.0)
_DRIFT_HZ = (0.05, 1.0)
_TINY = 1e-3
_HISS_S, _LOUD_S, _DRIFT_S = 0.5, 0.6, 0.7  # to either side of R
_BEFORE_S = (0.35, 0.08)  # the complex: from and to
_NEAR = 5  # beats to either side


def noise(
    signal_mv: NDArray[np.floating],
    r_samples: NDArray[np.int64],
    shapes: Shapes,
    own: NDArray[np.bool_],
    rate_hz: float,
) -> dict[str, NDArray[np.floating]]:
    """Describe how much louder the surroundings of each beat are than the recording's usual ones.

    Returns
    -------
    dict of str to ndarray, shape (n_beats,)
        Logarithms beside the recording's median: ``hiss`` (above 40 Hz within half a second;
        loudest lead, ``_least`` quietest, ``_near`` mean of eleven beats), ``loud`` (all within
        0.6 s), ``restless`` (range of what comes before the complex), ``drift`` (of the baseline);
        ``rare_near``: share of rare shapes among eleven beats.
    """
    half = round(_HISS_S * rate_hz)
    hissing = windows(signal_mv - band_pass(signal_mv, rate_hz, _ECG_HZ), r_samples, half, half)
    hiss = _beside(np.sqrt((hissing**2).mean(axis=2)))
    wide = round(_LOUD_S * rate_hz)
    loud = _beside(windows(signal_mv, r_samples, wide, wide).std(axis=2))
    smooth = band_pass(signal_mv, rate_hz, _SMOOTH_HZ)
    begin, end = (round(reach * rate_hz) for reach in _BEFORE_S)
    before = windows(smooth, r_samples, begin, -end)
    restless = _beside(np.ptp(before, axis=2), own)
    reach = round(_DRIFT_S * rate_hz)
    slow = windows(band_pass(signal_mv, rate_hz, _DRIFT_HZ), r_samples, reach, reach)
    drift = _beside(np.abs(np.diff(slow, axis=2)).max(axis=2))
    share = np.bincount(shapes.group) / len(shapes.group)
    return {
        "hiss": hiss.max(axis=1),
        "hiss_least": hiss.min(axis=1),
        "hiss_near": _smoothed(hiss.max(axis=1), _NEAR),
        "loud": loud.max(axis=1),
        "loud_least": loud.min(axis=1),
        "restless": restless.max(axis=1),
        "restless_least": restless.min(axis=1),
        "restless_near": _smoothed(restless.max(axis=1), _NEAR),
        "drift": drift.max(axis=1),
        "rare_near": _smoothed((share[shapes.group] < RARE).astype(float), _NEAR),
    }


def unreadable(evidence: dict[str, NDArray[np.floating]]) -> NDArray[np.bool_]:
    """Say which detections lie in noise: no beat there can be named.

    All of: a shape that the recording hardly knows, in the company of other rare shapes, with more
    hiss than usual; and a detection that comes too close to its neighbour, or is much smaller than
    the patient's beats. The limits were set on DS1, where 120 of 136 detections without a beat
    fall under them, and 60 of 44,000 normal and 32 of 3,800 ventricular beats.
    """
    early = np.minimum(evidence["rr_to_near"], evidence["next_to_near"]) < EARLY
    return np.asarray(
        (evidence["group_share"] < np.log(RARE))
        & (evidence["hiss"] > HISS)
        & (evidence["rare_near"] > COMPANY)
        & (early | (evidence["size:0"] < SMALL))
    )


def _beside(
    levels: NDArray[np.floating], usual: NDArray[np.bool_] | None = None
) -> NDArray[np.floating]:
    """Return the logarithm of levels (n_beats, n_leads) beside each lead's median."""
    chosen = levels if usual is None else levels[usual]
    middle = np.maximum(np.median(chosen, axis=0), 1e-6)
    return np.asarray(np.log(levels / middle + _TINY))


def _smoothed(values: NDArray[np.floating], reach: int) -> NDArray[np.floating]:
    window = np.ones(2 * reach + 1) / (2 * reach + 1)
    return np.convolve(np.pad(values, reach, mode="edge"), window, "valid")
