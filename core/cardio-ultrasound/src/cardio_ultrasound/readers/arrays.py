"""Loops as NPY files: (frames, rows, columns) or (frames, rows, columns, 3), 8 bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cardio_stats.errors import unusable
from cardio_ultrasound.colour import coloured_share, grey_or_rgb, is_colour_doppler, spread_over
from cardio_ultrasound.loop import Loop, Stated
from cardio_ultrasound.readers.limits import require_size


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Frames that lie in memory, shape (n_frames, rows, columns) or (..., 3)."""

    array: NDArray[np.uint8]

    def frames(self, indices: range, *, colour: bool) -> Iterator[NDArray[np.uint8]]:
        """Yield copies of the frames."""
        for index in indices:
            yield grey_or_rgb(self.array[index].copy(), "RGB", colour=colour, palette=None)


@dataclass(frozen=True)
class ArrayPlace:
    """Where in a stream the values of an array lie, and what they are."""

    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def item_bytes(self) -> int:
        """Bytes of one item along the first axis."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize

    def read(self, file: BinaryIO, index: int, name: str) -> NDArray[Any]:
        """Read one item along the first axis."""
        file.seek(self.start + index * self.item_bytes)
        data = file.read(self.item_bytes)
        if len(data) < self.item_bytes:
            raise unusable(
                name,
                f"{self.shape[0]} frames",
                f"a file that ends in frame {index + 1}",
                "copy or export the file again",
            )
        return np.frombuffer(bytearray(data), self.dtype).reshape(self.shape[1:])


def array_place(file: BinaryIO, name: str) -> ArrayPlace:
    """Read the header of an NPY stream; no value is read.

    Raises
    ------
    DataError
        No NPY header, objects, or values in Fortran order.
    """
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(file)
    except Exception:  # damaged in any way
        raise unusable(
            name, "a NumPy array file", "a damaged one", "save it again", code="damaged"
        ) from None
    if dtype.hasobject or (fortran and len(shape) > 1):
        raise unusable(
            name,
            "numbers in C order",
            "others",
            "save it with numpy.ascontiguousarray",
            code="unsupported",
        )
    return ArrayPlace(file.tell(), shape, dtype)


@dataclass(frozen=True)
class NpyFrames:
    """The frames of an NPY file, read when they are asked for."""

    _path: Path
    place: ArrayPlace

    def frames(self, indices: range, *, colour: bool) -> Iterator[NDArray[np.uint8]]:
        """Yield frames one by one."""
        with self._path.open("rb") as file:
            for index in indices:
                frame = self.place.read(file, index, self._path.name)
                yield grey_or_rgb(frame, "RGB", colour=colour, palette=None)


def read_npy_loop(path: Path, stated: Stated, max_bytes: int) -> Loop:
    """Open a loop that is stored as one NPY array.

    It holds uint8, shape (n_frames, rows, columns), or (n_frames, rows, columns, 3) for RGB;
    `stated` must say the frame rate or times. `max_bytes` limits the size, checked on the header.

    Raises
    ------
    DataError
        Another array, fewer values than claimed, or no frame time.
    """
    with path.open("rb") as file:
        place = array_place(file, path.name)
        n_bytes = file.seek(0, 2) - place.start
    shape = place.shape
    if place.dtype != np.uint8 or len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] != 3):
        raise unusable(
            path.name,
            "uint8 of shape (frames, rows, columns) or (frames, rows, columns, 3)",
            f"{place.dtype} in {len(shape)} dimensions",
            "convert the loop",
        )
    n_samples = 3 if len(shape) == 4 else 1
    require_size(path.name, shape[0], shape[1], shape[2], n_samples, max_bytes)
    if n_bytes < shape[0] * place.item_bytes:
        raise unusable(
            path.name, f"{shape[0]} frames", "fewer", "copy or save the file again", code="damaged"
        )
    source = NpyFrames(path, place)
    times, time_source, flags = stated.times(path.name, shape[0], None)
    doppler = False
    if n_samples == 3:
        looked_at = spread_over(shape[0])
        share = coloured_share(source.frames(looked_at, colour=True), None)
        doppler = is_colour_doppler(share, tagged=False)
    r_times, r_source = stated.r_peaks(path.name)
    return Loop(
        name=path.name,
        source=source,
        n_frames=shape[0],
        size=(shape[1], shape[2]),
        frame_times_ms=times,
        time_source=time_source,
        mm_per_pixel=stated.mm_per_pixel,
        r_times_ms=r_times,
        r_source=r_source,
        colour_doppler=doppler,
        flags=(*flags, *(["colour Doppler"] * doppler)),
    )
