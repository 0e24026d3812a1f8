"""Which studies are rest and stress of one patient, and what differs between the two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cardio_spect_polar.drawing.words import CHANGES
from cardio_spect_polar.phase.perfusion import CHANGE_UNITS, change_from_rest
from cardio_spect_polar.readers.studies import GatedFiles, rest_of_stress


def study(path: str, state: str | None, patient: str = "", examination: str = "") -> GatedFiles:
    return GatedFiles(path, (Path(path),), state, (), Path("x.json"), patient, examination)


R, S = "rest", "stress"


@pytest.mark.parametrize(
    ("studies", "pairs"),
    [
        ([study("a.dcm", R, "x"), study("b.dcm", S, "x")], {1: 0}),
        ([study("a.dcm", R, "x"), study("b.dcm", S, "y")], {}),
        ([study("a.dcm", R, "x"), study("b.dcm", R, "x")], {}),
        ([study("a.dcm", R, "x"), study("b.dcm", None, "x")], {}),
        # Two examinations of one patient: each is a pair; without them nothing tells.
        ([study("a", R, "x", "1"), study("b", S, "x", "1"), study("c", S, "x", "2"),
          study("d", R, "x", "2")], {1: 0, 2: 3}),
        ([study("a", R, "x"), study("b", S, "x"), study("c", S, "x")], {}),
        # Names that differ in the words for rest and stress alone; other folders are others.
        ([study("p/rest/1.nii", R), study("p/stress/1.nii", S)], {1: 0}),
        ([study("p/1/rest.nii", R), study("p/2/stress.nii", S)], {}),
        ([study("p7_rest.nii", R, "x"), study("p7_stress.nii", S, "y")], {}),
    ],
)  # fmt: skip
def test_one_rest_and_one_stress_of_one_patient_are_a_pair(studies, pairs):
    assert rest_of_stress(studies) == pairs


def test_a_difference_is_stress_minus_rest_and_missing_where_either_is():
    rest, stress = np.full(17, 80.0), np.full(17, 80.0)
    stress[[0, 1]] = 45.0  # two of the seven segments that the LAD supplies
    stress[[2, 3, 8, 9, 14]] = np.nan
    found = change_from_rest(
        {"psd_deg": 30.0, "pbw_deg": np.nan, "lvef_spect_pct": 40.0},
        {"psd_deg": 18.0, "pbw_deg": 50.0, "lvef_spect_pct": 52.0}, stress, rest,
    )  # fmt: skip
    assert found["psd_deg_change"] == 12.0
    assert found["lvef_spect_pct_change"] == -12.0
    assert np.isnan(found["pbw_deg_change"]) and np.isnan(found["lvedv_spect_ml_change"])
    assert found["lad_perfusion_change_pct"] == pytest.approx(-10.0)
    assert np.isnan(found["rca_perfusion_change_pct"])
    assert list(CHANGES) == list(CHANGE_UNITS) == list(found)
