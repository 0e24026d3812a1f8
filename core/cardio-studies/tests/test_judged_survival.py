"""A time to an event, judged at a horizon: against riskRegression's numbers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import call_cardio
from cardio_stats import follow_up_of, timed_calibration, timed_net_benefit

ORACLES = Path(__file__).parents[2] / "cardio-stats/tests/oracles"
# Made by oracles/survival.R
[*_, R] = json.loads((ORACLES / "survival.json").read_text())["sets"]


def rows():
    """Make the rows that survival.R made, from integers alone."""
    u, x = np.empty((R["n"], 5), dtype=np.int64), R["seed"]
    for i in range(u.size):
        x = 16807 * x % 2147483647
        u.flat[i] = x
    z = u[:, 0] % 1000
    had, lost = 1 + (u[:, 3] % (1600 - z)) // 20, 1 + u[:, 4] % 90
    return pd.DataFrame(
        {"patient_id": [f"p{n}" for n in range(R["n"])], "days": np.minimum(had, lost),
         "status": (had <= lost).astype(int), "risk": (50 + z // 10 * 8) / 1000, "points": z}
    )  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("survival") / "risks.csv"
    rows().to_csv(path, index=False)
    return path


ASKED = ("--time", "days", "--status", "status", "--horizon", "30")


def test_the_page_holds_the_numbers_of_r(table, tmp_path):
    out = tmp_path / "judged"
    said = call_cardio("judge", table, *ASKED, "--score", "risk", "--threshold", "0.4",
                       "--out", out)  # fmt: skip
    assert said.exit_code == 0, said.stderr
    found = {one["name"]: one for one in json.loads((out / "metrics.json").read_text())}
    at = R["timed"]["at"].index(30)
    for name, expected in (("auc_at", "auc"), ("brier_at", "brier"), ("scaled_brier_at", "scaled")):
        assert found[name]["value"] == pytest.approx(R["timed"][expected][at], abs=1e-9)
    followed = follow_up_of(rows(), "days", "status")
    risk = rows()["risk"].to_numpy()
    benefit = timed_net_benefit(followed, risk, 30, 0.4)  # held against R where it is defined
    assert found["net_benefit_at"]["value"] == pytest.approx(benefit.value)
    slope = timed_calibration(followed, risk, 30).slope
    assert found["calibration_slope_at"]["value"] == pytest.approx(slope.value)
    assert {"harrell_c", "uno_c", "observed_over_expected_at"} <= set(found)
    assert "base_rate" not in found  # nothing takes the censored as controls
    assert all(one["n"] == R["n"] and one["unit"] == "patient" for one in found.values())
    figures = {path.stem for path in (out / "figures").iterdir()}
    assert {"calibration-horizon", "decision-curve-horizon"} <= figures


def test_a_score_that_is_no_risk_is_ranked_alone(table, tmp_path):
    said = call_cardio("judge", table, *ASKED, "--score", "points", "--out", tmp_path / "a")
    assert said.exit_code == 0, said.stderr
    found = {one["name"] for one in json.loads((tmp_path / "a/metrics.json").read_text())}
    assert found == {"auc_at", "harrell_c", "uno_c"}


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("--time", "days", "--horizon", "30"), 2, "--status"),
        ((*ASKED[:-1], "0"), 2, "--horizon 0"),
        ((*ASKED[:-1], "500"), 3, "500"),
        ((*ASKED, "--outcome", "status"), 2, "--outcome"),
        ((*ASKED, "--subgroup", "points"), 2, "--subgroup"),
        ((*ASKED[:1], "weeks", *ASKED[2:]), 2, "--time weeks"),
        (("--outcome", "status"), 3, "--time days --status status --horizon"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_option(table, tmp_path, words, code, named):
    said = call_cardio("judge", table, *words, "--score", "risk", "--out", tmp_path / "b")
    assert said.exit_code == code
    assert named in said.stderr
    assert not list(tmp_path.glob("b/report.html"))


def test_several_rows_of_a_patient_are_refused(tmp_path):
    path = tmp_path / "twice.csv"
    pd.concat([rows(), rows().head(1)]).to_csv(path, index=False)
    said = call_cardio("judge", path, *ASKED, "--score", "risk", "--out", tmp_path / "c")
    assert said.exit_code == 3
    assert said.code == "duplicate"
