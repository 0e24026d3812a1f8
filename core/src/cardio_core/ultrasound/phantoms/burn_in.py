"""What scanners print on a picture, and what identifies a patient: text and an ECG trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_WHITE, _GREEN, _CURSOR = (255, 255, 255), (60, 230, 90), (255, 210, 60)


@dataclass(frozen=True)
class BurnIn:
    """A loop with print on it.

    `frames` is uint8, shape (n_frames, n_rows, n_columns) or (..., 3); `text` and `trace`, shape
    (n_rows, n_columns), say which pixels the text, and the trace with its cursor, touch in any
    frame.
    """

    frames: NDArray[np.uint8]
    text: NDArray[np.bool_]
    trace: NDArray[np.bool_]


def burn_in(
    frames: NDArray[np.uint8],
    lines: Sequence[str] = (),
    *,
    ecg_mv: ArrayLike | None = None,
    text_at: tuple[int, int] = (2, 2),
    font_px: int = 11,
    trace_rows: tuple[int, int] | None = None,
) -> BurnIn:
    """Print text and an ECG trace on every frame.

    Parameters
    ----------
    frames : ndarray, shape (n_frames, n_rows, n_columns) or (..., 3), uint8
        Grey or RGB; it is not changed. On RGB frames the trace is green.
    lines : sequence of str
        Text, a line each, such as a patient's name.
    ecg_mv : array_like, shape (n_samples,), optional
        The whole loop's ECG, drawn over the width of the picture; a cursor runs along it.
    text_at : tuple of int
        Row and column where the text begins.
    font_px : int
        Its height.
    trace_rows : tuple of int, optional
        First and last row of the trace; by default the lowest eighth.

    Returns
    -------
    BurnIn
        The loop, and which pixels were touched.

    Examples
    --------
    >>> dark = np.zeros((2, 64, 96), np.uint8)
    >>> printed = burn_in(dark, ["DOE^JANE"], ecg_mv=np.sin(np.arange(50.0)))
    >>> bool(printed.frames[:, printed.text].max() > 200), bool(printed.text[40:].any())
    (True, False)
    >>> touched = printed.text | printed.trace
    >>> bool((printed.frames[:, ~touched] == 0).all())
    True
    """
    n_frames, n_rows, n_columns = frames.shape[:3]
    printed = frames.copy()
    text = _text_cover((n_rows, n_columns), lines, text_at, font_px)
    _blend(printed, text, _WHITE)
    trace = np.zeros((n_rows, n_columns), np.bool_)
    if ecg_mv is not None:
        top, bottom = trace_rows or (n_rows - n_rows // 8, n_rows - 2)
        line = _trace_cover((n_rows, n_columns), np.asarray(ecg_mv, np.float64), top, bottom)
        _blend(printed, line, _GREEN)
        trace |= line > 0
        for number in range(n_frames):
            column = round((n_columns - 1) * number / max(n_frames - 1, 1))
            ink = np.array(_CURSOR) if printed.ndim == 4 else max(_CURSOR)
            printed[number, top : bottom + 1, column] = ink
            trace[top : bottom + 1, column] = True
    return BurnIn(printed, text > 0, trace)


def _text_cover(
    shape: tuple[int, int], lines: Sequence[str], at: tuple[int, int], font_px: int
) -> NDArray[np.uint8]:
    """Return how much of each pixel the text covers, 0 to 255."""
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("L", (shape[1], shape[0]))
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(font_px)
    for number, line in enumerate(lines):
        draw.text((at[1], at[0] + number * (font_px + 2)), line, fill=255, font=font)
    return np.array(page, dtype=np.uint8)


def _trace_cover(
    shape: tuple[int, int], ecg_mv: NDArray[np.float64], top: int, bottom: int
) -> NDArray[np.uint8]:
    """Return how much of each pixel the trace covers, 0 to 255."""
    from PIL import Image, ImageDraw

    low, high = float(ecg_mv.min()), float(ecg_mv.max())
    height = (ecg_mv - low) / max(high - low, 1e-9)
    columns = np.linspace(0, shape[1] - 1, ecg_mv.size)
    rows = bottom - height * (bottom - top)
    page = Image.new("L", (shape[1], shape[0]))
    points = [(float(c), float(r)) for c, r in zip(columns, rows, strict=True)]
    ImageDraw.Draw(page).line(points, fill=255, width=1)
    return np.array(page, dtype=np.uint8)


def _blend(frames: NDArray[np.uint8], cover: NDArray[np.uint8], colour: tuple[int, ...]) -> None:
    """Paint a colour over the frames where `cover` says so, in place."""
    rows, columns = np.nonzero(cover)
    share = cover[rows, columns].astype(np.float32) / 255.0
    ink = np.array(colour, np.float32) if frames.ndim == 4 else np.float32(max(colour))
    if frames.ndim == 4:
        share = share[:, None]
    under = frames[:, rows, columns].astype(np.float32)
    frames[:, rows, columns] = np.rint(under + share * (ink - under)).astype(np.uint8)
