"""What `cardio predict` says of patients who are like those of training, and who are not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cardio_core.runner.answers import with_applicability


@pytest.fixture(scope="module")
def visitors(write_cohort, tmp_path_factory):
    """Twelve patients whom no run has seen, and two recordings that were spoiled."""
    folder = write_cohort(
        tmp_path_factory.mktemp("new") / "new", "mean_class", n_patients=12, seed=7
    )
    first, *rest = (folder / "C01r0.csv").read_text().splitlines()
    values = np.array(rest, float)
    noise = np.random.default_rng(0).normal(0, 0.2, len(values))
    for name, made in {"noisy": values + noise, "amplified": 2.5 * values}.items():
        lines = [first, *(f"{value:.4f}" for value in made)]
        (folder.parent / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_people_like_those_of_training_are_inside(cardio, clinic_run, visitors):
    said = cardio("predict", clinic_run, visitors, "--device", "cpu", "--json").json
    verdicts = {one["patient_id"]: one["verdict"] for one in said["applicability"]}
    assert set(verdicts) == {f"C{n:02d}" for n in range(12)}
    assert list(verdicts.values()).count("outside") <= 1
    assert all(0 <= one["percentile"] <= 100 for one in said["applicability"])


@pytest.mark.parametrize(("name", "words"), [("noisy", "spread 0.16"), ("amplified", "height 2")])
def test_a_spoiled_recording_is_outside_and_says_why(cardio, clinic_run, visitors, name, words):
    said = cardio("predict", clinic_run, visitors.parent / f"{name}.csv", "--device", "cpu").stdout
    (line,) = [one for one in said.splitlines() if one.startswith("Applicability: ")]
    assert line.startswith("Applicability: outside, not like the patients of training: ")
    assert words in line
    assert "(1st to 99th percentile)" in line


def test_what_a_run_keeps_holds_no_patient(clinic_run):
    text = (clinic_run / "models" / "final" / "applicability.json").read_text()
    kept = json.loads(text)
    assert kept["n_patients"] == 24
    cohort = json.loads((clinic_run / "cohort.json").read_text())
    assert not [who for who in (*cohort["patients"], *cohort["recordings"]) if who in text]


def test_a_network_trained_on_few_says_that_nobody_is_judged_by_it(cardio, beats_run, strip):
    kept = json.loads((beats_run / "models" / "final" / "applicability.json").read_text())
    # Eleven of 24 are trained on and thirteen tested: too few to calibrate a network on.
    assert kept["networks"] == {}
    assert kept["calibration"]["n"] == 24


def test_files_say_what_was_judged_of_their_patient():
    import pandas as pd

    judged = pd.DataFrame(
        [("a", "outside", "too fast", 99.0)],
        columns=["patient_id", "verdict", "reasons", "percentile"],
    )
    table = pd.DataFrame({"recording_id": ["a-1"], "patient_id": ["a"]})
    rows = with_applicability([{"recording": "a-1"}, {"recording": ""}], judged, table)
    assert rows[0] == {"recording": "a-1", "applicability": "outside", "because": "too fast"}
    assert rows[1] == {"recording": "", "applicability": "", "because": ""}
