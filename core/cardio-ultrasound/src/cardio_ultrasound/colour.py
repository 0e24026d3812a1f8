"""Colours of decoded frames: to grey, to RGB, and how much of a frame is coloured.

References
----------
DICOM PS3.3 C.7.6.3.1.2 (photometric interpretation), C.7.6.3.1.5 (palettes); ITU-R BT.601 (luma).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_ultrasound.loop import Box

SATURATED = 0.6
"""Saturation (max − min) / max from which a pixel is coloured; sepia and blue maps of B-mode lie
below it."""

BRIGHT = 80
"""Darker pixels show no colour that matters."""

COLOURED_SHARE = 0.02
"""Share of coloured areas in the region that makes a loop colour Doppler; the bar of its colours
alone stays below it."""

COLOURED_SHARE_WITH_TAG = 0.005
"""The same where the header has UltrasoundColorDataPresent = 1."""

_N_LOOKED_AT = 5

# What Cb and Cr add to red, green and blue; green sums two of them, so it keeps 6 more bits.
_FROM_128 = np.arange(256) - 128.0
_FRACTION_BITS = 6
_RED_OF_RED = np.rint(1.402 * _FROM_128).astype(np.int16)
_BLUE_OF_BLUE = np.rint(1.772 * _FROM_128).astype(np.int16)
_GREEN_OF_BLUE = np.rint(-0.344136 * 64 * _FROM_128 + 32).astype(np.int16)
_GREEN_OF_RED = np.rint(-0.714136 * 64 * _FROM_128).astype(np.int16)


def grey_of_rgb(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luma of BT.601, within one grey level.

    Examples
    --------
    >>> grey_of_rgb(np.array([[[255, 0, 0], [0, 255, 0], [90, 90, 90]]], np.uint8)).tolist()
    [[77, 149, 90]]
    """
    # 77 + 150 + 29 = 256, and 256 × 255 still fits 16 bits.
    total = rgb[..., 0] * np.uint16(77)
    total += rgb[..., 1] * np.uint16(150)
    total += rgb[..., 2] * np.uint16(29)
    total += np.uint16(128)
    grey: NDArray[np.uint8] = (total >> 8).astype(np.uint8)
    return grey


