"""Survival curves with the numbers still at risk, and predicted against observed risks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cardio_stats.figures.canvas import (
    BLUE,
    CYCLE,
    GREY,
    INK,
    SMALL_PT,
    TEXT_PT,
    Draw,
    colour_of,
    quiet_axes,
    unit_square,
    width_in,
    wrapped,
)

if TYPE_CHECKING:
    from cardio_stats.competing_risks import IncidenceCurve
    from cardio_stats.estimate import Estimate
    from cardio_stats.smooth_calibration import CalibrationCurve
    from cardio_stats.survival import SurvivalCurve

_WIDE_IN, _PLOT_IN, _ROW_IN = 6.4, 3.4, 0.19
_NAMES_IN = 1.6
"""Most that the groups' names take beside the numbers at risk."""


def survival_curves(
    curves: Sequence[SurvivalCurve], *, x: str, title: str = "", test: str = ""
) -> Draw:
    """Draw survival over time by group, with pointwise limits, ticks where times are censored.

    Parameters
    ----------
    curves : sequence of SurvivalCurve
    x : str
        The axis of time, with its unit.
    title : str
    test : str
        Written into the plot: ``"log-rank p 0.012"``.

    Returns
    -------
    callable
        ``draw(figure)``. Below the plot stands the number at risk at each of its ticks.
    """
    longest = max(float(curve.follow_up.time.max()) for curve in curves)
    ticks = [
        value for value in MaxNLocator(nbins=7).tick_values(0, longest) if 0 <= value <= longest
    ]
    names = [curve.label or "all" for curve in curves]
    lines = [wrapped(name, _NAMES_IN, TEXT_PT) for name in names]
    names_in = max(width_in(line, TEXT_PT) for name in lines for line in name)

    def draw(figure: Figure) -> None:
        left = max(0.65, names_in + 0.35)
        heights = [_ROW_IN * len(name) for name in lines]
        table_in = 0.3 + sum(heights)
        above = 0.35 if title else 0.12
        height = above + _PLOT_IN + 0.5 + table_in
        figure.set_layout_engine("none")
        figure.set_size_inches(_WIDE_IN, height)
        width = (_WIDE_IN - left - 0.3) / _WIDE_IN
        axes = figure.add_axes(
            (left / _WIDE_IN, (0.5 + table_in) / height, width, _PLOT_IN / height)
        )
        for position, curve in enumerate(curves):
            _steps(axes, curve, colour_of(position), "-" if position < len(CYCLE) else "--")
        level = f"{curves[0].level * 100:g} %"
        quiet_axes(axes, x=x, y=f"survival, {level} limits at each time")
        if title:
            figure.text(0.1 / _WIDE_IN, 1 - 0.08 / height, title, va="top", fontsize=TEXT_PT + 1,
                        color=INK, fontweight="bold")  # fmt: skip
        axes.set_xlim(0, longest * 1.02)
        axes.set_ylim(0, 1.02)
        axes.set_xticks(ticks)
        if test:
            axes.text(0.02, 0.04, test, transform=axes.transAxes, fontsize=TEXT_PT, color=GREY)
        below = figure.add_axes((left / _WIDE_IN, 0.05 / height, width, table_in / height))
        below.set_axis_off()
        below.set_xlim(axes.get_xlim())
        below.set_ylim(table_in, 0)
        edge = (0.1 - left) / (width * _WIDE_IN)
        below.text(edge, 0.12, "at risk", transform=below.get_yaxis_transform(), va="center",
                   fontsize=SMALL_PT, color=GREY)  # fmt: skip
        y = 0.3
        for position, (curve, name) in enumerate(zip(curves, lines, strict=True)):
            for number, line in enumerate(name):
                below.text(edge, y + number * _ROW_IN, line, va="center", fontsize=TEXT_PT,
                           transform=below.get_yaxis_transform(),
                           color=colour_of(position))  # fmt: skip
            for tick in ticks:
                below.text(tick, y, f"{curve.at_risk(tick)}", ha="center", va="center",
                           fontsize=TEXT_PT, color=INK)  # fmt: skip
            y += heights[position]

    return draw


