"""Spectrograms of beats as pictures, in blocks of matrix products on any device.

A block's frames times a windowed Fourier basis over the wanted band gives the spectrum; two more
products with bilinear weights give the picture. Nothing is computed above the band, and each block
is written over the last one's buffers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.spectrogram.settings import SpectrogramSettings, StftPlan

POWER_FLOOR_MV2 = 1e-16
"""Power that stands for silence (-160 dB re 1 mV^2), so that a flat lead has a finite picture."""

N_CODES = 255


@dataclass(frozen=True)
class Spectrograms:
    """Pictures of beats, and what is needed to read decibels from them.

    Attributes
    ----------
    images : ndarray of uint8, shape (n_beats, n_leads, height, width)
        Axes: beat, lead, frequency from 0 Hz upwards, time. 255 is the beat's maximum in that lead.
    gain_db : ndarray of float32, shape (n_beats, n_leads)
        That maximum, in dB re 1 mV^2.
    floor_db : float
        Code 0 stands for this much below the maximum.
    """

    images: NDArray[np.uint8]
    gain_db: NDArray[np.float32]
    floor_db: float

    def decibels(self) -> NDArray[np.float32]:
        """Return the pictures in dB re 1 mV^2, exact to half a code (.16 dB at a floor of 80).

        Examples
        --------
        >>> one = Spectrograms(np.full((1, 1, 1, 1), 255, np.uint8), np.float32([[-20]]), 80.0)
        >>> one.decibels().item()
        -20.0
        """
        decibels = self.images.astype(np.float32)
        decibels *= self.floor_db / N_CODES
        decibels += (self.gain_db - np.float32(self.floor_db))[:, :, None, None]
        return decibels


def beat_spectrograms(
    segments_mv: NDArray[np.float32],
    length: NDArray[np.int64],
    rate_hz: float,
    settings: SpectrogramSettings | None = None,
    *,
    device: str | torch.device = "cpu",
    block: int = 32,
) -> Spectrograms:
    """Turn beat segments into pictures.

    |X|^2 to decibel, frequencies above `max_hz` cropped, clipped `floor_db` below the largest value
    of the picture's band, resized bilinearly with half-pixel centres (as ``cv2.resize`` does with
    ``INTER_LINEAR``), rounded to 256 codes. The time axis runs over each segment's own length.

    Parameters
    ----------
    segments_mv : ndarray of float32, shape (n_beats, n_leads, context + n_samples + context)
        As `segment_beats` cuts them, with `settings.context_samples` of context.
    length : ndarray of int64, shape (n_beats,)
        Samples in each segment.
    rate_hz : float
        Sampling rate.
    settings : SpectrogramSettings, optional
        Mode, band and size.
    device : str or torch.device
        Where the products run.
    block : int
        Pictures per block; 16 to 64 keep a block in a CPU's cache.

    Returns
    -------
    Spectrograms
        In the order of the segments. A flat lead gives a picture of 255 and a gain of -160 dB.

    Raises
    ------
    DataError
        If shapes do not agree, or a sample is not finite.

    Notes
    -----
    The transform is scaled as ``scipy.signal.stft(..., scaling="spectrum")``: a sine of amplitude A
    has the power (A / 2)^2.

    Examples
    --------
    >>> t = np.arange(400, dtype=np.float32) / 360
    >>> beat = np.sin(2 * np.pi * 30 * t)[None, None].astype(np.float32)
    >>> made = beat_spectrograms(beat, np.array([400]), 360.0, SpectrogramSettings(height=60))
    >>> made.images.shape, int(made.images[0, 0, :, 112].argmax())
    ((1, 1, 60, 224), 29)
    """
    settings = settings or SpectrogramSettings()
    _check(segments_mv, length, settings)
    n_beats, n_leads, _ = segments_mv.shape
    images = np.empty((n_beats, n_leads, settings.height, settings.width), dtype=np.uint8)
    gain_db = np.empty((n_beats, n_leads), dtype=np.float32)
    per_block = max(1, block // max(1, n_leads))
    for plan, members in _by_plan(length, settings):
        transform = _Block(plan, settings, rate_hz, torch.device(device), per_block * n_leads)
        for first in range(0, members.size, per_block):
            chosen = members[first : first + per_block]
            signals = torch.from_numpy(segments_mv[chosen].reshape(-1, segments_mv.shape[2]))
            pictures, maxima = transform(signals)
            images[chosen] = pictures.cpu().numpy().reshape(chosen.size, n_leads, *images.shape[2:])
            gain_db[chosen] = maxima.cpu().numpy().reshape(chosen.size, n_leads)
    return Spectrograms(images, gain_db, settings.floor_db)


class _Block:
    """One transform with its matrices and buffers, for blocks of at most `n_signals` signals."""

    def __init__(
        self,
        plan: StftPlan,
        settings: SpectrogramSettings,
        rate_hz: float,
        device: torch.device,
        n_signals: int,
    ) -> None:
        self._plan, self._floor_db = plan, settings.floor_db
        self._margin = plan.window_samples // 2 - settings.context_samples
        n_bins = settings.n_bins(plan.n_fft, rate_hz)
        self._basis = fourier_basis(plan, settings.window, n_bins).to(device)
        self._rows = bilinear_weights(n_bins, settings.height).T.contiguous().to(device)
        self._columns = bilinear_weights(plan.n_frames, settings.width).to(device)
        reach = (plan.n_frames - 1) * plan.hop + plan.window_samples
        shape = (n_signals, plan.n_frames, n_bins)
        self._signal = torch.zeros(n_signals, reach, device=device)
        self._frames = torch.empty(n_signals, plan.n_frames, plan.window_samples, device=device)
        self._spectrum = torch.empty(*shape[:2], 2 * n_bins, device=device)
        self._power = torch.empty(shape, device=device)
        self._resized = torch.empty(*shape[:2], settings.height, device=device)

    def __call__(self, signals: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return codes (n_signals, height, width) and maxima in dB (n_signals,)."""
        n = signals.shape[0]
        frames = self._framed(signals)
        spectrum, power = self._spectrum[:n], self._power[:n]
        torch.mm(frames.flatten(0, 1), self._basis, out=spectrum.view(-1, spectrum.shape[2]))
        n_bins = power.shape[2]
        torch.mul(spectrum[..., :n_bins], spectrum[..., :n_bins], out=power)
        power.addcmul_(spectrum[..., n_bins:], spectrum[..., n_bins:])
        maxima = power.amax(dim=(1, 2)).clamp_min_(POWER_FLOOR_MV2)
        lowest = 10 ** (-self._floor_db / 10)
        power.div_(maxima[:, None, None]).clamp_min_(lowest).log10_()
        # log10 runs over [-floor / 10, 0]; this affine map takes it to the codes 0 to 255.
        power.mul_(10 * N_CODES / self._floor_db).add_(N_CODES)
        resized = self._resized[:n]
        torch.mm(power.view(-1, n_bins), self._rows, out=resized.view(-1, resized.shape[2]))
        pictures = torch.matmul(resized.transpose(1, 2), self._columns.T)
        codes = pictures.round_().clamp_(0, N_CODES).to(torch.uint8)
        return codes, 10 * maxima.log10()

    def _framed(self, signals: torch.Tensor) -> torch.Tensor:
        """Lay the overlapping windows of each signal out as rows."""
        n, plan = signals.shape[0], self._plan
        padded = self._signal[:n]
        if self._margin >= 0:
            stop = min(signals.shape[1], padded.shape[1] - self._margin)
            padded[:, self._margin : self._margin + stop].copy_(signals[:, :stop])
        else:
            stop = min(signals.shape[1] + self._margin, padded.shape[1])
            padded[:, :stop].copy_(signals[:, -self._margin : stop - self._margin])
        frames = self._frames[:n]
        return frames.copy_(padded.unfold(1, plan.window_samples, plan.hop))


