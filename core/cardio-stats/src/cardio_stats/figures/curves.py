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

from cardio_stats._numerics.options import Sampling
from cardio_stats._numerics.validate import scored_sample
from cardio_stats.estimate import Estimate
from cardio_stats.figures.canvas import (
    BLUE,
    CYCLE,
    DASHED,
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
    axes_at,
    quiet_axes,
    unit_square,
    wrapped,
)
from cardio_stats.figures.forests import Group, log_axis
from cardio_stats.proportions import proportion
from cardio_stats.smooth_calibration import CalibrationCurve
from cardio_stats.splines import EffectCurve
from cardio_stats.validated_model import Validation
from cardio_stats.words import counted, level_words

Floats = NDArray[np.float64]

# Curves of many models in one pair of axes: ROC, calibration, decision curve.
#
# The primary model is drawn broad and blue, other models thin and in colours, baselines grey; the
# key below names them by their titles.

Bools = NDArray[np.bool_]

WIDTH_IN = 4.6
_KEY_PT = SMALL_PT + 0.5
_OTHERS = (VERMILION, GREEN, PURPLE, ORANGE)
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 2)))
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


def roc_of(
    title: str,
    outcome: ArrayLike,
    scores: ArrayLike,
    *,
    event: str | None = None,
    estimate: Estimate | None = None,
    patient: ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> ModelScores:
    """Return a score with the band of its ROC curve, ready for :func:`roc`.

    Labels are 0 and 1; labels, scores and clusters have the shape (n,). `estimate` is the AUC that
    is written beside the title (the name of the model). `patient` has the patient of every row:
    whole patients are then resampled for the band, whose `level`, `n_resamples` and `seed` these
    are.
    """
    from cardio_stats.roc_curves import roc_band

    sample = scored_sample(outcome, scores, event=event)
    band = roc_band(
        outcome, scores, event=event, patient=patient, level=level, n_resamples=n_resamples,
        seed=seed,
    )  # fmt: skip
    return ModelScores(title, sample.positive, sample.scores[0], area=estimate, band=band)


def roc(models: Sequence[ModelScores], *, title: str = "", level: str = "95 %") -> Draw:
    """Draw the ROC curves of all models, with a pointwise band of `level` where one is given."""
    shown = ordered(models)

    def draw(figure: Figure) -> None:
        labels = [with_area(item.title, item.area) for item in shown]
        axes = _axes_over_key(figure, labels, 4.2)
        handles = draw_roc(axes, shown)
        if title:
            axes.set_title(title, fontsize=TEXT_PT + 1, color=INK, loc="left", fontweight="bold")
        if any(item.band is not None for item in shown):
            axes.text(0.98, 0.03, f"{level} band, pointwise", ha="right", fontsize=SMALL_PT,
                      color=GREY)  # fmt: skip
        _key(figure, handles, labels, [item.group == "primary" for item in shown])

    return draw


def draw_roc(axes: Axes, models: Sequence[ModelScores]) -> list[Line2D]:
    """Draw the curves on axes with the diagonal of chance, and return their lines."""
    from cardio_stats import roc_curve

    handles = []
    for entry, style in zip(models, styles(models), strict=True):
        if entry.band is not None:
            axes.fill_between(*entry.band, color=style["color"], alpha=0.15, linewidth=0)
        curve = roc_curve(entry.positive.astype(int), entry.score)
        handles += axes.plot(curve.fpr, curve.tpr, **style)
    unit_square(axes, x="1 − specificity", y="sensitivity")
    return handles


def decision(curve: pd.DataFrame, *, level: float = 0.95, title: str = "") -> Draw:
    """Draw net benefit against the threshold, beside treating everybody and nobody.

    `curve` is as :func:`~cardio_stats.decision_curve` returns it; `level` is the coverage of
    its pointwise limits.
    """
    style = {"color": BLUE, "linewidth": 1.6}
    lines = [("by the score", curve, style)]
    return _net_benefit(lines, x="threshold probability", title=title, band=level_words(level))


def decision_curves(models: Sequence[ModelScores], *, positive: str) -> Draw:
    """Draw the net benefit of every model's probability, beside treating all and treating none.

    `positive` names the positive class.
    """
    from cardio_stats import decision_curve

    shown = ordered(models)
    thresholds = np.linspace(0.01, 0.99, 99).tolist()
    lines = [
        (
            entry.title,
            decision_curve(
                entry.positive.astype(int), np.clip(entry.score, 0, 1), thresholds=thresholds
            ),
            style,
        )
        for entry, style in zip(shown, styles(shown), strict=True)
    ]
    return _net_benefit(lines, x=f"probability of {positive} from which one would act")


def _net_benefit(
    lines: Sequence[tuple[str, pd.DataFrame, dict[str, Any]]],
    *,
    x: str,
    title: str = "",
    band: str = "",
) -> Draw:
    """Draw a table of net benefit a line, the first in bold; `band` is the level of its limits."""

    def draw(figure: Figure) -> None:
        labels = [*(label for label, _, _ in lines), "treat everybody", "treat nobody"]
        axes = _axes_over_key(figure, labels, 3.4)
        first = lines[0][1]
        handles: list[Any] = []
        for _, curve, style in lines:
            handles += axes.plot(curve["threshold"], curve["net_benefit"], **style)
        handles += axes.plot(first["threshold"], first["treat_all"], color=INK, linewidth=1.0,
                             linestyle=(0, (1.5, 1.5)))  # fmt: skip
        handles.append(axes.axhline(0, color=INK, linewidth=1.0))
        highest = max(0.02, *(float(curve["net_benefit"].max()) for _, curve, _ in lines),
                      float(first["treat_all"].max()))  # fmt: skip
        if band:
            axes.fill_between(first["threshold"], first["low"], first["high"], color=BLUE,
                              alpha=0.15, linewidth=0)  # fmt: skip
            axes.text(0.98, 0.95, f"{band} band, pointwise", ha="right", va="top",
                      fontsize=SMALL_PT, color=GREY, transform=axes.transAxes)  # fmt: skip
            highest = max(highest, float(first["high"].max()))
        quiet_axes(axes, x=_label(x), y="net benefit", title=title)
        axes.set_xlim(first["threshold"].min(), first["threshold"].max())
        axes.set_ylim(-0.25 * highest, 1.08 * highest)
        _key(figure, handles, labels, [place == 0 for place in range(len(labels))])

    return draw


def styles(models: Sequence[ModelScores]) -> list[dict[str, Any]]:
    """Return colour, width and dashes of each model's line."""
    made: list[dict[str, Any]] = []
    others = grey = 0
    leading = any(model.group == "primary" for model in models)
    colours = _OTHERS if leading else CYCLE
    for model in models:
        if model.group == "primary":
            made.append({"color": BLUE, "linewidth": 2.3, "linestyle": "-", "zorder": 5})
        elif model.group == "baseline":
            made.append({"color": GREY, "linewidth": 1.1, "zorder": 3,
                         "linestyle": _DASHES[grey % len(_DASHES)]})  # fmt: skip
            grey += 1
        else:
            made.append({"color": colours[others % len(colours)], "zorder": 4,
                         "linewidth": 1.2 if leading else 1.6,
                         "linestyle": _DASHES[others // len(colours) % len(_DASHES)]})  # fmt: skip
            others += 1
    return made


def _axes_over_key(figure: Figure, labels: Sequence[str], plot_in: float) -> Axes:
    """Return axes with room below for a legend of these labels."""
    lines = sum(_in_lines(label).count("\n") + 1 for label in labels)
    figure.set_size_inches(WIDTH_IN, plot_in + 0.25 + lines * 0.135 + len(labels) * 0.045)
    return figure.add_subplot()


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


# Calibration of one model, or of several in a panel each: in one pair of axes they cannot be read.

COLUMNS = 2
_COUNTS_IN, _LINE_IN = 0.42, 0.15
_LEFT_IN, _RIGHT_IN, _BETWEEN_IN = 0.55, 0.14, 0.22


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
    sample = Sampling(unit=unit).probabilities(labels, probabilities)
    model = ModelScores(title, sample.positive, sample.scores[0], "primary", curve=curve)
    return calibration_of_models([model], positive="class 1", level=level, unit=unit, n_bins=n_bins)


def calibration_of_models(
    models: Sequence[ModelScores],
    *,
    positive: str,
    level: float = 0.95,
    unit: str = "patient",
    n_bins: int | None = None,
) -> Draw:
    """Draw observed shares and the smooth curve of each model, above counts of predictions.

    Parameters
    ----------
    models : sequence of ModelScores
        The primary model is drawn first; each has a panel.
    positive, unit : str
        What the positive class and a row are called.
    level : float
        Of Wilson's intervals of the shares.
    n_bins : int, optional
        Groups of equal size; without it 3 to 10, of ten rows or more.

    Returns
    -------
    callable
        Draws on a figure.
    """
    shown = ordered(models)
    columns = min(COLUMNS, len(shown))
    column_in, plot_in = WIDTH_IN / columns, 3.5 / columns
    titles = [wrapped(item.title, column_in - 0.45, SMALL_PT + 0.5, "bold") for item in shown]
    n_rows = -(-len(shown) // columns)
    grouped = [_grouped(item, n_bins) for item in shown]
    sizes = [n for groups in grouped for _, _, n in groups]
    least = "" if min(sizes) == max(sizes) else f"{min(sizes)} to "
    text = f"groups of {least}{counted(max(sizes), unit)}; {level_words(level)} intervals (Wilson)"
    if shown[0].curve is not None:
        band = level_words(shown[0].curve.level)
        text += f"\nlines: smooth curves (loess), {band} band, pointwise"
    n, n_events = shown[0].positive.size, int(shown[0].positive.sum())
    text += f"\nup: {positive}, n = {n_events}; down: others, n = {n - n_events}"
    words = [part for line in text.split("\n") for part in wrapped(line, WIDTH_IN - 0.3, SMALL_PT)]

    x = _label(f"predicted probability of {positive}")
    side_in = (WIDTH_IN - _LEFT_IN - _RIGHT_IN - _BETWEEN_IN * (columns - 1)) / columns

    def draw(figure: Figure) -> None:
        lines = [
            max(map(len, titles[columns * row : columns * (row + 1)])) for row in range(n_rows)
        ]
        heights = [_LINE_IN * n + plot_in + _COUNTS_IN + _BETWEEN_IN for n in lines]
        words_in, below_in = 0.15 + 0.12 * len(words), 0.1 + 0.16 * (x.count("\n") + 1)
        figure.set_size_inches(WIDTH_IN, words_in + sum(heights) + below_in)
        first = None
        for place, (entry, title) in enumerate(zip(shown, titles, strict=True)):
            row, column = divmod(place, columns)
            left = _LEFT_IN + column * (side_in + _BETWEEN_IN)
            top = words_in + sum(heights[:row]) + _LINE_IN * lines[row]
            above = axes_at(figure, left, top, side_in, plot_in, sharex=first)
            below = axes_at(figure, left, top + plot_in + 0.06, side_in, _COUNTS_IN, sharex=above)
            first = first or above
            _shares(above, entry, grouped[place], level)
            weight = "bold" if entry.group == "primary" else "normal"
            above.set_title("\n".join(title), fontsize=SMALL_PT + 0.5, color=INK, loc="left",
                            fontweight=weight)  # fmt: skip
            _counts(below, entry)
            above.tick_params(labelbottom=False, labelleft=not column)
            # the lowest panel of a column tells the scale, also where its neighbour reaches lower
            below.tick_params(labelbottom=place + columns >= len(shown))
        height = figure.get_figheight()
        figure.text(0.02, 1 - 0.05 / height, "\n".join(words), fontsize=SMALL_PT, color=GREY,
                    va="top")  # fmt: skip
        figure.text(0.02, 0.5, "observed share", fontsize=TEXT_PT, color=INK, va="center",
                    rotation=90)  # fmt: skip
        figure.text(0.5, 0.06 / height, x, fontsize=TEXT_PT, color=INK, ha="center")

    return draw


def _grouped(model: ModelScores, n_bins: int | None) -> list[tuple[float, int, int]]:
    """Return the mean prediction, the number with the event and the size of groups of equal size.

    Tied predictions stay together, so there may be fewer groups.
    """
    score, positive = model.score, model.positive
    n_bins = n_bins or int(np.clip(len(score) // 10, 3, 10))
    edges = np.unique(np.quantile(score, np.linspace(0, 1, n_bins + 1)[1:-1]))
    number = np.searchsorted(edges, score, side="left")
    inside = [number == group for group in np.unique(number)]
    return [(float(score[own].mean()), int(positive[own].sum()), int(own.sum())) for own in inside]


def _shares(
    axes: Axes, model: ModelScores, groups: Sequence[tuple[float, int, int]], level: float
) -> None:
    shares = [proportion(k, n, level=level) for _, k, n in groups]
    for (mean, _, _), share in zip(groups, shares, strict=True):
        axes.plot([mean, mean], [share.low or 0.0, share.high or 0.0], color=BLUE, linewidth=1.0)
    line = "-" if model.curve is None else "none"
    axes.plot([mean for mean, _, _ in groups], [share.value for share in shares], color=BLUE,
              marker="o", markersize=3.2, linewidth=1.0, linestyle=line, clip_on=False)  # fmt: skip
    if model.curve is not None:
        curve = model.curve
        axes.fill_between(curve.predicted, curve.low, curve.high, color=BLUE, alpha=0.15,
                          linewidth=0)  # fmt: skip
        axes.plot(curve.predicted, curve.observed, color=BLUE, linewidth=1.0)
    unit_square(axes, equal=False)
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])


def _counts(axes: Axes, model: ModelScores) -> None:
    edges = np.linspace(0, 1, N_BINS_OF_COUNTS + 1)
    score = np.clip(model.score, 0, 1)
    ones, zeros = (np.histogram(score[own], edges)[0] for own in (model.positive, ~model.positive))
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
            axes.axhline(1, **DASHED)
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
        unit_square(axes, x="probability by the model", y="by the models of resamples, 95 %")

    return draw
