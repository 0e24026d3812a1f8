"""Featurize for `crt_response`: twelve pictures a beat, and what stands beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureBlock, FeatureSet, SampleSet
from cardio_ecg_transfer.response.preprocess import Beat
from cardio_ecg_transfer.shared.config import PicturesBlock
from cardio_ecg_transfer.signal.ecg import unfit_leads
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS as TWELVE
from cardio_ecg_transfer.signal.measurements.measure import (
    GRID_EXTENT_MS,
    rows_without_unfit,
    wave_axes_deg,
)
from cardio_ecg_transfer.signal.measurements.names import (
    ANSWERED,
    LISTED_LAST,
    MEASUREMENTS,
    TITLES,
)
from cardio_ecg_transfer.signal.measurements.wave_table import WAVES, wave_table
from cardio_ecg_transfer.signal.rhythm import RhythmKind
from cardio_ecg_transfer.signal.segments import time_extent

QRS_REACH_S = 0.08
"""Reach of the QRS around R in which its polarity is read."""


def featurize(samples: SampleSet, config: PicturesBlock, ctx: Context) -> FeatureSet:
    """Turn one patient's beats into blocks of features.

    Returns
    -------
    FeatureSet
        `pictures`: uint8, (n_beats, 12, height, width), each lead scaled by its own maximum.
        `gain`: that maximum in dB beside the beat's mean over the leads, (n_beats, 12).
        `polarity`: from -1 (a QS complex) to 1 (an R wave alone), (n_beats, 12); power in a
        spectrogram has no sign. `median_beat`: (n_beats, 12, n_grid) mV and `measurements`:
        (n_beats, n_measurements), both once a recording and repeated beside each of its beats;
        so are `waves`: (n_beats, n_waves), see `signal.measurements.wave_table`.
        `in_place`: (n_beats, 12), 1 where a lead has a signal and is what its name says, else 0.
        `paced`: (n_beats, 1), 1 where the ventricles are paced, else 0.
        `axes`: those of P and T in degrees, and
        `rhythm`: how long, and of how many beats, the recording is; no model uses them.
        While measuring there are no `pictures` and no `gain`.
    """
    table, beats = samples.table, list[Beat](samples.values)
    settings = config.settings()
    segments = np.ascontiguousarray(np.stack([beat.segment_mv[:, settings.room] for beat in beats]))
    offset = table["r_offset"].to_numpy(np.int64) + settings.context_samples
    names, units = zip(*MEASUREMENTS, strict=True)
    measured = np.stack([beat.measured for beat in beats])
    # A bundle branch block that a reader named outranks our own.
    lbbb, read = names.index("lbbb"), table["lbbb_read"].to_numpy(float)
    measured[:, lbbb] = np.where(np.isnan(read), measured[:, lbbb], read)
    pictures = {} if ctx.measuring else _pictures(table, beats, segments, config)
    blocks = {
        **pictures,
        "polarity": FeatureBlock(_polarity(segments, offset), ("lead",), TWELVE, ("1",), titles=()),
        "median_beat": FeatureBlock(
            np.stack([beat.median_mv for beat in beats]).astype(np.float32),
            ("lead", "time"),
            TWELVE,
            ("mV",),
            extents={"time": (*GRID_EXTENT_MS, "ms")},
        ),
        "measurements": FeatureBlock(
            measured,
            ("measurement",),
            names,
            units,
            titles=tuple(TITLES[name] for name in names),
            listed_last=LISTED_LAST,
            levels={name: ("no", "yes") for name in ANSWERED if name in names},
        ),
        "axes": _axes(beats),
        "waves": _waves(beats),
        "in_place": FeatureBlock(
            np.array(
                [[lead not in entry.heart.out_of_place for lead in TWELVE] for entry in beats],
                np.float32,
            ),
            ("lead",),
            TWELVE,
            ("1",),
            titles=(),
        ),
        "paced": FeatureBlock(
            np.array([[bool(unfit_leads(beat.heart.findings, "paced"))] for beat in beats], "f4"),
            ("recording",),
            ("paced",),
            ("1",),
            titles=(),
        ),
        "rhythm": _rhythm(beats),
    }
    return FeatureSet(table[["recording_id", "study_id", "patient_id", "time_s", "flags"]], blocks)


def _pictures(
    table: pd.DataFrame, beats: list[Beat], segments: NDArray[np.float32], config: PicturesBlock
) -> dict[str, FeatureBlock]:
    """Return the spectrogram of each beat and lead, and how loud it is beside the other leads."""
    from cardio_ecg_transfer.signal.spectrogram.pictures import beat_spectrograms  # torch

    length = table["length"].to_numpy(np.int64)
    made = beat_spectrograms(segments, length, TARGET_RATE_HZ, config.settings())
    pictures, gain_db = made.images, made.gain_db
    lost = [unfit_leads(beat.heart.findings, "signal") for beat in beats]
    alive = np.array([[lead not in own for lead in TWELVE] for own in lost])
    pictures[~alive] = 0  # as a lead that is lost in training
    n_alive = np.maximum(alive.sum(axis=1, keepdims=True), 1)  # none, of leads of other names
    mean_db = gain_db.sum(axis=1, keepdims=True, where=alive) / n_alive
    gain = np.where(alive, gain_db - mean_db, 0.0).astype(np.float32)
    extents = {
        "frequency": (0.0, config.max_hz, "Hz"),
        "time": time_extent(table["r_offset"] / table["length"]),
    }
    axes = ("lead", "frequency", "time")
    return {
        "pictures": FeatureBlock(pictures, axes, TWELVE, ("dB",), extents=extents),
        "gain": FeatureBlock(gain, ("lead",), TWELVE, ("dB",), titles=()),
    }


def _waves(beats: list[Beat]) -> FeatureBlock:
    """Return the waves of every lead; people read them from the picture, models from here."""
    made: dict[int, NDArray[np.float32]] = {}
    for beat in beats:
        if id(beat.heart) not in made:
            rows = wave_table(beat.heart.beat, beat.heart.qrs).reshape(len(TWELVE), -1)
            made[id(beat.heart)] = rows_without_unfit(rows, beat.heart.findings).ravel()
    names, units = zip(*WAVES, strict=True)
    values = np.stack([made[id(beat.heart)] for beat in beats])
    return FeatureBlock(values, ("wave",), names, units, titles=())


def _axes(beats: list[Beat]) -> FeatureBlock:
    names = ("p_axis_deg", "t_axis_deg")
    made = {id(beat.heart): wave_axes_deg(beat.heart)[0] for beat in beats}
    rows = [[made[id(item.heart)][name] for name in names] for item in beats]
    return FeatureBlock(
        np.array(rows, np.float32), ("wave",), names, ("deg",), titles=("P axis", "T axis")
    )


def _rhythm(beats: list[Beat]) -> FeatureBlock:
    """Return the rhythm as a code with its evidence, and what the recording is made of."""
    kinds = list(RhythmKind)
    rows = [
        (
            kinds.index(beat.heart.rhythm.kind),
            beat.heart.rhythm.rr_scatter,
            beat.heart.rhythm.p_share,
            beat.heart.rhythm.atrial_rate_bpm,
            beat.heart.rhythm.waves_a_beat,
            beat.duration_s,
            beat.r_s.size,
            beat.heart.beat.n_beats,
            beat.heart.beat.n_dropped,
        )
        for beat in beats
    ]
    titles = {
        "rhythm": ("1", "Rhythm"),
        "rr_scatter": ("1", "RR: change from beat to beat, share of RR"),
        "p_share": ("1", "Share of beats with one and the same P wave"),
        "atrial_rate_bpm": ("1/min", "Atrial rate where it may be faster than the QRS"),
        "waves_a_beat": ("1", "Atrial waves to a QRS, where fixed"),
        "duration_s": ("s", "Length of the recording"),
        "n_beats": ("1", "Beats found"),
        "n_dominant": ("1", "Beats in the median beat"),
        "n_other": ("1", "Beats of another shape"),
    }
    return FeatureBlock(
        np.array(rows, np.float32),
        ("measurement",),
        tuple(titles),
        tuple(unit for unit, _ in titles.values()),
        titles=tuple(title for _, title in titles.values()),
        levels={"rhythm": tuple(kind.value for kind in kinds)},
    )


def _polarity(segments: NDArray[np.float32], r_offset: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return (R - S) / (R + S) of each lead's QRS, from its highest and lowest value."""
    reach = round(QRS_REACH_S * TARGET_RATE_HZ)
    found = np.empty(segments.shape[:2], np.float32)
    for beat, offset in enumerate(r_offset):
        qrs = segments[beat, :, max(0, offset - reach) : offset + reach + 1]
        # From the level before the QRS, so that a slow shift has no sign.
        qrs = qrs - qrs[:, :3].mean(axis=1, keepdims=True)
        top, bottom = qrs.max(axis=1), -qrs.min(axis=1)
        found[beat] = (top - bottom) / np.maximum(top + bottom, 1e-6)
    return found
