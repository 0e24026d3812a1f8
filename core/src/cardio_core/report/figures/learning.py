"""Learning curve: loss and score by epoch, with the epoch that was taken."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cardio_core.errors import DataError
from cardio_core.report.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    TEXT_PT,
    VERMILION,
    Draw,
    quiet_axes,
)

_COLOURS = {"train": BLUE, "val": VERMILION}


def learning_curve(
    history: pd.DataFrame, *, best_epoch: int | None = None, title: str = ""
) -> Draw:
    """Draw what `history.csv` recorded.

    The history has the column ``epoch`` (1-based) and the columns ``train_loss``, ``val_loss``,
    ``val_score`` as far as they were recorded; empty columns are left out. Losses are on the left,
    anything else of that kind on the right; the epoch that was taken is a line.

    Raises
    ------
    DataError
        If there is no ``epoch`` or nothing to draw.
    """
    found = [
        name
        for name in history.columns
        if str(name).partition("_")[0] in _COLOURS and history[name].notna().any()
    ]
    if "epoch" not in history.columns or not found:
        raise DataError(
            "learning curve: expected the columns epoch and train_loss or val_..., found "
            f"{', '.join(map(str, history.columns)) or 'none'}"
        )
    losses = [name for name in found if str(name).endswith("loss")]
    scores = [name for name in found if name not in losses]
    panels = [names for names in (losses, scores) if names]

    def draw(figure: Figure) -> None:
        figure.set_size_inches(1.2 + 3.4 * len(panels), 3.2)
        for axes, names in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels,
                               strict=True):  # fmt: skip
            _panel(axes, history, names, best_epoch)
            quiet_axes(axes, x="epoch", y="loss" if names is losses else "score")
            axes.xaxis.get_major_locator().set_params(integer=True)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=TEXT_PT + 1, fontweight="bold")

    return draw


def _panel(axes: Axes, history: pd.DataFrame, names: Sequence[str], best_epoch: int | None) -> None:
    for name in names:
        known = history[["epoch", name]].dropna()
        side = str(name).partition("_")[0]
        colour = _COLOURS[side] if len(names) < 3 or str(name).endswith("loss") else GREEN
        axes.plot(known["epoch"], known[name], color=colour, linewidth=1.6, marker="o",
                  markersize=3 if len(known) < 40 else 0)  # fmt: skip
        words = {"train": "training", "val": "validation"}[side]
        axes.annotate(
            words,
            (float(known["epoch"].iloc[-1]), float(known[name].iloc[-1])),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=TEXT_PT - 1,
            color=colour,
            annotation_clip=False,
        )
    if best_epoch is not None:
        axes.axvline(best_epoch, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
        axes.annotate(f"epoch {best_epoch}", (best_epoch, 1), xycoords=axes.get_xaxis_transform(),
                      xytext=(3, -2), textcoords="offset points", va="top",
                      fontsize=TEXT_PT - 2, color=GREY)  # fmt: skip
