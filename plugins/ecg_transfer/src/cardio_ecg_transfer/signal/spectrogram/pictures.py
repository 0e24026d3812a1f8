"""A beat beside its own recording: pictures relative to the patient's median beat.

Nothing here is fitted across patients. What is normal for one heart and one electrode is taken from
the recording itself, without labels: its median picture and its median waveform.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import embedding_bag

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
    block: int = 8,
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
        Pictures per block; 4 to 16 keep a block in a CPU's cache, a GPU wants hundreds.

    Returns
    -------
    Spectrograms
        In the order of the segments. A flat lead gives a picture of 0 and a gain of -160 dB.

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
    n_beats, n_leads, n_samples = segments_mv.shape
    images = np.empty((n_beats, n_leads, settings.height, settings.width), dtype=np.uint8)
    gain_db = np.empty((n_beats, n_leads), dtype=np.float32)
    per_block = max(1, block // max(1, n_leads))
    for plan, members, n_frames in _by_transform(length, settings):
        room = per_block * n_leads
        transform = _Block(plan, settings, rate_hz, torch.device(device), room, n_frames)
        for first in range(0, members.size, per_block):
            chosen = members[first : first + per_block]
            signals = torch.from_numpy(segments_mv[chosen].reshape(-1, n_samples))
            frames = np.repeat(n_frames[first : first + per_block], n_leads)
            pictures, maxima = transform(signals, frames)
            for beat, of_leads in zip(chosen, np.split(pictures, chosen.size), strict=True):
                np.copyto(images[beat], of_leads, casting="unsafe")
            gain_db[chosen] = maxima.reshape(chosen.size, n_leads)
    return Spectrograms(images, gain_db, settings.floor_db)


class _Block:
    """One transform with its tables and buffers, for blocks of at most `n_signals` signals.

    `plan.n_frames` is the most that any signal has; every signal of a block brings its own number,
    one of `n_frames`.
    """

    def __init__(
        self,
        plan: StftPlan,
        settings: SpectrogramSettings,
        rate_hz: float,
        device: torch.device,
        n_signals: int,
        n_frames: NDArray[np.int64],
    ) -> None:
        self._plan, self._settings, self._device = plan, settings, device
        self._margin = plan.window_samples // 2 - settings.context_samples
        self._n_bins = n_bins = settings.n_bins(plan.n_fft, rate_hz)
        self._basis = fourier_basis(plan, settings.window, n_bins).to(device)
        self._rows = self._taps(*bilinear_taps(np.full(n_signals, n_bins), settings.height), n_bins)
        self._n_frames = np.unique(n_frames)
        self._columns = bilinear_taps(self._n_frames, settings.width)
        reach = (plan.n_frames - 1) * plan.hop + plan.window_samples
        self._signal = torch.zeros(n_signals, reach, device=device)
        self._buffers: dict[str, torch.Tensor] = {}

    def __call__(
        self, signals: torch.Tensor, n_frames: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return codes (n_signals, height, width) and maxima in dB (n_signals,)."""
        power = self._power(signals, int(n_frames.max()))
        for i in np.flatnonzero(n_frames < power.shape[1]).tolist():
            power[i, n_frames[i] :] = 0.0
        maxima = power.flatten(1).amax(dim=1).clamp_min_(POWER_FLOOR_MV2)
        floor_db = self._settings.floor_db
        torch.clamp_min(power, 10 ** (-floor_db / 10) * maxima[:, None, None], out=power)
        _to_log2(power)
        # 255 at the maximum, 0 at the floor; half a code more, so that cutting off decimals rounds.
        codes_a_bit = 10 * math.log10(2) * N_CODES / floor_db
        offset = N_CODES + 0.5 - codes_a_bit * maxima.log2()
        torch.add(offset[:, None, None], power, alpha=codes_a_bit, out=power)
        pictures = self._resized(power, n_frames)
        # numpy makes bytes in a quarter of torch's time; a GPU sends bytes rather than floats.
        codes = pictures if pictures.device.type == "cpu" else pictures.to(torch.uint8)
        return codes.cpu().numpy(), (10 * maxima.log10()).cpu().numpy()

    def _power(self, signals: torch.Tensor, n_frames: int) -> torch.Tensor:
        """Power in every window and frequency, shape (n_signals, n_frames, n_bins)."""
        n, plan, n_bins = signals.shape[0], self._plan, self._n_bins
        padded = self._signal[:n]
        if self._margin >= 0:
            stop = min(signals.shape[1], padded.shape[1] - self._margin)
            padded[:, self._margin : self._margin + stop].copy_(signals[:, :stop])
        else:
            stop = min(signals.shape[1] + self._margin, padded.shape[1])
            padded[:, :stop].copy_(signals[:, -self._margin : stop - self._margin])
        frames = self._buffer("frames", n, n_frames, plan.window_samples)
        frames.copy_(padded.unfold(1, plan.window_samples, plan.hop)[:, :n_frames])
        spectrum = self._buffer("spectrum", n * n_frames, 2 * n_bins)
        torch.mm(frames.flatten(0, 1), self._basis, out=spectrum)
        power = self._buffer("power", n * n_frames, n_bins)
        torch.mul(spectrum[:, :n_bins], spectrum[:, :n_bins], out=power)
        power.addcmul_(spectrum[:, n_bins:], spectrum[:, n_bins:])
        return power.view(n, n_frames, n_bins)

    def _resized(self, levels: torch.Tensor, n_frames: NDArray[np.int64]) -> torch.Tensor:
        """Resize the first `n_frames` of each, time and then frequency: (n, height, width).

        Whole rows of memory are mixed in both steps, with a transposed copy between them.
        """
        n, longest, n_bins = levels.shape
        which = np.searchsorted(self._n_frames, n_frames)
        columns = self._taps(self._columns[0][which], self._columns[1][which], longest)
        in_time = _mixed(levels.view(-1, n_bins), *columns).view(n, -1, n_bins)
        by_bin = self._buffer("by bin", n, n_bins, in_time.shape[1])
        by_bin.copy_(in_time.transpose(1, 2))
        n_rows = n * self._settings.height
        pictures = _mixed(by_bin.flatten(0, 1), self._rows[0][:n_rows], self._rows[1][:n_rows])
        return pictures.view(n, -1, by_bin.shape[2])

    def _taps(
        self, pairs: NDArray[np.int64], weights: NDArray[np.float32], step: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Pairs and weights of all signals; the rows of each begin `step` behind the last one's."""
        pairs = pairs + step * np.arange(len(pairs))[:, None, None]
        return (
            torch.from_numpy(pairs.reshape(-1, 2)).to(self._device),
            torch.from_numpy(weights.reshape(-1, 2)).to(self._device),
        )

    def _buffer(self, name: str, *shape: int) -> torch.Tensor:
        """Memory that the last block used, too; what it holds is not defined."""
        size = math.prod(shape)
        if name not in self._buffers or self._buffers[name].numel() < size:
            self._buffers[name] = torch.empty(size, device=self._device)
        return self._buffers[name][:size].view(shape)


def _mixed(rows: torch.Tensor, pairs: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted sums of pairs of rows, in one pass over the memory."""
    return embedding_bag(pairs, rows, per_sample_weights=weights, mode="sum")


def _to_log2(values: torch.Tensor) -> None:
    """Take logarithms in place; numpy's take a quarter of torch's time on a CPU."""
    if values.device.type == "cpu":
        np.log2(values.numpy(), out=values.numpy())
    else:
        values.log2_()


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


def _by_transform(
    length: NDArray[np.int64], settings: SpectrogramSettings
) -> list[tuple[StftPlan, NDArray[np.intp], NDArray[np.int64]]]:
    """Group the segments that share window, hop and basis, the shortest first."""
    distinct, which = np.unique(length, return_inverse=True)
    plans = [settings.plan(int(n)) for n in distinct]
    n_frames = np.array([plan.n_frames for plan in plans], dtype=np.int64)[which]
    groups: dict[tuple[int, int, int], list[int]] = {}
    for i, plan in enumerate(plans):
        groups.setdefault((plan.window_samples, plan.hop, plan.n_fft), []).append(i)
    made = []
    for of_lengths in groups.values():
        members = np.flatnonzero(np.isin(which, of_lengths))
        members = members[np.argsort(n_frames[members], kind="stable")]
        made.append((plans[of_lengths[-1]], members, n_frames[members]))
    return made


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


def bilinear_taps(
    n_from: NDArray[np.int64], n_to: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Say what each point is mixed from when an axis is resized bilinearly.

    Pixel centres lie at half integers, as in ``cv2.resize``; shrinking does not smooth.

    Parameters
    ----------
    n_from : ndarray of int64, any shape
        Points before, for each axis that is resized.
    n_to : int
        Points after.

    Returns
    -------
    pairs : ndarray of int64, shape (*n_from.shape, n_to, 2)
        The two neighbours among the points before.
    weights : ndarray of float32, same shape
        Their weights, which sum to 1.

    Examples
    --------
    >>> pairs, weights = bilinear_taps(np.array(2), 4)
    >>> pairs.tolist()
    [[0, 1], [0, 1], [0, 1], [0, 1]]
    >>> weights.tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    last = n_from[..., None] - 1
    at = np.clip((np.arange(n_to) + 0.5) * (last + 1) / n_to - 0.5, 0, last)
    low = np.minimum(at.astype(np.int64), np.maximum(last - 1, 0))
    pairs = np.stack([low, np.minimum(low + 1, last)], axis=-1)
    weights = np.stack([1 - (at - low), at - low], axis=-1)
    return pairs, weights.astype(np.float32)


Kind = Literal["beat", "difference", "residual"]

RANGES_DB: dict[Kind, tuple[float, float]] = {
    "beat": (-60.0, 12.0),
    "difference": (-30.0, 30.0),
    "residual": (-50.0, 12.0),
}
"""What the codes 0 and 255 of each kind of picture stand for."""

QUIET_DB = -50.0
"""Beside the median beat's maximum, differences below this level are noise and count as none."""


@dataclass(frozen=True)
class OwnRecordPictures:
    """Pictures of beats relative to their recording.

    Attributes
    ----------
    images : ndarray of uint8, shape (n_beats, n_kinds * n_leads, height, width)
        Kind by kind, lead by lead within a kind. Codes run over `RANGES_DB`. All levels are
        relative to the recording's median of the beats' maxima in that lead.
    gain_db : ndarray of float32, shape (n_beats, n_leads)
        The beat's maximum, relative to that median.
    residual_gain_db : ndarray of float32, shape (n_beats, n_leads)
        The maximum of what is left when the median beat is taken off, relative to that median.
    """

    images: NDArray[np.uint8]
    gain_db: NDArray[np.float32]
    residual_gain_db: NDArray[np.float32]


def own_record_pictures(
    segments_mv: NDArray[np.float32],
    residual_mv: NDArray[np.float32],
    length: NDArray[np.int64],
    rate_hz: float,
    settings: SpectrogramSettings,
    kinds: Sequence[Kind] = ("beat", "difference", "residual"),
) -> OwnRecordPictures:
    """Paint the beats of one recording relative to that recording.

    ``beat`` is the beat's spectrogram; ``difference`` the same less the recording's median
    spectrogram, decibel by decibel; ``residual`` the spectrogram of the beat's waveform less the
    recording's median waveform, both aligned at the R peak.

    Parameters
    ----------
    segments_mv : ndarray of float32, shape (n_beats, n_leads, context + n_samples + context)
        All beats of one recording, as `segment_beats` cuts them.
    residual_mv : ndarray of float32, same shape
        From `signal.segments.residual_segments`.
    length : ndarray of int64, shape (n_beats,)
        Samples in each segment.
    rate_hz : float
        Sampling rate.
    settings : SpectrogramSettings
        Mode, band and size.
    kinds : sequence of {"beat", "difference", "residual"}
        Which pictures, in this order.

    Returns
    -------
    OwnRecordPictures
        In the order of the segments.

    Notes
    -----
    The reference is a median over all beats, so it is the dominant beat's only where that one makes
    up more than half of the recording. A recording of few beats gives a rough one.

    Examples
    --------
    >>> from cardio_ecg_transfer.signal.segments import residual_segments, segment_beats
    >>> peaks = np.arange(200, 3600, 300)
    >>> ecg_mv = np.zeros((1, 3600), np.float32)
    >>> ecg_mv[0, peaks] = 1.0
    >>> cut = segment_beats(ecg_mv, peaks, 360.0)
    >>> left = residual_segments(cut, ecg_mv, peaks)
    >>> small = SpectrogramSettings(height=8, width=8)
    >>> made = own_record_pictures(cut.segments_mv, left, cut.length, 360.0, small)
    >>> made.images.shape, sorted(set(made.images[:, 1].ravel().tolist()))  # differences of 0 dB
    ((11, 3, 8, 8), [128])
    """
    made = beat_spectrograms(segments_mv, length, rate_hz, settings)
    reference_db = np.median(made.gain_db, axis=0)
    relative = made.decibels() - reference_db[:, None, None]
    left = beat_spectrograms(residual_mv, length, rate_hz, settings)
    levels: dict[Kind, NDArray[np.float32]] = {"beat": relative}
    if "difference" in kinds:
        audible = np.maximum(relative, np.float32(QUIET_DB))
        levels["difference"] = audible - np.median(audible, axis=0)
    if "residual" in kinds:
        levels["residual"] = left.decibels() - reference_db[:, None, None]
    return OwnRecordPictures(
        images=np.concatenate([_codes(levels[kind], *RANGES_DB[kind]) for kind in kinds], axis=1),
        gain_db=(made.gain_db - reference_db).astype(np.float32),
        residual_gain_db=(left.gain_db - reference_db).astype(np.float32),
    )


def _codes(level_db: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """Map [low, high] decibel to 0 to 255, clipping outside."""
    share = (level_db - np.float32(low)) / np.float32(high - low)
    return np.asarray(np.rint(np.clip(share, 0, 1) * N_CODES), dtype=np.uint8)
