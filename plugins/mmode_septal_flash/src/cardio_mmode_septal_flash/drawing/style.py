"""Colours of this plugin's figures, in the style of the core's."""

from __future__ import annotations

from cardio_core.api import canvas

Draw = canvas.Draw
"""Draws on an empty figure; may set its size; touches nothing else."""

BLUE, VERMILION, GREEN, PURPLE, ORANGE = (
    canvas.BLUE,
    canvas.VERMILION,
    canvas.GREEN,
    canvas.PURPLE,
    canvas.ORANGE,
)
SKY, INK, GREY, LIGHT = canvas.SKY, canvas.INK, canvas.GREY, canvas.LIGHT
TEXT_PT, SMALL_PT = canvas.TEXT_PT, canvas.SMALL_PT

quiet_axes = canvas.bare_axes
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
