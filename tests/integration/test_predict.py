"""New patients through the final models of a finished run: as JSON, and in words to a person."""

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


def test_a_cohort_is_answered_by_its_own_ids(cardio, clinic_run, newcomers):
    answer = cardio("predict", clinic_run, newcomers, "--device", "cpu", "--json").json
    rows = [row for row in answer["predictions"] if row["model"] == "ridge"]
    assert [row["id"] for row in rows] == ["C00", "C01", "C02"]
    for row in rows:
        assert row["level"] == "patient"
        assert set(row["scores"]) == {"healthy", "ill"}
        assert sum(row["scores"].values()) == pytest.approx(1, abs=1e-5)
        assert row["decided"] in ("healthy", "ill")
        assert row["threshold_source"] == "inner folds"
    assert answer["synthetic_training"] is False


def test_what_a_row_measures_stands_beside_its_scores_with_its_unit(cardio, clinic_run, newcomers):
    answer = cardio("predict", clinic_run, newcomers, "--device", "cpu", "--json").json
    assert {who[:3] for who in answer["measurements"]} == {"C00", "C01", "C02"}
    height = answer["measurements"]["C00r0"]["height"]
    assert height["unit"] == "mV"
    assert isinstance(height["value"], float)


def test_beats_are_answered_one_by_one_with_their_times(cardio, beats_run, strip):
    answer = cardio("predict", beats_run, strip / "B01r0.csv", "--device", "cpu", "--json").json
    rows = answer["predictions"]
    assert [row["id"] for row in rows] == [f"new1#{n}" for n in range(len(rows))]
    times = [row["time_s"] for row in rows]
    assert times == sorted(times)
    assert all(set(row["scores"]) == {"narrow", "wide", "inverted"} for row in rows)


def test_nothing_but_bad_files_exits_with_3_and_still_says_why(cardio, clinic_run, newcomers):
    said = cardio(
        "predict", clinic_run, newcomers / "SMITH-letter.csv", "--device", "cpu", "--json"
    )
    assert said.exit_code == 3
    assert json.loads(said.stdout)["quarantined"][0]["reason"]
    assert said.code == "unusable" and names(said.stderr, "rate_hz=NUMBER")


def test_a_run_without_any_fitted_model_exits_with_2_and_says_so(
    cardio, clinic_run, newcomers, tmp_path
):
    manifest = json.loads((clinic_run / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"models": []}))
    said = cardio("predict", tmp_path, newcomers)
    assert said.exit_code == 2
    assert said.code == "too_few" and names(said.stderr, tmp_path)


def test_reasons_stay_whole_where_a_relative_folder_is_given(
    cardio, clinic_run, newcomers, tmp_path, monkeypatch
):
    (tmp_path / "in").mkdir()
    shutil.copy(newcomers / "SMITH-letter.csv", tmp_path / "in" / "v1.5.csv")
    monkeypatch.chdir(tmp_path)
    said = cardio("predict", clinic_run, "in", "--device", "cpu")
    assert "recording new1: " in said.stdout
    assert "its folder" not in said.stdout


def test_an_input_that_is_not_there_exits_with_2(cardio, clinic_run, tmp_path):
    said = cardio("predict", clinic_run, tmp_path / "nobody.csv")
    assert said.exit_code == 2
    assert said.code == "missing" and names(said.stderr, tmp_path / "nobody.csv")


def test_a_folder_that_is_no_run_exits_with_2(cardio, tmp_path, newcomers):
    said = cardio("predict", tmp_path, newcomers)
    assert said.exit_code == 2
    assert "no run directory" in said.stderr


def test_what_explains_a_prediction_is_written_where_it_is_asked_for(
    cardio, clinic_run, newcomers, tmp_path
):
    words = ("predict", clinic_run, newcomers / "C01r0.csv", "--device", "cpu", "--json")
    assert cardio(*words).json["explanations"] == []
    answer = cardio(*words, "--explain", tmp_path / "why").json
    assert {case["sample_id"] for case in answer["explanations"]} == {"new1"}
    for case in answer["explanations"]:
        assert case["fold"] == "final" and case["model"] in ("ridge", "constant")
        written = tmp_path / "why" / "explanations" / f"{case['model']}-new1.json"
        assert json.loads(written.read_text()) == case


@pytest.fixture(scope="module")
def synthetic_run(clinic_run, tmp_path_factory):
    """The same run, as if it had been trained on a synthetic cohort."""
    run = tmp_path_factory.mktemp("synthetic") / "run"
    shutil.copytree(clinic_run, run)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["data"]["source"] = "synthetic"
    (run / "manifest.json").write_text(json.dumps(manifest))
    return run


def test_models_of_synthetic_recordings_decide_nothing_about_real_ones(
    cardio, clinic_run, synthetic_run, newcomers, tmp_path
):
    def rows(run, *words, inputs=newcomers):
        answer = cardio("predict", run, inputs, "--device", "cpu", "--json", *words).json
        return answer["decisions_withheld"], answer["predictions"]

    withheld, told = rows(clinic_run)
    assert not withheld
    assert all(row["decided"] and "set" in row for row in told)
    assert rows(synthetic_run, "--allow", "synthetic") == (False, told)
    withheld, scored = rows(synthetic_run)
    assert withheld
    assert [row["scores"] for row in scored] == [row["scores"] for row in told]
    assert not any(row["decided"] or "set" in row for row in scored)
    synthetic = tmp_path / "made"
    shutil.copytree(newcomers, synthetic)
    (synthetic / "truth.json").write_text('{"kind": "toy", "seed": 7}')
    assert rows(synthetic_run, inputs=synthetic) == (False, told)


def test_a_printed_answer_without_a_decision_holds_no_answer_to_the_question(
    cardio, clinic_run, synthetic_run, newcomers
):
    decided = cardio("predict", clinic_run, newcomers, "--device", "cpu").stdout
    withheld = cardio("predict", synthetic_run, newcomers, "--device", "cpu").stdout
    for head in ("Answer", "90 % certain"):
        assert head in decided
        assert head not in withheld
    assert "Probability of ill" in withheld


def test_an_answer_says_how_well_its_models_did(cardio, clinic_run, newcomers):
    answer = cardio("predict", clinic_run, newcomers, "--device", "cpu", "--json").json
    metrics = json.loads((clinic_run / "metrics.json").read_text())
    known = {
        (row["target"], row["model"]): row
        for row in metrics
        if row["name"] == "auc" and row["protocol"] == "honest" and row["fold"] is None
        and row["repeat"] is None and not row["subgroup"] and not row["versus"]
    }  # fmt: skip
    worth = {(one["target"], one["model"]): one for one in answer["worth"]}
    assert set(worth) == {(row["target"], row["model"]) for row in answer["predictions"]}
    for key, one in worth.items():
        assert (one["value"], one["low"], one["n"]) == tuple(
            known[key][name] for name in ("value", "low", "n")
        )
        assert one["better_than_chance"] == (one["low"] > 0.5)
    text = cardio("predict", clinic_run, newcomers, "--device", "cpu").stdout
    primary = next(one for one in answer["worth"] if one["model"] == answer["primary"])
    assert f"AUC {primary['value']:.3f}" in text
