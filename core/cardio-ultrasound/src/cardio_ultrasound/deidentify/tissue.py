"""Which pixels of a loop belong to its picture: lit, not print, and in one piece."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_ultrasound.colour import coloured, grey_of_rgb
from cardio_ultrasound.loop import Box

_DARK = 6
_MOVES = 4
_MOVING_SHARE = 0.2
_SMALL_SHARE = 0.1
_STRAIGHT_SHARE, _FLAT_SHARE = 0.15, 0.6
_AT_END_PX = 1
_LIT_SHARE = 0.4


class Seen:
    """What a loop showed at every pixel, gathered frame by frame in the memory of a few frames.

    The second highest grey level is kept and not the highest: a cursor that runs over the picture
    touches a pixel in one of the frames.

    Attributes
    ----------
    n_frames : int
        Frames that were looked at.
    high, second, low : ndarray of uint8, shape (n_rows, n_columns)
        Highest, second highest and lowest grey level, coloured print left out.

    Examples
    --------
    >>> seen = Seen()
    >>> for level in (10, 200, 12):
    ...     seen.look_at(np.full((4, 5), level, np.uint8))
    >>> seen.n_frames, int(seen.high[0, 0]), int(seen.second[0, 0]), int(seen.low[0, 0])
    (3, 200, 12, 10)
    """

    def __init__(self) -> None:
        self.n_frames = 0
        self.high = self.second = np.zeros((0, 0), np.uint8)
        self.low = np.zeros((0, 0), np.uint8)
        self._n_lit = np.zeros((0, 0), np.uint16)

    def look_at(self, frame: NDArray[np.uint8]) -> None:
        """Add one frame, grey (n_rows, n_columns) or RGB (n_rows, n_columns, 3)."""
        grey = frame if frame.ndim == 2 else grey_of_rgb(frame)
        if self.n_frames == 0:
            self.high, self.second = np.zeros_like(grey), np.zeros_like(grey)
            self.low = np.full_like(grey, 255)
            self._n_lit = np.zeros(grey.shape, np.uint16)
        lowest = grey
        if frame.ndim == 3:
            printed = coloured_print(frame)
            grey, lowest = np.where(printed, 0, grey), np.where(printed, 255, grey)
        self.second = np.maximum(self.second, np.minimum(self.high, grey))
        self.high = np.maximum(self.high, grey)
        self.low = np.minimum(self.low, lowest)
        self._n_lit += grey > _DARK
        self.n_frames += 1

    @property
    def lit(self) -> NDArray[np.bool_]:
        """Pixels that were not black in two frames."""
        level = self.second if self.n_frames > 1 else self.high
        return np.asarray(level > _DARK)

    @property
    def lit_share(self) -> NDArray[np.float64]:
        """In what share of the frames each pixel was not black."""
        return np.asarray(self._n_lit / max(self.n_frames, 1))

    @property
    def moving(self) -> NDArray[np.bool_]:
        """Pixels whose grey level changed."""
        return np.asarray(self.high.astype(np.int16) - self.low > _MOVES)


def coloured_print(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return coloured lines and letters with their blurred rims; areas, such as flow, are none.

    Of one RGB frame; the mask has the shape (n_rows, n_columns).

    Examples
    --------
    >>> frame = np.full((40, 40, 3), 90, np.uint8)
    >>> frame[5, :] = (60, 230, 90)  # a trace
    >>> frame[15:35, 10:30] = (220, 30, 20)  # flow
    >>> found = coloured_print(frame)
    >>> bool(found[5].all()), bool(found[25, 20])
    (True, False)
    """
    strong = coloured(rgb)
    if not strong.any():
        return strong
    radius = brush_px(strong.shape)
    rows, columns = (np.flatnonzero(strong.any(axis=axis)) for axis in (1, 0))
    margin = 2 * radius + 2
    top, left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    window = (slice(top, rows[-1] + margin + 1), slice(left, columns[-1] + margin + 1))
    part = strong[window]
    # Distances do what an opening does, and take the same time for every brush.
    cores = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1] > radius
    areas = np.zeros_like(part)
    if cores.any():
        areas = ndimage.distance_transform_edt(~cores) <= 2 * radius
    found = np.zeros_like(strong)
    found[window] = ndimage.binary_dilation(part & ~areas, disk(1))
    return found


