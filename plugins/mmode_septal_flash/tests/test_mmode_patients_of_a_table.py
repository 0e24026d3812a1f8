"""Patients of a table: whose loops they are, and what an effect and a shift do to them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import DataError
from cardio_mmode_septal_flash.synthetic import synthesize
from cardio_mmode_septal_flash.synthetic.patients import draw_as_given
from cardio_ultrasound import read_loop

EFFECTS = (-2.0, -0.2, 0.2, 1.0, 2.0)
SMALLEST_TO_LARGEST = {"clear": (3.0, 6.0), "medium": (0.5, 3.5), "subtle": (1.0, 3.0)}


@pytest.mark.parametrize("difficulty", list(SMALLEST_TO_LARGEST))
def test_the_flash_grows_with_the_effect_and_the_reader_sees_it_the_more_often(difficulty):
    many = [
        [draw_as_given("K7", np.random.default_rng(n), difficulty=difficulty, effect=z)
         for n in range(80)]
        for z in EFFECTS
    ]  # fmt: skip
    flash_mm = [{study.spec.septum.flash_mm for study in one} for one in many]
    assert [len(one) for one in flash_mm] == [1] * len(EFFECTS)  # the effect alone tells it
    sizes = [one.pop() for one in flash_mm]
    low, high = SMALLEST_TO_LARGEST[difficulty]
    assert sizes[:2] == [0.0, 0.0] and sizes == sorted(sizes)
    assert low < sizes[2] < low + 0.2 * (high - low) and high - 0.1 * (high - low) < sizes[4] < high
    seen = [np.mean([study.label for study in one]) for one in many]
    assert seen[0] < 0.2 and seen[4] > 0.9 and seen[4] > seen[0]
    starts = [[study.spec.beat.hr_bpm for study in one] for one in many]
    assert all(one == starts[0] for one in starts)  # nothing but the flash differs


def test_loops_and_patients_are_those_of_the_table(tmp_path):
    asked = pd.DataFrame(
        {"patient_id": ["K7", "A-1"], "number": [8, 8], "outcome": [True, False],
         "effect": [1.5, 1.5], "shift": [0.0, 1.0]}
    )  # fmt: skip
    synthesize(tmp_path, patients=asked, difficulty="medium")
    table = pd.read_csv(tmp_path / "cohort.csv")
    assert table["study_id"].tolist() == ["K7-bl", "A-1-bl"]
    truth = json.loads((tmp_path / "truth.json").read_text())["studies"]
    assert truth["K7-bl"]["displacement_mm"] == truth["A-1-bl"]["displacement_mm"]
    grey = [np.mean(list(read_loop(tmp_path / path).frames())) for path in table["path_echo_a4c"]]
    assert grey[1] < grey[0]  # one heart, another scanner


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"task": "phantom_flash"}, "separate patients"),
        ({"confounder": True}, "separate patients"),
        ({"difficulty": "impossible"}, "expected a difficulty of clear, medium, subtle"),
    ],
)
def test_a_table_with_what_does_not_go_with_it_is_refused(tmp_path, more, says):
    with pytest.raises(DataError, match=says):
        synthesize(tmp_path, patients=pd.DataFrame(), **more)
