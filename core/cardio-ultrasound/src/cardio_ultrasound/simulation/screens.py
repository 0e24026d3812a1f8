"""Three ways in which a screen may be laid out, after no scanner in particular.

Sizes are in pixels of a picture of 256 rows; a larger picture's are larger by as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, sin
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cardio_ultrasound.simulation.ecg_trace import Ecg, EcgLayout, draw_ecg
from cardio_ultrasound.simulation.sector import Sector

if TYPE_CHECKING:
    from PIL import ImageDraw

Colour = tuple[int, int, int]

_WHITE, _GREY, _GREEN, _AMBER = (255, 255, 255), (170, 170, 170), (60, 230, 90), (255, 190, 50)
_CYAN, _RED, _YELLOW = (90, 200, 255), (240, 60, 50), (250, 240, 90)


@dataclass(frozen=True)
class Words:
    """Lines of text.

    Attributes
    ----------
    lines : tuple of str
        ``{name}``, ``{id}``, ``{hospital}``, ``{clock}`` and ``{frame}`` are filled in; the last
        two change from frame to frame.
    at : tuple of float
        Where they begin, in shares of the screen's rows and columns.
    colour : tuple of int
    px : int
        Height of a letter.
    to_left : bool
        Whether the lines end there instead.
    """

    lines: tuple[str, ...]
    at: tuple[float, float]
    colour: Colour = _WHITE
    px: int = 10
    to_left: bool = False


@dataclass(frozen=True)
class Trace:
    """A trace at the screen's foot; its fields are those of `EcgLayout`.

    `rises_px` says how far it stands above the margin at the foot: a trace that rises crosses the
    arc. `height_px` is that of its strip.
    """

    kind: Literal["whole", "sweep", "running"]
    colour: Colour
    rises_px: float
    height_px: float
    thickness_px: int = 1
    grid: bool = False
    marks: Literal["none", "over", "under", "on"] = "none"
    mark_colour: Colour = _WHITE


@dataclass(frozen=True)
class ScreenLayout:
    """What stands where on a screen.

    Attributes
    ----------
    margins_px : tuple of int
        Above, below, left and right of the picture.
    words : tuple of Words
    ecg, breath : Trace or None
        Breath is a slow trace in another ink.
    scale_side : {"left", "right"}
        Of the depth scale, a tick every cm; the focus mark stands on it.
    bars : tuple of str
        Of ``"grey"`` and ``"colour"``; they stand on the other side.
    bars_at : float
        Where they begin, as a share of the screen's rows.
    tip_mark : tuple of int or None
        Colour of the mark beside the sector's tip.
    index : tuple of float or None
        Side (-1 left, 1 right) and depth, as a share of the sector's, at which the mechanical and
        thermal index overlap the sector's edge.
    line : float or None
        Angle of a dotted cursor line through the sector, as a share of half its opening.
    band : tuple of int or None
        Colour of a band behind what stands above the picture.
    """

    margins_px: tuple[int, int, int, int]
    words: tuple[Words, ...]
    ecg: Trace | None = None
    breath: Trace | None = None
    scale_side: Literal["left", "right"] = "right"
    bars: tuple[Literal["grey", "colour"], ...] = ("grey",)
    bars_at: float = 0.12
    tip_mark: Colour | None = _CYAN
    index: tuple[float, float] | None = None
    line: float | None = None
    band: Colour | None = None


_SETTINGS = ("FR 55Hz", "14cm", "2D", "68%", "C 50", "P Low", "HPen")

SCREEN_LAYOUTS: dict[str, ScreenLayout] = {
    "a": ScreenLayout(
        margins_px=(30, 48, 62, 44),
        words=(
            Words(("{name}", "{id}"), (0.012, 0.012)),
            Words(("{hospital}", "{clock}"), (0.012, 0.988), _GREY, to_left=True),
            Words(_SETTINGS, (0.16, 0.012), _AMBER, px=9),
            Words(("*** bpm", "{frame}"), (0.93, 0.988), _GREEN, px=9, to_left=True),
        ),
        ecg=Trace("sweep", _GREEN, rises_px=34, height_px=52),
        bars_at=0.5,
    ),
    "b": ScreenLayout(
        margins_px=(34, 64, 40, 66),
        words=(
            Words(("{name}  {id}",), (0.012, 0.3), _YELLOW, px=11),
            Words(("{hospital}",), (0.012, 0.012), _CYAN, px=9),
            Words(("{clock}",), (0.05, 0.012), _CYAN, px=9),
            Words(_SETTINGS, (0.5, 0.988), _CYAN, px=9, to_left=True),
            Words(("{frame}",), (0.955, 0.988), _WHITE, px=9, to_left=True),
        ),
        ecg=Trace("whole", _AMBER, rises_px=24, height_px=44, thickness_px=2, marks="under",
                  mark_colour=_RED),
        breath=Trace("whole", _CYAN, rises_px=-22, height_px=20),
        scale_side="left",
        bars=("grey", "colour"),
        tip_mark=_YELLOW,
        index=(1.0, 0.45),
    ),
    "c": ScreenLayout(
        margins_px=(44, 58, 52, 52),
        words=(
            Words(("{name}", "{hospital}"), (0.012, 0.012), _WHITE, px=11),
            Words(("{id}", "{clock}"), (0.012, 0.988), _WHITE, px=11, to_left=True),
            Words(_SETTINGS, (0.62, 0.012), _GREY, px=9),
            Words(("{frame}",), (0.945, 0.012), _GREY, px=9),
        ),
        ecg=Trace("running", (235, 235, 235), rises_px=-4, height_px=40, grid=True, marks="over",
                  mark_colour=_GREEN),
        scale_side="right",
        bars=("colour", "grey"),
        tip_mark=_WHITE,
        index=(-1.0, 0.35),
        line=0.15,
        band=(22, 30, 58),
    ),
}  # fmt: skip
"""Layouts by name, to draw screens in or to vary."""

# What a scanner draws beside its picture, and what of it reaches over the sector's edge.

_INK = (220, 220, 220)
_FOCUS_SHARE = 0.55
_SPECTRUM = ((220, 40, 30), (250, 220, 60), (20, 20, 20), (60, 220, 240), (30, 50, 220))


@dataclass(frozen=True)
class Place:
    """Where the sector lies on the screen, in pixels.

    Attributes
    ----------
    apex : tuple of float
        Row and column of the tip.
    far_px, half_rad : float
        Radius, and half the opening.
    cm_px : float
        Pixels of a cm.
    size : tuple of int
        Rows and columns of the screen.
    scale : float
        By how much this picture is larger than one of 256 rows.
    """

    apex: tuple[float, float]
    far_px: float
    half_rad: float
    cm_px: float
    size: tuple[int, int]
    scale: float

    def at(self, depth: float, angle: float) -> tuple[float, float]:
        """Return x and y at a share of the depth and of half the opening."""
        radius, phi = depth * self.far_px, angle * self.half_rad
        return self.apex[1] + radius * sin(phi), self.apex[0] + radius * cos(phi)


def draw_words(
    draw: ImageDraw.ImageDraw, place: Place, words: Words, texts: Mapping[str, str]
) -> None:
    """Write lines of text."""
    from PIL import ImageFont

    px = max(round(words.px * place.scale), 8)
    font = ImageFont.load_default(px)
    y, x = words.at[0] * place.size[0], words.at[1] * place.size[1]
    for number, line in enumerate(words.lines):
        at = (x, y + number * (px + 2))
        text = line.format(**texts)
        draw.text(at, text, fill=words.colour, font=font, anchor="ra" if words.to_left else "la")


def draw_depth_scale(draw: ImageDraw.ImageDraw, place: Place, side: str) -> None:
    """Draw a tick every cm, longer and with its number every 5, and the mark of the focus."""
    from PIL import ImageFont

    font = ImageFont.load_default(max(round(8 * place.scale), 8))
    toward = 1 if side == "right" else -1
    half = place.far_px * sin(place.half_rad)
    x = place.apex[1] + toward * (half + 8 * place.scale)
    for cm in range(int(place.far_px / place.cm_px) + 1):
        y = place.apex[0] + cm * place.cm_px
        length = (5 if cm % 5 == 0 else 2) * place.scale
        draw.line([(x, y), (x + toward * length, y)], fill=_INK)
        if cm and cm % 5 == 0:
            at = (x + toward * (length + 3), y)
            draw.text(at, str(cm), fill=_INK, font=font, anchor="lm" if toward > 0 else "rm")
    y, reach = place.apex[0] + _FOCUS_SHARE * place.far_px, 4 * place.scale
    corners = [(x - toward, y), (x - toward * (1 + reach), y - reach / 2)]
    draw.polygon([*corners, (x - toward * (1 + reach), y + reach / 2)], fill=_INK)


def draw_bars(
    draw: ImageDraw.ImageDraw, place: Place, bars: Sequence[str], side: str, begin: float
) -> None:
    """Draw the bar of grey levels, or that of flow's colours."""
    width, length = max(round(5 * place.scale), 3), round(54 * place.scale)
    for number, kind in enumerate(bars):
        top = begin * place.size[0] + number * 1.2 * length
        left = 3.0 if side == "left" else place.size[1] - 4.0 - width
        for step in range(length):
            share = 1 - step / max(length - 1, 1)
            colour = (round(255 * share),) * 3 if kind == "grey" else _of_spectrum(share)
            draw.line([(left, top + step), (left + width, top + step)], fill=colour)


