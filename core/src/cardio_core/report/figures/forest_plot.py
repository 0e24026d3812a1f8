"""Forest plots: estimates with their intervals, side by side for the protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cardio_core.report.figures.canvas import (
    GREY,
    INK,
    LIGHT,
    PROTOCOL_COLOURS,
    TEXT_PT,
    Draw,
    colour_of,
    quiet_axes,
)


@dataclass(frozen=True)
class ForestRow:
    """One point of a forest plot.

    `label` is the row (a class, a model), `series` which of the points of that row (a protocol),
    `panel` which of the panels; its heading is the axis label. Limits are None where there is no
    interval.
    """

    label: str
    series: str
    value: float
    low: float | None = None
    high: float | None = None
    panel: str = ""


def forest(
    rows: Sequence[ForestRow],
    *,
    limits: tuple[float, float] | None = (0.0, 1.0),
    reference: float | None = None,
    title: str = "",
    numbers: bool = False,
) -> Draw:
    """Draw estimates with intervals, one line a label, one panel a metric.

    Labels, series and panels are drawn in the order in which they first occur. `limits` are those
    of the axis, None leaves them to the data; `reference` is the value of no effect, drawn as a
    dashed line (0.5 for an AUC, 0 for a difference); with `numbers` the estimates are written to
    the right of each panel.
    """
    labels = list(dict.fromkeys(row.label for row in rows))
    series = list(dict.fromkeys(row.series for row in rows))
    panels = list(dict.fromkeys(row.panel for row in rows))

    def draw(figure: Figure) -> None:
        height = 1.15 + len(labels) * (0.2 + 0.16 * len(series))
        names = 0.3 + 0.075 * max(len(label) for label in labels)
        figure.set_size_inches(names + (4.3 if numbers else 2.05) * len(panels), height)
        axes_row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(axes_row, panels, strict=True):
            inside = [row for row in rows if row.panel == panel]
            _panel(axes, inside, labels, series, numbers)
            quiet_axes(axes, x=panel, grid="x")
            if limits:
                # A point on the limit is drawn whole.
                room = 0.02 * (limits[1] - limits[0])
                axes.set_xlim(limits[0] - room, limits[1] + room)
            if reference is not None:
                axes.axvline(reference, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
            axes.spines["left"].set_visible(False)
            axes.tick_params(axis="y", length=0)
        axes_row[0].set_yticks(range(len(labels)), labels)
        axes_row[0].set_ylim(len(labels) - 0.5, -0.5)
        _key(figure, axes_row[0], series, title)

    return draw


def _panel(
    axes: Axes,
    rows: Sequence[ForestRow],
    labels: Sequence[str],
    series: Sequence[str],
    numbers: bool,
) -> None:
    offsets = (np.arange(len(series)) - (len(series) - 1) / 2) * 0.26
    for row in rows:
        position = series.index(row.series)
        y = labels.index(row.label) + offsets[position]
        colour = _colour(row.series, position)
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [y, y], color=colour, linewidth=1.6, zorder=2,
                      solid_capstyle="butt")  # fmt: skip
        filled = row.series != "paper"
        axes.plot([row.value], [y], marker="o", markersize=5, color=colour, zorder=3,
                  markerfacecolor=colour if filled else "white", markeredgewidth=1.4,
                  clip_on=False)  # fmt: skip
        if numbers:
            axes.text(1.03, y, _number(row), transform=axes.get_yaxis_transform(), va="center",
                      fontsize=TEXT_PT - 1, color=colour)  # fmt: skip
    for between in range(1, len(labels)):
        axes.axhline(between - 0.5, color=LIGHT, linewidth=0.7, zorder=0)


def _number(row: ForestRow) -> str:
    if row.low is None or row.high is None:
        return f"{row.value:.3f}"
    return f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})"


def _colour(name: str, position: int) -> str:
    return PROTOCOL_COLOURS.get(name, colour_of(position))


def _key(figure: Figure, axes: Axes, series: Sequence[str], title: str) -> None:
    """Name the series in their colours above the first panel, instead of a legend box."""
    if title:
        figure.suptitle(
            title, x=0.01, ha="left", fontsize=TEXT_PT + 1, fontweight="bold", color=INK
        )
    named = [name for name in series if name]
    if not named:
        return
    words = {"paper": "○ paper (optimistic)", "honest": "● honest"}
    for position, name in enumerate(named):
        axes.annotate(
            words.get(name, f"● {name}"),
            xy=(0, 1),
            xycoords="axes fraction",
            xytext=(position * 68, 5),
            textcoords="offset points",
            fontsize=TEXT_PT,
            color=_colour(name, series.index(name)),
            annotation_clip=False,
        )
