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
    ["#0b3a66", canvas.BLUE, "#6fbfe8", "#f7f7f4", "#f4b04f", "#cf5410", "#7a2410"],
    N=360,
).with_extremes(under="#000000", over="#000000")
"""Earlier is blue, later orange, the middle light, and what lies beyond the ends black.

Blue and orange stay apart with every common kind of colour blindness, and lightness falls with
the distance from the middle, so that the map is also read in grey.
"""

PHASE_MIDDLE_DEG = {"peak": 140.0, "onset": 50.0}
"""Middle of the scale on which patients compare: about the mean of normal hearts (134.5 degrees in
men and 140.2 in women for the peak, Chen 2005); the onset is a quarter of the cycle earlier."""

PHASE_REACH_DEG = 120.0
"""So far the scale goes on either side: late walls of dilated hearts lie within, and what lies
beyond is opposite to a normal wall rather than late."""

THICKENING_REACH_PCT = 60.0

AMOUNT_COLOURS, CHANGE_COLOURS = "inferno", "RdBu_r"


def resize(figure: Figure, width_in: float, height_in: float) -> None:
    """Give a figure its size; a part of a larger figure keeps the room it has."""
    if isinstance(figure, Figure):
        figure.set_size_inches(width_in, height_in)


def circular_mean_deg(phase_deg: NDArray[np.floating]) -> float:
    """Return the mean direction in [0, 360); 0 where nothing is known."""
    known = np.radians(phase_deg[np.isfinite(phase_deg)].astype(float))
    return float(np.degrees(np.angle(np.exp(1j * known).sum())) % 360) if known.size else 0.0
