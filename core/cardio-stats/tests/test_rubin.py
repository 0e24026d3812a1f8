"""Rubin's rules against mice's pool(), and multiple imputation by what it must recover."""

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import call_cardio, names, refuses
from cardio_stats import fit_logistic, imputed_tables, multivariable_imputed, pool_rubin
from cardio_stats.errors import DataError

from .from_r import oracle

# Made by oracles/rubin.R with R 4.2.2 and mice 3.15.0
R = oracle("rubin")


def agrees(found, printed):
    for index, row in enumerate(printed):
        assert found.estimate[index] == pytest.approx(row["estimate"], abs=1e-7)
        for own, name in (("within", "ubar"), ("between", "b"), ("total", "t"), ("df", "df"),
                          ("fmi", "fmi")):  # fmt: skip
            assert getattr(found, own)[index] == pytest.approx(row[name], rel=1e-5)


def test_pooled_linear_regressions_are_those_of_mice():
    sets = R["q"]
    agrees(pool_rubin([s["b"] for s in sets], [s["v"] for s in sets], df_complete=22), R["linear"])


def test_pooled_logistic_regressions_of_given_sets_are_those_of_mice():
    models = [fit_logistic(pd.DataFrame(rows), "hyp", ["bmi", "chl"]) for rows in R["sets"]]
    found = pool_rubin([m.coefficients for m in models], [m.se**2 for m in models], df_complete=22)
    assert found.m == 5
    agrees(found, R["logistic"][1:])
    low, high = found.limits(0.95)
    for index, row in enumerate(R["summary"][1:]):
        assert np.exp(low[index]) == pytest.approx(row["2.5 %"], abs=1e-5)
        assert np.exp(high[index]) == pytest.approx(row["97.5 %"], abs=1e-5)
        assert found.p_values()[index] == pytest.approx(row["p.value"], abs=1e-5)


def test_sets_that_agree_lose_no_information():
    found = pool_rubin([[1.0]] * 4, [[0.25]] * 4, df_complete=30)
    assert (found.total[0], found.fmi[0]) == (0.25, 0)
    assert found.df[0] == pytest.approx(31 / 33 * 30)
    assert np.isinf(pool_rubin([[1.0]] * 4, [[0.25]] * 4).df[0])


@pytest.mark.parametrize(
    ("estimates", "variances", "code"),
    [([[1.0]], [[0.1]], "mismatch"), ([[1.0], [2.0]], [[0.1]], "mismatch"),
     ([[1.0], [np.nan]], [[0.1]] * 2, "out_of_range"),
     ([[1.0], [2.0]], [[0.1], [-0.1]], "out_of_range")],
)  # fmt: skip
def test_what_cannot_be_pooled_is_refused(estimates, variances, code):
    with refuses(DataError, "Rubin's rules", code=code):
        pool_rubin(estimates, variances)


def study(seed, n=250):
    """Two correlated columns and a category; one column is missing more often where `a` is high."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = 0.6 * a + 0.8 * rng.normal(size=n)
    c = rng.choice(list("xyz"), n)
    y = rng.random(n) < 1 / (1 + np.exp(-(0.8 * a + 0.6 * b - 0.4 + 0.7 * (c == "y"))))
    table = pd.DataFrame({"y": y.astype(int), "a": a, "b": b, "c": c})
    table.loc[rng.random(n) < 1 / (1 + np.exp(-(a + 2 * y - 2))), "b"] = np.nan
    table.loc[rng.random(n) < 0.1, "c"] = None
    return table


def ratios(table, m=5, **more):
    made = multivariable_imputed(table, "y", ["a", "b", "c"], m=m, **more)
    return {e.name: e for e in made.estimates}, made


def test_only_values_that_occur_are_drawn_and_known_ones_stay():
    table = study(0)
    for made in imputed_tables(table, "y", ["a", "b", "c"], m=2):
        for name in ("a", "b", "c"):
            known = table[name].notna()
            assert (made[name][known] == table[name][known]).all()
            assert set(made[name]) <= set(table[name][known])


def test_pooled_coefficients_are_near_the_truth_where_values_are_missing_at_random():
    found = [ratios(study(seed))[0] for seed in range(8)]
    for name, truth in (("a", 0.8), ("b", 0.6), ("c=y", 0.7), ("c=z", 0.0)):
        own = [f[f"odds_ratio[{name}]"] for f in found]
        each = [e.extra["coefficient"] for e in own]
        assert np.mean(each) == pytest.approx(truth, abs=3 * np.std(each) / np.sqrt(8) + 0.05)
        assert sum(e.low <= np.exp(truth) <= e.high for e in own) >= 6


def test_every_patient_who_is_predicted_alike_may_lend_a_value():
    # the only other column has two values: hundreds are predicted the same
    table = pd.DataFrame({"y": [0, 1] * 200, "a": [*range(300), *[None] * 100],
                          "b": [1, 1, 2, 2] * 100})  # fmt: skip
    (first, _) = imputed_tables(table, "y", ["a", "b"], m=2)
    assert first["a"][300:].nunique() > 60


def test_the_same_seed_draws_the_same_and_another_draws_others():
    one, again, other = (ratios(study(1), seed=s)[0]["odds_ratio[b]"].value for s in (4, 4, 5))
    assert one == again != other


def test_rows_without_the_outcome_are_dropped_and_said():
    table = study(2)
    table["y"] = table["y"].astype(float)
    table.loc[:9, "y"] = np.nan
    found, made = ratios(table, m=2)
    assert (found["odds_ratio[a]"].n, found["odds_ratio[a]"].n_dropped) == (240, 10)
    assert "10 dropped for a missing outcome" in made.notes[0]
    assert found["odds_ratio[b]"].extra["n_missing"] == table["b"][10:].isna().sum()


def test_complete_tables_give_the_model_itself():
    table = study(3).dropna()
    found, _ = ratios(table, m=2)
    model = fit_logistic(table, "y", ["a", "b", "c"], interval="wald")
    assert found["odds_ratio[b]"].value == pytest.approx(model.odds_ratios[1].value)
    assert found["odds_ratio[b]"].extra["fmi"] == 0


def test_too_few_known_values_are_refused_by_name():
    table = study(4)
    table.loc[9:, "b"] = np.nan
    with refuses(DataError, "b", "10", code="too_few"):
        list(imputed_tables(table, "y", ["a", "b"]))


def test_the_command_imputes_and_does_not_pretend_to_validate_at_once(tmp_path):
    study(5).to_csv(tmp_path / "d.csv", index=False)
    words = ("stats", "multivariable", tmp_path / "d.csv", "--outcome", "y", "--features", "a,b,c",
             "--impute", "3")  # fmt: skip
    out = call_cardio(*words).stdout
    assert "missing values imputed" in out
    assert "drawn 3 times by chained equations" in out
    assert "give about as many imputations" in out
    said = call_cardio(*words, "--validate", "50")
    assert said.exit_code == 2
    assert names(said.stderr, "--validate", "--impute")
