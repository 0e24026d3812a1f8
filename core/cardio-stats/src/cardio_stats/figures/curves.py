"""ROC curves, with bands where they are given, and decision curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from cardio_stats._numerics.validate import binary_labels, scored_sample
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.figures.canvas import (
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
    colour_of,
    quiet_axes,
    wrapped,
)
from cardio_stats.figures.forests import Group, log_axis
from cardio_stats.proportions import proportion
from cardio_stats.smooth_calibration import CalibrationCurve
from cardio_stats.splines import EffectCurve
from cardio_stats.validated_model import Validation
from cardio_stats.words import counted

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
    outcome: ArrayLike,
    scores: ArrayLike,
    *,
    event: str | None = None,
    estimate: Estimate | None = None,
    patient: ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Curve:
    """Return the ROC curve of a score with its band, ready to be drawn.

    Labels are 0 and 1; labels, scores and clusters have the shape (n,). `estimate` is the AUC that
    is written beside the label (the name of the model). `patient` has the patient of every row:
    whole patients are then resampled for the band, whose `level`, `n_resamples` and `seed` these
    are.
    """
    outcome = binary_labels(outcome, event)
    from cardio_stats import roc_curve
    from cardio_stats.roc_curves import roc_band

    curve = roc_curve(outcome, scores)
    grid, low, high = roc_band(
        outcome, scores, patient=patient, level=level, n_resamples=n_resamples, seed=seed
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

    `curve` is as :func:`~cardio_stats.decision_curve` returns it; `level` is the coverage of
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
        texts = [
            ("by the score", BLUE),
            ("treating everybody", VERMILION),
            ("treating nobody", GREY),
            (f"{level:.0%} band, pointwise".replace("%", " %"), GREY),
        ]
        for line, (words, colour) in enumerate(texts):
            size = TEXT_PT - 2 if line == 3 else TEXT_PT
            axes.text(0.98, 0.96 - 0.065 * line, words, ha="right", va="top", fontsize=size,
                      color=colour, transform=axes.transAxes)  # fmt: skip

    return draw


# Reliability diagram: observed against predicted probability, with the counts behind it.


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
            f"{predicted.max():.3g}; calibrate the score first",
            code="out_of_range",
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


# Curves of many models in one pair of axes: ROC, calibration, decision curve.
#
# The primary model is drawn broad and blue, other models thin and in colours, baselines grey; the
# key below names them by their titles.

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
    the AUC that stands in the key. The band has the shape (n_grid,) and is drawn where it is given,
    and so is the smooth calibration curve.
    """

    title: str
    positive: Bools
    score: Floats
    group: Group = "model"
    area: Estimate | None = None
    band: tuple[Floats, Floats, Floats] | None = None
    curve: CalibrationCurve | None = None


def ordered(models: Sequence[ModelScores]) -> list[ModelScores]:
    """Return the primary model first and the baselines last."""
    rank = {"primary": 0, "model": 1, "baseline": 2}
    return sorted(models, key=lambda model: rank[model.group])


def roc_of_models(models: Sequence[ModelScores], *, level: str = "95 %") -> Draw:
    """Draw the ROC curves of all models, with a pointwise band where one is given."""
    from cardio_stats import roc_curve

    shown = ordered(models)

    def draw(figure: Figure) -> None:
        labels = [with_area(item.title, item.area) for item in shown]
        axes = _axes_over_key(figure, labels, 4.2)
        axes.plot([0, 1], [0, 1], **_CHANCE)
        handles = []
        for entry, style in zip(shown, styles(shown), strict=True):
            if entry.band is not None:
                axes.fill_between(*entry.band, color=style["color"], alpha=0.15, linewidth=0)
            curve = roc_curve(entry.positive.astype(int), entry.score)
            handles += axes.plot(curve.fpr, curve.tpr, **style)
        quiet_axes(axes, x="1 − specificity", y="sensitivity")
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_aspect("equal")
        if any(item.band is not None for item in shown):
            axes.text(0.98, 0.03, f"{level} band, pointwise", ha="right", fontsize=SMALL_PT,
                      color=GREY)  # fmt: skip
        _key(figure, handles, labels, [item.group == "primary" for item in shown])

    return draw


