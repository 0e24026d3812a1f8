"""LUDB records 1 to 100 with their human marks, for the fit and the study of QRS limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat, median_beat
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import high_pass, resample
from cardio_ecg_transfer.signal.pacing import beats_without_spikes

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
SAME_BEAT_MS = 100.0
_MIN_LEADS = 8


def read(folder: Path, record: int) -> Ecg:
    """Read one record."""
    stored = wfdb.rdrecord(str(folder / "data" / str(record)))
    return Ecg(stored.p_signal.T.astype(np.float32), float(stored.fs), LEADS)


def human_beats(folder: Path, record: int) -> list[tuple[float, np.ndarray]]:
    """Human marks beat by beat: the mean R time in ms, and (12, 9) times in ms.

    Columns: onset, peak and end of QRS, P and T; NaN where nobody marked one. Beats of fewer than
    eight leads are left out.
    """
    path, rows = str(folder / "data" / str(record)), []
    for lead, name in enumerate(LEADS):
        notes = wfdb.rdann(path, name.lower())
        to_ms = 1000.0 / notes.fs
        symbols, samples = notes.symbol, np.asarray(notes.sample)
        waves = [
            (symbol, [_mark(symbols, samples, place + step, want) * to_ms
                      for step, want in ((-1, "("), (0, symbol), (1, ")"))])
            for place, symbol in enumerate(symbols)
            if symbol in "pNt"
        ]  # fmt: skip
        for place, (symbol, times) in enumerate(waves):
            if symbol != "N":
                continue
            row = np.full(9, np.nan)
            row[:3] = times
            if place and waves[place - 1][0] == "p":
                row[3:6] = waves[place - 1][1]
            if place + 1 < len(waves) and waves[place + 1][0] == "t":
                row[6:9] = waves[place + 1][1]
            rows.append((times[1], lead, row))
    beats: list[tuple[list[float], np.ndarray]] = []
    for time_ms, lead, row in sorted(rows, key=lambda one: one[0]):
        for times, marks in beats[-2:]:
            if np.isnan(marks[lead]).all() and abs(np.mean(times) - time_ms) < 150.0:
                times.append(time_ms)
                marks[lead] = row
                break
        else:
            marks = np.full((len(LEADS), 9), np.nan)
            marks[lead] = row
            beats.append(([time_ms], marks))
    return [(float(np.mean(times)), marks) for times, marks in beats if len(times) >= _MIN_LEADS]


def marks_at(folder: Path, record: int, r_ms: np.ndarray) -> np.ndarray:
    """Human marks of the beats at some R peaks, in ms from each: (n_beats, 12, 9)."""
    beats = human_beats(folder, record)
    found = []
    for one_ms in r_ms:
        near = [marks for time_ms, marks in beats if abs(time_ms - one_ms) < SAME_BEAT_MS]
        found += [near[0] - one_ms] if near else []
    return np.array(found)


def beat_and_marks(folder: Path, record: int, rate_hz: float) -> tuple[MedianBeat, np.ndarray]:
    """Return a record's median beat, spikes bridged, and its members' marks in ms from R."""
    ecg, peaks, _ = beats_without_spikes(read(folder, record))
    signal_mv, _ = resample(ecg.signal_mv, ecg.rate_hz, rate_hz)
    r_samples = np.rint(peaks.times_s * rate_hz).astype(np.int64)
    beat = median_beat(high_pass(signal_mv, rate_hz), rate_hz, r_samples, LEADS)
    return beat, marks_at(folder, record, beat.r_samples * 1000.0 / rate_hz)


def _mark(symbols: list[str], samples: np.ndarray, place: int, want: str) -> float:
    there = 0 <= place < len(symbols) and symbols[place] == want
    return float(samples[place]) if there else np.nan
