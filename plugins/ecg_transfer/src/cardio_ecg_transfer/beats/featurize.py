"""Featurize: pictures of each beat, by itself and beside its recording, and its timing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import ConfigError, Context, FeatureBlock, FeatureSet, SampleSet
from cardio_ecg_transfer.beats.config import FeaturizeBlock
from cardio_ecg_transfer.beats.preprocess import EVIDENCE
from cardio_ecg_transfer.signal.ectopy.evidence import unit_of
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ
from cardio_ecg_transfer.signal.segments import RR_FEATURES, TITLES, time_extent
from cardio_ecg_transfer.signal.spectrogram.settings import SpectrogramSettings

if TYPE_CHECKING:
    from cardio_ecg_transfer.signal.spectrogram.pictures import Kind


def featurize(samples: SampleSet, config: FeaturizeBlock, ctx: Context) -> FeatureSet:
    """Turn one patient's beats into blocks of features.

    Returns
    -------
    FeatureSet
        `pictures`: uint8, (n_beats, n_kinds * n_leads, height, width), kind by kind and lead by
        lead within a kind. ``own`` is scaled by the beat's own maximum; ``beat``,
        ``difference`` and ``residual`` are relative to the recording
        (`signal.spectrogram.own_record`).
        `evidence`: the columns of `signal.ectopy.evidence`.
        `loudness`: the maxima of beat and residual in dB beside the recording's median maximum.
        `rhythm`: the RR columns of `signal.rr_features`. `rate`: the recording's, by its median RR
        interval, and how many beats were found; no model uses it.
        While measuring there are no `pictures` and no `loudness`.
    """
    if "own" in config.kinds and len(config.kinds) > 1:
        raise ConfigError("featurize.kinds: own stands alone; the others need the recording")
    table = samples.table
    names, units = zip(*RR_FEATURES, strict=True)
    rhythm = table[list(names)].to_numpy(np.float32)
    blocks = {
        **({} if ctx.measuring else _pictures(samples, config)),
        "rhythm": FeatureBlock(rhythm, ("interval",), names, units, titles=TITLES),
        "evidence": _evidence(table),
        "rate": _rate(table),
    }
    kept = table[["recording_id", "study_id", "patient_id", "time_s", "flags"]]
    return FeatureSet(kept, blocks)


def _pictures(samples: SampleSet, config: FeaturizeBlock) -> dict[str, FeatureBlock]:
    """Return the spectrograms of every beat, and how loud it is beside its recording."""
    table, settings = samples.table, config.settings()
    parts = [
        _recording(np.flatnonzero(table["recording_id"] == name), samples, settings, config)
        for name in dict.fromkeys(table["recording_id"])
    ]
    pictures, loudness = (np.concatenate(part) for part in zip(*parts, strict=True))
    leads = range(np.asarray(samples.values[:1]).shape[2])
    loud = tuple(f"{what}:{lead}" for what in ("beat", "residual") for lead in leads)
    return {
        "pictures": FeatureBlock(
            pictures,
            ("channel", "frequency", "time"),
            tuple(f"{kind}:{lead}" for kind in config.kinds for lead in leads),
            ("dB",),
            extents={
                "frequency": (0.0, config.max_hz, "Hz"),
                "time": time_extent(table["r_offset"] / table["length"]),
            },
        ),
        "loudness": FeatureBlock(loudness, ("lead",), loud, ("dB",), titles=()),
    }


def _evidence(table: pd.DataFrame) -> FeatureBlock:
    """Return what `signal.ectopy.evidence` measured; no measurement by itself."""
    columns = [name for name in table.columns if name.startswith(EVIDENCE)]
    names = tuple(name.removeprefix(EVIDENCE) for name in columns)
    values = table[columns].to_numpy(np.float32)
    return FeatureBlock(values, ("evidence",), names, tuple(map(unit_of, names)), titles=())


def _rate(table: pd.DataFrame) -> FeatureBlock:
    by_recording = table.groupby("recording_id")["time_s"]
    rate = 60.0 / by_recording.transform(lambda times_s: times_s.diff().median())
    return FeatureBlock(
        np.column_stack([rate, by_recording.transform("size")]).astype(np.float32),
        ("measure",),
        ("heart_rate_bpm", "n_beats"),
        ("1/min", "1"),
        titles=("Heart rate", "Beats found"),
    )


def _recording(
    rows: NDArray[np.intp],
    samples: SampleSet,
    settings: SpectrogramSettings,
    config: FeaturizeBlock,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the pictures and the loudness of one recording's beats."""
    from cardio_ecg_transfer.signal.spectrogram.pictures import (  # torch
        beat_spectrograms,
        own_record_pictures,
    )

    length = samples.table["length"].to_numpy(np.int64)[rows]
    both = np.asarray(samples.take(rows).values)
    segments, residual = (np.ascontiguousarray(both[:, part, :, settings.room]) for part in (0, 1))
    if "own" in config.kinds:
        made = beat_spectrograms(segments, length, TARGET_RATE_HZ, settings)
        loudness = made.gain_db - np.median(made.gain_db, axis=0)
        return made.images, np.concatenate([loudness, np.zeros_like(loudness)], axis=1)
    kinds: list[Kind] = [kind for kind in config.kinds if kind != "own"]
    pictures = own_record_pictures(segments, residual, length, TARGET_RATE_HZ, settings, kinds)
    loudness = np.concatenate([pictures.gain_db, pictures.residual_gain_db], axis=1)
    return pictures.images, loudness.astype(np.float32)
