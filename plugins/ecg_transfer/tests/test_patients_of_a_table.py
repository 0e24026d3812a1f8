"""Patients of a table: whose ECGs they are, and what an effect and a shift do to them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import DataError
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.measurements.measure import measure_ecg
from cardio_ecg_transfer.synthetic import synthesize

IDS = ("K7", "A-1", "b_2", "Z9")
OUTCOME = (True, False, False, True)


def recorded(folder: Path, effect: float, shift: float = 0.0) -> tuple[pd.DataFrame, dict]:
    asked = pd.DataFrame(
        {"patient_id": IDS, "number": range(50, 54), "outcome": OUTCOME, "effect": effect,
         "shift": shift}
    )  # fmt: skip
    synthesize(folder, task="crt_response", patients=asked)
    truth = json.loads((folder / "truth.json").read_text())
    return pd.read_csv(folder / "cohort.csv"), truth


def test_the_volumes_say_the_outcome_of_the_table_and_the_effect_is_in_the_qrs(tmp_path):
    found = {name: recorded(tmp_path / name, z) for name, z in (("low", -1.0), ("high", 1.0))}
    measured_ms = {}
    for name, (table, truth) in found.items():
        assert tuple(table["patient_id"]) == IDS
        shrunk = 1 - table["lvesv_fu_ml"] / table["lvesv_bl_ml"]  # LVESV15: by 15 % or more
        assert tuple(shrunk >= 0.15) == OUTCOME
        assert [truth["patients"][one]["response"] for one in IDS] == [1, 0, 0, 1]
        assert "bayes_auc" not in truth and "difficulty" not in truth
        opened = [read_ecg(tmp_path / name / path) for path in table["path_ecg"]]
        measured_ms[name] = np.array([measure_ecg(one).values["qrs_ms"] for one in opened])
    # What is measured may err by 15 ms in such noise, in opposite directions.
    assert (measured_ms["high"] - measured_ms["low"] > 48 - 12 - 2 * 15).all()
    of = {name: truth["patients"] for name, (_, truth) in found.items()}
    for one in IDS:
        # Degrees of block of .36 and .91 (see severity_of): 79 to 166 ms, so about 48 ms apart.
        assert of["high"][one]["qrs_ms"] - of["low"][one]["qrs_ms"] == pytest.approx(48, abs=12)
        assert of["high"][one]["qrs_area_uvs"] > 1.5 * of["low"][one]["qrs_area_uvs"]


def test_a_shift_makes_the_same_hearts_ecg_smaller_and_noisier(tmp_path):
    usual, truth = recorded(tmp_path / "usual", 0.5)
    moved, same = recorded(tmp_path / "moved", 0.5, shift=1.0)
    assert truth == same
    for before, after in zip(usual["path_ecg"], moved["path_ecg"], strict=True):
        first, second = (
            read_ecg(tmp_path / name / path).signal_mv
            for name, path in (("usual", before), ("moved", after))
        )
        # Of one heart, one draw of noise: three quarters of the gain, and 8 dB more noise.
        together = np.corrcoef(first.ravel(), second.ravel())[0, 1]
        assert 0.8 < together < 0.9995
        assert second.std() / first.std() == pytest.approx(0.79, abs=0.06)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"task": "aami_beats"}, "aami_beats has labels of beats, none of patients"),
        ({"task": "crt_response", "difficulty": "easy"}, "its effect says how hard it is"),
        ({"task": "crt_response", "null": True}, "its effect says how hard it is"),
    ],
)
def test_a_table_with_what_does_not_go_with_it_is_refused(tmp_path, more, says):
    with pytest.raises(DataError, match=says):
        synthesize(tmp_path, patients=pd.DataFrame(), **more)
