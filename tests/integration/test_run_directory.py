"""What a run leaves behind."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from cardio_core.io.run_artifact import RunKind, read_artifact
from cardio_core.io.store import load_table
from cardio_core.report.results import bare_name
from cardio_core.runner.prepare import UnusableCohortError
from cardio_stats.words import METRICS


def read(run: Path, name: str):
    return json.loads((run / name).read_text())


def predictions(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "predictions.csv", dtype={"event": str, "y_true": str})


def test_the_manifest_says_what_was_run_on_what(clinic_run):
    manifest = read(clinic_run, "manifest.json")
    assert manifest["status"] == "done"
    assert (manifest["plugin"], manifest["plugin_version"]) == ("toy", "0.3.0")
    assert (manifest["task"], manifest["core_version"]) == ("mean_class", version("cardio-core"))
    assert manifest["protocols"] == ["honest", "paper"]
    assert manifest["data"]["source"] == "real"
    # 24 good patients with 8 second recordings, and 4 bad recordings, one found at load.
    assert manifest["data"]["n_patients"] == 25
    assert manifest["data"]["n_samples"] == 32
    assert set(manifest["stages"]) == {"features", "training", "evaluation"}
    assert manifest["packages"]["numpy"]
    assert manifest["seed"] == 0


def test_the_manifest_holds_the_digest_of_every_file(clinic_run):
    outputs = read(clinic_run, "manifest.json")["outputs"]
    for name, digest in outputs.items():
        assert hashlib.sha256((clinic_run / name).read_bytes()).hexdigest() == digest, name
    files = {str(p.relative_to(clinic_run)) for p in clinic_run.rglob("*") if p.is_file()}
    assert files - set(outputs) == {"manifest.json", "log.jsonl"}
    assert {"config.yaml", "splits.json", "predictions.csv", "metrics.json", "report.html"} < files


def test_nothing_unfinished_is_left(clinic_run, beats_run):
    for run in (clinic_run, beats_run):
        assert not [p for p in run.rglob("*") if ".partial-" in p.name or p.suffix == ".tmp"]


def test_the_configuration_is_complete_and_can_be_given_back(clinic_run):
    from cardio_toy.clinic.config import Config

    tree = yaml.safe_load((clinic_run / "config.yaml").read_text())
    again = Config.model_validate(tree)
    assert again.model_dump(mode="json") == tree
    assert tree["train"]["strength"] == 1.0
    assert tree["protocols"]["honest"]["k"] == 3


def test_every_patient_is_tested_once_and_never_trained_on_in_that_fold(clinic_run):
    honest = read(clinic_run, "splits.json")["protocols"]["honest"]
    assert honest["unit"] == "patient"
    assert honest["declared_overlap"] is None
    tested = [patient for fold in honest["folds"] for patient in fold["test"]]
    assert sorted(tested) == [f"C{n:02d}" for n in range(24)]
    for fold in honest["folds"]:
        assert not set(fold["train"]) & set(fold["test"])


def test_what_chooses_thresholds_has_seen_no_patient_of_the_fold(clinic_run):
    folds = read(clinic_run, "splits.json")["protocols"]["honest"]["folds"]
    for number, fold in enumerate(folds):
        [file] = clinic_run.glob(f"models/honest-r0-f{number}/ridge/inner/predictions-*.npz")
        assert set(load_table(file)["unit_id"]) == set(fold["train"])


def test_recordings_are_known_again_by_their_signal_and_by_no_name(clinic_run, clinic):
    from cardio_toy.readers.trace import open_trace

    from cardio_core.runner.fingerprints import fingerprint, known_again, print_of

    kept = (clinic_run / "recordings.json").read_text()
    known = json.loads(kept)
    assert known["n_recordings"] == len(read(clinic_run, "cohort.json")["recordings"])
    assert len(known["fingerprints"]) == 32  # one of each that can be opened
    assert "C0" not in kept
    louder = {name: fingerprint(print_of(open_trace(clinic / f"{name}.csv", gain=3.0)))
              for name in ("C05r0", "C09r1")}  # fmt: skip
    assert known_again(louder, known["fingerprints"]) == {"C05r0", "C09r1"}


def test_two_ids_of_one_person_never_straddle_a_fold(clinic_run):
    for fold in read(clinic_run, "splits.json")["protocols"]["honest"]["folds"]:
        for side in ("train", "test"):
            assert ("C00" in fold[side]) == ("C23" in fold[side])


def test_the_paper_protocol_carries_its_declared_overlap(clinic_run):
    paper = read(clinic_run, "splits.json")["protocols"]["paper"]
    assert paper["declared_overlap"] == "everybody is trained on and tested"
    html = (clinic_run / "report.html").read_text()
    assert "everybody is trained on and tested" in html
    assert "optimistic" in html.lower()


def test_every_patient_is_predicted_once_by_every_row_of_every_protocol(clinic_run):
    table = predictions(clinic_run)
    assert set(table["level"]) == {"patient"}
    counts = table.groupby(["protocol", "model", "target", "event"])["patient_id"].agg(
        ["size", "nunique"]
    )
    assert len(counts) == 2 * 2
    assert set(counts.to_numpy().ravel()) == {24}


def test_the_truth_beside_the_predictions_is_that_of_the_cohort_table(clinic, clinic_run):
    truth = pd.read_csv(clinic / "cohort.csv").set_index("patient_id")["x_ill"]
    rows = predictions(clinic_run).drop_duplicates("patient_id").set_index("patient_id")["y_true"]
    assert {p: "ill" if truth[p] else "healthy" for p in rows.index} == rows.to_dict()


def test_the_reported_auc_is_that_of_the_predictions(clinic_run):
    table = pd.read_csv(clinic_run / "predictions.csv")
    found = {
        (m["protocol"], m["model"]): m["value"]
        for m in read(clinic_run, "metrics.json")
        if m["name"] == "auc" and m["fold"] is None and m["versus"] is None
    }
    areas = {
        place: roc_auc_score(rows["y_true"] == rows["event"], rows["score"])
        for place, rows in table.groupby(["protocol", "model"])
    }
    assert len(areas) == 4 and areas["honest", "ridge"] != areas["paper", "ridge"]
    assert found == pytest.approx(areas)


def test_a_run_is_read_as_one_artifact(clinic_run):
    made, manifest = read_artifact(clinic_run), read(clinic_run, "manifest.json")
    assert (manifest["schema"], manifest["kind"]) == (2, "run")
    assert made.manifest.kind is RunKind.RUN
    assert [one.name for one in made.manifest.targets] == ["ill"]
    assert [one.value for one in made.metrics] == [
        one["value"] for one in read(clinic_run, "metrics.json")
    ]
    tested = {who for fold in made.splits["honest"].folds for who in fold.test}
    assert tested == set(made.predictions["patient_id"])


def test_several_classes_have_a_row_a_class_whose_scores_add_up_to_one(beats_run):
    table = predictions(beats_run).dropna(subset=["score"])
    rows = table.groupby(["protocol", "model", "fold", "sample_id"])
    shapes = "inverted", "narrow", "wide"
    assert {tuple(sorted(one)) for one in rows["event"].agg(tuple)} == {shapes}
    assert rows["score"].sum().to_numpy() == pytest.approx(1.0, abs=1e-6)


def test_every_metric_says_how_on_how_many_and_from_which_threshold(clinic_run, beats_run):
    for run in (clinic_run, beats_run):
        for metric in read(run, "metrics.json"):
            assert metric["method"]
            assert metric["unit"]
            assert metric["n"] > 0
            if metric["name"] in ("sensitivity", "specificity"):
                assert metric["threshold_source"]


def test_every_metric_of_the_core_is_explained_in_the_reference(clinic_run, beats_run):
    rows = [row for run in (clinic_run, beats_run) for row in read(run, "metrics.json")]
    names = {bare_name(row["name"], row["class_name"]) for row in rows}
    assert {"mean_set_size", "macro_f1", "auc"} <= names
    assert names - set(METRICS) == set()


def test_thresholds_of_honest_come_from_inner_folds_and_of_paper_from_nowhere(clinic_run):
    sources = {
        (m["protocol"], m["threshold_source"])
        for m in read(clinic_run, "metrics.json")
        if m["name"] == "sensitivity" and m["model"] == "ridge"
    }
    assert sources == {("honest", "inner folds"), ("paper", "fixed: largest score")}


def test_inner_folds_choose_among_the_declared_candidates(clinic_run):
    for fold in ("honest-r0-f0", "honest-r0-f1", "final"):
        chosen = read(clinic_run, f"models/{fold}/ridge/chosen.json")
        assert chosen["candidate"] in ({"strength": 0.1}, {"strength": 1.0})


def test_models_remember_whom_they_have_seen(clinic_run):
    plan = read(clinic_run, "splits.json")["protocols"]["honest"]["folds"][0]
    seen = read(clinic_run, "models/honest-r0-f0/ridge/artifact/seen.json")["subjects"]
    # C23 is the same person as C00 and goes by the smaller id.
    assert set(seen) == set(plan["train"]) - {"C23"}
    everybody = read(clinic_run, "models/final/ridge/artifact/seen.json")["subjects"]
    assert len(everybody) == 23


def test_beats_are_samples_of_their_recording_in_the_order_of_time(beats_run):
    table = predictions(beats_run)
    rows = table[(table["protocol"] == "honest") & (table["event"] == "wide")].dropna(
        subset=["score"]
    )
    assert rows["sample_id"].str.fullmatch(r"B\d\dr\d#\d+").all()
    for _, one in rows.groupby("recording_id"):
        assert one["time_s"].is_monotonic_increasing
        assert list(one["sample_id"].str.partition("#")[2].astype(int)) == sorted(
            one["sample_id"].str.partition("#")[2].astype(int)
        )


def test_few_validating_patients_choose_no_epochs_and_the_run_says_so(beats_run):
    chosen = read(beats_run, "models/honest-r0-f0/network/chosen.json")
    assert chosen["epochs"] == 6  # of six in the plan
    history = beats_run / "models/honest-r0-f0/network/inner/c0-i0/history.csv"
    assert len(history.read_text().splitlines()) == 1 + 6
    [note] = [
        one for one in read(beats_run, "manifest.json")["notes"] if one["kind"] == "epochs_set"
    ]
    assert (note["model"], note["where"]) == ("network", "r0-f0")


def test_an_event_that_no_sample_matches_counts_as_missed(strip, beats_run):
    events = pd.read_csv(strip / "beats.csv")
    honest = read(beats_run, "splits.json")["protocols"]["honest"]["folds"][0]
    tested = events[events["recording_id"].str[:3].isin(honest["test"])]
    table = predictions(beats_run)
    rows = table[(table["protocol"] == "honest") & (table["event"] == "wide")]
    assert len(rows[rows["y_true"].notna()]) == len(tested)
    missed = rows[rows["y_true"].notna() & rows["score"].isna()]
    # The synthetic cohort hides one annotated beat at the end of every recording.
    assert len(missed) == tested["recording_id"].nunique()
    assert set(missed["level"]) == {"event"}
    sensitivity = next(
        m
        for m in read(beats_run, "metrics.json")
        if (m["protocol"], m["class_name"], m["name"], m["fold"])
        == ("honest", "narrow", "sensitivity", None)
    )
    found = rows[(rows["y_true"] == "narrow") & (rows["predicted"] == "narrow")]
    expected = len(found) / (tested["shape"] == "narrow").sum()
    assert sensitivity["value"] == pytest.approx(expected)
    assert expected < 1


def test_a_split_of_samples_lists_samples(beats_run):
    paper = read(beats_run, "splits.json")["protocols"]["paper"]
    assert paper["unit"] == "sample"
    assert all("#" in sample for sample in paper["folds"][0]["test"])


def test_the_report_opens_without_a_network(clinic_run):
    html = (clinic_run / "report.html").read_text()
    loaded = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#][^"']*)""", html)
    assert not [
        link for link in loaded if not link.startswith(("data:", "explanations/", "tables/"))
    ]
    assert "@import" not in html


