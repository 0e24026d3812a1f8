"""Which frame of a DICOM NM image is which: RR interval, time slot and slice, from the vectors.

References
----------
DICOM PS3.3 C.8.4.8.1 (frame increment pointer and vectors), C.8.4.13 (RR intervals, time slots),
C.8.4.15 (slices).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.readers.checks import numbered

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