def draw_tip_mark(draw: ImageDraw.ImageDraw, place: Place, colour: Colour) -> None:
    """Draw a ring with a bar beside the sector's tip: it says which way the probe is held."""
    x, y = place.apex[1] - 13 * place.scale, place.apex[0]
    reach = 4 * place.scale
    draw.ellipse([x - reach, y - reach, x + reach, y + reach], outline=colour)
    draw.line([(x + reach, y - reach), (x + reach, y + reach)], fill=colour)


def draw_index(draw: ImageDraw.ImageDraw, place: Place, side: float, depth: float) -> None:
    """Write the mechanical and thermal index over the sector's edge."""
    from PIL import ImageFont

    px = max(round(9 * place.scale), 8)
    x, y = place.at(depth, side)
    font = ImageFont.load_default(px)
    for number, line in enumerate(("TIS0.8", "MI 1.2")):
        draw.text((x, y + number * (px + 1)), line, fill=(255, 255, 255), font=font, anchor="ma")


def draw_cursor_line(draw: ImageDraw.ImageDraw, place: Place, angle: float) -> None:
    """Draw a dotted line from the tip to the arc."""
    step = 5 * place.scale / place.far_px
    share = step
    while share < 0.98:
        (x, y), (to_x, to_y) = place.at(share, angle), place.at(share + 0.35 * step, angle)
        draw.line([(x, y), (to_x, to_y)], fill=(255, 255, 255))
        share += step


