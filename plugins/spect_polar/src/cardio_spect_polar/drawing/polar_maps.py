"""Figures of polar maps: phase, perfusion and thickening of a study, and maps of flow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cardio_core.api import canvas
from cardio_spect_polar.drawing.marks import LATEST, LATEST_VIABLE, outline_scar, outline_segment
from cardio_spect_polar.drawing.polar_axes import colour_bar, draw_map, phase_bar, phase_map
from cardio_spect_polar.drawing.style import (
    AMOUNT_COLOURS,
    CHANGE_COLOURS,
    HALO,
    PHASE_MIDDLE_DEG,
    THICKENING_REACH_PCT,
    resize,
)
from cardio_spect_polar.phase.indices.latest import ALSO_LATE_DEG, Latest
from cardio_spect_polar.polar.segment_names import SEGMENT_NAMES
from cardio_spect_polar.polar.segments import N_SEGMENTS


def study_maps(
    phase: ArrayLike,
    perfusion: ArrayLike,
    thickening: ArrayLike,
    *,
    latest: Latest | None = None,
    latest_viable: Latest | None = None,
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
    latest, latest_viable : Latest, optional
        Segments that get a border there if they are later than the mean of all by 10 degrees or
        more; None where there is no verdict.
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
        for axes in (first, second):
            for segment, dashes in borders(latest, latest_viable):
                outline_segment(axes, segment, dashes)
        words = marked_in_words(latest, latest_viable, scar=any(scar))
        figure.supxlabel(words, fontsize=canvas.SMALL_PT, color=canvas.INK)

    return draw


def borders(latest: Latest | None, latest_viable: Latest | None) -> list[tuple[int, Any]]:
    """Return which segments get a border, with its dashes: only those that are late at all.

    Of a synchronous ventricle one segment is the latest as well, by chance.
    """
    found: list[tuple[int, Any]] = []
    if latest_viable is not None and round(latest_viable.delay_deg) >= ALSO_LATE_DEG:
        found.append((latest_viable.segment, LATEST_VIABLE))
    if latest is not None and round(latest.delay_deg) >= ALSO_LATE_DEG:
        found += [] if latest.segment in dict(found) else [(latest.segment, LATEST)]
    return found


def marked_in_words(latest: Latest | None, latest_viable: Latest | None, *, scar: bool) -> str:
    """Return what the lines on the maps mean.

    Examples
    --------
    >>> early, late = Latest(5, 4.0, 20.0, 0, 0.0), Latest(5, 31.0, 90.0, 6, 12.0)
    >>> marked_in_words(late, late, scar=False)
    'Bold border: latest segment, viable, a lead can reach it: 5 basal inferolateral (90 % certain)'
    >>> marked_in_words(early, early, scar=False)
    'No segment is later than the mean by 10° or more'
    """
    marked = dict(borders(latest, latest_viable))
    said = []
    if latest_viable is not None and latest_viable.segment in marked:
        both = latest is not None and latest.segment == latest_viable.segment
        what = "segment, viable, a lead" if both else "viable segment that a lead"
        said.append(
            f"bold border: latest {what} can reach{' it' if both else ''}: {_named(latest_viable)}"
        )
    if latest is not None and marked.get(latest.segment) == LATEST:
        said.append(f"bold dashed border: latest segment: {_named(latest)}")
    if not marked and latest is not None:
        said.append(f"no segment is later than the mean by {ALSO_LATE_DEG:.0f}° or more")
    if scar:
        said.append("thin dashed line: perfusion below 50 % (scar)")
    words = "; ".join(said)
    return words[:1].upper() + words[1:]


def _named(latest: Latest) -> str:
    sure = f" ({latest.sure_pct:.0f} % certain)" if math.isfinite(latest.sure_pct) else ""
    return f"{latest.segment} {SEGMENT_NAMES[latest.segment - 1]}{sure}"


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