def calibration_of_models(
    models: Sequence[ModelScores], *, positive: str, level: float = 0.95, unit: str = "patient"
) -> Draw:
    """Draw observed against predicted probabilities: in groups of equal size, and smoothly.

    The first model, the primary one if it is there, has Wilson's intervals, the band of its smooth
    curve, and the histogram of its predictions below. `positive` is the class whose probability it
    is. Groups are joined by lines where a model has no smooth curve.
    """
    shown = ordered(models)
    words = f"{100 * level:g} % intervals (Wilson)"

    def draw(figure: Figure) -> None:
        labels = [item.title for item in shown]
        above, below = _axes_over_key(figure, labels, 5.2, ratios=(3.4, 1))
        above.plot([0, 1], [0, 1], **_CHANCE)
        handles, sizes = [], [0]
        for place, (entry, style) in enumerate(zip(shown, styles(shown), strict=True)):
            groups = grouped(entry.score, entry.positive)
            means = [mean for mean, _, _ in groups]
            shares = [proportion(k, n, level=level) for _, k, n in groups]
            if place == 0:
                sizes = sorted(n for _, _, n in groups)
                for mean, share in zip(means, shares, strict=True):
                    above.plot([mean, mean], [share.low, share.high], color=style["color"],
                               linewidth=1.2)  # fmt: skip
            size, width = (5, 1.4) if place == 0 else (3, 1.0)
            style |= {"linewidth": width}
            values = [share.value for share in shares]
            groups_drawn = above.plot(means, values, marker="o", markersize=size, clip_on=False,
                                      **style)  # fmt: skip
            if entry.curve is None:
                handles += groups_drawn
                continue
            groups_drawn[0].set_linestyle("none")
            handles += _smooth(above, entry.curve, style, band=place == 0)
        quiet_axes(above, y="observed share")
        above.set_ylim(-0.02, 1.02)
        above.set_xlim(-0.02, 1.02)
        least = "" if sizes[0] == sizes[-1] else f"{sizes[0]} to "
        text = f"groups of {least}{counted(sizes[-1], unit)}; {words}"
        if shown[0].curve is not None:
            text += f"\nlines: smooth curves (loess), {_band_words(shown[0].curve)}"
        above.set_title(text, fontsize=SMALL_PT, color=GREY, loc="left")
        _many_models_counts(below, shown[0], positive)
        _key(figure, handles, labels, [item.group == "primary" for item in shown])

    return draw


def _smooth(
    axes: Axes, curve: CalibrationCurve, style: dict[str, Any], *, band: bool
) -> list[Line2D]:
    if band:
        axes.fill_between(curve.predicted, curve.low, curve.high, color=style["color"], alpha=0.15,
                          linewidth=0)  # fmt: skip
    return axes.plot(curve.predicted, curve.observed, **style)


def _band_words(curve: CalibrationCurve) -> str:
    return f"{100 * curve.level:g} % band, pointwise"


