"""A mark in the corner of a loop, where scanners print names, and a search for it in pictures.

What is printed is pixels, and no search for text finds it. The mark is nine by nine squares, black
and white as no tissue is, and is looked for at many sizes in every picture that a command writes.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELL_PX = 4
MARK = np.random.default_rng(77).integers(0, 2, (9, 9), dtype=np.uint8) * 255
"""A square a cell; chance alone."""

ALIKE = 0.7
"""Correlation from which a place shows the mark: chance reaches .7 at 81 squares once in 10^9."""

_SIZES_PX = tuple(dict.fromkeys(round(9 * 1.4 * 1.1**step) for step in range(21)))
"""Of the side of the mark in a picture: from a third to two and a half times as large."""

_TALLEST_PX = 4000
_INLINE = re.compile(rb"data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp")
_FILMS = (".webm", ".mp4", ".avi")

Picture = NDArray[np.uint8]


def printed(frames: Picture, at: tuple[int, int] = (2, 2)) -> Picture:
    """Return frames with the mark on each, at a row and column.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, 3)
    at : tuple of int
    """
    mark = np.kron(MARK, np.ones((CELL_PX, CELL_PX), np.uint8))
    made = frames.copy()
    window = made[:, at[0] : at[0] + mark.shape[0], at[1] : at[1] + mark.shape[1]]
    window[...] = mark if frames.ndim == 3 else mark[..., None]
    return made


def shows_mark(picture: Picture) -> bool:
    """Say whether a grey picture, shape (rows, columns), shows the mark at any size."""
    import cv2

    for side in _SIZES_PX:
        if side > min(picture.shape):
            return False
        mark = cv2.resize(MARK, (side, side), interpolation=cv2.INTER_AREA if side < 9 * CELL_PX
                          else cv2.INTER_NEAREST)  # fmt: skip
        likeness = cv2.matchTemplate(picture, mark, cv2.TM_CCOEFF_NORMED)
        # Over what is flat the likeness is no number, or a chance one.
        for row, column in np.argwhere(np.isfinite(likeness) & (likeness >= ALIKE)):
            if picture[row : row + side, column : column + side].std() > 20:
                return True
    return False


class MarkFinder:
    """Looks for the mark in files, in each picture once."""

    def __init__(self) -> None:
        self._known: dict[int, bool] = {}

    def in_file(self, path: Path) -> int:
        """Return how many pictures of a file show the mark."""
        return sum(map(self._shown, _pictures_of(path)))

    def _shown(self, picture: Picture) -> bool:
        key = hash((picture.shape, picture.tobytes()))
        if key not in self._known:
            self._known[key] = shows_mark(picture)
        return self._known[key]


def _pictures_of(path: Path) -> Iterator[Picture]:
    """Yield the pictures of a file, grey: of films the first frame, of pages those inside.

    What begins like a picture and cannot be read yields none: there is nothing to see in it.
    """
    suffix = path.suffix.lower()
    if suffix in _PICTURES:
        yield from _decoded(path.read_bytes())
    elif suffix in (".html", ".svg", ".json", ".md"):
        for match in _INLINE.finditer(path.read_bytes()):
            yield from _decoded(base64.b64decode(match[1]))
    elif suffix in _FILMS:
        yield from _first_frame(path)
    elif suffix == ".dcm":
        import pydicom

        yield from _grey(pydicom.dcmread(path).pixel_array)
    elif suffix in (".npy", ".npz"):
        yield from _arrays(path)


def _decoded(content: bytes) -> Iterator[Picture]:
    import cv2

    made: Any = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if made is not None and made.shape[0] <= _TALLEST_PX:
        yield made
    elif made is not None:
        for top in range(0, made.shape[0], _TALLEST_PX // 2):
            yield made[top : top + _TALLEST_PX]


def _first_frame(path: Path) -> Iterator[Picture]:
    import cv2

    if path.stat().st_size < 1000:  # a film without pictures
        return
    film = cv2.VideoCapture(str(path))
    there, frame = film.read()
    film.release()
    if there:
        yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)


def _arrays(path: Path) -> Iterator[Picture]:
    """Yield the first picture of every array of bytes: what caches keep of loops."""
    content = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    for array in [content[name] for name in content.files] if path.suffix == ".npz" else [content]:
        if array.dtype == np.uint8 and array.ndim >= 2:
            yield from _grey(array)


def _grey(array: NDArray[Any]) -> Iterator[Picture]:
    """Yield the first picture of an array, (..., rows, columns) or (..., rows, columns, 3)."""
    if array.ndim > 2 and array.shape[-1] == 3:
        array = array[..., 0]
    while array.ndim > 2 and len(array):
        array = array[0]
    if array.ndim == 2 and array.size and array.dtype == np.uint8:
        yield np.ascontiguousarray(array)
