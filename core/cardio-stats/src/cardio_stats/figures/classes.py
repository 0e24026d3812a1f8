"""Several classes in one figure: the confusion matrix, and each class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from cardio_stats.figures.canvas import (
    GREY,
    INK,
    SMALL_PT,
    TEXT_PT,
    Draw,
    fixed,
    width_in,
    wrapped,
)
from cardio_stats.figures.curves import ModelScores, draw_roc, with_area

# Confusion matrix: counts, and the share of each reference class.

_CELL_IN = 0.86
_DARK = fixed(INK)
"""Cells stay light on a dark page, and so the numbers in them stay dark; also in the deepest."""

_SHADES = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#cfe3f1", "#6fb1dc"])


def confusion_matrix(
    confusion: pd.DataFrame,
    *,
    unit: str = "sample",
    title: str = "",
    not_classes: tuple[str, ...] = ("false", "missed"),
) -> Draw:
    """Draw a confusion matrix with counts and row shares.

    Rows are the reference, columns the prediction. A row ``false`` (detections without a reference)
    and a column ``missed`` (reference without a detection) may stand beside the classes: what is in
    `not_classes` is set apart by a line. `unit` is what was counted. The shade is the share of its
    row, so that rare classes are seen; a row without any count stays white.
    """
    counts = confusion.to_numpy(dtype=float)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    rows, columns = [str(r) for r in confusion.index], [str(c) for c in confusion.columns]

    def draw(figure: Figure) -> None:
        if isinstance(figure, Figure):  # a part of a larger figure keeps the room it has
            figure.set_size_inches(*confusion_size(confusion))
        axes = figure.add_subplot()
        axes.pcolormesh(shares, cmap=_SHADES, vmin=0, vmax=1, edgecolors="white", linewidth=1.5)
        for (i, j), count in np.ndenumerate(counts):
            impossible = rows[i] in not_classes and columns[j] in not_classes
            if impossible or not totals[i, 0]:
                continue
            middle: dict[str, Any] = {"ha": "center", "color": _DARK}
            axes.text(j + 0.5, i + 0.46, f"{count:,.0f}".replace(",", "\u202f"), va="bottom",
                      fontsize=TEXT_PT, **middle)  # fmt: skip
            axes.text(j + 0.5, i + 0.56, _percent(shares[i, j]), va="top",
                      fontsize=SMALL_PT, **middle)  # fmt: skip
        axes.set_xticks(np.arange(len(columns)) + 0.5, [_in_cell(name) for name in columns])
        axes.set_yticks(np.arange(len(rows)) + 0.5, [_in_margin(name) for name in rows])
        _row_totals(axes, totals[:, 0])
        for position, name in enumerate(rows):
            if name in not_classes and position:
                axes.axhline(position, color=GREY, linewidth=1)
        for position, name in enumerate(columns):
            if name in not_classes and position:
                axes.axvline(position, color=GREY, linewidth=1)
        axes.invert_yaxis()
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("predicted", fontsize=TEXT_PT, color=INK)
        axes.set_ylabel("reference", fontsize=TEXT_PT, color=INK)
        axes.tick_params(length=0, labelsize=TEXT_PT, colors=INK)
        axes.set_frame_on(False)
        if title:
            axes.set_title(title, fontsize=TEXT_PT + 1, loc="left", fontweight="bold", color=INK)
        caption = f"{unit}s; % of the row"
        axes.text(0, len(rows) + 0.12, caption, va="top", fontsize=SMALL_PT, color=GREY)

    return draw


def confusion_size(confusion: pd.DataFrame) -> tuple[float, float]:
    """Return width and height of the figure in inches."""
    rows, columns = map(str, confusion.index), map(str, confusion.columns)
    names = [line for name in rows for line in _in_margin(name).split("\n")]
    margin = max((width_in(name, TEXT_PT) for name in names), default=0.0)
    head = max((_in_cell(name).count("\n") + 1 for name in columns), default=1)
    n_rows, n_columns = confusion.shape
    return 1.5 + margin + _CELL_IN * n_columns, 0.95 + 0.15 * head + 0.52 * n_rows


def _in_cell(name: str) -> str:
    return "\n".join(wrapped(name, _CELL_IN - 0.06, TEXT_PT))


def _in_margin(name: str) -> str:
    return "\n".join(wrapped(name, 1.5, TEXT_PT))


def _row_totals(axes: Axes, totals: np.ndarray[Any, Any]) -> None:
    right = axes.secondary_yaxis("right")
    labels = [f"n = {total:,.0f}".replace(",", "\u202f") for total in totals]
    right.set_yticks(np.arange(len(totals)) + 0.5, labels)
    right.tick_params(length=0, labelsize=TEXT_PT - 1, colors=GREY)
    right.spines["right"].set_visible(False)


def _percent(share: float) -> str:
    """Return a share in percent; a rare one is not rounded to nothing, nor a common one to all."""
    percent = 100 * share
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %"


_ROC_IN = 3.7


def classes_figure(
    confusion: pd.DataFrame, classes: Sequence[ModelScores], *, unit: str = "sample"
) -> Draw:
    """Draw the confusion matrix above the ROC curves of each class against the rest.

    Parameters
    ----------
    confusion : DataFrame
        As of `confusion_matrix`.
    classes : sequence of ModelScores
        One a class that occurs, its title the class's.
    unit : str
        What was counted.
    """
    matrix = confusion_matrix(confusion, unit=unit)
    width, height = confusion_size(confusion)

    def draw(figure: Figure) -> None:
        if not classes:
            matrix(figure)
            return
        wide = max(width, 4.6)
        labels = [
            "\n".join(wrapped(with_area(item.title, item.area), wide - 0.8, SMALL_PT + 0.5))
            for item in classes
        ]
        n_lines = sum(label.count("\n") + 1 for label in labels)
        below = _ROC_IN + 0.2 + 0.18 * n_lines
        figure.set_size_inches(wide, height + below)
        rooms: Any = figure.subfigures(2, 1, height_ratios=(height, below))
        top, bottom = rooms
        matrix(top)
        axes = bottom.subplots()
        handles = draw_roc(axes, classes)
        axes.set_title("each class against the rest", fontsize=SMALL_PT, color=GREY, loc="left")
        bottom.legend(handles, labels, loc="outside lower left", frameon=False,
                      fontsize=SMALL_PT + 0.5, handlelength=2.6, borderaxespad=0.2)  # fmt: skip

    return draw