def decision_curves(models: Sequence[ModelScores], *, positive: str) -> Draw:
    """Draw the net benefit of treating by each model, beside treating all and treating none."""
    from cardio_stats import decision_curve

    shown = ordered(models)
    thresholds = np.linspace(0.01, 0.99, 99)

    def draw(figure: Figure) -> None:
        labels = [*(item.title for item in shown), "treat everybody", "treat nobody"]
        axes = _axes_over_key(figure, labels, 3.4)
        handles: list[Any] = []
        highest = 0.02
        for entry, style in zip(shown, styles(shown), strict=True):
            curve = decision_curve(entry.positive.astype(int), np.clip(entry.score, 0, 1),
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
        _key(figure, handles, labels, [item.group == "primary" for item in shown])

    return draw


def styles(models: Sequence[ModelScores]) -> list[dict[str, Any]]:
    """Return colour, width and dashes of each model's line."""
    made: list[dict[str, Any]] = []
    others = grey = 0
    for model in models:
        if model.group == "primary":
            made.append({"color": BLUE, "linewidth": 2.3, "linestyle": "-", "zorder": 5})
        elif model.group == "baseline":
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


def _many_models_counts(axes: Axes, model_scores: ModelScores, positive: str) -> None:
    """Draw how many of each class were predicted what, the positive ones upwards."""
    edges = np.linspace(0, 1, N_BINS_OF_COUNTS + 1)
    score = np.clip(model_scores.score, 0, 1)
    ones = np.histogram(score[model_scores.positive], edges)[0]
    zeros = np.histogram(score[~model_scores.positive], edges)[0]
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


# Calibration of several models, a panel each: in one pair of axes they cannot be read.

COLUMNS = 2
_PLOT_IN, _COUNTS_IN, _LINE_IN, _WORDS_IN = 1.75, 0.42, 0.15, 0.5


def calibration_panels(
    models: Sequence[ModelScores], *, positive: str, level: float = 0.95, unit: str = "patient"
) -> Draw:
    """Draw observed against predicted probabilities of each model in a panel of its own.

    Every panel has Wilson's intervals, the smooth curve with its band where a model has one, and
    below them how many were predicted what: those with the event upwards. Groups are those of
    `grouped`.

    Parameters
    ----------
    models : sequence of ModelScores
        The primary one comes first, baselines last.
    positive : str
        The class whose probability it is.
    level : float
        Of the intervals.
    unit : str
        What was predicted.
    """
    shown = ordered(models)
    column_in = WIDTH_IN / COLUMNS
    titles = [wrapped(item.title, column_in - 0.45, SMALL_PT + 0.5, "bold") for item in shown]
    n_rows = -(-len(shown) // COLUMNS)

    def draw(figure: Figure) -> None:
        lines = [
            max(map(len, titles[COLUMNS * row : COLUMNS * (row + 1)])) for row in range(n_rows)
        ]
        heights = [_PLOT_IN + _COUNTS_IN + _LINE_IN * n for n in lines]
        figure.set_size_inches(WIDTH_IN, sum(heights) + _WORDS_IN)
        axes: Any = figure.subplots(
            2 * n_rows, COLUMNS, sharex=True, squeeze=False,
            height_ratios=[part for n in lines for part in (_PLOT_IN + _LINE_IN * n, _COUNTS_IN)],
        )  # fmt: skip
        sizes: list[int] = []
        for place, (entry, title) in enumerate(zip(shown, titles, strict=True)):
            row, column = divmod(place, COLUMNS)
            above, below = axes[2 * row][column], axes[2 * row + 1][column]
            sizes += _shares(above, entry, level)
            weight = "bold" if entry.group == "primary" else "normal"
            above.set_title("\n".join(title), fontsize=SMALL_PT + 0.5, color=INK, loc="left",
                            fontweight=weight)  # fmt: skip
            _calibration_panels_counts(below, entry)
            if column:
                above.tick_params(labelleft=False)
            # the lowest panel of a column tells the scale, also where its neighbour reaches lower
            below.tick_params(labelbottom=place + COLUMNS >= len(shown))
        for place in range(len(shown), COLUMNS * n_rows):
            row, column = divmod(place, COLUMNS)
            axes[2 * row][column].set_visible(False)
            axes[2 * row + 1][column].set_visible(False)
        least = "" if min(sizes) == max(sizes) else f"{min(sizes)} to "
        text = f"groups of {least}{counted(max(sizes), unit)}; {100 * level:g} % intervals (Wilson)"
        if shown[0].curve is not None:
            text += f"\nlines: smooth curves (loess), {_band_words(shown[0].curve)}"
        figure.suptitle(text, fontsize=SMALL_PT, color=GREY, x=0.02, ha="left")
        figure.supylabel("observed share", fontsize=TEXT_PT, color=INK)
        words = wrapped(f"predicted probability of {positive}", WIDTH_IN - 0.9, TEXT_PT)
        figure.supxlabel("\n".join(words), fontsize=TEXT_PT, color=INK)

    return draw


def _shares(axes: Axes, model_scores: ModelScores, level: float) -> list[int]:
    """Draw the groups of one model with their intervals, and return their sizes."""
    groups = grouped(model_scores.score, model_scores.positive)
    shares = [proportion(k, n, level=level) for _, k, n in groups]
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    for (mean, _, _), share in zip(groups, shares, strict=True):
        limits = [share.low or 0.0, share.high or 0.0]
        axes.plot([mean, mean], limits, color=BLUE, linewidth=1.0)
    line = "-" if model_scores.curve is None else "none"
    axes.plot([mean for mean, _, _ in groups], [share.value for share in shares], color=BLUE,
              marker="o", markersize=3.2, linewidth=1.0, linestyle=line, clip_on=False)  # fmt: skip
    if model_scores.curve is not None:
        _smooth(axes, model_scores.curve, {"color": BLUE, "linewidth": 1.0}, band=True)
    quiet_axes(axes)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])
    return [n for _, _, n in groups]


