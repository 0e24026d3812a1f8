"""Featurize: pictures of each beat, by itself and beside its recording, and its timing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardio_core.api import FeatureBlock, FeatureSet
from cardio_ecg_transfer.preprocess import M3_CONTEXT
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ
from cardio_ecg_transfer.signal.reference import residual_beats
from cardio_ecg_transfer.signal.rr_features import RR_FEATURES
from cardio_ecg_transfer.signal.spectrogram import beat_spectrograms
from cardio_ecg_transfer.signal.spectrogram_settings import SpectrogramSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardio_core.api import SampleSet
    from cardio_ecg_transfer.config import FeaturizeBlock
    from cardio_ecg_transfer.signal.spectrogram import Spectrograms

RANGES_DB = {"beat": (-60.0, 12.0), "change": (-30.0, 30.0), "residual": (-50.0, 12.0)}
"""Decibels that the codes 0 and 255 of each kind of picture stand for."""

SEGMENT_RR = 1.2
FLOOR_DB = -50.0
"""Below the recording's median maximum everything is silence, so that noise makes no change."""


def beat_features(samples: SampleSet, config: FeaturizeBlock) -> FeatureSet:
    """Turn one patient's beats into blocks of features.

    Returns
    -------
    FeatureSet
        `pictures`: uint8, (n_beats, n_kinds * n_leads, height, width), kind by kind and lead by
        lead within a kind. ``own`` is scaled by the beat's own maximum; ``beat``, ``change`` and
        ``residual`` are relative to the recording's median maximum: the beat, its difference from
        the recording's median picture, and the picture of what is left after the median beat is
        subtracted. `loudness`: the maxima of beat and residual in dB beside the recording's median.
        `rhythm`: the RR columns of `signal.rr_features`.
    """
    table = samples.table
    settings = SpectrogramSettings(
        mode=config.mode,
        window=config.window,
        max_hz=config.max_hz,
        height=config.height,
        width=config.width,
    )
    parts = [
        _recording(np.flatnonzero(table["recording_id"] == name), samples, settings, config)
        for name in dict.fromkeys(table["recording_id"])
    ]
    pictures = np.concatenate([one[0] for one in parts])
    loudness = np.concatenate([one[1] for one in parts])
    rhythm = table[[name for name, _ in RR_FEATURES]].to_numpy(np.float32)
    blocks = {
        "pictures": FeatureBlock(
            pictures,
            ("channel", "frequency", "time"),
            tuple(f"{kind}:{lead}" for kind in config.kinds for lead in range(_n_leads(samples))),
            ("dB",),
            extents={"frequency": (0.0, config.max_hz, "Hz"), "time": _time_extent(samples)},
        ),
        "loudness": FeatureBlock(loudness, ("lead",), _loudness_names(samples), ("dB",)),
        "rhythm": FeatureBlock(
            rhythm,
            ("interval",),
            tuple(name for name, _ in RR_FEATURES),
            tuple(unit for _, unit in RR_FEATURES),
        ),
    }
    kept = table[["recording_id", "study_id", "patient_id", "time_s", "flags"]]
    return FeatureSet(kept, blocks)


def _recording(
    rows: NDArray[np.intp],
    samples: SampleSet,
    settings: SpectrogramSettings,
    config: FeaturizeBlock,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the pictures and the loudness of one recording's beats."""
    table = samples.table.iloc[rows]
    length = table["length"].to_numpy(np.int64)
    segments = np.asarray(samples.take(rows).values)
    inner = segments[:, :, M3_CONTEXT:-M3_CONTEXT]
    room = segments if settings.context_samples else inner
    beats = beat_spectrograms(room, length, TARGET_RATE_HZ, settings)
    left = residual_beats(inner, table["r_offset"].to_numpy(np.int64), length)
    if settings.context_samples:
        left = np.pad(left, ((0, 0), (0, 0), (M3_CONTEXT, M3_CONTEXT)))
    residual = beat_spectrograms(left, length, TARGET_RATE_HZ, settings)
    level = np.median(beats.gain_db, axis=0)
    kinds = [_picture(kind, beats, residual, level) for kind in config.kinds]
    loudness = np.concatenate([beats.gain_db - level, residual.gain_db - level], axis=1)
    return np.concatenate(kinds, axis=1), loudness.astype(np.float32)


def _picture(
    kind: str, beats: Spectrograms, residual: Spectrograms, level: NDArray[np.float32]
) -> NDArray[np.uint8]:
    if kind == "own":
        return beats.images
    beside = level[:, None, None]
    if kind == "residual":
        return _coded(residual.decibels() - beside, kind)
    relative = beats.decibels() - beside
    if kind == "beat":
        return _coded(relative, kind)
    audible = np.maximum(relative, FLOOR_DB)
    return _coded(audible - np.median(audible, axis=0), kind)


def _coded(decibels: NDArray[np.float32], kind: str) -> NDArray[np.uint8]:
    low, high = RANGES_DB[kind]
    codes = np.rint((decibels - low) * (255 / (high - low)))
    return np.asarray(np.clip(codes, 0, 255), dtype=np.uint8)


def _n_leads(samples: SampleSet) -> int:
    return int(np.asarray(samples.values[:1]).shape[1])


def _loudness_names(samples: SampleSet) -> tuple[str, ...]:
    leads = range(_n_leads(samples))
    return tuple(f"{what}:{lead}" for what in ("beat", "residual") for lead in leads)


def _time_extent(samples: SampleSet) -> tuple[float, float, str]:
    """Return where the pictures begin and end around R, in RR intervals."""
    length = samples.table["length"].to_numpy(float)
    begin = -float(np.median(samples.table["r_offset"] / length)) * SEGMENT_RR
    # To a hundredth: the rounding of one sample must not make patients differ.
    return (round(begin, 2), round(begin + SEGMENT_RR, 2), "RR")
