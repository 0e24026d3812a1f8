"""A heart sound as WAV, as electronic stethoscopes and the PhysioNet collections have it."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import wavfile

from cardio_core.api import DataError

LEAST_HZ, MOST_HZ = 2000, 96000
LEAST_S, MOST_S = 5.0, 600.0


@dataclass(frozen=True)
class Sound:
    """Values of a recording between -1 and 1, their rate in Hz, and which share is clipped."""

    values: NDArray[np.float32]
    rate_hz: int
    clipped: float


def check_sound(path: Path) -> None:
    """Raise DataError unless rate, channels and length can be used; nothing is decoded."""
    _open(path)


def read_sound(path: Path) -> Sound:
    """Read a sound; raise DataError with one line where it cannot be used."""
    rate_hz, raw = _open(path)
    values = np.asarray(raw, np.float32)
    if raw.dtype == np.uint8:
        values = values - 128
    full = (
        1.0 if raw.dtype.kind == "f" else np.iinfo(raw.dtype).max if raw.dtype.kind == "i" else 127
    )
    if not np.isfinite(values).all():
        raise DataError.unusable(path.name, "numbers", "values that are none", "export it again")
    if np.ptp(values) == 0:
        raise DataError.unusable(path.name, "a sound", "silence", "record it again")
    values = values / np.float32(full)
    return Sound(values, rate_hz, float(np.mean(np.abs(values) >= 0.999)))


def _open(path: Path) -> tuple[int, NDArray[Any]]:
    """Return rate and mapped values after a check of the header."""
    if path.suffix.lower() != ".wav":
        raise DataError.unusable(path.name, "a WAV file", "another ending", "export it as WAV")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks of a maker's own
            rate_hz, values = wavfile.read(path, mmap=True)
    except Exception as error:  # at a damaged header scipy raises many kinds
        raise DataError.unusable(
            path.name, "a WAV file", "another one", "export it again"
        ) from error
    wrong = None
    if values.ndim != 1:
        wrong = ("one channel", f"{values.shape[1]}", "keep that of the stethoscope")
    elif not LEAST_HZ <= rate_hz <= MOST_HZ:
        wrong = (f"{LEAST_HZ} to {MOST_HZ} Hz", f"{rate_hz} Hz", "export it at its own rate")
    elif not LEAST_S <= len(values) / rate_hz <= MOST_S:
        wrong = (f"{LEAST_S:.0f} to {MOST_S:.0f} s", f"{len(values) / rate_hz:.1f} s",
                 "record longer, or cut it")  # fmt: skip
    if wrong:
        raise DataError.unusable(path.name, *wrong)
    return int(rate_hz), values
