"""Repeated measurements against lme4 and nlme, and what is said of models that cannot be fitted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import call_cardio, refuses
from cardio_stats import Estimate, mixed_model
from cardio_stats.errors import DataError

from .from_r import integers, oracle

# Made by oracles/mixed.R with R 4.2.2, lme4 1.1-31 and nlme 3.1-162
R: dict[str, Any] = oracle("mixed")


def visits() -> pd.DataFrame:
    """Make the rows that mixed.R made, from integers alone."""
    u = integers(5, 200, 5)
    who, month = u[:, 0] % 40, 3 * (u[:, 1] % 5)
    noise = (u[:, 2:] % 1000).sum(axis=1) / 300
    y = 30 + (who * 7) % 11 + month * ((who * 5) % 7 + who % 3) / 10 + noise
    arm = np.array(["A", "B", "C"])[who % 3]
    return pd.DataFrame({"id": [f"p{i}" for i in who], "month": month, "arm": arm, "y": y})


TABLE = visits()


def named(made: Any) -> dict[str, Estimate]:
    return {one.name: one for one in made.estimates}


def effects(made: Any) -> list[Estimate]:
    return [one for one in made.estimates if one.name.startswith("effect[")]


def test_a_level_of_each_patient_agrees_with_lme4_and_nlme() -> None:
    assert (TABLE["id"].nunique(), TABLE["y"].sum()) == (R["n_patients"], pytest.approx(R["sum_y"]))
    made = mixed_model(TABLE, "y", ["month", "arm", "month:arm"], "id")
    expected, found = R["intercept"], effects(made)
    assert [one.value for one in found] == pytest.approx(expected["effect"], rel=1e-5)
    assert [one.extra["se"] for one in found] == pytest.approx(expected["se"], rel=1e-5)
    # nlme counts the rows for the intercept
    assert [one.extra["df"] for one in found[1:]] == expected["df"][1:]
    assert [one.p_value for one in found[1:]] == pytest.approx(expected["p"][1:], rel=2e-4)
    between, residual = expected["sd"]
    parts = named(made)
    assert parts["sd_between"].value == pytest.approx(between, rel=1e-5)
    assert parts["sd_residual"].value == pytest.approx(residual, rel=1e-5)
    share = between**2 / (between**2 + residual**2)
    assert parts["icc"].value == pytest.approx(share, rel=2e-5)
    assert (found[0].n, found[0].unit) == (39, "patient")
    assert found[1].low == pytest.approx(
        expected["effect"][1] - 1.97509 * expected["se"][1], abs=1e-5
    )


def test_a_slope_of_each_patient_agrees_with_lme4() -> None:
    made = mixed_model(TABLE, "y", ["month", "arm"], "id", slope="month")
    expected, found, parts = R["slope"], effects(made), named(made)
    assert [one.value for one in found] == pytest.approx(expected["effect"], rel=1e-4)
    assert [one.extra["se"] for one in found] == pytest.approx(expected["se"], rel=1e-4)
    names = ["sd_between", "sd_slope[month]", "correlation[month]", "sd_residual"]
    assert [parts[name].value for name in names] == pytest.approx(expected["sd"], rel=1e-3)
    # a slope that differs between patients is known as well as there are patients
    assert found[1].extra["df"] == R["n_patients"] - 1
    assert "icc" not in parts


def test_units_and_zeros_of_columns_change_nothing_else() -> None:
    plain = named(mixed_model(TABLE, "y", ["month"], "id", slope="month"))
    turned = TABLE.assign(month=TABLE["month"] * 30.4 + 2000, y=TABLE["y"] * 1000)
    moved = named(mixed_model(turned, "y", ["month"], "id", slope="month"))
    assert moved["effect[month]"].value == pytest.approx(
        plain["effect[month]"].value * 1000 / 30.4, rel=1e-4
    )
    assert moved["effect[month]"].p_value == pytest.approx(plain["effect[month]"].p_value, rel=1e-2)
    assert moved["sd_residual"].value == pytest.approx(plain["sd_residual"].value * 1000, rel=1e-3)


def test_patients_who_do_not_differ_are_told() -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"id": np.repeat(np.arange(30), 4), "x": np.tile(np.arange(4.0), 30)})
    table["y"] = np.tile([1.0, -1.0, 1.0, -1.0], 30) + rng.normal(0, 0.1, 120)
    made = mixed_model(table, "y", ["x"], "id")
    assert named(made)["icc"].value < 1e-3
    assert any("The variance between patients is 0" in note for note in made.notes)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"columns": ["month", "y"]}, "'y': is named twice"),
        ({"columns": ["month:arm"]}, "'month' is not; name it too: month,month:arm"),
        ({"columns": ["arm"], "slope": "month"}, "has a slope of each patient, but no effect"),
        ({"columns": ["arm"], "slope": "arm"}, "expected numbers for a slope, found categories"),
        ({"columns": ["born"], "slope": "born"}, "expected values that change within patients"),
        ({"columns": ["month", "days"]}, "'days': expected an independent column"),
        ({"columns": ["one"]}, "'one': expected values that vary, found 1"),
        ({"columns": ["month"], "patient": "arm"}, "at least 5 patients .*, found 3"),
        (
            {"columns": ["month"], "patient": "row"},
            "found one each .200.; there is nothing repeated",
        ),
    ],
)
def test_what_is_no_repeated_measurement_is_refused(given: dict[str, Any], words: str) -> None:
    table = TABLE.assign(
        days=TABLE["month"] * 30, one=1, row=range(200), born=TABLE["id"].str[1:].astype(int)
    )
    with pytest.raises(DataError, match=words):
        mixed_model(table, "y", patient=given.pop("patient", "id"), **given)


def test_no_convergence_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from cardio_stats import mixed_models as restricted_likelihood

    monkeypatch.setattr(restricted_likelihood, "MOST_STEPS", 1)
    with refuses(DataError, "mixed model", "200", code="degenerate"):
        mixed_model(TABLE, "y", ["month"], "id", slope="month")


def test_the_likelihood_is_that_of_statsmodels() -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM

    fixed = np.column_stack([np.ones(200), TABLE["month"]])
    peer = MixedLM(TABLE["y"].to_numpy(), fixed, groups=TABLE["id"].to_numpy()).fit(reml=True)
    found = named(mixed_model(TABLE, "y", ["month"], "id"))
    assert found["effect[month]"].value == pytest.approx(peer.fe_params[1], rel=1e-4)
    # its errors come from the curvature of the likelihood, ours and lme4's from X'V⁻¹X
    assert found["effect[month]"].extra["se"] == pytest.approx(peer.bse_fe[1], rel=2e-3)
    assert found["sd_residual"].value == pytest.approx(peer.scale**0.5, rel=1e-4)


def test_the_command_prints_effects_sds_and_what_was_left_out(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    TABLE.assign(y=TABLE["y"].where(TABLE.index != 3)).to_csv(path, index=False)
    words = ["stats", "mixed", path, "--outcome", "y", "--columns", "month,arm", "--patient", "id"]
    said = call_cardio(*words, "--reference", "arm=C")
    assert said.exit_code == 0, said.stderr
    for text in ("arm=A", "SD between patients", "ICC", "1 rows dropped", "Reference: arm=C."):
        assert text in said.stdout
    found = json.loads(call_cardio(*words, "--json").stdout)
    assert found[0]["name"] == "effect[intercept]"
    refused = call_cardio(*words, "--slope", "week")
    assert (refused.exit_code, refused.stderr.count("\n")) == (3, 1)
