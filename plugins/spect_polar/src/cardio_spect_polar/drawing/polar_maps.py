"""Figures of polar maps: phase, perfusion and thickening of a study, and maps of flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cardio_core.api import canvas
from cardio_spect_polar.drawing.polar_axes import (
    colour_bar,
    draw_map,
    phase_bar,
    phase_map,
    picture_of,
)
from cardio_spect_polar.drawing.style import (
    AMOUNT_COLOURS,
    CHANGE_COLOURS,
    HALO,
    PHASE_MIDDLE_DEG,
    THICKENING_REACH_PCT,
    resize,
)
from cardio_spect_polar.phase.indices.perfusion import VIABLE_PCT
from cardio_spect_polar.polar.segments import N_SEGMENTS

_INK = canvas.fixed(canvas.INK)


def study_maps(
    phase: ArrayLike,
    perfusion: ArrayLike,
    thickening: ArrayLike,
    *,
    convention: Literal["peak", "onset"] = "peak",
) -> canvas.Draw:
    """Return a function that draws the three polar maps of a study beside each other.

    Their scales are the same for every patient: phases up to 120 degrees around the mean of normal
    hearts, and black beyond; 0 to 100 %; thickening from -60 to 60 %, light where a wall does not
    thicken.

    Parameters
    ----------
    phase : array-like
        Degrees, as a polar grid, a picture or 17 segments; NaN is grey.
    perfusion, thickening : array-like
        Percent. Perfusion below 50 % is outlined on the maps of phase and perfusion.
    convention : {"peak", "onset"}
        What the phases are of; it moves the scale.
    """
    middle = PHASE_MIDDLE_DEG[convention]
    bar: dict[str, Any] = {"location": "right", "shrink": 0.78, "aspect": 20, "pad": 0.03}

    def draw(figure: Figure) -> None:
        resize(figure, 11.4, 3.1)
        first, second, third = figure.subplots(1, 3)
        image = phase_map(first, phase, middle, "phase", words=_if_known(first, phase))
        label = f"{convention} of thickening (°)\nblack: beyond the scale"
        phase_bar(figure, image, first, label, **bar)
        image = draw_map(second, perfusion, colours=AMOUNT_COLOURS, norm=Normalize(0, 100),
                         title="perfusion")  # fmt: skip
        colour_bar(figure, image, second, "perfusion (% of the best wall)", **bar)
        reach = THICKENING_REACH_PCT
        image = draw_map(third, thickening, colours=CHANGE_COLOURS, norm=Normalize(-reach, reach),
                         title="thickening", words=_if_known(third, thickening))  # fmt: skip
        colour_bar(figure, image, third, "thickening (%)\nblue: thins in systole",
                   extend=_beyond(thickening, (-reach, reach)), **bar)  # fmt: skip
        scar = [outline_scar(axes, perfusion) for axes in (first, second)]
        if any(scar):
            figure.supxlabel("Thin dashed line: perfusion below 50 %",
                             fontsize=canvas.SMALL_PT, color=canvas.INK)  # fmt: skip

    return draw


def outline_scar(axes: Axes, perfusion: ArrayLike) -> bool:
    """Draw a line around perfusion below 50 %, white with dark dashes; return whether there is any.

    Parameters
    ----------
    axes : Axes
        With a map of the same study on it.
    perfusion : array-like
        Percent, as for `picture_of`.
    """
    picture = picture_of(perfusion)
    if not np.any(picture < VIABLE_PCT):
        return False
    n = picture.shape[0]
    middle = (np.arange(n) + 0.5) * 2 / n - 1
    # Beyond the rim everything counts as scar's neighbour of the same kind: no line along it.
    for width, colour, dashes in ((1.8, "white", "solid"), (1.1, _INK, (0, (3, 2)))):
        axes.contour(
            middle, -middle, np.ma.masked_invalid(picture), levels=[VIABLE_PCT], colors=[colour],
            linewidths=[width], linestyles=[dashes], zorder=3.5,
        )  # fmt: skip
    return True


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


def _if_known(axes: Axes, values: ArrayLike) -> list[str] | None:
    """Write across a map without any value that there is none; return words for its segments."""
    if np.isfinite(np.asarray(values, np.float64)).any():
        return None
    axes.text(0, 0, "no verdict", ha="center", va="center", fontsize=canvas.TEXT_PT,
              color=canvas.fixed(canvas.INK), path_effects=HALO, zorder=5)  # fmt: skip
    return [""] * N_SEGMENTS


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
