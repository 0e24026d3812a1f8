r"""Numeric polar maps: seventeen segments, or a grid of rings and angles.

CSV (comma, decimal point; an empty cell or ``NaN`` is a missing value) holds either seventeen
numbers in one row or one column, in the order of the AHA segments; or two columns, the number of
the segment and its value, in any order; or a grid, one ring a line from the apex to the base, one
angle a column from anterior towards the septum. A first line may name the unit::

    # unit=ml/min/g
    segment,flow
    1,0.92
    2,0.88

NPY holds an array of shape (17,) or (n_rings, n_angles). A DICOM secondary capture is read where
it is a single grey frame with a rescale slope, hence numbers; pictures are refused, as a colour
map cannot be undone.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydicom
from numpy.typing import NDArray

from cardio_core.api import DataError

Unit = Literal["ml/min/g", "1", "%", "deg"]

N_SEGMENTS = 17
MAX_SIDE = 1024
"""Most rings or angles of a grid."""

MIN_RINGS, MIN_ANGLES = 3, 4
"""A grid with fewer cannot tell the thirds of the ventricle, or its four walls, apart."""

MAX_FLOW = 20.0
"""Above any myocardial flow in ml/min/g; flow in ml/min/100 g is above it."""

_MAX_BYTES = 32 * MAX_SIDE * MAX_SIDE
_UNIT_LINE = re.compile(r"#\s*unit\s*=\s*(\S+)\s*")
_UNITS: dict[str, Unit] = {
    "ml/min/g": "ml/min/g",
    "ml/g/min": "ml/min/g",
    "1": "1",
    "dimensionless": "1",
    "%": "%",
    "deg": "deg",
}
_PICTURES = {
    **{".png": b"\x89PNG", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".gif": b"GIF8"},
    **{".bmp": b"BM", ".tif": b"II*\0", ".tiff": b"MM\0*", ".pdf": b"%PDF", ".webp": b"RIFF"},
}
_AS_NUMBERS = "export the map's numbers as CSV or NPY from the quantification program"


@dataclass(frozen=True)
class PolarMap:
    """Numbers over the left ventricle.

    Attributes
    ----------
    values : ndarray of float64, shape (17,) or (n_rings, n_angles)
        At least 0; NaN where missing. Segments in AHA order; rings from the apex to the base,
        angles from anterior towards the septum.
    unit : {"ml/min/g", "1", "%", "deg"} or None
        "1" is dimensionless; None where the file does not say.
    """

    values: NDArray[np.float64]
    unit: Unit | None = None


def read_polar_map(path: Path) -> PolarMap:
    r"""Read a numeric polar map.

    Parameters
    ----------
    path : Path
        A ``.csv``, ``.npy`` or DICOM file, as the module's first lines describe.

    Raises
    ------
    DataError
        A picture or a screenshot; no numbers; another shape; infinite or negative values; no
        value at all; a flow that can only be in ml/min/100 g.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "rest.csv"
    ...     _ = path.write_text("# unit=ml/min/g\n" + ",".join(["0.9"] * 17))
    ...     read = read_polar_map(path)
    >>> read.values.shape, read.unit
    ((17,), 'ml/min/g')
    """
    if not path.is_file():
        raise DataError.unusable(path.name, "a file", "none", "check the path")
    if path.stat().st_size > _MAX_BYTES:
        raise DataError.unusable(
            path.name,
            f"at most {MAX_SIDE} rings and angles",
            f"a file of {path.stat().st_size} bytes",
            _AS_NUMBERS,
        )
    with path.open("rb") as file:
        start = file.read(132)
    suffix = path.suffix.lower()
    if suffix in _PICTURES or any(start.startswith(mark) for mark in _PICTURES.values()):
        raise DataError.unusable(path.name, "a numeric polar map", "a picture", _AS_NUMBERS)
    unit: Unit | None = None
    if suffix in {".dcm", ".dicom"} or start[128:] == b"DICM":
        values = _read_dicom(path)
    elif suffix == ".npy" or start.startswith(b"\x93NUMPY"):
        values = _read_npy(path)
    else:
        values, unit = _read_csv(path)
    return PolarMap(_checked(path.name, values, unit), unit)


def _read_npy(path: Path) -> NDArray[np.float64]:
    """Read an array without unpickling; its size is checked before it is read."""
    try:
        array: NDArray[Any] | None = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError):
        array = None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
        raise DataError.unusable(
            path.name, "an NPY array of numbers", "another content", _AS_NUMBERS
        )
    if array.ndim > 2 or max(array.shape, default=0) > MAX_SIDE:
        raise _another_shape(path.name, array.shape)
    return np.array(array, dtype=np.float64)


def _read_csv(path: Path) -> tuple[NDArray[np.float64], Unit | None]:
    """Read a table of numbers and the unit that its first line may name."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError.unusable(
            path.name, "a CSV table of numbers", "no text", _AS_NUMBERS
        ) from None
    lines = [line.strip() for line in lines if line.strip()]
    unit: Unit | None = None
    if lines and lines[0].startswith("#"):
        matched = _UNIT_LINE.fullmatch(lines[0])
        unit = _UNITS.get(matched[1].lower()) if matched else None
        if unit is None:
            raise DataError.unusable(
                path.name,
                "a first line '# unit=ml/min/g', or 1, % or deg",
                "another unit or none",
                "correct it or take it out",
            )
        lines = lines[1:]
    by_segment = bool(lines) and re.fullmatch(r"segment\s*,[^,]*", lines[0], re.IGNORECASE)
    rows = [line.split(",") for line in (lines[1:] if by_segment else lines)]
    if len({len(row) for row in rows}) > 1:
        raise DataError.unusable(path.name, "lines of equally many numbers", "others", _AS_NUMBERS)
    try:
        values = np.array([[float(cell.strip() or "nan") for cell in row] for row in rows])
    except ValueError:
        raise DataError.unusable(path.name, "numbers in every cell", "text", _AS_NUMBERS) from None
    if by_segment:
        return _in_segment_order(path.name, values), unit
    return values, unit


