"""What is marked on a polar map: scar."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from cardio_core.api import canvas
from cardio_spect_polar.drawing.polar_axes import picture_of
from cardio_spect_polar.phase.indices.perfusion import VIABLE_PCT

_INK = canvas.fixed(canvas.INK)


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
