"""Network beside regression on each map: ROC curves; and the gaps that an audit found."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve

from cardio_core.api import canvas
from cardio_spect_polar.drawing.style import resize

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
