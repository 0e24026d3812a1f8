"""Three ways in which a screen may be laid out, after no scanner in particular.

Sizes are in pixels of a picture of 256 rows; a larger picture's are larger by as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
