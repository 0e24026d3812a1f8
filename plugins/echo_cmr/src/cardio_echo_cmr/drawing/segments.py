"""What segments were worth: areas within videos by model and method, beside the controls."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from cardio_core.api import canvas
from cardio_echo_cmr.drawing.style import colour_of
from cardio_echo_cmr.published.paper_tables import TITLES

METHODS = {
    "occlusion": "occlusion", "grad_cam_pp": "Grad-CAM++",
    "random_weights": "random weights (control)", "area": "size of the segment (control)",
}  # fmt: skip


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
                      markerfacecolor="white" if control else colour)  # fmt: skip
            axes.annotate(f"{int(row['n_videos_of_both'])} videos", (1.01, at), va="center",
                          xycoords=("axes fraction", "data"), fontsize=canvas.SMALL_PT)  # fmt: skip
        names = [
            f"{TITLES.get(str(model), str(model))}, {METHODS.get(str(method), str(method))}"
            for model, method in zip(table["model"], table["method"], strict=True)
        ]
        axes.axvline(0.5, color=canvas.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        canvas.bare_axes(axes, x="AUC of abnormal segments within a video, mean over videos")

    return draw
