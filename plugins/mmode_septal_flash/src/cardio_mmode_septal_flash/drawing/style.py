"""Colours of this plugin's figures, in the style of the core's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Draw = Callable[[Figure], None]
"""Draws on an empty figure; may set its size; touches nothing else."""

BLUE, VERMILION, ORANGE, SKY = "#0072B2", "#D55E00", "#E69F00", "#56B4E9"
GREEN, PURPLE, INK, GREY, LIGHT = "#009E73", "#CC79A7", "#222222", "#6b6b6b", "#e4e4e4"
TEXT_PT, SMALL_PT = 9.0, 7.5
HEAT = "inferno"
METHODS = {
    "grad_cam_pp": "Grad-CAM++",
    "layer_cam": "LayerCAM",
    "occlusion": "occlusion",
    "centre_prior": "centre prior",
    "random_weights": "random weights",
}

SHADE = {"facecolor": "black", "alpha": 0.5, "linewidth": 0, "pad": 1.0}
"""Keeps white letters readable on light ground, and text in the file: a stroke makes it paths."""


def quiet_axes(axes: Axes, *, x: str = "", y: str = "", title: str = "") -> Axes:
    """Give axes their labels and take away what says nothing; return them."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
        axes.spines[side].set_linewidth(0.8)
    axes.tick_params(labelsize=SMALL_PT, length=3, width=0.8, color=GREY, labelcolor=INK)
    axes.set_xlabel(x, fontsize=TEXT_PT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT_PT, color=INK)
    if title:
        axes.set_title(title, fontsize=TEXT_PT, color=INK, loc="left")
    return axes
