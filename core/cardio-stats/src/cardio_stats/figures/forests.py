"""A forest plot of a table: labels, intervals on a common axis, and the numbers beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from matplotlib.transforms import blended_transform_factory

from cardio_stats._numerics.display import ratio_text
from cardio_stats.estimate import Estimate
from cardio_stats.figures.canvas import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    PAPER,
    PROTOCOL_COLOURS,
    SMALL_PT,
    TEXT_PT,
    Draw,
    colour_of,
    quiet_axes,
    width_in,
    wrapped,
)

WIDEST = 100.0
"""Limits of ratios beyond this factor from 1, or thrice that of the farthest ratio, are arrows."""

_LINE_IN, _ROOM_IN, _PLOT_IN, _GAP_IN, _MOST_IN = 0.18, 0.10, 2.6, 0.18, 2.6


@dataclass(frozen=True)
class ForestLine:
    """One line of a forest plot.

    Attributes
    ----------
    label : str
    value, low, high : float or None
        None where nothing is drawn: a heading, or a group that is too small.
    text : str
        The estimate as it is printed.
    size : str
        Stands between label and plot: numbers of patients and events.
    after : str
        Stands at the right end: a p-value.
    indented : bool
        A level of the heading above it.
    colour : str
        Of what is drawn.
    filled : bool
        Whether its mark is.
    style : {"plain", "bold", "quiet"} or None
        Of the label; a heading is bold by default.
    """

    label: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    text: str = ""
    size: str = ""
    after: str = ""
    indented: bool = False
    colour: str = BLUE
    filled: bool = True
    style: Literal["plain", "bold", "quiet"] | None = None


def estimate_forest(
    lines: Sequence[ForestLine],
    *,
    x: str,
    title: str = "",
    heads: tuple[str, str, str] = ("", "", ""),
    log: bool = False,
    reference: float | None = None,
    limits: tuple[float, float] | None = None,
    key: Sequence[tuple[str, str]] = (),
    note: str = "",
    size_in: float | None = None,
    narrow: bool = False,
) -> Draw:
    """Draw estimates with their intervals below each other, and print them beside the plot.

    Parameters
    ----------
    lines : sequence of ForestLine
    x : str
        The axis, with what one step is: ``"odds ratio per SD"``.
    title : str
    heads : (str, str, str)
        Above the columns `size`, `text` and `after` of the lines.
    log : bool
        For ratios: an axis in factors, limits far out as arrows.
    reference : float, optional
        The value of no effect, a dashed line.
    limits : (float, float), optional
        Of the axis.
    key : sequence of (str, str)
        Words along the top, with their colours.
    note : str
        Below the axis.
    size_in : float, optional
        Width of the figure; without it the plot has a fixed one.
    narrow : bool
        Whether labels stand over the plot, on lines of their own.

    Returns
    -------
    callable
        ``draw(figure)``.
    """
    styles = [line.style or _style_of(line) for line in lines]
    most_in = size_in - 0.1 if narrow and size_in else _MOST_IN
    names = [
        wrapped(line.label, most_in, TEXT_PT, "bold" if style == "bold" else "normal")
        for line, style in zip(lines, styles, strict=True)
    ]
    label_in = 0.16 if narrow else _GAP_IN + max(
        width_in(part, TEXT_PT, "bold" if style == "bold" else "normal") + 0.15 * line.indented
        for line, style, parts in zip(lines, styles, names, strict=True)
        for part in parts
        if style != "quiet"
    )  # fmt: skip
    columns = [[head, *(getattr(line, field) for line in lines)]
               for head, field in zip(heads, ("size", "text", "after"), strict=True)]  # fmt: skip
    widths = [max(width_in(cell, TEXT_PT) for cell in column) for column in columns]
    counts_in, text_in, after_in = (width + _GAP_IN if width else 0.0 for width in widths)
    widest = max(
        [WIDEST, *(3 * max(line.value, 1 / line.value) for line in lines if log and line.value)]
    )
    heights = [
        len(parts) * _LINE_IN + (_ROOM_IN if line.label else 0.0)
        for line, parts in zip(lines, names, strict=True)
    ]

    def draw(figure: Figure) -> None:
        left = label_in + counts_in + 0.1
        plot_in = _PLOT_IN if size_in is None else size_in - left - text_in - after_in - 0.1
        total = left + plot_in + text_in + after_in + 0.1
        below = wrapped(note, total - 0.1, SMALL_PT) if note else []
        above = (0.32 if title or key else 0.08) + (0.24 if any(heads) else 0.0)
        bottom = 0.5 + 0.15 * len(below)
        height = above + sum(heights) + bottom
        figure.set_layout_engine("none")
        figure.set_size_inches(total, height)
        axes = figure.add_axes(
            (left / total, bottom / height, plot_in / total, sum(heights) / height)
        )
        room = plot_in + 2 * min(left, text_in + after_in)
        quiet_axes(axes, x="\n".join(wrapped(x, room, TEXT_PT)), grid="x")
        axes.set_ylim(sum(heights), 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        if limits is not None:
            margin = 0.02 * (limits[1] - limits[0] or 1.0)
            axes.set_xlim(limits[0] - margin, limits[1] + margin)
            axes.locator_params(axis="x", nbins=5 if narrow else 7)
        if reference is not None:
            axes.axvline(reference, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        across = blended_transform_factory(figure.transFigure, axes.transData)
        ends = (label_in + counts_in, total - after_in - 0.05, total - 0.05)
        y = 0.0
        # Where words stand over the plot, its lines stop before them.
        ground = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0} if narrow else None
        for item, style, parts, tall in zip(lines, styles, names, heights, strict=True):
            middle = y + tall / 2
            quiet = style == "quiet"
            for number, part in enumerate(filter(None, parts)):
                at = y + _ROOM_IN / 2 + (number + 0.5) * _LINE_IN
                axes.text((0.08 + 0.15 * item.indented) / total, at, part, transform=across,
                          va="center", fontsize=SMALL_PT if quiet else TEXT_PT,
                          color=GREY if quiet else INK, bbox=ground, zorder=2,
                          fontweight="bold" if style == "bold" else "normal")  # fmt: skip
            for end, cell in zip(ends, (item.size, item.text, item.after), strict=True):
                axes.text(end / total, middle, cell, transform=across, va="center", ha="right",
                          fontsize=TEXT_PT, color=INK)  # fmt: skip
            _interval(axes, item, middle, widest if log else None)
            y += tall
            if not item.indented:
                axes.plot([0.08 / total, 1 - 0.05 / total], [y - tall, y - tall], color=LIGHT,
                          linewidth=0.7, transform=across, clip_on=False, zorder=0)  # fmt: skip
        if log:
            log_axis(axes.xaxis)
        for end, head in zip(ends, heads, strict=True):
            axes.text(end / total, -0.12, head, transform=across, va="center", ha="right",
                      fontsize=SMALL_PT, color=GREY)  # fmt: skip
        if title:
            figure.text(0.08 / total, 1 - 0.08 / height, title, va="top", fontsize=TEXT_PT + 1,
                        color=INK, fontweight="bold")  # fmt: skip
        along = 0.08
        for words, colour in key:
            figure.text(along / total, 1 - 0.05 / height, words, fontsize=TEXT_PT, va="top",
                        color=colour)  # fmt: skip
            along += width_in(words, TEXT_PT) + 0.2
        for number, words in enumerate(reversed(below)):
            figure.text(0.08 / total, (0.06 + 0.15 * number) / height, words, fontsize=SMALL_PT,
                        color=GREY, va="bottom")  # fmt: skip

    return draw


def _style_of(line: ForestLine) -> Literal["plain", "bold"]:
    heading = line.value is None and not line.indented and not line.text
    return "bold" if heading else "plain"


def ratio_forest(rows: Sequence[tuple[str, Estimate]], *, x: str, title: str = "") -> Draw:
    """Draw ratios with their intervals, one line each, around the line of no effect.

    Rows are (label, estimate), ratios above 0, each with an interval; `x` names the axis: ``"odds
    ratio per SD"``.
    """
    level = next((f"{row.level * 100:g} % CI" for _, row in rows if row.level), "")
    return estimate_forest(
        [ForestLine(label, e.value, e.low, e.high, ratio_text(e)) for label, e in rows],
        x=x, title=title, heads=("", level, ""), log=True, reference=1.0,
    )  # fmt: skip


def _interval(axes: Axes, line: ForestLine, y: float, widest: float | None) -> None:
    if line.value is None:
        return
    low = line.value if line.low is None else line.low
    high = line.value if line.high is None else line.high
    if widest is not None:
        low, high = max(low, 1 / widest), min(high, widest)
        for limit, marker in ((low, "<"), (high, ">")):
            if limit in (1 / widest, widest):
                axes.plot([limit], [y], marker, color=line.colour, markersize=5)
    axes.plot([low, high], [y, y], color=line.colour, linewidth=1.5, solid_capstyle="butt",
              zorder=2)  # fmt: skip
    axes.plot([line.value], [y], "s", color=line.colour, markersize=5, zorder=3, clip_on=False,
              markerfacecolor=line.colour if line.filled else PAPER)  # fmt: skip


def log_axis(axis: Axis) -> None:
    """Make an axis logarithmic, with a few round numbers on it."""
    scaled = axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale
    scaled("log")
    low, high = axis.get_view_interval()
    near, wide = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0)
    steps = near if high / low < 10 else wide if high / low < 60 else (1.0,)
    axis.set_major_locator(LogLocator(subs=steps, numticks=9))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_locator(NullLocator())


# The forest plot of all models under all protocols: the figure that answers the question.

Group = Literal["primary", "model", "baseline"]
Limits = tuple[float, float | None, float | None]

PROTOCOL_WORDS = {"honest": "honest", "paper": "as published (optimistic)"}
"""What a reader is told that the protocols are."""

GROUP_WORDS: dict[Group, str] = {
    "primary": "Primary model, declared before the run",
    "model": "Other models",
    "baseline": "Baselines",
}
OF_JUDGED: dict[Group, str] = GROUP_WORDS | {
    "primary": "Declared beforehand", "model": "Others",
}  # fmt: skip
"""What heads the groups of a run's models, and those of scores made elsewhere."""

