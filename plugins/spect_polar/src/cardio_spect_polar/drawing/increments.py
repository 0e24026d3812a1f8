"""Bars of what each block of variables adds to a model (paper 000, figure 3)."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cardio_core.api import DataError, canvas
from cardio_spect_polar.drawing.style import resize
from cardio_spect_polar.drawing.words import worded

_BLOCKS = {
    "clinical": "clinical variables", "psd": "phase SD", "pbw": "phase bandwidth",
    "pca": "principal components", "autoencoder": "autoencoder features",
}  # fmt: skip
INCREMENTAL = "What each block of variables adds"
INCREMENTAL_CAPTION = (
    "A bar a model: likelihood-ratio χ² against the intercept alone, with its AUC. A bracket joins "
    "a model to the one that it is tested against: a small p says that the added variables help."
)


@dataclass(frozen=True)
class Increment:
    """One model of a sequence.

    Attributes
    ----------
    label : str
        What stands under the bar; may have line breaks.
    chi2 : float
        Likelihood-ratio chi-square of the model against the intercept alone.
    auc : float
        Area under its ROC curve.
    auc_low, auc_high : float, optional
        Its 95 % interval.
    over : int, optional
        Position of the smaller model that it is tested against.
    p : float, optional
        Of that likelihood-ratio test.
    """

    label: str
    chi2: float
    auc: float
    auc_low: float | None = None
    auc_high: float | None = None
    over: int | None = None
    p: float | None = None


def increments_figure(models: Sequence[Increment], *, note: str = "") -> canvas.Draw:
    """Return a function that draws a bar of chi-square for each model, its AUC written over it.

    Parameters
    ----------
    models : sequence of Increment
        From left to right; brackets join the models that are tested against each other.
    note : str
        Written below: the protocol, n.

    Raises
    ------
    DataError
        No models, or one tested against a model that is not to its left.
    """
    if not models:
        raise DataError("incremental bars: expected at least one model, found none")
    for position, model in enumerate(models):
        if model.over is not None and not 0 <= model.over < position:
            raise DataError(
                f"incremental bars: expected {model.label!r} to be tested against a model to its "
                f"left, found position {model.over}"
            )
    top = max(max(model.chi2 for model in models), 1.0)
    tested = [(i, model) for i, model in enumerate(models) if model.over is not None]

    def draw(figure: Figure) -> None:
        resize(figure, max(4.0, 1.2 + 1.25 * len(models)), 3.6 + 0.22 * len(tested))
        axes = canvas.bare_axes(figure.subplots(), y="model χ² (likelihood ratio)")
        places = range(len(models))
        colours = [canvas.LIGHT if model.over is None else canvas.BLUE for model in models]
        axes.bar(places, [model.chi2 for model in models], width=0.55, color=colours,
                 edgecolor=canvas.INK, linewidth=0.6)  # fmt: skip
        for place, model in enumerate(models):
            axes.annotate(_auc(model), (place, model.chi2), xytext=(0, 3),
                          textcoords="offset points", ha="center", va="bottom",
                          fontsize=canvas.SMALL_PT, color=canvas.INK)  # fmt: skip
        height = 1.24 * top
        for place, model in tested:
            _bracket(axes, model, place, height, 0.02 * top)
            height += 0.13 * top
        axes.set_ylim(0, height if tested else 1.25 * top)
        axes.set_xticks(list(places), [model.label for model in models], fontsize=canvas.SMALL_PT)
        axes.set_yticks([tick for tick in axes.get_yticks() if tick <= 1.12 * top])
        axes.spines["left"].set_bounds(0, 1.12 * top)
        if note:
            axes.set_xlabel(note, fontsize=canvas.SMALL_PT, color=canvas.INK, loc="left")

    return draw


def _auc(model: Increment) -> str:
    words = f"AUC {model.auc:.2f}"
    if model.auc_low is not None and model.auc_high is not None:
        words += f"\n{model.auc_low:.2f} to {model.auc_high:.2f}"
    return words


def _bracket(axes: Axes, model: Increment, place: int, height: float, drop: float) -> None:
    """Join a model to the one that it is tested against, with the p-value over the line."""
    over = float(model.over or 0)
    axes.plot([over, over, place, place], [height - drop, height, height, height - drop],
              color=canvas.INK, linewidth=0.7, clip_on=False)  # fmt: skip
    if model.p is not None:
        words = "p < .001" if model.p < 0.001 else f"p = {model.p:.3f}".replace("0.", ".", 1)
        axes.annotate(words, ((over + place) / 2, height), xytext=(0, 1),
                      textcoords="offset points", ha="center", va="bottom",
                      fontsize=canvas.SMALL_PT, color=canvas.INK)  # fmt: skip


def increments_of(rows: pd.DataFrame, note: str) -> canvas.Draw:
    """Draw a bar a model, each joined to the one that it was tested against.

    Parameters
    ----------
    rows : DataFrame
        As `incremental_rows` gives them; several sequences below each other, told apart by
        ``over``. A first model that two sequences share is drawn once.
    note : str
    """
    bars: list[Increment] = []
    places: dict[tuple[str, float], int] = {}
    last: int | None = None
    for row in rows.to_dict("records"):
        first = pd.isna(row.get("p"))
        key = (str(row["model"]), round(float(row["chi2"]), 9))
        if first and key in places:
            last = places[key]
            continue
        p = None if first else float(row["p"])
        bars.append(
            Increment(
                _label(str(row["model"])), float(row["chi2"]), float(row["auc"]),
                float(row["low"]), float(row["high"]), None if first else last, p,
            )
        )  # fmt: skip
        last = places[key] = len(bars) - 1
    return increments_figure(bars, note=note)


def _label(model: str) -> str:
    """Return the blocks of a model below each other, in words."""
    blocks = [worded(_BLOCKS.get(block, block)) for block in model.split(" + ")]
    return "\n+ ".join("\n".join(textwrap.wrap(block, 17)) for block in blocks)
