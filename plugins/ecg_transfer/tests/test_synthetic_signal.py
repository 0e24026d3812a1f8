"""The synthetic signal against what is known outside: matrices, prototypes, textbook pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import find_peaks, periodogram

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.names import INDEPENDENT_LEADS
from cardio_ecg_transfer.synthetic.noise import DOWER, twelve_leads
from cardio_ecg_transfer.synthetic.patient import Anatomy, Noise, PatientSpec, draw_anatomy
from cardio_ecg_transfer.synthetic.simulation import Truth, simulate

RATE_HZ = 1000.0

# Dower's coefficients as the methods page prints them.
PRINTED = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}


def lead(ecg: Ecg, name: str) -> np.ndarray:
    return ecg.signal_mv[ecg.leads.index(name)].astype(float)


def around(ecg: Ecg, truth: Truth, name: str, edges_s: tuple[float, float]) -> np.ndarray:
    """Return one lead's second beat between two times relative to its R peak."""
    first, last = ((truth.r_s[1] + edge) * ecg.rate_hz for edge in edges_s)
    return lead(ecg, name)[round(first) : round(last)]


def vector_of(ecg: Ecg) -> np.ndarray:
    """Recover x, y, z from the eight leads: they are an exact projection of it."""
    eight = np.stack([lead(ecg, name) for name in INDEPENDENT_LEADS])
    return np.linalg.lstsq(np.array(list(PRINTED.values())), eight, rcond=None)[0]


def test_the_matrix_is_the_printed_one() -> None:
    assert dict(zip(INDEPENDENT_LEADS, map(tuple, DOWER.tolist()), strict=True)) == PRINTED


def test_a_unit_vector_appears_in_each_lead_as_its_coefficient() -> None:
    twelve = twelve_leads(DOWER)
    one, two = np.array(PRINTED["I"]), np.array(PRINTED["II"])
    expected = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    expected += [np.array(PRINTED[f"V{n}"]) for n in range(1, 7)]
    np.testing.assert_allclose(twelve, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("conduction", "duration_ms", "area_uvs"), [("normal", 79, 27), ("lbbb", 166, 148)]
)
def test_qrs_duration_and_area_are_the_prototypes(
    conduction: str, duration_ms: float, area_uvs: float
) -> None:
    """Measured on the recording: time above 20 µV, and the integral of the recovered vector."""
    ecg, truth = simulate(PatientSpec(conduction=conduction), 60.0, RATE_HZ, seed=0)
    vector = vector_of(ecg)
    durations, areas = [], []
    for r_s in truth.r_s[1:-1]:
        qrs = vector[:, round((r_s - 0.112) * RATE_HZ) : round((r_s + 0.075) * RATE_HZ)]
        if conduction == "normal":
            qrs = vector[:, round((r_s - 0.065) * RATE_HZ) : round((r_s + 0.065) * RATE_HZ)]
        above = np.flatnonzero(np.linalg.norm(qrs, axis=0) >= 0.02)
        durations.append((above[-1] - above[0]) / RATE_HZ * 1000)
        areas.append(np.linalg.norm(qrs.sum(axis=1)) / RATE_HZ * 1000)
    assert np.mean(durations) == pytest.approx(duration_ms, abs=2)
    assert np.mean(areas) == pytest.approx(area_uvs, rel=0.03)
    assert truth.qrs_ms.mean() == pytest.approx(duration_ms, abs=1)
    assert truth.qrs_area_uvs.mean() == pytest.approx(area_uvs, rel=0.02)


def test_duration_and_area_grow_steadily_with_the_degree_of_block() -> None:
    degrees = np.linspace(0, 1, 6)
    truths = [simulate(PatientSpec("lbbb", s), 10.0, 500.0, seed=0)[1] for s in degrees]
    for values in ([t.qrs_ms.mean() for t in truths], [t.qrs_area_uvs.mean() for t in truths]):
        assert np.all(np.diff(values) > 0)


def test_a_normal_beat_looks_like_the_textbooks() -> None:
    ecg, truth = simulate(PatientSpec(), 10.0, RATE_HZ, seed=0)
    qrs = {name: around(ecg, truth, name, (-0.05, 0.05)) for name in ecg.leads}
    # R of lead II: the main wave's vector (1.14, .83, .36) mV times Dower's row.
    assert qrs["II"].max() == pytest.approx(1.14 * 0.235 + 0.83 * 1.066 - 0.36 * 0.132, rel=0.06)
    assert qrs["V1"].max() > 0.15  # r
    assert qrs["V1"].min() < -0.5  # S
    assert qrs["V6"][:30].min() < -0.05  # q
    assert qrs["aVR"].min() < -0.5
    r_waves = [qrs[f"V{n}"].max() for n in (1, 2, 3, 4)]
    assert r_waves == sorted(r_waves)  # R-wave progression
    for name in ("I", "II", "V5", "V6"):
        assert around(ecg, truth, name, (0.15, 0.4)).max() > 0.1  # T
        assert around(ecg, truth, name, (-0.22, -0.1)).max() > 0.02  # P
    assert truth.symbols == ("N",) * len(truth.r_s)