_WIDE_IN, _NARROW_IN = 7.6, 3.75


@dataclass(frozen=True)
class ForestModel:
    """One model of a forest plot.

    `values` has (value, low, high) by protocol; limits are None where there is no interval.
    """

    title: str
    values: Mapping[str, Limits]
    group: Group = "model"


def model_forest(
    models: Sequence[ForestModel],
    *,
    metric: str,
    n_words: str = "",
    level: str = "95 %",
    limits: tuple[float, float] | None = None,
    reference: float | None = None,
    reference_words: str = "chance",
    heads: Mapping[Group, str] = GROUP_WORDS,
    narrow: bool = False,
) -> Draw:
    """Draw all models under each other, each with the protocols in pairs.

    The primary model comes first, then the other models in their order, then the baselines; the
    estimates stand at the right in figures that are aligned.

    Parameters
    ----------
    models : sequence of ForestModel
    metric : str
        The axis, with its unit.
    n_words : str
        How many were tested, said once, below.
    level : str
        Coverage of the intervals.
    limits : (float, float), optional
        Of the axis; the data's by default.
    reference : float, optional
        The value of no effect, a dashed line that `reference_words` name.
    heads : mapping of group to str
        What heads the models of each group, where there are several groups.
    narrow : bool
        For a screen of 390 pixels: titles above their intervals.
    """
    order: list[Group] = ["primary", "model", "baseline"]
    ordered = [model for group in order for model in models if model.group == group]
    protocols = list(dict.fromkeys(name for model in ordered for name in model.values))
    protocols.sort(key=lambda name: name == "paper")
    decimals = _decimals(ordered)
    lines: list[ForestLine] = []
    before: Group | None = None
    for model in ordered:
        if model.group != before and len({item.group for item in ordered}) > 1:
            lines.append(ForestLine(heads[model.group], style="quiet"))
        before = model.group
        style: Literal["plain", "bold"] = "bold" if model.group == "primary" else "plain"
        if narrow:
            lines.append(ForestLine(model.title, style=style))
        label = "" if narrow else model.title
        for name in (name for name in protocols if name in model.values):
            value = model.values[name]
            lines.append(
                ForestLine(label, *value, text=_number(value, decimals), style=style,
                           indented=not label, colour=_colour(name, protocols),
                           filled=name != "paper")
            )  # fmt: skip
            label = ""
    found = [part for model in ordered for value in model.values.values() for part in value]
    known = [part for part in [*found, reference] if part is not None]
    notes = [n_words, f"lines: {level} intervals"]
    if reference is not None:
        notes.append(f"dashed: {reference_words} ({reference:.4g})")
    key = [
        (f"{'□' if name == 'paper' else '■'} {PROTOCOL_WORDS.get(name, name)}",
         _colour(name, protocols))
        for name in protocols if name
    ]  # fmt: skip
    return estimate_forest(
        lines, x=metric, reference=reference, limits=limits or (min(known), max(known)), key=key,
        note="; ".join(filter(None, notes)), size_in=_NARROW_IN if narrow else _WIDE_IN,
        narrow=narrow,
    )  # fmt: skip


def _decimals(models: Sequence[ForestModel]) -> int:
    largest = max((abs(part) for m in models for value in m.values.values() for part in value
                   if part is not None), default=0.0)  # fmt: skip
    return 3 if largest < 2 else 2 if largest < 20 else 1 if largest < 1000 else 0


def _number(value: Limits, decimals: int) -> str:
    middle, low, high = (
        None if part is None else f"{part:.{decimals}f}".replace("-", "−") for part in value
    )
    return str(middle) if low is None or high is None else f"{middle} ({low} to {high})"


def _colour(name: str, protocols: Sequence[str]) -> str:
    return PROTOCOL_COLOURS.get(name, colour_of(list(protocols).index(name)))
