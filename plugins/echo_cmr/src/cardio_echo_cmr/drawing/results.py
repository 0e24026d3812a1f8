"""Figures of results: ROC by view, predicted against measured, agreement, intervals, segments."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import cardio_stats as stats
from cardio_core.api import canvas
from cardio_echo_cmr.published.paper_tables import TITLES
from cardio_stats import Estimate

COLOURS = {
    "a4c": canvas.BLUE, "a2c": canvas.GREEN, "plax": canvas.ORANGE, "fused": canvas.INK,
    "lvef": canvas.PURPLE, "age_sex": canvas.GREY,
}  # fmt: skip
"""The models of values have the colour of their view."""

PLURAL = {"study": "studies", "video": "videos", "patient": "patients"}
PANELS_A_ROW = 3
DASHES = (0, (4, 3))
METHODS = {
    "occlusion": "occlusion", "grad_cam_pp": "Grad-CAM++",
    "random_weights": "random weights (control)", "area": "size of the segment (control)",
}  # fmt: skip


def colour_of(model: str) -> str:
    """Return the colour of a model."""
    return COLOURS.get(model.removesuffix("_value"), canvas.SKY)


def roc_by_view(
    curves: Sequence[tuple[str, str, pd.DataFrame, Estimate | None]],
) -> canvas.Draw:
    """Return a function that draws the ROC curve of every model: figure 1 of the paper.

    Parameters
    ----------
    curves : sequence of (model, label, rows, estimate)
        `rows` has columns y (0, 1) and score; `estimate` is the area that stands in the legend.
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(4.8, 5.0 + 0.16 * len(curves))
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=canvas.GREY, linewidth=0.8, linestyle=DASHES)
        for model, label, rows, found in curves:
            curve = stats.roc_curve(rows["y"], rows["score"])
            bold = model.startswith("fused")
            axes.plot(
                curve.fpr, curve.tpr, color=colour_of(model), linewidth=2.2 if bold else 1.3,
                zorder=4 if bold else 3, label=_with_area(label, found),
                linestyle="-" if model.removesuffix("_value") not in ("lvef", "age_sex") else ":",
            )  # fmt: skip
        canvas.bare_axes(axes, x="1 − specificity", y="sensitivity")
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_aspect("equal")
        figure.legend(fontsize=canvas.SMALL_PT, frameon=False, loc="outside lower center")

    return draw


def _with_area(label: str, found: Estimate | None) -> str:
    if found is None:
        return label
    text = f"{label}: AUC {found.value:.3f}"
    if found.low is None or found.high is None:
        return text
    return f"{text} ({found.low:.3f} to {found.high:.3f})"


def scatter(
    panels: Sequence[tuple[str, str, pd.DataFrame, Sequence[str]]], *, name: str, unit: str
) -> canvas.Draw:
    """Return a function that draws predicted against measured values, a panel a model.

    Parameters
    ----------
    panels : sequence of (model, label, rows, lines)
        `rows` has columns y and score, in `unit`; `lines` are written into the panel.
    name, unit : str
        What is measured.
    """

    def draw(figure: Figure) -> None:
        n_columns = min(len(panels), PANELS_A_ROW)
        n_rows = math.ceil(len(panels) / n_columns)
        figure.set_size_inches(0.6 + 2.6 * n_columns, 0.3 + 3.0 * n_rows)
        grid = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True)
        for empty in grid.ravel()[len(panels) :]:
            empty.set_axis_off()
        both = np.concatenate(
            [rows[["y", "score"]].to_numpy(float).ravel() for *_, rows, _ in panels]
        )
        low, high = float(both.min()), float(both.max())
        edge = 0.04 * (high - low or 1.0)
        for place, (model, label, rows, lines) in enumerate(panels):
            axes = grid.flat[place]
            axes.plot([low, high], [low, high], color=canvas.GREY, linewidth=0.8, linestyle=DASHES)
            axes.plot(rows["y"], rows["score"], "o", color=colour_of(model), markersize=3.0,
                      alpha=0.6, markeredgewidth=0)  # fmt: skip
            first, last = place % n_columns == 0, place + n_columns >= len(panels)
            canvas.bare_axes(axes, x=f"measured {name} ({unit})" if last else "",
                       y=f"predicted {name} ({unit})" if first else "", title=label)  # fmt: skip
            axes.tick_params(labelbottom=last)
            axes.text(0.03, 0.98, "\n".join(lines), transform=axes.transAxes, va="top",
                      fontsize=canvas.SMALL_PT, color=canvas.INK)  # fmt: skip
            axes.set_xlim(low - edge, high + edge)
            axes.set_ylim(low - edge, high + edge + 0.18 * (high - low))

    return draw