def test_left_bundle_branch_block_has_its_notch_no_q_and_a_discordant_t() -> None:
    ecg, truth = simulate(PatientSpec("lbbb"), 10.0, RATE_HZ, seed=0)
    for name in ("I", "V5", "V6"):
        qrs = around(ecg, truth, name, (-0.11, 0.08))
        assert qrs.min() > -0.02  # no q, no S
        assert around(ecg, truth, name, (0.15, 0.4)).min() < -0.1
    assert len(find_peaks(around(ecg, truth, "V6", (-0.11, 0.08)))[0]) == 2
    assert around(ecg, truth, "V1", (-0.11, 0.08)).min() < -1.0
    assert around(ecg, truth, "V1", (-0.11, 0.08)).max() < 0.05
    assert around(ecg, truth, "V1", (0.15, 0.4)).max() > 0.2
    assert set(truth.symbols) == {"L"}


def test_right_bundle_branch_block_ends_upright_in_v1_and_with_an_s_in_v6() -> None:
    ecg, truth = simulate(PatientSpec("rbbb"), 10.0, RATE_HZ, seed=0)
    assert around(ecg, truth, "V1", (0.03, 0.09)).max() > 0.5
    assert around(ecg, truth, "V6", (0.03, 0.09)).min() < -0.3
    assert around(ecg, truth, "I", (0.03, 0.09)).min() < -0.2
    assert truth.qrs_ms.mean() > 120
    assert set(truth.symbols) == {"R"}


def test_ventricular_beats_are_early_wide_and_without_p_before_a_full_pause() -> None:
    ecg, truth = simulate(PatientSpec(pvc_share=0.15, rr_variability=0.0), 60.0, RATE_HZ, seed=1)
    symbols = np.array(truth.symbols)
    ectopic = np.flatnonzero(symbols[1:-1] == "V") + 1
    assert len(ectopic) > 4
    assert np.isnan(truth.p_s[ectopic]).all()
    assert not np.isnan(truth.p_s[symbols == "N"]).any()
    assert truth.qrs_ms[ectopic].min() > 120 > truth.qrs_ms[symbols == "N"].max()
    cycle_s = 60 / 72
    before = truth.r_s[ectopic] - truth.r_s[ectopic - 1]
    both = truth.r_s[ectopic + 1] - truth.r_s[ectopic - 1]
    np.testing.assert_allclose(before, 0.62 * cycle_s, atol=0.02)
    np.testing.assert_allclose(both, 2 * cycle_s, atol=0.01)  # fully compensatory
    v1 = lead(ecg, "V1")
    at_p = np.rint((truth.r_s[ectopic] - 0.16) * RATE_HZ).astype(int)
    assert np.abs(np.diff(v1)[at_p]).max() < 0.05


def test_atrial_beats_are_early_and_narrow_and_reset_the_sinus_node() -> None:
    _, truth = simulate(PatientSpec(pac_share=0.15, rr_variability=0.0), 60.0, 500.0, seed=1)
    early = np.flatnonzero(np.array(truth.symbols)[1:-1] == "A") + 1
    assert len(early) > 4
    assert truth.qrs_ms[early].max() < 90
    both = truth.r_s[early + 1] - truth.r_s[early - 1]
    assert both.max() < 1.9 * 60 / 72


def test_a_paced_beat_follows_its_spike_and_has_no_p() -> None:
    ecg, truth = simulate(PatientSpec("paced"), 10.0, RATE_HZ, seed=0)
    assert set(truth.symbols) == {"/"}
    assert truth.rhythm == "(P"
    assert np.isnan(truth.p_s).all()
    slope = np.abs(np.diff(lead(ecg, "II")))
    for on_s in truth.qrs_on_s[1:-1]:
        before = slope[round((on_s - 0.012) * RATE_HZ) : round((on_s + 0.002) * RATE_HZ)]
        assert before.max() > 5 * np.median(slope[slope > 1e-3])


def test_atrial_fibrillation_has_irregular_beats_f_waves_and_no_p() -> None:
    ecg, truth = simulate(PatientSpec(rhythm="af"), 120.0, 250.0, seed=2)
    intervals = np.diff(truth.r_s)
    assert np.std(intervals) / np.mean(intervals) == pytest.approx(0.22, abs=0.05)
    assert abs(np.corrcoef(intervals[1:], intervals[:-1])[0, 1]) < 0.25
    assert np.isnan(truth.p_s).all()
    assert truth.rhythm == "(AFIB"
    sinus, _ = simulate(PatientSpec(), 120.0, 250.0, seed=2)

    def resting_power(recording: Ecg, beats: Truth) -> float:
        diastole = [
            around_r - np.mean(around_r)
            for r_s in beats.r_s[1:-1]
            for around_r in [
                lead(recording, "V1")[round((r_s - 0.12) * 250) : round((r_s - 0.06) * 250)]
            ]
        ]
        return float(np.mean(np.square(diastole)))

    _, beats = simulate(PatientSpec(), 120.0, 250.0, seed=2)
    assert resting_power(ecg, truth) > 10 * resting_power(sinus, beats)


