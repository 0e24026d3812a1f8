"""What a JSON file beside a study says about it: `study.json` beside `study.nii.gz`.

All keys may be left out::

    {"voxel_mm": [6.4, 6.4, 6.4],          slice, row, column distance
     "axes": ["column", "row", "slice"],   what the axes of a NIfTI array are; "-row" is reversed
     "state": "rest",                      or "stress"
     "apex_first": true,                   slice 0 lies at the apex
     "rr_ms": 850,
     "rejected_share": 0.05,
     "base_mm": 12.8, "apex_mm": 96.0,     an operator's limits, from the centre of slice 0; the
                                           base at end-diastole, or a list with one for each gate
     "long_axis": [45, -25]}               degrees to the left and up of the axis to the apex, for
                                           slices along the body; "find" has it found
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cardio_core.api import DataError
from cardio_spect_polar.readers.gated import Base, State, require_voxel

_MAX_BYTES = 100_000
_NUMBERS = {
    "rr_ms": (250.0, 3000.0),
    "rejected_share": (0.0, 1.0),
    "base_mm": (-500.0, 500.0),
    "apex_mm": (-500.0, 500.0),
}
_AXES = ("column", "row", "slice")
_KEYS = ("voxel_mm", "axes", "state", "apex_first", *_NUMBERS, "long_axis")


@dataclass(frozen=True)
class Sidecar:
    """What is known beside the file; it outranks the file's own header. None: not said."""

    voxel_mm: tuple[float, float, float] | None = None
    axes: tuple[str, str, str] | None = None
    state: State | None = None
    apex_first: bool | None = None
    rr_ms: float | None = None
    rejected_share: float | None = None
    base_mm: Base | None = None
    apex_mm: float | None = None
    long_axis: tuple[float, float] | Literal["find"] | None = None
    flags: tuple[str, ...] = ()


def read_sidecar(path: Path) -> Sidecar:
    """Read and check a sidecar; without a file, nothing is known.

    Parameters
    ----------
    path : Path
        The JSON file, which need not exist. A converter's (dcm2niix) is left unread, with a flag.

    Raises
    ------
    DataError
        No JSON object, an unknown key, a value of another kind or out of range.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "study.json"
    ...     _ = path.write_text('{"state": "rest", "base_mm": 12.8}')
    ...     sidecar = read_sidecar(path)
    >>> sidecar.state, sidecar.base_mm, sidecar.apex_mm
    ('rest', 12.8, None)
    """
    if not path.is_file():
        return Sidecar()
    values = _read_object(path)
    if "ConversionSoftware" in values:
        return Sidecar(flags=("a converter's JSON lies next to the file: not read",))
    unknown = [key for key in values if key not in _KEYS]
    if unknown:
        raise DataError.unusable(
            path.name,
            f"no keys but {', '.join(_KEYS)}",
            f"{len(unknown)} others",
            "correct their spelling or take them out",
        )
    known: dict[str, Any] = {key: value for key, value in values.items() if value is not None}
    for key, limits in _NUMBERS.items():
        if key == "base_mm" and isinstance(known.get(key), list):
            known[key] = tuple(
                _number(path.name, "each of the base_mm", value, limits) for value in known[key]
            )
        elif key in known:
            known[key] = _number(path.name, key, known[key], limits)
    if "voxel_mm" in known:
        known["voxel_mm"] = _voxel_mm(path.name, known["voxel_mm"])
    if "axes" in known:
        known["axes"] = _axes(path.name, known["axes"])
    if known.get("long_axis", "find") != "find":
        known["long_axis"] = _long_axis(path.name, known["long_axis"])
    if known.get("state", "rest") not in ("rest", "stress"):
        raise DataError.unusable(path.name, "state 'rest' or 'stress'", "another", "correct it")
    if not isinstance(known.get("apex_first", True), bool):
        raise DataError.unusable(
            path.name, "apex_first true or false", "another value", "correct it"
        )
    return Sidecar(**known)


def _read_object(path: Path) -> dict[str, Any]:
    values: Any = None
    if path.stat().st_size <= _MAX_BYTES:
        try:
            values = json.loads(path.read_text(encoding="utf-8-sig"))
        except (ValueError, RecursionError):
            values = None
    if not isinstance(values, dict):
        raise DataError.unusable(
            path.name, "one JSON object", "something else", "correct it or delete it"
        )
    return values


def _number(name: str, key: str, value: Any, limits: tuple[float, float]) -> float:
    low, high = limits
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (is_number and low <= value <= high):  # nor NaN, nor more digits than a float has
        raise DataError.unusable(
            name, f"{key} from {low:g} to {high:g}", "another value", "correct it"
        )
    return float(value)


def _voxel_mm(name: str, value: Any) -> tuple[float, float, float]:
    if not isinstance(value, list) or len(value) != 3:
        raise DataError.unusable(
            name, "voxel_mm as [slice, row, column]", "another value", "correct it"
        )
    slices_mm, rows_mm, columns_mm = (
        _number(name, "a distance in voxel_mm", item, (0.0, 1e6)) for item in value
    )
    require_voxel(name, (slices_mm, rows_mm, columns_mm))
    return slices_mm, rows_mm, columns_mm


def _long_axis(name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise DataError.unusable(
            name, "long_axis as 'find' or [azimuth, elevation]", "another value", "correct it"
        )
    azimuth_deg = _number(name, "the azimuth of long_axis", value[0], (-180.0, 180.0))
    return azimuth_deg, _number(name, "the elevation of long_axis", value[1], (-89.0, 89.0))


def _axes(name: str, value: Any) -> tuple[str, str, str]:
    texts = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    if sorted(text.removeprefix("-") for text in texts) != sorted(_AXES):
        raise DataError.unusable(
            name,
            "axes as column, row and slice in the array's order, '-' before a reversed one",
            "another value",
            "correct it",
        )
    first, second, third = texts
    return first, second, third
