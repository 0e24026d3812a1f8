"""Pacemaker spikes: never an R peak, never a part of the QRS, never seen where there is none."""

from __future__ import annotations

import ast
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.measurements.measure import measure_ecg
from cardio_ecg_transfer.signal.pacing import beats_without_spikes
from cardio_ecg_transfer.synthetic.patient import PatientSpec
from cardio_ecg_transfer.synthetic.simulation import simulate

DATA = Path(os.environ.get("CARDIO_DATA", ""))
needs_data = pytest.mark.skipif(
    not (DATA / "ludb").is_dir() or "CARDIO_DATA" not in os.environ, reason="no CARDIO_DATA"
)
BLOCKS = ("lbbb", "lbbb_esc", "lbbb_aha", "rbbb", "n_notched", "r_peak_v6_ms")


def conducted(rate_hz=500.0, seed=3):
    return simulate(PatientSpec(heart_rate_bpm=70), 10.0, rate_hz, seed=seed)


def with_spikes(ecg, times_s, size_mv=1.0):
    """Add a sample of another size in each lead at each time."""
    signal_mv = ecg.signal_mv.copy()
    chest = dict(zip(("V1", "V2", "V3", "V4", "V5", "V6"), np.linspace(-1.0, 1.0, 6), strict=True))
    limb = {"I": 0.5, "II": 1.0, "III": 0.5, "aVR": -0.75, "aVL": 0.0, "aVF": 0.75}
    sizes = size_mv * np.array([(limb | chest)[lead] for lead in ecg.leads])
    signal_mv[:, np.rint(np.asarray(times_s) * ecg.rate_hz).astype(int)] += sizes[:, None]
    return replace(ecg, signal_mv=signal_mv)


