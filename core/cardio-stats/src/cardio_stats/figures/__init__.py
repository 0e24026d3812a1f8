"""Figures as functions ``draw(figure)``, in one quiet style; equal input gives the same SVG.

Each public name lives in a module of its own and is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardio_stats.figures.agreement import bland_altman as bland_altman
    from cardio_stats.figures.canvas import Described as Described
    from cardio_stats.figures.canvas import Draw as Draw
    from cardio_stats.figures.canvas import described as described
    from cardio_stats.figures.canvas import drawn as drawn
    from cardio_stats.figures.canvas import save_svg as save_svg
    from cardio_stats.figures.canvas import svg_text as svg_text
    from cardio_stats.figures.classes import confusion_matrix as confusion_matrix
    from cardio_stats.figures.curves import Curve as Curve
    from cardio_stats.figures.curves import calibration as calibration
    from cardio_stats.figures.curves import decision as decision
    from cardio_stats.figures.curves import effect_curves as effect_curves
    from cardio_stats.figures.curves import instability as instability
    from cardio_stats.figures.curves import roc as roc
    from cardio_stats.figures.curves import roc_of as roc_of
    from cardio_stats.figures.forests import ForestLine as ForestLine
    from cardio_stats.figures.forests import ForestModel as ForestModel
    from cardio_stats.figures.forests import ForestRow as ForestRow
    from cardio_stats.figures.forests import estimate_forest as estimate_forest
    from cardio_stats.figures.forests import forest as forest
    from cardio_stats.figures.forests import model_forest as model_forest
    from cardio_stats.figures.forests import ratio_forest as ratio_forest
    from cardio_stats.figures.survival import incidence_curves as incidence_curves
    from cardio_stats.figures.survival import risk_calibration as risk_calibration
    from cardio_stats.figures.survival import survival_curves as survival_curves

_HOMES = {
    "cardio_stats.figures.canvas": (
        "Described",
        "Draw",
        "described",
        "drawn",
        "save_svg",
        "svg_text",
    ),
    "cardio_stats.figures.agreement": ("bland_altman",),
    "cardio_stats.figures.classes": ("confusion_matrix",),
    "cardio_stats.figures.curves": (
        "Curve",
        "calibration",
        "decision",
        "effect_curves",
        "instability",
        "roc",
        "roc_of",
    ),
    "cardio_stats.figures.forests": (
        "ForestLine",
        "ForestModel",
        "ForestRow",
        "estimate_forest",
        "forest",
        "model_forest",
        "ratio_forest",
    ),
    "cardio_stats.figures.survival": (
        "incidence_curves",
        "risk_calibration",
        "survival_curves",
    ),
}
"""The public names, by the module that each lives in."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            offered = ", ".join(__all__)
            raise AttributeError(f"{__name__} has no {name!r}; it offers {offered}")
        home = import_module(_HOME_OF[name])
        globals()[name] = value = getattr(home, name, None) or import_module(
            f"{home.__name__}.{name}"
        )
        return value


def __dir__() -> list[str]:
    return __all__
