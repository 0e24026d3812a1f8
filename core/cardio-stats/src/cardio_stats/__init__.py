"""The statistics service: every number that a report prints comes from here, as an estimate.

Each public name is imported when it is first used, so that ``import cardio_stats`` costs
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
>>> import cardio_stats as stats
>>> str(stats.proportion(24, 29, name="accuracy", unit="patient"))
'accuracy 0.828 (95 % CI 0.655 to 0.924; Wilson; n = 29 patients)'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardio_stats._numerics.columns import Coding as Coding
    from cardio_stats._numerics.display import ResultTable as ResultTable
    from cardio_stats._numerics.intervals import independent_difference as independent_difference
    from cardio_stats.agreement import Agreement as Agreement
    from cardio_stats.agreement import cohen_kappa as cohen_kappa
    from cardio_stats.agreement import correlation as correlation
    from cardio_stats.agreement import gaussian_constant_mae as gaussian_constant_mae
    from cardio_stats.agreement import intraclass_correlations as intraclass_correlations
    from cardio_stats.agreement import limits_of_agreement as limits_of_agreement
    from cardio_stats.agreement import regression_errors as regression_errors
    from cardio_stats.auc_bootstrap import bootstrap_auc as bootstrap_auc
    from cardio_stats.auc_bootstrap import bootstrap_auc_difference as bootstrap_auc_difference
    from cardio_stats.auc_bootstrap import pr_auc as pr_auc
    from cardio_stats.auc_covariance import DelongCovariance as DelongCovariance
    from cardio_stats.auc_covariance import delong_covariance as delong_covariance
    from cardio_stats.auc_covariance import delong_paired as delong_paired
    from cardio_stats.auc_covariance import delong_unpaired as delong_unpaired
    from cardio_stats.auc_published import auc_binormal as auc_binormal
    from cardio_stats.auc_published import bayes_auc as bayes_auc
    from cardio_stats.auc_published import binormal_power as binormal_power
    from cardio_stats.auc_published import hanley_mcneil as hanley_mcneil
    from cardio_stats.auc_published import hanley_mcneil_effective_n as hanley_mcneil_effective_n
    from cardio_stats.auc_published import newcombe_auc as newcombe_auc
    from cardio_stats.auc_published import pilot_power as pilot_power
    from cardio_stats.auc_published import stated_bayes_auc as stated_bayes_auc
    from cardio_stats.baseline_table import TableOneChoices as TableOneChoices
    from cardio_stats.baseline_table import smd_of_counts as smd_of_counts
    from cardio_stats.baseline_table import smd_of_means as smd_of_means
    from cardio_stats.baseline_table import table_one as table_one
    from cardio_stats.calibration import CalibrationMetrics as CalibrationMetrics
    from cardio_stats.calibration import brier_scores as brier_scores
    from cardio_stats.calibration import calibration_in_the_large as calibration_in_the_large
    from cardio_stats.calibration import calibration_metrics as calibration_metrics
    from cardio_stats.calibration import calibration_slope as calibration_slope
    from cardio_stats.calibration import expected_calibration_error as expected_calibration_error
    from cardio_stats.calibration import number_calibration as number_calibration
    from cardio_stats.calibration import observed_to_expected as observed_to_expected
    from cardio_stats.calibration import unreliability as unreliability
    from cardio_stats.class_tables import EC57_FORGIVEN as EC57_FORGIVEN
    from cardio_stats.class_tables import PerClassTable as PerClassTable
    from cardio_stats.class_tables import per_class_table as per_class_table
    from cardio_stats.contingency import chi2_2x2 as chi2_2x2
    from cardio_stats.contingency import chi2_p as chi2_p
    from cardio_stats.contingency import chi2_rxc as chi2_rxc
    from cardio_stats.contingency import fisher_exact as fisher_exact
    from cardio_stats.contingency import odds_ratio_2x2 as odds_ratio_2x2
    from cardio_stats.cox import CoxModel as CoxModel
    from cardio_stats.cox import cox_table as cox_table
    from cardio_stats.cox import fit_cox as fit_cox
    from cardio_stats.decision_curves import decision_curve as decision_curve
    from cardio_stats.decision_curves import net_benefit as net_benefit
    from cardio_stats.decision_curves import reclassification_index as reclassification_index
    from cardio_stats.decisions import Threshold as Threshold
    from cardio_stats.decisions import closest_topleft_threshold as closest_topleft_threshold
    from cardio_stats.decisions import confusion_metrics as confusion_metrics
    from cardio_stats.decisions import decision_metrics as decision_metrics
    from cardio_stats.decisions import likelihood_ratios as likelihood_ratios
    from cardio_stats.decisions import mcnemar as mcnemar
    from cardio_stats.decisions import paired_proportions as paired_proportions
    from cardio_stats.decisions import threshold_metrics as threshold_metrics
    from cardio_stats.decisions import youden_threshold as youden_threshold
    from cardio_stats.effects import auc_in_subgroups as auc_in_subgroups
    from cardio_stats.effects import effect_in_subgroups as effect_in_subgroups
    from cardio_stats.estimate import Estimate as Estimate
    from cardio_stats.logistic import LogisticModel as LogisticModel
    from cardio_stats.logistic import fit_logistic as fit_logistic
    from cardio_stats.means import GroupSummary as GroupSummary
    from cardio_stats.means import anova as anova
    from cardio_stats.means import kruskal_wallis as kruskal_wallis
    from cardio_stats.means import mann_whitney as mann_whitney
    from cardio_stats.means import pooled_mean_sd as pooled_mean_sd
    from cardio_stats.means import ttest as ttest
    from cardio_stats.means import ttest_codes as ttest_codes
    from cardio_stats.means import ttest_from_stats as ttest_from_stats
    from cardio_stats.missing_values import Pooled as Pooled
    from cardio_stats.missing_values import imputed_tables as imputed_tables
    from cardio_stats.missing_values import missing_report as missing_report
    from cardio_stats.missing_values import multivariable_imputed as multivariable_imputed
    from cardio_stats.missing_values import pool_rubin as pool_rubin
    from cardio_stats.mixed_models import mixed_model as mixed_model
    from cardio_stats.multiplicity import Compared as Compared
    from cardio_stats.multiplicity import GroupTest as GroupTest
    from cardio_stats.multiplicity import adjust_p_values as adjust_p_values
    from cardio_stats.multiplicity import benjamini_hochberg as benjamini_hochberg
    from cardio_stats.multiplicity import bonferroni as bonferroni
    from cardio_stats.multiplicity import holm as holm
    from cardio_stats.multiplicity import multiplicity_null as multiplicity_null
    from cardio_stats.multiplicity import predicted_alike as predicted_alike
    from cardio_stats.optimism import RidgeLogistic as RidgeLogistic
    from cardio_stats.optimism import optimism_bootstrap as optimism_bootstrap
    from cardio_stats.places import RandomEffects as RandomEffects
    from cardio_stats.places import random_effects as random_effects
    from cardio_stats.proportions import binomial_all_correct as binomial_all_correct
    from cardio_stats.proportions import proportion as proportion
    from cardio_stats.recalibration import Recalibrated as Recalibrated
    from cardio_stats.recalibration import recalibrated_numbers as recalibrated_numbers
    from cardio_stats.recalibration import recalibrated_probabilities as recalibrated_probabilities
    from cardio_stats.regression_tables import incremental as incremental
    from cardio_stats.regression_tables import likelihood_ratio_test as likelihood_ratio_test
    from cardio_stats.regression_tables import multivariable as multivariable
    from cardio_stats.regression_tables import risk_difference as risk_difference
    from cardio_stats.regression_tables import univariable as univariable
    from cardio_stats.regression_tables import vif as vif
    from cardio_stats.resampling import bootstrap as bootstrap
    from cardio_stats.resampling import bootstrap_sums as bootstrap_sums
    from cardio_stats.roc_curves import RocCurve as RocCurve
    from cardio_stats.roc_curves import auc as auc
    from cardio_stats.roc_curves import multiclass_auc as multiclass_auc
    from cardio_stats.roc_curves import partial_auc as partial_auc
    from cardio_stats.roc_curves import rate_at as rate_at
    from cardio_stats.roc_curves import roc_curve as roc_curve
    from cardio_stats.sample_size import n_for_auc as n_for_auc
    from cardio_stats.sample_size import n_for_model as n_for_model
    from cardio_stats.sample_size import n_for_paired_auc as n_for_paired_auc
    from cardio_stats.sample_size import n_for_proportion as n_for_proportion
    from cardio_stats.sample_size import n_for_validation as n_for_validation
    from cardio_stats.sample_size import power_paired_auc as power_paired_auc
    from cardio_stats.sample_size import r2_of_c as r2_of_c
    from cardio_stats.screening import CountedCovariate as CountedCovariate
    from cardio_stats.screening import MeasuredCovariate as MeasuredCovariate
    from cardio_stats.screening import max_t_screen as max_t_screen
    from cardio_stats.screening import max_z_adjusted as max_z_adjusted
    from cardio_stats.screening import permute_pipeline as permute_pipeline
    from cardio_stats.screening import screening_noise as screening_noise
    from cardio_stats.smooth_calibration import CalibrationCurve as CalibrationCurve
    from cardio_stats.smooth_calibration import calibration_curve as calibration_curve
    from cardio_stats.smooth_calibration import (
        smooth_calibration_errors as smooth_calibration_errors,
    )
    from cardio_stats.subgroups import subgroup_audit as subgroup_audit
    from cardio_stats.survival import FollowUp as FollowUp
    from cardio_stats.survival import SurvivalCurve as SurvivalCurve
    from cardio_stats.survival import follow_up_of as follow_up_of
    from cardio_stats.survival import kaplan_meier as kaplan_meier
    from cardio_stats.survival import log_rank as log_rank
    from cardio_stats.survival import survival_table as survival_table
    from cardio_stats.survival_scores import harrell_c as harrell_c
    from cardio_stats.survival_scores import observed_over_expected as observed_over_expected
    from cardio_stats.survival_scores import timed_auc as timed_auc
    from cardio_stats.survival_scores import timed_brier as timed_brier
    from cardio_stats.survival_scores import timed_estimates as timed_estimates
    from cardio_stats.survival_scores import uno_c as uno_c
    from cardio_stats.validated_model import validate_logistic as validate_logistic

_HOMES = {
    "cardio_stats._numerics.columns": ("Coding",),
    "cardio_stats._numerics.display": ("ResultTable",),
    "cardio_stats._numerics.intervals": ("independent_difference",),
    "cardio_stats.agreement": (
        "Agreement",
        "cohen_kappa",
        "correlation",
        "gaussian_constant_mae",
        "intraclass_correlations",
        "limits_of_agreement",
        "regression_errors",
    ),
    "cardio_stats.auc_bootstrap": (
        "bootstrap_auc",
        "bootstrap_auc_difference",
        "pr_auc",
    ),
    "cardio_stats.auc_covariance": (
        "DelongCovariance",
        "delong_covariance",
        "delong_paired",
        "delong_unpaired",
    ),
    "cardio_stats.auc_published": (
        "auc_binormal",
        "bayes_auc",
        "binormal_power",
        "hanley_mcneil",
        "hanley_mcneil_effective_n",
        "newcombe_auc",
        "pilot_power",
        "stated_bayes_auc",
    ),
    "cardio_stats.baseline_table": (
        "TableOneChoices",
        "smd_of_counts",
        "smd_of_means",
        "table_one",
    ),
    "cardio_stats.calibration": (
        "CalibrationMetrics",
        "brier_scores",
        "calibration_in_the_large",
        "calibration_metrics",
        "calibration_slope",
        "expected_calibration_error",
        "number_calibration",
        "observed_to_expected",
        "unreliability",
    ),
    "cardio_stats.class_tables": (
        "EC57_FORGIVEN",
        "PerClassTable",
        "per_class_table",
    ),
    "cardio_stats.contingency": (
        "chi2_2x2",
        "chi2_p",
        "chi2_rxc",
        "fisher_exact",
        "odds_ratio_2x2",
    ),
    "cardio_stats.cox": (
        "CoxModel",
        "cox_table",
        "fit_cox",
    ),
    "cardio_stats.decisions": (
        "Threshold",
        "closest_topleft_threshold",
        "confusion_metrics",
        "decision_metrics",
        "likelihood_ratios",
        "mcnemar",
        "paired_proportions",
        "threshold_metrics",
        "youden_threshold",
    ),
    "cardio_stats.effects": (
        "auc_in_subgroups",
        "effect_in_subgroups",
    ),
    "cardio_stats.estimate": ("Estimate",),
    "cardio_stats.logistic": (
        "LogisticModel",
        "fit_logistic",
    ),
    "cardio_stats.means": (
        "GroupSummary",
        "anova",
        "kruskal_wallis",
        "mann_whitney",
        "pooled_mean_sd",
        "ttest",
        "ttest_codes",
        "ttest_from_stats",
    ),
    "cardio_stats.missing_values": (
        "Pooled",
        "imputed_tables",
        "missing_report",
        "multivariable_imputed",
        "pool_rubin",
    ),
    "cardio_stats.mixed_models": ("mixed_model",),
    "cardio_stats.multiplicity": (
        "Compared",
        "GroupTest",
        "adjust_p_values",
        "benjamini_hochberg",
        "bonferroni",
        "holm",
        "multiplicity_null",
        "predicted_alike",
    ),
    "cardio_stats.decision_curves": (
        "decision_curve",
        "net_benefit",
        "reclassification_index",
    ),
    "cardio_stats.optimism": (
        "RidgeLogistic",
        "optimism_bootstrap",
    ),
    "cardio_stats.places": (
        "RandomEffects",
        "random_effects",
    ),
    "cardio_stats.proportions": (
        "binomial_all_correct",
        "proportion",
    ),
    "cardio_stats.recalibration": (
        "Recalibrated",
        "recalibrated_numbers",
        "recalibrated_probabilities",
    ),
    "cardio_stats.regression_tables": (
        "incremental",
        "likelihood_ratio_test",
        "multivariable",
        "risk_difference",
        "univariable",
        "vif",
    ),
    "cardio_stats.resampling": (
        "bootstrap",
        "bootstrap_sums",
    ),
    "cardio_stats.roc_curves": (
        "RocCurve",
        "auc",
        "multiclass_auc",
        "partial_auc",
        "rate_at",
        "roc_curve",
    ),
    "cardio_stats.sample_size": (
        "n_for_auc",
        "n_for_model",
        "n_for_paired_auc",
        "n_for_proportion",
        "n_for_validation",
        "power_paired_auc",
        "r2_of_c",
    ),
    "cardio_stats.screening": (
        "CountedCovariate",
        "MeasuredCovariate",
        "max_t_screen",
        "max_z_adjusted",
        "permute_pipeline",
        "screening_noise",
    ),
    "cardio_stats.smooth_calibration": (
        "CalibrationCurve",
        "calibration_curve",
        "smooth_calibration_errors",
    ),
    "cardio_stats.subgroups": ("subgroup_audit",),
    "cardio_stats.survival": (
        "FollowUp",
        "SurvivalCurve",
        "follow_up_of",
        "kaplan_meier",
        "log_rank",
        "survival_table",
    ),
    "cardio_stats.survival_scores": (
        "harrell_c",
        "observed_over_expected",
        "timed_auc",
        "timed_brier",
        "timed_estimates",
        "uno_c",
    ),
    "cardio_stats.validated_model": ("validate_logistic",),
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
