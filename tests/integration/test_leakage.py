"""No patient stands on both sides unless it is declared, and then only under `paper`."""

from __future__ import annotations

import shutil

import pytest

from cardio_core.errors import LeakageError


def test_honest_refuses_a_plan_whose_lists_share_a_person(cardio, strip, tmp_path):
    said = cardio(
        "run", "--plugin", "toy", "--task", "beats", "--data", strip, "--out", tmp_path / "run",
        "--executor", "local:1", "--protocol", "honest",
        "--set", "protocols.honest.plan=listed_twice",
    )  # fmt: skip
    assert said.exit_code == 1
    assert "1 subject(s) (B00) stand in training and in test" in said.stderr
    assert "the honest protocol never allows it" in said.stderr


def test_honest_refuses_a_split_of_samples(run_toy, strip, tmp_path):
    with pytest.raises(LeakageError, match="the honest protocol never allows it"):
        run_toy(
            tmp_path / "run",
            task="beats",
            data=(strip,),
            protocol="honest",
            sets=("protocols.honest.plan=random_beats",),
        )


def test_the_same_file_under_two_patients_is_refused(run_toy, clinic, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(clinic, data)
    shutil.copy(data / "C04r0.csv", data / "C05r0.csv")
    with pytest.raises(LeakageError, match="identical file under two patients; link them"):
        run_toy(tmp_path / "run", data=(data,))


def test_linked_patients_may_share_a_file(cardio, clinic, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(clinic, data)
    shutil.copy(data / "C00r0.csv", data / "C23r0.csv")
    said = cardio("data", "check", data, "--plugin", "toy", "--json")
    assert said.exit_code == 0
    assert said.json["n_usable"] == 32


def test_what_is_stated_beside_recordings_may_be_the_same_for_all_patients(
    cardio, clinic, tmp_path
):
    data = tmp_path / "data"
    shutil.copytree(clinic, data)
    for recording in data.glob("C*.csv"):
        recording.with_suffix(".json").write_text('{"frame_rate_hz": 50}')
    said = cardio("data", "check", data, "--plugin", "toy", "--json")
    assert said.exit_code == 0, said.stderr
    assert said.json["n_usable"] == 32
