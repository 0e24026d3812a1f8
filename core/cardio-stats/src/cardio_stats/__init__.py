"""The statistics service: every number that a report prints comes from here, as an estimate.

Each public name is imported when it is first used, so that ``import cardio_stats`` costs next to
nothing. A module is named after what it computes; ``cardio_stats.forensics`` keeps its names to
itself. Arguments have the names of the command line: ``outcome`` (0 and 1, or words of which
``event`` names one), ``patient`` where one has several rows, ``threshold``.

No file or folder here bears the name of a public function: importing it would put it in the
function's place.

Examples
--------
>>> import cardio_stats as stats
>>> str(stats.proportion(24, 29, name="accuracy", unit="patient"))
'accuracy 0.828 (95 % CI 0.655 to 0.924; Wilson; n = 29 patients)'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_stats._lazy import offer

if TYPE_CHECKING:
    from cardio_stats._numerics.columns import Coding as Coding
    from cardio_stats._numerics.columns import binary_outcome as binary_outcome
    from cardio_stats._numerics.columns import columns_told as columns_told
    from cardio_stats._numerics.columns import require_one_row_each as require_one_row_each
    from cardio_stats._numerics.display import ResultTable as ResultTable
    from cardio_stats._numerics.intervals import bootstrapped as bootstrapped
    from cardio_stats._numerics.intervals import independent_difference as independent_difference
    from cardio_stats._numerics.validate import binary_labels as binary_labels
    from cardio_stats.agreement import Agreement as Agreement
    from cardio_stats.agreement import IccForm as IccForm
    from cardio_stats.agreement import cohen_kappa as cohen_kappa
    from cardio_stats.agreement import correlation as correlation
    from cardio_stats.agreement import gaussian_constant_mae as gaussian_constant_mae
    from cardio_stats.agreement import icc as icc
    from cardio_stats.agreement import limits_of_agreement as limits_of_agreement
    from cardio_stats.agreement import regression_errors as regression_errors
    from cardio_stats.auc_bootstrap import bootstrap_auc as bootstrap_auc
    from cardio_stats.auc_bootstrap import bootstrap_auc_difference as bootstrap_auc_difference
    from cardio_stats.auc_bootstrap import pr_auc as pr_auc
    from cardio_stats.auc_covariance import DelongCovariance as DelongCovariance
    from cardio_stats.auc_covariance import auc_noninferiority as auc_noninferiority
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
    from cardio_stats.calibration import brier as brier
    from cardio_stats.calibration import calibration_in_the_large as calibration_in_the_large
    from cardio_stats.calibration import calibration_metrics as calibration_metrics
    from cardio_stats.calibration import calibration_slope as calibration_slope
    from cardio_stats.calibration import expected_calibration_error as expected_calibration_error
    from cardio_stats.calibration import number_calibration as number_calibration
    from cardio_stats.calibration import observed_to_expected as observed_to_expected
    from cardio_stats.calibration import scaled_brier as scaled_brier
    from cardio_stats.calibration import unreliability as unreliability
    from cardio_stats.class_tables import PerClassTable as PerClassTable
    from cardio_stats.class_tables import per_class_table as per_class_table
    from cardio_stats.competing_risks import FineGrayModel as FineGrayModel
    from cardio_stats.competing_risks import IncidenceCurve as IncidenceCurve
    from cardio_stats.competing_risks import competing_table as competing_table
    from cardio_stats.competing_risks import cumulative_incidence as cumulative_incidence
    from cardio_stats.competing_risks import fine_gray_table as fine_gray_table
    from cardio_stats.competing_risks import fit_fine_gray as fit_fine_gray
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
    from cardio_stats.penalised import PenalisedModel as PenalisedModel
    from cardio_stats.penalised import fit_penalised as fit_penalised
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
    from cardio_stats.risks_by_time import TimedCalibration as TimedCalibration
    from cardio_stats.risks_by_time import timed_calibration as timed_calibration
    from cardio_stats.risks_by_time import timed_decision_curve as timed_decision_curve
    from cardio_stats.risks_by_time import timed_net_benefit as timed_net_benefit
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
    from cardio_stats.splines import EffectCurve as EffectCurve
    from cardio_stats.subgroups import subgroup_audit as subgroup_audit
    from cardio_stats.survival import FollowUp as FollowUp
    from cardio_stats.survival import SurvivalCurve as SurvivalCurve
    from cardio_stats.survival import follow_up_of as follow_up_of
    from cardio_stats.survival import kaplan_meier as kaplan_meier
    from cardio_stats.survival import log_rank as log_rank
    from cardio_stats.survival import survival_table as survival_table
    from cardio_stats.survival_scores import harrell_c as harrell_c
    from cardio_stats.survival_scores import observed_over_expected as observed_over_expected
    from cardio_stats.survival_scores import risk_groups as risk_groups
    from cardio_stats.survival_scores import timed_auc as timed_auc
    from cardio_stats.survival_scores import timed_brier as timed_brier
    from cardio_stats.survival_scores import timed_estimates as timed_estimates
    from cardio_stats.survival_scores import uno_c as uno_c
    from cardio_stats.validated_model import Validation as Validation
    from cardio_stats.validated_model import validate_logistic as validate_logistic

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker
    __getattr__, __dir__, __all__ = offer(__name__)
