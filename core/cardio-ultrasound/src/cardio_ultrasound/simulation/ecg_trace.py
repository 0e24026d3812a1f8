"""The ECG as scanners draw it into the picture: whole with a cursor, sweeping, or running."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ecg = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""The voltage in mV at times in ms from the first frame."""


@dataclass(frozen=True)
class EcgLayout:
    """Where and how a trace is drawn.

    Attributes
    ----------
    kind : {"whole", "sweep", "running"}
        The whole loop's trace, with a cursor where the loop is; a trace that is drawn from left to
        right, over what was drawn before; or one that enters at the right and runs to the left.
    rows, columns : tuple of int
        First and last row and column of the strip.
    px_per_s : float
        Paper speed of the two that move; a whole trace fills its columns.
    colour : tuple of int
    thickness_px : int
    mv_share : float
        Share of the strip's height that 1 mV takes.
    grid : bool
        Whether faint upright lines are drawn every 0.2 s, which stand still.
    marks : {"none", "over", "under", "on"}
        Whether beats are marked: ticks at the strip's top or foot, or above the R wave itself.
    mark_colour : tuple of int
    """

    kind: Literal["whole", "sweep", "running"] = "whole"
    rows: tuple[int, int] = (210, 250)
    columns: tuple[int, int] = (4, 283)
    px_per_s: float = 90.0
    colour: tuple[int, int, int] = (60, 230, 90)
    thickness_px: int = 1
    mv_share: float = 0.6
    grid: bool = False
    marks: Literal["none", "over", "under", "on"] = "none"
    mark_colour: tuple[int, int, int] = (255, 255, 255)


_GAP_MS, _GRID_S = 60.0, 0.2
_MARK_SHARE = 0.16


def draw_ecg(
    frames: NDArray[np.uint8],
    times_ms: NDArray[np.float64],
    ecg: Ecg,
    layout: EcgLayout,
    r_times_ms: Sequence[float] = (),
) -> NDArray[np.uint8]:
    """Draw an ECG into every frame.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns, 3)
        RGB; not changed.
    times_ms : ndarray, shape (n_frames,)
        Of the frames.
    ecg : callable
        The voltage at any time, those before the first frame included.
    layout : EcgLayout
    r_times_ms : sequence of float
        Beats to mark, where the layout marks them; one that is still to come has no mark.

    Returns
    -------
    ndarray of uint8, shape (n_frames, n_rows, n_columns, 3)

    Examples
    --------
    >>> dark = np.zeros((5, 260, 290, 3), np.uint8)
    >>> drawn = draw_ecg(dark, np.arange(5) * 20.0, lambda t: np.sin(t / 50), EcgLayout())
    >>> bool(drawn[:, 205:255].any()), bool(drawn[:, :200].any())
    (True, False)
    """
    from PIL import Image, ImageDraw

    left, right = layout.columns
    x = np.arange(left, right + 1, 0.25)
    drawn = frames.copy()
    first, last = float(times_ms[0]), float(times_ms[-1])
    per_px = 1000.0 / layout.px_per_s
    width_ms = (right - left) * per_px
    for number, now in enumerate(times_ms):
        page = Image.fromarray(drawn[number])
        draw = ImageDraw.Draw(page)
        if layout.grid:
            for column in np.arange(left, right, _GRID_S * layout.px_per_s):
                draw.line([(column, layout.rows[0]), (column, layout.rows[1])], fill=(40, 40, 48))
        since = now - first
        if layout.kind == "whole":
            at = first + (x - left) / (right - left) * (last - first)
            shown = np.ones(x.shape, np.bool_)
            cursor = left + (right - left) * since / max(last - first, 1e-9)
            draw.line([(cursor, layout.rows[0]), (cursor, layout.rows[1])], fill=(255, 210, 60))
        elif layout.kind == "sweep":
            head = since % width_ms
            own = (x - left) * per_px
            behind = (head - own) % width_ms
            at = now - behind
            shown = (own - head) % width_ms > _GAP_MS
        else:
            at = now - (right - x) * per_px
            shown = np.ones(x.shape, np.bool_)
        rows = _rows(ecg(at), layout)
        breaks = np.flatnonzero(~shown[1:] | ~shown[:-1] | (np.diff(at) < 0)) + 1
        for part in np.split(np.arange(len(x)), breaks):
            points = [(float(x[i]), float(rows[i])) for i in part if shown[i]]
            if len(points) > 1:
                draw.line(points, fill=layout.colour, width=layout.thickness_px)
        if layout.marks != "none":
            for column, beat in _columns_of(r_times_ms, float(now), first, last, layout):
                height = _MARK_SHARE * (layout.rows[1] - layout.rows[0])
                row = {
                    "over": layout.rows[0] + height,
                    "under": layout.rows[1],
                    "on": max(float(_rows(ecg(np.array([beat])), layout)[0]) - 1, layout.rows[0]),
                }[layout.marks]
                begins = max(row - height, layout.rows[0])
                draw.line([(column, begins), (column, row)], fill=layout.mark_colour)
        drawn[number] = np.asarray(page)
    return drawn


def _columns_of(
    beats_ms: Sequence[float], now: float, first: float, last: float, layout: EcgLayout
) -> list[tuple[float, float]]:
    """Return the column of every beat that the trace shows at one moment, and the beat."""
    left, right = layout.columns
    per_px = 1000.0 / layout.px_per_s
    width_ms = (right - left) * per_px
    shown = []
    for beat in beats_ms:
        if layout.kind == "whole":
            if first <= beat <= last:
                shown.append((left + (right - left) * (beat - first) / (last - first), beat))
        elif now - width_ms + _GAP_MS < beat <= now:
            since = (beat - first) % width_ms
            column = (
                left + since / per_px if layout.kind == "sweep" else right - (now - beat) / per_px
            )
            shown.append((column, beat))
    return shown


def _rows(mv: NDArray[np.float64], layout: EcgLayout) -> NDArray[np.float64]:
    top, bottom = layout.rows
    middle = bottom - 0.25 * (bottom - top)
    return np.clip(middle - mv * layout.mv_share * (bottom - top), top, bottom)
