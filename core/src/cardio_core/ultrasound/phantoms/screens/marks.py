"""What a scanner draws beside its picture, and what of it reaches over the sector's edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, sin
from typing import TYPE_CHECKING

from cardio_core.ultrasound.phantoms.screens.layouts import Colour, Words

if TYPE_CHECKING:
    from PIL import ImageDraw

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
    draw: ImageDraw.ImageDraw, place: Place, words: Words, said: Mapping[str, str]
) -> None:
    """Write lines of text."""
    from PIL import ImageFont

    px = max(round(words.px * place.scale), 8)
    font = ImageFont.load_default(px)
    y, x = words.at[0] * place.size[0], words.at[1] * place.size[1]
    for number, line in enumerate(words.lines):
        at = (x, y + number * (px + 2))
        text = line.format(**said)
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