def _calibration_panels_counts(axes: Axes, model_scores: ModelScores) -> None:
    edges = np.linspace(0, 1, N_BINS_OF_COUNTS + 1)
    score = np.clip(model_scores.score, 0, 1)
    ones, zeros = (
        np.histogram(score[own], edges)[0]
        for own in (model_scores.positive, ~model_scores.positive)
    )
    how: dict[str, Any] = {"width": edges[1], "align": "edge", "edgecolor": PAPER, "linewidth": 0.4}
    axes.bar(edges[:-1], ones, color=BLUE, **how)
    axes.bar(edges[:-1], -zeros, color=GREY, **how)
    axes.axhline(0, color=GREY, linewidth=0.8)
    quiet_axes(axes)
    axes.grid(visible=False)
    top = 1.1 * max(int(ones.max()), int(zeros.max()), 1)
    axes.set_ylim(-top, top)
    axes.set_yticks([])


def effect_curves(curves: Sequence[EffectCurve]) -> Draw:
    """Draw the ratio over the range of each number, 1 at its reference, with pointwise limits.

    Parameters
    ----------
    curves : sequence of EffectCurve
        Small marks on the axis show the knots of a spline.
    """

    def draw(figure: Figure) -> None:
        figure.set_size_inches(3.4 * len(curves) + 0.4, 3.4)
        for axes, curve in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves,
                               strict=True):  # fmt: skip
            axes.axhline(1, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.fill_between(curve.values, curve.low, curve.high, color=BLUE, alpha=0.15,
                              linewidth=0)  # fmt: skip
            axes.plot(curve.values, curve.ratio, color=BLUE, linewidth=1.6)
            axes.plot([curve.reference], [1], "o", color=BLUE, markersize=4)
            axes.plot(curve.knots, [0.02] * len(curve.knots), "|", color=GREY, markersize=7,
                      transform=axes.get_xaxis_transform())  # fmt: skip
            level = f"{curve.level * 100:g} %"
            quiet_axes(axes, x=curve.column, y=f"{curve.kind} against {curve.reference:g}, {level}")
            log_axis(axes.yaxis)

    return draw


def instability(found: Validation) -> Draw:
    """Draw each patient's probability against those of the models of resamples: 95 % of them."""

    def draw(figure: Figure) -> None:
        figure.set_size_inches(4.6, 4.6)
        axes = figure.subplots()
        order = np.argsort(found.probability)
        own, (low, high) = found.probability[order], found.limits()
        axes.vlines(own, low[order], high[order], color=BLUE, linewidth=0.6, alpha=0.5)
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        quiet_axes(axes, x="probability by the model", y="by the models of resamples, 95 %")
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")

    return draw
