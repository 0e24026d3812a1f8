"""The paper that figures are drawn on: palette, axes, and SVG that is the same every time.

A figure says what it is: `described` gives a drawing its title and its caption, which are written
into the file (``<title>``, ``<desc>``) and stand above and below it in the report. So the drawing
itself needs no heading.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from cardio_stats.files import write_text

if TYPE_CHECKING:  # what only describes a drawing, or names a colour, does without matplotlib
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

# How wide a text will be, before it is drawn.

Weight = Literal["normal", "bold"]

_MOST = 400
_LONG_WORD, _LOOSE = 40, 1.15
"""Lines with a word of more letters are measured letter by letter, with a little for what is
between them: to measure each way to break it would take minutes."""


@lru_cache(maxsize=2048)
def width_in(text: str, size_pt: float, weight: Weight = "normal") -> float:
    """Return the width of one line in inches, in the font that figures are laid out with.

    The fonts that a page shows it in are narrower.

    Examples
    --------
    >>> width_in("iii", 9.0) < width_in("www", 9.0)
    True
    """
    if not text.strip():
        return 0.0
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", weight=weight, size=size_pt)
    width_pt, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    # On a screen letters are moved to whole pixels, which makes a line a little wider.
    return 1.03 * float(width_pt) / 72


def wrapped(text: str, room_in: float, size_pt: float, weight: Weight = "normal") -> list[str]:
    """Return a text in lines no wider than the room; a word that is wider is broken.

    Of more than 400 characters only the first are drawn: columns of strangers can be named so.

    Examples
    --------
    >>> wrapped("Random forest", 9.0, 9.0), wrapped("Random forest", 0.7, 9.0)
    (['Random forest'], ['Random', 'forest'])
    """
    text = text if len(text) <= _MOST else f"{text[: _MOST - 1]}\u2026"
    by_letter = any(len(word) > _LONG_WORD for word in text.split())
    for columns in range(len(text), 4, -1):
        lines = textwrap.wrap(text, columns) or [""]
        if by_letter:
            widths = (
                _LOOSE * sum(width_in(item, size_pt, weight) for item in line) for line in lines
            )
        else:
            widths = (width_in(line, size_pt, weight) for line in lines)
        if all(width <= room_in for width in widths):
            return lines
    return textwrap.wrap(text, 4) or [""]


# Colours of the figures in light and in dark, and an SVG that carries both.
#
# The file keeps its plain colours, so that every program that knows no style sheets shows the
# light figure. What is drawn in a colour of the theme also gets a class, and a rule for dark
# screens.

DARK_OF = {
    "ink": ("#222222", "#e6e6e6"),
    "grey": ("#636363", "#a8a8ac"),
    "light": ("#e4e4e4", "#3c3c40"),
    "paper": ("#fefefe", "#18181a"),
    "blue": ("#0072b2", "#6db7e6"),
    "vermilion": ("#b84a00", "#f2935a"),
    "green": ("#007a5a", "#4cc9a0"),
    "purple": ("#a8508a", "#e0a0c8"),
    "orange": ("#946200", "#ecb83a"),
}
"""Name of each colour of the theme, with what it is on white and what it is on black.

Okabe and Ito's hues, told apart with every common kind of colour blindness, but dark enough, or
light enough, to write in: every one but `light` has a contrast of at least 4.5 to its paper.
Colours that are not listed (white among them) are the same in both: those of pictures.
"""

FONTS = "&quot;Helvetica Neue&quot;, Helvetica, Arial, &quot;Liberation Sans&quot;, sans-serif"

_NAME_OF = {light: name for name, (light, _) in DARK_OF.items()}
_STYLED = re.compile(r'<(\w+)((?: [^<>]*?)?) style="([^"]*)"')
_COLOUR = re.compile(r"\b(fill|stroke): (#[0-9a-f]{6})\b")
_FAMILY = re.compile(r"'DejaVu Sans'(?:, sans-serif)?")
_SHORT = {"fill": "f", "stroke": "s"}


def fixed(colour: str) -> str:
    """Return a colour that stays what it is on a dark page: for what is drawn over a picture.

    It differs from the theme's by the last bit, which nobody sees.

    Examples
    --------
    >>> fixed("#0072B2"), fixed("#222222")
    ('#0072b3', '#222223')
    """
    value = int(colour.lstrip("#"), 16) ^ 1
    return f"#{value:06x}"


def _themed(svg: str, *, title: str = "", description: str = "") -> str:
    """Return matplotlib's SVG with a name and a description, system fonts and its dark colours."""
    found: set[tuple[str, str]] = set()

    def classed(match: re.Match[str]) -> str:
        tag, before, style = match.groups()
        own = [
            (_SHORT[what], _NAME_OF[colour])
            for what, colour in _COLOUR.findall(style)
            if colour in _NAME_OF
        ]
        found.update(own)
        style = _FAMILY.sub(FONTS, style)
        names = " ".join(f"{what}-{name}" for what, name in own)
        return f"<{tag}{before}" + (f' class="{names}"' if names else "") + f' style="{style}"'

    body = _STYLED.sub(classed, svg)
    start = body.index(">", body.index("<svg")) + 1
    named = f' role="img" aria-label="{escape(title, {chr(34): "&quot;"})}"' if title else ""
    head = "".join(
        f"\n <{tag}>{escape(text)}</{tag}>"
        for tag, text in (("title", title), ("desc", description))
        if text
    )
    return f"{body[: start - 1]}{named}>{head}\n <style>{_dark_rules(found)}</style>{body[start:]}"


