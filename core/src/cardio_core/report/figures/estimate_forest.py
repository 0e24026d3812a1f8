"""A forest plot of a table: labels, intervals on a common axis, and the numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from matplotlib.transforms import blended_transform_factory

from cardio_core.report.figures.canvas import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    SMALL_PT,
    TEXT_PT,
    Draw,
    quiet_axes,
)
from cardio_core.report.figures.measure import width_in, wrapped
from cardio_core.stats.foundation.display import ratio_text
from cardio_core.types.estimate import Estimate

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
    beside : str
        Stands between label and plot: numbers of patients and events.
    after : str
        Stands at the right end: a p-value.
    indented : bool
        A level of the heading above it.
    """

    label: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    text: str = ""
    beside: str = ""
    after: str = ""
    indented: bool = False


def estimate_forest(
    lines: Sequence[ForestLine],
    *,
    x: str,
    title: str = "",
    heads: tuple[str, str, str] = ("", "", ""),
    log: bool = False,
    reference: float | None = None,
) -> Draw:
    """Draw estimates with their intervals below each other, and print them beside the plot.

    Parameters
    ----------
    lines : sequence of ForestLine
    x : str
        The axis, with what one step is: ``"odds ratio per SD"``.
    title : str
    heads : (str, str, str)
        Above the columns `beside`, `text` and `after` of the lines.
    log : bool
        For ratios: an axis in factors, limits far out as arrows.
    reference : float, optional
        The value of no effect, a dashed line.

    Returns
    -------
    callable
        ``draw(figure)``.
    """
    names = [wrapped(one.label, _MOST_IN, TEXT_PT) for one in lines]
    label_in = _GAP_IN + max(
        width_in(part, TEXT_PT) + 0.15 * one.indented
        for one, parts in zip(lines, names, strict=True)
        for part in parts
    )
    columns = [[head, *(getattr(one, field) for one in lines)]
               for head, field in zip(heads, ("beside", "text", "after"), strict=True)]  # fmt: skip
    widths = [max(width_in(cell, TEXT_PT) for cell in column) for column in columns]
    beside_in, text_in, after_in = (width + _GAP_IN if width else 0.0 for width in widths)
    widest = max(
        [WIDEST, *(3 * max(one.value, 1 / one.value) for one in lines if log and one.value)]
    )
    heights = [len(parts) * _LINE_IN + _ROOM_IN for parts in names]

    def draw(figure: Figure) -> None:
        left = label_in + beside_in + 0.1
        total = left + _PLOT_IN + text_in + after_in + 0.1
        above = (0.32 if title else 0.08) + (0.24 if any(heads) else 0.0)
        height = above + sum(heights) + 0.5
        figure.set_layout_engine("none")
        figure.set_size_inches(total, height)
        axes = figure.add_axes(
            (left / total, 0.5 / height, _PLOT_IN / total, sum(heights) / height)
        )
        room = _PLOT_IN + 2 * min(left, text_in + after_in)
        quiet_axes(axes, x="\n".join(wrapped(x, room, TEXT_PT)), grid="x")
        axes.set_ylim(sum(heights), 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        if reference is not None:
            axes.axvline(reference, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        across = blended_transform_factory(figure.transFigure, axes.transData)
        ends = (label_in + beside_in, total - after_in - 0.05, total - 0.05)
        y = 0.0
        for one, parts, tall in zip(lines, names, heights, strict=True):
            middle = y + tall / 2
            bold = one.value is None and not one.indented and not one.text
            for number, part in enumerate(parts):
                at = y + _ROOM_IN / 2 + (number + 0.5) * _LINE_IN
                axes.text((0.08 + 0.15 * one.indented) / total, at, part, transform=across,
                          va="center", fontsize=TEXT_PT, color=INK,
                          fontweight="bold" if bold else "normal")  # fmt: skip
            for end, cell in zip(ends, (one.beside, one.text, one.after), strict=True):
                axes.text(end / total, middle, cell, transform=across, va="center", ha="right",
                          fontsize=TEXT_PT, color=INK)  # fmt: skip
            _interval(axes, one, middle, widest if log else None)
            y += tall
            if not one.indented:
                axes.plot([0.08 / total, 1 - 0.05 / total], [y - tall, y - tall], color=LIGHT,
                          linewidth=0.7, transform=across, clip_on=False, zorder=0)  # fmt: skip
        if log:
            _log_axis(axes)
        for end, head in zip(ends, heads, strict=True):
            axes.text(end / total, -0.12, head, transform=across, va="center", ha="right",
                      fontsize=SMALL_PT, color=GREY)  # fmt: skip
        if title:
            figure.text(0.08 / total, 1 - 0.08 / height, title, va="top", fontsize=TEXT_PT + 1,
                        color=INK, fontweight="bold")  # fmt: skip

    return draw


def ratio_forest(rows: Sequence[tuple[str, Estimate]], *, x: str, title: str = "") -> Draw:
    """Draw ratios with their intervals, one line each, around the line of no effect.

    Rows are (label, estimate), ratios above 0, each with an interval; `x` names the axis: ``"odds
    ratio per SD"``.
    """
    level = next((f"{one.level * 100:g} % CI" for _, one in rows if one.level), "")
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
                axes.plot([limit], [y], marker, color=BLUE, markersize=5)
    axes.plot([low, high], [y, y], color=BLUE, linewidth=1.5, solid_capstyle="butt", zorder=2)
    axes.plot([line.value], [y], "s", color=BLUE, markersize=5, zorder=3, clip_on=False)


def _log_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    near, wide = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0)
    steps = near if high / low < 10 else wide if high / low < 60 else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=9))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_locator(NullLocator())
