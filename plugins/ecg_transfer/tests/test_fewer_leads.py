"""Recordings of fewer than twelve leads: what they tell is measured, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cardio_core.api import Context, DataError, SampleSet
from cardio_core.testing import refuses
from cardio_ecg_transfer.response.config import PreprocessBlock
from cardio_ecg_transfer.response.featurize import featurize
from cardio_ecg_transfer.response.models import CRT_RESPONSE, RECIPES
from cardio_ecg_transfer.response.predict import withheld
from cardio_ecg_transfer.response.preprocess import preprocess
from cardio_ecg_transfer.response.sheet import sheet
from cardio_ecg_transfer.shared.config import PicturesBlock
from cardio_ecg_transfer.signal.ecg import Ecg, unfit_leads
from cardio_ecg_transfer.signal.leads.names import LIMB_LEADS, STANDARD_LEADS
from cardio_ecg_transfer.signal.measurements.measure import measure_ecg
from cardio_ecg_transfer.synthetic.patient import PatientSpec
from cardio_ecg_transfer.synthetic.simulation import simulate

TIMES_MS = ("pr_ms", "p_ms", "qrs_ms", "qt_ms")
OF_ONE_LEAD = {"heart_rate_bpm", "qtc_ms", "jt_ms", "p_locked", "qrs_error_ms", "pr_error_ms",
               "qt_error_ms", *TIMES_MS}  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> Ecg:
    ecg, _ = simulate(PatientSpec("normal"), 10.0, 500.0, seed=3)
    return ecg


def of(ecg: Ecg, *leads: str) -> Ecg:
    rows = [ecg.leads.index(lead) for lead in leads]
    return replace(ecg, signal_mv=ecg.signal_mv[rows], leads=leads)


def test_qtc_is_fridericia_s():
    # Fridericia 1920: QT / RR^(1/3), RR in seconds.
    fast, _ = simulate(PatientSpec("normal", heart_rate_bpm=95.0), 10.0, 500.0, seed=3)
    values = measure_ecg(fast).values
    rr_s = 60 / values["heart_rate_bpm"]
    assert abs(rr_s - 1) > 0.1  # at 60/min every formula gives the same
    assert values["qtc_ms"] == pytest.approx(values["qt_ms"] / rr_s ** (1 / 3), abs=1.0)


@pytest.mark.parametrize("lead", ["I", "II", "V1", "V5"])
def test_one_lead_gives_rate_regularity_and_its_own_times(whole, lead):
    twelve, made = measure_ecg(whole), measure_ecg(of(whole, lead))
    own = {f"r_{lead.lower()}_mv", f"s_{lead.lower()}_mv"} & set(made.values)
    given = {name for name, value in made.values.items() if np.isfinite(value)}
    assert given == OF_ONE_LEAD | own
    assert set(made.values) - given == set(made.withheld)
    for name in TIMES_MS:
        assert made.values[name] == pytest.approx(twelve.values[name], abs=12.0)
    assert made.values["heart_rate_bpm"] == pytest.approx(twelve.values["heart_rate_bpm"], abs=1)
    assert made.rhythm.rr_scatter == pytest.approx(twelve.rhythm.rr_scatter, abs=0.01)
    assert unfit_leads(made.findings, "signal") == set(STANDARD_LEADS) - {lead}
    assert lead in made.flags[0]


def test_two_limb_leads_give_six_and_the_axis(whole):
    twelve, made = measure_ecg(whole), measure_ecg(of(whole, "II", "I"))
    assert unfit_leads(made.findings, "signal") == set(STANDARD_LEADS) - set(LIMB_LEADS)
    assert made.values["axis_deg"] == pytest.approx(twelve.values["axis_deg"], abs=2.0)
    assert np.isnan(made.values["qrs_area_uvs"]) and np.isnan(made.values["lbbb"])


def test_a_lead_of_another_name_is_measured_too(whole):
    made = measure_ecg(replace(of(whole, "II"), leads=("MLII",)))
    as_ii = measure_ecg(of(whole, "II"))
    assert made.values["qrs_ms"] == as_ii.values["qrs_ms"]
    assert np.isfinite(made.values["pr_ms"])


def prepared(ecg: Ecg, mode: str) -> SampleSet:
    columns = ("recording_id", "study_id", "patient_id")
    table = pd.DataFrame({name: ["1"] for name in columns} | {"lbbb_read": [np.nan]})
    samples = SampleSet(table.set_axis(["1"]), [ecg])
    return preprocess(samples, PreprocessBlock(n_beats=3), context(mode))


def context(mode: str) -> Context:
    return Context(CRT_RESPONSE, hook="preprocess", mode=mode)


@pytest.mark.parametrize("leads", [("II",), ("I", "II"), ("MLII",)])
def test_a_new_recording_of_few_leads_is_measured_and_drawn_and_no_model_answers(whole, leads):
    few = replace(of(whole, "II"), leads=leads) if leads == ("MLII",) else of(whole, *leads)
    samples = prepared(few, "predict")
    features = featurize(samples, PicturesBlock(height=24, width=32), context("predict"))
    block = features["measurements"]
    assert np.isfinite(block.values[:, block.names.index("qrs_ms")]).all()
    for block in features.blocks.values():
        assert not np.isinf(np.asarray(block.values, np.float64)).any()
    assert all(set(withheld(features, recipe)) == {"1"} for recipe in RECIPES.values())
    figure = Figure()
    sheet(figure, few, samples)
    figure.canvas.draw()


def test_no_model_is_trained_on_a_recording_of_few_leads(whole):
    with refuses(DataError, "recordings"):
        prepared(of(whole, "I", "II"), "fit")
