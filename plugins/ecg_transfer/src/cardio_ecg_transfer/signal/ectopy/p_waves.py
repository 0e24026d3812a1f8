"""Whether the sinus P wave stands before a beat, and what is hidden on the T wave before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ectopy.shapes import Shapes, windows
from cardio_ecg_transfer.signal.filters import band_pass

P_S = (0.30, 0.06)
"""Where a P wave is looked for: from and to, before the R peak."""

HIDDEN_S = 0.45
REST_S = 0.7
_BAND_HZ = (0.5, 30.0)
_SLACK_S = 0.06
_BLIND_S = 0.14
_FLOOR_MV = 0.005
_FEWEST = 10
_LIMIT = 8.0
_NOT_EARLY = 0.97  # of the sinus interval
_FEWEST_OF_GROUP, _MOST_OF_GROUP = 4, 300  # beats whose ST and T make a template
_NEXT_P_S = 0.28  # before the next R: there the template ends
_TEMPLATE_S = (0.3, 0.66)
_LEVEL_S, _FADES_S = 0.04, 0.05
_FROM_S = 0.08  # behind R: what comes before is its own complex
_FEWEST_SAMPLES = 5
_NEVER_ZERO, _LEAST_LOG, _LEAST_RATIO = 1e-9, 1e-6, 0.1
_LEAST_SCALE = 0.02
_TO_SD = 1.4826  # from the median absolute deviation of a normal variable

Floats = NDArray[np.float32]


def p_waves(
    signal_mv: NDArray[np.floating],
    r_samples: NDArray[np.int64],
    shapes: Shapes,
    own: NDArray[np.bool_],
    rr_to_near: NDArray[np.floating],
    rate_hz: float,
) -> dict[str, NDArray[np.floating]]:
    """Compare what comes before each beat with the recording's own sinus P wave, in all leads.

    The sinus P wave is the median of what comes before own beats that are not early; the ST segment
    and T wave of the beat before (the median of its group, up to the next P wave) are taken away
    first. Leads weigh by how steady that P wave is in them.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Without NaN.
    r_samples : ndarray of int64, shape (n_beats,)
        R peaks.
    shapes : Shapes
        Groups of like complexes.
    own : ndarray of bool, shape (n_beats,)
        Whether a complex is of the patient's own kind.
    rr_to_near : ndarray, shape (n_beats,)
        From `timing`.
    rate_hz : float
        Sampling rate.

    Returns
    -------
    dict of str to ndarray, shape (n_beats,)
        ``p_cosine`` (best within 60 ms of its place), ``p_cosine_here`` (in place),
        ``p_cosine_z`` and ``p_distance_z`` (the same and the distance, in robust SD of the beats
        that are not early), ``hidden_z`` (what the T wave before holds beyond its template, in
        logarithm, beside theirs), and ``p_strength`` of the recording: its P wave beside its
        scatter.
    """
    smooth = band_pass(signal_mv, rate_hz, _BAND_HZ).astype(np.float32)
    begin, end = (round(reach * rate_hz) for reach in P_S)
    slack = round(_SLACK_S * rate_hz)
    rest = _rest(smooth, r_samples, shapes.group, rate_hz)
    clean, _ = _without_rest(
        smooth, r_samples, shapes.group, rest, (begin + slack, end - slack), rate_hz
    )
    late = own & (rr_to_near >= np.log(_NOT_EARLY))
    if late.sum() < _FEWEST:
        late = own if own.sum() >= _FEWEST else np.ones_like(own)
    width = begin - end
    here = _level(clean[:, :, slack : slack + width])
    wave = np.median(here[late], axis=0)
    scatter = _TO_SD * np.median(np.abs(here[late] - wave), axis=0).mean(axis=1) + _FLOOR_MV
    weight = 1.0 / scatter[:, None]
    target = (wave * weight).ravel()
    cosine = np.full(len(r_samples), -1.0)
    distance = np.full(len(r_samples), np.inf)
    for lag in range(0, 2 * slack + 1, 2):
        flat = (_level(clean[:, :, lag : lag + width]) * weight).reshape(len(r_samples), -1)
        cosine = np.maximum(cosine, _cosine(flat, target))
        distance = np.minimum(distance, np.linalg.norm(flat - target, axis=1))
    at_place = _cosine((here * weight).reshape(len(r_samples), -1), target)
    hidden = _hidden(smooth, r_samples, shapes.group, rest, scatter, rate_hz)
    strength = float(np.sqrt((wave**2).mean(axis=1) / scatter**2).max())
    return {
        "p_cosine": cosine,
        "p_cosine_here": at_place,
        "p_cosine_z": _robust(at_place, late),
        "p_distance_z": _robust(np.log(distance / np.sqrt(target.size) + _LEAST_LOG), late),
        "hidden_z": hidden - np.median(hidden[late]),
        "p_strength": np.full(len(r_samples), strength),
    }


def _rest(
    smooth: Floats, r_samples: NDArray[np.int64], group: NDArray[np.int64], rate_hz: float
) -> Floats:
    """Return what follows the complexes of each group, up to where the next P wave may begin."""
    reach = round(REST_S * rate_hz)
    after = windows(smooth, r_samples, 0, reach)
    post_s = np.append(np.diff(r_samples) / rate_hz, REST_S)
    time_s = np.arange(reach) / rate_hz
    rest = np.zeros((int(group.max()) + 1, smooth.shape[0], reach), np.float32)
    for number in range(len(rest)):
        members = np.flatnonzero(group == number)
        if len(members) < _FEWEST_OF_GROUP:
            continue
        late = members[post_s[members] >= np.median(post_s[members])]
        late = late[:: max(1, len(late) // _MOST_OF_GROUP)]
        stop_s = float(np.clip(np.median(post_s[late]) - _NEXT_P_S, *_TEMPLATE_S))
        wave = np.median(after[late], axis=0)
        level = (time_s > stop_s - _LEVEL_S) & (time_s <= stop_s)
        wave = wave - np.median(wave[:, level], axis=1, keepdims=True)
        rest[number] = wave * np.clip((stop_s - time_s) / _FADES_S, 0.0, 1.0)
    return rest


def _without_rest(
    smooth: Floats,
    r_samples: NDArray[np.int64],
    group: NDArray[np.int64],
    rest: Floats,
    reach: tuple[int, int],
    rate_hz: float,
) -> tuple[Floats, NDArray[np.int64]]:
    """Return stretches before each beat less the rest of the beat before, and their places.

    Places are samples after the R peak before; the first beat has none before it.
    """
    before, until = reach
    cut = windows(smooth, r_samples, before, -until)
    place = np.empty((len(r_samples), cut.shape[2]), np.int64)
    place[0] = rest.shape[2]
    place[1:] = (np.diff(r_samples) - before)[:, None] + np.arange(cut.shape[2])
    index = np.clip(place, 0, rest.shape[2] - 1)
    earlier = rest[np.append(group[:1], group[:-1])]
    taken = np.take_along_axis(earlier, index[:, None, :], axis=2)
    inside = (place >= round(_FROM_S * rate_hz)) & (place < rest.shape[2])
    return np.asarray(cut - np.where(inside[:, None, :], taken, 0), dtype=np.float32), place


def _hidden(
    smooth: Floats,
    r_samples: NDArray[np.int64],
    group: NDArray[np.int64],
    rest: Floats,
    scatter: NDArray[np.floating],
    rate_hz: float,
) -> NDArray[np.float64]:
    """Return the logarithm of what is left before each beat, from 140 ms after the one before."""
    reach = round(HIDDEN_S * rate_hz), round(P_S[1] * rate_hz)
    left, place = _without_rest(smooth, r_samples, group, rest, reach, rate_hz)
    seen = (place >= round(_BLIND_S * rate_hz))[:, None, :]
    count = np.maximum(seen.sum(axis=2), _FEWEST_SAMPLES)
    mean = np.where(seen, left, 0).sum(axis=2) / count
    spread = np.where(seen, (left - mean[:, :, None]) ** 2, 0).sum(axis=2) / count
    return np.asarray(np.log(np.sqrt(spread) / scatter + _LEAST_RATIO).max(axis=1))


def _level(stretches: Floats) -> Floats:
    """Take the mean and the slope away."""
    centred = stretches - stretches.mean(axis=-1, keepdims=True)
    ramp = np.linspace(-1, 1, stretches.shape[-1], dtype=np.float32)
    return np.asarray(centred - (centred @ ramp / (ramp @ ramp))[..., None] * ramp)


def _cosine(flat: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.floating]:
    norms = np.linalg.norm(flat, axis=1) * np.linalg.norm(target)
    return np.asarray(flat @ target / np.maximum(norms, _NEVER_ZERO))


def _robust(values: NDArray[np.floating], late: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Return values in robust SD from the median of the beats that are not early."""
    middle = np.median(values[late])
    scale = _TO_SD * np.median(np.abs(values[late] - middle)) + _LEAST_SCALE
    return np.asarray(np.clip((values - middle) / scale, -_LIMIT, _LIMIT))
