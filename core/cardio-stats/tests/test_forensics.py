"""The arithmetic of published numbers, and the contradictions of the five papers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio_core.testing import refuses
from cardio_stats.errors import DataError
from cardio_stats.forensics.checks import ACCUSING, Check
from cardio_stats.forensics.formulas import (
    PrintedOddsRatio,
    check_acc_identity,
    grim,
    interval_level,
    linear_probability_se,
    printed,
    se_from_or_ci,
    search_2x2,
    smallest_logistic_se,
)
from cardio_stats.forensics.papers import (
    PaperFinding,
    checked_estimates,
    parse_published,
    read_published,
    run_checks,
)
from cardio_stats.forensics.tests import PrintedGroup, candidates_from_counts, candidates_from_means

PAPERS = Path(__file__).parents[3] / "docs/forensics/papers.yaml"


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 60), st.integers(1, 60))
def test_the_figures_of_one_table_are_never_called_infeasible(
    hits: int, rejections: int, misses: int, false_alarms: int
) -> None:
    events, others = hits + misses, rejections + false_alarms
    prevalence = events / (events + others)
    rates = [(hits + rejections) / (events + others), hits / events, rejections / others]
    figures = [round(rate, 3) for rate in rates]
    found = check_acc_identity(*figures, prevalence)
    assert found.feasible_pooled
    assert found.at_prevalence


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_feasibility_is_that_of_a_fine_search_over_prevalences(
    acc: float, sens: float, spec: float
) -> None:
    half = 0.005
    q = np.linspace(0, 1, 2001)
    centre = q * sens + (1 - q) * spec
    # the ranges of the three figures meet somewhere; the grid may miss a point by its step
    gap = np.abs(centre - acc).min()
    feasible = check_acc_identity(acc, sens, spec, half_steps=(half,) * 3).feasible_pooled
    if abs(gap - 2 * half) > 1e-3:
        assert feasible == (gap <= 2 * half)


def test_every_table_of_a_grid_is_found_again_from_its_printed_odds_ratio() -> None:
    rng = np.random.default_rng(0)
    for _ in range(8):
        a, b, c, d = rng.integers(3, 14, 4)
        log_or, se = math.log(a * d / (b * c)), math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
        texts = [f"{math.exp(log_or + z * se):.2f}" for z in (0, -1.959964, 1.959964)]
        n = int(a + b + c + d)
        found = search_2x2({"x": PrintedOddsRatio(*map(printed, texts))}, (n, n))
        tables = {(s.n_events, pair) for s in found for pair in s.tables["x"]}
        assert (int(a + c), (int(a), int(b))) in tables
        # the mirror: events for others, exposed for unexposed
        assert (int(b + d), (int(d), int(c))) in tables


def test_a_printed_p_is_traced_to_its_test() -> None:
    """Paper 000: Yates; paper 001: Student's t on 0/1 codes (methods pages 2.1 and 2.2)."""
    fitting = [
        c.test for c in candidates_from_counts([[37, 8], [51, 6]]) if c.gives(printed("0.443"))
    ]
    assert fitting == ["chi-square with Yates correction"]
    fitting = [
        c.test for c in candidates_from_counts([[36, 10], [22, 3]]) if c.gives(printed("0.318"))
    ]
    assert fitting == ["Student's t on 0/1 codes"]


def test_the_range_of_p_within_rounding_holds_the_p_of_any_unrounded_data() -> None:
    rng = np.random.default_rng(4)
    from scipy.stats import ttest_ind

    for _ in range(20):
        x, y = rng.normal(60, 12, 40), rng.normal(64, 14, 30)
        groups = [
            PrintedGroup(printed(f"{v.mean():.1f}"), printed(f"{v.std(ddof=1):.1f}"), v.size)
            for v in (x, y)
        ]
        for candidate in candidates_from_means(*groups):
            if candidate.test == "Student's t, SD divided by n - 1":
                assert candidate.p_low <= ttest_ind(x, y).pvalue <= candidate.p_high


@given(st.integers(1, 200), st.integers(0, 200))
def test_a_share_of_whole_patients_always_passes_grim(n: int, k: int) -> None:
    assert grim(printed(f"{min(k, n) / n:.3f}"), n).possible


def test_printed_numbers_keep_their_digits() -> None:
    assert (printed("0.60").low, printed("0.6").low) == pytest.approx((0.595, 0.55))
    assert printed(83).half_step == 0
    assert printed("83").half_step == 0.5
    assert printed("<0.001").holds(0.0)
    for wrong in (0.6, "0.6%", True, "abc"):
        with pytest.raises(ValueError, match=r"quotes|expected a number"):
            printed(wrong)


def test_standard_errors_and_levels_follow_from_intervals() -> None:
    assert se_from_or_ci(math.exp(-1.959964), math.exp(1.959964)).value == pytest.approx(
        1, abs=1e-6
    )
    assert interval_level(0, 2 * 1.644854, 1).value == pytest.approx(0.90, abs=1e-6)


