"""Reliability diagram: observed against predicted probability, with the counts behind it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.report.figures.canvas import BLUE, GREY, TEXT_PT, VERMILION, Draw, quiet_axes
from cardio_core.stats.calibration.smooth_calibration import CalibrationCurve
from cardio_core.stats.classification.proportions import proportion
from cardio_core.stats.foundation.validate import Bools, Floats, scored_sample


def calibration(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    n_bins: int = 10,
    level: float = 0.95,
    unit: str = "row",
    title: str = "",
    curve: CalibrationCurve | None = None,
) -> Draw:
    """Draw observed shares in groups of equal size against the mean predicted probability.

    Labels (0 and 1) and probabilities of class 1 have the shape (n,); rows in which anything is
    missing are left out. There are `n_bins` groups by quantiles of the prediction; tied predictions
    stay together, so there may be fewer. `level` is the coverage of Wilson's intervals, which take
    the rows as independent; `unit` is what a row is. Above are the groups, below how many of each
    class were predicted what. `curve` is drawn with its pointwise band.

    Raises
    ------
    DataError
        A prediction below 0 or above 1, or one class only.
    """
    sample = scored_sample(labels, probabilities)
    predicted, positive = sample.scores[0], sample.positive
    if predicted.min() < 0 or predicted.max() > 1:
        raise DataError(
            f"calibration: expected probabilities from 0 to 1, found {predicted.min():.3g} to "
            f"{predicted.max():.3g}; calibrate the score first"
        )
    groups = _groups(predicted, positive, n_bins)

    def draw(figure: Figure) -> None:
        figure.set_size_inches(4.6, 5.2)
        above, below = figure.subplots(2, 1, height_ratios=(3.4, 1), sharex=True)
        above.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        if curve is not None:
            x = curve.predicted
            above.fill_between(x, curve.low, curve.high, color=VERMILION, alpha=0.15, linewidth=0)
            above.plot(x, curve.observed, color=VERMILION, linewidth=1.6)
        for mean, k, n in groups:
            share = proportion(k, n, level=level)
            above.plot([mean, mean], [share.low, share.high], color=BLUE, linewidth=1.4)
            above.plot([mean], [share.value], "o", color=BLUE, markersize=5, clip_on=False)
        quiet_axes(above, y="observed share of class 1", title=title)
        above.set_ylim(-0.02, 1.02)
        above.set_xlim(-0.02, 1.02)
        sizes = sorted(n for _, _, n in groups)
        spread = f"{sizes[0]}" if sizes[0] == sizes[-1] else f"{sizes[0]} to {sizes[-1]}"
        note = f"groups of {spread} {unit}s; {level:.0%} intervals (Wilson)".replace("%", " %")
        above.text(0.0, 0.97, note, fontsize=TEXT_PT - 2, color=GREY)
        if curve is not None:
            smooth = f"smooth curve (LOESS), pointwise {curve.level:.0%} band".replace("%", " %")
            above.text(0.0, 0.91, smooth, fontsize=TEXT_PT - 2, color=VERMILION)
        _counts(below, predicted, positive)

    return draw


def _groups(predicted: Floats, positive: Bools, n_bins: int) -> list[tuple[float, int, int]]:
    """Return mean prediction, number of class 1 and size of every group."""
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, n_bins + 1)[1:-1]))
    number = np.searchsorted(edges, predicted, side="left")
    return [
        (
            float(predicted[number == group].mean()),
            int(positive[number == group].sum()),
            int(np.sum(number == group)),
        )
        for group in np.unique(number)
    ]


def _counts(axes: Axes, predicted: Floats, positive: Bools) -> None:
    edges = np.linspace(0, 1, 21)
    ones = np.histogram(predicted[positive], edges)[0]
    zeros = np.histogram(predicted[~positive], edges)[0]
    axes.bar(edges[:-1], ones, width=0.05, align="edge", color=BLUE, edgecolor="white")
    axes.bar(edges[:-1], -zeros, width=0.05, align="edge", color=VERMILION, edgecolor="white")
    axes.axhline(0, color=GREY, linewidth=0.8)
    quiet_axes(axes, x="predicted probability of class 1", y="count", grid="y")
    top = max(int(ones.max()), int(zeros.max())) * 1.15
    axes.set_ylim(-top, top)
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    axes.locator_params(axis="y", nbins=4, integer=True)
    # The end of the scale where fewer stand leaves room for the words.
    left = ones[:10].sum() < ones[10:].sum()
    axes.text(0.0 if left else 1.0, top * 0.92, f"class 1, n = {ones.sum()}", color=BLUE,
              ha="left" if left else "right", va="top", fontsize=TEXT_PT - 1)  # fmt: skip
    left = zeros[:10].sum() < zeros[10:].sum()
    axes.text(0.0 if left else 1.0, -top * 0.92, f"class 0, n = {zeros.sum()}", color=VERMILION,
              ha="left" if left else "right", va="bottom", fontsize=TEXT_PT - 1)  # fmt: skip
