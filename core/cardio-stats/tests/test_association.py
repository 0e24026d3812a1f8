"""Tables of regressions, nested tests and variance inflation, against R."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import refuses
from cardio_stats.errors import DataError
from cardio_stats.logistic import fit_logistic
from cardio_stats.regression_tables import (
    incremental,
    likelihood_ratio_test,
    model_chi2,
    multivariable,
    risk_difference,
    univariable,
    vif,
)

from .from_r import oracle

# Made by oracles/association.R with R 4.2.2
R: dict[str, Any] = oracle("association")
FEATURES = ["qrs_ms", "lvef_pct", "scar_pct", "age_y"]


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(R["data"])


def test_the_incremental_table_agrees_with_rs_analysis_of_deviance(table: pd.DataFrame) -> None:
    found = incremental(table, "y", ["qrs_ms"], ["scar_pct", "age_y"], ["lvef_pct"])
    added = [e for e in found.estimates if e.name.startswith("likelihood_ratio_chi2")]
    assert [e.value for e in added] == pytest.approx(R["added_chi2"], abs=1e-6)
    assert [e.p_value for e in added] == pytest.approx(R["added_p"], rel=1e-6)
    assert [e.extra["df"] for e in added] == R["added_df"]
    null = [e.value for e in found.estimates if e.name.startswith("model_chi2")]
    assert null == pytest.approx(R["null_chi2"], abs=1e-6)
    assert [float(row[6]) for row in found.rows] == pytest.approx(R["aic"], abs=0.05)


def test_variance_inflation_agrees_with_rs_regressions(table: pd.DataFrame) -> None:
    found = {estimate.name: estimate.value for estimate in vif(table, FEATURES)}
    assert found == pytest.approx({f"vif[{name}]": R["vif"][name] for name in FEATURES})


def test_models_of_different_rows_are_refused(table: pd.DataFrame) -> None:
    reduced = fit_logistic(table, "y", ["qrs_ms"])
    holes = table.assign(scar_pct=table["scar_pct"].where(table.index > 4))
    full = fit_logistic(holes, "y", ["qrs_ms", "scar_pct"])
    with refuses(DataError, "likelihood-ratio test", "90", "85", code="mismatch"):
        likelihood_ratio_test(reduced, full)


def test_equally_many_but_other_rows_are_refused(table: pd.DataFrame) -> None:
    first = fit_logistic(
        table.assign(qrs_ms=table["qrs_ms"].where(table.index > 4)), "y", ["qrs_ms"]
    )
    later = table.assign(scar_pct=table["scar_pct"].where(table.index < 85))
    with refuses(DataError, "likelihood-ratio test", code="mismatch"):
        likelihood_ratio_test(first, fit_logistic(later, "y", ["qrs_ms", "scar_pct"]))


def test_models_that_are_not_nested_are_refused(table: pd.DataFrame) -> None:
    with refuses(DataError, "likelihood-ratio test", code="mismatch"):
        likelihood_ratio_test(
            fit_logistic(table, "y", ["qrs_ms"]), fit_logistic(table, "y", ["scar_pct", "age_y"])
        )


def test_penalised_models_have_no_likelihood_ratio_test(table: pd.DataFrame) -> None:
    firth = fit_logistic(table, "y", ["qrs_ms"], method="firth")
    with refuses(DataError, "likelihood-ratio test", code="unsupported"):
        model_chi2(firth)
    with refuses(DataError, "likelihood-ratio test", code="unsupported"):
        likelihood_ratio_test(firth, fit_logistic(table, "y", ["qrs_ms", "scar_pct"]))
    with refuses(DataError, "AIC", code="unsupported"):
        _ = firth.aic


def test_incremental_uses_one_set_of_complete_rows_for_every_model(table: pd.DataFrame) -> None:
    holes = table.assign(scar_pct=table["scar_pct"].where(table.index > 9))
    found = incremental(holes, "y", ["qrs_ms"], ["scar_pct"])
    assert {estimate.n for estimate in found.estimates} == {80}
    assert {e.n_dropped for e in found.estimates if "chi2" in e.name} == {10}
    expected = incremental(table[10:], "y", ["qrs_ms"], ["scar_pct"])
    assert found.rows == expected.rows


def test_the_univariable_table_fits_each_column_on_its_own_rows(table: pd.DataFrame) -> None:
    holes = table.assign(scar_pct=table["scar_pct"].where(table.index > 9))
    found = univariable(holes, "y", ["qrs_ms", "scar_pct"])
    assert [row[1].split()[0] for row in found.rows] == ["90", "80"]
    alone = fit_logistic(holes, "y", ["scar_pct"]).odds_ratios[0]
    named = {estimate.name: estimate for estimate in found.estimates}
    assert named["odds_ratio[scar_pct]"] == alone
    assert named["odds_ratio_per_sd[scar_pct]"].value != alone.value


def test_the_multivariable_table_prints_the_fit_of_all_columns_together(
    table: pd.DataFrame,
) -> None:
    found = multivariable(table, "y", FEATURES)
    model = fit_logistic(table, "y", FEATURES)
    assert [row[0] for row in found.rows] == FEATURES
    assert found.estimates[: len(FEATURES)] == model.odds_ratios
    assert f"AIC {R['aic'][2]:.1f}" in " ".join(found.notes)


def test_a_separated_column_is_printed_with_firths_method_and_without_nan() -> None:
    table = pd.DataFrame({"y": [0, 0, 0, 0, 1, 1, 1, 1], "x": range(8)})
    found = univariable(table, "y", ["x"])
    assert found.rows[0][-1] == "Firth"
    text = multivariable(table, "y", ["x"]).to_text() + found.to_text()
    assert "nan" not in text.lower()
    assert "0.000" not in text


def test_the_risk_difference_of_a_binary_column_is_that_of_the_two_proportions() -> None:
    events, totals = np.array([54, 15]), np.array([75, 28])
    table = pd.DataFrame(
        {
            "y": np.concatenate(
                [np.repeat([1, 0], [k, n - k]) for k, n in zip(events, totals, strict=True)]
            ),
            "male": np.repeat([1, 0], totals),
        }
    )
    found = risk_difference(table, "y", ["male"])[0]
    p = events / totals
    assert found.value == pytest.approx(p[0] - p[1])
    # HC3 with leverage 1/n in each group: n p q / (n - 1)^2
    assert found.extra["se"] == pytest.approx(
        np.sqrt((totals * p * (1 - p) / (totals - 1) ** 2).sum())
    )
    assert found.name == "risk_difference[male]"
    assert "not an odds ratio" in found.note


def test_risk_differences_agree_with_statsmodels(table: pd.DataFrame) -> None:
    from statsmodels.api import OLS, add_constant

    columns = ["age_y", "qrs_ms"]
    found = risk_difference(table, "y", columns)
    whole = table[["y", *columns]].dropna()
    peer = OLS(whole["y"].astype(float), add_constant(whole[columns].astype(float))).fit()
    robust = peer.get_robustcov_results("HC3", use_t=True)
    for place, one in enumerate(found, start=1):
        said = (one.value, one.extra["se"], one.extra["se_classical"], one.p_value)
        expected = (robust.params[place], robust.bse[place], peer.bse.iloc[place],
                    robust.pvalues[place])  # fmt: skip
        assert said == pytest.approx(expected, rel=1e-8)
        assert (one.low, one.high) == pytest.approx(robust.conf_int()[place], rel=1e-8)
        assert one.extra["df"] == peer.df_resid


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda t: univariable(t, "y", []), "at least one column"),
        (lambda t: incremental(t, "y", ["qrs_ms"]), "at least one column to add"),
        (lambda t: vif(t.assign(a=t["qrs_ms"] * 2), ["qrs_ms", "a"]), "collinear"),
        (lambda t: vif(t.assign(a=1.0), ["qrs_ms", "a"]), "values that vary"),
        (lambda t: vif(t.head(2), ["qrs_ms", "age_y"]), "more rows"),
        (lambda t: risk_difference(t.assign(a=t["qrs_ms"]), "y", ["qrs_ms", "a"]), "collinear"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_one_line(
    table: pd.DataFrame, compute: Any, words: str
) -> None:
    with pytest.raises(DataError, match=words) as refusal:
        compute(table)
    assert "\n" not in str(refusal.value)


def awkward_tables() -> Iterator[tuple[int, pd.DataFrame]]:
    """Tables with ties, separation, collinearity, extreme units, skew and missing values."""
    rng = np.random.default_rng(3)
    for number in range(8):
        n = int(rng.integers(4, 30))
        y = rng.integers(0, 2, n).astype(float)
        table = pd.DataFrame(
            {
                "y": y,
                "unit": rng.normal(size=n) * 10.0 ** rng.integers(-6, 7),
                "codes": rng.integers(0, 3, n).astype(float),
                "outcome_again": y,
                "skew": rng.exponential(size=n) ** 4,
                "text": rng.choice(["u", "v", "w"], n),
            }
        )
        holes = rng.random((n, 2)) < 0.2
        table.loc[holes[:, 0], "unit"] = np.nan
        table.loc[holes[:, 1], "skew"] = np.nan
        yield number, table


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("number", "table"), list(awkward_tables()), ids=lambda v: str(v) if isinstance(v, int) else ""
)
def test_awkward_tables_are_fitted_or_refused_and_never_give_nan(
    number: int, table: pd.DataFrame
) -> None:
    columns = ["unit", "codes", "outcome_again", "skew", "text"]
    jobs = [lambda c=c: univariable(table, "y", [c]) for c in columns]
    jobs += [lambda c=c: multivariable(table, "y", ["codes", c]) for c in ("unit", "skew", "text")]
    for job in jobs:
        try:
            made = job()
        except DataError as refusal:
            assert "\n" not in str(refusal)
            continue
        assert "nan" not in made.to_text().lower()
        for estimate in made.estimates:
            numbers = [estimate.value, estimate.p_value, *estimate.extra.values()]
            assert np.isfinite([number for number in numbers if number is not None]).all()
            if estimate.low is not None and estimate.high is not None:
                assert estimate.low <= estimate.value <= estimate.high
