"""Arithmetic that published numbers must obey: single formulas, and checks of a whole paper.

Each public name is imported when it is first used. `read_published` and `run_checks` need pydantic
and PyYAML; the formulas need neither.

Examples
--------
A specificity of .038 is no share of 25 patients:

>>> from cardio_stats import forensics
>>> forensics.grim(forensics.printed("0.038"), 25).possible
False
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_stats._lazy import offer

if TYPE_CHECKING:
    from cardio_stats.forensics.formulas import AccuracyIdentity as AccuracyIdentity
    from cardio_stats.forensics.formulas import Printed as Printed
    from cardio_stats.forensics.formulas import PrintedOddsRatio as PrintedOddsRatio
    from cardio_stats.forensics.formulas import check_acc_identity as check_acc_identity
    from cardio_stats.forensics.formulas import grim as grim
    from cardio_stats.forensics.formulas import interval_level as interval_level
    from cardio_stats.forensics.formulas import linear_probability_se as linear_probability_se
    from cardio_stats.forensics.formulas import printed as printed
    from cardio_stats.forensics.formulas import se_from_or_ci as se_from_or_ci
    from cardio_stats.forensics.formulas import search_2x2 as search_2x2
    from cardio_stats.forensics.formulas import smallest_logistic_se as smallest_logistic_se
    from cardio_stats.forensics.papers import read_published as read_published
    from cardio_stats.forensics.papers import run_checks as run_checks

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker
    __getattr__, __dir__, __all__ = offer(__name__)
