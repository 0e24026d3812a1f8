"""The heat of a clip over its pictures, as a WebM video."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_core.api import ConfigError

SIDE = 336
"""Pixels of a side of the overlay: three for each of the small picture."""

STRONGEST = 0.6
"""How much of a pixel the largest heat covers; the picture stays visible below it."""

CODECS = ("VP90", "VP80")
"""Codes of the codecs that a WebM file may hold, the smaller result first."""

_OUTLINE_RGB = (86, 180, 233)
_OUTLINE_SHARE = 0.45
_TRACK = bytes.fromhex("73c588")
_STDERR = 2


def overlay_frames(
    frames: NDArray[np.uint8],
    heat: NDArray[np.floating[Any]],
    times_ms: NDArray[np.floating[Any]],
    labels: NDArray[np.uint8] | None = None,
    *,
    side: int = SIDE,
) -> NDArray[np.uint8]:
    """Lay heat over pictures, draw the segments' outlines, and print the time of each frame.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, rows, columns)
        Grey pictures.
    heat : ndarray, shape (n, rows, columns)
        0 to 1.
    times_ms : ndarray, shape (n,)
        Since the video's first frame; nothing is printed where it is NaN.
    labels : ndarray of uint8, shape (rows, columns), optional
        Segments; 0 is none.
    side : int
        Rows and columns of the result.

    Returns
    -------
    ndarray of uint8, shape (n, side, side, 3)
        Red, green and blue.
    """
    outline = outlines(labels, side) if labels is not None else np.zeros((side, side), bool)
    made = np.empty((len(frames), side, side, 3), np.uint8)
    for frame, warm, at_ms, out in zip(frames, heat, times_ms, made, strict=True):
        grey = cv2.resize(frame, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        large = np.clip(cv2.resize(np.asarray(warm, np.float32), (side, side)), 0, 1)
        share = STRONGEST * large[..., None]
        mixed = (1 - share) * grey[..., None] + share * _inferno(large)
        mixed[outline] += _OUTLINE_SHARE * (np.array(_OUTLINE_RGB, np.float32) - mixed[outline])
        out[:] = np.rint(np.clip(mixed, 0, 255))
        if np.isfinite(at_ms):
            cv2.putText(out, f"{at_ms:.0f} ms", (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45,
                        (255, 255, 255), 1, cv2.LINE_AA)  # fmt: skip
    return made


def outlines(labels: NDArray[np.uint8], side: int) -> NDArray[np.bool_]:
    """Return the pixels where one segment ends, one pixel thin, shape (side, side).

    Examples
    --------
    >>> outlines(np.array([[0, 3]], np.uint8), 4).astype(int).tolist()[0]
    [0, 1, 0, 0]
    """
    large = cv2.resize(labels, (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
    edge = np.zeros((side, side), bool)
    edge[:, :-1] |= large[:, 1:] != large[:, :-1]
    edge[:-1] |= large[1:] != large[:-1]
    return edge


def webm_bytes(frames: NDArray[np.uint8], rate_hz: float) -> bytes:
    """Encode pictures as a WebM video; equal pictures give equal bytes.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, rows, columns, 3)
        Red, green and blue; even numbers of rows and columns.
    rate_hz : float
        Pictures a second.

    Raises
    ------
    ConfigError
        If the installed OpenCV encodes neither VP9 nor VP8.
    """
    codec = webm_codec()
    if codec is None:
        raise ConfigError(
            "this build of OpenCV encodes neither VP9 nor VP8, so no overlay can be written; "
            "install opencv-python-headless, or set explain.video=false"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "overlay.webm"
        n_rows, n_columns = frames.shape[1:3]
        writer = _opened(path, codec, rate_hz, (n_columns, n_rows))
        try:
            for frame in frames:
                writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        finally:
            writer.release()
        return _without_chance(path.read_bytes(), hashlib.sha256(frames.tobytes()).digest())


@cache
def webm_codec() -> str | None:
    """Return the code of the first of `CODECS` that the installed OpenCV encodes, else None."""
    with tempfile.TemporaryDirectory() as folder:
        for codec in CODECS:
            writer = _opened(Path(folder) / f"{codec}.webm", codec, 25.0, (16, 16))
            opened = writer.isOpened()
            writer.release()
            if opened:
                return codec
    return None


def _opened(path: Path, codec: str, rate_hz: float, size: tuple[int, int]) -> Any:
    with _quiet():
        return cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), rate_hz, size)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV from printing, past Python, that WebM has no such tag; its way out is right."""
    kept = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nowhere)


def _without_chance(content: bytes, digest: bytes) -> bytes:
    """Replace the track's random number, by which alone two files of equal pictures differ.

    Its element TrackUID (73 C5, RFC 9559) has 8 bytes; a tag names the track by it again.
    """
    at = content.find(_TRACK)
    if at < 0:
        return content
    drawn = content[at + len(_TRACK) : at + len(_TRACK) + 8]
    # A track's number must not be 0.
    return content.replace(drawn, b"\x01" + digest[:7])


def _inferno(heat: NDArray[Any]) -> NDArray[np.float32]:
    levels = np.asarray(np.rint(255 * heat), np.uint8)
    coloured = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.float32)
