"""From an M-mode to a network's picture: crop, size, contrast, and the mean of training."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

PAPER_CROP, PAPER_PIXELS = 250, 500
"""Rows and columns 0 to 249 of 500: around the septum, and the first half of the cycle."""

LEAST_SD = 1e-3
"""Grey levels; the spread that an even picture is divided by."""


def crop(mmode: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the first half of the rows and of the columns: 250 × 250 of 500 × 500.

    Parameters
    ----------
    mmode : ndarray, shape (..., n_rows, n_columns)
        Right ventricle on top, R peak at the left.

    Examples
    --------
    >>> crop(np.zeros((3, 500, 500), np.uint8)).shape
    (3, 250, 250)
    """
    n_rows, n_columns = mmode.shape[-2:]
    share = PAPER_CROP / PAPER_PIXELS
    return mmode[..., : round(n_rows * share), : round(n_columns * share)]


def resize(mmodes: NDArray[np.uint8], size: int = 256) -> NDArray[np.uint8]:
    """Return pictures of another size, anti-aliased where they get smaller.

    Parameters
    ----------
    mmodes : ndarray of uint8, shape (n, n_rows, n_columns)
        M-modes, or crops of them.
    size : int
        Rows and columns of a picture.

    Returns
    -------
    ndarray of uint8, shape (n, size, size)
        Area means where it shrinks, bilinear where it grows.

    Examples
    --------
    >>> stripes = np.tile(np.array([0, 200], np.uint8), (1, 8, 4))
    >>> resize(stripes, 4)[0, 0].tolist()
    [100, 100, 100, 100]
    """
    made = np.empty((len(mmodes), size, size), dtype=np.uint8)
    shrinks = min(mmodes.shape[-2:]) > size
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    for place, mmode in zip(made, mmodes, strict=True):
        place[...] = cv2.resize(np.ascontiguousarray(mmode), (size, size), interpolation=how)
    return made


def with_contrast(pictures: NDArray[np.floating], factor: float) -> NDArray[np.float32]:
    """Return pictures with their contrast multiplied around each one's own mean.

    Parameters
    ----------
    pictures : ndarray, shape (n, n_rows, n_columns)
        Grey levels, 0 to 255.
    factor : float
        1 changes nothing; training draws it log-uniformly between 1/2 and 2.

    Returns
    -------
    ndarray of float32
        Clipped to 0 to 255.

    Examples
    --------
    >>> with_contrast(np.array([[[90.0, 110.0]]]), 2.0).tolist()
    [[[80.0, 120.0]]]
    """
    mean = pictures.mean(axis=(-2, -1), keepdims=True)
    return np.asarray(np.clip(mean + factor * (pictures - mean), 0.0, 255.0).astype(np.float32))


def as_bright_as(pictures: NDArray[np.floating], like: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return pictures brought to the mean and the spread of another one, each by a gain and offset.

    Before the mean picture of training is subtracted: where a picture's gain is another than the
    mean's, the whole anatomy times the difference would stay, and hide a flash.

    Parameters
    ----------
    pictures : ndarray, shape (n, n_rows, n_columns)
        Grey levels.
    like : ndarray, shape (n_rows, n_columns)
        The mean picture of training.

    Returns
    -------
    ndarray of float32
        Not clipped; an even picture has the mean everywhere.

    Examples
    --------
    >>> like = np.array([[100.0, 120.0]], np.float32)
    >>> as_bright_as(np.array([[[10.0, 50.0]], [[7.0, 7.0]]]), like).tolist()
    [[[100.0, 120.0]], [[110.0, 110.0]]]
    """
    mean = pictures.mean(axis=(-2, -1), keepdims=True)
    spread = np.maximum(pictures.std(axis=(-2, -1), keepdims=True), LEAST_SD)
    made = (pictures - mean) / spread * like.std() + like.mean()
    return np.asarray(made, dtype=np.float32)


def mean_picture(pictures: NDArray[np.uint8], block: int = 64) -> NDArray[np.float32]:
    """Return the mean of training pictures, to be subtracted from all.

    Parameters
    ----------
    pictures : array, shape (n, n_rows, n_columns)
        Read in blocks, so that they may lie on disk.
    block : int
        Pictures read at a time.

    Returns
    -------
    ndarray of float32, shape (n_rows, n_columns)

    Examples
    --------
    >>> mean_picture(np.array([[[10]], [[20]], [[60]]], np.uint8), block=2).tolist()
    [[30.0]]
    """
    total = np.zeros(pictures.shape[1:], dtype=np.float64)
    for start in range(0, len(pictures), block):
        chosen = slice(start, min(start + block, len(pictures)))
        total += np.asarray(pictures[chosen], dtype=np.float64).sum(axis=0)
    return (total / len(pictures)).astype(np.float32)
