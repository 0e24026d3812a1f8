"""What spoke for a beat's class: its timing, its P wave, its shape, or noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import FeatureSet, ModelArtifact, canvas
from cardio_ecg_transfer.beats.evidence.experts import PARTS, chosen_columns
from cardio_ecg_transfer.beats.evidence.model import BLOCK, scores_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHAT_TO_SEE = (
    "Each bar is how much the log odds of {what} fall where that part of what was measured is "
    "replaced by the recording's usual one (the median of its beats called normal): to the right "
    "what spoke for it, to the left what spoke against it. Parts overlap, so bars need not add up."
)
"""Caption of a case; `what` is the beat as it was called."""


def parts_of(
    model: ModelArtifact,
    features: FeatureSet,
    scores: NDArray[np.floating],
    chosen: NDArray[np.intp],
) -> list[dict[str, float]]:
    """Return, for each chosen beat, what each part of its evidence adds to its class's log odds.

    Parameters
    ----------
    model : ModelArtifact
        The model `evidence`.
    features : FeatureSet
        With the block `evidence`.
    scores : ndarray, shape (n_beats, n_classes)
        As predicted.
    chosen : ndarray of int, shape (n_chosen,)
        Positions of the beats.

    Returns
    -------
    list of dict
        By the names of `PARTS`.
    """
    block = features[BLOCK]
    names = block.names
    values = np.asarray(block.values, np.float64)
    recording = features.table["recording_id"].to_numpy(str)
    called = scores.argmax(axis=1)
    found = []
    for position in chosen:
        here = recording == recording[position]
        normal = here & (called == 0)
        usual = np.median(values[normal if normal.any() else here], axis=0)
        rows = np.repeat(values[position][None], len(PARTS) + 1, axis=0)
        for row, part in enumerate(PARTS.values(), start=1):
            columns = chosen_columns(names, part)
            rows[row, columns] = usual[columns]
        made = np.clip(scores_of(model, rows, names)[:, called[position]], 1e-6, 1 - 1e-6)
        odds = np.log(made / (1 - made))
        found.append(
            {name: float(odds[0] - odd) for name, odd in zip(PARTS, odds[1:], strict=True)}
        )
    return found


def bars(parts: dict[str, float]) -> Callable[[Figure], None]:
    """Return a function that draws the parts as bars, the first on top."""

    def draw(figure: Figure) -> None:
        figure.set_size_inches(5.2, 2.4)
        axes = figure.subplots()
        values = list(parts.values())[::-1]
        axes.barh(list(parts)[::-1], values, color=canvas.BLUE, height=0.6)
        axes.axvline(0, color=canvas.INK, linewidth=0.8)
        reach = 1.15 * max(1.0, *(abs(value) for value in values))
        axes.set_xlim(-reach, reach)
        canvas.bare_axes(axes, x="log odds added to the class called")

    return draw
