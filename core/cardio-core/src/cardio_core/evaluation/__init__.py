"""From out-of-fold predictions to judged ones: matching, deciding, aggregating, evaluating.

The names here are what `cardio-studies` evaluates predictions with; they are imported when they are
first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_stats._lazy import offer

if TYPE_CHECKING:
    from cardio_core.evaluation.aggregate import pooled as pooled
    from cardio_core.evaluation.aggregate import score_columns as score_columns
    from cardio_core.evaluation.aggregate import unit_of as unit_of
    from cardio_core.evaluation.clinical_model import by_patient as by_patient
    from cardio_core.evaluation.clinical_model import check_covariates as check_covariates
    from cardio_core.evaluation.clinical_model import fit_clinical as fit_clinical
    from cardio_core.evaluation.clinical_model import in_a_sentence as in_a_sentence
    from cardio_core.evaluation.clinical_model import score_clinical as score_clinical
    from cardio_core.evaluation.conformal import calibrate as calibrate
    from cardio_core.evaluation.decision import Decision as Decision
    from cardio_core.evaluation.decision import choose as choose
    from cardio_core.evaluation.figures import figures_of as figures_of
    from cardio_core.evaluation.figures import primary_in as primary_in
    from cardio_core.evaluation.fusion import FusionRule as FusionRule
    from cardio_core.evaluation.fusion import fit_rule as fit_rule
    from cardio_core.evaluation.fusion import fuse as fuse
    from cardio_core.evaluation.fusion import side_by_side as side_by_side
    from cardio_core.evaluation.parts import noting as noting
    from cardio_core.evaluation.patients import TableOne as TableOne
    from cardio_core.evaluation.patients import describe_columns as describe_columns
    from cardio_core.evaluation.patients import subgroup_metrics as subgroup_metrics

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker
    __getattr__, __dir__, __all__ = offer(__name__)
