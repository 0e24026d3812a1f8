"""One bad file never ends a cohort, and never disappears."""

from __future__ import annotations

import json
import re

from cardio_core.testing import names, refuses
from cardio_stats.errors import DataError

REASONS = {
    "words": ("load", "expected rate_hz=NUMBER"),
    "flat": ("preprocess", "found a flat line"),
    "short": ("preprocess", "expected 2 s or more, found 0.8 s"),
    "letters": ("preprocess", "expected numbers"),
}


def test_each_is_listed_with_its_stage_and_reason(clinic_run):
    manifest = json.loads((clinic_run / "manifest.json").read_text())
    found = {row["recording_id"]: row for row in manifest["quarantined"]}
    assert set(found) == set(REASONS)
    for name, (stage, reason) in REASONS.items():
        assert found[name]["hook"] == stage
        assert reason in found[name]["reason"]


def test_the_report_names_each(clinic_run):
    # A key of the user's own file stays as it is, set as code.
    html = re.sub("</?code>", "", (clinic_run / "report.html").read_text())
    for name, (_, reason) in REASONS.items():
        assert name in html
        assert reason.partition(",")[0] in html


def test_strict_stops_at_the_first(run_toy, clinic, tmp_path):
    with refuses(DataError, "words", "rate_hz=NUMBER"):
        run_toy(tmp_path / "run", data=(clinic,), strict=True)
    assert json.loads((tmp_path / "run/manifest.json").read_text())["status"] == "failed"


def test_a_cohort_of_too_many_bad_recordings_is_refused(cardio, clinic, tmp_path):
    said = cardio(
        "run", "--plugin", "toy", "--data", clinic, "--out", tmp_path / "run",
        "--executor", "local:1", "--set", "limits.bad_share=0.1",
    )  # fmt: skip
    assert said.exit_code == 3
    assert names(said.stderr, "4", "36", "limits.bad_share", "0.1")
    assert said.stderr.count("\n") == 1


def test_a_cohort_without_one_good_recording_is_refused(cardio, clinic, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/cohort.csv").write_text("patient_id,path_ecg,x_ill\nP1,words.csv,1\n")
    (tmp_path / "data/words.csv").write_text("hello\n")
    said = cardio(
        "run", "--plugin", "toy", "--data", tmp_path / "data", "--out", tmp_path / "run",
        "--executor", "local:1",
    )  # fmt: skip
    assert said.exit_code == 3
    assert names(said.stderr, "rate_hz", "NUMBER")


def test_check_lists_what_can_be_used_and_what_cannot(cardio, clinic):
    found = cardio("data", "check", clinic, "--plugin", "toy", "--json")
    assert found.exit_code == 0
    assert found.json["n_usable"] == 32
    assert found.json["n_quarantined"] == 4
    assert {row["recording_id"] for row in found.json["quarantined"]} == set(REASONS)
    assert found.json["n_patients"] == 24
    text = cardio("data", "check", clinic, "--plugin", "toy").stdout
    assert "32 of 36 recordings can be used by toy mean_class" in text
    assert "quarantined  flat  preprocess: expected a signal" in text


def test_check_counts_beats_where_the_task_is_about_beats(cardio, strip):
    found = cardio("data", "check", strip, "--plugin", "toy", "--task", "beats", "--json").json
    assert found["n_samples"] > 6 * found["n_usable"]


def test_check_of_a_setting_that_finds_no_beat_exits_with_3(cardio, strip):
    said = cardio(
        "data", "check", strip, "--plugin", "toy", "--task", "beats",
        "--set", "preprocess.threshold_mv=50",
    )  # fmt: skip
    assert said.exit_code == 3
    assert "0 of 32 recordings can be used" in said.stdout
    assert names(said.stderr, "B00r0")


def test_check_of_a_folder_that_is_not_there_exits_with_2(cardio, tmp_path):
    said = cardio("data", "check", tmp_path / "nowhere", "--plugin", "toy")
    assert said.exit_code == 2
    assert said.code == "missing" and names(said.stderr, tmp_path / "nowhere")
