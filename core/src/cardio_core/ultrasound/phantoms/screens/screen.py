"""A loop as a scanner's whole screen shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cardio_core.ultrasound.phantoms.drawn_ecg import Ecg, EcgLayout, draw_ecg
from cardio_core.ultrasound.phantoms.screens.layouts import ScreenLayout, Trace
from cardio_core.ultrasound.phantoms.screens.marks import (
    Place,
    draw_bars,
    draw_cursor_line,
    draw_depth_scale,
    draw_index,
    draw_tip_mark,
    draw_words,
)
from cardio_core.ultrasound.phantoms.sector import Sector

SAID = {"name": "DOE^JANE", "id": "ID 4711-99", "hospital": "GENERAL HOSPITAL 7"}
"""What identifies on a screen, unless the caller says something else."""

_ROWS = 256
_BREATH_MS = 3800.0


@dataclass(frozen=True, eq=False)
class Screen:
    """A screen, and what of it is tissue.

    Attributes
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns, 3)
        RGB, with an even number of rows and columns.
    tissue : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        The picture alone, where it stands on the screen.
    sector : Sector
        That of the picture, of the size of the screen.
    apex : tuple of float
        Row and column of its tip on the screen.
    """

    frames: NDArray[np.uint8]
    tissue: NDArray[np.uint8]
    sector: Sector
    apex: tuple[float, float]

    @property
    def ink(self) -> NDArray[np.bool_]:
        """Where print changed a pixel, shape (n_frames, n_rows, n_columns)."""
        return np.asarray((self.frames != self.tissue[..., None]).any(axis=-1))

    def mask(self) -> NDArray[np.bool_]:
        """Return which pixels lie in the sector, shape (n_rows, n_columns)."""
        rows, columns = np.indices(self.tissue.shape[1:])
        down, across = rows - self.apex[0], columns - self.apex[1]
        far = self.sector.depth_mm / self.sector.spacing_mm
        angle = np.degrees(np.arctan2(across, down))
        return np.asarray(
            (np.hypot(down, across) <= far) & (np.abs(angle) <= self.sector.half_angle_deg)
        )


def draw_screen(
    frames: NDArray[np.uint8],
    times_ms: NDArray[np.float64],
    sector: Sector,
    layout: ScreenLayout,
    *,
    ecg: Ecg | None = None,
    r_times_ms: Sequence[float] = (),
    said: Mapping[str, str] = SAID,
) -> Screen:
    """Draw a scanner's screen around a loop: words, scales, bars, marks and traces.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        The picture, 0 outside `sector`; it is not changed or scaled.
    times_ms : ndarray, shape (n_frames,)
    sector : Sector
        Where the picture's sector lies.
    layout : ScreenLayout
        One of `SCREEN_LAYOUTS`, or one that is varied with `dataclasses.replace`.
    ecg : callable, optional
        The voltage in mV at any time in ms; without it no trace is drawn.
    r_times_ms : sequence of float
        Beats that are marked, where the layout marks them.
    said : mapping of str to str
        What stands for ``{name}``, ``{id}`` and ``{hospital}``.

    Returns
    -------
    Screen

    Examples
    --------
    >>> from cardio_core.ultrasound.phantoms.screens.layouts import SCREEN_LAYOUTS
    >>> sector = Sector(depth_mm=60.0, n_rows=120, n_columns=140)
    >>> picture = np.full((3, 120, 140), 90, np.uint8) * sector.mask()
    >>> screen = draw_screen(picture, np.arange(3) * 20.0, sector, SCREEN_LAYOUTS["a"])
    >>> screen.frames.shape, bool((screen.tissue[:, screen.mask()] == 90).all())
    ((3, 156, 190, 3), True)
    """
    from PIL import Image, ImageDraw

    scale = frames.shape[1] / _ROWS
    top, bottom, left, right = (round(margin * scale) for margin in layout.margins_px)
    n_rows, n_columns = frames.shape[1] + top + bottom, frames.shape[2] + left + right
    bottom, right = bottom + n_rows % 2, right + n_columns % 2
    around = ((0, 0), (top, bottom), (left, right))
    tissue = np.pad(frames, around)
    place = Place(
        apex=(top + sector.apex_row, left + sector.apex_column),
        far_px=sector.depth_mm / sector.spacing_mm,
        half_rad=float(np.radians(sector.half_angle_deg)),
        cm_px=10.0 / sector.spacing_mm,
        size=(tissue.shape[1], tissue.shape[2]),
        scale=scale,
    )
    shown = np.repeat(tissue[..., None], 3, axis=-1)
    if layout.band is not None:
        shown[:, : max(top - round(4 * scale), 0)] = layout.band
    for number, now in enumerate(times_ms):
        page = Image.fromarray(shown[number])
        draw = ImageDraw.Draw(page)
        for words in layout.words:
            draw_words(draw, place, words, _filled_in(said, number, len(times_ms), float(now)))
        draw_depth_scale(draw, place, layout.scale_side)
        side = "left" if layout.scale_side == "right" else "right"
        draw_bars(draw, place, layout.bars, side, layout.bars_at)
        if layout.tip_mark is not None:
            draw_tip_mark(draw, place, layout.tip_mark)
        if layout.index is not None:
            draw_index(draw, place, *layout.index)
        if layout.line is not None:
            draw_cursor_line(draw, place, layout.line)
        shown[number] = np.asarray(page)
    if layout.breath is not None:
        strip = _strip(layout.breath, place, bottom)
        shown = draw_ecg(shown, times_ms, _breath, strip)
    if layout.ecg is not None and ecg is not None:
        strip = _strip(layout.ecg, place, bottom)
        shown = draw_ecg(shown, times_ms, ecg, strip, r_times_ms)
    sized = replace(sector, n_rows=tissue.shape[1], n_columns=tissue.shape[2])
    return Screen(shown, tissue, sized, place.apex)


def _filled_in(
    said: Mapping[str, str], number: int, n_frames: int, now_ms: float
) -> dict[str, str]:
    seconds = 34_000.0 + now_ms / 1000.0
    clock = f"{int(seconds // 3600):02d}:{int(seconds // 60 % 60):02d}:{seconds % 60:05.2f}"
    return {**said, "clock": clock, "frame": f"{number + 1}/{n_frames}"}


def _strip(trace: Trace, place: Place, bottom_px: int) -> EcgLayout:
    n_rows, n_columns = place.size
    first = round(n_rows - bottom_px - trace.rises_px * place.scale)
    last = min(first + round(trace.height_px * place.scale), n_rows - 2)
    return EcgLayout(
        kind=trace.kind,
        rows=(first, last),
        columns=(round(0.05 * n_columns), round(0.86 * n_columns)),
        px_per_s=0.3 * n_columns,
        colour=trace.colour,
        thickness_px=max(round(trace.thickness_px * place.scale), 1),
        grid=trace.grid,
        marks=trace.marks,
        mark_colour=trace.mark_colour,
    )


def _breath(at_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 + 0.35 * np.sin(2 * np.pi * np.asarray(at_ms) / _BREATH_MS))
