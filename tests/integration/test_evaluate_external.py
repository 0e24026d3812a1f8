"""`cardio evaluate`: a finished run on patients whom it has never seen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from cardio_core.testing import names

Cli = Callable[..., Any]


def read(out: Path, name: str) -> Any:
    return json.loads((out / name).read_text())


def rows_of(out: Path, **where: Any) -> list[dict[str, Any]]:
    where = {"fold": None, "versus": None, "subgroup": None, "class_name": None} | where
    found = read(out, "metrics.json")
    return [row for row in found if all(row[key] == value for key, value in where.items())]


def one(out: Path, **where: Any) -> dict[str, Any]:
    [row] = rows_of(out, target="ill", **where)
    return row


def strangers(folder: Path, *, prefix: str = "N", sites: str = "") -> Path:
    """Give everybody in a cohort of the toy another id, and some more columns."""
    path = folder / "cohort.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in ("patient_id", "study_id"):
        table[name] = prefix + table[name]
    table["subject_link"] = ""
    table["age_y"] = [str(40 + 7 * n % 40) for n in range(len(table))]
    table["sex"] = ["F" if n % 3 else "M" for n in range(len(table))]
    if sites:
        table["site_id"] = [sites[n // 2 % len(sites)] for n in range(len(table))]
    table.to_csv(path, index=False)
    return folder


@pytest.fixture(scope="module")
def away(write_cohort: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty other patients, with the same effect and noise."""
    folder = tmp_path_factory.mktemp("away") / "away"
    return strangers(write_cohort(folder, "mean_class", n_patients=60, seed=5), sites="AB")


@pytest.fixture(scope="module")
def validated(clinic_run: Path, away: Path, installed: Path) -> tuple[Path, Any]:
    from cardio_core.testing import call_cardio

    out = away.parent / "external"
    said = call_cardio("evaluate", clinic_run, "--data", away, "--subgroup", "sex", "--out", out)
    assert said.exit_code == 0, said.stderr
    return out, said


@pytest.fixture(scope="module")
def said_of_new(clinic_run: Path, away: Path, installed: Path) -> dict[str, Any]:
    """What `cardio predict` says of the same patients."""
    from cardio_core.testing import call_cardio

    said: dict[str, Any] = call_cardio("predict", clinic_run, away, "--json").json
    return said


@pytest.fixture(scope="module")
def predicted(said_of_new: dict[str, Any], away: Path) -> pd.DataFrame:
    """Its predictions beside the truth of their table."""
    said = said_of_new["predictions"]
    rows = pd.DataFrame([row for row in said if row["model"] == "ridge"]).set_index("id")
    truth = pd.read_csv(away / "cohort.csv").set_index("patient_id")["x_ill"]
    return rows.assign(y=truth, score=[row["ill"] for row in rows["scores"]])


