"""Odds ratios with their intervals on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from cardio_core.report.figures.canvas import BLUE, GREY, INK, TEXT_PT, Draw, quiet_axes
from cardio_core.types.estimate import Estimate

WIDEST = 1e4
"""Limits beyond this factor from 1 are drawn as arrows."""


def ratio_forest(rows: Sequence[tuple[str, Estimate]], *, x: str, title: str = "") -> Draw:
    """Draw ratios with their intervals, one line each, around the line of no effect.

    Rows are (label, estimate), ratios above 0, each with an interval; `x` names the axis: ``"odds
    ratio per SD"``.
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(6.2, 1.1 + 0.32 * len(rows))
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.axvline(1, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        for position, (_, estimate) in enumerate(rows):
            low = max(estimate.low or estimate.value, 1 / WIDEST)
            high = min(estimate.high or estimate.value, WIDEST)
            axes.plot([low, high], [position, position], color=BLUE, linewidth=1.5)
            axes.plot([estimate.value], [position], "s", color=BLUE, markersize=5)
            for limit, marker in ((low, "<"), (high, ">")):
                if limit in (1 / WIDEST, WIDEST):
                    axes.plot([limit], [position], marker, color=BLUE, markersize=5)
        quiet_axes(axes, x=x, title=title, grid="x")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=9))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_yticks(range(len(rows)), [label for label, _ in rows])
        axes.tick_params(axis="y", length=0, labelsize=TEXT_PT, labelcolor=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)

    return draw
