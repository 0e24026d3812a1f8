"""Heat map of Pearson correlations between indices and deep features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cardio_core.api import DataError, canvas
from cardio_spect_polar.drawing.polar_axes import colour_bar
from cardio_spect_polar.drawing.style import CHANGE_COLOURS, MISSING, resize

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