def test_no_logistic_fit_has_a_smaller_error_than_the_bound() -> None:
    """Checked on fitted models; the methods page gives 0.44 for men in paper 000."""
    import pandas as pd

    from cardio_stats.logistic import fit_logistic

    rng = np.random.default_rng(2)
    for _ in range(5):
        x = np.repeat([1, 0], [75, 28])
        y = (rng.random(103) < 0.5 + 0.2 * (x - 0.5)).astype(int)
        model = fit_logistic(pd.DataFrame({"x": x, "y": y}), "y", ["x"], interval="wald")
        assert model.se[0] >= smallest_logistic_se(103, 75).value - 1e-9
    assert smallest_logistic_se(103, 75).value == pytest.approx(0.44, abs=0.005)
    assert linear_probability_se(103, 69, 75).value == pytest.approx(0.104, abs=0.0006)


@pytest.fixture(scope="module")
def findings() -> list[PaperFinding]:
    return run_checks(read_published(PAPERS))


def sentence_about(findings: list[PaperFinding], paper: str, name: str, where: str = "") -> str:
    hits = [f for f in findings if (f.paper, f.name) == (paper, name) and where in f.where]
    assert len(hits) == 1, (paper, name)
    return f"{hits[0].finding.verdict}: {hits[0].sentence()}"


# The methods pages, sections 2.1 to 2.5: what each paper's numbers contradict
EXPECTED = [
    ("He 2022", "end-systolic volume, ml", "", "impossible", "270.5 and 307.5 (text)"),
    ("He 2022", "CKD", "", "note", "Fisher's exact p is 0.652"),
    ("He 2022", "ischaemia", "", "agrees", "chi-square with Yates correction."),
    ("He 2022", "NYHA class", "", "agrees", "p 0.330 fits chi-square."),
    ("He 2022", "univariable tests", "", "not reproduced", "QRS duration p 0.001"),
    ("He 2022", "patients enrolled", "", "note", "104 (Methods), 103 (abstract)"),
    ("He 2022", "univariable odds ratios", "", "not reproduced",
     "n = 103 with 34 events and n = 103 with 69 events only"),
    ("He 2022", "univariable odds ratios", "", "not reproduced",
     "ACEI 61|28; CAD 16|9; male 54|21; smoker 28|9"),
    ("He 2022", "gender, multivariable", "", "impossible", "standard error of 0.105"),
    ("He 2022", "gender, multivariable", "", "impossible", "risk difference"),
    ("He 2022", "AE 30 over PSD", "", "agrees", "p 0.00453"),
    ("He 2022", "64 autoencoder features", "", "note", "probability 0.63"),
    ("He 2022", "64 autoencoder features", "", "note", "Bonferroni's p is 0.384"),
    ("He 2022", "model with AE 30", "", "note", "0.62 to 0.82"),
    ("He 2022", "Butterworth filter", "", "note", "removes nothing"),
    ("He 2023", "hypertension", "", "note", "p 0.762 fits Student's t on 0/1 codes."),
    ("He 2023", "scar", "", "impossible", "pool to 26.30 ± 12.10"),
    ("He 2023", "ResNet-50, transfer", "Table 2", "unlikely", "probability 0.003"),
    ("He 2023", "ResNet-101", "", "agrees", "over 5 folds"),
    ("He 2023", "ResNet-101, transfer", "", "agrees", "over 5 folds"),
    ("He 2023", "random forest", "", "not reproduced", "11 of 19"),
    ("He 2023", "LBBB alone", "", "note", "accuracy 0.789"),
    ("He 2023", "short-time Fourier transform", "", "not reproduced", "below 50.6 beats/min"),
    ("He 2023", "short-time Fourier transform", "", "not reproduced", "346 samples"),
    ("He 2023", "window", "", "note", "Hanning"),
    ("He 2023", "recordings in MIT-BIH", "", "note", "109000"),
    ("Hagio 2022", "unit of the flow reserve below 2.0", "", "note", "ml/g/min"),
    ("Hagio 2022", "deep learning against logistic regression for sex", "", "note", "0.85"),
    ("Hagio 2022", "sex", "", "agrees", "0.72 to 0.90"),
    ("Sahashi 2024", "number of studies", "", "impossible", "2,566"),
    ("Sahashi 2024", "T1 of 1060 ms or more", "", "impossible", "25.6 in Table 1"),
    ("Sahashi 2024", "ECV of 33 % or more", "", "impossible", "21.4 in Table 1"),
    ("Sahashi 2024", "wall motion, A4C", "", "not reproduced", "independent patients"),
    ("Sahashi 2024", "wall motion, global", "", "agrees", "independent patients"),
    ("Sahashi 2024", "bootstrap function", "", "note", "a 90 % interval"),
    ("Sahashi 2024", "T2", "", "note", "no better than a constant"),
    ("Sahashi 2024", "T1", "", "agrees", "57.5"),
    ("Saiz-Vivo 2023", "training images", "", "agrees", "= 5005"),
    ("Saiz-Vivo 2023", "validation images", "", "agrees", "augmented too"),
    ("Saiz-Vivo 2023", "number of patients", "", "agrees", "143 (split), 89 (cohort)"),
    ("Saiz-Vivo 2023", "crop against full image", "", "note", "p is 0.0625"),
    ("Saiz-Vivo 2023", "crop", "LACNet", "note", "0.065"),
    ("Saiz-Vivo 2023", "crop", "LDA", "note", "0.166"),
    ("Saiz-Vivo 2023", "accuracy of the full image", "", "agrees", "64.2 to 94.2"),
    ("Saiz-Vivo 2023", "septal flash at 30 frames/s", "", "note", "1.8 steps"),
]  # fmt: skip