def _in_segment_order(name: str, pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put pairs of segment number and value in the order of the segments."""
    numbers = pairs[:, 0] if pairs.ndim == 2 else np.empty(0)
    if not np.array_equal(np.sort(numbers), np.arange(1, N_SEGMENTS + 1)):
        raise DataError.unusable(
            name, f"segments 1 to {N_SEGMENTS}, each once", "others", "correct the first column"
        )
    return np.asarray(pairs[np.argsort(numbers), 1])


def _read_dicom(path: Path) -> NDArray[np.float64]:
    """Read a single grey frame whose rescale slope makes numbers of it."""
    try:
        with warnings.catch_warnings(action="ignore"):  # pydicom's warnings may quote values
            dataset: Any = pydicom.dcmread(path)
            if int(dataset.SamplesPerPixel) != 1 or "PALETTE" in str(
                dataset.PhotometricInterpretation
            ):
                raise DataError.unusable(
                    path.name, "a numeric polar map", "a colour picture", _AS_NUMBERS
                )
            slope = dataset.get("RescaleSlope")
            if slope in (None, "") or float(slope) <= 0:
                raise DataError.unusable(
                    path.name,
                    "a rescale slope, which makes numbers of grey values",
                    "none",
                    _AS_NUMBERS,
                )
            n_frames = int(dataset.get("NumberOfFrames") or 1)
            n_rows, n_columns = int(dataset.Rows), int(dataset.Columns)
            if n_frames != 1 or max(n_rows, n_columns) > MAX_SIDE:
                raise _another_shape(path.name, (n_frames, n_rows, n_columns))
            stored = np.asarray(dataset.pixel_array, dtype=np.float64)
            return stored * float(slope) + float(dataset.get("RescaleIntercept") or 0.0)
    except DataError:
        raise
    except Exception:
        raise DataError.unusable(
            path.name, "a readable DICOM image", "a damaged one, or another object", _AS_NUMBERS
        ) from None


def _checked(name: str, values: NDArray[np.float64], unit: Unit | None) -> NDArray[np.float64]:
    if values.ndim == 2 and values.size == N_SEGMENTS and 1 in values.shape:
        values = values.ravel()
    is_grid = values.ndim == 2 and values.shape[0] >= MIN_RINGS and values.shape[1] >= MIN_ANGLES
    if not is_grid and values.shape != (N_SEGMENTS,):
        raise _another_shape(name, values.shape)
    known = values[~np.isnan(values)]
    if known.size == 0:
        raise DataError.unusable(name, "numbers", "only missing values", _AS_NUMBERS)
    if not np.isfinite(known).all() or known.min() < 0:
        raise DataError.unusable(
            name, "finite numbers of at least 0", "others", "correct or blank them"
        )
    if unit == "ml/min/g" and np.median(known) > MAX_FLOW:
        raise DataError.unusable(
            name,
            f"flow in ml/min/g, below {MAX_FLOW:g}",
            f"a median of {np.median(known):g}",
            "divide ml/min/100 g by 100",
        )
    return values


def _another_shape(name: str, shape: tuple[int, ...]) -> DataError:
    return DataError.unusable(
        name,
        f"{N_SEGMENTS} segments, or at least {MIN_RINGS} rings of {MIN_ANGLES} angles",
        "an array of " + (" × ".join(str(length) for length in shape) or "one number"),
        _AS_NUMBERS,
    )