def _dark_rules(used: set[tuple[str, str]]) -> str:
    """Return the rules for dark screens; paper stays white."""
    whole = {"f": "fill", "s": "stroke"}
    rules = " ".join(
        f".{what}-{name} {{{whole[what]}: {DARK_OF[name][1]} !important}}"
        for what, name in sorted(used)
    )
    return f"@media screen and (prefers-color-scheme: dark) {{{rules}}}" if rules else ""


Draw = Callable[["Figure"], None]
"""Draws on an empty figure; may set its size; touches nothing else."""

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#B84A00", "#007A5A", "#A8508A"
"""Hues of the theme, for series; other ones on a dark page, see `theme`."""

ORANGE, INK, GREY, LIGHT, PAPER = "#946200", "#222222", "#636363", "#E4E4E4", "#FEFEFE"
"""Colours of the theme, other ones on a dark page; all but LIGHT can be written in."""

SKY, AMBER = "#56B4E9", "#E69F00"
"""For lines over dark pictures; the same on every page, as any colour is that `fixed` returns."""

CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, INK)
"""Okabe and Ito's hues, told apart with every common kind of colour blindness."""

PROTOCOL_COLOURS = {"honest": BLUE, "paper": VERMILION}
"""One colour a protocol in every figure; `paper` also has an open marker, for grey prints."""

TEXT_PT, SMALL_PT = 9.0, 7.5
"""Sizes of text in points: of axes and titles, and of what stands in a panel among others."""

SIZE_IN = (6.2, 4.0)
"""Width and height of a figure in inches, where a drawing sets none."""

DASHED: Any = {"color": GREY, "linewidth": 0.8, "linestyle": (0, (4, 3))}
"""The line of chance, of equality or of no difference."""

_ROW_PT, _MOST_ROWS = 13.0, 34
_VALUE_AT, _UNIT_AT = 0.76, 0.79

