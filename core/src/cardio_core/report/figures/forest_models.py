"""The forest plot of all models under all protocols: the figure that answers the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from cardio_core.report.figures.canvas import (
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
)
from cardio_core.report.figures.measure import width_in, wrapped

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

_LINE_IN, _GAP_IN, _HEAD_IN = 0.17, 0.09, 0.24
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
        y += _GAP_IN / 2
        bold = model.group == "primary"
        words = wrapped(model.title, title_in, TEXT_PT, "bold" if bold else "normal")
        there = [name for name in protocols if name in model.values]
        tall = len(there) if narrow else max(len(there), len(words))
        shift = 0.0 if narrow else (tall - len(words)) / 2 * _LINE_IN
        for number, line in enumerate(words):
            made.titles.append((y + shift + (number + 0.5) * _LINE_IN, line, bold))
        y += len(words) * _LINE_IN if narrow else 0.0
        shift = (tall - len(there)) / 2 * _LINE_IN
        for number, name in enumerate(there):
            made.marks.append((y + shift + (number + 0.5) * _LINE_IN, name, model.values[name]))
        y += tall * _LINE_IN + _GAP_IN / 2
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
