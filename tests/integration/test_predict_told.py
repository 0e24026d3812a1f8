"""`cardio predict` answers a person: in words, for each recording alone."""

from __future__ import annotations

import csv
import json
import re
import shutil

import pytest

from cardio_core.testing import names


@pytest.fixture(scope="module")
def newcomers(write_cohort, tmp_path_factory):
    """Three patients whom no run has seen, and a file that is no recording."""
    folder = write_cohort(
        tmp_path_factory.mktemp("new") / "new", "mean_class", n_patients=3, seed=7
    )
    (folder / "SMITH-letter.csv").write_text("Dear colleague\n")
    return folder


@pytest.fixture
def predict(cardio, clinic_run):
    def call(*words):
        return cardio("predict", clinic_run, *words, "--device", "cpu")

    return call


def scores(said):
    """By the file's place among the inputs: the score of every model."""
    return {
        (row["id"], row["model"]): row["scores"]
        for row in json.loads(said.stdout)["predictions"]
        if "scores" in row
    }


def test_a_table_says_probability_threshold_and_why(predict, newcomers):
    answer = json.loads(predict(newcomers, "--json").stdout)
    said = predict(newcomers)
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    (head,) = [line for line in lines if line.startswith("Patient")]
    assert "Probability of ill" in head and "Answer" in head and "90 % certain" in head
    for row in answer["predictions"]:
        if row["model"] != answer["primary"]:
            continue
        (line,) = [line for line in lines if line.startswith(f"{row['id']} ")]
        p, t = row["scores"]["ill"], row["threshold"]
        assert row["decided"] == ("ill" if p >= t else "healthy")
        assert re.search(rf"  {100 * p:.0f}(\.\d+)? %  ", line)
        side = "not below" if p >= t else "below"
        assert f"{side} the threshold of {100 * t:.0f}" in line
        assert row["decided"] in line
        both = len(row["set"]) == 2
        assert line.endswith("undecided") == both


def test_the_primary_model_answers_first_and_the_others_on_request(predict, newcomers):
    answer = json.loads(predict(newcomers, "--json").stdout)
    titles = answer["models"]
    first = titles[answer["primary"]]
    alone = predict(newcomers).stdout
    assert f"{first} (primary model" in alone
    others = [title for name, title in titles.items() if name != answer["primary"]]
    assert others and not any(title in alone for title in others)
    assert names(alone, len(others), "--all-models")
    everything = predict(newcomers, "--all-models").stdout
    assert all(title in everything for title in others)
    assert everything.index(first) < min(everything.index(title) for title in others)


def test_out_writes_what_json_prints(predict, newcomers, tmp_path):
    out = tmp_path / "answer.json"
    said = predict(newcomers, "--json", "--out", out)
    assert json.loads(out.read_text()) == json.loads(said.stdout)


def test_an_unusable_file_changes_nothing_for_the_others(predict, newcomers):
    good = [newcomers / "C01r0.csv", newcomers / "C02r0.csv"]
    alone = scores(predict(*good, "--json"))
    beside = predict(*good, newcomers / "SMITH-letter.csv", "--json")
    assert scores(beside) == alone and alone
    between = predict(good[0], newcomers / "SMITH-letter.csv", good[1], "--json")
    moved = {("new2" if who == "new3" else who, m): s for (who, m), s in scores(between).items()}
    assert moved == alone


def test_an_input_without_any_recording_is_said_and_the_others_are_answered(
    predict, newcomers, tmp_path
):
    (tmp_path / "empty").mkdir()
    said = predict(newcomers / "C01r0.csv", tmp_path / "empty", "--json")
    assert said.exit_code == 0
    assert scores(said) == scores(predict(newcomers / "C01r0.csv", "--json"))
    (row,) = json.loads(said.stdout)["quarantined"]
    assert row["reason"]


def test_what_cannot_be_read_is_told_without_the_name_of_its_file(predict, newcomers):
    said = predict(newcomers / "C01r0.csv", newcomers / "SMITH-letter.csv")
    assert "Not answered:" in said.stdout
    assert names(said.stdout, "new2", "rate_hz")
    assert "SMITH" not in said.stdout