def test_a_recording_that_cannot_be_read_is_set_aside_under_its_id_alone(
    cardio: Cli, write_cohort: Any, clinic_run: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("cardio_core.report.page.build_report", lambda run: run / "report.html")
    folder = strangers(write_cohort(tmp_path / "Quasimodo", "mean_class", n_patients=20, seed=6))
    table = pd.read_csv(folder / "cohort.csv", dtype=str)
    (folder / table["path_ecg"][3].split(";")[0]).write_text("Dear Doctor Frollo")
    said = cardio("evaluate", clinic_run, "--data", folder, "--out", tmp_path / "out")
    assert said.exit_code == 0, said.stderr
    manifest = (tmp_path / "out" / "manifest.json").read_text()
    [row] = json.loads(manifest)["quarantined"]
    assert set(row) == {"recording_id", "hook", "code", "reason"}
    assert "Frollo" not in manifest


def test_the_answer_is_that_of_the_predictions_as_they_are(validated, predicted) -> None:
    out, _ = validated
    y, score = predicted["y"], predicted["score"]
    found = one(out, protocol="external", model="ridge", name="auc")
    assert found["value"] == pytest.approx(roc_auc_score(y, score), abs=1e-6)
    assert found["n"] == 60
    brier = one(out, protocol="external", model="ridge", name="brier")
    assert brier["value"] == pytest.approx(brier_score_loss(y, score), abs=1e-6)


def test_it_stands_beside_the_runs_own_folds_with_the_change(validated, clinic_run) -> None:
    out, _ = validated
    own = [row for row in read(clinic_run, "metrics.json") if row["protocol"] == "honest"
           and row["fold"] is None and (row["model"], row["name"]) == ("ridge", "auc")]  # fmt: skip
    before = one(out, protocol="internal", model="ridge", name="auc")
    assert before["value"] == own[0]["value"]
    after = one(out, protocol="external", model="ridge", name="auc")
    change = one(out, protocol="external", model="ridge", name="auc_change")
    assert change["value"] == pytest.approx(after["value"] - before["value"])
    # square and add, by hand
    low = change["value"] - np.hypot(
        after["value"] - after["low"], before["high"] - before["value"]
    )
    assert change["low"] == pytest.approx(low)
    table = pd.read_csv(out / "tables" / "external-beside-internal.csv")
    assert {"AUC", "Brier score", "Calibration slope"} <= set(table["Measure"])
    assert table["Model"].iloc[0] == "Penalised logistic regression"  # the primary one


def test_coverage_is_that_of_the_sets_that_predict_gives_by_class_and_site(
    validated, predicted, away
) -> None:
    out, _ = validated
    truth = np.where(predicted["y"] == 1, "ill", "healthy")
    held = np.array([t in own for t, own in zip(truth, predicted["set"], strict=True)])
    sites = pd.read_csv(away / "cohort.csv").set_index("patient_id")["site_id"]
    where = sites.reindex(predicted.index).to_numpy()
    name = {"protocol": "external", "model": "ridge", "name": "conformal_coverage"}
    assert one(out, **name)["value"] == pytest.approx(held.mean())
    for label in ("healthy", "ill"):
        row = one(out, class_name=label, **name)
        assert row["value"] == pytest.approx(held[truth == label].mean())
        assert 0 <= row["p_value"] <= 1
        both = one(out, class_name=label, subgroup="Site: B", **name)
        assert both["value"] == pytest.approx(held[(truth == label) & (where == "B")].mean())
    assert one(out, subgroup="Site: A", **name)["n"] == (where == "A").sum()


def test_groups_are_told(validated) -> None:
    out, _ = validated
    groups = {row["subgroup"] for row in read(out, "metrics.json") if row["name"] == "auc"}
    assert {"Sex: men", "Sex: women"} <= groups


def test_the_share_of_patients_who_are_unlike_is_that_of_predict(validated, said_of_new) -> None:
    out, _ = validated
    said = said_of_new["applicability"]
    verdicts = pd.Series({row["patient_id"]: row["verdict"] for row in said})
    assert len(verdicts) == 60
    for verdict in ("inside", "borderline", "outside"):
        [row] = rows_of(out, name=f"{verdict}_share")
        assert row["value"] == pytest.approx((verdicts == verdict).mean())
    table = pd.read_csv(out / "tables" / "external-applicability.csv")
    assert list(table["Patients"]) == ["all", "Site: A", "Site: B"]


def test_recalibration_stands_apart_and_nothing_else_rests_on_it(validated, predicted) -> None:
    out, _ = validated
    odds = np.log(predicted["score"] / (1 - predicted["score"])).to_numpy()[:, None]
    fitted = LogisticRegression(C=1e9, tol=1e-9).fit(odds, predicted["y"])
    rows = read(out, "recalibration.json")
    [told] = [row for row in rows if "slope" in row and row["model"] == "ridge"
              and row["recalibration"] == "slope"]  # fmt: skip
    assert told["slope"] == pytest.approx(fitted.coef_[0, 0], abs=1e-3)
    assert "cross-fitted" in told["fitted_on"]
    table = pd.read_csv(out / "tables" / "external-recalibration.csv")
    as_it_is = one(out, protocol="external", model="ridge", name="calibration_slope")
    shown = table[table["Measure"] == "Calibration slope"]["As it is"].iloc[0]
    assert shown.startswith(f"{as_it_is['value']:.3f}")
    values = {row["value"] for row in read(out, "metrics.json")}
    again = {row["value"] for row in rows if row.get("name") == "calibration_slope"
             and row["recalibration"] != "none"}  # fmt: skip
    assert not values & again


def test_the_page_reads_as_stored(validated, clinic_run, same_text) -> None:
    out, said = validated
    manifest = read(out, "manifest.json")
    assert (manifest["kind"], manifest["status"]) == ("external", "done")
    assert manifest["evaluated"]["run"] == clinic_run.name
    assert len(manifest["evaluated"]["final_models"]) == 64
    same_text("external_page", (out / "report.html").read_text(), numbers=False)
    same_text("external_printed", said.stdout, numbers=False)


def test_the_flow_adds_up(validated) -> None:
    stations = read(validated[0], "manifest.json")["flow"]["stations"]
    assert (stations[0]["patients"], stations[-1]["patients"]) == (60, 60)


# --- patients who were in training -----------------------------------------------------------


def same_ids(clinic: Path, away: Path, folder: Path) -> Path:
    """Three other people who carry ids of the training."""
    shutil.copytree(away, folder)
    table = pd.read_csv(folder / "cohort.csv", dtype=str, keep_default_na=False)
    table.loc[:2, "patient_id"] = ["C01", "C02", "C04"]
    table.to_csv(folder / "cohort.csv", index=False)
    return folder


def same_files(clinic: Path, away: Path, folder: Path) -> Path:
    """Three patients of the training under other ids and file names."""
    shutil.copytree(away, folder)
    table = pd.read_csv(folder / "cohort.csv", dtype=str, keep_default_na=False)
    for row, old in zip((1, 2, 4), ("C01r0", "C02r0", "C04r0"), strict=True):
        shutil.copy(clinic / f"{old}.csv", folder / f"other{row}.csv")
        table.loc[row, "path_ecg"] = f"other{row}.csv"
    table.to_csv(folder / "cohort.csv", index=False)
    return folder


def same_signals(clinic: Path, away: Path, folder: Path) -> Path:
    """The same three, in other units and with another line end: no byte is the same."""
    same_files(clinic, away, folder)
    for path in folder.glob("other*.csv"):
        first, *values = path.read_text().splitlines()
        path.write_text("\r\n".join([first, *(f"{1.5 * float(one):.5f}" for one in values)]))
    return folder


@pytest.mark.parametrize(
    ("make", "by", "hint"),
    [
        (same_ids, "3 by id", "--other-people"),
        (same_files, "3 by file and 3 by signal", ""),
        (same_signals, "3 by signal", ""),
    ],
)
def test_patients_of_the_training_are_refused(
    make, by, hint, cardio: Cli, clinic, clinic_run, away, tmp_path
) -> None:
    folder = make(clinic, away, tmp_path / "mixed")
    said = cardio("evaluate", clinic_run, "--data", folder, "--out", tmp_path / "out")
    assert said.exit_code == 1
    assert (said.code, names(said.stderr, "3 of 60", by)) == ("leakage", True), said.stderr
    assert names(said.stderr, "--other-people") is bool(hint)
    assert not (tmp_path / "out").exists()


def test_they_are_left_out_and_equal_ids_are_others_where_that_is_asked_for(
    cardio: Cli, clinic, clinic_run, away, tmp_path
) -> None:
    folder = same_files(clinic, same_ids(clinic, away, tmp_path / "ids"), tmp_path / "mixed")
    said = cardio("evaluate", clinic_run, "--data", folder, "--out", tmp_path / "out",
                  "--overlap", "leave-out", "--other-people")  # fmt: skip
    assert said.exit_code == 0, said.stderr
    # of the three ids one is of somebody whose recordings are new: it stays
    assert one(tmp_path / "out", protocol="external", model="ridge", name="auc")["n"] == 57
    stations = read(tmp_path / "out", "manifest.json")["flow"]["stations"]
    [left] = [station for station in stations if station.get("kind") == "in_training"]
    assert (left["patients"], stations[-1]["patients"]) == (3, 57)


def test_exported_models_on_a_table_that_names_the_outcome_otherwise(
    cardio: Cli, clinic, clinic_run, away, validated, tmp_path, same_text
) -> None:
    """Nobody can be checked, which is said; the numbers are those of the run itself."""
    exported = tmp_path / "exported"
    said = cardio("export", clinic_run, "--out", exported)
    assert said.exit_code == 0, said.stderr
    folder = same_ids(clinic, away, tmp_path / "renamed")
    table = pd.read_csv(folder / "cohort.csv", dtype=str, keep_default_na=False)
    table["x_disease"] = table.pop("x_ill").map({"0": "healthy", "1": "ill"})
    table.to_csv(folder / "cohort.csv", index=False)
    said = cardio("evaluate", exported, "--data", folder, "--out", tmp_path / "out",
                  "--outcome", "x_disease")  # fmt: skip
    assert said.exit_code == 0, said.stderr
    same_text("external_of_exported_printed", said.stdout, numbers=False)
    same = {"protocol": "external", "model": "ridge", "name": "auc"}
    assert one(tmp_path / "out", **same)["value"] == one(validated[0], **same)["value"]
    assert not rows_of(tmp_path / "out", protocol="internal")


# --- what cannot be validated -----------------------------------------------------------------


def changed(run: Path, folder: Path, **entries: Any) -> Path:
    folder.mkdir()
    content = read(run, "manifest.json") | entries
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ({"status": "running: training"}, "training"),
        ({"core_version": "99.0"}, "99.0"),
        ({"kind": "judged"}, "judged"),
        ({"kind": "external"}, "external"),
    ],
    ids=["unfinished", "another core", "judged", "external"],
)
def test_a_run_that_cannot_answer_is_refused(
    entries, named, cardio: Cli, clinic_run, away, tmp_path
) -> None:
    run = changed(clinic_run, tmp_path / "run", **entries)
    said = cardio("evaluate", run, "--data", away, "--out", tmp_path / "out")
    assert (said.exit_code, names(said.stderr, named)) == (2, True), said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["--outcome", "nowhere"], "usage", ["cohort.csv"]),
        (["--outcome", "sex"], "usage", ["'F' in 40 rows", "'M' in 20 rows"]),
        (["--subgroup", "height"], "usage", []),
        (["--site", "ward"], "usage", []),
        (["--level", "95"], "usage", []),
    ],
)
def test_what_the_table_lacks_is_named(
    words, code, named, cardio: Cli, clinic_run, away, tmp_path
) -> None:
    said = cardio("evaluate", clinic_run, "--data", away, "--out", tmp_path / "out", *words)
    assert said.exit_code in (2, 3)
    assert (said.code, names(said.stderr, *words, *named)) == (code, True), said.stderr
    assert not (tmp_path / "out").exists()


def test_a_table_without_any_outcome_is_refused(cardio: Cli, clinic_run, away, tmp_path) -> None:
    folder = tmp_path / "unknown"
    shutil.copytree(away, folder)
    table = pd.read_csv(folder / "cohort.csv", dtype=str, keep_default_na=False)
    table.assign(x_ill="").to_csv(folder / "cohort.csv", index=False)
    said = cardio("evaluate", clinic_run, "--data", folder, "--out", tmp_path / "out")
    assert (said.exit_code, said.code, names(said.stderr, "ill")) == (3, "unusable", True)


def test_nothing_is_overwritten(cardio: Cli, clinic_run, away, validated) -> None:
    out, _ = validated
    before = (out / "report.html").read_bytes()
    said = cardio("evaluate", clinic_run, "--data", away, "--out", out)
    assert (said.exit_code, said.code) == (2, "exists")
    assert (out / "report.html").read_bytes() == before
