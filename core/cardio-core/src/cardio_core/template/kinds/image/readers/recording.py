"""A picture as NPY: an array of rows and columns, without pickled objects."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError


def check_recording(path: Path) -> None:
    """Raise DataError unless the header is that of a picture."""
    try:
        shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    except (ValueError, EOFError) as error:
        raise DataError.unusable(path.name, "an NPY file", "another", "export it again") from error
    if len(shape) != 2 or min(shape) < 8:
        raise DataError.unusable(
            path.name, "8 rows and columns or more", f"shape {shape}", "export it again"
        )


def read_recording(path: Path) -> NDArray[Any]:
    """Read a picture; raise DataError with one line where it cannot be used."""
    check_recording(path)
    picture = np.load(path, allow_pickle=False).astype(float)
    if not np.isfinite(picture).all() or np.ptp(picture) == 0:
        raise DataError.unusable(path.name, "a picture", "one value", "record it again")
    return picture
