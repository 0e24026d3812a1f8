"""Distribution of a score in each class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.report.figures.canvas import GREY, TEXT_PT, Draw, colour_of, quiet_axes
from cardio_core.stats.foundation.validate import numeric_column

_FEW = 60


def score_distribution(
    scores: Mapping[str, ArrayLike],
    *,
    threshold: float | None = None,
    threshold_source: str = "",
    x: str = "predicted probability",
    n_bins: int = 30,
    title: str = "",
) -> Draw:
    """Draw how a score is distributed in each class, one row a class on a common scale.

    Parameters
    ----------
    scores : mapping of class name to array-like, shape (n_of_class,)
        Missing values are left out.
    threshold : float, optional
        Drawn as a line.
    threshold_source : str
        Where it came from; written beside it.
    x : str
        Label of the axis, with the unit.
    n_bins : int
    title : str

    Returns
    -------
    callable
        ``draw(figure)``. Heights are shares of the class, so that classes of different size
        compare; a class of at most 60 also shows every value.

    Raises
    ------
    DataError
        If there is no value at all.
    """
    columns = {name: numeric_column(values, name) for name, values in scores.items()}
    known = {name: column[~np.isnan(column)] for name, column in columns.items()}
    everything = np.concatenate([*known.values()]) if known else np.empty(0)
    if not everything.size:
        raise DataError("distribution of scores: expected values, found none")
    edges = np.linspace(everything.min(), everything.max(), n_bins + 1)
    if edges[0] == edges[-1]:
        edges = np.linspace(edges[0] - 0.5, edges[0] + 0.5, n_bins + 1)
    shares = {
        name: np.histogram(values, edges)[0] / max(1, values.size) for name, values in known.items()
    }
    top = max(float(share.max()) for share in shares.values())

    def draw(figure: Figure) -> None:
        figure.set_size_inches(6.2, 0.9 + 0.95 * len(known))
        rows = figure.subplots(len(known), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for position, (name, values) in enumerate(known.items()):
            axes, colour = rows[position], colour_of(position)
            axes.stairs(shares[name], edges, fill=True, color=colour, alpha=0.3)
            axes.stairs(shares[name], edges, color=colour, linewidth=1.2)
            if values.size <= _FEW:
                axes.plot(values, np.full(values.size, -0.07 * top), "|", color=colour,
                          markersize=6, markeredgewidth=0.8)  # fmt: skip
            last = position == len(known) - 1
            quiet_axes(axes, x=x if last else "", grid="x")
            axes.set_ylim(-0.15 * top, 1.1 * top)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            axes.set_ylabel(f"{name}\nn = {values.size}", rotation=0, ha="right", va="center",
                            fontsize=TEXT_PT, color=colour)  # fmt: skip
            if threshold is not None:
                axes.axvline(threshold, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        if threshold is not None:
            words = f"threshold {threshold:.3g}" + (
                f" ({threshold_source})" if threshold_source else ""
            )
            rows[0].annotate(words, (threshold, 1), xycoords=rows[0].get_xaxis_transform(),
                             xytext=(3, 1), textcoords="offset points", fontsize=TEXT_PT - 2,
                             color=GREY, annotation_clip=False)  # fmt: skip
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=TEXT_PT + 1, fontweight="bold")

    return draw