@pytest.mark.parametrize(("paper", "name", "where", "verdict", "words"), EXPECTED)
def test_the_run_on_the_papers_finds_what_the_methods_pages_found(
    findings: list[PaperFinding], paper: str, name: str, where: str, verdict: str, words: str
) -> None:
    if (paper, name) == ("He 2023", "ResNet-50, transfer"):
        findings = [f for f in findings if "SD of" not in f.finding.sentence]
    sentence = sentence_about(findings, paper, name, where)
    assert sentence.startswith(verdict)
    assert words in sentence


def test_the_four_table_1_odds_ratios_all_differ_from_table_2(
    findings: list[PaperFinding],
) -> None:
    differing = [
        f
        for f in findings
        if f.finding.verdict == "not reproduced" and "the counts give" in f.sentence()
    ]
    assert len(differing) == 4
    assert sum("points the other way" in f.sentence() for f in differing) == 1


def test_all_fold_sds_below_chance_and_shares_of_no_patient_are_found(
    findings: list[PaperFinding],
) -> None:
    sentences = " ".join(f.sentence() for f in findings if f.paper == "He 2023")
    assert "independent patients give 0.120" in sentences
    assert "0.038 is no share of 25 patients; it would be 1/26" in sentences
    assert "at least 0.480" in sentences


def test_every_finding_is_a_sentence_and_its_estimates_are_named_by_paper(
    findings: list[PaperFinding],
) -> None:
    for found in findings:
        assert found.sentence().endswith(".")
        assert "nan" not in found.sentence().lower()
    listed = checked_estimates(findings)
    assert sum(estimate.unit == "check" for estimate in listed) == len(findings)
    wrong = [e for e in listed if e.unit == "check" and e.value == 1]
    assert len(wrong) == sum(f.finding.verdict in ACCUSING for f in findings)
    names = [estimate.name for estimate in listed]
    assert "p_at_least_k_significant[He 2022: 64 autoencoder features]" in names


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"papers": [{"id": "x", "checks": [{"check": "p_of_chi2", "name": "a", "chi2": 8.06,
                                             "df": 1, "p": "0.005"}]}]}, "in quotes"),
        ({"papers": [{"id": "x", "checks": [{"check": "nonsense", "name": "a"}]}]}, "nonsense"),
        ({"papers": [{"id": "x", "checks": [], "extra": 1}]}, "extra"),
        ([], "papers|dictionary|valid"),
    ],
)  # fmt: skip
def test_a_file_outside_the_schema_is_refused_with_its_place(content: Any, words: str) -> None:
    with pytest.raises(DataError, match=words) as refusal:
        parse_published(content, "numbers.yaml")
    assert str(refusal.value).startswith("numbers.yaml")
    assert "\n" not in str(refusal.value)


def test_a_missing_or_broken_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with refuses(DataError, "none.yaml", code="missing"):
        read_published(tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("papers: [")
    with refuses(DataError, "broken.yaml", code="damaged") as refusal:
        read_published(broken)
    assert "\n" not in str(refusal.value)


def test_numbers_that_a_check_cannot_use_are_named_with_their_place() -> None:
    content = {
        "papers": [
            {"id": "x", "checks": [{"check": "discordant", "where": "Table 9", "name": "a",
                                    "only_first": 0, "only_second": 0}]}
        ]
    }  # fmt: skip
    with refuses(DataError, "9"):
        run_checks(parse_published(content, "numbers.yaml"))


@pytest.mark.parametrize(
    "compute",
    [
        lambda: check_acc_identity(1.2, 0.5, 0.5),
        lambda: se_from_or_ci(0, 2),
        lambda: interval_level(2, 1, 1),
        lambda: grim(printed("0.5"), 0),
        lambda: smallest_logistic_se(10, 10),
        lambda: linear_probability_se(10, 0, 5),
        lambda: search_2x2({}, (10, 20)),
    ],
)
def test_impossible_inputs_are_refused(compute: Any) -> None:
    with pytest.raises(DataError):
        compute()


def test_every_kind_of_check_and_every_field_is_documented() -> None:
    from typing import get_args

    from cardio_stats.forensics.papers import AnyCheck

    rows = {
        line.split("`")[1]: line
        for line in (PAPERS.parent / "README.md").read_text().splitlines()
        if line.startswith("|`")
    }
    kinds = get_args(get_args(AnyCheck)[0])
    assert len(rows) == len(kinds)
    for kind in kinds:
        [name] = get_args(kind.model_fields["check"].annotation)
        own = set(kind.model_fields) - set(Check.model_fields) - {"check"}
        assert not {field for field in own if f"`{field}`" not in rows[name]}, name
