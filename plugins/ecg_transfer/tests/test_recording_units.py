"""Units and gains that cannot be a heart's: found, whichever way they are wrong."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.ecg import unfit_leads
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.signal.measurements.measure import measure_ecg
from cardio_ecg_transfer.signal.recording_checks import SPANS_MV, check_recording
from cardio_ecg_transfer.synthetic.patient import PatientSpec
from cardio_ecg_transfer.synthetic.simulation import simulate

TWELVE = frozenset(STANDARD_LEADS)


def simulated():
    return simulate(PatientSpec(heart_rate_bpm=70), 10.0, 500.0, seed=7)[0]


def times(ecg, factor, leads=STANDARD_LEADS):
    rows = np.where(np.isin(ecg.leads, leads), factor, 1.0)[:, None]
    return replace(ecg, signal_mv=(ecg.signal_mv * rows).astype(np.float32))


@pytest.mark.parametrize("factor", [0.1, 10.0, 1e3, 1e6])
def test_a_wrong_unit_withholds_millivolts_and_nothing_else(factor):
    right, wrong = measure_ecg(simulated()), measure_ecg(times(simulated(), factor))
    assert unfit_leads(wrong.findings, "unit") == TWELVE
    assert np.isnan(wrong.values["r_v5_mv"]) and np.isnan(wrong.values["qrs_area_uvs"])
    for name in ("qrs_ms", "pr_ms", "qt_ms", "axis_deg", "lbbb"):
        assert wrong.values[name] == pytest.approx(right.values[name], abs=0.2)


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.6])
def test_a_small_and_a_large_heart_are_no_wrong_unit(factor):
    assert not unfit_leads(check_recording(times(simulated(), factor)).findings, "unit")


def test_one_lead_larger_than_any_heart_loses_its_own_millivolts_alone():
    made = measure_ecg(times(simulated(), 10.0, ("V5",)))
    assert unfit_leads(made.findings, "potential") == {"V5"}
    assert not unfit_leads(made.findings, "unit")
    assert np.isnan(made.values["r_v5_mv"]) and np.isfinite(made.values["r_v6_mv"])


def test_one_lead_alone_is_never_too_small():
    ecg = simulated()
    single = replace(ecg, signal_mv=0.1 * ecg.signal_mv[1:2], leads=("II",))
    assert not unfit_leads(check_recording(single).findings, "unit")


def test_what_is_at_most_shown_is_more_than_what_is_usual_in_every_lead():
    assert set(SPANS_MV) == TWELVE
    assert all(usual < most for usual, most in SPANS_MV.values())


@pytest.mark.realdata
@pytest.mark.skipif(
    not os.environ.get("CARDIO_DATA") and os.environ.get("CI") != "true",
    reason="CARDIO_DATA names no folder with ptbxl",
)
@pytest.mark.parametrize(("factor", "found"), [(1.0, 0.0), (10.0, 1.0), (0.1, 1.0), (1e3, 1.0)])
def test_of_real_ecgs_every_wrong_unit_is_found_and_no_right_one(factor, found):
    folder = Path(os.environ["CARDIO_DATA"]) / "ptbxl"
    names = pd.read_csv(folder / "ptbxl_database.csv")["filename_hr"]
    paths = [folder / f"{name}.hea" for name in names if (folder / f"{name}.hea").exists()]
    unfit = [
        bool(unfit_leads(check_recording(times(read_ecg(path), factor)).findings, "unit"))
        for path in paths[::10]
    ]
    assert len(unfit) > 30
    assert np.mean(unfit) == found
