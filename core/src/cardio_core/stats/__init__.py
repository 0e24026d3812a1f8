"""The statistics service: every number that a report prints comes from here, as an estimate.

Each public name is imported when it is first used, so that ``import cardio_core.stats`` costs
nothing and needs no torch. What stands where, each folder building only on those above it:

``foundation``
    checked columns, counted units, intervals, the logistic likelihood, printed numbers
``resampling``
    bootstrap of rows and of clusters of rows
``discrimination``
    AUCs with their covariances and bootstraps, the ROC curve, average precision
``classification``
    proportions, tables of decisions and of classes, thresholds, net benefit
``agreement``, ``calibration``, ``groups``, ``regression``, ``selection``, ``planner``
    measured numbers against others; probabilities that come true; groups compared, Table 1 and
    subgroups; logistic models; many tests and models that saw their patients; sizes of studies
``survival``
    times to an event: curves, Cox models, scores judged under censoring
``forensics``
    arithmetic that published numbers must obey; its names are its own (``stats.forensics.grim``)

No file or folder here bears the name of a public function: importing it would put it in the
function's place.

Examples
--------
>>> from cardio_core import stats
>>> str(stats.proportion(24, 29, name="accuracy", unit="patient"))
'accuracy 0.828 (95 % CI 0.655 to 0.924; Wilson; n = 29 patients)'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardio_core.stats.agreement.bland_altman import Agreement as Agreement
    from cardio_core.stats.agreement.bland_altman import limits_of_agreement as limits_of_agreement
    from cardio_core.stats.agreement.correlation_interval import correlation as correlation
    from cardio_core.stats.agreement.inter_rater import cohen_kappa as cohen_kappa
    from cardio_core.stats.agreement.intraclass import (
        intraclass_correlations as intraclass_correlations,
    )
    from cardio_core.stats.agreement.regression_error import (
        gaussian_constant_mae as gaussian_constant_mae,
    )
    from cardio_core.stats.agreement.regression_error import regression_errors as regression_errors
    from cardio_core.stats.calibration.calibration_error import (
        expected_calibration_error as expected_calibration_error,
    )
    from cardio_core.stats.calibration.in_the_large import CalibrationMetrics as CalibrationMetrics
    from cardio_core.stats.calibration.in_the_large import brier_scores as brier_scores
    from cardio_core.stats.calibration.in_the_large import (
        calibration_in_the_large as calibration_in_the_large,
    )
    from cardio_core.stats.calibration.in_the_large import (
        calibration_metrics as calibration_metrics,
    )
    from cardio_core.stats.calibration.in_the_large import calibration_slope as calibration_slope
    from cardio_core.stats.calibration.of_numbers import number_calibration as number_calibration
    from cardio_core.stats.calibration.recalibration import Recalibrated as Recalibrated
    from cardio_core.stats.calibration.recalibration import (
        recalibrated_numbers as recalibrated_numbers,
    )
    from cardio_core.stats.calibration.recalibration import (
        recalibrated_probabilities as recalibrated_probabilities,
    )
    from cardio_core.stats.calibration.smooth_calibration import (
        VAL_PROB_SPAN as VAL_PROB_SPAN,
    )
    from cardio_core.stats.calibration.smooth_calibration import (
        CalibrationCurve as CalibrationCurve,
    )
    from cardio_core.stats.calibration.smooth_calibration import (
        calibration_curve as calibration_curve,
    )
    from cardio_core.stats.calibration.smooth_errors import (
        smooth_calibration_errors as smooth_calibration_errors,
    )
    from cardio_core.stats.calibration.unreliability import (
        observed_to_expected as observed_to_expected,
    )
    from cardio_core.stats.calibration.unreliability import unreliability as unreliability
    from cardio_core.stats.classification.decision_analysis import decision_curve as decision_curve
    from cardio_core.stats.classification.decision_analysis import net_benefit as net_benefit
    from cardio_core.stats.classification.decisions import confusion_metrics as confusion_metrics
    from cardio_core.stats.classification.discordance import mcnemar as mcnemar
    from cardio_core.stats.classification.discordance import (
        paired_proportions as paired_proportions,
    )
    from cardio_core.stats.classification.likelihood_ratios import (
        likelihood_ratios as likelihood_ratios,
    )
    from cardio_core.stats.classification.per_class import EC57_FORGIVEN as EC57_FORGIVEN
    from cardio_core.stats.classification.per_class import PerClassTable as PerClassTable
    from cardio_core.stats.classification.per_class import per_class_table as per_class_table
    from cardio_core.stats.classification.proportions import (
        binomial_all_correct as binomial_all_correct,
    )
    from cardio_core.stats.classification.proportions import proportion as proportion
    from cardio_core.stats.classification.reclassification import (
        reclassification_index as reclassification_index,
    )
    from cardio_core.stats.classification.thresholds import Threshold as Threshold
    from cardio_core.stats.classification.thresholds import (
        closest_topleft_threshold as closest_topleft_threshold,
    )
    from cardio_core.stats.classification.thresholds import decision_metrics as decision_metrics
    from cardio_core.stats.classification.thresholds import threshold_metrics as threshold_metrics
    from cardio_core.stats.classification.thresholds import youden_threshold as youden_threshold
    from cardio_core.stats.discrimination.auc_bootstrap import bootstrap_auc as bootstrap_auc
    from cardio_core.stats.discrimination.auc_bootstrap import (
        bootstrap_auc_difference as bootstrap_auc_difference,
    )
    from cardio_core.stats.discrimination.average_precision import pr_auc as pr_auc
    from cardio_core.stats.discrimination.bayes import bayes_auc as bayes_auc
    from cardio_core.stats.discrimination.bayes import stated_bayes_auc as stated_bayes_auc
    from cardio_core.stats.discrimination.curve_parts import partial_auc as partial_auc
    from cardio_core.stats.discrimination.curve_parts import rate_at as rate_at
    from cardio_core.stats.discrimination.delong import DelongCovariance as DelongCovariance
    from cardio_core.stats.discrimination.delong import delong_covariance as delong_covariance
    from cardio_core.stats.discrimination.delong import delong_paired as delong_paired
    from cardio_core.stats.discrimination.delong import delong_unpaired as delong_unpaired
    from cardio_core.stats.discrimination.planned_power import binormal_power as binormal_power
    from cardio_core.stats.discrimination.planned_power import pilot_power as pilot_power
    from cardio_core.stats.discrimination.published_auc import auc_binormal as auc_binormal
    from cardio_core.stats.discrimination.published_auc import hanley_mcneil as hanley_mcneil
    from cardio_core.stats.discrimination.published_auc import (
        hanley_mcneil_effective_n as hanley_mcneil_effective_n,
    )
    from cardio_core.stats.discrimination.published_auc import newcombe_auc as newcombe_auc
    from cardio_core.stats.discrimination.roc import RocCurve as RocCurve
    from cardio_core.stats.discrimination.roc import auc as auc
    from cardio_core.stats.discrimination.roc import roc_curve as roc_curve
    from cardio_core.stats.discrimination.several_classes import multiclass_auc as multiclass_auc
    from cardio_core.stats.foundation.design import Coding as Coding
    from cardio_core.stats.foundation.display import ResultTable as ResultTable
    from cardio_core.stats.foundation.independent import (
        independent_difference as independent_difference,
    )
    from cardio_core.stats.foundation.rubin import Pooled as Pooled
    from cardio_core.stats.foundation.rubin import pool_rubin as pool_rubin
    from cardio_core.stats.groups.baseline_rows import TableOneChoices as TableOneChoices
    from cardio_core.stats.groups.baseline_table import table_one as table_one
    from cardio_core.stats.groups.contingency import chi2_2x2 as chi2_2x2
    from cardio_core.stats.groups.contingency import chi2_p as chi2_p
    from cardio_core.stats.groups.contingency import chi2_rxc as chi2_rxc
    from cardio_core.stats.groups.contingency import fisher_exact as fisher_exact
    from cardio_core.stats.groups.contingency import odds_ratio_2x2 as odds_ratio_2x2
    from cardio_core.stats.groups.means import GroupSummary as GroupSummary
    from cardio_core.stats.groups.means import anova as anova
    from cardio_core.stats.groups.means import pooled_mean_sd as pooled_mean_sd
    from cardio_core.stats.groups.means import ttest as ttest
    from cardio_core.stats.groups.means import ttest_codes as ttest_codes
    from cardio_core.stats.groups.means import ttest_from_stats as ttest_from_stats
    from cardio_core.stats.groups.missingness import missing_report as missing_report
    from cardio_core.stats.groups.rank_tests import kruskal_wallis as kruskal_wallis
    from cardio_core.stats.groups.rank_tests import mann_whitney as mann_whitney
    from cardio_core.stats.groups.several_places import RandomEffects as RandomEffects
    from cardio_core.stats.groups.several_places import random_effects as random_effects
    from cardio_core.stats.groups.standardised import smd_of_counts as smd_of_counts
    from cardio_core.stats.groups.standardised import smd_of_means as smd_of_means
    from cardio_core.stats.groups.subgroups import subgroup_audit as subgroup_audit
    from cardio_core.stats.planner import n_for_auc as n_for_auc
    from cardio_core.stats.planner import n_for_paired_auc as n_for_paired_auc
    from cardio_core.stats.planner import n_for_proportion as n_for_proportion
    from cardio_core.stats.planner import power_paired_auc as power_paired_auc
    from cardio_core.stats.planner_model import n_for_model as n_for_model
    from cardio_core.stats.planner_model import r2_of_c as r2_of_c
    from cardio_core.stats.planner_validation import n_for_validation as n_for_validation
    from cardio_core.stats.regression.association import multivariable as multivariable
    from cardio_core.stats.regression.association import univariable as univariable
    from cardio_core.stats.regression.collinearity import vif as vif
    from cardio_core.stats.regression.effect_in_subgroups import (
        auc_in_subgroups as auc_in_subgroups,
    )
    from cardio_core.stats.regression.effect_in_subgroups import (
        effect_in_subgroups as effect_in_subgroups,
    )
    from cardio_core.stats.regression.imputation import imputed_tables as imputed_tables
    from cardio_core.stats.regression.imputed import multivariable_imputed as multivariable_imputed
    from cardio_core.stats.regression.linear_probability import risk_difference as risk_difference
    from cardio_core.stats.regression.logistic import LogisticModel as LogisticModel
    from cardio_core.stats.regression.logistic import fit_logistic as fit_logistic
    from cardio_core.stats.regression.mixed import mixed_model as mixed_model
    from cardio_core.stats.regression.nested_models import incremental as incremental
    from cardio_core.stats.regression.nested_models import (
        likelihood_ratio_test as likelihood_ratio_test,
    )
    from cardio_core.stats.regression.validated_model import validate_logistic as validate_logistic
    from cardio_core.stats.resampling.general_bootstrap import bootstrap as bootstrap
    from cardio_core.stats.resampling.sums_bootstrap import bootstrap_sums as bootstrap_sums
    from cardio_core.stats.selection.group_tests import Compared as Compared
    from cardio_core.stats.selection.group_tests import GroupTest as GroupTest
    from cardio_core.stats.selection.group_tests import predicted_alike as predicted_alike
    from cardio_core.stats.selection.max_t import max_t_screen as max_t_screen
    from cardio_core.stats.selection.max_z import max_z_adjusted as max_z_adjusted
    from cardio_core.stats.selection.multiplicity import adjust_p_values as adjust_p_values
    from cardio_core.stats.selection.multiplicity import benjamini_hochberg as benjamini_hochberg
    from cardio_core.stats.selection.multiplicity import bonferroni as bonferroni
    from cardio_core.stats.selection.multiplicity import holm as holm
    from cardio_core.stats.selection.multiplicity import multiplicity_null as multiplicity_null
    from cardio_core.stats.selection.noise_screen import CountedCovariate as CountedCovariate
    from cardio_core.stats.selection.noise_screen import MeasuredCovariate as MeasuredCovariate
    from cardio_core.stats.selection.noise_screen import screening_noise as screening_noise
    from cardio_core.stats.selection.optimism import optimism_bootstrap as optimism_bootstrap
    from cardio_core.stats.selection.pipeline_permutation import (
        permute_pipeline as permute_pipeline,
    )
    from cardio_core.stats.selection.ridge_resamples import RidgeLogistic as RidgeLogistic
    from cardio_core.stats.survival.by_group import survival_table as survival_table
    from cardio_core.stats.survival.concordance import harrell_c as harrell_c
    from cardio_core.stats.survival.concordance import uno_c as uno_c
    from cardio_core.stats.survival.cox import CoxModel as CoxModel
    from cardio_core.stats.survival.cox import fit_cox as fit_cox
    from cardio_core.stats.survival.follow_up import FollowUp as FollowUp
    from cardio_core.stats.survival.follow_up import follow_up_of as follow_up_of
    from cardio_core.stats.survival.hazards import cox_table as cox_table
    from cardio_core.stats.survival.judged import timed_estimates as timed_estimates
    from cardio_core.stats.survival.product_limit import SurvivalCurve as SurvivalCurve
    from cardio_core.stats.survival.product_limit import kaplan_meier as kaplan_meier
    from cardio_core.stats.survival.product_limit import log_rank as log_rank
    from cardio_core.stats.survival.timed_scores import (
        observed_over_expected as observed_over_expected,
    )
    from cardio_core.stats.survival.timed_scores import timed_auc as timed_auc
    from cardio_core.stats.survival.timed_scores import timed_brier as timed_brier
    from cardio_core.types.estimate import Estimate as Estimate

_HOMES = {
    "agreement.bland_altman": "Agreement limits_of_agreement",
    "agreement.correlation_interval": "correlation",
    "agreement.inter_rater": "cohen_kappa",
    "agreement.intraclass": "intraclass_correlations",
    "agreement.regression_error": "gaussian_constant_mae regression_errors",
    "calibration.calibration_error": "expected_calibration_error",
    "calibration.in_the_large": (
        "CalibrationMetrics brier_scores calibration_in_the_large calibration_metrics "
        "calibration_slope"
    ),
    "calibration.of_numbers": "number_calibration",
    "calibration.recalibration": ("Recalibrated recalibrated_numbers recalibrated_probabilities"),
    "calibration.smooth_calibration": "CalibrationCurve VAL_PROB_SPAN calibration_curve",
    "calibration.smooth_errors": "smooth_calibration_errors",
    "calibration.unreliability": "observed_to_expected unreliability",
    "classification.decision_analysis": "decision_curve net_benefit",
    "classification.decisions": "confusion_metrics",
    "classification.discordance": "mcnemar paired_proportions",
    "classification.likelihood_ratios": "likelihood_ratios",
    "classification.per_class": "EC57_FORGIVEN PerClassTable per_class_table",
    "classification.proportions": "binomial_all_correct proportion",
    "classification.reclassification": "reclassification_index",
    "classification.thresholds": (
        "Threshold closest_topleft_threshold decision_metrics threshold_metrics youden_threshold"
    ),
    "discrimination.auc_bootstrap": "bootstrap_auc bootstrap_auc_difference",
    "discrimination.average_precision": "pr_auc",
    "discrimination.bayes": "bayes_auc stated_bayes_auc",
    "discrimination.curve_parts": "partial_auc rate_at",
    "discrimination.delong": "DelongCovariance delong_covariance delong_paired delong_unpaired",
    "discrimination.planned_power": "binormal_power pilot_power",
    "discrimination.published_auc": (
        "auc_binormal hanley_mcneil hanley_mcneil_effective_n newcombe_auc"
    ),
    "discrimination.roc": "RocCurve auc roc_curve",
    "discrimination.several_classes": "multiclass_auc",
    "foundation.design": "Coding",
    "foundation.display": "ResultTable",
    "foundation.independent": "independent_difference",
    "groups.baseline_rows": "TableOneChoices",
    "groups.baseline_table": "table_one",
    "groups.contingency": "chi2_2x2 chi2_p chi2_rxc fisher_exact odds_ratio_2x2",
    "groups.means": "GroupSummary anova pooled_mean_sd ttest ttest_codes ttest_from_stats",
    "groups.missingness": "missing_report",
    "groups.rank_tests": "kruskal_wallis mann_whitney",
    "groups.several_places": "RandomEffects random_effects",
    "groups.standardised": "smd_of_counts smd_of_means",
    "groups.subgroups": "subgroup_audit",
    "planner": "n_for_auc n_for_paired_auc n_for_proportion power_paired_auc",
    "planner_model": "n_for_model r2_of_c",
    "planner_validation": "n_for_validation",
    "foundation.rubin": "Pooled pool_rubin",
    "regression.imputation": "imputed_tables",
    "regression.imputed": "multivariable_imputed",
    "regression.association": "multivariable univariable",
    "regression.collinearity": "vif",
    "regression.effect_in_subgroups": "auc_in_subgroups effect_in_subgroups",
    "regression.linear_probability": "risk_difference",
    "regression.logistic": "LogisticModel fit_logistic",
    "regression.mixed": "mixed_model",
    "regression.nested_models": "incremental likelihood_ratio_test",
    "resampling.general_bootstrap": "bootstrap",
    "resampling.sums_bootstrap": "bootstrap_sums",
    "selection.group_tests": "Compared GroupTest predicted_alike",
    "selection.max_t": "max_t_screen",
    "selection.max_z": "max_z_adjusted",
    "selection.multiplicity": (
        "adjust_p_values benjamini_hochberg bonferroni holm multiplicity_null"
    ),
    "selection.noise_screen": "CountedCovariate MeasuredCovariate screening_noise",
    "selection.optimism": "optimism_bootstrap",
    "selection.ridge_resamples": "RidgeLogistic",
    "selection.pipeline_permutation": "permute_pipeline",
    "regression.validated_model": "validate_logistic",
    "survival.by_group": "survival_table",
    "survival.concordance": "harrell_c uno_c",
    "survival.cox": "CoxModel fit_cox",
    "survival.follow_up": "FollowUp follow_up_of",
    "survival.hazards": "cox_table",
    "survival.judged": "timed_estimates",
    "survival.product_limit": "SurvivalCurve kaplan_meier log_rank",
    "survival.timed_scores": "observed_over_expected timed_auc timed_brier",
}
"""The public names, by the module under this folder that each lives in."""

_HOME_OF = {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names.split()}
_HOME_OF["Estimate"] = "cardio_core.types.estimate"

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
