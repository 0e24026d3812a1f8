"""Runs and tables of predictions compared on the patients whom all of them predicted."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import call_cardio
from cardio_stats import max_z_adjusted
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.words import METRICS
from cardio_studies.comparison import shared
from cardio_studies.ingest_columns import Question


def of_formula() -> pd.DataFrame:
    """The 80 rows of test_judge.py, whose numbers R printed."""
    i = np.arange(80)
    y = ((i * 7) % 10 < 4).astype(int)
    half_up = [
        math.floor((0.5 + 0.35 * math.sin(k * 1.3) + 0.12 * (t - 0.5)) * 1000 + 0.5) / 1000
        for k, t in zip(i, y, strict=True)
    ]
    b = np.floor((((i * 37) % 80) / 80 * 0.6 + 0.25 * y + 0.05) * 1000 + 0.5) / 1000
    return pd.DataFrame({"patient_id": [f"p{k:02d}" for k in i], "y": y, "a": half_up, "b": b})


def write(folder: Path, **tables: pd.DataFrame) -> list[str]:
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return [str(folder / f"{name}.csv") for name in tables]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder, rows = tmp_path_factory.mktemp("compare"), of_formula()
    paths = write(
        folder, A=rows[["patient_id", "y", "a"]].sample(frac=1, random_state=1),
        B=rows[["patient_id", "y", "b"]][5:],
        C=rows.assign(c=(rows["a"] + rows["b"]) / 2)[["patient_id", "y", "c"]][:77],
    )  # fmt: skip
    out = folder / "out"
    said = call_cardio("compare", *paths[:2], f"both={paths[2]}", "--score", "a", "--score", "b",
                       "--score", "c", "--threshold", "0.3", "--out", str(out))  # fmt: skip
    assert said.exit_code == 0, said.stderr
    found = json.loads((out / "metrics.json").read_text())
    return out, {(r["model"], r["versus"], r["name"]): r for r in found if r["versus"]}


def test_pairs_are_compared_on_the_patients_of_all_sources(compared: tuple[Path, Any]) -> None:
    _, found = compared
    rows = of_formula()[5:77]
    cases, controls = rows[rows["y"] == 1], rows[rows["y"] == 0]

    def area(name: str) -> float:
        wins = np.sign(cases[name].to_numpy()[:, None] - controls[name].to_numpy()[None, :])
        return float((wins + 1).mean() / 2)

    row = found["A", "B", "auc_difference"]
    assert row["value"] == pytest.approx(area("a") - area("b"), abs=1e-12)
    assert row["n"] == 72
    assert row["extra"]["p_adjusted"] > row["p_value"]


def test_the_page_reads_as_stored(compared: tuple[Path, Any], same_text: Any) -> None:
    same_text("compared_page", (compared[0] / "report.html").read_text(), numbers=False)


def test_decisions_and_net_benefit_are_those_of_the_counts(compared: tuple[Path, Any]) -> None:
    from scipy.stats import binomtest

    _, found = compared
    rows = of_formula()[5:77]
    right = {n: (rows[n] >= 0.3) == (rows["y"] == 1) for n in ("a", "b")}
    only_a, only_b = int((right["a"] & ~right["b"]).sum()), int((right["b"] & ~right["a"]).sum())
    row = found["A", "B", "accuracy_difference"]
    assert row["value"] == pytest.approx((only_a - only_b) / 72)
    assert row["p_value"] == pytest.approx(binomtest(only_a, only_a + only_b).pvalue)
    gain = {
        n: (((rows[n] >= 0.3) & (rows["y"] == 1)).sum()
            - ((rows[n] >= 0.3) & (rows["y"] == 0)).sum() * 0.3 / 0.7) / 72
        for n in ("a", "b")
    }  # fmt: skip
    found_gain = found["A", "B", "net_benefit_difference"]["value"]
    assert found_gain == pytest.approx(gain["a"] - gain["b"])


def test_what_a_score_adds_is_a_likelihood_ratio_of_both_directions(
    compared: tuple[Path, Any],
) -> None:
    from statsmodels.discrete.discrete_model import Logit

    _, found = compared
    rows = of_formula()[5:77]
    odds = rows[["a", "b"]].map(lambda p: math.log(p / (1 - p)))
    full = Logit(rows["y"], odds.assign(one=1.0)).fit(disp=0).llf
    for first, second, title, versus in (("a", "b", "B", "A"), ("b", "a", "A", "B")):
        own = Logit(rows["y"], odds[[first]].assign(one=1.0)).fit(disp=0).llf
        row = found[title, versus, "likelihood_ratio_added"]
        assert row["value"] == pytest.approx(2 * (full - own), rel=1e-6), second


def test_who_is_missing_where_stands_in_a_table(compared: tuple[Path, Any]) -> None:
    out, _ = compared
    who = pd.read_csv(out / "tables" / "who-is-where.csv").set_index("predictions")
    rows = of_formula()
    assert who.loc["A", "not in another source"] == 8
    lost = pd.concat([rows[:5], rows[77:]])
    assert who.loc["A", "of them with the event"] == lost["y"].sum()
    assert who.loc["both", "patients"] == 77


def test_the_mean_of_several_rows_stands_for_a_patient(tmp_path: Path) -> None:
    rows = of_formula()
    twice = pd.concat([rows.assign(a=rows["a"] - 0.01), rows.assign(a=rows["a"] + 0.01)])
    paths = write(tmp_path, one=rows[["patient_id", "y", "a"]], two=twice[["patient_id", "y", "a"]])
    found = shared(paths, Question(scores=["a"])).predictions
    [frame] = found.scored.frames.values()
    wide = frame.pivot(index="patient_id", columns="model", values="score:yes")
    np.testing.assert_allclose(wide["one"], wide["two"], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.assign(patient_id="x" + t["patient_id"]), "0 patients are in all sources"),
        (lambda t: t.assign(y=1 - t["y"]), "80 of 80 shared patients have another outcome"),
        (lambda t: t[:5], "expected at least 2|are in all sources"),
        (lambda t: pd.concat([t, t.assign(y=1 - t["y"])]), "rows of both outcomes"),
        (lambda t: t.assign(a="high"), "other: --score a: expected numbers"),
    ],
)
def test_sources_that_cannot_be_compared_are_refused_in_one_line(
    change: Any, words: str, tmp_path: Path
) -> None:
    rows = of_formula()[["patient_id", "y", "a"]]
    paths = write(tmp_path, first=rows, other=change(rows))
    with pytest.raises(DataError, match=words) as refusal:
        shared(paths, Question(scores=["a"]))
    assert "\n" not in str(refusal.value)


def test_runs_that_are_unfinished_or_none_are_refused_in_one_line(tmp_path: Path) -> None:
    [table] = write(tmp_path, first=of_formula())
    run = tmp_path / "run"
    run.mkdir()
    for asked, words in (
        ([table], "two runs or tables or more"),
        ([table, table], "two sources of this name"),
        ([table, str(tmp_path / "none")], "no such run or table"),
        ([table, str(run)], "no run directory"),
    ):
        with pytest.raises(ConfigError, match=words):
            shared(asked, Question(scores=["a"]))
    (run / "manifest.json").write_text('{"status": "running: training"}')
    with pytest.raises(ConfigError, match="not finished"):
        shared([table, str(run)], Question(scores=["a"]))


def test_max_t_is_never_below_one_test_nor_above_bonferroni() -> None:
    rng = np.random.default_rng(3)
    half = rng.normal(size=(4, 4))
    covariance = half @ half.T
    values = rng.normal(size=4) * np.sqrt(np.diag(covariance)) * 1.5
    alone = [math.erfc(abs(z) / math.sqrt(2)) for z in values / np.sqrt(np.diag(covariance))]
    adjusted = max_z_adjusted(values, covariance)
    for one, p in zip(alone, adjusted, strict=True):
        assert one - 0.01 < p < min(1.0, 4 * one) + 0.01


def test_every_metric_of_a_comparison_is_explained_in_the_reference(
    compared: tuple[Path, Any],
) -> None:
    names = {row["name"] for row in json.loads((compared[0] / "metrics.json").read_text())}
    assert {"accuracy_difference", "net_benefit_difference"} <= names
    assert names - set(METRICS) == set()


def test_a_table_of_yes_and_no_is_compared_with_one_of_1_and_0(tmp_path: Path) -> None:
    rows = of_formula()
    words = rows.assign(y=np.where(rows["y"] == 1, "yes", "no"))
    paths = write(tmp_path, A=words[["patient_id", "y", "a"]], B=rows[["patient_id", "y", "b"]])
    found = shared(paths, Question(scores=("a", "b")))
    assert found.who["of them with the event"].tolist() == [0, 0]
    assert found.who["compared"].tolist() == [80, 80]
    assert any("by its meaning: yes of y" in line for line in found.predictions.assumed)