_RC: Any = {
    # Text stays text: it can be searched, and takes the font of the page it stands on.
    "svg.fonttype": "none",
    # Element ids are otherwise random.
    "svg.hashsalt": "cardio",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT_PT,
    # Black would not be written into the file, and could not turn light on a dark page.
    **dict.fromkeys(
        (
            "text.color",
            "axes.labelcolor",
            "axes.titlecolor",
            "xtick.labelcolor",
            "ytick.labelcolor",
            "axes.edgecolor",
            "xtick.color",
            "ytick.color",
            "lines.color",
            "patch.edgecolor",
        ),
        INK,
    ),
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": "none",
    # A dollar sign in a class name is a dollar sign.
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Described:
    """A drawing with its title, a few words, and its caption, a sentence or two.

    The caption says what is shown and what to see in it.
    """

    draw: Draw
    title: str
    caption: str = ""

    def __call__(self, figure: Figure) -> None:
        """Draw on an empty figure."""
        self.draw(figure)


def described(draw: Draw, title: str, caption: str = "") -> Described:
    """Give a drawing the title and the caption that stand beside it in the report.

    Examples
    --------
    >>> described(lambda figure: None, "ROC curves", "The dashed line is chance.").title
    'ROC curves'
    """
    return Described(draw, title, caption)


def colour_of(position: int) -> str:
    """Return the colour of the n-th series."""
    return CYCLE[position % len(CYCLE)]


def axes_at(
    figure: Figure, left_in: float, top_in: float, width_in: float, height_in: float, **options: Any
) -> Axes:
    """Add axes at a place that is known, in inches from the upper left corner; return them.

    Set the figure's size before. Nothing in it is laid out any more, which saves half of the time
    that a figure takes. `options` are those of `add_axes`.
    """
    figure.set_layout_engine("none")
    width, height = figure.get_size_inches()
    bottom_in = height - top_in - height_in
    place = (left_in / width, bottom_in / height, width_in / width, height_in / height)
    return figure.add_axes(place, **options)


def quiet_axes(
    axes: Axes,
    *,
    x: str = "",
    y: str = "",
    title: str = "",
    grid: Literal["both", "x", "y"] = "both",
) -> Axes:
    """Give axes their labels and the style of all figures; return them.

    Parameters
    ----------
    axes : Axes
        Changed in place.
    x, y : str
        Labels, with the unit where there is one.
    title : str
        Stands above, flush left.
    grid : {"both", "x", "y"}
        The axis whose values get light lines.
    """
    bare_axes(axes, x=x, y=y)
    axes.tick_params(labelsize=TEXT_PT)
    if title:
        axes.set_title(title, fontsize=TEXT_PT + 1, color=INK, loc="left", fontweight="bold")
    axes.set_axisbelow(True)
    axes.grid(True, axis=grid, color=LIGHT, linewidth=0.7)
    return axes


def unit_square(axes: Axes, *, x: str = "", y: str = "", equal: bool = True) -> Axes:
    """Dress axes of two shares, from 0 to 1 each, with their diagonal."""
    axes.plot([0, 1], [0, 1], **DASHED)
    quiet_axes(axes, x=x, y=y)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    if equal:
        axes.set_aspect("equal")
    return axes


def bare_axes(axes: Axes, *, x: str = "", y: str = "", title: str = "") -> Axes:
    """Give the axes of a panel among others their labels, small and without lines; return them.

    Parameters are those of `quiet_axes`.
    """
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
        axes.spines[side].set_linewidth(0.8)
    axes.tick_params(labelsize=SMALL_PT, length=3, width=0.8, color=GREY, labelcolor=INK)
    axes.set_xlabel(x, fontsize=TEXT_PT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT_PT, color=INK)
    if title:
        axes.set_title(title, fontsize=TEXT_PT, color=INK, loc="left")
    return axes


def svg_text(
    draw: Draw, size: tuple[float, float] = SIZE_IN, *, title: str = "", description: str = ""
) -> str:
    """Draw on an empty figure and return it as SVG, without date, version or random ids.

    Parameters
    ----------
    draw : callable
        Given a `matplotlib.figure.Figure` with constrained layout.
    size : (float, float)
        Width and height in inches; `draw` may set another.
    title, description : str
        What a screen reader says; those of a `Described` drawing by default.
    """
    if isinstance(draw, Described):
        title, description = title or draw.title, description or draw.caption
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with mpl.rc_context(_RC):
        figure = drawn(draw, size)
        buffer = io.StringIO()
        nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        # savefig would draw everything once before, only to lay it out: a fifth of the time.
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(buffer, metadata=nothing)
    return _themed(buffer.getvalue(), title=title, description=description)


def drawn(draw: Draw, size: tuple[float, float] = SIZE_IN) -> Figure:
    """Return the figure itself, as `svg_text` writes it."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from cardio_stats.figures.layout import SteadyLayout

    with mpl.rc_context(_RC):
        figure = Figure(figsize=size, layout=SteadyLayout())
        draw(figure)
    return figure


def save_svg(
    draw: Draw,
    path: Path | str,
    size: tuple[float, float] = SIZE_IN,
    *,
    title: str = "",
    description: str = "",
) -> None:
    """Draw on an empty figure and write it, whole or not at all; equal input gives equal bytes.

    Parameters are those of `svg_text`; `path` is the file.
    """
    write_text(Path(path), svg_text(draw, size, title=title, description=description))


def png_bytes(draw: Draw, size: tuple[float, float] = SIZE_IN, dpi: int = 110) -> bytes:
    """Draw on an empty figure and return it as PNG, without date or version.

    Parameters are those of `svg_text`, and the resolution, of which `draw` may set another, too.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from cardio_stats.figures.layout import SteadyLayout

    with mpl.rc_context(_RC):
        figure = Figure(figsize=size, layout=SteadyLayout(), dpi=dpi)
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=figure.dpi, metadata={"Software": None})
    return buffer.getvalue()


def write_rows(axes: Axes, rows: Sequence[tuple[str, str, str]]) -> None:
    """Write (title, value, unit) below each other; an empty value is said to be not found.

    More rows than fit are counted in a last line.
    """
    from cardio_stats.figures.layout import Fitted

    axes.set_axis_off()
    shown = list(rows) if len(rows) <= _MOST_ROWS else list(rows)[: _MOST_ROWS - 1]
    if len(shown) < len(rows):
        shown.append((f"and {len(rows) - len(shown)} more in the table", " ", ""))
    for n, (title, value, unit) in enumerate(shown, start=1):
        colour, below = INK if value else GREY, -_ROW_PT * n
        number = _written(axes, _VALUE_AT, value or "not found", below, "right", colour)
        _written(axes, _UNIT_AT, unit if value else "", below, "left", colour)
        named = Fitted(title, number, below, colour, SMALL_PT)
        named.set_in_layout(False)
        axes.add_artist(named)


def _written(axes: Axes, x: float, text: str, below: float, side: str, colour: str) -> Annotation:
    made = axes.annotate(
        text, (x, 1.0), xycoords="axes fraction", xytext=(0, below),
        textcoords="offset points", ha=side, va="baseline", fontsize=SMALL_PT,
        color=colour, annotation_clip=False,
    )  # fmt: skip
    made.set_in_layout(False)
    return made
