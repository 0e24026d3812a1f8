"""The rhythm statement: sinus, fibrillation, flutter, paced, or not sure, with its evidence."""

from __future__ import annotations

import ast
import os
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.measurements.measure import measure_ecg
from cardio_ecg_transfer.signal.rhythm import RhythmKind
from cardio_ecg_transfer.synthetic.noise import DOWER, twelve_leads
from cardio_ecg_transfer.synthetic.patient import PatientSpec
from cardio_ecg_transfer.synthetic.simulation import simulate

DATA = Path(os.environ.get("CARDIO_DATA", ""))
realdata = pytest.mark.realdata
needs_data = pytest.mark.skipif(
    not os.environ.get("CARDIO_DATA") and os.environ.get("CI") != "true",
    reason="CARDIO_DATA names no folder with ludb and ptbxl",
)
PR = ("pr_ms", "p_ms", "pr_error_ms")


def with_flutter(rate_bpm, *, times, seed):
    """Simulate a heart at a part of the atrial rate, its P waves drowned in a sawtooth."""
    spec = PatientSpec(heart_rate_bpm=rate_bpm / times, rr_variability=0.0)
    ecg, truth = simulate(spec, 10.0, 500.0, seed=seed)
    time_s = np.arange(ecg.signal_mv.shape[1]) / 500.0
    phase = (time_s - truth.r_s[2]) * rate_bpm / 60.0 + 0.3
    teeth = np.abs(phase % 1.0 - 0.3) - 0.5
    waves = twelve_leads(DOWER @ np.outer([0.1, -0.5, 0.15], teeth))
    return replace(ecg, signal_mv=(ecg.signal_mv + waves).astype(np.float32))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sinus_rhythm_is_stated_with_the_share_of_its_p_waves_and_keeps_its_pr(seed):
    ecg, truth = simulate(PatientSpec(heart_rate_bpm=72), 10.0, 500.0, seed=seed)
    made = measure_ecg(ecg)
    assert made.rhythm.kind is RhythmKind.SINUS
    assert made.rhythm.p_share > 0.9
    assert made.rhythm.rr_scatter < 0.1
    assert np.isnan(made.rhythm.atrial_rate_bpm)
    peak_to_qrs_ms = 1000 * np.nanmean(truth.qrs_on_s - truth.p_s)
    assert peak_to_qrs_ms < made.values["pr_ms"] < peak_to_qrs_ms + 110.0


def test_what_looks_like_a_long_pr_at_the_rate_of_flutter_is_not_given():
    made = measure_ecg(with_flutter(290.0, times=2, seed=4))
    assert made.rhythm.kind in {RhythmKind.FLUTTER, RhythmKind.UNSURE}
    assert np.isnan([made.values[name] for name in PR]).all()
    assert set(PR) <= set(made.withheld)


@pytest.mark.parametrize(("rate_bpm", "times"), [(270.0, 4), (300.0, 4), (240.0, 3)])
def test_flutter_has_no_pr_and_says_how_many_waves_come_to_a_qrs(rate_bpm, times):
    made = measure_ecg(with_flutter(rate_bpm, times=times, seed=4))
    assert made.rhythm.kind is RhythmKind.FLUTTER
    assert made.rhythm.atrial_rate_bpm == pytest.approx(rate_bpm, rel=0.04)
    assert made.rhythm.waves_a_beat == times
    assert np.isnan(made.values["pr_ms"])


def test_fibrillation_is_stated_where_beats_come_without_order_and_without_p():
    ecg, _ = simulate(PatientSpec(heart_rate_bpm=90, rhythm="af"), 10.0, 500.0, seed=5)
    made = measure_ecg(ecg)
    assert made.rhythm.kind in {RhythmKind.FIBRILLATION, RhythmKind.NO_P}
    assert made.rhythm.rr_scatter > 0.1
    assert np.isnan(made.values["pr_ms"])


def test_a_paced_heart_names_its_chambers_and_not_the_atria():
    ecg, _ = simulate(PatientSpec(conduction="paced"), 10.0, 500.0, seed=5)
    rhythm = measure_ecg(ecg).rhythm
    assert (rhythm.kind, rhythm.evidence) == (RhythmKind.PACED, ("ventricular",))