def bland_altman(found: Any, *, name: str, unit: str) -> canvas.Draw:
    """Return a function that draws differences against means with the limits of agreement.

    Parameters
    ----------
    found : cardio_stats.Agreement
    name, unit : str
        What is measured.
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(5.4, 3.4)
        axes = figure.subplots()
        axes.plot(found.mean, found.difference, "o", color=canvas.BLUE, markersize=3.2, alpha=0.6,
                  markeredgewidth=0)  # fmt: skip
        axes.axhline(0, color=canvas.GREY, linewidth=0.8, linestyle=DASHES)
        for estimate, words in (
            (found.upper, "upper limit"), (found.bias, "bias"), (found.lower, "lower limit"),
        ):  # fmt: skip
            axes.axhspan(
                estimate.low, estimate.high, color=canvas.VERMILION, alpha=0.1, linewidth=0
            )
            axes.axhline(estimate.value, color=canvas.VERMILION, linewidth=1.2)
            axes.annotate(
                f"{words}\n{estimate.value:.3g} {unit}", (1.0, estimate.value),
                xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
                va="center", fontsize=canvas.SMALL_PT, color=canvas.INK,
            )  # fmt: skip
        canvas.bare_axes(axes, x=f"mean of predicted and measured {name} ({unit})",
                   y=f"predicted − measured ({unit})")  # fmt: skip

    return draw


def intervals_figure(
    table: pd.DataFrame, paper: Mapping[str, tuple[float, float, float]]
) -> canvas.Draw:
    """Return a function that draws the intervals of each model by what was drawn, and the paper's.

    Parameters
    ----------
    table : DataFrame
        Table ``intervals``: columns label, drawn, method, auc, low, high; bootstraps only.
    paper : mapping of str to (auc, low, high)
        Published areas by label.
    """
    labels = list(dict.fromkeys(table["label"]))

    def draw(figure: Figure) -> None:
        lines = [(label, kind, *limits) for label in labels for kind, *limits in _of(label)]
        figure.set_size_inches(6.6, 0.9 + 0.2 * len(lines) + 0.12 * len(labels))
        axes = figure.subplots()
        at, ticks, last = 0.0, [], ""
        for label, kind, auc, low, high in lines:
            at += 1.0 if label == last else 1.7
            if label != last:
                ticks.append(at)
            last = label
            _interval(axes, at, kind, auc, low, high)
        axes.set_yticks(ticks, labels)
        axes.set_ylim(at + 0.8, 0.7)
        axes.axvline(0.5, color=canvas.GREY, linewidth=0.8, linestyle=DASHES)
        canvas.bare_axes(axes, x="AUC")

    def _of(label: str) -> list[tuple[str, float, float, float]]:
        bootstraps = table[table["label"] == label]
        rows = [
            (f"{PLURAL[row['rows_are']]}: {PLURAL[row['drawn']]} drawn", row["auc"], row["low"],
             row["high"])
            for row in bootstraps.to_dict("records")
        ]  # fmt: skip
        return rows + ([("as published", *paper[label])] if label in paper else [])

    return draw


def _interval(axes: Axes, at: float, kind: str, auc: float, low: float, high: float) -> None:
    printed = kind == "as published"
    colour = canvas.VERMILION if printed else canvas.BLUE if "patients" in kind else canvas.GREY
    axes.hlines(at, low, high, color=colour, linewidth=1.5)
    axes.plot(auc, at, "o", color=colour, markersize=4.5,
              markerfacecolor=canvas.PAPER if printed else colour)  # fmt: skip
    axes.annotate(kind, (1.01, at), xycoords=("axes fraction", "data"), va="center",
                  fontsize=canvas.SMALL_PT, color=colour)  # fmt: skip


def view_confusion(table: pd.DataFrame) -> canvas.Draw:
    """Return a function that draws loops by true and given view, the unknown in a column apart.

    Parameters
    ----------
    table : DataFrame
        As of `view_names.confusion`.
    """

    def draw(figure: Figure) -> None:
        counts = table.to_numpy(float)
        figure.set_size_inches(1.4 + 0.8 * counts.shape[1], 1.1 + 0.62 * counts.shape[0])
        axes = figure.subplots()
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1.7, aspect="auto")
        for (row, column), n in np.ndenumerate(counts):
            of = share[row, column]
            axes.text(
                column,
                row,
                f"{int(n)}\n{of:.0%}".replace("%", " %") if n else "0",
                ha="center",
                va="center",
                fontsize=canvas.TEXT_PT,
                color=canvas.fixed(canvas.INK),
            )
        axes.axvline(counts.shape[1] - 1.5, color=canvas.INK, linewidth=1.2)
        axes.set_xticks(range(counts.shape[1]), _in_lines(table.columns), fontsize=canvas.SMALL_PT)
        axes.set_yticks(range(counts.shape[0]), _in_lines(table.index), fontsize=canvas.SMALL_PT)
        axes.tick_params(length=0, labelcolor=canvas.INK)
        for side in axes.spines.values():
            side.set_color(canvas.LIGHT)
        axes.set_xlabel("given view", fontsize=canvas.TEXT_PT, color=canvas.INK)
        axes.set_ylabel("true view", fontsize=canvas.TEXT_PT, color=canvas.INK)

    return draw


def _in_lines(names: Iterable[Any]) -> list[str]:
    return ["\n".join(textwrap.wrap(str(name), 12)) for name in names]


def segments_figure(table: pd.DataFrame) -> canvas.Draw:
    """Return a function that draws the mean area within videos of each model and method.

    Parameters
    ----------
    table : DataFrame
        Table ``segments``, rows with an area within videos.
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(6.2, 1.0 + 0.26 * len(table))
        axes = figure.subplots()
        for at, row in enumerate(table.to_dict("records")):
            control = "control" in METHODS.get(str(row["method"]), "")
            colour = canvas.GREY if control else colour_of(str(row["model"]))
            axes.hlines(at, row["within_low"], row["within_high"], color=colour, linewidth=1.5)
            axes.plot(row["within_videos"], at, "o", color=colour, markersize=4.5,
                      markerfacecolor=canvas.PAPER if control else colour)  # fmt: skip
            axes.annotate(f"{int(row['n_videos_of_both'])} videos", (1.01, at), va="center",
                          xycoords=("axes fraction", "data"), fontsize=canvas.SMALL_PT,
                          color=canvas.INK)  # fmt: skip
        names = [
            f"{TITLES.get(str(model), str(model))}, {METHODS.get(str(method), str(method))}"
            for model, method in zip(table["model"], table["method"], strict=True)
        ]
        axes.axvline(0.5, color=canvas.GREY, linewidth=0.8, linestyle=DASHES)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        canvas.bare_axes(axes, x="AUC of abnormal segments within a video, mean over videos")

    return draw
