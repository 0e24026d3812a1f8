"""The statistics service: every number that a report prints comes from here, as an estimate.

Each public name lives in a module of its own and is imported when it is first used, so that
``import cardio_core.stats`` costs nothing and needs no torch. No module bears the name of a public
function: importing the module would put it in the function's place.

Examples
--------
>>> from cardio_core import stats
>>> str(stats.proportion(24, 29, name="accuracy", unit="patient"))
'accuracy 0.828 (95 % CI 0.655 to 0.924; Wilson; n = 29 patients)'
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES: dict[str, str] = {
    # discrimination
    "auc": "roc",
    "bayes_auc": "bayes",
    "RocCurve": "roc",
    "roc_curve": "roc",
    "DelongCovariance": "delong",
    "delong_covariance": "delong",
    "delong_paired": "delong",
    "delong_unpaired": "delong",
    "auc_binormal": "published_auc",
    "hanley_mcneil": "published_auc",
    "hanley_mcneil_effective_n": "published_auc",
    "newcombe_auc": "published_auc",
    # resampling
    "bootstrap": "general_bootstrap",
    "bootstrap_auc": "auc_bootstrap",
    "bootstrap_auc_difference": "auc_bootstrap",
    "bootstrap_sums": "sums_bootstrap",
    # proportions and tables of classes
    "binomial_all_correct": "proportions",
    "proportion": "proportions",
    "EC57_FORGIVEN": "per_class",
    "PerClassTable": "per_class",
    "per_class_table": "per_class",
    "pr_auc": "average_precision",
    # agreement and errors of measured numbers
    "Agreement": "bland_altman",
    "cohen_kappa": "inter_rater",
    "correlation": "correlation_interval",
    "gaussian_constant_mae": "regression_error",
    "intraclass_correlations": "intraclass",
    "limits_of_agreement": "bland_altman",
    "regression_errors": "regression_error",
    # calibration and net benefit
    "CalibrationCurve": "smooth_calibration",
    "CalibrationMetrics": "calibration",
    "brier_scores": "calibration",
    "calibration_curve": "smooth_calibration",
    "calibration_in_the_large": "calibration",
    "calibration_metrics": "calibration",
    "calibration_slope": "calibration",
    "decision_curve": "decision_analysis",
    "expected_calibration_error": "calibration_error",
    "reclassification_index": "reclassification",
    "net_benefit": "decision_analysis",
    # decisions at a threshold
    "Threshold": "thresholds",
    "confusion_metrics": "decisions",
    "mcnemar": "discordance",
    "paired_proportions": "discordance",
    "decision_metrics": "thresholds",
    "threshold_metrics": "thresholds",
    "youden_threshold": "thresholds",
    # groups compared
    "GroupSummary": "means",
    "anova": "means",
    "pooled_mean_sd": "means",
    "ttest": "means",
    "ttest_codes": "means",
    "ttest_from_stats": "means",
    "chi2_2x2": "contingency",
    "chi2_p": "contingency",
    "chi2_rxc": "contingency",
    "fisher_exact": "contingency",
    "odds_ratio_2x2": "contingency",
    "kruskal_wallis": "rank_tests",
    "mann_whitney": "rank_tests",
    "ResultTable": "display",
    "TableOneChoices": "baseline_rows",
    "table_one": "baseline_table",
    # association
    "LogisticModel": "logistic",
    "fit_logistic": "logistic",
    "univariable": "association",
    "multivariable": "association",
    "incremental": "nested_models",
    "likelihood_ratio_test": "nested_models",
    "risk_difference": "linear_probability",
    "vif": "collinearity",
    # many tests, and models that saw their patients
    "adjust_p_values": "multiplicity",
    "benjamini_hochberg": "multiplicity",
    "bonferroni": "multiplicity",
    "holm": "multiplicity",
    "multiplicity_null": "multiplicity",
    "max_t_screen": "max_t",
    "optimism_bootstrap": "optimism",
    "permute_pipeline": "pipeline_permutation",
    "CountedCovariate": "noise_screen",
    "MeasuredCovariate": "noise_screen",
    "screening_noise": "noise_screen",
    # groups of patients, and studies to come
    "subgroup_audit": "subgroups",
    "n_for_auc": "planner",
    "n_for_paired_auc": "planner",
    "n_for_proportion": "planner",
    "power_paired_auc": "planner",
    # published numbers
    "AccuracyIdentity": "forensics.accuracy_identity",
    "check_acc_identity": "forensics.accuracy_identity",
    "grim": "forensics.summaries",
    "interval_level": "forensics.summaries",
    "linear_probability_se": "forensics.summaries",
    "se_from_or_ci": "forensics.summaries",
    "smallest_logistic_se": "forensics.summaries",
    "Printed": "forensics.printed",
    "printed": "forensics.printed",
    "PrintedOddsRatio": "forensics.table_search",
    "search_2x2": "forensics.table_search",
    "read_published": "forensics.runner",
    "run_checks": "forensics.runner",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
