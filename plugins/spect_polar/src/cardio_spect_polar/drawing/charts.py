"""Charts: the phase histogram, the volume curve, ROC curves, increments and correlations."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve

from cardio_core.api import DataError, canvas
from cardio_spect_polar.drawing.polar_maps import (
    CHANGE_COLOURS,
    MISSING,
    PHASE_COLOURS,
    PHASE_MIDDLE_DEG,
    colour_bar,
    phase_norm,
    resize,
)
from cardio_spect_polar.drawing.words import worded
from cardio_spect_polar.phase.cycle import unwrapped
from cardio_spect_polar.phase.dyssynchrony import phase_indices, smallest_arc

_WRITTEN = 16
"""Up to so many variables every coefficient is written in its cell."""


def correlation_figure(
    names: Sequence[str], r: ArrayLike, *, n: int | None = None, title: str = ""
) -> canvas.Draw:
    """Return a function that draws a matrix of correlations (paper 000, figure 2).

    Parameters
    ----------
    names : sequence of str
        The variables.
    r : array-like, shape (n_names, n_names)
        Coefficients, -1 to 1; NaN is grey.
    n : int, optional
        Patients; written below.
    title : str

    Raises
    ------
    DataError
        If the matrix does not fit the names, or a coefficient lies outside [-1, 1].
    """
    table = np.asarray(r, np.float64)
    if table.shape != (len(names), len(names)) or not names:
        raise DataError(
            f"correlation heat map: expected a matrix of {len(names)} x {len(names)}, found "
            f"{table.shape}"
        )
    if np.nanmax(np.abs(table), initial=0.0) > 1 + 1e-9:
        raise DataError(
            "correlation heat map: expected coefficients from -1 to 1, found "
            f"{np.nanmax(np.abs(table)):.3g}"
        )

    def draw(figure: Figure) -> None:
        size = max(2.6, (0.36 if len(names) <= _WRITTEN else 0.19) * len(names))
        resize(figure, size + 2.2, size + 1.4)
        axes = figure.subplots()
        axes.set_facecolor(MISSING)
        image = axes.imshow(np.ma.masked_invalid(table), cmap=CHANGE_COLOURS, vmin=-1, vmax=1,
                            interpolation="none")  # fmt: skip
        places = np.arange(len(names))
        axes.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor",
                        fontsize=canvas.SMALL_PT)  # fmt: skip
        axes.set_yticks(places, names, fontsize=canvas.SMALL_PT)
        axes.tick_params(length=0, labelcolor=canvas.INK)
        axes.spines[:].set_visible(False)
        axes.set_xticks(places[1:] - 0.5, minor=True)
        axes.set_yticks(places[1:] - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1)
        axes.tick_params(which="minor", length=0)
        if len(names) <= _WRITTEN:
            for row, column in np.ndindex(table.shape):
                if row != column and np.isfinite(table[row, column]):
                    _write(axes, column, row, float(table[row, column]))
        label = "Pearson r" + (f" (n = {n})" if n is not None else "")
        colour_bar(figure, image, axes, label, location="right", shrink=0.7, aspect=20)
        if title:
            axes.set_title(
                title, loc="left", fontsize=canvas.TEXT_PT + 1, fontweight="bold", color=canvas.INK
            )

    return draw


def _write(axes: Axes, x: int, y: int, value: float) -> None:
    words = f"{value:.2f}".replace("-", "−").replace("0.", ".")
    axes.text(x, y, words, ha="center", va="center", fontsize=7,
              color="white" if abs(value) > 0.6 else canvas.fixed(canvas.INK))  # fmt: skip


STYLES: dict[str, tuple[str, Any, str]] = {
    "resnet": (canvas.BLUE, "-", "network"),
    "logistic": (canvas.VERMILION, (0, (4, 2)), "regression"),
}


def roc_by_map(
    curves: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike, str]]],
) -> canvas.Draw:
    """Return a function that draws a panel a map, with network and regression in each.

    Parameters
    ----------
    curves : mapping of map to mapping of kind to (labels, scores, AUC as text)
        Kinds are ``"resnet"`` and ``"logistic"``; labels 0 and 1.
    """
    made = {
        name: {
            kind: (roc_curve(y, score, drop_intermediate=False)[:2], text)
            for kind, (y, score, text) in kinds.items()
        }
        for name, kinds in curves.items()
    }

    def draw(figure: Figure) -> None:
        resize(figure, max(3.2, 2.7 * len(made)), 3.6)
        panels = figure.subplots(1, len(made), squeeze=False, sharey=True)[0]
        for place, (axes, (name, kinds)) in enumerate(zip(panels, made.items(), strict=True)):
            canvas.bare_axes(axes, x="1 − specificity", y="sensitivity" if place == 0 else "")
            axes.plot([0, 1], [0, 1], color=canvas.GREY, linewidth=0.8, linestyle=(0, (2, 3)))
            for kind, ((fpr, tpr), _) in kinds.items():
                colour, dashes, _ = STYLES[kind]
                axes.step(fpr, tpr, where="post", color=colour, linestyle=dashes, linewidth=1.4)
            axes.set_aspect("equal")
            areas = ", ".join(f"{STYLES[kind][2]} {text}" for kind, (_, text) in kinds.items())
            axes.set_title(f"{name} map\nAUC: {areas}", fontsize=canvas.SMALL_PT,
                           color=canvas.INK)  # fmt: skip
        shown = [STYLES[kind] for kind in STYLES if any(kind in kinds for kinds in made.values())]
        lines = [
            Line2D([], [], color=colour, linestyle=dashes, linewidth=1.4)
            for colour, dashes, _ in shown
        ]
        figure.legend(lines, [words for _, _, words in shown], loc="outside lower left", ncols=2,
                      frameon=False, fontsize=canvas.SMALL_PT)  # fmt: skip

    return draw


def gap_forest(gaps: Sequence[Mapping[str, Any]]) -> canvas.Draw:
    """Return a function that draws gaps between groups with their intervals.

    Parameters
    ----------
    gaps : sequence of mapping
        Each with ``label``, ``gap``, ``low``, ``high`` and ``flagged``; drawn from the top.
    """
    labels = ["\n".join(textwrap.wrap(str(gap["label"]), 44)) for gap in gaps]

    def draw(figure: Figure) -> None:
        n_lines = sum(label.count("\n") + 1 for label in labels)
        resize(figure, 6.2, 1.2 + 0.14 * n_lines + 0.1 * len(gaps))
        axes = canvas.bare_axes(figure.add_subplot(), x="difference from the reference group")
        axes.axvline(0.0, color=canvas.GREY, linewidth=0.8)
        for row, gap in enumerate(gaps):
            colour = canvas.VERMILION if gap["flagged"] else canvas.INK
            axes.plot([gap["low"], gap["high"]], [row, row], color=colour, linewidth=1.2)
            axes.plot(gap["gap"], row, "o", color=colour, markersize=4)
        axes.set_yticks(range(len(gaps)), labels, fontsize=canvas.SMALL_PT)
        axes.set_ylim(len(gaps) - 0.4, -0.6)

    return draw


BAR_DEG = 3
"""Bins of one degree are drawn by threes: with 700 samples they would be a comb."""


def binned_histogram_figure(
    heights: ArrayLike,
    *,
    psd_deg: float | None = None,
    pbw_deg: float | None = None,
    convention: Literal["peak", "onset"] = "peak",
    normal_psd_deg: float | None = None,
    normal_pbw_deg: float | None = None,
) -> canvas.Draw:
    """Return a function that draws the histogram of 360 bins, on the same axis for every patient.

    Parameters
    ----------
    heights : array-like, shape (360,)
        Samples in each degree.
    psd_deg, pbw_deg : float, optional
        As they were found from the samples themselves; from the bins by default, which moves
        them by a fraction of a degree.
    convention : {"peak", "onset"}
        What the phases are of; the mean of normal hearts stands in the middle of the axis.
    normal_psd_deg, normal_pbw_deg : float, optional
        Limits of normal hearts, as dotted brackets with ticks.

    Raises
    ------
    DataError
        Fewer than two bins that hold samples.
    """
    counts = np.asarray(heights, np.float64)
    middles = np.arange(counts.size) * 360 / counts.size + 180 / counts.size
    found = phase_indices(middles, weights=counts, name="phase histogram")
    begin, width = smallest_arc(middles, weights=counts)
    if pbw_deg is not None:
        begin, width = begin + (width - pbw_deg) / 2, pbw_deg
    held = counts > 0
    # PSD is around the mean of unwrapped phases, which need not be the circular one.
    centre = float(np.average(unwrapped(middles[held]), weights=counts[held])) % 360
    psd = found.psd_deg if psd_deg is None else psd_deg
    normal = PHASE_MIDDLE_DEG[convention]
    first = round(normal) - 180
    begin, centre = (first + (angle - first) % 360 for angle in (begin, centre))
    bars = np.roll(100 * counts / counts.sum(), -first).reshape(-1, BAR_DEG).sum(axis=1)
    edges = np.arange(first, first + 360, BAR_DEG)

    def draw(figure: Figure) -> None:
        resize(figure, 6.2, 3.2)
        axes = canvas.bare_axes(
            figure.subplots(), x=f"{convention} of thickening (° of the cycle)", y="samples (%)"
        )
        top = float(bars.max())
        axes.set_xlim(first, first + 360)
        axes.set_ylim(0, 1.62 * top)
        colours = PHASE_COLOURS(phase_norm(normal)(edges + BAR_DEG / 2))
        # A thin line: the light middle of the scale would not be seen on paper.
        axes.bar(edges, bars, BAR_DEG, align="edge", color=colours,
                 edgecolor=canvas.fixed(canvas.GREY), linewidth=0.3)  # fmt: skip
        # An arc that reaches beyond the right end goes on at the left one.
        for turn in (0, -360, 360):
            low, high = begin + turn, begin + turn + width
            if high > first and low < first + 360:
                axes.axvspan(low, high, color=canvas.LIGHT, linewidth=0, zorder=0)
                _bracket(axes, low, high, 1.36 * top, canvas.GREY)
            low, high = centre - psd + turn, centre + psd + turn
            if high > first and low < first + 360:
                _bracket(axes, low, high, 1.1 * top, canvas.VERMILION)
        inside = begin + width <= first + 360
        middle = begin + width / 2 if inside else centre
        _words(axes, middle, 1.36 * top,
               f"bandwidth (95 % of samples) {width:.0f}°{_limit(normal_pbw_deg)}",
               canvas.GREY)  # fmt: skip
        _words(axes, centre, 1.1 * top, f"mean ± phase SD {psd:.1f}°{_limit(normal_psd_deg)}",
               canvas.VERMILION)  # fmt: skip
        if normal_pbw_deg is not None and inside:
            _dotted(axes, middle, normal_pbw_deg / 2, 1.36 * top, canvas.GREY)
        if normal_psd_deg is not None:
            _dotted(axes, centre, normal_psd_deg, 1.1 * top, canvas.VERMILION)
        ticks = np.arange(int(np.ceil(first / 60)) * 60, first + 361, 60)
        axes.set_xticks(ticks, [f"{tick % 360}" for tick in ticks])
        axes.set_yticks([tick for tick in axes.get_yticks() if tick <= top])
        n = round(float(counts.sum()))
        numbers = f"n = {n}, mean {found.mean_deg:.0f}°, entropy {found.entropy:.2f}"
        axes.set_title(numbers, loc="right", fontsize=canvas.SMALL_PT, color=canvas.INK)

    return draw


def _bracket(axes: Axes, low: float, high: float, height: float, colour: str) -> None:
    tick = 0.02 * height
    axes.plot([low, low, high, high], [height - tick, height, height, height - tick],
              color=colour, linewidth=1.2)  # fmt: skip


def _dotted(axes: Axes, middle: float, reach: float, height: float, colour: str) -> None:
    low, high = axes.get_xlim()
    ends = np.clip([middle - reach, middle + reach], low, high)
    axes.plot(ends, [height] * 2, linestyle=(0, (1, 1.5)), color=colour, linewidth=1.0,
              marker="|", markersize=4)  # fmt: skip


def _limit(normal_deg: float | None) -> str:
    return "" if normal_deg is None else f" (ticks: normal up to {normal_deg:.0f}°)"


def _words(axes: Axes, middle: float, height: float, words: str, colour: str) -> None:
    """Write above a bracket, within the axes."""
    low, high = axes.get_xlim()
    axes.annotate(words, (min(max(middle, low + 70), high - 70), height), xytext=(0, 2),
                  textcoords="offset points", ha="center", va="bottom", fontsize=canvas.SMALL_PT,
                  color=colour)  # fmt: skip


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
            _increment_bracket(axes, model, place, height, 0.02 * top)
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


def _increment_bracket(
    axes: Axes, model: Increment, place: int, height: float, drop: float
) -> None:
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


def volume_curves(curves_ml: Mapping[str, ArrayLike]) -> canvas.Draw:
    """Return a function that draws the volume curves of rest and stress over each other.

    Parameters
    ----------
    curves_ml : mapping of name to array-like, shape (n,)
        As for `volume_figure`; a curve that is not known is left out.
    """
    known = {name: np.asarray(curve, np.float64) for name, curve in curves_ml.items()}
    known = {name: curve for name, curve in known.items() if np.isfinite(curve).all()}

    def draw(figure: Figure) -> None:
        axes = canvas.bare_axes(figure.subplots(), x="time (% of the RR interval)", y="volume (mL)")
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 1.15 * max((float(curve.max()) for curve in known.values()), default=1.0))
        lines = zip(known.items(), (canvas.BLUE, canvas.VERMILION), ("-", "--"), strict=False)
        for (name, curve), colour, dashes in lines:
            times = 100 * (np.arange(curve.size) + 0.5) / curve.size
            axes.plot(times, curve, dashes, color=colour, linewidth=1.6, label=name)
        if known:
            axes.legend(frameon=False, fontsize=canvas.SMALL_PT, loc="lower right")
        if len(known) < len(curves_ml):
            missing = ", ".join(name for name in curves_ml if name not in known)
            axes.set_title(f"no verdict on the volumes at {missing}", loc="right",
                           fontsize=canvas.SMALL_PT, color=canvas.VERMILION)  # fmt: skip

    return draw


def volume_figure(
    curve_ml: ArrayLike, *, ef_pct: float = math.nan, gates: tuple[int, int, int] | None = None
) -> canvas.Draw:
    """Return a function that draws a volume curve.

    Parameters
    ----------
    curve_ml : array-like, shape (n,)
        Volumes at (k + 1/2) / n of the cycle, from the R wave on.
    ef_pct : float
        Written above; NaN is left out.
    gates : tuple of int, optional
        The gates of end-diastole and end-systole that the slices show, from 0, and the number of
        gates: marked on the axis.
    """
    curve = np.asarray(curve_ml, np.float64)
    times = 100 * (np.arange(curve.size) + 0.5) / curve.size

    def draw(figure: Figure) -> None:
        resize(figure, 4.2, 3.2)
        axes = canvas.bare_axes(figure.subplots(), x="time (% of the RR interval)", y="volume (mL)")
        axes.plot(times, curve, color=canvas.BLUE, linewidth=1.6)
        top = float(curve.max())
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 1.22 * top)
        for name, place, above in (
            ("EDV", int(curve.argmax()), 5),
            ("ESV", int(curve.argmin()), -5),
        ):
            axes.plot(times[place], curve[place], "o", color=canvas.BLUE, markersize=4)
            side = "left" if times[place] < 25 else "right" if times[place] > 75 else "center"
            axes.annotate(
                f"{name} {curve[place]:.0f} mL", (times[place], curve[place]), xytext=(0, above),
                textcoords="offset points", ha=side, va="bottom" if above > 0 else "top",
                fontsize=canvas.SMALL_PT, color=canvas.INK,
            )  # fmt: skip
        for gate in gates[:2] if gates is not None else ():
            n = gates[2] if gates is not None else 1
            axes.axvspan(100 * gate / n, 100 * (gate + 1) / n, color=canvas.LIGHT, linewidth=0,
                         zorder=0)  # fmt: skip
        if math.isfinite(ef_pct):
            axes.set_title(f"EF {ef_pct:.0f} %; grey: the gates that the slices show", loc="right",
                           fontsize=canvas.SMALL_PT, color=canvas.INK)  # fmt: skip

    return draw
