"""Figures as functions ``draw(figure)``, in one quiet style; equal input gives the same SVG.

Each public name lives in a module of its own and is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_stats._lazy import offer

if TYPE_CHECKING:
    from cardio_stats.figures.agreement import bland_altman as bland_altman
    from cardio_stats.figures.canvas import Described as Described
    from cardio_stats.figures.canvas import Draw as Draw
    from cardio_stats.figures.canvas import described as described
    from cardio_stats.figures.canvas import drawn as drawn
    from cardio_stats.figures.canvas import save_svg as save_svg
    from cardio_stats.figures.canvas import svg_text as svg_text
    from cardio_stats.figures.classes import confusion_matrix as confusion_matrix
    from cardio_stats.figures.curves import ModelScores as ModelScores
    from cardio_stats.figures.curves import calibration as calibration
    from cardio_stats.figures.curves import decision as decision
    from cardio_stats.figures.curves import effect_curves as effect_curves
    from cardio_stats.figures.curves import instability as instability
    from cardio_stats.figures.curves import roc as roc
    from cardio_stats.figures.curves import roc_of as roc_of
    from cardio_stats.figures.forests import ForestLine as ForestLine
    from cardio_stats.figures.forests import ForestModel as ForestModel
    from cardio_stats.figures.forests import estimate_forest as estimate_forest
    from cardio_stats.figures.forests import model_forest as model_forest
    from cardio_stats.figures.forests import ratio_forest as ratio_forest
    from cardio_stats.figures.survival import incidence_curves as incidence_curves
    from cardio_stats.figures.survival import risk_calibration as risk_calibration
    from cardio_stats.figures.survival import survival_curves as survival_curves

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker
    __getattr__, __dir__, __all__ = offer(__name__)
