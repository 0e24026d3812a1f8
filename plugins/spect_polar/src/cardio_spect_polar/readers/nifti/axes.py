"""Which axis of a NIfTI array is the slice, the row and the column, and which way each runs.

NIfTI stores columns first, then rows, then slices; writers disagree on the direction of rows,
and arrays dumped from Python come in any order. What is known is used in this order: the sidecar;
an oblique affine, which tells where the patient's left, front and feet are; the signs that
converters from DICOM leave in an axis-aligned affine; the shape, as slices are square.

References
----------
NIfTI-1 data format (https://nifti.nimh.nih.gov/nifti-1): x to the right, y to the front, z to the
head; qform and sform codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ASSUMED = "the first row taken for anterior and the first column for septal, as nothing says so"
"""What is assumed where a header does not tell the sides; see `phase.ventricle.sides`."""

_ALIGNED = 0.95
_TO_APEX = np.array([-1.0, 1.0, -1.0]) / 3**0.5
_TO_LATERAL = np.array([-1.0, -1.0, 0.0]) / 2**0.5
_TO_INFERIOR = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True)
class Axes:
    """How to turn an array (i, j, k) into slices, rows and columns.

    Attributes
    ----------
    order : tuple of int
        Axis of the array that is the slice, the row and the column.
    reversed : tuple of bool
        Whether each of the three, in that order, runs against the canonical direction.
    apex_first : bool or None
        Whether slice 0 lies at the apex; None where the header does not tell.
    flags : tuple of str
        What was assumed.
    """

    order: tuple[int, int, int] = (2, 1, 0)
    reversed: tuple[bool, bool, bool] = (False, False, False)
    apex_first: bool | None = None
    flags: tuple[str, ...] = ()


def axes_by_name(names: tuple[str, str, str]) -> Axes:
    """Read the axes as a sidecar names them.

    Examples
    --------
    >>> axes_by_name(("slice", "-row", "column"))
    Axes(order=(0, 1, 2), reversed=(False, True, False), apex_first=None, flags=())
    """
    plain = [name.removeprefix("-") for name in names]
    at_slice, at_row, at_column = (plain.index(what) for what in ("slice", "row", "column"))
    slices, rows, columns = (names[at].startswith("-") for at in (at_slice, at_row, at_column))
    return Axes((at_slice, at_row, at_column), (slices, rows, columns))


def axes_by_affine(affine: NDArray[np.float64] | None, shape: tuple[int, int, int]) -> Axes:
    """Read the axes from the affine, and from the shape where it tells nothing.

    Parameters
    ----------
    affine : ndarray, shape (4, 4), or None
        From indices to mm, x to the right, y to the front, z to the head; None where the header
        has none.
    shape : tuple of int
        Lengths of the first three axes.
    """
    directions = _directions(affine)
    if directions is not None and np.abs(directions).max(axis=1).min() < _ALIGNED:
        return _oblique(directions)
    order = _order_by_shape(shape)
    if order != (2, 1, 0):
        return Axes(
            order,
            flags=(f"array axis {order[0] + 1} read as slices: the others are square, {ASSUMED}",),
        )
    if directions is None or not np.array_equal(np.abs(directions).argmax(axis=1), (0, 1, 2)):
        return Axes(
            flags=(f"no orientation in the header: axes read as column, row, slice, {ASSUMED}",)
        )
    # From DICOM, columns run to the left. Rows run to the back, unless the converter turned them.
    from_dicom = directions[0, 0] < 0
    turned = bool(from_dicom and directions[1, 1] > 0)
    flag = (
        "axes of the body in the header: read as the column, row and slice of short-axis slices, "
        f"{ASSUMED}"
    )
    return Axes(reversed=(False, turned, False), flags=(flag,))


def directions_in_patient(affine: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return where the array's axes point, to the patient's left, back and head; None without.

    Examples
    --------
    >>> directions_in_patient(np.diag([-4.0, -4.0, 4.0, 1.0])).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    directions = _directions(affine)
    return None if directions is None else directions * (-1.0, -1.0, 1.0) + 0.0


def _directions(affine: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return the unit vectors of the array's axes, shape (3, 3), one a row; None without any."""
    if affine is None or not np.isfinite(affine).all():
        return None
    columns = affine[:3, :3].T
    lengths = np.linalg.norm(columns, axis=1)
    if lengths.min() <= 0:
        return None
    return np.asarray(columns / lengths[:, None])


def _oblique(directions: NDArray[np.float64]) -> Axes:
    """Find slices along the heart's long axis, rows towards inferior, columns towards lateral."""
    at_slice = int(np.abs(directions @ _TO_APEX).argmax())
    others = [axis for axis in range(3) if axis != at_slice]
    downwards = np.abs(directions[others] @ _TO_INFERIOR)
    at_row, at_column = others if downwards[0] > downwards[1] else reversed(others)
    return Axes(
        (at_slice, at_row, at_column),
        (
            False,
            bool(directions[at_row] @ _TO_INFERIOR < 0),
            bool(directions[at_column] @ _TO_LATERAL < 0),
        ),
        apex_first=bool(directions[at_slice] @ _TO_APEX < 0),
        flags=("slices, rows and columns told by the orientation in the header",),
    )


def _order_by_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Take for slices the one axis whose removal leaves a square; the last if that is unclear."""
    first, second, third = shape
    if second == third != first:
        return 0, 1, 2  # as numpy's (slice, row, column) is dumped
    if first == third != second:
        return 1, 2, 0
    return 2, 1, 0