def _check(
    segments_mv: NDArray[np.float32], length: NDArray[np.int64], settings: SpectrogramSettings
) -> None:
    """Refuse segments that do not fit their lengths, or hold values that are not finite."""
    room = segments_mv.shape[2] - 2 * settings.context_samples if segments_mv.ndim == 3 else -1
    if room < 0 or length.shape != segments_mv.shape[:1] or (length > room).any():
        raise DataError(
            f"spectrogram {settings.mode}: expected segments (n_beats, n_leads, n_samples) with "
            f"{settings.context_samples} samples of context and one length each, found shape "
            f"{segments_mv.shape} and {length.shape[0]} lengths up to {max(length, default=0)}; "
            "cut them with settings.context_samples"
        )
    if not np.isfinite(segments_mv).all():
        beat = int(np.argmax(~np.isfinite(segments_mv).all(axis=(1, 2))))
        msg = f"spectrogram: expected finite samples, found NaN or infinity in segment {beat}"
        raise DataError(msg)


def _by_plan(
    length: NDArray[np.int64], settings: SpectrogramSettings
) -> list[tuple[StftPlan, NDArray[np.intp]]]:
    """Group the segments that share one transform."""
    distinct, which = np.unique(length, return_inverse=True)
    plans = [settings.plan(int(n)) for n in distinct]
    order = {plan: i for i, plan in enumerate(dict.fromkeys(plans))}
    group = np.array([order[plan] for plan in plans], dtype=np.intp)[which]
    return [(plan, np.flatnonzero(group == i)) for plan, i in order.items()]