def _of_spectrum(share: float) -> Colour:
    at = (1 - share) * (len(_SPECTRUM) - 1)
    first = min(int(at), len(_SPECTRUM) - 2)
    low, high = _SPECTRUM[first], _SPECTRUM[first + 1]
    red, green, blue = (round(a + (at - first) * (b - a)) for a, b in zip(low, high, strict=True))
    return red, green, blue


# A loop as a scanner's whole screen shows it.

TEXTS = {"name": "DOE^JANE", "id": "ID 4711-99", "hospital": "GENERAL HOSPITAL 7"}
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
    texts: Mapping[str, str] = TEXTS,
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
    texts : mapping of str to str
        What stands for ``{name}``, ``{id}`` and ``{hospital}``.

    Returns
    -------
    Screen

    Examples
    --------
    >>> from cardio_ultrasound.simulation.screens import SCREEN_LAYOUTS
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
            draw_words(draw, place, words, _filled_in(texts, number, len(times_ms), float(now)))
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
    texts: Mapping[str, str], number: int, n_frames: int, now_ms: float
) -> dict[str, str]:
    seconds = 34_000.0 + now_ms / 1000.0
    clock = f"{int(seconds // 3600):02d}:{int(seconds // 60 % 60):02d}:{seconds % 60:05.2f}"
    return {**texts, "clock": clock, "frame": f"{number + 1}/{n_frames}"}


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