def rgb_of_ybr(ybr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert YBR_FULL to RGB (PS3.3 C.7.6.3.1.2).

    Examples
    --------
    >>> rgb_of_ybr(np.array([[[76, 85, 255], [90, 128, 128]]], np.uint8)).tolist()
    [[[254, 0, 0], [90, 90, 90]]]
    """
    y = ybr[..., 0].astype(np.int16)
    blue, red = ybr[..., 1], ybr[..., 2]
    rgb = np.empty(ybr.shape, dtype=np.uint8)
    np.clip(y + _RED_OF_RED[red], 0, 255, out=rgb[..., 0], casting="unsafe")
    green = y + ((_GREEN_OF_BLUE[blue] + _GREEN_OF_RED[red]) >> _FRACTION_BITS)
    np.clip(green, 0, 255, out=rgb[..., 1], casting="unsafe")
    np.clip(y + _BLUE_OF_BLUE[blue], 0, 255, out=rgb[..., 2], casting="unsafe")
    return rgb


def grey_or_rgb(
    frame: NDArray[np.uint8], photometric: str, *, colour: bool, palette: NDArray[np.uint8] | None
) -> NDArray[np.uint8]:
    """Return a decoded frame as asked for.

    Grey frames have the shape (rows, columns), others (rows, columns, 3), colour by pixel.
    `photometric` is what the decoder returned, which need not be what the header says; `palette`
    has the RGB of every stored value from 0, where that is ``PALETTE COLOR``.

    Examples
    --------
    >>> grey_or_rgb(np.array([[0, 200]], np.uint8), "MONOCHROME1", colour=False, palette=None)
    array([[255,  55]], dtype=uint8)
    """
    if palette is not None:
        entries = palette if colour else grey_of_rgb(palette)
        return np.take(entries, frame, axis=0, mode="clip")
    if frame.ndim == 2:
        grey = 255 - frame if photometric == "MONOCHROME1" else frame
        return np.repeat(grey[..., None], 3, axis=-1) if colour else grey
    if photometric.startswith("YBR"):
        return rgb_of_ybr(frame) if colour else frame[..., 0].copy()
    return frame if colour else grey_of_rgb(frame)


def read_palette(dataset: Any) -> NDArray[np.uint8]:
    """Read the palette of a PALETTE COLOR image as RGB, 8 bits.

    Of a data set with its palettes, plain or segmented, of 8 or 16 bits; shape (n_values, 3), RGB
    of every stored value from 0.
    """
    from pydicom.pixels.processing import apply_color_lut

    n_entries, first, _ = (int(value) for value in dataset.RedPaletteColorLookupTableDescriptor)
    n_values = min(max(first, 0) + (n_entries or 2**16), 2**16)
    rgb = apply_color_lut(np.arange(n_values, dtype=np.uint16), dataset)
    # 16-bit entries may hold 8-bit colours: then nothing lies above 255.
    shift = 8 if rgb.dtype.itemsize == 2 and int(rgb.max(initial=0)) > 255 else 0
    eight_bits: NDArray[np.uint8] = (rgb[..., :3] >> shift).astype(np.uint8)
    return eight_bits


def spread_over(n_frames: int) -> range:
    """Return a few indices over a whole loop, to look at.

    Examples
    --------
    >>> list(spread_over(30)), list(spread_over(3))
    ([0, 7, 14, 21, 28], [0, 1, 2])
    """
    return range(0, n_frames, max((n_frames - 1) // (_N_LOOKED_AT - 1), 1))


def high_and_spread(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the highest channel of every pixel, and how far the lowest lies below it.

    Examples
    --------
    >>> high, spread = high_and_spread(np.array([[[60, 230, 90]]], np.uint8))
    >>> int(high[0, 0]), int(spread[0, 0])
    (230, 170)
    """
    red, green, blue = (rgb[..., channel] for channel in range(3))
    high = np.maximum(np.maximum(red, green), blue)
    return high, high - np.minimum(np.minimum(red, green), blue)


def coloured(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the strongly coloured pixels of one RGB frame, shape (n_rows, n_columns).

    Examples
    --------
    >>> coloured(np.array([[[60, 230, 90], [200, 190, 170]]], np.uint8)).tolist()
    [[True, False]]
    """
    high, spread = high_and_spread(rgb)
    return np.asarray((high >= BRIGHT) & (spread >= np.float32(SATURATED) * high))


def coloured_share(rgb_frames: Iterable[NDArray[np.uint8]], region: Box | None) -> float:
    """Return the largest share of strongly coloured areas in any of the frames.

    Lines and letters are none: traces and words in colour cover no tissue. Frames are RGB of shape
    (rows, columns, 3), a few spread over the loop; `region` says where to look, None is the whole
    image.

    Examples
    --------
    >>> frame = np.full((10, 10, 3), 90, np.uint8)
    >>> frame[:3] = (200, 20, 20)
    >>> coloured_share([frame], None)
    0.3
    """
    seen = (rgb if region is None else rgb[region.window] for rgb in rgb_frames)
    return max((float(_areas(coloured(rgb)).mean()) for rgb in seen), default=0.0)


def _areas(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what is at least three pixels wide and high."""
    from scipy import ndimage

    if not mask.any():
        return mask
    return np.asarray(ndimage.binary_opening(mask, np.ones((3, 3), np.bool_)))


def is_colour_doppler(share: float, *, tagged: bool) -> bool:
    """Tell colour Doppler by its coloured share, and by the header's word for it.

    The header alone does not decide: some scanners set it for every colour image.

    Examples
    --------
    >>> is_colour_doppler(0.01, tagged=True), is_colour_doppler(0.01, tagged=False)
    (True, False)
    """
    return share >= (COLOURED_SHARE_WITH_TAG if tagged else COLOURED_SHARE)
