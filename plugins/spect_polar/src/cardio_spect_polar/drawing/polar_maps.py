"""Figures of polar maps: phase, perfusion and thickening of a study, and maps of flow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cardio_core.api import canvas
from cardio_spect_polar.drawing.polar_axes import colour_bar, draw_map, phase_bar, phase_map
from cardio_spect_polar.drawing.style import AMOUNT_COLOURS, circular_mean_deg, resize
from cardio_spect_polar.polar.segments import N_SEGMENTS


def study_maps(phase: ArrayLike, perfusion: ArrayLike, thickening: ArrayLike) -> canvas.Draw:
    """Return a function that draws the three polar maps of a study beside each other.

    Parameters
    ----------
    phase : array-like
        Degrees, as a polar grid, a picture or 17 segments; NaN is grey. The lightest colour is
        the mean phase: earlier walls are blue, later ones orange.
    perfusion, thickening : array-like
        Percent.
    """
    angles = np.asarray(phase, np.float64)
    thick = np.asarray(thickening, np.float64)
    known = thick[np.isfinite(thick)]
    highest = max(20.0, float(np.ceil(np.percentile(known, 99) / 20) * 20)) if known.size else 20.0

    def draw(figure: Figure) -> None:
        resize(figure, 8.4, 3.6)
        first, second, third = figure.subplots(1, 3)
        phase_bar(figure, phase_map(first, angles, circular_mean_deg(angles), "phase"), first)
        image = draw_map(second, perfusion, colours=AMOUNT_COLOURS, norm=Normalize(0, 100),
                         title="perfusion")  # fmt: skip
        colour_bar(figure, image, second, "perfusion (% of the best wall)")
        image = draw_map(third, thick, colours=AMOUNT_COLOURS, norm=Normalize(0, highest),
                         title="thickening")  # fmt: skip
        colour_bar(figure, image, third, "thickening (%)")

    return draw


def flow_maps(maps: Mapping[str, tuple[ArrayLike, str, tuple[float, float]]]) -> canvas.Draw:
    """Return a function that draws polar maps beside each other, each with its own scale.

    Parameters
    ----------
    maps : mapping of name to (values, unit, limits)
        Values are a polar grid, a picture or 17 segments, of which each is then written down; NaN
        is grey. The unit, such as ``"ml/min/g"``, is empty for a pure number. The limits are the
        values of the first and the last colour; what lies beyond takes theirs.
    """

    def draw(figure: Figure) -> None:
        resize(figure, max(3.0, 2.8 * len(maps)), 3.6)
        rooms = figure.subplots(1, len(maps), squeeze=False)[0]
        for axes, (name, (values, unit, limits)) in zip(rooms, maps.items(), strict=True):
            image = draw_map(axes, values, colours=AMOUNT_COLOURS, norm=Normalize(*limits),
                             title=name, words=_numbers(values))  # fmt: skip
            label = " ".join(part for part in (name, f"({unit})" if unit else "") if part)
            colour_bar(figure, image, axes, label, extend=_beyond(values, limits))

    return draw


def _numbers(values: ArrayLike) -> list[str] | None:
    """Return the values of 17 segments as words; None for finer maps."""
    table = np.asarray(values, np.float64)
    if table.shape != (N_SEGMENTS,):
        return None
    return [f"{value:.1f}" if np.isfinite(value) else "–" for value in table]


def _beyond(values: ArrayLike, limits: tuple[float, float]) -> str:
    """Return where the colour bar needs an arrow, because values lie beyond its ends."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return "neither"
    below, above = known.min() < limits[0], known.max() > limits[1]
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[(below, above)]
