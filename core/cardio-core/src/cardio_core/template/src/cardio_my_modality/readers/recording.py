"""A trace as CSV: a line ``time_s,value``, then a line a value at even times."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError

HEADER = "time_s,value"


@dataclass(frozen=True)
class Trace:
    """Values of a recording and their rate in Hz. No path: later hooks get values alone."""

    values: NDArray[np.float64]
    rate_hz: float


def check_recording(path: Path) -> None:
    """Raise DataError unless the first line is that of a trace."""
    with path.open(encoding="utf-8", errors="replace") as file:
        if file.readline().strip() != HEADER:
            raise DataError.unusable(path.name, HEADER, "another first line", "export it again")


def read_recording(path: Path) -> Trace:
    """Read a trace; raise DataError with one line where it cannot be used."""
    try:
        times_s, values = np.loadtxt(
            path, delimiter=",", skiprows=1, unpack=True, ndmin=2, encoding="utf-8"
        )
    except ValueError as error:
        raise DataError.unusable(path.name, "two numbers a line", "others", "repair it") from error
    if len(values) < 2 or np.ptp(values) == 0:
        raise DataError.unusable(path.name, "a signal", "a flat line", "record it again")
    return Trace(values, float(1 / np.median(np.diff(times_s))))
