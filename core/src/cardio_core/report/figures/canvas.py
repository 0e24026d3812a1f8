"""The paper that figures are drawn on: palette, axes, and SVG that is the same every time."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cardio_core.io.atomic import write_text

if TYPE_CHECKING:
    from cardio_core.types.features import FeatureSet

Draw = Callable[[Figure], None]
"""Draws on an empty figure; may set its size; touches nothing else."""

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, INK, GREY, LIGHT = "#E69F00", "#56B4E9", "#222222", "#6b6b6b", "#e4e4e4"

CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, INK)
"""Okabe and Ito's colours, told apart with every common kind of colour blindness."""

PROTOCOL_COLOURS = {"honest": BLUE, "paper": VERMILION}
"""One colour a protocol in every figure; `paper` also has an open marker, for grey prints."""

TEXT_PT, SMALL_PT = 9.0, 7.5
SIZE_IN = (6.2, 4.0)
_ROW_PT, _MOST_ROWS = 13.0, 34

_RC: Any = {
    # Text stays text: it can be searched, and takes the font of the page it stands on.
    "svg.fonttype": "none",
    # Element ids are otherwise random.
    "svg.hashsalt": "cardio",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT_PT,
    # A dollar sign in a class name is a dollar sign.
    "text.parse_math": False,
}


def colour_of(position: int) -> str:
    """Return the colour of the n-th series."""
    return CYCLE[position % len(CYCLE)]


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


def svg_text(draw: Draw, size: tuple[float, float] = SIZE_IN) -> str:
    """Draw on an empty figure and return it as SVG, without date, version or random ids.

    Parameters
    ----------
    draw : callable
        Given a `matplotlib.figure.Figure` with constrained layout.
    size : (float, float)
        Width and height in inches; `draw` may set another.
    """
    with mpl.rc_context(_RC):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        buffer = io.StringIO()
        nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing)
    return buffer.getvalue()


def save_svg(draw: Draw, path: Path, size: tuple[float, float] = SIZE_IN) -> None:
    """Draw on an empty figure and write it, whole or not at all; equal input gives equal bytes.

    Parameters are those of `svg_text`; `path` is the file.
    """
    write_text(path, svg_text(draw, size))


def png_bytes(draw: Draw, size: tuple[float, float] = SIZE_IN, dpi: int = 110) -> bytes:
    """Draw on an empty figure and return it as PNG, without date or version.

    Parameters are those of `svg_text`, and the resolution.
    """
    with mpl.rc_context(_RC):
        figure = Figure(figsize=size, layout="constrained", dpi=dpi)
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def write_measurements(
    axes: Axes, features: FeatureSet, titles: Sequence[str] | None = None
) -> None:
    """Write a recording's measurements into axes, as a table: title, value, unit.

    Parameters
    ----------
    axes : Axes
        Emptied of its frame.
    features : FeatureSet
        Of one recording, as a plugin's ``sheet`` is given it.
    titles : sequence of str, optional
        Which, by the words of `FeatureBlock.titles` without a question mark, in this order; all
        without.

    Raises
    ------
    KeyError
        If a title is none of the recording's.
    """
    from cardio_core.report.measured.values import measured_of

    known = {one.title: one for one in measured_of(features)}
    chosen = known.values() if titles is None else [known[title] for title in titles]
    write_rows(axes, [(one.title, one.text, one.unit) for one in chosen])


def write_rows(axes: Axes, rows: Sequence[tuple[str, str, str]]) -> None:
    """Write (title, value, unit) below each other; an empty value is said to be not found.

    More rows than fit are counted in a last line.
    """
    axes.set_axis_off()
    shown = list(rows) if len(rows) <= _MOST_ROWS else list(rows)[: _MOST_ROWS - 1]
    if len(shown) < len(rows):
        shown.append((f"and {len(rows) - len(shown)} more in the table", " ", ""))
    for n, (title, value, unit) in enumerate(shown, start=1):
        texts = ((0.0, title, "left"), (0.76, value or "not found", "right"),
                 (0.79, unit if value else "", "left"))  # fmt: skip
        for x, text, side in texts:
            axes.annotate(
                text, (x, 1.0), xycoords="axes fraction", xytext=(0, -_ROW_PT * n),
                textcoords="offset points", ha=side, va="baseline", fontsize=SMALL_PT,
                color=INK if value else GREY, annotation_clip=False,
            ).set_in_layout(False)  # fmt: skip
