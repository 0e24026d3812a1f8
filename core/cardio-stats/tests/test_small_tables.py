"""Small tables against R: limits by t, Fisher's simulated test, standardised differences, weights.

Oracle: core/cardio-stats/tests/oracles/small_tables.R, run with R 4.2.2,
sandwich 3.0.2 and lmtest 0.9.40.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_stats.agreement import limits_of_agreement, regression_errors
from cardio_stats.baseline_table import TableOneChoices, smd_of_counts, table_one
from cardio_stats.contingency import chi2_rxc, fisher_exact
from cardio_stats.regression_tables import risk_difference

from .from_r import oracle

R = oracle("small_tables")


def test_robust_limits_of_few_rows_are_those_of_t() -> None:
    found = risk_difference(pd.DataFrame(R["hc3"]["data"]), "y", ["qrs_ms", "male"])
    for place, estimate in enumerate(found):
        said = (estimate.value, estimate.extra["se"], estimate.p_value, estimate.low, estimate.high)
        expected = [R["hc3"][key][place] for key in ("estimate", "se", "p", "low", "high")]
        assert said == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("test", [chi2_rxc, fisher_exact])
def test_a_simulated_p_is_called_simulated_with_its_count_and_seed(test) -> None:
    found = test(R["fisher"]["counts"], seed=4)
    assert found.method == "Fisher-Freeman-Halton test, 100,000 simulated tables, seed 4"
    # its standard error is 0.0016 at most, R's is exact
    assert found.p_value == pytest.approx(R["fisher"]["p"], abs=0.007)


def a_table(**choices: object) -> object:
    asked = TableOneChoices("welch", "chi2", yates=False, ddof=1, **choices)  # type: ignore[arg-type]
    return table_one(pd.DataFrame(R["smd"]["data"]), "arm", None, choices=asked)


def test_standardised_differences_agree_with_r() -> None:
    made = a_table(smd=True)
    found = {e.name: e.value for e in made.estimates if e.name.startswith("smd")}
    assert found == pytest.approx({f"smd[{key}]": R["smd"][key] for key in ("lvef", "dm", "nyha")})
    assert made.columns[-1] == "SMD"
    assert [row[-1] for row in made.rows][:2] == [f"{R['smd'][key]:.3f}" for key in ("lvef", "dm")]
    assert any("3 p-values, not corrected" in note for note in made.notes)


def test_of_several_groups_the_mean_over_pairs_is_given() -> None:
    counts = [[30, 10], [20, 20], [10, 30]]
    pairs = [smd_of_counts([counts[i], counts[j]]).value for i, j in ((0, 1), (0, 2), (1, 2))]
    assert smd_of_counts(counts).value == pytest.approx(np.mean(pairs))


def test_the_reference_level_of_a_table_is_the_one_not_printed() -> None:
    assert a_table().rows[1][0] == "dm = 1, n (%)"
    assert a_table(reference={"dm": "1"}).rows[1][0] == "dm = 0, n (%)"


def test_a_simulated_p_is_named_in_table_1() -> None:
    counts = np.array(R["fisher"]["counts"])
    rows = [(a, b) for a, line in enumerate(counts) for b, n in enumerate(line) for _ in range(n)]
    table = pd.DataFrame(rows, columns=["arm", "class"])
    asked = TableOneChoices("welch", "fisher", yates=False, ddof=1)
    made = table_one(table, "arm", ["class"], choices=asked)
    assert made.rows[0][-1] == "Fisher, simulated"
    assert any("100,000 simulated tables, seed 0" in note for note in made.notes)


def test_a_patient_of_many_rows_weighs_no_more_than_another() -> None:
    rng = np.random.default_rng(2)
    truth, guess, patient = rng.normal(30, 6, 20), rng.normal(30, 6, 20), np.arange(20)
    often = np.r_[np.repeat(0, 60), np.arange(1, 20), 1]
    alike = regression_errors(
        truth[often], guess[often], patient=patient[often], weigh_clusters_alike=True
    )
    once = regression_errors(truth, guess)
    for name, estimate in once.items():  # rows repeated are one observation, seen more often
        assert alike[name].value == pytest.approx(estimate.value, rel=1e-9)
    bias = limits_of_agreement(truth[often], guess[often], patient=patient[often]).bias
    assert bias.value == pytest.approx(alike["bias"].value)
