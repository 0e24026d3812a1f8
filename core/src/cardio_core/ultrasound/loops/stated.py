"""What is stated about a loop outside its file: by the caller, or in a JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cardio_core.errors import DataError, unusable
from cardio_core.ultrasound.loops.loop import RSource, TimeSource
from cardio_core.ultrasound.loops.timing import (
    checked_r_times,
    checked_times,
    irregular,
    no_times,
    times_of_rate,
)

Rate = float | Literal["container"] | None

LOOP_SUFFIXES = (".dcm", ".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".npy", ".npz", ".h5")
"""Suffixes that the JSON's name replaces; a name with another keeps it and adds ``.json``."""

_MAX_JSON_BYTES = 10_000_000
_DIFFERENT = 0.01
_KEYS = ("frame_rate_hz", "frame_times_ms", "mm_per_pixel", "r_times_ms")


@dataclass(frozen=True, eq=False)
class Stated:
    """What the caller says, and what the JSON beside the file says where the caller is silent.

    `frame_rate_hz` is that of acquisition; ``"container"`` trusts a video's own. Times are in ms
    from the first frame, `mm_per_pixel` is the distance of rows, and of columns. `time_source` and
    `r_source` say who said it: ``stated`` or ``json``.
    """

    frame_rate_hz: Rate = None
    frame_times_ms: Sequence[float] | None = None
    mm_per_pixel: tuple[float, float] | None = None
    r_times_ms: Sequence[float] | None = None
    time_source: TimeSource = "stated"
    r_source: RSource = "stated"

    def times(
        self,
        name: str,
        n_frames: int,
        found: tuple[NDArray[np.float64], TimeSource] | None,
        *,
        with_cine_rate: bool = False,
    ) -> tuple[NDArray[np.float64], TimeSource, tuple[str, ...]]:
        """Choose the times of the frames; what is stated goes before what the file says.

        Returned are times in ms, their source, and flags.

        Raises
        ------
        DataError
            Neither says a time, or an impossible one.
        """
        if self.frame_times_ms is not None:
            own = checked_times(name, n_frames, self.frame_times_ms)
        elif isinstance(self.frame_rate_hz, int | float):
            own = times_of_rate(name, n_frames, float(self.frame_rate_hz))
        elif found is None:
            raise no_times(name, with_cine_rate=with_cine_rate)
        else:
            times, source = found
            flags = ["frame rate taken from the video's container"] * (source == "container")
            return times, source, (*flags, *_regularity(times))
        flags = []
        if found is not None:
            rates = [1000.0 / float(np.median(np.diff(times))) for times in (own, found[0])]
            if abs(rates[0] - rates[1]) > _DIFFERENT * rates[1]:
                flags.append(
                    f"frame rate stated as {rates[0]:.4g} Hz, where the file says {rates[1]:.4g} Hz"
                )
        return own, self.time_source, (*flags, *_regularity(own))

    def r_peaks(self, name: str) -> tuple[NDArray[np.float64] | None, RSource | None]:
        """Return the stated R peaks and who stated them, or None twice.

        Raises
        ------
        DataError
            Times that are not finite or not ascending.
        """
        if self.r_times_ms is None:
            return None, None
        return checked_r_times(name, self.r_times_ms), self.r_source


def read_stated(
    path: Path,
    frame_rate_hz: Rate = None,
    r_times_ms: Sequence[float] | None = None,
    mm_per_pixel: tuple[float, float] | None = None,
) -> Stated:
    """Put together what the caller states and what the JSON beside the file does.

    The JSON is an object with any of ``frame_rate_hz`` (a number, or ``"container"`` for a video),
    ``frame_times_ms``, ``mm_per_pixel`` ([row, column]) and ``r_times_ms``; other keys belong to
    others. The JSON of ``a.avi`` is ``a.json``, that of ``IM0001`` is ``IM0001.json``. Times are in
    ms from the first frame; `mm_per_pixel` is the distance of rows, and of columns.

    Raises
    ------
    DataError
        A JSON that cannot be read, or a value of the wrong kind.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.json").write_text('{"frame_rate_hz": 50, "r_times_ms": [80, 920]}')
    >>> stated = read_stated(folder / "a.avi")
    >>> stated.frame_rate_hz, stated.r_times_ms, stated.r_source
    (50.0, (80.0, 920.0), 'json')
    """
    file = sidecar_of(path)
    beside = _read_object(file) if file.is_file() else {}
    values = {key: _value(beside, key, path) for key in _KEYS}
    caller_times = frame_rate_hz is not None
    return Stated(
        frame_rate_hz=frame_rate_hz if caller_times else values["frame_rate_hz"],
        frame_times_ms=None if caller_times else values["frame_times_ms"],
        mm_per_pixel=_spacing(path, mm_per_pixel or values["mm_per_pixel"]),
        r_times_ms=values["r_times_ms"] if r_times_ms is None else tuple(r_times_ms),
        time_source="stated" if caller_times else "json",
        r_source="json" if r_times_ms is None else "stated",
    )


def sidecar_of(path: Path) -> Path:
    """Return where the JSON of a loop lies.

    Examples
    --------
    >>> sidecar_of(Path("a.avi")).name, sidecar_of(Path("1.2.840.55")).name
    ('a.json', '1.2.840.55.json')
    """
    replaced = path.suffix.lower() in (*LOOP_SUFFIXES, ".hdf5", ".dicom")
    return path.with_name((path.stem if replaced else path.name) + ".json")


def read_r_times(path: Path) -> tuple[float, ...]:
    """Read R peaks from a JSON with ``r_times_ms``: what `path_rpeaks` of a cohort table names.

    Returns
    -------
    tuple of float
        In ms from the loop's first frame.

    Raises
    ------
    DataError
        No such file, no JSON object, or no list of numbers under that key.
    """
    times = _value(_read_object(path), "r_times_ms", path)
    if times is None:
        raise unusable(path.name, "r_times_ms", "none", "list R peaks in ms from the first frame")
    return tuple(times)


def _regularity(times: NDArray[np.float64]) -> tuple[str, ...]:
    return ("irregular frame times",) if irregular(times) else ()


def _read_object(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _MAX_JSON_BYTES:
            raise ValueError
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise unusable(file.name, "a JSON file", "none", "check the path") from None
    except (ValueError, RecursionError):
        raise unusable(file.name, "a JSON object", "something else", "correct the file") from None
    if not isinstance(value, dict):
        raise unusable(file.name, "a JSON object", "another value", "correct the file")
    return value


def _value(beside: dict[str, Any], key: str, path: Path) -> Any:
    """Check one value of the JSON: a number, or a tuple of numbers."""
    value = beside.get(key)
    if value is None or (key == "frame_rate_hz" and value == "container"):
        return value
    single = key == "frame_rate_hz"
    numbers = [value] if single else value
    if not isinstance(numbers, list) or not all(
        isinstance(number, int | float) and not isinstance(number, bool) for number in numbers
    ):
        expected = "a number" if single else "a list of numbers"
        raise unusable(
            sidecar_of(path).name, f"{expected} as {key}", "another value", "correct the file"
        )
    return float(value) if single else tuple(float(number) for number in numbers)


def _spacing(path: Path, spacing: Sequence[float] | None) -> tuple[float, float] | None:
    if spacing is None:
        return None
    if len(spacing) != 2 or not all(np.isfinite(mm) and mm > 0 for mm in spacing):
        raise DataError(
            f"{path.name}: expected mm_per_pixel as two distances above 0, of rows and of columns, "
            "found others; correct them"
        )
    return float(spacing[0]), float(spacing[1])