def test_a_file_that_comes_twice_is_answered_twice_and_flagged(predict, newcomers, tmp_path):
    copy = tmp_path / "copy.csv"
    shutil.copy(newcomers / "C01r0.csv", copy)
    said = predict(newcomers / "C01r0.csv", copy, "--json")
    assert said.exit_code == 0, said.stderr
    found = scores(said)
    assert {who for who, _ in found} == {"new1", "new2"}
    assert all(found["new1", m] == found["new2", m] for who, m in found if who == "new1")
    (flag,) = json.loads(said.stdout)["flags"]["new2"]
    assert names(flag, "file", "new1")
    assert f"{flag} (recording new2)" in predict(newcomers / "C01r0.csv", copy).stdout


def test_a_mapping_ties_ids_to_files(predict, newcomers, tmp_path):
    given = [newcomers / "C01r0.csv", newcomers / "SMITH-letter.csv"]
    predict(*given, "--mapping", tmp_path / "who.csv")
    with (tmp_path / "who.csv").open(encoding="utf-8", newline="") as file:
        tied = {row["id"]: row["file"] for row in csv.DictReader(file)}
    assert tied == {"new1": str(given[0].resolve()), "new2": str(given[1])}


def test_beats_are_told_by_recording(cardio, beats_run, strip):
    said = cardio("predict", beats_run, strip / "B01r0.csv", "--device", "cpu")
    lines = said.stdout.splitlines()
    (head,) = [n for n, line in enumerate(lines) if line.startswith("Recording")]
    n_samples, called = lines[head + 1].split()[1], lines[head + 1].split(maxsplit=2)[2]
    counts = [int(part.split()[-1]) for part in called.split(", ")]
    assert sum(counts) == int(n_samples) > 0


def test_a_run_without_data_counts_as_trained_on_synthetic_recordings(
    cardio, run_toy, newcomers, tmp_path
):
    run = run_toy(tmp_path / "run", task="mean_class", protocol="honest", smoke=True)
    answer = cardio("predict", run, newcomers / "C01r0.csv", "--device", "cpu", "--json").json
    assert answer["synthetic_training"]
    assert answer["decisions_withheld"]


def test_without_a_verdict_the_table_says_why_and_gives_no_probability(same_text):
    from cardio_core.runner.predict_text import prediction_lines

    target = {"name": "septal_flash", "kind": "binary", "classes": ["no", "yes"], "unit": ""}
    row = {
        "id": "1", "recording_id": "1", "patient_id": "1", "level": "patient", "model": "m",
        "target": "septal_flash", "scores": None, "decided": None, "threshold": 0.5,
        "threshold_source": "inner folds", "set": None, "set_level": 0.9, "no_verdict": "too slow",
    }  # fmt: skip
    answer = {
        "title": "Septal flash", "synthetic_training": False,
        "decisions_withheld": False, "worth": [], "targets": [target],
        "models": {"m": "A network"}, "primary": "m", "predictions": [row], "notes": [],
        "flags": {"1": ["dim"]}, "quarantined": [],
    }  # fmt: skip
    same_text("answer_without_a_verdict", "\n".join(prediction_lines(answer, [], all_models=False)))


def test_a_class_that_is_not_the_most_probable_says_why_it_is_the_answer(same_text):
    from cardio_core.runner.predict_text import prediction_lines

    target = {"name": "block", "kind": "multiclass", "classes": ["AV", "left", "none"], "unit": ""}
    row = {"recording_id": None, "level": "patient", "time_s": None, "model": "svm",
           "target": "block", "threshold": None, "threshold_source": "inner folds",
           "set_level": 0.9, "no_verdict": None}  # fmt: skip
    scores = {"AV": 0.32, "left": 0.35, "none": 0.33}
    answer = {
        "title": "Block", "targets": [target], "models": {"svm": "SVM"}, "primary": "svm",
        "predictions": [
            row | {"id": "1", "patient_id": "1", "scores": scores, "decided": "AV", "set": []},
            row | {"id": "2", "patient_id": "2", "scores": scores, "decided": "left",
                   "set": ["left"]},
        ],
        "synthetic_training": False,
        "decisions_withheld": False, "worth": [], "explanations": [], "flags": {}, "notes": [],
        "quarantined": [], "measurements": {},
    }  # fmt: skip
    same_text("answer_of_classes", "\n".join(prediction_lines(answer, (), all_models=False)))
