"""How numbers, units and names are written in a report."""

from __future__ import annotations

import math
import re
from datetime import datetime

NARROW_SPACE = "\u202f"
MINUS = "\u2212"
DASH = "\u2013"

METRICS = {
    "accuracy": "Accuracy",
    "accuracy_difference": "Accuracy, difference",
    "auc": "AUC",
    "auc_difference": "AUC, difference",
    "auc_at": "AUC at the horizon",
    "average_precision": "Average precision",
    "balanced_accuracy": "Balanced accuracy",
    "base_rate": "Share with the event",
    "brier": "Brier score",
    "brier_at": "Brier score at the horizon",
    "brier_difference": "Brier score, difference",
    "scaled_brier": "Scaled Brier score",
    "scaled_brier_at": "Index of prediction accuracy (IPA) at the horizon",
    "harrell_c": "Harrell's C",
    "uno_c": "Uno's C",
    "observed_over_expected_at": "Observed over expected at the horizon",
    "calibration_slope_at": "Calibration slope (Cox)",
    "ici_at": "Integrated calibration index (ICI) at the horizon",
    "e50_at": "Median calibration error (E50) at the horizon",
    "e90_at": "90th percentile of calibration error (E90) at the horizon",
    "net_benefit_at": "Net benefit at the horizon",
    "youden": "Youden index",
    "c_index": "Concordance",
    "conformal_coverage": "Coverage of prediction sets",
    "conformal_coverage_pooled": "Coverage, were sets calibrated on all classes together",
    "empty_sets": "Empty prediction sets",
    "sets_of_several": "Undecided prediction sets",
    "mean_set_size": "Mean set size",
    "interval_half_width": "Half width of prediction intervals",
    "mean_error": "Mean error, measured less predicted",
    "calibration_in_the_large": "Calibration in the large",
    "bias": "Bias, predicted less measured",
    "calibration_intercept": "Calibration intercept",
    "calibration_slope": "Calibration slope",
    "ccc": "Concordance correlation (Lin)",
    "ece": "Expected calibration error",
    "oe_ratio": "Observed over expected (O:E)",
    "ici": "Integrated calibration index (ICI)",
    "e50": "Median calibration error (E50)",
    "e90": "90th percentile of calibration error (E90)",
    "emax": "Largest calibration error (Emax)",
    "f1": "F1",
    "fpr": "False-positive rate",
    "idi": "Integrated discrimination improvement (IDI)",
    "kappa": "Cohen's κ",
    "likelihood_ratio_added": "Likelihood ratio χ² of adding the first to the second",
    "log_score_difference": "Mean log score, difference",
    "loa_lower": "Lower limit of agreement",
    "loa_upper": "Upper limit of agreement",
    "macro_f1": "Macro F1",
    "macro_f1_difference": "Macro F1, difference",
    "macro_ppv": "Macro +P",
    "macro_sensitivity": "Macro Se",
    "mae": "Mean absolute error",
    "mae_difference": "Mean absolute error, difference",
    "mae_constant": "Mean absolute error, constant predictor",
    "multiclass_auc": "AUC of all classes (Hand and Till)",
    "pearson_r": "Correlation r",
    "pearson_r2": "Squared correlation r²",
    "net_benefit": "Net benefit",
    "net_benefit_over_everybody": "Net benefit, gain over treating everybody",
    "net_benefit_difference": "Net benefit, difference",
    "nri": "Net reclassification (NRI), continuous",
    "rmse": "Root mean squared error",
    "sd_of_differences": "SD of the differences",
    "npv": "Negative predictivity",
    "ppv": "Positive predictivity (+P)",
    "r2": "R² (1 − SSE/SST)",
    "sensitivity": "Sensitivity (Se)",
    "specificity": "Specificity",
    "support": "Reference count",
}
"""Names of metrics in words; any other is written as it is, without underscores."""

ESTIMATES = METRICS | {
    "discrimination_d": "Discrimination D",
    "equal_auc_chi2": "Equal AUC, chi-square",
    "interaction_chi2": "Interaction, chi-square",
    "likelihood_ratio_chi2": "Likelihood ratio chi-square",
    "log_rank_chi2": "Log-rank chi-square",
    "model_chi2": "Model chi-square",
    "partial_auc_corrected": "Partial AUC, corrected",
    "proportional_hazards_chi2": "Proportional hazards, chi-square",
    "vif": "VIF",
}
"""Names of estimates in words: metrics, and those that no run stores."""

COUNTS = frozenset({"support", "n", "n_positive", "n_negative"})
"""Metrics that are counts: whole numbers, and no difference between protocols."""

PROTOCOLS = ("honest", "paper")

_CAPITALS = frozenset({"auc", "crt", "ecg", "mae", "pr", "q", "qrs", "roc", "rr", "sd", "u"})

_PLURALS = {"study": "studies", "person": "people"}


