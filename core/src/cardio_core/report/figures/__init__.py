"""Figures as functions ``draw(figure)``, in one quiet style; equal input gives the same SVG.

Each public name lives in a module of its own and is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardio_core.report.figures.canvas import Described as Described
    from cardio_core.report.figures.canvas import Draw as Draw
    from cardio_core.report.figures.canvas import described as described
    from cardio_core.report.figures.canvas import save_svg as save_svg
    from cardio_core.report.figures.canvas import svg_text as svg_text
    from cardio_core.report.figures.confusion import confusion_matrix as confusion_matrix
    from cardio_core.report.figures.curves import Curve as Curve
    from cardio_core.report.figures.curves import roc as roc
    from cardio_core.report.figures.curves import roc_of as roc_of
    from cardio_core.report.figures.forest_models import ForestModel as ForestModel
    from cardio_core.report.figures.forest_models import model_forest as model_forest
    from cardio_core.report.figures.forest_plot import ForestRow as ForestRow
    from cardio_core.report.figures.forest_plot import forest as forest
    from cardio_core.report.figures.reliability import calibration as calibration

_HOME = {
    "reliability": ("calibration",),
    "canvas": ("Described", "Draw", "described", "save_svg", "svg_text"),
    "confusion": ("confusion_matrix",),
    "curves": ("Curve", "roc", "roc_of"),
    "forest_plot": ("ForestRow", "forest"),
    "forest_models": ("ForestModel", "model_forest"),
}
_WHERE = {name: home for home, names in _HOME.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
