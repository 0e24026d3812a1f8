"""Figures of a cohort: enrichment by outcome, and accuracy beside the paper's."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cardio_core.api import canvas
from cardio_mmode_septal_flash.drawing.study import METHODS

COLOURS = {
    "true positive": canvas.BLUE,
    "false negative": canvas.PURPLE,
    "false positive": canvas.VERMILION,
    "true negative": canvas.GREEN,
}


def enrichment_figure(scored: pd.DataFrame) -> canvas.Draw:
    """Return a function that draws every study's enrichment, by method and outcome.

    Parameters
    ----------
    scored : DataFrame
        Of one model, as of `localisation.tables.scored_studies`.
    """
    methods = list(dict.fromkeys(scored["method"]))

    def draw(figure: Figure) -> None:
        figure.set_size_inches(1.6 + 1.5 * len(methods), 3.4)
        axes = figure.subplots()
        for place, method in enumerate(methods):
            maps = scored[(scored["method"] == method) & scored["enrichment"].notna()]
            _points(axes, maps, place)
        for level, style in ((1.0, "--"), (2.0, ":")):
            axes.axhline(level, color=canvas.GREY, linewidth=0.9, linestyle=style, zorder=1)
        axes.set_xticks(range(len(methods)), [METHODS.get(m, m) for m in methods])
        axes.set_xlim(-0.6, len(methods) - 0.4)
        axes.set_ylim(bottom=0)
        canvas.bare_axes(axes, y="enrichment from MVC to AVO (×)")
        axes.legend(
            handles=[
                axes.scatter([], [], s=12, color=colour, label=name)
                for name, colour in COLOURS.items()
            ],
            fontsize=canvas.SMALL_PT, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0),
        )  # fmt: skip

    return draw


def _points(axes: Axes, maps: pd.DataFrame, place: int) -> None:
    """Draw each outcome in a column of its own, its points side by side in the order of ids."""
    for number, (outcome, colour) in enumerate(COLOURS.items()):
        values = maps.loc[maps["outcome"] == outcome, "enrichment"].to_numpy(float)
        if not values.size:
            continue
        middle = place + (number - 1.5) * 0.18
        aside = (np.arange(values.size) % 5 - 2) * 0.02
        axes.scatter(middle + aside, values, s=9, color=colour, alpha=0.75, linewidths=0, zorder=3)
        axes.hlines(
            np.median(values),
            middle - 0.07,
            middle + 0.07,
            color=canvas.INK,
            linewidth=1.4,
            zorder=4,
        )


def accuracy_figure(rows: pd.DataFrame, level: float) -> canvas.Draw:
    """Return a function that draws accuracies with their exact intervals below each other.

    Parameters
    ----------
    rows : DataFrame
        Columns who, k, n, accuracy, low, high.
    level : float
        Of the intervals.
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(6.4, 0.9 + 0.34 * len(rows))
        axes = figure.subplots()
        limits = rows[["low", "high", "accuracy"]].to_numpy(float)
        for place, (low, high, accuracy) in enumerate(limits):
            k, n = rows["k"].iloc[place], rows["n"].iloc[place]
            published = place < 2
            colour = canvas.VERMILION if published else canvas.BLUE
            axes.hlines(place, low, high, color=colour, linewidth=1.4)
            axes.plot(accuracy, place, marker="o", markersize=5, color=colour,
                      markerfacecolor=canvas.PAPER if published else colour)  # fmt: skip
            axes.annotate(f"{k}/{n}", (1.01, place), xycoords=("axes fraction", "data"),
                          va="center", fontsize=canvas.SMALL_PT, color=canvas.INK)  # fmt: skip
        axes.set_yticks(range(len(rows)), list(rows["who"]))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(min(0.4, float(rows["low"].min()) - 0.02), 1.02)
        canvas.bare_axes(axes, x=f"accuracy, exact {100 * level:g} % interval")

    return draw