def metric_words(name: str, class_name: str | None = None) -> str:
    """Return the name of a metric in words.

    Examples
    --------
    >>> metric_words("sensitivity_V", "V"), metric_words("time_to_peak")
    ('Sensitivity (Se)', 'Time to peak')
    """
    bare = name.removesuffix(f"_{class_name}") if class_name else name
    return METRICS.get(bare, title_words(bare))


def estimate_words(name: str) -> str:
    """Return the name of an estimate in words; a column's name in brackets stays as it is.

    Examples
    --------
    >>> estimate_words("auc_difference[risk_1 - qrs_ms]"), estimate_words("icc_2_1")
    ('AUC, difference [risk_1 - qrs_ms]', 'ICC(2,1)')
    >>> estimate_words("auc_at[365]")
    'AUC at 365'
    """
    stem, bracket, inside = name.partition("[")
    if stem.startswith("icc_"):
        return f"ICC({','.join(stem.split('_')[1:])})"
    words = ESTIMATES.get(stem, title_words(stem))
    if bracket and stem.endswith("_at"):
        place = words.removesuffix(" the horizon").removesuffix(" at")
        return f"{place} at {inside.removesuffix(']')}"
    return f"{words} {bracket}{inside}".strip()


def title_words(name: str) -> str:
    """Return an identifier as a title: underscores and hyphens are spaces, the first letter large.

    Examples
    --------
    >>> title_words("by-class_resnet18"), title_words("roc-V")
    ('By class resnet18', 'ROC V')
    """
    parts = re.split(r"[-_ ]+", name)
    words = " ".join(p.upper() if p in _CAPITALS else p for p in parts).strip()
    return words[:1].upper() + words[1:]


def number(value: float | None, *, signed: bool = False, like: float | None = None) -> str:
    """Return a number with the digits that a table needs, a true minus and narrow thousands.

    Three decimals below 10, fewer above, as `like` has them where it is given; a small number
    keeps two digits instead of becoming 0.

    Examples
    --------
    >>> number(0.8125), number(-12.345), number(1234.5), number(0.00012), number(0.2, signed=True)
    ('0.812', '−12.35', '1\u202f234', '0.00012', '+0.200')
    """
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    scale = size if like is None else abs(like)
    decimals = 3 if scale < 10 else 2 if scale < 100 else 1 if scale < 1000 else 0
    if 0 < size < 0.5 * 10**-decimals:
        text = f"{value:.2g}"
        text = f"{value:.{2 - math.floor(math.log10(size)) - 1}f}" if size >= 1e-7 else text
    else:
        text = f"{value:,.{decimals}f}".replace(",", NARROW_SPACE)
    if signed and not text.startswith("-") and float(value) != 0:
        text = "+" + text
    return text.replace("-", MINUS)


def count(n: int) -> str:
    """Return a whole number with narrow spaces between thousands.

    Examples
    --------
    >>> count(49690)
    '49\u202f690'
    """
    return f"{n:,}".replace(",", NARROW_SPACE)


def counted(n: int, unit: str) -> str:
    """Return a count with its unit.

    Examples
    --------
    >>> counted(1, "patient"), counted(3, "study"), counted(2, "beat")
    ('1 patient', '3 studies', '2 beats')
    """
    plural = unit if n == 1 else _PLURALS.get(unit, f"{unit}s")
    return f"{count(n)} {plural}"


def p_text(p: float | None) -> str:
    """Return a p-value, never as 0 or 1.

    Examples
    --------
    >>> p_text(0.0), p_text(0.0312), p_text(0.99999)
    ('<0.001', '0.031', '>0.999')
    """
    if p is None:
        return DASH
    if p < 0.001:
        return "<0.001"
    return ">0.999" if p > 0.9995 else f"{p:.3f}"


def level_words(level: float | None) -> str:
    """Return a coverage in percent.

    Examples
    --------
    >>> level_words(0.95), level_words(0.999)
    ('95 %', '99.9 %')
    """
    return DASH if level is None else f"{100 * level:.10g} %"


def duration(seconds: float) -> str:
    """Return a time span in words.

    Examples
    --------
    >>> duration(4.26), duration(95), duration(7380)
    ('4.3 s', '1 min 35 s', '2 h 3 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def span(started: str | None, finished: str | None) -> str | None:
    """Return the time between two ISO times in words, None where one is missing or no time."""
    try:
        begin, end = (datetime.fromisoformat(str(text)) for text in (started, finished))
        return duration((end - begin).total_seconds())
    except (TypeError, ValueError):
        return None


def moment(text: str) -> str:
    """Return an ISO time to the minute; what is no time stays as it is.

    Examples
    --------
    >>> moment("2026-11-21T03:10:04+00:00")
    '2026-11-21 03:10 UTC'
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{parsed:%Y-%m-%d %H:%M} {parsed.tzname() or ''}".strip()


def listed(items: list[str]) -> str:
    """Return items as a list in a sentence.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