@pytest.mark.parametrize("rate_hz", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("gain", [0.2, 1.0, 3.0])
def test_a_paced_heart_is_found_and_no_block_is_judged(rate_hz, gain):
    ecg, truth = simulate(PatientSpec(conduction="paced"), 10.0, rate_hz, seed=5)
    made = measure_ecg(replace(ecg, signal_mv=gain * ecg.signal_mv))
    assert made.pacing.is_paced
    assert np.isnan([made.values[name] for name in BLOCKS]).all()
    assert made.withheld.keys() >= set(BLOCKS)
    assert made.values["qrs_ms"] == pytest.approx(truth.qrs_ms.mean(), abs=20.0)
    assert [finding.unfit for finding in made.findings if finding.unfit == "paced"] == ["paced"]


@pytest.mark.parametrize("size_mv", [0.3, 5.0])
def test_a_spike_before_the_p_wave_is_atrial_and_leaves_the_qrs_to_be_judged(size_mv):
    ecg, truth = conducted()
    times_s = truth.r_s[truth.r_s > 0.3] - 0.25
    plain, made = measure_ecg(ecg), measure_ecg(with_spikes(ecg, times_s, size_mv))
    assert made.pacing.before_r_ms == pytest.approx((250.0,), abs=12.0)
    assert made.values["lbbb"] == plain.values["lbbb"] == 0.0
    assert made.values["qrs_ms"] == pytest.approx(plain.values["qrs_ms"], abs=3.0)


def test_both_chambers_are_told_apart_and_no_spike_is_an_r_peak():
    ecg, truth = simulate(PatientSpec(conduction="paced"), 10.0, 1000.0, seed=2)
    own = beats_without_spikes(ecg)[2]
    first_s = own.times_s - 0.15
    both = with_spikes(ecg, first_s[first_s > 0.1], 6.0)
    bridged, peaks, pacing = beats_without_spikes(both)
    assert len(pacing.before_r_ms) == 2
    assert np.subtract(*pacing.before_r_ms) == pytest.approx(150.0, abs=5.0)
    apart_s = np.abs(peaks.times_s[:, None] - pacing.times_s).min(axis=1)
    assert (apart_s > 0.02).all()
    assert len(peaks.times_s) == pytest.approx(len(truth.r_s), abs=1)
    assert np.abs(bridged.signal_mv).max() < 5.0


def test_a_spike_that_is_held_or_cut_at_an_end_is_no_r_peak():
    """A recorder repeats a value for some samples, and begins and ends amid widened spikes."""
    ecg, truth = simulate(PatientSpec(conduction="paced"), 10.0, 500.0, seed=5)
    bridged, _, pacing = beats_without_spikes(ecg)
    spikes = np.rint(pacing.times_s * 500).astype(int)
    alone_mv = (ecg.signal_mv - bridged.signal_mv)[:, spikes]
    signal_mv, height_mv = ecg.signal_mv.copy(), 2 * alone_mv[:, [4]]
    signal_mv[:, spikes] += alone_mv
    signal_mv[:, spikes[3] : spikes[3] + 6] += height_mv
    for end in (slice(0, 5), slice(-5, None)):
        signal_mv[:, end] += height_mv / 2
    _, peaks, found = beats_without_spikes(replace(ecg, signal_mv=signal_mv))
    assert found.is_paced
    np.testing.assert_allclose(peaks.times_s, truth.r_s, atol=0.02)


def test_spikes_at_no_time_of_their_own_are_artefacts():
    ecg, truth = conducted()
    rng = np.random.default_rng(0)
    far_s = rng.uniform(0.2, 9.8, 12)
    apart_s = truth.r_s[truth.r_s < 9.0][::4] + 0.4  # and three that are alike, behind the T wave
    disturbed = with_spikes(ecg, np.r_[far_s[::4], apart_s])
    assert not beats_without_spikes(disturbed)[2].is_paced
    assert beats_without_spikes(ecg)[0] is ecg


@pytest.mark.parametrize("signal_mv", [np.zeros((2, 5000)), np.full((2, 5000), np.nan)])
def test_nothing_is_paced_where_there_is_no_signal(signal_mv):
    ecg, _ = conducted()
    empty = replace(ecg, signal_mv=signal_mv.astype(np.float32), leads=("I", "II"))
    _, peaks, pacing = beats_without_spikes(empty)
    assert peaks.samples.size == pacing.times_s.size == 0


def test_what_is_missing_stays_missing_and_nothing_else_is_lost():
    ecg, _ = simulate(PatientSpec(conduction="paced"), 10.0, 500.0, seed=5)
    spike = round(beats_without_spikes(ecg)[2].times_s[3] * 500)
    signal_mv = ecg.signal_mv.copy()
    signal_mv[0, spike - 3 : spike + 2] = np.nan  # within the bridge
    signal_mv[1, spike + 5 : spike + 60] = np.nan  # over its end
    bridged, _, pacing = beats_without_spikes(replace(ecg, signal_mv=signal_mv))
    assert pacing.is_paced
    np.testing.assert_array_equal(np.isnan(bridged.signal_mv), np.isnan(signal_mv))


def test_spikes_before_fewer_than_three_beats_are_artefacts():
    ecg, truth = simulate(PatientSpec(heart_rate_bpm=60), 1.9, 500.0, seed=3)
    assert len(truth.r_s) <= 2
    spiked = with_spikes(ecg, truth.r_s - 0.08)
    assert not beats_without_spikes(spiked)[2].is_paced


@needs_data
def test_every_paced_recording_is_found_without_a_block_and_one_in_fifty_others_at_most():
    marks = pd.read_csv(DATA / "ludb" / "ludb.csv").set_index("ID")["Cardiac pacing"]
    paced = [f"ludb/data/{record}" for record in marks.index[marks.notna()]]
    table = pd.read_csv(DATA / "ptbxl" / "ptbxl_database.csv")
    coded = table["scp_codes"].map(lambda codes: "PACE" in ast.literal_eval(codes))
    paced += [f"ptbxl/{name}" for name in table.loc[coded, "filename_hr"]]
    paced = [name for name in paced if (DATA / f"{name}.hea").exists()]
    assert len(paced) == 9
    for name in paced:
        made = measure_ecg(read_ecg(DATA / f"{name}.hea"))
        assert made.pacing.is_paced, name
        assert np.isnan([made.values[block] for block in BLOCKS]).all(), name
    others = [record for record in range(2, 101, 2) if f"ludb/data/{record}" not in paced]
    found = [beats_without_spikes(read_ecg(DATA / f"ludb/data/{record}.hea"))[2].is_paced
             for record in others]  # fmt: skip
    assert sum(found) <= 2 and len(found) > 40


@needs_data
@pytest.mark.parametrize("leads", [("II",), ("V1",), ("II", "V1")])
def test_an_unpaced_recording_of_few_leads_is_not_called_paced(leads):
    marks = pd.read_csv(DATA / "ludb" / "ludb.csv").set_index("ID")["Cardiac pacing"]
    found = []
    for record in marks.index[marks.isna()][::5]:
        ecg = read_ecg(DATA / f"ludb/data/{record}.hea")
        rows = [ecg.leads.index(lead) for lead in leads]
        few = replace(ecg, signal_mv=ecg.signal_mv[rows], leads=leads)
        found.append(beats_without_spikes(few)[2].is_paced)
    assert len(found) > 15 and not any(found)
