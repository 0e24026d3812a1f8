"""New patients through the final models of a finished run."""

from __future__ import annotations

import json
import shutil

import pytest

from cardio_core.testing import names


@pytest.fixture(scope="module")
def newcomers(write_cohort, tmp_path_factory):
    """Three patients whom no run has seen, and a file that is no recording."""
    folder = write_cohort(
        tmp_path_factory.mktemp("new") / "new", "mean_class", n_patients=3, seed=7
    )
    (folder / "letter.csv").write_text("Dear colleague\n")
    return folder


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


def test_single_files_get_running_numbers_and_a_bad_one_is_set_aside(cardio, clinic_run, newcomers):
    said = cardio(
        "predict",
        clinic_run,
        newcomers / "C01r0.csv",
        newcomers / "letter.csv",
        "--device",
        "cpu",
        "--json",
    )
    assert said.exit_code == 0
    ids = {row["id"] for row in said.json["predictions"]}
    assert ids == {"new1"}
    (bad,) = said.json["quarantined"]
    assert bad["recording_id"] == "new2"
    assert bad["reason"].startswith("expected rate_hz=NUMBER")


def test_a_recording_gets_the_same_score_alone_and_in_its_cohort(cardio, clinic_run, newcomers):
    def score(*inputs):
        answer = cardio("predict", clinic_run, *inputs, "--device", "cpu", "--json").json
        return {
            row["id"]: row["scores"]["ill"]
            for row in answer["predictions"]
            if row["model"] == "ridge"
        }

    # C01 has one recording, so the patient is the recording.
    assert score(newcomers)["C01"] == score(newcomers / "C01r0.csv")["new1"]


def test_beats_are_answered_one_by_one_with_their_times(cardio, beats_run, strip):
    answer = cardio("predict", beats_run, strip / "B01r0.csv", "--device", "cpu", "--json").json
    rows = answer["predictions"]
    assert [row["id"] for row in rows] == [f"new1#{n}" for n in range(len(rows))]
    times = [row["time_s"] for row in rows]
    assert times == sorted(times)
    assert all(set(row["scores"]) == {"narrow", "wide", "inverted"} for row in rows)


def test_nothing_but_bad_files_exits_with_3_and_still_says_why(cardio, clinic_run, newcomers):
    said = cardio("predict", clinic_run, newcomers / "letter.csv", "--device", "cpu", "--json")
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
    shutil.copy(newcomers / "letter.csv", tmp_path / "in" / "v1.5.csv")
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
