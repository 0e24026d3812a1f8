"""What happens to pictures on their way: gain, print left in them, cuts, codecs, mirrors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

_BLOCK = 8
_QUANTISER = 10.0 + 6.0 * np.add.outer(np.arange(_BLOCK), np.arange(_BLOCK))


def spoil(
    frames: NDArray[np.uint8], mask: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return frames and their sector, spoilt as a whole loop is.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
    mask : ndarray of bool, shape (n_rows, n_columns)
        The sector.
    rng : numpy.random.Generator
    """
    made = frames.astype(np.float32)
    if rng.random() < 0.3:  # two changes of gain in the loop
        for start in rng.integers(0, len(made), 2):
            made[start:] = np.clip(made[start:] * rng.uniform(0.8, 1.25), 0, 255)
    if rng.random() < 0.4:
        _print_on(made, rng)
    if rng.random() < 0.35:  # too few pixels, and their enlargement
        coarse = rng.uniform(0.3, 0.7)
        for number, frame in enumerate(made):
            small = ndimage.zoom(ndimage.gaussian_filter(frame, 0.4 / coarse), coarse, order=1)
            back = (frame.shape[0] / small.shape[0], frame.shape[1] / small.shape[1])
            made[number] = ndimage.zoom(small, back, order=1)[: frame.shape[0], : frame.shape[1]]
    if rng.random() < 0.45:
        strength = rng.uniform(0.4, 4.0)
        made = np.stack([coded(frame, strength) for frame in made])
    mask = mask.copy()
    if rng.random() < 0.35:  # the screen, or a zoom, cuts the sector
        n_rows, n_columns = mask.shape
        side = rng.integers(4)
        share = rng.uniform(0.03, 0.2)
        if side in (0, 3):
            mask[round(n_rows * (1 - share)) :] = False
        if side in (1, 3):
            mask[:, : round(n_columns * share)] = False
        if side in (2, 3):
            mask[:, round(n_columns * (1 - share)) :] = False
    grey = np.rint(np.clip(made, 0, 255)).astype(np.uint8) * mask
    return grey, mask


def coded(frame: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Return a frame whose blocks of 8 × 8 were coded coarsely, as JPEG and MPEG do."""
    n_rows, n_columns = (-(-n // _BLOCK) * _BLOCK for n in frame.shape)
    padded = np.zeros((n_rows, n_columns), np.float32)
    padded[: frame.shape[0], : frame.shape[1]] = frame
    blocks = padded.reshape(n_rows // _BLOCK, _BLOCK, n_columns // _BLOCK, _BLOCK)
    step = (strength * _QUANTISER)[None, :, None, :]
    cosines = np.rint(fft.dctn(blocks, axes=(1, 3), norm="ortho") / step) * step
    back = fft.idctn(cosines, axes=(1, 3), norm="ortho").reshape(n_rows, n_columns)
    shown: NDArray[np.float32] = back[: frame.shape[0], : frame.shape[1]]
    return shown


def _print_on(frames: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Leave letters, a ruler, a trace or a cursor in the picture."""
    n_rows, n_columns = frames.shape[1:]
    bright = rng.uniform(120, 255)
    kind = rng.integers(4)
    if kind == 0:  # letters as strokes in cells
        row, column = rng.integers(0, n_rows - 12), rng.integers(0, max(n_columns - 60, 1))
        for letter in range(int(rng.integers(3, 9))):
            cell = rng.random((7, 4)) < 0.5
            left = column + 6 * letter
            part = frames[:, row : row + 7, left : left + 4]
            part[:, cell[: part.shape[1], : part.shape[2]]] = bright
    elif kind == 1:  # a ruler's ticks
        column = int(rng.choice([n_columns // 2, 2, n_columns - 6]))
        frames[:, :: int(rng.integers(8, 20)), column : column + 3] = bright
    elif kind == 2:  # a trace across
        along = np.arange(n_columns)
        beat = np.abs((along / rng.uniform(25, 70)) % 1 - 0.5) < 0.04
        rows = n_rows * rng.uniform(0.75, 0.97) - 12 * beat
        frames[:, np.clip(rows.astype(int), 0, n_rows - 1), along] = bright
    else:  # a cursor's line
        along = np.arange(0, n_rows, 3)
        column = n_columns / 2 + rng.uniform(-0.4, 0.4) * along
        frames[:, along, np.clip(column.astype(int), 0, n_columns - 1)] = bright