def test_sinus_intervals_vary_at_a_tenth_and_a_quarter_hertz() -> None:
    _, truth = simulate(PatientSpec(rr_variability=0.04), 600.0, 100.0, seed=3)
    intervals = np.diff(truth.r_s)
    assert np.std(intervals) / np.mean(intervals) == pytest.approx(0.04, rel=0.1)
    even_s = np.arange(truth.r_s[1], truth.r_s[-1], 0.5)
    frequency_hz, power = periodogram(np.interp(even_s, truth.r_s[1:], intervals), fs=2.0)
    inside = (np.abs(frequency_hz - 0.1) < 0.01) | (np.abs(frequency_hz - 0.25) < 0.01)
    assert power[inside].sum() > 0.9 * power.sum()


@pytest.mark.parametrize("conduction", ["normal", "lbbb", "rbbb", "paced"])
def test_the_true_r_peak_is_where_the_vector_is_longest(conduction: str) -> None:
    spec = PatientSpec(conduction, pvc_share=0.1, anatomy=draw_anatomy(np.random.default_rng(5)))
    ecg, truth = simulate(spec, 30.0, RATE_HZ, seed=4)
    length = np.linalg.norm(vector_of(ecg), axis=0)
    for on_s, r_s, off_s in list(zip(truth.qrs_on_s, truth.r_s, truth.qrs_off_s, strict=True))[
        1:-1
    ]:
        # The spike ends as QRS begins: leave its last milliseconds out.
        first = round((on_s + 0.008) * RATE_HZ)
        longest = first + length[first : round(off_s * RATE_HZ)].argmax()
        assert longest / RATE_HZ == pytest.approx(r_s, abs=0.004)


def test_patients_differ_and_the_same_patient_does_not() -> None:
    anatomies = [draw_anatomy(np.random.default_rng(seed)) for seed in (1, 1, 2)]
    first, again, other = (
        simulate(PatientSpec(anatomy=anatomy), 10.0, 500.0, seed=0)[0].signal_mv
        for anatomy in anatomies
    )
    assert np.array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_rotation_keeps_duration_and_area_and_changes_the_leads() -> None:
    plain, turned = (
        simulate(PatientSpec(anatomy=Anatomy(turn_deg=turn)), 10.0, 500.0, seed=0)
        for turn in ((0.0, 0.0, 0.0), (0.0, 25.0, -15.0))
    )
    np.testing.assert_allclose(plain[1].qrs_ms, turned[1].qrs_ms, atol=0.2)
    np.testing.assert_allclose(plain[1].qrs_area_uvs, turned[1].qrs_area_uvs, rtol=1e-9)
    assert np.abs(plain[0].signal_mv - turned[0].signal_mv).max() > 0.2


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_noise_has_the_asked_for_power_and_leaves_beats_and_einthoven_alone(
    snr_db: float,
) -> None:
    spec = PatientSpec(pvc_share=0.1)
    clean, truth = simulate(spec, 30.0, 360.0, seed=7)
    noisy, noisy_truth = simulate(replace(spec, noise=Noise(snr_db)), 30.0, 360.0, seed=7)
    eight = [clean.leads.index(name) for name in INDEPENDENT_LEADS]
    signal, noise = clean.signal_mv[eight], (noisy.signal_mv - clean.signal_mv)[eight]
    ratio = np.var(signal, axis=1).mean() / np.var(noise, axis=1).mean()
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.01)
    assert truth.symbols == noisy_truth.symbols
    assert np.array_equal(truth.r_s, noisy_truth.r_s)
    one, two, three = (noisy.signal_mv[noisy.leads.index(name)] for name in ("I", "II", "III"))
    np.testing.assert_allclose(one + three, two, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "low_hz", "high_hz"),
    [("wander", 0, 0.6), ("muscle", 15, 165), ("mains", 49.9, 50.1), ("motion", 0.5, 16)],
)
def test_each_kind_of_noise_lives_in_its_band(kind: str, low_hz: float, high_hz: float) -> None:
    only = {"wander": 0.0, "muscle": 0.0, "mains": 0.0, "motion": 0.0} | {kind: 1.0}
    spec = PatientSpec()
    clean, _ = simulate(spec, 60.0, 500.0, seed=1)
    noisy, _ = simulate(replace(spec, noise=Noise(10.0, **only)), 60.0, 500.0, seed=1)
    noise = (noisy.signal_mv - clean.signal_mv).astype(float)
    frequency_hz, power = periodogram(noise, fs=500.0)
    inside = (frequency_hz >= low_hz) & (frequency_hz <= high_hz)
    assert power[:, inside].sum() > 0.95 * power.sum()


def test_the_same_seed_gives_the_same_recording_and_another_does_not() -> None:
    spec = PatientSpec(pvc_share=0.1, noise=Noise(10.0))
    first, again, other = (simulate(spec, 10.0, 360.0, seed)[0].signal_mv for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "wrong",
    [{"conduction": "wpw"}, {"rhythm": "vf"}, {"heart_rate_bpm": 300.0}, {"pvc_share": 0.95}],
)
def test_an_impossible_patient_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DataError, match="patient: expected"):
        PatientSpec(**wrong)
