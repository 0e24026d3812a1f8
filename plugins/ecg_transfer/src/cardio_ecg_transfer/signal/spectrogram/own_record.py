"""A beat beside its own recording: pictures relative to the patient's median beat.

Nothing here is fitted across patients. What is normal for one heart and one electrode is taken from
the recording itself, without labels: its median picture and its median waveform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.segments import BeatSegments
from cardio_ecg_transfer.signal.spectrogram.pictures import N_CODES, beat_spectrograms
from cardio_ecg_transfer.signal.spectrogram.settings import SpectrogramSettings

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
        From `residual_segments`.
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
    >>> from cardio_ecg_transfer.signal.segments import segment_beats
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


def residual_segments(
    cut: BeatSegments, signal_mv: NDArray[np.floating], r_samples: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the segments less the recording's median beat, aligned at the R peaks.

    Parameters
    ----------
    cut : BeatSegments
        The beats.
    signal_mv : ndarray, shape (n_leads, n_samples)
        The recording in millivolt.
    r_samples : ndarray of int64, shape (n_peaks,)
        The R peaks that `cut.beat` counts.

    Returns
    -------
    ndarray of float32, shape of ``cut.segments_mv``
        Zero behind each segment.
    """
    before = r_samples[cut.beat] - cut.start + cut.context
    width = cut.segments_mv.shape[2]
    reach = (int(before.max(initial=0)), int((width - before).max(initial=0)))
    padded = np.pad(np.nan_to_num(signal_mv.astype(np.float32)), ((0, 0), reach))
    windows = np.lib.stride_tricks.sliding_window_view(padded, sum(reach), axis=1)
    # A window begins reach[0] before its R peak, and the padding moved that peak by reach[0].
    median_beat = np.median(windows[:, r_samples], axis=1).astype(np.float32)
    index = (reach[0] - before)[:, None] + np.arange(width)
    residual = cut.segments_mv - median_beat[:, index].transpose(1, 0, 2)
    inside = np.arange(width) < (cut.length + 2 * cut.context)[:, None]
    return np.asarray(residual * inside[:, None, :], dtype=np.float32)


def _codes(level_db: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """Map [low, high] decibel to 0 to 255, clipping outside."""
    share = (level_db - np.float32(low)) / np.float32(high - low)
    return np.asarray(np.rint(np.clip(share, 0, 1) * N_CODES), dtype=np.uint8)
