"""Every check of acceptance_stats.json, read from the file, through the public functions."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cardio_stats as stats
from cardio_stats import forensics
from cardio_stats.forensics.counts import Arithmetic

CHECKS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "acceptance_stats.json").read_text()
)
Inputs = dict[str, Any]


def chi2_2x2_yates(inputs: Inputs, check: Inputs) -> Inputs:
    found = stats.chi2_2x2(inputs["table"], yates=True)
    return {
        "chi2": found.extra["chi2"],
        "p": found.extra["p_chi2"],
        "p_uncorrected": found.extra["p_uncorrected"],
        "p_fisher": found.extra["p_fisher"],
        "min_expected": found.extra["min_expected"],
    }


def chi2_rxc(inputs: Inputs, check: Inputs) -> Inputs:
    found = stats.chi2_rxc(inputs["table"])
    return {"chi2": found.extra["chi2"], "p": found.p_value, "df": found.extra["df"]}


def groups_of(inputs: Inputs) -> list[Any]:
    return [stats.GroupSummary(inputs[f"m{g}"], inputs[f"sd{g}"], inputs[f"n{g}"]) for g in (1, 0)]


def ttest_from_stats_ddof0(inputs: Inputs, check: Inputs) -> Inputs:
    groups = groups_of(inputs)
    both = stats.pooled_mean_sd(groups, sd_ddof=inputs["sd_ddof"])

    def p(test: str, sd_ddof: int) -> Any:
        return stats.ttest_from_stats(*groups, test=test, sd_ddof=sd_ddof).p_value

    return {
        "p_student_ddof0": p("student", 0),
        "p_student_ddof1": p("student", 1),
        "p_welch_ddof1": p("welch", 1),
        "pooled_mean": both.mean,
        "pooled_sd_ddof0": both.sd,
    }


def ttest_from_stats_ddof1(inputs: Inputs, check: Inputs) -> Inputs:
    groups = groups_of(inputs)
    both = stats.pooled_mean_sd(groups, sd_ddof=inputs["sd_ddof"])
    student = stats.ttest_from_stats(*groups, test="student", sd_ddof=1)
    return {
        "t": student.extra["t"],
        "p_student": student.p_value,
        "p_welch": stats.ttest_from_stats(*groups, test="welch", sd_ddof=1).p_value,
        "pooled_mean": both.mean,
        "pooled_sd": both.sd,
    }


def ttest_codes(inputs: Inputs, check: Inputs) -> Inputs:
    found = stats.ttest_codes(inputs["table"])
    chi2 = stats.chi2_2x2(inputs["table"], yates=False)
    return {
        "t": found.extra["t"],
        "p": found.p_value,
        "p_chi2": chi2.extra["p_chi2"],
        "p_yates": chi2.extra["p_yates"],
        "p_fisher": chi2.extra["p_fisher"],
    }


def chi2_p(inputs: Inputs, check: Inputs) -> Inputs:
    return {"p": stats.chi2_p(inputs["stat"], inputs["df"]).p_value}


def logistic_binary(inputs: Inputs, check: Inputs) -> Inputs:
    cells = [
        inputs[f"{group}_{result}"]
        for group in ("exposed", "unexposed")
        for result in ("event", "none")
    ]
    table = pd.DataFrame(
        {"event": np.repeat([1, 0, 1, 0], cells), "exposed": np.repeat([1, 1, 0, 0], cells)}
    )
    found = stats.fit_logistic(table, "event", ["exposed"], interval="wald").odds_ratios[0]
    return {
        "OR": found.value,
        "lo": found.low,
        "hi": found.high,
        "p_wald": found.p_value,
        "se_log": found.extra["se"],
    }


def se_from_or_ci(inputs: Inputs, check: Inputs) -> Inputs:
    found = forensics.se_from_or_ci(inputs["lo"], inputs["hi"], level=inputs["level"])
    return {"se_log": found.value}


def multiplicity_null(inputs: Inputs, check: Inputs) -> Inputs:
    found = stats.multiplicity_null(
        inputs["m"], alpha=inputs["alpha"], k=inputs["k"], p_min=inputs["pmin"]
    )
    return {
        "p_ge_k": found.value,
        "expected": found.extra["n_expected"],
        "p_min_le": found.extra["p_min_or_smaller"],
        "bonferroni": found.extra["p_min_bonferroni"],
    }


def auc_binormal(inputs: Inputs, check: Inputs) -> Inputs:
    found = stats.auc_binormal(inputs["m1"], inputs["sd1"], inputs["m0"], inputs["sd0"])
    return {"auc": found.value}


def confusion_metrics(inputs: Inputs, check: Inputs) -> Inputs:
    found = stats.confusion_metrics(**inputs)
    return {
        "acc": found["accuracy"].value,
        "sens": found["sensitivity"].value,
        "spec": found["specificity"].value,
        "auc": found["balanced_accuracy"].value,
    }


def check_acc_identity(inputs: Inputs, check: Inputs) -> Inputs:
    found = forensics.check_acc_identity(**inputs)
    return {
        "implied_prevalence": found.implied_prevalence.value,
        "acc_expected": found.accuracy_expected.value,
        "feasible_pooled": found.feasible_pooled,
    }


def proportion(inputs: Inputs, check: Inputs) -> Inputs:
    wilson = stats.proportion(inputs["k"], inputs["n"])
    exact = stats.proportion(inputs["k"], inputs["n"], method="clopper-pearson")
    return {
        "p": wilson.value,
        "pct": 100 * wilson.value,
        "wilson": [wilson.low, wilson.high],
        "clopper_pearson": [exact.low, exact.high],
    }


def gaussian_constant_mae(inputs: Inputs, check: Inputs) -> Inputs:
    found = stats.gaussian_constant_mae(inputs["sd"]).value
    return {
        "mae_constant": found,
        "published_worse_than_constant": check["published"] > found,
    }


def hanley_mcneil_effective_n(inputs: Inputs, check: Inputs) -> Inputs:
    found = stats.hanley_mcneil_effective_n(
        inputs["auc"], inputs["lo"], inputs["hi"], inputs["prevalence"]
    )
    return {"se": found.extra["se"], "n_eff": found.value}


def mcnemar_exact(inputs: Inputs, check: Inputs) -> Inputs:
    return {"p": stats.mcnemar(inputs["b"], inputs["c"]).p_value}


def binomial_all_correct(inputs: Inputs, check: Inputs) -> Inputs:
    return {"prob": stats.binomial_all_correct(inputs["p"], inputs["n"]).value}


def hanley_mcneil_se(inputs: Inputs, check: Inputs) -> Inputs:
    found = stats.hanley_mcneil(inputs["auc"], inputs["n1"], inputs["n0"])
    return {"se": found.extra["se"], "ci": [found.low, found.high]}


def arithmetic(inputs: Inputs, check: Inputs) -> Inputs:
    """Paper 004, section 3: 91, 23 and 29 sequences, 11 shifts, 5 epochs; 89 patients twice."""

    def total(*terms: tuple[int, ...]) -> int:
        return Arithmetic(check="arithmetic", name="counts", terms=terms).total

    return {
        "train_aug": total((91, 11)),
        "train_aug_x5": total((91, 11, 5)),
        "val_aug": total((23, 11)),
        "total": total((91,), (23,), (29,)),
        "possible_sequences": total((89, 2)),
    }


FUNCTIONS: dict[str, Callable[[Inputs, Inputs], Inputs]] = {
    "chi2_2x2(yates=True)": chi2_2x2_yates,
    "chi2_rxc": chi2_rxc,
    "ttest_from_stats(student, sd_ddof=0)": ttest_from_stats_ddof0,
    "ttest_from_stats(student, sd_ddof=1)": ttest_from_stats_ddof1,
    "ttest_ind(0/1 coded, student)": ttest_codes,
    "chi2_sf": chi2_p,
    "logistic_univariable(binary)": logistic_binary,
    "se_from_or_ci": se_from_or_ci,
    "multiplicity_null": multiplicity_null,
    "auc_binormal": auc_binormal,
    "confusion_metrics": confusion_metrics,
    "check_acc_identity": check_acc_identity,
    "proportion": proportion,
    "gaussian_constant_mae": gaussian_constant_mae,
    "hanley_mcneil_effective_n": hanley_mcneil_effective_n,
    "mcnemar_exact": mcnemar_exact,
    "binomial_all_correct": binomial_all_correct,
    "hanley_mcneil_se": hanley_mcneil_se,
    "arithmetic": arithmetic,
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check["id"]))
def test_the_service_gives_the_expected_numbers(check: dict[str, Any]) -> None:
    found = FUNCTIONS[check["function"]](check["inputs"], check)
    for key, expected in check["expected"].items():
        if isinstance(expected, bool):
            assert found[key] is expected, key
        else:
            assert found[key] == pytest.approx(expected, rel=0, abs=check["abs_tol"]), key


# p-values of the 000 and 001 tables that the printed, rounded means and SDs do not give exactly
P_OF_MEANS = [check for check in CHECKS if check["function"].startswith("ttest_from_stats")]


@pytest.mark.parametrize("check", P_OF_MEANS, ids=lambda check: str(check["id"]))
def test_the_published_p_lies_within_the_rounding_of_the_published_means(
    check: dict[str, Any],
) -> None:
    from cardio_stats.forensics.tests import PrintedGroup, candidates_from_means

    inputs = check["inputs"]
    groups = [
        PrintedGroup(
            forensics.printed(f"{inputs[f'm{g}']:.1f}"),
            forensics.printed(f"{inputs[f'sd{g}']:.1f}"),
            inputs[f"n{g}"],
        )
        for g in (1, 0)
    ]
    candidates = {c.test: c for c in candidates_from_means(*groups)}
    divisor = "n" if inputs["sd_ddof"] == 0 else "n - 1"
    student = candidates[f"Student's t, SD divided by {divisor}"]
    assert student.gives(forensics.printed(f"{check['published']['p']:.3f}"))


P_OF_COUNTS = [
    check
    for check in CHECKS
    if "p" in check["expected"] and isinstance(check["published"], float)
    and not check["function"].startswith("proportion")
]  # fmt: skip


@pytest.mark.parametrize("check", P_OF_COUNTS, ids=lambda check: str(check["id"]))
def test_the_published_p_of_counts_is_the_computed_one_rounded(check: dict[str, Any]) -> None:
    found = FUNCTIONS[check["function"]](check["inputs"], check)
    assert forensics.printed(f"{check['published']:.3f}").holds(found["p"])


def test_the_file_holds_all_its_checks() -> None:
    assert len(CHECKS) == len({check["id"] for check in CHECKS}) == 88


def test_no_expected_number_stands_in_the_library() -> None:
    """Numbers of docstrings do not count; a constant of four decimals would be no accident."""
    library = Path(stats.__file__).parent
    constants = {
        node.value
        for path in library.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    }
    expected = {
        value
        for check in CHECKS
        for value in check["expected"].values()
        if isinstance(value, float) and abs(value - round(value, 3)) > 1e-4
    }
    assert not constants & expected
