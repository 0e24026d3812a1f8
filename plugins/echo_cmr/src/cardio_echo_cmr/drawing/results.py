"""Figures of results that the core does not draw: ROC by view, intervals, segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


PUBLISHED = "published"


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
        lines = [(label, *line) for label in labels for line in _of(label)]
        figure.set_size_inches(6.6, 0.9 + 0.2 * len(lines) + 0.12 * len(labels))
        axes = figure.subplots()
        at, ticks, last = 0.0, [], ""
        for label, kind, drawn, *limits in lines:
            at += 1.0 if label == last else 1.7
            if label != last:
                ticks.append(at)
            last = label
            _interval(axes, at, kind, drawn, *limits)
        axes.set_yticks(ticks, labels)
        axes.set_ylim(at + 0.8, 0.7)
        axes.axvline(0.5, color=canvas.GREY, linewidth=0.8, linestyle=DASHES)
        canvas.bare_axes(axes, x="AUC")

    def _of(label: str) -> list[tuple[str, str, float, float, float]]:
        bootstraps = table[table["label"] == label]
        rows = [
            (f"{PLURAL[row['rows_are']]}: {PLURAL[row['drawn']]} drawn", row["drawn"], row["auc"],
             row["low"], row["high"])
            for row in bootstraps.to_dict("records")
        ]  # fmt: skip
        return rows + ([("as published", PUBLISHED, *paper[label])] if label in paper else [])

    return draw


def _interval(
    axes: Axes, at: float, kind: str, drawn: str, auc: float, low: float, high: float
) -> None:
    printed = drawn == PUBLISHED
    colour = {PUBLISHED: canvas.VERMILION, "patient": canvas.BLUE}.get(drawn, canvas.GREY)
    axes.hlines(at, low, high, color=colour, linewidth=1.5)
    axes.plot(auc, at, "o", color=colour, markersize=4.5,
              markerfacecolor=canvas.PAPER if printed else colour)  # fmt: skip
    axes.annotate(kind, (1.01, at), xycoords=("axes fraction", "data"), va="center",
                  fontsize=canvas.SMALL_PT, color=colour)  # fmt: skip


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
