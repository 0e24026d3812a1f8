"""Several classes in one figure: the confusion matrix, and each class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cardio_core.report.figures.canvas import GREY, SMALL_PT, Draw, colour_of, quiet_axes
from cardio_core.report.figures.confusion import confusion_matrix, confusion_size
from cardio_core.report.figures.many_models import ModelScores, with_area
from cardio_core.report.figures.measure import wrapped

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
    from cardio_core.stats import roc_curve

    matrix = confusion_matrix(confusion, unit=unit)
    width, height = confusion_size(confusion)

    def draw(figure: Figure) -> None:
        if not classes:
            matrix(figure)
            return
        wide = max(width, 4.6)
        labels = [
            "\n".join(wrapped(with_area(one.title, one.area), wide - 0.8, SMALL_PT + 0.5))
            for one in classes
        ]
        n_lines = sum(label.count("\n") + 1 for label in labels)
        below = _ROC_IN + 0.2 + 0.18 * n_lines
        figure.set_size_inches(wide, height + below)
        rooms: Any = figure.subfigures(2, 1, height_ratios=(height, below))
        top, bottom = rooms
        matrix(top)
        axes = bottom.subplots()
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        handles: list[Any] = []
        for place, one in enumerate(classes):
            curve = roc_curve(one.positive.astype(int), one.score)
            dashes = ("-", (0, (5, 2)), (0, (1.5, 1.5)))[place // 6 % 3]
            handles += axes.plot(curve.fpr, curve.tpr, color=colour_of(place), linewidth=1.5,
                                 linestyle=dashes)  # fmt: skip
        quiet_axes(axes, x="1 − specificity", y="sensitivity")
        axes.set_title("each class against the rest", fontsize=SMALL_PT, color=GREY, loc="left")
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_aspect("equal")
        bottom.legend(handles, labels, loc="outside lower left", frameon=False,
                      fontsize=SMALL_PT + 0.5, handlelength=2.6, borderaxespad=0.2)  # fmt: skip

    return draw
