"""The header of a DICOM NM image: time slots, frames, orientation and order of slices."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.readers.gated import numbered, require_voxel

_RR_RANGE_MS = (250.0, 3000.0)
_UNEQUAL = 0.05
_COVERED = (0.9, 1.1)


@dataclass(frozen=True)
class Gating:
    """What the header says about the beats of one RR interval.

    Attributes
    ----------
    rr_ms : float or None
        Nominal RR interval in ms.
    n_accepted, n_rejected : int or None
        Beats used and rejected.
    flags : tuple of str
        What is unusual about the timing.
    """

    rr_ms: float | None = None
    n_accepted: int | None = None
    n_rejected: int | None = None
    flags: tuple[str, ...] = ()

    @property
    def rejected_share(self) -> float | None:
        """Beats rejected / (accepted + rejected), or None where the header does not say."""
        if self.n_accepted is None or self.n_rejected is None:
            return None
        n_all = self.n_accepted + self.n_rejected
        return self.n_rejected / n_all if n_all > 0 else None


def read_gating(dataset: Any, n_rr_intervals: int, n_slots: int) -> tuple[Gating, ...]:
    """Read the timing of every RR interval; what the header leaves out is None.

    Parameters
    ----------
    dataset : Dataset
        An NM gated image.
    n_rr_intervals, n_slots : int
        How many its vectors have.

    Returns
    -------
    tuple of Gating
        One for every RR interval.
    """
    gated = next(iter(dataset.get("GatedInformationSequence") or []), None)
    items = [] if gated is None else list(gated.get("DataInformationSequence") or [])
    if len(items) != n_rr_intervals:
        flags = ("beats and timing unknown",)
        if items:
            flags = (f"timing of {len(items)} RR intervals for {n_rr_intervals}: not used",)
        return (Gating(flags=flags),) * n_rr_intervals
    return tuple(_interval(item, n_slots) for item in items)


def _interval(item: Any, n_slots: int) -> Gating:
    flags = []
    frame_ms = _number(item, "FrameTime")
    nominal_ms = _number(item, "NominalInterval")
    low_ms, high_ms = _number(item, "LowRRValue"), _number(item, "HighRRValue")
    if nominal_ms is not None:
        rr_ms: float | None = nominal_ms
    elif frame_ms is not None:
        rr_ms = frame_ms * n_slots
    elif low_ms is not None and high_ms is not None:
        rr_ms = (low_ms + high_ms) / 2
    else:
        rr_ms = None
    if rr_ms is not None and not _RR_RANGE_MS[0] <= rr_ms <= _RR_RANGE_MS[1]:
        flags.append(f"RR interval of {rr_ms:g} ms in the header: not used")
        rr_ms = None
    slots_ms = _slots_ms(item)
    if slots_ms and len(slots_ms) != n_slots:
        flags.append(f"times of {len(slots_ms)} slots for {n_slots}: not used")
        slots_ms = []
    if slots_ms and max(slots_ms) > (1 + _UNEQUAL) * min(slots_ms):
        flags.append("time slots of unequal length")
    cycle_ms = sum(slots_ms) if slots_ms else (frame_ms or 0.0) * n_slots
    if rr_ms and cycle_ms and not _COVERED[0] <= cycle_ms / rr_ms <= _COVERED[1]:
        flags.append(f"time slots cover {100 * cycle_ms / rr_ms:.0f} % of the RR interval")
    n_accepted, n_rejected = (
        None if value is None or value < 0 else int(value)
        for value in (_number(item, "IntervalsAcquired"), _number(item, "IntervalsRejected"))
    )
    return Gating(rr_ms, n_accepted, n_rejected, tuple(flags))


def _slots_ms(item: Any) -> list[float]:
    """Return the lengths of the time slots, or none where one of them is missing."""
    times = [
        _number(slot, "TimeSlotTime") for slot in item.get("TimeSlotInformationSequence") or []
    ]
    known = [time for time in times if time is not None and time > 0]
    return known if len(known) == len(times) else []


def _number(item: Any, keyword: str) -> float | None:
    """Return an optional number, or None where it is absent, empty or not finite."""
    value = item.get(keyword)
    if value in (None, ""):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


_POINTER = (0x00540060, 0x00540070, 0x00540080)
_VECTORS = (
    ("RRIntervalVector", "NumberOfRRIntervals", "RR interval"),
    ("TimeSlotVector", "NumberOfTimeSlots", "time slot"),
    ("SliceVector", "NumberOfSlices", "slice"),
)
_AGAIN = "export the study again"


def frame_numbers(dataset: Any, name: str, n_frames: int) -> NDArray[np.intp]:
    """Find every frame's place by its vectors, whatever the order of the frames.

    Parameters
    ----------
    dataset : Dataset
        An NM image, RECON GATED TOMO.
    name : str
        The file's name.
    n_frames : int
        How many frames it holds.

    Returns
    -------
    ndarray, shape (n_rr_intervals, n_slots, n_slices)
        Index of the frame in the pixel data.

    Raises
    ------
    DataError
        Another frame increment pointer; a vector that is missing or not as long as the frames;
        a number below 1 or above the header's; a time slot or slice without any frame; a place
        with no frame or with two.
    """
    pointer = dataset.get("FrameIncrementPointer")
    pointers = pointer if hasattr(pointer, "__iter__") else [] if pointer is None else [pointer]
    tags = tuple(int(tag) for tag in pointers)
    if tags != _POINTER:
        raise DataError.unusable(
            name,
            r"a frame increment pointer (0054,0060)\(0054,0070)\(0054,0080)",
            "another one" if tags else "none",
            "export the study as gated reconstructed slices",
        )
    vectors = [_vector(dataset, keyword, name, n_frames) for keyword, _, _ in _VECTORS]
    shape = tuple(
        _count(dataset, vector, keyword, what, name)
        for vector, (_, keyword, what) in zip(vectors, _VECTORS, strict=True)
    )
    places = np.ravel_multi_index([vector - 1 for vector in vectors], shape)
    times = np.bincount(places, minlength=int(np.prod(shape)))
    if (times != 1).any():
        worst = np.flatnonzero(times > 1) if (times > 1).any() else np.flatnonzero(times == 0)
        _, slot, slice_index = np.unravel_index(worst[0], shape)
        found = f"{int((times > 1).sum())} duplicates and {int((times == 0).sum())} holes"
        raise DataError.unusable(
            name,
            "one frame for every RR interval, time slot and slice",
            f"{found}, the first at slot {slot + 1}, slice {slice_index + 1}",
            _AGAIN,
        )
    return np.argsort(places).reshape(shape)


def _vector(dataset: Any, keyword: str, name: str, n_frames: int) -> NDArray[np.int64]:
    """Read one vector: a number from 1 for every frame."""
    value = dataset.get(keyword)
    if value is None or value == "":
        raise DataError.unusable(name, f"the element {keyword}", "none", _AGAIN)
    vector = np.atleast_1d(np.asarray(value, dtype=np.int64))
    if vector.size != n_frames:
        length = "longer" if vector.size > n_frames else "shorter"
        raise DataError.unusable(
            name,
            f"{keyword} of {n_frames} numbers, one a frame",
            f"a {length} one, of {vector.size}",
            _AGAIN,
        )
    return vector


def _count(dataset: Any, vector: NDArray[np.int64], keyword: str, what: str, name: str) -> int:
    """Return how many there are, where the vector and the header agree."""
    stated = dataset.get(keyword)
    n = int(vector.max()) if stated in (None, "") else int(stated)
    if n < 1 or vector.min() < 1 or vector.max() > n:
        raise DataError.unusable(
            name,
            f"{what} numbers from 1 to {n}, as the header counts them",
            f"{vector.min()} to {vector.max()}",
            _AGAIN,
        )
    # A header can claim more than there are frames: bound the search by the frames.
    present = np.zeros(min(n, vector.size + 1), dtype=bool)
    present[vector[vector <= present.size] - 1] = True
    missing = np.flatnonzero(~present)
    if missing.size:
        raise DataError.unusable(
            name,
            f"frames of all {n} {what}s",
            f"none of {numbered(what, missing)}",
            "export the study again with all of them",
        )
    return n


_SHORT_AXIS = {("SCT", "103340004"), ("SRT", "G-A186"), ("SNM3", "G-A186"), ("99SDM", "G-A186")}
_LONG_AXES = {
    *(("SCT", value) for value in ("131185001", "131186000")),
    *((scheme, value) for scheme in ("SRT", "SNM3", "99SDM") for value in ("G-A18A", "G-A18B")),
}
_FROM_APEX = {"APEX_TO_BASE": True, "BASE_TO_APEX": False}
_TO_APEX = np.array([1.0, -1.0, -1.0]) / 3**0.5
_OBLIQUE = 0.95
_SHORT_AXIS_WORDS = re.compile(r"(?<![a-z])(sa|sax|short[ _-]?axis)(?![a-z])", re.IGNORECASE)
_REORIENT = (
    "reorient the reconstruction to short-axis slices on the workstation and export those, or have "
    "the long axis found with --long-axis find"
)


def require_short_axis(dataset: Any, name: str) -> tuple[str, ...]:
    """Refuse slices that are not short-axis; return what had to be assumed.

    The view code decides; where there is none, a slice progression between apex and base, or a
    series named as short axis. Without any of these, slices along the body's axes are refused as
    not reoriented, and oblique or unlocated ones are read as short axis, with a flag.

    Raises
    ------
    DataError
        Long-axis or transaxial slices.
    """
    code = _view_code(dataset)
    if code in _SHORT_AXIS:
        return ()
    if is_long_axis(dataset):
        raise DataError.unusable(
            name, "short-axis slices", "long-axis slices", "choose the short-axis series"
        )
    if _slice_progression(dataset) is not None:
        return ()
    if code is not None:
        raise DataError.unusable(
            name, "short-axis slices", "a view code of another view", _REORIENT
        )
    if any(
        _SHORT_AXIS_WORDS.search(str(dataset.get(keyword) or ""))
        for keyword in ("SeriesDescription", "ImageID", "ProtocolName")
    ):
        return ("short axis by the name of the series, without a view code",)
    normal = _normal(dataset)
    if normal is not None and np.abs(normal).max() >= _OBLIQUE:
        raise DataError.unusable(
            name, "short-axis slices", "slices along the axes of the body, no view code", _REORIENT
        )
    return ("no view code: read as short axis",)


def read_directions(dataset: Any, name: str) -> NDArray[np.float64]:
    """Return where slices, rows and columns of a stack go in patient axes, shape (3, 3).

    Raises
    ------
    DataError
        No orientation in the header.
    """
    normal = _normal(dataset)
    if normal is None:
        raise DataError.unusable(
            name, "the orientation of the slices, to turn them", "none", "leave --long-axis out"
        )
    row, column = np.asarray(_cosines(dataset), dtype=np.float64).reshape(2, 3)
    spacing = dataset.get("SpacingBetweenSlices")
    sign = -1.0 if spacing not in (None, "") and float(spacing) < 0 else 1.0
    # The cosines of a column say where the rows follow each other, and those of a row the columns.
    return np.stack([sign * normal, column, row])


def is_long_axis(dataset: Any) -> bool:
    """Whether the view code says vertical or horizontal long axis."""
    return _view_code(dataset) in _LONG_AXES


def read_voxel_mm(
    dataset: Any, name: str, given_mm: tuple[float, float, float] | None = None
) -> tuple[float, float, float]:
    """Return the distances of slices, rows and columns in mm: the header's, else those given.

    Raises
    ------
    DataError
        No distance in the header, or one that gated SPECT does not have.
    """
    spacing = dataset.get("PixelSpacing")
    slices_mm = dataset.get("SpacingBetweenSlices")
    if slices_mm in (None, "") or float(slices_mm) == 0.0:
        slices_mm = dataset.get("SliceThickness")
    if spacing in (None, "") or len(spacing) != 2 or slices_mm in (None, ""):
        if given_mm is None:
            raise DataError.unusable(
                name, "pixel and slice spacing in mm", "none",
                "give them with --voxel-mm SLICE,ROW,COLUMN",
            )  # fmt: skip
        require_voxel(name, given_mm)
        return given_mm
    voxel_mm = (abs(float(slices_mm)), float(spacing[0]), float(spacing[1]))
    require_voxel(name, voxel_mm)
    return voxel_mm


def read_apex_first(dataset: Any) -> tuple[bool | None, tuple[str, ...]]:
    """Tell whether slice 1 lies at the apex: by the slice progression, else by the orientation.

    An oblique stack runs from base to apex if it grows towards the patient's left, front and
    feet: along the normal of its first slice, or against it where the slice spacing is negative.

    Returns
    -------
    bool or None
        None where the header does not say.
    tuple of str
        What the report should say about it.
    """
    stated, seen = _slice_progression(dataset), _apex_first_by_orientation(dataset)
    if stated is None:
        return seen, () if seen is None else ("apex end taken from the orientation of the slices",)
    if seen is not None and seen != stated:
        return stated, ("slice progression and orientation disagree about the apex end",)
    return stated, ()


def _view_code(dataset: Any) -> tuple[str, str] | None:
    view = next(iter(_detector(dataset).get("ViewCodeSequence") or []), None)
    if view is None:
        return None
    return str(view.get("CodingSchemeDesignator") or ""), str(view.get("CodeValue") or "")


def _slice_progression(dataset: Any) -> bool | None:
    return _FROM_APEX.get(str(dataset.get("SliceProgressionDirection") or "").strip().upper())


def _apex_first_by_orientation(dataset: Any) -> bool | None:
    """Tell it from the normal and the sign of the spacing, where the slices are oblique."""
    normal = _normal(dataset)
    spacing = dataset.get("SpacingBetweenSlices")
    if normal is None or spacing in (None, "") or float(spacing) == 0.0:
        return None
    towards_apex = float(normal @ _TO_APEX) * np.sign(float(spacing))
    if np.abs(normal).max() >= _OBLIQUE or abs(towards_apex) < 0.5:
        return None
    return bool(towards_apex < 0)


def _normal(dataset: Any) -> np.ndarray | None:
    """Return the unit normal of the first slice in patient axes, or None."""
    cosines = _cosines(dataset)
    if cosines is None or len(cosines) != 6:
        return None
    row, column = np.asarray(cosines, dtype=np.float64).reshape(2, 3)
    normal = np.cross(row, column)
    length = float(np.linalg.norm(normal))
    return normal / length if length > 0.5 else None


def _cosines(dataset: Any) -> Any:
    """Return the orientation: the detector's, where NM has it, or the image's."""
    keyword = "ImageOrientationPatient"
    return _detector(dataset).get(keyword) or dataset.get(keyword)


def _detector(dataset: Any) -> Any:
    """Return the first detector; that of a reconstruction describes the slices."""
    return next(iter(dataset.get("DetectorInformationSequence") or []), {})
