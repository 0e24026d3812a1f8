"""The final models of a run for others: the same answers, and no patient."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from cardio_core.testing import Canaries, names
from cardio_core.types.artifact import ModelArtifact

NAMES = ("Zebrowska", "Okonkwo", "Thorvald", "Quispe")
HEIGHT_MV, AGE_Y = 7.654321, 83.1234


@pytest.fixture(scope="module")
def planted(write_cohort, tmp_path_factory):
    """A cohort whose ids, files, header dates and values cannot be mistaken for anything else."""
    place = tmp_path_factory.mktemp("planted") / "folder-of-Quispe"
    folder = write_cohort(place, "mean_class", n_patients=16)
    table = pd.read_csv(folder / "cohort.csv", dtype=str)
    for position, row in table.iterrows():
        who = f"{NAMES[position % 4]}-{1930 + position}"
        files = []
        for number, name in enumerate(row["path_ecg"].split(";")):
            file = folder / name
            lines = file.read_text().splitlines()
            if position == 3:  # the tallest of all, by far
                lines[1:] = [f"{float(v) * HEIGHT_MV:.6f}" for v in lines[1:]]
            lines.insert(1, f"# recorded 1947-03-{position + 1:02d} of {who}")
            file.rename(folder / f"{who}_rec{number}.csv")
            (folder / f"{who}_rec{number}.csv").write_text("\n".join(lines) + "\n")
            files.append(f"{who}_rec{number}.csv")
        table.loc[position, ["patient_id", "study_id"]] = who, f"study-of-{who}"
        table.loc[position, "path_ecg"] = ";".join(files)
    table["subject_link"] = ""
    table["age_y"] = [f"{60 + n % 7}" for n in range(len(table))]
    table.loc[5, "age_y"] = str(AGE_Y)
    table.to_csv(folder / "cohort.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def run_of_planted(run_toy, planted, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "planted"
    sets = ("evaluate.n_resamples=100", "inner.k=1", "search=[]")
    return run_toy(out, data=(planted,), protocol="honest", covariates=("age_y",), sets=sets)


@pytest.fixture(scope="module")
def exported(run_of_planted, installed, tmp_path_factory):
    from cardio_studies.model_export import export_run

    out = tmp_path_factory.mktemp("out") / "shared"
    export_run(run_of_planted, out)
    return out


def numbers_in(path: Path) -> list[float]:
    """Return every number of a JSON file, and of the arrays in a zip file."""
    if path.suffix == ".json":
        found: list[float] = []
        json.loads(path.read_text(), parse_float=lambda text: found.append(float(text)))
        return found
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            arrays = [np.load(io.BytesIO(archive.read(name))) for name in names]
        return [float(v) for a in arrays if a.dtype.kind == "f" for v in a.ravel()]
    return []


def test_nothing_that_was_planted_is_in_any_byte_of_the_export(exported, run_of_planted, planted):
    table = pd.read_csv(planted / "cohort.csv", dtype=str)
    words = {*NAMES, "1947-03", "_rec0", "study-of", planted.name, "cohort.csv", str(AGE_Y)}
    words |= {f"{HEIGHT_MV}", *table["patient_id"]}
    canaries = Canaries(words)
    there = {hit.word for hit in canaries.in_folder(run_of_planted)}
    assert len(there) > len(NAMES) + len(table)  # the search can find
    assert len([path for path in exported.rglob("*") if path.is_file()]) > 8
    assert canaries.in_folder(exported) == []


def test_no_value_of_a_patient_is_among_the_numbers_of_the_models(exported, planted):
    # Of every patient: the height that the models were fitted on, and the age of one.
    heights = set()
    for path in planted.glob("*_rec*.csv"):
        values = np.loadtxt(path, skiprows=2)
        heights |= {round(float(v), 4) for v in np.abs(values)}
    assert max(heights) > HEIGHT_MV / 2
    for path in (exported / "models").rglob("*"):
        if path.is_file():
            found = {round(v, 4) for v in numbers_in(path)}
            assert AGE_Y not in found
            assert not {h for h in found & heights if h > 2}, path


def test_the_folder_holds_what_predict_opens_and_the_card(exported):
    files = {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()}
    models = {f"models/final/{m}/{f}" for m in ("ridge", "constant")
              for f in ("chosen.json", "artifact/linear.json", "artifact/seen.json")}  # fmt: skip
    clinical = {f"models/final/covariates/{f}" for f in (
        "chosen.json", "artifact/encoding-ill.json", "artifact/weights-ill.json",
        "artifact/seen.json")}  # fmt: skip
    rules = {f"conformal/{m}-ill.json" for m in ("ridge", "constant", "covariates")}
    about = {"manifest.json", "config.yaml", "model_card.md", "model_card.json"}
    about |= {"models/final/applicability.json"}
    assert files <= models | clinical | rules | about
    assert models | clinical | about <= files
    manifest = json.loads((exported / "manifest.json").read_text())
    assert (manifest["kind"], manifest["status"]) == ("exported", "done")
    assert set(manifest["outputs"]) == files - {"manifest.json"}


def test_an_exported_folder_predicts_the_same_numbers(cardio, exported, run_of_planted, planted):
    answers = [
        cardio("predict", folder, planted, "--device", "cpu", "--json").json
        for folder in (run_of_planted, exported)
    ]
    for answer in answers:
        answer.pop("run")
    assert answers[0]["predictions"]
    assert answers[0] == answers[1]


def test_the_card_tells_the_runs_own_numbers_with_their_intervals(exported, run_of_planted):
    stored = json.loads((run_of_planted / "metrics.json").read_text())
    [auc] = [row for row in stored if row["name"] == "auc" and row["model"] == "ridge"
             and row["fold"] is None and row["subgroup"] is None]  # fmt: skip
    card = json.loads((exported / "model_card.json").read_text())
    own = [row for row in card["metrics"] if row["name"] == "auc" and row["model"] == "ridge"]
    assert [(row["value"], row["low"], row["high"]) for row in own if row["subgroup"] is None] == [
        (auc["value"], auc["low"], auc["high"])
    ]
    assert all(row["n"] >= 5 for row in card["metrics"])
    text = (exported / "model_card.md").read_text()
    for heading in ("Intended use", "Training cohort", "Performance", "Calibration", "Subgroups",
                    "Limits", "Applicability", "Privacy", "Licence"):  # fmt: skip
        assert f"## {heading}" in text
    assert "16 patients" in text


@pytest.fixture
def of_rows(run_of_planted, tmp_path):
    """A run whose primary model is a support vector machine beside its linear one."""
    run = tmp_path / "run"
    shutil.copytree(run_of_planted, run, ignore=shutil.ignore_patterns("*-r*"))
    x = np.random.default_rng(0).normal(size=(16, 2))
    fitted = SVC().fit(x, x[:, 0] > 0)
    ModelArtifact(run / "models" / "final" / "ridge" / "artifact").save_estimator(fitted)
    return run


def test_a_primary_model_of_patients_rows_is_refused(cardio, of_rows, tmp_path):
    said = cardio("export", of_rows, "--out", tmp_path / "out")
    assert said.exit_code == 2
    assert said.code == "leakage" and names(said.stderr, "ridge", "support vectors")
    assert names(said.stderr, "--model constant")
    assert not (tmp_path / "out").exists()


def test_another_model_may_be_named(cardio, of_rows, tmp_path):
    made = cardio("export", of_rows, "--out", tmp_path / "a", "--model", "constant", "--json").json
    assert (made["models"], made["primary"]) == (["constant"], "constant")
    assert not (tmp_path / "a" / "models" / "final" / "ridge").exists()


def test_a_name_in_what_is_to_leave_stops_the_export(cardio, run_of_planted, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(run_of_planted, run)
    artifact = ModelArtifact(run / "models" / "final" / "ridge" / "artifact")
    artifact.write_json("linear.json", artifact.read_json("linear.json") | {"from": "Quispe-1933"})
    said = cardio("export", run, "--out", tmp_path / "out")
    assert said.exit_code == 1
    assert names(said.stderr, "linear.json", "1")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_exported_is_refused_in_one_line(
    cardio, run_of_planted, exported, tmp_path, planted
):
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    begun, judged = tmp_path / "begun", tmp_path / "judged"
    manifest = json.loads((run_of_planted / "manifest.json").read_text())
    for folder, change in ((begun, {"status": "failed"}), (judged, {"kind": "judged"})):
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps(manifest | change))
    hollow = tmp_path / "hollow"
    hollow.mkdir()
    for name in ("manifest.json", "config.yaml"):
        shutil.copy(run_of_planted / name, hollow)
    for asked, expected in (
        (
            (run_of_planted, "--out", full),
            "holds something else; name a new folder",
        ),
        ((begun, "--out", tmp_path / "x"), "not finished"),
        ((judged, "--out", tmp_path / "x"), "found a folder that is judged"),
        ((exported, "--out", tmp_path / "x"), "is exported already"),
        ((hollow, "--out", tmp_path / "x"), "expected final models in models/final, found none"),
        (
            (run_of_planted, "--out", tmp_path / "x", "--model", "ridgy"),
            "it has ridge, constant, covariates",
        ),
        ((planted, "--out", tmp_path / "x"), "no run directory"),
    ):
        said = cardio("export", *asked)
        assert said.exit_code == 2, expected
        assert expected in said.stderr
        assert len(said.stderr.strip().splitlines()) == 1
    assert (full / "mine.txt").read_text() == "mine"
    assert not (tmp_path / "x").exists()


def test_an_exported_folder_is_no_run_to_start_from_or_to_compare(cardio, exported, tmp_path):
    said = cardio("run", "--plugin", "toy", "--task", "joined", "--from-run",
                  f"mean_class={exported}", "--out", tmp_path / "x")  # fmt: skip
    assert said.exit_code == 2
    assert said.code == "unsupported" and names(said.stderr, "--from-run", exported)
    said = cardio("compare", exported, exported, "--out", tmp_path / "x")
    assert said.exit_code == 2
    assert said.code == "unsupported" and names(said.stderr, exported)


def test_neighbours_hold_rows_and_a_regression_holds_none(tmp_path):
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    from cardio_studies.export_contents import rows_in

    x = np.random.default_rng(1).normal(size=(30, 3))
    y = x[:, 0] + np.random.default_rng(2).normal(size=30) > 0
    for estimator, said in (
        (make_pipeline(StandardScaler(), LogisticRegression()), ""),
        (RandomForestClassifier(5), ""),
        (RandomForestClassifier(20, oob_score=True), "out-of-bag predictions"),
        (make_pipeline(StandardScaler(), KNeighborsClassifier()), "neighbours"),
        (CalibratedClassifierCV(SVC(), ensemble=False), "support vectors"),
        (make_pipeline(QuantileTransformer(n_quantiles=10), LogisticRegression()), "sorted values"),
    ):
        folder = tmp_path / said.replace(" ", "") / type(estimator).__name__
        folder.mkdir(parents=True)
        ModelArtifact(folder).save_estimator(estimator.fit(x, y))
        found = rows_in(folder)
        assert (said in found) if said else (found == ""), found


def test_a_table_of_one_row_a_patient_counts_as_theirs(tmp_path):
    from safetensors.numpy import save_file

    from cardio_studies.export_contents import rows_in

    save_file({"layer.weight": np.zeros((24, 3), np.float32)}, tmp_path / "w.safetensors")
    assert rows_in(tmp_path, {24}) == ""
    np.savez(tmp_path / "kept.npz", vectors=np.zeros((24, 3)))
    assert "a table of 24 rows" in rows_in(tmp_path, {24})
    assert rows_in(tmp_path, {23}) == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", b'{"a": "\xff"}'), ("a.json", b"{"), ("a.npz", b"PK\3\4 and no more"),
     ("a.skops", b""), ("a.safetensors", b"\xff" * 40), ("a.npy", b"\x93NUMPY")],
)  # fmt: skip
def test_a_damaged_file_is_told_in_one_line_before_it_leaves(tmp_path, name, content):
    from cardio_stats.errors import DataError
    from cardio_studies.export_contents import rows_in, texts_of

    (tmp_path / name).write_bytes(content)
    if name != "a.npy":  # no place of rows
        with pytest.raises(DataError, match=rf"{name}: expected "):
            rows_in(tmp_path)
    with pytest.raises(DataError, match=rf"{name}: expected "):
        list(texts_of(tmp_path / name))


def test_the_networks_of_a_run_are_written_as_onnx(cardio, beats_run, strip, tmp_path):
    pytest.importorskip("onnxscript")
    out = tmp_path / "networks"
    said = cardio("export", beats_run, "--out", out, "--onnx", "--example", strip)
    assert said.exit_code == 0, said.stderr
    written = json.loads((out / "manifest.json").read_text())["onnx"]
    assert written
    assert all((out / one["file"]).is_file() for one in written.values())
    assert all(one["largest_difference"] < 1e-4 for one in written.values())