def incidence_curves(curves: Sequence[IncidenceCurve], *, x: str, title: str = "") -> Draw:
    """Draw the cumulative incidence over time by group, with pointwise limits.

    `x` names the axis of time, with its unit.
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(_WIDE_IN, _PLOT_IN)
        axes = figure.subplots()
        for position, curve in enumerate(curves):
            colour, end = colour_of(position), float(curve.follow_up.time.max())
            time = np.concatenate([[0.0], curve.time, [end]])
            low, value, high = (
                np.concatenate([[0.0], line, line[-1:]])
                for line in (curve.low, curve.incidence, curve.high)
            )
            axes.fill_between(time, low, high, step="post", color=colour, alpha=0.13, linewidth=0)
            axes.step(time, value, where="post", color=colour, linewidth=1.6)
            axes.text(0.02, 0.94 - 0.07 * position, curve.label, color=colour, fontsize=TEXT_PT,
                      transform=axes.transAxes)  # fmt: skip
        level = f"{curves[0].level * 100:g} %"
        quiet_axes(axes, x=x, y=f"cumulative incidence, {level} limits at each time", title=title)
        axes.set(xlim=(0, None), ylim=(0, 1.02))

    return draw


def risk_calibration(
    groups: Sequence[tuple[float, Estimate]],
    curve: CalibrationCurve | None = None,
    *,
    time: str,
    title: str = "",
) -> Draw:
    """Draw observed against predicted risks by a time, a point a group of rising risk.

    Parameters
    ----------
    groups : sequence of (float, Estimate)
        Mean predicted risk, and the Kaplan-Meier risk with its interval.
    curve : CalibrationCurve, optional
    time : str
        With its unit.
    title : str
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(4.6, 4.6)
        axes = figure.subplots()
        unit_square(axes, x=f"predicted risk by {time}", y=f"observed risk by {time}")
        if curve is not None:
            axes.fill_between(curve.predicted, curve.low, curve.high, color=BLUE, alpha=0.13,
                              linewidth=0)  # fmt: skip
            axes.plot(curve.predicted, curve.observed, color=BLUE, linewidth=1.4)
        for predicted, observed in groups:
            if observed.low is not None and observed.high is not None:
                axes.plot([predicted, predicted], [observed.low, observed.high], color=BLUE,
                          linewidth=1.4)  # fmt: skip
            axes.plot([predicted], [observed.value], "o", color=BLUE, markersize=5, clip_on=False)
        if title:
            axes.set_title(title, fontsize=TEXT_PT + 1, color=INK, loc="left", fontweight="bold")
        level = next((group.level for _, group in groups if group.level), 0.95)
        sizes = sorted(group.n for _, group in groups)
        spread = f"{sizes[0]}" if sizes[0] == sizes[-1] else f"{sizes[0]} to {sizes[-1]}"
        note = f"groups of {spread}, Kaplan-Meier, {level * 100:g} % limits"
        axes.text(0.0, 0.97, note, fontsize=SMALL_PT, color=GREY)

    return draw


def _steps(axes: Axes, curve: SurvivalCurve, colour: str, line: str) -> None:
    end = float(curve.follow_up.time.max())
    time = np.concatenate([[0.0], curve.time, [end]])
    survival = np.concatenate([[1.0], curve.survival, curve.survival[-1:]])
    if not curve.time.size:
        time, survival = np.array([0.0, end]), np.ones(2)
    else:
        # of the steps within a thousandth of the axis, the last is seen
        bins = np.floor(time / end * 1000) if end else np.zeros(time.size)
        seen = np.append(bins[1:] != bins[:-1], True)
        seen[0] = True
        # where survival is 0 the limits are not known
        low = np.concatenate([[1.0], curve.low, curve.low[-1:]])
        high = np.concatenate([[1.0], curve.high, curve.high[-1:]])
        axes.fill_between(
            time[seen], low[seen], high[seen], step="post", color=colour, alpha=0.13, linewidth=0
        )
        time, survival = time[seen], survival[seen]
    axes.step(time, survival, where="post", color=colour, linestyle=line, linewidth=1.6)
    lost = np.unique(curve.follow_up.time[~curve.follow_up.event])
    if lost.size <= 300:
        at = np.searchsorted(time[:-1], lost, side="right") - 1
        axes.plot(lost, survival[at], "|", color=colour, markersize=4, markeredgewidth=0.8)
