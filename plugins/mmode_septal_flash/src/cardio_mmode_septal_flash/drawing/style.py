"""What the figures of this plugin share beyond the canvas of the core."""

from __future__ import annotations

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
