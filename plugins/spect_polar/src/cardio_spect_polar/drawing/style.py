"""Colour scales and text of this plugin's figures, beyond the canvas of the core."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from cardio_core.api import canvas

MISSING = "#b8b8b8"

HALO = (withStroke(linewidth=2.0, foreground="white"),)
"""Keeps dark letters readable on dark ground."""

SHADE = (withStroke(linewidth=2.0, foreground="black"),)
"""Keeps white letters readable on light ground."""

PHASE_COLOURS = LinearSegmentedColormap.from_list(
    "cardio_phase",
    [
        "#1b1020",
        "#0b3a66",
        canvas.BLUE,
        "#6fbfe8",
        "#f7f7f4",
        "#f4b04f",
        "#cf5410",
        "#6e1f10",
        "#1b1020",
    ],
    N=720,
)
"""Cyclic: the middle is light, half a cycle away is black; earlier is blue, later orange.

Blue and orange stay apart with every common kind of colour blindness, and lightness falls with
the distance from the middle, so that the map is also read in grey.
"""

AMOUNT_COLOURS, CHANGE_COLOURS = "inferno", "RdBu_r"


def resize(figure: Figure, width_in: float, height_in: float) -> None:
    """Give a figure its size; a part of a larger figure keeps the room it has."""
    if isinstance(figure, Figure):
        figure.set_size_inches(width_in, height_in)


def circular_mean_deg(phase_deg: NDArray[np.floating]) -> float:
    """Return the mean direction in [0, 360); 0 where nothing is known."""
    known = np.radians(phase_deg[np.isfinite(phase_deg)].astype(float))
    return float(np.degrees(np.angle(np.exp(1j * known).sum())) % 360) if known.size else 0.0
