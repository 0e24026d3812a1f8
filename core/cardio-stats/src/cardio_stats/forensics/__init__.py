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

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

_HOMES = {
    "formulas": (
        "AccuracyIdentity Printed PrintedOddsRatio check_acc_identity grim interval_level "
        "linear_probability_se printed se_from_or_ci search_2x2 smallest_logistic_se"
    ),
    "papers": "read_published run_checks",
}
_HOME_OF = {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)

if not TYPE_CHECKING:  # a type checker that saw it would pass any misspelt name as Any

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
