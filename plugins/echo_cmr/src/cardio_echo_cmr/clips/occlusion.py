"""Occlude one AHA segment of a video after the other: how much of the output was due to it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_echo_cmr.segments.atlas import segment_map

GROWN = 2 / 112
"""How far a segment is grown on all sides, as a share of the picture's side: patients' hearts do
not lie exactly where the atlas has them, and walls move."""

BLUR = 8 / 112
"""Standard deviation of what an occluded segment shows instead, as a share of the side: wider than
a wall, so that neither its edges nor its motion are left."""

_SOFT = 1 / 112
_SMALLEST_WEIGHT = 1e-3


@dataclass(frozen=True, eq=False)
class Segments:
    """The AHA segments that a view shows.

    Attributes
    ----------
    numbers : tuple of int
        Ascending, 1 to 17.
    labels : ndarray of uint8, shape (side, side)
        Which segment each pixel of the atlas belongs to; 0 none.
    masks : ndarray of float32, shape (n_segments, side, side)
        How much of each pixel is occluded: the segment, grown, with soft edges.
    """

    numbers: tuple[int, ...]
    labels: NDArray[np.uint8]
    masks: NDArray[np.float32]


def segments_of(view: str, side: int) -> Segments:
    """Return the segments of a view's atlas.

    Parameters
    ----------
    view : {"a4c", "a2c", "plax"}
    side : int
        Pixels of the small square picture.

    Examples
    --------
    >>> segments_of("plax", 112).numbers
    (2, 5, 8, 11)
    """
    labels = segment_map(view, side)
    numbers = tuple(int(n) for n in np.unique(labels) if n)
    grown, soft = GROWN * side, _SOFT * side
    masks = []
    for number in numbers:
        away = ndimage.distance_transform_edt(labels != number)
        masks.append(np.clip(1.0 + (grown - away) / soft, 0.0, 1.0))
    return Segments(numbers, labels, np.asarray(masks, np.float32))


def smoothed(video: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the local mean grey of every frame; black outside the sector counts for nothing.

    Parameters
    ----------
    video : ndarray of uint8, shape (frames, rows, columns)
        0 outside the sector.

    Returns
    -------
    ndarray of float32, same shape
        0 outside the sector.

    Examples
    --------
    >>> video = np.zeros((2, 16, 16), np.uint8)
    >>> video[:, :, 4:] = 90
    >>> float(smoothed(video)[0, 8, 4].round(3)), float(smoothed(video)[0, 8, 3])
    (90.0, 0.0)
    """
    sector: NDArray[np.bool_] = np.asarray((video > 0).any(axis=0))
    sigma = BLUR * video.shape[-1]
    weight = cv2.GaussianBlur(sector.astype(np.float32), (0, 0), sigma)
    inside = sector / np.maximum(weight, _SMALLEST_WEIGHT)
    made = np.empty(video.shape, np.float32)
    for number in range(len(video)):
        grey: NDArray[np.float32] = video[number].astype(np.float32)
        made[number] = cv2.GaussianBlur(grey, (0, 0), sigma) * inside
    return made


def occluded(
    video: NDArray[np.uint8], smooth: NDArray[np.float32], mask: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Return the video with one segment replaced by its local mean grey.

    Parameters
    ----------
    video : ndarray of uint8, shape (frames, rows, columns)
    smooth : ndarray of float32, same shape
        Of `smoothed`.
    mask : ndarray of float32, shape (rows, columns)
        1 where nothing of the video is to be left.

    Examples
    --------
    >>> video, mask = np.full((1, 1, 2), 9, np.uint8), np.array([[0, 1]], np.float32)
    >>> occluded(video, np.full((1, 1, 2), 4, np.float32), mask).tolist()
    [[[9, 4]]]
    """
    mixed = video + mask * (smooth - video)
    return np.asarray(np.rint(np.clip(mixed, 0, 255)), np.uint8)
