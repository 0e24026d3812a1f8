"""Recordings of the toy: a text file with its rate in the first line and one value a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cardio_core.api import DataError

MARK = "rate_hz="


@dataclass(frozen=True)
class Trace:
    """One recording: values in mV, shape (n_values,), and their rate in Hz."""

    values_mv: np.ndarray
    rate_hz: float


def rate_of(path: Path) -> float:
    """Return the rate in Hz that a recording's first line states."""
    if not path.is_file():
        raise DataError(f"{path.name}: expected a recording, found no such file")
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline().strip()
    if not first.startswith(MARK):
        raise DataError(f"{path.name}: expected {MARK}NUMBER in the first line, found other text")
    return float(first.removeprefix(MARK))


def open_trace(path: Path, gain: float = 1.0) -> Trace:
    """Read one recording, each value times `gain`; refuse a flat or a short one."""
    rate_hz = rate_of(path)
    try:
        values = np.loadtxt(path, skiprows=1, ndmin=1)
    except ValueError as error:
        raise DataError(
            f"{path.name}: expected numbers after the first line, found text"
        ) from error
    if len(values) < 2 * rate_hz:
        raise DataError(
            f"{path.name}: expected 2 s or more, found {len(values) / rate_hz:.1f} s; record longer"
        )
    if np.ptp(values) == 0:
        raise DataError(f"{path.name}: expected a signal, found a flat line; check the electrode")
    return Trace(gain * values, rate_hz)