def test_a_p_wave_that_points_away_from_the_feet_is_not_called_sinus():
    ecg, truth = simulate(PatientSpec(heart_rate_bpm=72), 10.0, 500.0, seed=1)
    time_s = np.arange(ecg.signal_mv.shape[1]) / 500.0
    before_s = measure_ecg(ecg).p_wave.peak_ms / 1000.0
    bumps = sum(np.exp(-0.5 * ((time_s - r - before_s) / 0.022) ** 2) for r in truth.r_s)
    upside_down = twelve_leads(DOWER @ np.outer([-0.05, -0.35, 0.0], bumps))
    made = measure_ecg(replace(ecg, signal_mv=(ecg.signal_mv + upside_down).astype(np.float32)))
    assert made.rhythm.kind is RhythmKind.UNSURE
    assert made.rhythm.p_axis_deg < -45.0
    assert np.isfinite(made.values["pr_ms"])


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_no_gain_changes_the_statement(gain):
    for ecg in (
        with_flutter(270.0, times=4, seed=4),
        simulate(PatientSpec(), 10.0, 500.0, seed=6)[0],
    ):
        louder = replace(ecg, signal_mv=(gain * ecg.signal_mv).astype(np.float32))
        assert measure_ecg(louder).rhythm.kind is measure_ecg(ecg).rhythm.kind


def test_a_recording_without_a_moment_that_all_leads_have_still_gets_a_statement():
    ecg, _ = simulate(PatientSpec(heart_rate_bpm=72), 10.0, 500.0, seed=1)
    signal_mv = ecg.signal_mv.copy()
    signal_mv[3, ::2500] = np.nan
    assert measure_ecg(replace(ecg, signal_mv=signal_mv)).rhythm.kind is RhythmKind.SINUS


@cache
def of_even_patients():
    """Measure the ECGs that nothing was fitted on: rhythm by the set's own table, and measured."""
    made = []
    marks = pd.read_csv(DATA / "ludb" / "ludb.csv").set_index("ID")
    for record in range(2, 101, 2):
        if isinstance(marks["Cardiac pacing"][record], str):
            continue
        said = marks["Rhythms"][record].lower()
        truth = next((one for one in ("flutter", "fibrillation") if one in said), "sinus")
        made.append((truth, measure_ecg(read_ecg(DATA / "ludb" / "data" / f"{record}.hea"))))
    table = pd.read_csv(DATA / "ptbxl" / "ptbxl_database.csv")
    for row in table[table["patient_id"] % 4 == 0].itertuples():
        path, codes = DATA / "ptbxl" / f"{row.filename_hr}.hea", ast.literal_eval(row.scp_codes)
        truth = "fibrillation" if "AFIB" in codes else "sinus" if "SR" in codes else ""
        if truth and path.exists():
            made.append((truth, measure_ecg(read_ecg(path))))
    return made


@realdata
@needs_data
def test_of_real_ecgs_sinus_keeps_its_pr_and_nobody_without_a_p_wave_gets_one():
    n_pr, n = Counter(), Counter()
    for truth, made in of_even_patients():
        n[truth] += 1
        n_pr[truth] += bool(np.isfinite(made.values["pr_ms"]))
    assert n["sinus"] > 100
    assert n_pr["sinus"] >= 0.97 * n["sinus"]
    assert n_pr["flutter"] == n_pr["fibrillation"] == 0


@realdata
@needs_data
def test_of_real_ecgs_few_are_called_what_they_are_not():
    kinds = {"sinus": Counter(), "fibrillation": Counter(), "flutter": Counter()}
    for truth, made in of_even_patients():
        kinds[truth][made.rhythm.kind] += 1
    wrong = kinds["sinus"].total() - kinds["sinus"][RhythmKind.SINUS]
    assert wrong - kinds["sinus"][RhythmKind.UNSURE] <= 3
    assert kinds["sinus"][RhythmKind.FLUTTER] <= 1
    assert kinds["flutter"][RhythmKind.FLUTTER] == kinds["flutter"].total() == 1
    assert kinds["fibrillation"][RhythmKind.SINUS] == 0
