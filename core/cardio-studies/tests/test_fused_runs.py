"""A fusion as a run: its scores beside the known optimum, what it adds, and what works on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import call_cardio, names
from cardio_stats import bayes_auc
from cardio_studies.comparison import shared
from cardio_studies.fusion import Against, fuse_runs
from cardio_studies.fusion_members import join, open_members, shared_folds
from cardio_studies.fusion_weights import fit
from cardio_studies.ingest import read_given
from cardio_studies.ingest_columns import Question

from .made_runs import folds_of, latent, made_run, seen

A, B = 1.5, 1.0
"""Log odds of the outcome by one standard deviation of what each modality sees."""


def rows_of(out: Path) -> pd.DataFrame:
    """The out-of-fold probability of the event by patient, a column a model."""
    table = pd.read_csv(out / "predictions.csv", dtype={"patient_id": str})
    assert set(table["event"]) == {"yes"}
    return table.pivot(index="patient_id", columns="model", values="score")


def metrics_of(out: Path) -> dict[tuple[str, str, str], dict[str, Any]]:
    found = json.loads((out / "metrics.json").read_text())
    return {
        (r["model"], r["versus"] or "", r["name"]): r
        for r in found
        if r["fold"] is None and not r["subgroup"] and not r["class_name"]
    }


def area(score: pd.Series, y: pd.Series) -> float:
    cases, controls = score[y == 1].to_numpy(), score[y == 0].to_numpy()
    return float((np.sign(cases[:, None] - controls[None, :]) + 1).mean() / 2)


def test_a_fusion_reaches_the_optimum_that_is_known_by_construction(tmp_path: Path) -> None:
    """Members see z1 and z2 with slopes of their own; log odds A z1 + B z2 rank best."""
    from statsmodels.discrete.discrete_model import Logit

    people = latent(1200, seed=4, a=A, b=B)
    fold = folds_of(people.index)
    runs = [str(made_run(tmp_path / n, seen(people[z], slope), people["y"], fold))
            for n, z, slope in (("ecg", "z1", 0.5), ("echo", "z2", 2.0))]  # fmt: skip
    joined = join(open_members(runs))
    fitted = fit(joined, shared_folds(joined, seed=0), None, tmp_path)
    found = fitted.frame.pivot(index="patient_id", columns="model", values="score:yes")
    best_here = area(people["p"], people["y"])
    # of patients like these the optimum is known; on these 1200, 0.03 is two standard errors
    assert best_here == pytest.approx(bayes_auc(people["p"]).value, abs=0.03)
    assert area(found["fusion"], people["y"]) == pytest.approx(best_here, abs=0.004)
    assert area(found["ecg"], people["y"]) < best_here - 0.03
    # its weights turn each member's slope into that of the truth, within three standard errors
    rule = fitted.rules["fusion"]
    assert rule.models == ("ecg", "echo")
    assert rule.weights[2:] == (0.0, 0.0)
    by_hand = Logit(people["y"], people[["z1", "z2"]].assign(one=1.0)).fit(disp=0)
    for weight, slope, name, truth in zip(
        rule.weights, (0.5, 2.0), ("z1", "z2"), (A, B), strict=False
    ):
        assert weight * slope == pytest.approx(by_hand.params[name], abs=1e-4)
        assert weight * slope == pytest.approx(truth, abs=3 * by_hand.bse[name])


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """Three of four patients have both modalities; a clinical table tells z1 again, badly."""
    folder = tmp_path_factory.mktemp("fused")
    people = latent(160, seed=2)
    fold = pd.Series(folds_of(people.index), people.index)
    for name, z, who in (("ecg", "z1", people.index[20:]), ("echo", "z2", people.index[:-20])):
        made_run(folder / name, seen(people.loc[who, z], 1.0), people["y"], fold[who].to_numpy())
    rng = np.random.default_rng(7)
    pd.DataFrame(
        {"patient_id": people.index, "age_y": (60 + 5 * people["y"] + rng.normal(0, 8, 160)),
         "x_treat": np.where(people["z1"] > 0, "yes", "no")}
    ).to_csv(folder / "clinic.csv", index=False)  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cardio_studies.fusion.RESAMPLES", 200)
        said = call_cardio(
            "fuse", "ecg", "US=echo", "--clinical", "clinic.csv", "--covariates", "age_y",
            "--guideline", "x_treat", "--out", "both", folder=folder,
        )  # fmt: skip
    assert said.exit_code == 0, said.stderr
    assert names(said.stdout, "10 folds")
    return folder / "both", people


def test_models_stand_side_by_side_out_of_fold(fused: tuple[Path, pd.DataFrame]) -> None:
    out, people = fused
    scores = rows_of(out)
    assert set(scores) == {
        "fusion", "fusion_clinical", "mean_log_odds", "ecg", "US", "clinical", "guideline"
    }  # fmt: skip
    found, y = metrics_of(out), people["y"]
    for model in scores:
        own = scores[model].dropna()
        assert found[model, "", "auc"]["value"] == pytest.approx(area(own, y[own.index]), abs=1e-9)
        assert found[model, "", "auc"]["n"] == len(own)
    assert scores["fusion"].notna().all()
    assert int(scores["ecg"].isna().sum()) == int(scores["US"].isna().sum()) == 20


def test_weights_of_a_fold_are_fitted_without_its_patients(
    fused: tuple[Path, pd.DataFrame],
) -> None:
    """Fitted again by statsmodels on the other folds, they give the fold's scores."""
    from statsmodels.discrete.discrete_model import Logit

    out, people = fused
    scores = rows_of(out)
    splits = json.loads((out / "splits.json").read_text())["protocols"]["honest"]["folds"]
    fold = splits[0]
    odds = pd.DataFrame({name: np.log(scores[name] / (1 - scores[name])) for name in ("ecg", "US")})
    design = pd.concat(
        [odds.fillna(0.0), odds.isna().astype(float).add_prefix("no ")], axis=1
    ).assign(one=1.0)
    others = fold["train"]
    fit = Logit(people["y"].loc[others], design.loc[others]).fit(disp=0)
    expected = fit.predict(design.loc[fold["test"]])
    assert scores["fusion"][fold["test"]].to_numpy() == pytest.approx(expected, abs=2e-5)


