"""Patients of a table: whose gated studies they are, and what an effect and a shift do to them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import DataError
from cardio_spect_polar.readers.nm import read_nm
from cardio_spect_polar.synthetic import synthesize

IDS, OUTCOME = ("K7", "A-1"), (True, False)


def recorded(folder: Path, effect: float, shift: float = 0.0) -> tuple[pd.DataFrame, dict]:
    asked = pd.DataFrame(
        {"patient_id": IDS, "number": (53, 58), "outcome": OUTCOME, "effect": effect,
         "shift": shift}
    )  # fmt: skip
    synthesize(folder, task="crt_response", patients=asked)
    truth = json.loads((folder / "truth.json").read_text())
    return pd.read_csv(folder / "cohort.csv"), truth


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def found(made) -> dict[str, tuple[pd.DataFrame, dict]]:
    """Two patients with a small effect, with a large one, and with that under a shift."""
    rows = {"low": (-1.5, 0.0), "high": (1.5, 0.0), "moved": (1.5, 1.0)}
    return {name: recorded(made / name, *row) for name, row in rows.items()}


def test_the_volumes_say_the_outcome_and_the_effect_is_in_the_phases(found):
    for table, truth in found.values():
        assert tuple(table["patient_id"]) == IDS
        shrunk = 1 - table["lvesv_fu_ml"] / table["lvesv_bl_ml"]  # LVESV15: by 15 % or more
        assert tuple(shrunk >= 0.15) == OUTCOME
        assert "bayes_auc" not in truth and "difficulty" not in truth
    low, high = (found[name][1]["patients"] for name in ("low", "high"))
    for one in IDS:
        # Places .07 and .93 between .02 and .30 RR.
        assert high[one]["late_rr"] - low[one]["late_rr"] == pytest.approx(0.2426, abs=1e-3)
        assert high[one]["psd_deg"] > low[one]["psd_deg"] + 5
        assert high[one]["scarred_segments"] == low[one]["scarred_segments"]


def test_a_shift_leaves_the_heart_and_takes_counts(made, found):
    (usual, truth), (moved, after) = found["high"], found["moved"]
    for one in IDS:
        before, behind = truth["patients"][one], after["patients"][one]
        assert before["segment_phase_deg"] == behind["segment_phase_deg"]
        assert behind["counts_per_voxel"] == pytest.approx(0.4 * before["counts_per_voxel"])
        assert behind["fwhm_mm"] == pytest.approx(before["fwhm_mm"] + 3.0)
    for first, second in zip(usual["path_spect"], moved["path_spect"], strict=True):
        sums = [
            float(np.sum(read_nm(made / name / path).counts))
            for name, path in (("high", first), ("moved", second))
        ]
        assert sums[1] / sums[0] == pytest.approx(0.45, abs=0.12)  # a blurred peak needs fewer


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"task": "mfr"}, "mfr has no outcome of a table"),
        ({"task": "crt_response", "difficulty": "easy"}, "its effect says how hard it is"),
    ],
)
def test_a_table_with_what_does_not_go_with_it_is_refused(tmp_path, more, says):
    with pytest.raises(DataError, match=says):
        synthesize(tmp_path, patients=pd.DataFrame(), **more)
