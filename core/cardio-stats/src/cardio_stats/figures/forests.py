"""A forest plot of a table: labels, intervals on a common axis, and the numbers beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
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
    """

    label: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    text: str = ""
    size: str = ""
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
        Above the columns `size`, `text` and `after` of the lines.
    log : bool
        For ratios: an axis in factors, limits far out as arrows.
    reference : float, optional
        The value of no effect, a dashed line.

    Returns
    -------
    callable
        ``draw(figure)``.
    """
    names = [wrapped(line.label, _MOST_IN, TEXT_PT) for line in lines]
    label_in = _GAP_IN + max(
        width_in(part, TEXT_PT) + 0.15 * line.indented
        for line, parts in zip(lines, names, strict=True)
        for part in parts
    )
    columns = [[head, *(getattr(line, field) for line in lines)]
               for head, field in zip(heads, ("size", "text", "after"), strict=True)]  # fmt: skip
    widths = [max(width_in(cell, TEXT_PT) for cell in column) for column in columns]
    size_in, text_in, after_in = (width + _GAP_IN if width else 0.0 for width in widths)
    widest = max(
        [WIDEST, *(3 * max(line.value, 1 / line.value) for line in lines if log and line.value)]
    )
    heights = [len(parts) * _LINE_IN + _ROOM_IN for parts in names]

    def draw(figure: Figure) -> None:
        left = label_in + size_in + 0.1
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
        ends = (label_in + size_in, total - after_in - 0.05, total - 0.05)
        y = 0.0
        for item, parts, tall in zip(lines, names, heights, strict=True):
            middle = y + tall / 2
            bold = item.value is None and not item.indented and not item.text
            for number, part in enumerate(parts):
                at = y + _ROOM_IN / 2 + (number + 0.5) * _LINE_IN
                axes.text((0.08 + 0.15 * item.indented) / total, at, part, transform=across,
                          va="center", fontsize=TEXT_PT, color=INK,
                          fontweight="bold" if bold else "normal")  # fmt: skip
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

    return draw


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
                axes.plot([limit], [y], marker, color=BLUE, markersize=5)
    axes.plot([low, high], [y, y], color=BLUE, linewidth=1.5, solid_capstyle="butt", zorder=2)
    axes.plot([line.value], [y], "s", color=BLUE, markersize=5, zorder=3, clip_on=False)


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

_MODELS_LINE_IN, _MODELS_GAP_IN, _HEAD_IN = 0.17, 0.09, 0.24
_WIDE_IN, _NARROW_IN = 7.6, 3.75


@dataclass(frozen=True)
class ForestModel:
    """One model of a forest plot.

    `values` has (value, low, high) by protocol; limits are None where there is no interval.
    """

    title: str
    values: Mapping[str, Limits]
    group: Group = "model"


@dataclass
class _Lines:
    """Where everything goes: inches from the top of the plot."""

    heads: list[tuple[float, str]] = field(default_factory=list)
    titles: list[tuple[float, str, bool]] = field(default_factory=list)
    marks: list[tuple[float, str, Limits]] = field(default_factory=list)
    rules: list[float] = field(default_factory=list)
    end: float = 0.0


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
    numbers_in = 0.1 + max(
        (width_in(" ".join(_number(value, decimals)), SMALL_PT + 0.5)
         for model in ordered for value in model.values.values()), default=1.0,
    )  # fmt: skip
    total_in = _NARROW_IN if narrow else _WIDE_IN
    names_in = 0.0 if narrow else min(3.0, 0.15 + _widest(ordered))
    title_in = total_in - 0.1 if narrow else names_in - 0.1
    lines = _layout(ordered, protocols, title_in, narrow, heads)
    note = _note(n_words, level, reference, reference_words, total_in)

    def draw(figure: Figure) -> None:
        top, bottom = 0.30, 0.50 + 0.15 * len(note)
        height = top + lines.end + bottom
        figure.set_layout_engine("none")
        figure.set_size_inches(total_in, height)
        left = 0.26 if narrow else names_in + 0.12
        right = total_in - numbers_in - 0.12
        axes = figure.add_axes((left / total_in, bottom / height,
                                (right - left) / total_in, lines.end / height))  # fmt: skip
        quiet_axes(axes, x=metric, grid="x")
        axes.set_ylim(lines.end, 0)
        _scale(axes, ordered, limits, reference)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        axes.locator_params(axis="x", nbins=5 if narrow else 7)
        if reference is not None:
            axes.axvline(reference, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        across = blended_transform_factory(figure.transFigure, axes.transData)
        # Where words stand over the plot, its lines stop before them.
        ground = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0}
        here: dict[str, Any] = {"transform": across, "va": "center", "bbox": ground, "zorder": 2}
        for y, words in lines.heads:
            axes.text(0.03 / total_in, y, words, fontsize=SMALL_PT, color=GREY, **here)
        for y, words, bold in lines.titles:
            axes.text(0.03 / total_in, y, words, fontsize=TEXT_PT, color=INK,
                      fontweight="bold" if bold else "normal", **here)  # fmt: skip
        for y in lines.rules:
            axes.plot([0.03 / total_in, 1 - 0.03 / total_in], [y, y], color=LIGHT, linewidth=0.7,
                      transform=across, clip_on=False, zorder=0)  # fmt: skip
        inside = width_in(_number(next(iter(ordered[0].values.values())), decimals)[1],
                          SMALL_PT + 0.5)  # fmt: skip
        for y, protocol, value in lines.marks:
            _mark(axes, y, protocol, protocols, value)
            shown, interval = _number(value, decimals)
            how: dict[str, Any] = {"transform": across, "va": "center", "color": INK,
                                   "fontsize": SMALL_PT + 0.5}  # fmt: skip
            edge = total_in - 0.05
            axes.text((edge - inside - 0.05) / total_in, y, shown, ha="right", **how)
            axes.text(edge / total_in, y, interval, ha="right", **how)
        _key(figure, protocols, total_in, height)
        for number, words in enumerate(reversed(note)):
            figure.text(0.03 / total_in, (0.06 + 0.15 * number) / height, words, fontsize=SMALL_PT,
                        color=GREY, va="bottom")  # fmt: skip

    return draw


def _layout(
    models: Sequence[ForestModel],
    protocols: Sequence[str],
    title_in: float,
    narrow: bool,
    heads: Mapping[Group, str],
) -> _Lines:
    made = _Lines()
    y = 0.0
    grouped = len({model.group for model in models}) > 1
    before = ""
    for model in models:
        if grouped and model.group != before:
            made.heads.append((y + 0.6 * _HEAD_IN, heads[model.group]))
            y += _HEAD_IN
        elif before:
            made.rules.append(y)
        before = model.group
        y += _MODELS_GAP_IN / 2
        bold = model.group == "primary"
        words = wrapped(model.title, title_in, TEXT_PT, "bold" if bold else "normal")
        there = [name for name in protocols if name in model.values]
        tall = len(there) if narrow else max(len(there), len(words))
        shift = 0.0 if narrow else (tall - len(words)) / 2 * _MODELS_LINE_IN
        for number, line in enumerate(words):
            made.titles.append((y + shift + (number + 0.5) * _MODELS_LINE_IN, line, bold))
        y += len(words) * _MODELS_LINE_IN if narrow else 0.0
        shift = (tall - len(there)) / 2 * _MODELS_LINE_IN
        for number, name in enumerate(there):
            made.marks.append(
                (y + shift + (number + 0.5) * _MODELS_LINE_IN, name, model.values[name])
            )
        y += tall * _MODELS_LINE_IN + _MODELS_GAP_IN / 2
    made.end = y
    return made


def _mark(axes: Axes, y: float, protocol: str, protocols: Sequence[str], value: Limits) -> None:
    colour = _colour(protocol, protocols)
    middle, low, high = value
    if low is not None and high is not None:
        axes.plot([low, high], [y, y], color=colour, linewidth=1.6, solid_capstyle="butt", zorder=2)
    axes.plot([middle], [y], marker="o", markersize=5, color=colour, markeredgewidth=1.4, zorder=3,
              markerfacecolor=PAPER if protocol == "paper" else colour, clip_on=False)  # fmt: skip


def _scale(
    axes: Axes,
    models: Sequence[ForestModel],
    limits: tuple[float, float] | None,
    reference: float | None,
) -> None:
    found = [part for m in models for value in m.values.values() for part in value]
    known = [part for part in [*found, reference] if part is not None]
    low, high = limits or (min(known), max(known))
    room = 0.02 * (high - low or 1.0)
    axes.set_xlim(low - room, high + room)


def _key(figure: Figure, protocols: Sequence[str], total_in: float, height: float) -> None:
    """Name the protocols in their colours along the top."""
    at = 0.03
    for name in protocols:
        if not name:
            continue
        words = f"{'○' if name == 'paper' else '●'} {PROTOCOL_WORDS.get(name, name)}"
        figure.text(at / total_in, 1 - 0.05 / height, words, fontsize=TEXT_PT, va="top",
                    color=_colour(name, protocols))  # fmt: skip
        at += width_in(words, TEXT_PT) + 0.2


def _note(
    n_words: str, level: str, reference: float | None, reference_words: str, room_in: float
) -> list[str]:
    parts = [n_words, f"lines: {level} intervals"]
    if reference is not None:
        parts.append(f"dashed: {reference_words} ({reference:.4g})")
    return wrapped("; ".join(filter(None, parts)), room_in - 0.1, SMALL_PT)


def _widest(models: Sequence[ForestModel]) -> float:
    return max(
        width_in(m.title, TEXT_PT, "bold" if m.group == "primary" else "normal") for m in models
    )


def _decimals(models: Sequence[ForestModel]) -> int:
    largest = max((abs(part) for m in models for value in m.values.values() for part in value
                   if part is not None), default=0.0)  # fmt: skip
    return 3 if largest < 2 else 2 if largest < 20 else 1 if largest < 1000 else 0


def _number(value: Limits, decimals: int) -> tuple[str, str]:
    middle, low, high = (
        None if part is None else f"{part:.{decimals}f}".replace("-", "−") for part in value
    )
    return str(middle), "" if low is None or high is None else f"({low} to {high})"


def _colour(name: str, protocols: Sequence[str]) -> str:
    return PROTOCOL_COLOURS.get(name, colour_of(list(protocols).index(name)))


# Forest plots: estimates with their intervals, side by side for the protocols.


@dataclass(frozen=True)
class ForestRow:
    """One point of a forest plot.

    `label` is the row (a class, a model), `series` which of the points of that row (a protocol),
    `panel` which of the panels; its heading is the axis label. Limits are None where there is no
    interval.
    """

    label: str
    series: str
    value: float
    low: float | None = None
    high: float | None = None
    panel: str = ""


def forest(
    rows: Sequence[ForestRow],
    *,
    limits: tuple[float, float] | None = (0.0, 1.0),
    reference: float | None = None,
    title: str = "",
    numbers: bool = False,
) -> Draw:
    """Draw estimates with intervals, one line a label, one panel a metric.

    Labels, series and panels are drawn in the order in which they first occur. `limits` are those
    of the axis, None leaves them to the data; `reference` is the value of no effect, drawn as a
    dashed line (0.5 for an AUC, 0 for a difference); with `numbers` the estimates are written to
    the right of each panel.
    """
    labels = list(dict.fromkeys(row.label for row in rows))
    series = list(dict.fromkeys(row.series for row in rows))
    panels = list(dict.fromkeys(row.panel for row in rows))

    def draw(figure: Figure) -> None:
        height = 1.15 + len(labels) * (0.2 + 0.16 * len(series))
        names = 0.3 + 0.075 * max(len(label) for label in labels)
        figure.set_size_inches(names + (4.3 if numbers else 2.05) * len(panels), height)
        axes_row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(axes_row, panels, strict=True):
            inside = [row for row in rows if row.panel == panel]
            _panel(axes, inside, labels, series, numbers)
            quiet_axes(axes, x=panel, grid="x")
            if limits:
                # A point on the limit is drawn whole.
                room = 0.02 * (limits[1] - limits[0])
                axes.set_xlim(limits[0] - room, limits[1] + room)
            if reference is not None:
                axes.axvline(reference, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
            axes.spines["left"].set_visible(False)
            axes.tick_params(axis="y", length=0)
        axes_row[0].set_yticks(range(len(labels)), labels)
        axes_row[0].set_ylim(len(labels) - 0.5, -0.5)
        _row_key(figure, axes_row[0], series, title)

    return draw


def _panel(
    axes: Axes,
    rows: Sequence[ForestRow],
    labels: Sequence[str],
    series: Sequence[str],
    numbers: bool,
) -> None:
    offsets = (np.arange(len(series)) - (len(series) - 1) / 2) * 0.26
    for row in rows:
        position = series.index(row.series)
        y = labels.index(row.label) + offsets[position]
        colour = _row_colour(row.series, position)
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [y, y], color=colour, linewidth=1.6, zorder=2,
                      solid_capstyle="butt")  # fmt: skip
        filled = row.series != "paper"
        axes.plot([row.value], [y], marker="o", markersize=5, color=colour, zorder=3,
                  markerfacecolor=colour if filled else "white", markeredgewidth=1.4,
                  clip_on=False)  # fmt: skip
        if numbers:
            axes.text(1.03, y, _row_number(row), transform=axes.get_yaxis_transform(), va="center",
                      fontsize=TEXT_PT - 1, color=colour)  # fmt: skip
    for between in range(1, len(labels)):
        axes.axhline(between - 0.5, color=LIGHT, linewidth=0.7, zorder=0)


def _row_number(row: ForestRow) -> str:
    if row.low is None or row.high is None:
        return f"{row.value:.3f}"
    return f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})"


def _row_colour(name: str, position: int) -> str:
    return PROTOCOL_COLOURS.get(name, colour_of(position))


def _row_key(figure: Figure, axes: Axes, series: Sequence[str], title: str) -> None:
    """Name the series in their colours above the first panel, instead of a legend box."""
    if title:
        figure.suptitle(
            title, x=0.01, ha="left", fontsize=TEXT_PT + 1, fontweight="bold", color=INK
        )
    named = [name for name in series if name]
    if not named:
        return
    words = {"paper": "○ paper (optimistic)", "honest": "● honest"}
    for position, name in enumerate(named):
        axes.annotate(
            words.get(name, f"● {name}"),
            xy=(0, 1),
            xycoords="axes fraction",
            xytext=(position * 68, 5),
            textcoords="offset points",
            fontsize=TEXT_PT,
            color=_row_colour(name, series.index(name)),
            annotation_clip=False,
        )
