"""Curves of many models in one pair of axes: ROC, calibration, decision curve.

The primary model is drawn broad and blue, other models thin and in colours, baselines grey; the key
below names them by their titles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from cardio_core.report.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    SMALL_PT,
    TEXT_PT,
    VERMILION,
    Draw,
    quiet_axes,
)
from cardio_core.report.figures.forest_models import Group
from cardio_core.report.figures.measure import wrapped
from cardio_core.report.words import counted
from cardio_core.stats.classification.proportions import proportion
from cardio_core.types.estimate import Estimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WIDTH_IN = 4.6
_KEY_PT = SMALL_PT + 0.5
_OTHERS = (VERMILION, GREEN, PURPLE, ORANGE)
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 2)))
_CHANCE: Any = {"color": GREY, "linewidth": 0.8, "linestyle": (0, (4, 3))}
N_BINS_OF_COUNTS = 20


@dataclass(frozen=True)
class ModelScores:
    """One model: what it said of every tested unit, and what came true.

    `positive` and `score`, the probability of the positive class, have the shape (n,). `area` is
    the AUC that stands in the key. The band has the shape (n_grid,) and is drawn where it is given.
    """

    title: str
    positive: Bools
    score: Floats
    group: Group = "model"
    area: Estimate | None = None
    band: tuple[Floats, Floats, Floats] | None = None


def ordered(models: Sequence[ModelScores]) -> list[ModelScores]:
    """Return the primary model first and the baselines last."""
    rank = {"primary": 0, "model": 1, "baseline": 2}
    return sorted(models, key=lambda one: rank[one.group])


def roc_of_models(models: Sequence[ModelScores], *, level: str = "95 %") -> Draw:
    """Draw the ROC curves of all models, with a pointwise band where one is given."""
    from cardio_core.stats import roc_curve

    shown = ordered(models)

    def draw(figure: Figure) -> None:
        labels = [with_area(one.title, one.area) for one in shown]
        axes = _axes_over_key(figure, labels, 4.2)
        axes.plot([0, 1], [0, 1], **_CHANCE)
        handles = []
        for one, style in zip(shown, styles(shown), strict=True):
            if one.band is not None:
                axes.fill_between(*one.band, color=style["color"], alpha=0.15, linewidth=0)
            curve = roc_curve(one.positive.astype(int), one.score)
            handles += axes.plot(curve.fpr, curve.tpr, **style)
        quiet_axes(axes, x="1 − specificity", y="sensitivity")
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_aspect("equal")
        if any(one.band is not None for one in shown):
            axes.text(0.98, 0.03, f"{level} band, pointwise", ha="right", fontsize=SMALL_PT,
                      color=GREY)  # fmt: skip
        _key(figure, handles, labels, [one.group == "primary" for one in shown])

    return draw


def calibration_of_models(
    models: Sequence[ModelScores], *, positive: str, level: float = 0.95, unit: str = "patient"
) -> Draw:
    """Draw observed against predicted probabilities, in groups of equal size.

    The first model, the primary one if it is there, has Wilson's intervals, and the histogram of
    its predictions below. `positive` is the class whose probability it is.
    """
    shown = ordered(models)
    words = f"{100 * level:g} % intervals (Wilson)"

    def draw(figure: Figure) -> None:
        labels = [one.title for one in shown]
        above, below = _axes_over_key(figure, labels, 5.2, ratios=(3.4, 1))
        above.plot([0, 1], [0, 1], **_CHANCE)
        handles, sizes = [], [0]
        for place, (one, style) in enumerate(zip(shown, styles(shown), strict=True)):
            groups = grouped(one.score, one.positive)
            means = [mean for mean, _, _ in groups]
            shares = [proportion(k, n, level=level) for _, k, n in groups]
            if place == 0:
                sizes = sorted(n for _, _, n in groups)
                for mean, share in zip(means, shares, strict=True):
                    above.plot([mean, mean], [share.low, share.high], color=style["color"],
                               linewidth=1.2)  # fmt: skip
            size, width = (5, 1.4) if place == 0 else (3, 1.0)
            handles += above.plot(means, [share.value for share in shares], marker="o",
                                  markersize=size, clip_on=False,
                                  **(style | {"linewidth": width}))  # fmt: skip
        quiet_axes(above, y="observed share")
        above.set_ylim(-0.02, 1.02)
        above.set_xlim(-0.02, 1.02)
        least = "" if sizes[0] == sizes[-1] else f"{sizes[0]} to "
        said = f"groups of {least}{counted(sizes[-1], unit)}; {words}"
        above.set_title(said, fontsize=SMALL_PT, color=GREY, loc="left")
        _counts(below, shown[0], positive)
        _key(figure, handles, labels, [one.group == "primary" for one in shown])

    return draw


def decision_curves(models: Sequence[ModelScores], *, positive: str) -> Draw:
    """Draw the net benefit of treating by each model, beside treating all and treating none."""
    from cardio_core.stats import decision_curve

    shown = ordered(models)
    thresholds = np.linspace(0.01, 0.99, 99)

    def draw(figure: Figure) -> None:
        labels = [*(one.title for one in shown), "treat everybody", "treat nobody"]
        axes = _axes_over_key(figure, labels, 3.4)
        handles: list[Any] = []
        highest = 0.02
        for one, style in zip(shown, styles(shown), strict=True):
            curve = decision_curve(one.positive.astype(int), np.clip(one.score, 0, 1),
                                   thresholds=thresholds.tolist())  # fmt: skip
            handles += axes.plot(curve["threshold"], curve["net_benefit"], **style)
            highest = max(highest, float(curve["net_benefit"].max()))
        share = float(shown[0].positive.mean())
        everybody = share - (1 - share) * thresholds / (1 - thresholds)
        handles += axes.plot(thresholds, everybody, color=INK, linewidth=1.0,
                             linestyle=(0, (1.5, 1.5)))  # fmt: skip
        handles.append(axes.axhline(0, color=INK, linewidth=1.0))
        highest = max(highest, share)
        quiet_axes(axes, x=_label(f"probability of {positive} from which one would act"),
                   y="net benefit")  # fmt: skip
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.25 * highest, 1.08 * highest)
        _key(figure, handles, labels, [one.group == "primary" for one in shown])

    return draw


def styles(models: Sequence[ModelScores]) -> list[dict[str, Any]]:
    """Return colour, width and dashes of each model's line."""
    made: list[dict[str, Any]] = []
    others = grey = 0
    for one in models:
        if one.group == "primary":
            made.append({"color": BLUE, "linewidth": 2.3, "linestyle": "-", "zorder": 5})
        elif one.group == "baseline":
            made.append({"color": GREY, "linewidth": 1.1, "zorder": 3,
                         "linestyle": _DASHES[grey % len(_DASHES)]})  # fmt: skip
            grey += 1
        else:
            made.append({"color": _OTHERS[others % len(_OTHERS)], "linewidth": 1.2, "zorder": 4,
                         "linestyle": _DASHES[others // len(_OTHERS) % len(_DASHES)]})  # fmt: skip
            others += 1
    return made


def grouped(score: Floats, positive: Bools) -> list[tuple[float, int, int]]:
    """Return mean prediction, number of positives and size of groups of equal size.

    At least ten units a group where that leaves three groups, at most ten groups; tied predictions
    stay together.
    """
    n_bins = int(np.clip(len(score) // 10, 3, 10))
    edges = np.unique(np.quantile(score, np.linspace(0, 1, n_bins + 1)[1:-1]))
    number = np.searchsorted(edges, score, side="left")
    inside = [number == group for group in np.unique(number)]
    return [(float(score[own].mean()), int(positive[own].sum()), int(own.sum())) for own in inside]


def _counts(axes: Axes, one: ModelScores, positive: str) -> None:
    """Draw how many of each class were predicted what, the positive ones upwards."""
    edges = np.linspace(0, 1, N_BINS_OF_COUNTS + 1)
    score = np.clip(one.score, 0, 1)
    ones = np.histogram(score[one.positive], edges)[0]
    zeros = np.histogram(score[~one.positive], edges)[0]
    how: dict[str, Any] = {"width": edges[1], "align": "edge", "edgecolor": PAPER}
    axes.bar(edges[:-1], ones, color=BLUE, **how)
    axes.bar(edges[:-1], -zeros, color=GREY, **how)
    axes.axhline(0, color=GREY, linewidth=0.8)
    quiet_axes(axes, x=_label(f"predicted probability of {positive}"), y="count", grid="y")
    top = 1.1 * max(int(ones.max()), int(zeros.max()), 1)
    axes.set_ylim(-top, top)
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    axes.locator_params(axis="y", nbins=4, integer=True)
    words = f"up: {positive}, n = {ones.sum()}; down: others, n = {zeros.sum()}"
    axes.set_title("\n".join(wrapped(words, WIDTH_IN - 0.8, SMALL_PT)), fontsize=SMALL_PT,
                   color=GREY, loc="left")  # fmt: skip


def _axes_over_key(
    figure: Figure, labels: Sequence[str], plot_in: float, ratios: tuple[float, float] | None = None
) -> Any:
    lines = sum(_in_lines(label).count("\n") + 1 for label in labels)
    figure.set_size_inches(WIDTH_IN, plot_in + 0.25 + lines * 0.135 + len(labels) * 0.045)
    if ratios is None:
        return figure.subplots()
    return figure.subplots(2, 1, height_ratios=ratios, sharex=True)


def _key(
    figure: Any, handles: Sequence[Line2D], labels: Sequence[str], bold: Sequence[bool]
) -> None:
    legend = figure.legend(
        handles, [_in_lines(label) for label in labels], loc="outside lower left",
        frameon=False, fontsize=_KEY_PT, handlelength=2.6, labelspacing=0.35, borderaxespad=0.2,
    )  # fmt: skip
    for text, heavy in zip(legend.get_texts(), bold, strict=False):
        text.set_fontweight("bold" if heavy else "normal")


def _label(words: str) -> str:
    return "\n".join(wrapped(words, WIDTH_IN - 0.9, TEXT_PT))


def _in_lines(label: str) -> str:
    return "\n".join(wrapped(label, WIDTH_IN - 0.62, _KEY_PT, "bold"))


def with_area(title: str, found: Estimate | None) -> str:
    """Return a title with its AUC and interval, which no line break parts."""
    if found is None:
        return title
    words = f"AUC {found.value:.3f}"
    if found.low is not None and found.high is not None:
        words += f" ({found.low:.3f} to {found.high:.3f})"
    return f"{title}: " + words.replace(" ", "\u00a0")
