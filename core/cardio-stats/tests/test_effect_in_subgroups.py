"""Odds ratios and AUCs in subgroups, and their interaction tests, against glm, anova and pROC."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import refuses
from cardio_stats import Estimate, auc_in_subgroups, effect_in_subgroups
from cardio_stats.errors import DataError

from .from_r import integers, oracle

# Made by oracles/subgroups.R with R 4.2.2, MASS 7.3-58.2 and pROC 1.18.0
R: dict[str, Any] = oracle("subgroups")


def rows() -> pd.DataFrame:
    """Make the rows that subgroups.R made, from integers alone."""
    u = integers(7, 300, 5)
    x, arm, sex = u[:, 0] % 1000 / 100, u[:, 1] % 2, u[:, 3] % 2
    return pd.DataFrame(
        {
            "x": x,
            "arm": np.array(["A", "B"])[arm],
            "age": 40 + u[:, 2] % 45,
            "sex": np.array(["F", "M"])[sex],
            "y": (u[:, 4] % 1000 < 200 + 40 * x * sex + 150 * arm).astype(int),
        }
    )


TABLE = rows()


def named(made: Any) -> dict[str, Estimate]:
    return {one.name: one for one in made.estimates}


def test_odds_ratios_and_their_interaction_agree_with_glm() -> None:
    assert (TABLE["y"].sum(), TABLE["x"].sum()) == (R["events"], pytest.approx(R["sum_x"]))
    made, lines = effect_in_subgroups(TABLE, "y", "arm", ["sex", "age:55:70"])
    found = named(made)
    expected = {"odds_ratio[arm=B]": R["all"]}
    expected |= {f"odds_ratio[arm=B][sex={k}]": v for k, v in R["arm_by_sex"].items()}
    bands = ("below 55", "55 to below 70", "70 and above")
    expected |= {
        f"odds_ratio[arm=B][age={band}]": v for band, v in zip(bands, R["arm_by_age"], strict=True)
    }
    for name, one in expected.items():
        assert (found[name].n, found[name].extra["n_events"]) == (one["n"], one["events"])
        assert found[name].value == pytest.approx(one["or"], rel=1e-7)
        # MASS interpolates the profile
        assert (found[name].low, found[name].high) == pytest.approx(
            (one["low"], one["high"]), rel=2e-3
        )
    for column, test in (("sex", R["test_arm_sex"]), ("age", R["test_arm_age"])):
        one = found[f"interaction_chi2[{column}]"]
        assert (one.value, one.extra["df"]) == (pytest.approx(test["chi2"], abs=1e-7), test["df"])
        assert one.p_value == pytest.approx(test["p"], abs=1e-8)
    assert [line.level for line in lines] == ["all", "", "F", "M", "", *bands]


def test_one_sd_of_everybody_is_the_step_in_every_subgroup() -> None:
    made, _ = effect_in_subgroups(TABLE, "y", "x", ["sex"], per_sd=True)
    found = named(made)
    for sex, one in R["x_by_sex"].items():
        assert found[f"odds_ratio[x][sex={sex}]"].value == pytest.approx(one["or"], rel=1e-7)
    assert found["interaction_chi2[sex]"].value == pytest.approx(R["test_x_sex"]["chi2"], abs=1e-7)
    assert "per SD (2.9" in made.columns[2]


def test_aucs_and_the_test_that_they_are_equal_agree_with_proc() -> None:
    made, _ = auc_in_subgroups(TABLE, "y", "x", ["sex", "age:55:70"])
    found = named(made)
    for sex in ("F", "M"):
        assert found[f"auc[sex={sex}]"].value == pytest.approx(
            R["auc_by_sex"]["auc"]["FM".index(sex)]
        )
    for column, one in (("sex", R["auc_by_sex"]), ("age", R["auc_by_age"])):
        assert found[f"equal_auc_chi2[{column}]"].value == pytest.approx(one["chi2"], abs=1e-9)
        assert found[f"equal_auc_chi2[{column}]"].p_value == pytest.approx(one["p"], abs=1e-9)
    assert found["interaction_chi2[sex]"].p_value == pytest.approx(R["test_x_sex"]["p"], abs=1e-8)


def test_a_subgroup_without_both_classes_is_named_and_not_estimated() -> None:
    table = TABLE.assign(sex=np.where(TABLE.index < 12, "X", TABLE["sex"]))
    table.loc[:11, "y"] = 0
    made, lines = effect_in_subgroups(table, "y", "arm", ["sex"])
    assert "sex=X: not estimated; 0 with and 12 without the event" in " ".join(made.notes)
    assert "sex: no test;" in " ".join(made.notes)
    assert lines[-1].estimate is None


@pytest.mark.parametrize(
    ("exposure", "by", "words"),
    [
        ("arm", ["x"], "expected at most 8 subgroups, found .*; cut a number, as in x:"),
        ("arm", ["age:200"], "expected two subgroups or more, found below 200 at 200"),
        ("arm", ["age:old"], "expected a column and numbers such as age:65, found old"),
        ("arm", ["arm"], "is both subgroup and exposure or target"),
        ("y", ["sex"], "is both target and exposure"),
        ("arm", [], "expected at least one column"),
    ],
)
def test_what_is_no_subgroup_is_refused(exposure: str, by: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        effect_in_subgroups(TABLE, "y", exposure, by)


def test_three_categories_have_no_one_odds_ratio() -> None:
    table = TABLE.assign(arm=np.array(["A", "B", "C"])[TABLE["age"] % 3])
    with refuses(DataError, "column 'arm'", "3", code="unsupported"):
        effect_in_subgroups(table, "y", "arm", ["sex"])