@lru_cache(maxsize=32)
def fourier_basis(plan: StftPlan, window: str, n_bins: int) -> torch.Tensor:
    """Return cosine and sine columns, windowed, of the first `n_bins` frequencies.

    Parameters
    ----------
    plan : StftPlan
        Window and transform length.
    window : {"hann", "hamming"}
        Periodic window.
    n_bins : int
        Frequencies kept.

    Returns
    -------
    Tensor of float32, shape (window_samples, 2 * n_bins)
        Scaled by the window's sum, as ``scipy.signal.stft`` does.

    Examples
    --------
    >>> fourier_basis(SpectrogramSettings().plan(400), "hann", 86).shape
    torch.Size([64, 172])
    """
    from scipy.signal import get_window

    taper = get_window(window, plan.window_samples)
    angle = 2 * np.pi / plan.n_fft * np.outer(np.arange(plan.window_samples), np.arange(n_bins))
    waves = np.concatenate([np.cos(angle), -np.sin(angle)], axis=1)
    return torch.from_numpy((waves * (taper / taper.sum())[:, None]).astype(np.float32))


@lru_cache(maxsize=256)
def bilinear_weights(n_from: int, n_to: int) -> torch.Tensor:
    """Return the matrix that resizes one axis bilinearly, pixel centres at half integers.

    Parameters
    ----------
    n_from, n_to : int
        Points before and after.

    Returns
    -------
    Tensor of float32, shape (n_to, n_from)
        Rows sum to 1; at most two entries of a row differ from 0. No smoothing when shrinking.

    Examples
    --------
    >>> bilinear_weights(2, 4).tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    at = np.clip((np.arange(n_to) + 0.5) * n_from / n_to - 0.5, 0, n_from - 1)
    low = np.minimum(at.astype(np.intp), max(n_from - 2, 0))
    weights = np.zeros((n_to, n_from), dtype=np.float64)
    rows = np.arange(n_to)
    weights[rows, low] = 1 - (at - low)
    if n_from > 1:
        weights[rows, low + 1] = at - low
    return torch.from_numpy(weights.astype(np.float32))