def brush_px(size: tuple[int, ...]) -> int:
    """Return half the width of what counts as a line in a picture of this size.

    Examples
    --------
    >>> brush_px((256, 288)), brush_px((600, 800))
    (3, 6)
    """
    return max(round(min(size[:2]) / 100), 2)


def disk(radius: int) -> NDArray[np.bool_]:
    """Return a round structuring element."""
    down, across = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(down**2 + across**2 <= radius**2 + radius * 0.8)


def solid_picture(seen: Seen, region: Box | None) -> NDArray[np.bool_]:
    """Return the largest lit thing that moves; lines and letters are gone.

    Nothing outside `region` counts. The mask has the shape (n_rows, n_columns); it is all False
    where there is no such thing. Holes are not filled.
    """
    lit = seen.lit
    if region is not None:
        inside = np.zeros_like(lit)
        inside[region.window] = True
        lit = lit & inside
    brush = disk(brush_px(lit.shape))
    # A majority of 5 × 5 fills dark speckle and takes single pixels away.
    dense = ndimage.uniform_filter(lit.astype(np.float32), 5, mode="nearest") > 0.5
    reach = brush.shape[0]
    padded = np.pad(dense, reach, mode="edge")
    closed = ndimage.binary_opening(ndimage.binary_closing(padded, brush), brush)
    solid = closed[reach:-reach, reach:-reach]
    labels, n_parts = ndimage.label(solid)
    if n_parts == 0:
        return np.asarray(solid)
    numbers = np.arange(1, n_parts + 1)
    areas = ndimage.sum_labels(solid, labels, numbers)
    moving = ndimage.mean(seen.moving, labels, numbers)
    if (moving >= _MOVING_SHARE).any():
        areas = np.where(moving >= _MOVING_SHARE, areas, 0)
    # A trace that runs lights its whole strip, but each of its pixels now and then.
    often = ndimage.mean(seen.lit_share, labels, numbers)
    areas = np.where(often >= _LIT_SHARE * often[areas.argmax()], areas, 0)
    # Dropout can part a sector: what is at least a tenth of the largest part belongs to it.
    return np.isin(labels, numbers[areas >= _SMALL_SHARE * areas.max()])


def bordered_box(solid: NDArray[np.bool_]) -> Box | None:
    """Return the box of a picture that black borders surround, None where it has none.

    Conversions to a small square leave a few black columns or rows. A fan that is cut off there
    ends on a straight line, which is neither edge nor arc: many rows end at the same column, or
    most columns at the same row. A fan that lies free in its frame touches its box with three
    corners and the foot of its arc.

    Parameters
    ----------
    solid : ndarray of bool, shape (n_rows, n_columns)
        What belongs to the picture.

    Examples
    --------
    >>> rows, columns = np.indices((112, 112))
    >>> fan = (np.abs(columns - 56) < rows + 1) & (np.hypot(rows, columns - 56) < 100)
    >>> bordered_box(fan)
    Box(top=0, bottom=100, left=0, right=112)
    >>> bordered_box(fan & (np.abs(columns - 56) < 40))
    Box(top=0, bottom=100, left=17, right=96)
    >>> free = (np.abs(columns - 56) < 0.5 * rows) & (np.hypot(rows, columns - 56) < 100)
    >>> bordered_box(free) is None
    True
    """
    rows, columns = (np.flatnonzero(solid.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    box = Box(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
    picture = solid[box.window]
    first, last = picture.argmax(axis=1), picture[:, ::-1].argmax(axis=1)
    lowest = picture[::-1].argmax(axis=0)
    sides = max(float((ends <= _AT_END_PX).mean()) for ends in (first, last))
    foot = float((lowest <= _AT_END_PX).mean())
    return box if sides >= _STRAIGHT_SHARE or foot >= _FLAT_SHARE else None


def look_over(frames: Iterable[NDArray[np.uint8]]) -> Seen:
    """Gather what frames show, one by one."""
    seen = Seen()
    for frame in frames:
        seen.look_at(frame)
    return seen
