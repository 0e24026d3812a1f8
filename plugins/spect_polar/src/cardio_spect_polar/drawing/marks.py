"""What is marked on a polar map: scar, and the latest segments."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Patch, Wedge
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from cardio_core.api import canvas
from cardio_spect_polar.drawing.polar_axes import picture_of
from cardio_spect_polar.phase.indices.perfusion import VIABLE_PCT
from cardio_spect_polar.polar.segments import CAP

_INK = canvas.fixed(canvas.INK)
_THIRD = (1 - CAP) / 3
_BOLD = 2.4
_INSET = 0.015
"""A border lies inside its segment, so that two neighbours' are told apart."""

LATEST, LATEST_VIABLE = (0, (2.2, 1.4)), "-"
"""Dashes of the two borders."""


def outline_scar(axes: Axes, perfusion: ArrayLike) -> bool:
    """Draw a line around perfusion below 50 %, white with dark dashes; return whether there is any.

    Parameters
    ----------
    axes : Axes
        With a map of the same study on it.
    perfusion : array-like
        Percent, as for `picture_of`.
    """
    picture = picture_of(perfusion)
    if not np.any(picture < VIABLE_PCT):
        return False
    n = picture.shape[0]
    middle = (np.arange(n) + 0.5) * 2 / n - 1
    # Beyond the rim everything counts as scar's neighbour of the same kind: no line along it.
    for width, colour, dashes in ((1.8, "white", "solid"), (1.1, _INK, (0, (3, 2)))):
        axes.contour(
            middle, -middle, np.ma.masked_invalid(picture), levels=[VIABLE_PCT], colors=[colour],
            linewidths=[width], linestyles=[dashes], zorder=3.5,
        )  # fmt: skip
    return True


def outline_segment(axes: Axes, number: int, dashes: Any = LATEST_VIABLE) -> None:
    """Draw a bold border inside one of the 17 segments of a map."""
    border = segment_border(number)
    border.set(
        fill=False, edgecolor=_INK, linewidth=_BOLD, linestyle=dashes, zorder=3.7,
        path_effects=(withStroke(linewidth=_BOLD + 1.6, foreground="white"),),
    )  # fmt: skip
    axes.add_patch(border)


def segment_border(number: int) -> Patch:
    """Return the border of a segment on a map of radius 1, a little inside.

    Examples
    --------
    >>> wedge = segment_border(3)  # inferoseptal: 120 degrees from anterior, on the left below
    >>> bool((wedge.get_path().vertices[:, 0] <= 0).all())
    True
    """
    if number == 17:
        return Circle((0, 0), CAP - _INSET)
    row, place, width = (
        (2, number - 1, 60.0) if number <= 6 else (1, number - 7, 60.0) if number <= 12
        else (0, number - 13, 90.0)
    )  # fmt: skip
    inner, outer = CAP + row * _THIRD + _INSET, CAP + (row + 1) * _THIRD - _INSET
    middle = 90.0 + place * width
    aside = float(np.degrees(_INSET / ((inner + outer) / 2)))
    return Wedge((0, 0), outer, middle - width / 2 + aside, middle + width / 2 - aside,
                 width=outer - inner)  # fmt: skip
