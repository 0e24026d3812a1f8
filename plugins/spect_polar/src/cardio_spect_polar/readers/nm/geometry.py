"""Orientation, distances and order of slices of a DICOM NM reconstruction.

References
----------
DICOM PS3.3 C.8.4.15 (NM Reconstruction: sign of the slice spacing, slice progression), C.8.4.11
and C.8.4.16 (view codes); PS3.16 CID 26 (views); C.7.6.2.1.1 (patient axes: x to the left, y to
the back, z to the head).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.readers.checks import require_voxel

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
