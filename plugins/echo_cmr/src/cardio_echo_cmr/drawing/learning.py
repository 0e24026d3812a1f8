"""The learning curve: a metric by the number of patients in training."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cardio_core.api import canvas
from cardio_echo_cmr.drawing.results import colour_of
from cardio_echo_cmr.published.paper_tables import TITLES


def learning_figure(table: pd.DataFrame, *, y: str) -> canvas.Draw:
    """Return a function that draws each model's metric against the patients it was trained on.

    Parameters
    ----------
    table : DataFrame
        As of `learning_curve.curve_table`.
    y : str
        Name of the metric, of which .5 is chance.
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(5.6, 3.6)
        axes = figure.subplots()
        models = list(dict.fromkeys(table["model"]))
        for place, model in enumerate(models):
            own = table[table["model"] == model]
            # Side by side, so that intervals at one number of patients do not hide each other.
            at = own["n_trained"].to_numpy(float) * (1 + 0.02 * (place - (len(models) - 1) / 2))
            colour = colour_of(str(model))
            axes.plot(at, own["value"], "o-", color=colour, markersize=4, linewidth=1.3,
                      label=TITLES.get(str(model), str(model)))  # fmt: skip
            axes.vlines(at, own["low"], own["high"], color=colour, linewidth=1.1, alpha=0.7)
        axes.axhline(0.5, color=canvas.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        sizes = np.unique(table["n_trained"])
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
        axes.set_xticks([], minor=True)
        n_tested = int(table["n_tested"].iloc[0])
        canvas.bare_axes(axes, x=f"patients in training ({n_tested} tested, always the same)", y=y)
        axes.legend(
            fontsize=canvas.SMALL_PT, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0)
        )

    return draw
