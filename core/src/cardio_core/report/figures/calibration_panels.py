"""Calibration of several models, a panel each: in one pair of axes they cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cardio_core.report.figures.canvas import (
    BLUE,
    GREY,
    INK,
    PAPER,
    SMALL_PT,
    TEXT_PT,
    Draw,
    quiet_axes,
)
from cardio_core.report.figures.many_models import (
    N_BINS_OF_COUNTS,
    WIDTH_IN,
    ModelScores,
    grouped,
    ordered,
)
from cardio_core.report.figures.measure import wrapped
from cardio_core.report.words import counted
from cardio_core.stats.classification.proportions import proportion

COLUMNS = 2
_PLOT_IN, _COUNTS_IN, _LINE_IN, _WORDS_IN = 1.75, 0.42, 0.15, 0.5


def calibration_panels(
    models: Sequence[ModelScores], *, positive: str, level: float = 0.95, unit: str = "patient"
) -> Draw:
    """Draw observed against predicted probabilities of each model in a panel of its own.

    Every panel has Wilson's intervals, and below them how many were predicted what: those with the
    event upwards. Groups are those of `many_models.grouped`.

    Parameters
    ----------
    models : sequence of ModelScores
        The primary one comes first, baselines last.
    positive : str
        The class whose probability it is.
    level : float
        Of the intervals.
    unit : str
        What was predicted.
    """
    shown = ordered(models)
    column_in = WIDTH_IN / COLUMNS
    titles = [wrapped(one.title, column_in - 0.45, SMALL_PT + 0.5, "bold") for one in shown]
    n_rows = -(-len(shown) // COLUMNS)

    def draw(figure: Figure) -> None:
        lines = [
            max(map(len, titles[COLUMNS * row : COLUMNS * (row + 1)])) for row in range(n_rows)
        ]
        heights = [_PLOT_IN + _COUNTS_IN + _LINE_IN * n for n in lines]
        figure.set_size_inches(WIDTH_IN, sum(heights) + _WORDS_IN)
        axes: Any = figure.subplots(
            2 * n_rows, COLUMNS, sharex=True, squeeze=False,
            height_ratios=[part for n in lines for part in (_PLOT_IN + _LINE_IN * n, _COUNTS_IN)],
        )  # fmt: skip
        sizes: list[int] = []
        for place, (one, title) in enumerate(zip(shown, titles, strict=True)):
            row, column = divmod(place, COLUMNS)
            above, below = axes[2 * row][column], axes[2 * row + 1][column]
            sizes += _shares(above, one, level)
            above.set_title("\n".join(title), fontsize=SMALL_PT + 0.5, color=INK, loc="left",
                            fontweight="bold" if one.group == "primary" else "normal")  # fmt: skip
            _counts(below, one)
            if column:
                above.tick_params(labelleft=False)
            # the lowest panel of a column tells the scale, also where its neighbour reaches lower
            below.tick_params(labelbottom=place + COLUMNS >= len(shown))
        for place in range(len(shown), COLUMNS * n_rows):
            row, column = divmod(place, COLUMNS)
            axes[2 * row][column].set_visible(False)
            axes[2 * row + 1][column].set_visible(False)
        least = "" if min(sizes) == max(sizes) else f"{min(sizes)} to "
        said = f"groups of {least}{counted(max(sizes), unit)}; {100 * level:g} % intervals (Wilson)"
        figure.suptitle(said, fontsize=SMALL_PT, color=GREY, x=0.02, ha="left")
        figure.supylabel("observed share", fontsize=TEXT_PT, color=INK)
        words = wrapped(f"predicted probability of {positive}", WIDTH_IN - 0.9, TEXT_PT)
        figure.supxlabel("\n".join(words), fontsize=TEXT_PT, color=INK)

    return draw


def _shares(axes: Axes, one: ModelScores, level: float) -> list[int]:
    """Draw the groups of one model with their intervals, and return their sizes."""
    groups = grouped(one.score, one.positive)
    shares = [proportion(k, n, level=level) for _, k, n in groups]
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    for (mean, _, _), share in zip(groups, shares, strict=True):
        limits = [share.low or 0.0, share.high or 0.0]
        axes.plot([mean, mean], limits, color=BLUE, linewidth=1.0)
    axes.plot([mean for mean, _, _ in groups], [share.value for share in shares], color=BLUE,
              marker="o", markersize=3.2, linewidth=1.0, clip_on=False)  # fmt: skip
    quiet_axes(axes)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])
    return [n for _, _, n in groups]


def _counts(axes: Axes, one: ModelScores) -> None:
    edges = np.linspace(0, 1, N_BINS_OF_COUNTS + 1)
    score = np.clip(one.score, 0, 1)
    ones, zeros = (np.histogram(score[own], edges)[0] for own in (one.positive, ~one.positive))
    how: dict[str, Any] = {"width": edges[1], "align": "edge", "edgecolor": PAPER, "linewidth": 0.4}
    axes.bar(edges[:-1], ones, color=BLUE, **how)
    axes.bar(edges[:-1], -zeros, color=GREY, **how)
    axes.axhline(0, color=GREY, linewidth=0.8)
    quiet_axes(axes)
    axes.grid(visible=False)
    top = 1.1 * max(int(ones.max()), int(zeros.max()), 1)
    axes.set_ylim(-top, top)
    axes.set_yticks([])
