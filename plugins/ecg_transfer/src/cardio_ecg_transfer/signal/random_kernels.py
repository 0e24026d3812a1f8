"""Random convolution kernels: thousands of fixed features of a beat, fitted on nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

LENGTHS = (7, 9, 11)
_FLAT = 1e-3  # mV: a lead that varies less is no signal to be made large


@dataclass(frozen=True)
class Kernels:
    """Kernels of one length, dilation and padding.

    Attributes
    ----------
    length, dilation, padding : int
        Taps, samples from tap to tap, and zeros on either side of the beat.
    weights : ndarray of float32, shape (n_leads * length, n_kernels)
        Zero in the leads that a kernel does not look at; each lead's taps have mean 0.
    bias : ndarray of float32, shape (n_kernels,)
    """

    length: int
    dilation: int
    padding: int
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def draw_kernels(n: int, n_leads: int, n_samples: int, seed: int) -> tuple[Kernels, ...]:
    """Draw kernels that look at one to all leads over 7 samples to the whole beat.

    Parameters
    ----------
    n : int
        How many.
    n_leads, n_samples : int
        Of the beats: at least 11 samples.
    seed : int
        Same seed, same kernels.

    Notes
    -----
    ROCKET: Dempster A, Petitjean F, Webb GI. Data Min Knowl Discov 2020;34:1454. Weights are
    normal, the bias uniform from -1 to 1, the dilation log-uniform up to the length of the series,
    padding is there or not, and the number of leads log-uniform, as in the authors' extension to
    several channels. Written by hand: the kept libraries that have it (aeon, sktime) bring numba.

    Examples
    --------
    >>> sum(group.weights.shape[1] for group in draw_kernels(50, 12, 121, seed=0))
    50
    """
    rng = np.random.default_rng(seed)
    drawn: dict[tuple[int, int, int], list[tuple[NDArray[np.float32], float]]] = {}
    for _ in range(n):
        length = int(rng.choice(LENGTHS))
        n_chosen = min(n_leads, int(2 ** rng.uniform(0, np.log2(n_leads + 1))))
        chosen = rng.choice(n_leads, n_chosen, replace=False)
        taps = rng.normal(size=(n_chosen, length))
        dilation = int(2 ** rng.uniform(0, np.log2((n_samples - 1) / (length - 1))))
        padding = (length - 1) * dilation // 2 if rng.random() < 0.5 else 0
        weights = np.zeros((n_leads, length), np.float32)
        weights[chosen] = taps - taps.mean(axis=1, keepdims=True)
        bias = float(rng.uniform(-1, 1))
        drawn.setdefault((length, dilation, padding), []).append((weights.ravel(), bias))
    return tuple(
        Kernels(
            *shape,
            np.stack([weights for weights, _ in members], axis=1),
            np.array([bias for _, bias in members], np.float32),
        )
        for shape, members in sorted(drawn.items())
    )


def kernel_features(
    beats: NDArray[np.floating], kernels: tuple[Kernels, ...]
) -> NDArray[np.float64]:
    """Return each kernel's share of positive outputs and its largest output.

    Parameters
    ----------
    beats : ndarray, shape (n_beats, n_leads, n_samples)
        mV. Each lead is brought to mean 0 and standard deviation 1; one without a value somewhere,
        or all but flat, counts as 0 throughout.
    kernels : tuple of Kernels
        As `draw_kernels` gives them for these numbers of leads and samples.

    Returns
    -------
    ndarray of float64, shape (n_beats, 2 * n_kernels)
        A beat's features do not depend on the beats beside it.

    Examples
    --------
    >>> beats = np.random.default_rng(0).normal(size=(3, 12, 121))
    >>> found = kernel_features(beats, draw_kernels(50, 12, 121, seed=0))
    >>> found.shape, bool((found[:, :50] >= 0).all() and (found[:, :50] <= 1).all())
    ((3, 100), True)
    """
    shares, largest = [], []
    for beat in _scaled(beats):
        outputs = [_outputs(beat, group) for group in kernels]
        shares.append(np.concatenate([(output > 0).mean(axis=0) for output in outputs]))
        largest.append(np.concatenate([item.max(axis=0) for item in outputs]))
    return np.hstack([np.array(shares, np.float64), np.array(largest, np.float64)])


def _scaled(beats: NDArray[np.floating]) -> NDArray[np.float32]:
    known = np.isfinite(beats).all(axis=2, keepdims=True)
    filled = np.where(known, beats, 0.0)
    centred = filled - filled.mean(axis=2, keepdims=True)
    spread = centred.std(axis=2, keepdims=True)
    return np.where(spread > _FLAT, centred / np.maximum(spread, _FLAT), 0.0).astype(np.float32)


def _outputs(beat: NDArray[np.float32], group: Kernels) -> NDArray[np.float32]:
    """Return the outputs of a group, shape (n_places, n_kernels)."""
    padded = np.pad(beat, ((0, 0), (group.padding, group.padding)))
    reach = (group.length - 1) * group.dilation + 1
    windows = sliding_window_view(padded, reach, axis=1)[:, :, :: group.dilation]
    by_place = np.ascontiguousarray(windows.transpose(1, 0, 2)).reshape(windows.shape[1], -1)
    return np.asarray(by_place @ group.weights + group.bias, np.float32)
