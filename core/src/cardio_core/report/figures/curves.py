"""ROC curves, with bands where they are given, and decision curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from cardio_core.report.figures.canvas import (
    BLUE,
    GREY,
    TEXT_PT,
    VERMILION,
    Draw,
    colour_of,
    quiet_axes,
)
from cardio_core.types.estimate import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One curve.

    `label` is written in the curve's colour; `x` and `y` have the shape (n_points,), the band,
    pointwise limits of `y`, (n_grid,) or is None.
    """

    label: str
    x: Floats
    y: Floats
    band_x: Floats | None = None
    band_low: Floats | None = None
    band_high: Floats | None = None


def roc_of(
    label: str,
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    estimate: Estimate | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Curve:
    """Return the ROC curve of a score with its band, ready to be drawn.

    Labels are 0 and 1; labels, scores and clusters have the shape (n,). `estimate` is the AUC that
    is written beside the label (the name of the model). `clusters` has the patient of every row:
    whole patients are then resampled for the band, whose `level`, `n_resamples` and `seed` these
    are.
    """
    from cardio_core.stats import roc_curve
    from cardio_core.stats.discrimination.roc_band import roc_band

    curve = roc_curve(labels, scores)
    grid, low, high = roc_band(
        labels, scores, clusters=clusters, level=level, n_resamples=n_resamples, seed=seed
    )
    return Curve(_with_auc(label, estimate), curve.fpr, curve.tpr, grid, low, high)


def roc(curves: Sequence[Curve], *, title: str = "", band: str = "95 % band, pointwise") -> Draw:
    """Draw ROC curves with the diagonal of chance.

    `band` says what the bands are; written where there is one.
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(4.6, 4.4)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        for position, curve in enumerate(curves):
            _curve(axes, curve, colour_of(position))
        quiet_axes(axes, x="1 − specificity", y="sensitivity", title=title)
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_aspect("equal")
        if any(curve.band_low is not None for curve in curves):
            axes.text(0.98, 0.03, band, ha="right", fontsize=TEXT_PT - 2, color=GREY)
        for line, (position, curve) in enumerate(reversed(list(enumerate(curves)))):
            axes.text(0.98, 0.09 + 0.055 * line, curve.label, ha="right", fontsize=TEXT_PT,
                      color=colour_of(position))  # fmt: skip

    return draw


def _curve(axes: Axes, curve: Curve, colour: str) -> None:
    if curve.band_x is not None and curve.band_low is not None and curve.band_high is not None:
        axes.fill_between(curve.band_x, curve.band_low, curve.band_high, color=colour,
                          alpha=0.15, linewidth=0)  # fmt: skip
    axes.plot(curve.x, curve.y, color=colour, linewidth=1.6)


def _with_auc(label: str, estimate: Estimate | None) -> str:
    if estimate is None:
        return label
    text = f"{label}: AUC {estimate.value:.3f}"
    if estimate.low is not None and estimate.high is not None:
        text += f" ({estimate.low:.3f} to {estimate.high:.3f})"
    return text


def decision(curve: pd.DataFrame, *, level: float = 0.95, title: str = "") -> Draw:
    """Draw net benefit against the threshold, beside treating everybody and nobody.

    `curve` is as :func:`~cardio_core.stats.decision_curve` returns it; `level` is the coverage of
    its pointwise limits.
    """
    t = curve["threshold"].to_numpy(float)

    def draw(figure: Figure) -> None:
        figure.set_size_inches(4.6, 3.8)
        axes = figure.add_subplot()
        axes.axhline(0, color=GREY, linewidth=1.0)
        axes.plot(t, curve["treat_all"], color=VERMILION, linewidth=1.2)
        axes.fill_between(t, curve["low"], curve["high"], color=BLUE, alpha=0.15, linewidth=0)
        axes.plot(t, curve["net_benefit"], color=BLUE, linewidth=1.6)
        quiet_axes(axes, x="threshold probability", y="net benefit", title=title)
        top = max(float(curve["high"].max()), float(curve["treat_all"].max()), 0.01)
        axes.set_ylim(-0.25 * top, 1.1 * top)
        axes.set_xlim(t.min(), t.max())
        said = [
            ("by the score", BLUE),
            ("treating everybody", VERMILION),
            ("treating nobody", GREY),
            (f"{level:.0%} band, pointwise".replace("%", " %"), GREY),
        ]
        for line, (words, colour) in enumerate(said):
            size = TEXT_PT - 2 if line == 3 else TEXT_PT
            axes.text(0.98, 0.96 - 0.065 * line, words, ha="right", va="top", fontsize=size,
                      color=colour, transform=axes.transAxes)  # fmt: skip

    return draw
