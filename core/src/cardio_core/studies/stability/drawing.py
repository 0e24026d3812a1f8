"""Figures of the stability panel: strips of refits, sites in a forest, the learning curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cardio_core.report.figures.canvas import (
    BLUE,
    GREY,
    INK,
    LIGHT,
    SMALL_PT,
    TEXT_PT,
    VERMILION,
    Draw,
    colour_of,
    quiet_axes,
)
from cardio_core.report.figures.measure import width_in, wrapped
from cardio_core.stats.groups.several_places import RandomEffects

_LABEL_IN, _PLOT_IN, _ROW_IN = 2.4, 4.8, 0.34


@dataclass(frozen=True)
class Strip:
    """One model: a dot a refit, the run's own value, and an interval."""

    title: str
    dots: np.ndarray
    own: float | None
    interval: tuple[float, float] | None = None
    primary: bool = False


def strips(rows: Sequence[Strip], *, x: str, chance: float | None, interval: str) -> Draw:
    """Draw what each model reached over refits, one line a model.

    `interval` says in the key what the bar is.
    """

    def draw(figure: Figure) -> None:
        labels = [wrapped(row.title, _LABEL_IN, TEXT_PT) for row in rows]
        left = max(width_in(line, TEXT_PT, "bold") for lines in labels for line in lines) + 0.2
        figure.set_size_inches(left + _PLOT_IN, 0.95 + _ROW_IN * len(rows))
        axes = figure.subplots()
        if chance is not None:
            axes.axvline(chance, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        for y, row in enumerate(rows):
            _strip(axes, row, y)
        _lines(axes, labels, [row.primary for row in rows])
        quiet_axes(axes, x=x, grid="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        words = (("●", GREY, "one refit"), ("◆", BLUE, "the run itself"), ("━", INK, interval))
        at = 0.0
        for mark, colour, said in words:
            axes.annotate(
                f"{mark} {said}", xy=(0, 1), xycoords="axes fraction", xytext=(at, 5),
                textcoords="offset points", fontsize=SMALL_PT, color=colour,
                annotation_clip=False,
            )  # fmt: skip
            at += 72 * width_in(f"{mark} {said}", SMALL_PT) + 14

    return draw


def _strip(axes: Axes, row: Strip, y: int) -> None:
    n = len(row.dots)
    # Dots of equal height would hide each other; the same dots always lie alike.
    jitter = (np.random.default_rng(0).permutation(n) + 0.5) / max(n, 1) - 0.5
    axes.plot(row.dots, y + 0.42 * jitter - 0.04, "o", color=GREY, markersize=3, alpha=0.55,
              markeredgewidth=0, zorder=2)  # fmt: skip
    if row.interval is not None:
        axes.plot(row.interval, [y + 0.3, y + 0.3], color=INK, linewidth=1.6, zorder=3,
                  solid_capstyle="butt")  # fmt: skip
    if row.own is not None:
        axes.plot([row.own], [y - 0.04], "D", color=BLUE, markersize=5.5, zorder=4,
                  markeredgewidth=0, clip_on=False)  # fmt: skip


def _lines(axes: Axes, labels: Sequence[Sequence[str]], bold: Sequence[bool]) -> None:
    axes.set_yticks(range(len(labels)), ["\n".join(lines) for lines in labels])
    for text, strong in zip(axes.get_yticklabels(), bold, strict=True):
        text.set_fontweight("bold" if strong else "normal")
        text.set_multialignment("right")
    axes.set_ylim(len(labels) - 0.45, -0.55)
    for between in range(1, len(labels)):
        axes.axhline(between - 0.5, color=LIGHT, linewidth=0.7, zorder=0)


def site_forest(
    sites: pd.DataFrame,
    whole: RandomEffects | None,
    scaled: Sequence[float],
    *,
    x: str,
    chance: float | None,
) -> Draw:
    """Draw one model by site, with the summary over sites and what a new site may have.

    Parameters
    ----------
    sites : DataFrame
        Columns site, patients, events, value, low, high.
    whole : RandomEffects or None
    scaled : sequence of float
        Mean, low, high, predicted low and predicted high on the metric's own scale.
    x : str
        Name of the metric.
    chance : float or None
    """  # fmt: skip

    def draw(figure: Figure) -> None:
        rows = sites.sort_values("value", ascending=False, kind="stable")
        n_lines = len(rows) + (2 if whole is not None else 0)
        sizes = [
            f"{one['site']} (n = {one['patients']}"
            + ("" if pd.isna(one["events"]) else f", {int(one['events'])} with")
            + ")"
            for one in rows.to_dict("records")
        ]
        labels = [*sizes, *(["All sites, mean", "A new site, expected"] if whole else [])]
        left = max(width_in(one, TEXT_PT) for one in labels) + 0.2
        figure.set_size_inches(left + _PLOT_IN, 0.7 + 0.3 * n_lines)
        axes = figure.subplots()
        if chance is not None:
            axes.axvline(chance, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        for y, one in enumerate(rows.to_dict("records")):
            if not pd.isna(one["low"]):
                axes.plot([one["low"], one["high"]], [y, y], color=BLUE, linewidth=1.5)
            axes.plot([one["value"]], [y], "s", color=BLUE, markersize=5, clip_on=False)
        if whole is not None:
            mean, low, high, new_low, new_high = scaled
            y = len(rows)
            axes.fill([low, mean, high, mean], [y, y - 0.24, y, y + 0.24], color=INK, zorder=3)
            axes.plot([new_low, new_high], [y + 1, y + 1], color=VERMILION, linewidth=2.2)
            axes.axhline(y - 0.5, color=LIGHT, linewidth=0.9)
        axes.set_yticks(range(n_lines), labels)
        axes.set_ylim(n_lines - 0.4, -0.6)
        quiet_axes(axes, x=x, grid="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)

    return draw


def learning_figure(points: pd.DataFrame, *, y: str, primary: str, chance: float | None) -> Draw:
    """Draw each model's metric against the patients that it was trained on.

    Parameters
    ----------
    points : DataFrame
        As `curve_tables` makes it: model, patients in training, value, low, high, patients tested.
    y : str
        Name of the metric.
    primary : str
        The model that is drawn broad.
    chance : float or None
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(7.2, 3.6)
        axes = figure.subplots()
        if chance is not None:
            axes.axhline(chance, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        models = list(dict.fromkeys(points["model"]))
        for place, model in enumerate(models):
            own = points[points["model"] == model]
            # Side by side, so that intervals at one number of patients do not hide each other.
            at = own["patients in training"].to_numpy(float) * (
                1 + 0.02 * (place - (len(models) - 1) / 2)
            )
            wide = 2.2 if model == primary else 1.1
            colour = colour_of(place)
            axes.plot(at, own["value"], "o-", color=colour, markersize=4, linewidth=wide,
                      label=model)  # fmt: skip
            axes.vlines(at, own["low"], own["high"], color=colour, linewidth=1.1, alpha=0.7)
        sizes = np.unique(points["patients in training"])
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
        axes.set_xticks([], minor=True)
        n_tested = int(points["patients tested"].max())
        quiet_axes(axes, x=f"patients in training ({n_tested} tested, always the same)", y=y)
        axes.legend(fontsize=SMALL_PT, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))

    return draw
