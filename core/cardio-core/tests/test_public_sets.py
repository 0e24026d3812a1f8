"""Public tables of R through the commands, beside what R prints of them, to its seven digits.

The tables are not kept here: R writes them, so without R these tests are skipped. The tests of each
statistic do the same on tables made from integers, everywhere.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cardio_core.testing import call_cardio

ORACLES = Path(__file__).parent / "oracles"
# Made by oracles/public_sets.R with R 4.2.2, survival 3.5-3, MASS 7.3-58.2, rms 6.5-0, pROC 1.18.0,
# riskRegression 2022.11.28, lme4 1.1-31 and nlme 3.1-162; seven significant digits
R: dict[str, Any] = json.loads((ORACLES / "public_sets.json").read_text())
DIGITS = 1e-6
"""Of the last digit that R prints."""
PROFILE = 3e-3
"""MASS interpolates the profile likelihood by a spline; ours is solved."""
ODDS = ["bili", "albumin", "protime"]

pytestmark = pytest.mark.skipif(
    shutil.which("Rscript") is None, reason="R is not here, which writes pbc and birthwt"
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("public")
    done = subprocess.run(
        ["Rscript", str(ORACLES / "public_sets.R"), str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"R lacks a package of the public sets: {done.stderr[-200:]}")
    return folder


def estimates(*words: object) -> dict[str, dict[str, Any]]:
    said = call_cardio("stats", *words, "--json")
    assert said.exit_code == 0, said.stderr
    return {one["name"]: one for one in json.loads(said.stdout)}


def same(found: float | None, expected: float, relative: float = DIGITS) -> bool:
    return bool(found == pytest.approx(expected, rel=relative))


def test_birthwt_in_table_one(tables: Path) -> None:
    found = estimates(
        "table1", tables / "birthwt.csv", "--by", "low", "--columns", "age,lwt,race,smoke,ht",
        "--categorical", "race",
    )  # fmt: skip
    expected = R["birthwt"]
    for name in ("age", "lwt"):
        assert same(found[f"table_one[{name}]"]["p_value"], expected[name]["p"])
        means = expected[name]["mean"]
        assert same(found[f"table_one[{name}]"]["value"], means[0] - means[1], 1e-5)
    for name in ("race", "smoke"):
        assert same(found[f"table_one[{name}]"]["value"], expected[name]["chi2"])
        assert same(found[f"table_one[{name}]"]["p_value"], expected[name]["p"])
    assert same(found["table_one[ht]"]["p_value"], expected["ht"])


def ratios_agree(found: dict[str, dict[str, Any]], expected: dict[str, Any]) -> None:
    names = expected["terms"] if isinstance(expected["terms"], list) else [expected["terms"]]
    for position, term in enumerate(names):
        own = term.replace("factor(race)", "race=")
        one = found[f"odds_ratio[{own}]"]
        here = {
            key: value[position] if isinstance(value, list) else value
            for key, value in expected.items()
            if key != "p_lr"  # one a column, not one a term
        }
        assert same(one["value"], here["or"])
        assert same(one["extra"]["p_wald"], here["p_wald"], 1e-5)
        assert same(one["low"], here["low"], PROFILE)
        assert same(one["high"], here["high"], PROFILE)
        assert one["n"] == here["n"]


def test_birthwt_in_regressions(tables: Path) -> None:
    common = ["--outcome", "low", "--categorical", "race", "--features"]
    file, expected = tables / "birthwt.csv", R["birthwt"]
    alone = estimates("univariable", file, *common, "age,lwt,race,smoke")
    for one in expected["alone"].values():
        ratios_agree(alone, one)
    together = estimates("multivariable", file, *common, "age,lwt,race,smoke,ptl,ht,ui")
    ratios_agree(together, expected["together"])
    assert same(together["likelihood_ratio_chi2"]["value"], expected["together"]["lr"])
    columns = ["age", "lwt", "race", "smoke", "ptl", "ht", "ui"]
    for name, p in zip(columns, expected["together"]["p_lr"], strict=True):
        if name != "race":  # R tests its two terms at once, the table each of them
            assert same(together[f"odds_ratio[{name}]"]["p_value"], p, 1e-5)


def test_birthwt_calibrated_on_the_half_that_was_not_fitted(tables: Path) -> None:
    file, expected = tables / "birthwt_tested.csv", R["birthwt"]["calibration"]
    found = estimates("calibration", file, "--outcome", "low", "--score", "risk")
    assert found["calibration_slope"]["n"] == expected["n"]
    assert same(found["calibration_slope"]["value"], expected["slope"], 1e-5)
    assert same(found["calibration_in_the_large"]["value"], expected["in_the_large"], 1e-5)
    assert same(found["brier"]["value"], expected["brier"])
    area = estimates("roc", file, "--outcome", "low", "--score", "risk")["auc"]
    assert same(area["value"], expected["auc"])
    # val.prob takes C from lrm.fit, which is approximate; pROC and Hmisc's somers2 are not
    assert abs(expected["c_val_prob"] - expected["auc"]) > 5e-4


def test_pbc_in_table_one_and_regressions(tables: Path) -> None:
    file, expected = tables / "pbc.csv", R["pbc"]
    found = estimates(
        "table1", file, "--by", "trt", "--columns", "age,bili,sex,stage", "--categorical", "stage"
    )
    for name in ("age", "bili"):
        assert same(found[f"table_one[{name}]"]["p_value"], expected[name]["p"])
    for name in ("sex", "stage"):
        assert same(found[f"table_one[{name}]"]["value"], expected[name]["chi2"])
    died = tables / "died.csv"
    import pandas as pd

    table = pd.read_csv(file)
    table.assign(died=(table["status"] == 2).astype(int)).to_csv(died, index=False)
    alone = estimates("univariable", died, "--outcome", "died", "--features", ",".join(ODDS))
    for one in expected["alone"].values():
        ratios_agree(alone, one)
    columns = "age,edema,bili,albumin,protime"
    together = estimates("multivariable", died, "--outcome", "died", "--features", columns)
    ratios_agree(together, expected["together"])


def test_pbc_in_survival(tables: Path) -> None:
    expected = R["pbc"]
    run = ["survival", tables / "pbc.csv", "--time", "time", "--status", "status=2"]
    curves = estimates(*run, "--groups", "trt", "--at", "1825")
    for i, arm in enumerate(("1", "2")):
        median, at = curves[f"median[{arm}]"], curves[f"survival[{arm}, 1825]"]
        assert (median["n"], median["extra"]["n_events"]) == (
            expected["n"][i],
            expected["events"][i],
        )
        assert [median["value"], median["low"], median["high"]] == [
            expected["median"][i], expected["median_low"][i], expected["median_high"][i],
        ]  # fmt: skip
        assert same(at["value"], expected["survival_1825"][i])
        assert same(at["low"], expected["low_1825"][i])
        assert same(at["high"], expected["high_1825"][i])
        assert at["extra"]["n_at_risk"] == expected["at_risk_1825"][i]
    assert same(curves["log_rank_chi2"]["value"], expected["log_rank"])

    columns = ["age", "edema", "log_bili", "albumin", "log_protime"]
    cox = estimates(*run, "--columns", ",".join(columns))
    for i, name in enumerate(columns):
        one = cox[f"hazard_ratio[{name}]"]
        assert same(one["value"], expected["hr"][i])
        assert same(one["low"], expected["hr_low"][i])
        assert same(one["high"], expected["hr_high"][i])
        assert same(one["p_value"], expected["hr_p"][i], 1e-5)
        test = cox[f"proportional_hazards_chi2[{name}]"]
        assert same(test["value"], expected["zph"][i], 1e-5)
        assert same(test["p_value"], expected["zph_p"][i], 1e-5)
    assert same(cox["proportional_hazards_chi2[all]"]["value"], expected["zph"][-1])
    assert same(cox["likelihood_ratio_chi2"]["value"], expected["lr"])
    assert same(cox["apparent_harrell_c"]["value"], expected["c"][0])
    assert same(cox["apparent_harrell_c"]["extra"]["se"], expected["c"][1])

    score = estimates(*run, "--score", "bili", "--at", "365,1825")
    assert same(score["harrell_c"]["value"], expected["harrell"]["value"])
    assert same(score["harrell_c"]["extra"]["se"], expected["harrell"]["se"])
    for i, moment in enumerate((365, 1825)):
        assert same(score[f"auc_at[{moment}]"]["value"], expected["auc"][i])
        assert same(score[f"auc_at[{moment}]"]["extra"]["se"], expected["auc_se"][i], 1e-4)
    uno = estimates(*run, "--score", "bili")["uno_c"]
    assert same(uno["value"], expected["uno"]["value"])
    assert same(uno["extra"]["se"], expected["uno"]["se"])


def test_sleepstudy_and_orthodont_in_mixed(tables: Path) -> None:
    run = ["mixed", tables / "sleepstudy.csv", "--outcome", "Reaction", "--columns", "Days"]
    for more, expected, sds in (
        ([], R["sleepstudy"]["intercept"], ["sd_between", "sd_residual"]),
        (["--slope", "Days"], R["sleepstudy"]["slope"],
         ["sd_between", "sd_slope[Days]", "correlation[Days]", "sd_residual"]),
    ):  # fmt: skip
        found = estimates(*run, "--patient", "Subject", *more)
        for i, name in enumerate(("intercept", "Days")):
            assert same(found[f"effect[{name}]"]["value"], expected["effect"][i])
            # lme4's own search stops at five digits
            assert same(found[f"effect[{name}]"]["extra"]["se"], expected["se"][i], 1e-5)
        for name, value in zip(sds, expected["sd"], strict=True):
            assert same(found[name]["value"], value, 2e-4)
    found = estimates(
        "mixed", tables / "Orthodont.csv", "--outcome", "distance", "--columns", "age,Sex,age:Sex",
        "--patient", "Subject", "--reference", "Sex=Male",
    )  # fmt: skip
    expected = R["orthodont"]
    for i, name in enumerate(("intercept", "age", "Sex=Female", "age:Sex=Female")):
        one = found[f"effect[{name}]"]
        assert same(one["value"], expected["value"][i])
        assert same(one["extra"]["se"], expected["se"][i], 1e-5)
        if i:  # nlme counts rows for the intercept
            assert one["extra"]["df"] == expected["df"][i]
            assert same(one["p_value"], expected["p"][i], 1e-4)