def test_the_log_names_no_patient(clinic_run, beats_run):
    for run, ids in ((clinic_run, r"\bC\d\d"), (beats_run, r"\bB\d\d")):
        lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        assert lines
        assert not [line for line in lines if re.search(ids, line["message"])]


def test_explanations_keep_their_arrays_and_scores(clinic_run):
    about = [read(clinic_run, f"explanations/{p.name}")
             for p in (clinic_run / "explanations").glob("*.json")]  # fmt: skip
    assert {case["model"] for case in about} == {"ridge", "constant"}
    assert all("largest_mv" in case["scores"] for case in about)
    pictures = [clinic_run / case["figure"] for case in about if "figure" in case]
    assert pictures and all(path.read_text().startswith("<?xml") for path in pictures)
    assert all((clinic_run / case["video"]).read_bytes()[:4].hex() == "1a45dfa3" for case in about)


def test_what_the_page_does_not_show_open_is_drawn_on_request_and_changes_no_number(
    cardio, write_cohort, tmp_path
):
    data, run = write_cohort(tmp_path / "few", "mean_class", n_patients=8), tmp_path / "run"
    made = cardio("run", "--plugin", "toy", "--data", data, "--out", run, "--device", "cpu",
                  "--executor", "local:1", "--set", "inner.k=0")  # fmt: skip
    assert made.exit_code == 0, made.stderr

    def pictures():
        return {path.relative_to(run) for path in run.rglob("*.svg")}

    def cases():
        return [read(run, path.relative_to(run)) for path in run.glob("explanations/*.json")]

    first, lacks = pictures(), read(run, "manifest.json")["n_not_drawn"]
    numbers = [(run / name).read_bytes() for name in ("metrics.json", "predictions.csv")]
    page = (run / "report.html").read_text()
    assert f"{lacks} more figures" in page and "cardio report --all-figures run" in page
    assert {"roc", "calibration"} <= {str(path.stem).split("-")[1] for path in first}
    undrawn = [case for case in cases() if "figure" not in case]
    assert undrawn and len(undrawn) < len(cases())

    again = cardio("report", "--all-figures", run)
    assert again.exit_code == 0, again.stderr
    assert len(pictures() - first) == lacks > 0 and first <= pictures()
    assert all("figure" in case for case in cases())
    assert numbers == [(run / name).read_bytes() for name in ("metrics.json", "predictions.csv")]
    assert read(run, "manifest.json")["n_not_drawn"] == 0
    assert "--all-figures" not in (run / "report.html").read_text()


def test_the_manifest_of_a_failed_run_names_no_file(run_toy, clinic, tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("cardio_core.runner.prepare.file_digest", refuse)
    with pytest.raises(UnusableCohortError):  # each recording is set aside, and none is left
        run_toy(tmp_path / "run", data=(clinic,))
    manifest = read(tmp_path / "run", "manifest.json")
    assert manifest["status"] == "failed"
    assert "quarantined" in manifest["error"]
    assert "C00r0" not in manifest["error"]