def test_what_fusing_adds_is_computed_out_of_fold(fused: tuple[Path, pd.DataFrame]) -> None:
    from statsmodels.discrete.discrete_model import Logit

    out, people = fused
    scores, found, y = rows_of(out), metrics_of(out), people["y"]
    odds = scores.drop(columns="guideline").map(lambda p: np.log(p / (1 - p)))
    base = odds[["clinical"]].assign(one=1.0)
    more = base.assign(fusion=odds["fusion"])
    ratio = 2 * (Logit(y, more).fit(disp=0).llf - Logit(y, base).fit(disp=0).llf)
    row = found["fusion_clinical", "clinical", "likelihood_ratio_added"]
    assert row["value"] == pytest.approx(ratio, rel=1e-4)
    own = scores[["fusion_clinical", "clinical"]]
    log_score = np.log(own.where(y == 1, 1 - own, axis=0)).mean()
    brier = own.sub(y, axis=0).pow(2).mean()
    for name, by_hand in (("log_score_difference", log_score), ("brier_difference", brier)):
        row = found["fusion_clinical", "clinical", name]
        expected = by_hand["fusion_clinical"] - by_hand["clinical"]
        assert row["value"] == pytest.approx(expected, abs=1e-6)
        assert row["low"] < row["value"] < row["high"]
    assert "Hilden" in found["fusion_clinical", "clinical", "nri"]["note"]
    assert ("fusion", "guideline", "brier_difference") not in found
    gained = pd.read_csv(out / "tables" / "honest-net-benefit.csv")
    line = gained[(gained["against"] == "Guideline: x_treat") & (gained["threshold"] == 0.3)]
    acts = scores["fusion"] >= 0.3
    by_hand = ((acts & (y == 1)).sum() - (acts & (y == 0)).sum() * 0.3 / 0.7) / len(y)
    assert line["net_benefit_fusion"].item() == pytest.approx(by_hand, abs=1e-5)


def test_who_lacks_what_and_how_the_fusion_does_there(fused: tuple[Path, pd.DataFrame]) -> None:
    out, people = fused
    table = pd.read_csv(out / "tables" / "honest-modalities-by-pattern.csv").set_index("modalities")
    scores, y = rows_of(out)["fusion"], people["y"]
    parts = {"ecg and US": people.index[20:-20], "US only": people.index[:20],
             "ecg only": people.index[-20:]}  # fmt: skip
    for name, who in parts.items():
        assert table.loc[name, "n_patients"] == len(who)
        assert table.loc[name, "with the event"] == y[who].sum()
        assert table.loc[name, "auc"] == pytest.approx(area(scores[who], y[who]), abs=1e-5)


def test_p_of_all_pairs_is_adjusted_together(fused: tuple[Path, pd.DataFrame]) -> None:
    out, _ = fused
    pairs = {key: row for key, row in metrics_of(out).items() if key[2] == "auc_difference"}
    assert len(pairs) == 21  # of seven models
    for row in pairs.values():
        assert row["extra"]["p_adjusted"] >= row["p_value"] - 0.01


def test_a_fused_run_is_a_run(fused: tuple[Path, pd.DataFrame], same_text: Any) -> None:
    out, _ = fused
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["kind"], manifest["status"]) == ("fused", "done")
    assert [one["run"] for one in manifest["members"]] == ["../ecg", "../echo"]
    both = shared([str(out), str(out.parent / "ecg")], Question())
    assert both.who.set_index("predictions")["compared"].tolist() == [140, 140]
    given = read_given(out / "predictions.csv", Question())
    assert {model.name for model in given.task.models} == set(rows_of(out))
    assert call_cardio("report", out).exit_code == 0
    same_text("fused_page", (out / "report.html").read_text(), numbers=False)


def test_another_fusion_is_not_written_over_one(fused: tuple[Path, pd.DataFrame]) -> None:
    out, _ = fused
    before = (out / "manifest.json").read_bytes()
    refused = call_cardio("fuse", "ecg", "US=echo", "--out", "both", folder=out.parent)
    assert (refused.exit_code, refused.code) == (2, "exists")
    assert (out / "manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    ("against", "words"),
    [
        (Against(None, ["age_y"]), "--covariates: expected --clinical TABLE with it"),
        (Against(Path("clinic.csv")), "expected --covariates or --guideline with it"),
        (Against(Path("none.csv"), ["age_y"]), "--clinical none.csv: no such table"),
        (Against(Path("clinic.csv"), ["age"]), "--covariates age: clinic.csv has no such column"),
        (Against(Path("clinic.csv"), (), "esc"), "--guideline esc: clinic.csv has no such column"),
        (Against(Path("clinic.csv"), (), "age_y"), "--guideline age_y: expected yes and no"),
        (Against(Path("ecg"), ["age_y"]), "expected a table with a column patient_id"),
    ],
)
def test_what_it_cannot_be_held_against_is_refused_in_one_line(
    against: Against, words: str, fused: tuple[Path, pd.DataFrame], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from cardio_stats.errors import CardioError

    monkeypatch.chdir(fused[0].parent)
    with pytest.raises(CardioError) as refusal:
        fuse_runs(["ecg", "echo"], tmp_path / "out", against=against)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "out").exists()
