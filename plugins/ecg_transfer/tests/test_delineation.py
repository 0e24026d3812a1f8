"""QRS, P and T limits on waves of known limits, on the synthetic patient and on PTB-XL."""

from __future__ import annotations

import ast
import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ecg_transfer.readers.wfdb_record import read_wfdb
from cardio_ecg_transfer.signal.delineation.limits import Moved, find_p, find_t
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat, median_beat
from cardio_ecg_transfer.signal.delineation.qrs import delineate_qrs
from cardio_ecg_transfer.signal.filters import high_pass, resample
from cardio_ecg_transfer.signal.measurements import measure as measurements
from cardio_ecg_transfer.signal.measurements.measure import measure, measure_ecg
from cardio_ecg_transfer.signal.measurements.names import MEASUREMENTS
from cardio_ecg_transfer.signal.rpeaks import detect_r_peaks
from cardio_ecg_transfer.synthetic.patient import Noise, PatientSpec, draw_anatomy
from cardio_ecg_transfer.synthetic.simulation import simulate

TIME_MS = np.arange(-200, 281) * 2.0
DEGREES = {
    "normal": ("lbbb", 0.0),
    "slow": ("lbbb", 0.4),
    "lbbb": ("lbbb", 0.9),
    "rbbb": ("rbbb", 1),
}


# Readers, on whose marks the limits were fitted, see a QRS begin earlier and end later than where
# its first and last 20 µV pass, which is the synthetic truth: by so much on smooth synthetic waves.
READERS_MS = {"normal": 10.0, "slow": 12.0, "lbbb": 14.0, "rbbb": 0.0}


def bump(centre_ms, width_ms):
    return np.exp(-0.5 * ((TIME_MS - centre_ms) / width_ms) ** 2)


def beat_of(*rows, leads=None, rr_s=0.8, noise_mv=0.0):
    signal = np.array(rows) + noise_mv * np.random.default_rng(0).normal(size=(len(rows), 481))
    names = leads or tuple(f"V{i + 1}" for i in range(len(rows)))
    return MedianBeat(
        signal.astype(np.float32),
        500.0,
        200,
        names,
        10,
        0,
        rr_s,
        np.full((len(rows), 481), noise_mv),
    )


def patient(kind, seed):
    """A patient as in the CRT cohort: 15 to 26 dB, an anatomy of its own."""
    rng = np.random.default_rng([seed, *kind.encode()])
    conduction, severity = DEGREES[kind]
    spec = PatientSpec(
        conduction=conduction,
        severity=severity,
        heart_rate_bpm=float(rng.uniform(55, 90)),
        anatomy=draw_anatomy(rng),
        noise=Noise(snr_db=float(rng.uniform(15, 26))),
    )
    return simulate(spec, 10.0, 500.0, seed)


def at_own_rate(ecg):
    """Measure at 500 Hz: what is tested is the limits, not how finely 360 Hz resolve them."""
    filtered = high_pass(ecg.signal_mv, ecg.rate_hz)
    peaks = detect_r_peaks(ecg.signal_mv, ecg.rate_hz).samples
    return measure(filtered, ecg.rate_hz, peaks, ecg.leads)


def qrs_errors_ms(kinds, seeds):
    errors = []
    for kind in kinds:
        for seed in seeds:
            ecg, truth = patient(kind, seed)
            expected_ms = np.median(truth.qrs_ms) + READERS_MS[kind]
            errors.append(at_own_rate(ecg).values["qrs_ms"] - expected_ms)
    return np.array(errors)


@pytest.mark.parametrize("kind", DEGREES)
def test_qrs_duration_is_within_8_ms_in_nine_of_ten_synthetic_patients(kind):
    # 2026-11-25: all of each kind but one RBBB, 10.6 ms too short. Before the ST segment's slope
    # was subtracted, two RBBB were 12.5 and 11.0 ms too long.
    errors = np.abs(qrs_errors_ms([kind], range(10)))
    assert (errors <= 8.0).sum() >= 9
    assert errors.max() <= 11.0


@pytest.mark.slow
def test_qrs_duration_has_little_bias_over_many_synthetic_patients():
    # 2026-11-21: 160 patients: median error 0.2 ms, mean 0.4 ms, within 8 ms 160, largest 7.5 ms.
    # By kind, on 420 of seeds 0, 2, 3: normal 4.7, slow 1.1, LBBB -1.9, RBBB -1.5 ms on average.
    errors = qrs_errors_ms(DEGREES, range(100, 140))
    assert abs(errors.mean()) < 3.0
    assert abs(np.median(errors)) < 3.0
    assert np.mean(np.abs(errors) <= 8.0) >= 0.95


@pytest.mark.parametrize("gain", [0.5, 2.0, 10.0])
def test_a_gain_moves_no_limit_and_turns_no_verdict(gain):
    ecg, _ = patient("lbbb", 1)
    once = measure_ecg(ecg)
    scaled = measure_ecg(replace(ecg, signal_mv=ecg.signal_mv * np.float32(gain)))
    for name in ("qrs_ms", "pr_ms", "qt_ms"):
        assert scaled.values[name] == pytest.approx(once.values[name], abs=2.0)
    for name in ("lbbb", "lbbb_esc", "lbbb_aha", "rbbb"):
        assert scaled.values[name] == once.values[name]


def test_a_gain_of_one_lead_hardly_moves_the_limits():
    ecg, _ = patient("normal", 1)
    once = measure_ecg(ecg)
    signal = ecg.signal_mv.copy()
    signal[ecg.leads.index("V2")] *= 4.0
    other = measure_ecg(replace(ecg, signal_mv=signal))
    assert other.qrs.on_ms - other.qrs.off_ms == pytest.approx(
        once.qrs.on_ms - once.qrs.off_ms, abs=2.0
    )


def test_one_bad_lead_has_no_say():
    ecg, _ = patient("normal", 1)
    once = measure_ecg(ecg)
    signal = ecg.signal_mv.copy()
    rng = np.random.default_rng(0)
    signal[ecg.leads.index("V3")] += 0.1 * rng.normal(size=signal.shape[1]).astype(np.float32)
    assert measure_ecg(replace(ecg, signal_mv=signal)).values["qrs_ms"] == pytest.approx(
        once.values["qrs_ms"], abs=8.0
    )


@pytest.mark.parametrize(("by_ms", "said"), [(19.9, ()), (26.4, (26,))])
def test_an_interval_that_moves_by_more_than_20_ms_with_noise_is_flagged(monkeypatch, by_ms, said):
    ecg, _ = patient("normal", 0)
    moved = Moved(on_ms=1.0, off_ms=1.0, qrs_ms=1.0, pr_ms=by_ms, qt_ms=float("nan"))
    monkeypatch.setattr(measurements, "moves_by", lambda *_: moved)
    flags = measure_ecg(ecg).flags
    expected = tuple(f"PR interval moves by {ms} ms with noise" for ms in said)
    assert tuple(flag for flag in flags if "moves by" in flag) == expected


def test_a_p_wave_at_a_time_of_its_own_gives_no_pr_interval():
    # AV dissociation: atria at 75, ventricles at 40 a minute; and the same P waves before each QRS.
    time_s = np.arange(15_000) / 500.0
    ventricles, atria = np.arange(1.0, 29.0, 1.5), np.arange(0.3, 29.5, 0.8)

    def ecg_of(p_s):
        wave = sum(np.exp(-0.5 * ((time_s - at) / 0.012) ** 2) for at in ventricles)
        wave = wave + 0.15 * sum(np.exp(-0.5 * ((time_s - at) / 0.025) ** 2) for at in p_s)
        rng = np.random.default_rng(0)
        rows = [(0.4 + 0.1 * k) * wave + 0.003 * rng.normal(size=time_s.size) for k in range(12)]
        leads = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
        peaks = np.rint(ventricles * 500).astype(np.int64)
        return measure(high_pass(rows, 500.0), 500.0, peaks, leads).values["pr_ms"]

    assert np.isnan(ecg_of(atria))
    assert 120.0 < ecg_of(ventricles - 0.16) < 240.0


def test_the_global_qrs_lasts_from_the_earliest_to_the_latest_lead():
    early, late = bump(-30.0, 8.0), bump(40.0, 8.0)
    both = delineate_qrs(beat_of(early, late))  # of fewer than eight leads
    assert both.on_ms == pytest.approx(delineate_qrs(beat_of(early, 0 * late)).on_ms, abs=0.5)
    assert both.off_ms == pytest.approx(delineate_qrs(beat_of(0 * early, late)).off_ms, abs=0.5)


def test_a_raised_st_segment_does_not_lengthen_the_qrs():
    raised = np.where(TIME_MS > 0, 0.3 * (1 - np.exp(-0.5 * (TIME_MS / 12.0) ** 2)), 0.0)
    plain = delineate_qrs(beat_of(bump(0.0, 12.0)))
    # Shorter, if anything: where the lead is steepest, it is steeper.
    assert -8.0 < delineate_qrs(beat_of(bump(0.0, 12.0) + raised)).qrs_ms - plain.qrs_ms < 4.0


def test_p_and_t_waves_are_not_part_of_the_qrs():
    alone = beat_of(bump(0.0, 12.0))
    complete = beat_of(bump(0.0, 12.0) + 0.15 * bump(-160.0, 20.0) + 0.4 * bump(270.0, 40.0))
    # The P wave's slopes are part of what the lead does before the QRS: limits are relative to it.
    assert -5.0 < delineate_qrs(complete).qrs_ms - delineate_qrs(alone).qrs_ms < 1.0


def test_derived_limb_leads_change_nothing():
    one, two = bump(0.0, 12.0), 0.7 * bump(10.0, 12.0)
    with_others = beat_of(one, two, two - one, -(one + two) / 2, leads=("I", "II", "III", "aVR"))
    few = delineate_qrs(beat_of(one, two, leads=("I", "II")))
    assert (few.on_ms, few.off_ms) == (
        delineate_qrs(with_others).on_ms, delineate_qrs(with_others).off_ms
    )  # fmt: skip


@pytest.mark.parametrize("rate_hz", [250.0, 360.0, 1000.0])
def test_the_sampling_rate_hardly_matters(rate_hz):
    ecg, truth = patient("lbbb", 3)
    signal, _ = resample(ecg.signal_mv, ecg.rate_hz, rate_hz)
    peaks = np.rint(detect_r_peaks(ecg.signal_mv, ecg.rate_hz).times_s * rate_hz)
    beat = median_beat(high_pass(signal, rate_hz), rate_hz, peaks, ecg.leads)
    assert delineate_qrs(beat).qrs_ms == pytest.approx(
        np.median(truth.qrs_ms) + READERS_MS["lbbb"], abs=8.0
    )


def test_a_rate_below_250_hz_is_refused():
    with refuses(DataError, "QRS", "250", "100"):
        delineate_qrs(replace(beat_of(bump(0.0, 12.0)), rate_hz=100.0))


def test_a_flat_beat_has_no_qrs():
    with refuses(DataError, "QRS", "flat"):
        delineate_qrs(beat_of(np.zeros(481)))


def test_a_beat_that_never_rests_has_no_qrs():
    with refuses(DataError, "QRS", "quiet"):
        delineate_qrs(beat_of(np.sin(TIME_MS / 12.0)))


# ---- P and T -------------------------------------------------------------------------------------


def test_p_and_t_peaks_and_ends_are_where_the_waves_are():
    beat = beat_of(bump(0.0, 12.0) + 0.15 * bump(-160.0, 20.0) + 0.4 * bump(270.0, 40.0))
    qrs = delineate_qrs(beat)
    t_wave = find_t(beat, qrs)
    assert t_wave.peak_ms == pytest.approx(270.0, abs=4.0)
    # The tangent to a Gaussian at its steepest meets zero two standard deviations from its peak;
    # readers mark 14 ms more.
    assert t_wave.off_ms == pytest.approx(270.0 + 2 * 40.0 + 14.0, abs=6.0)
    p_wave = find_p(beat, qrs, t_wave)
    assert p_wave.peak_ms == pytest.approx(-160.0, abs=4.0)
    # 0.3 of a Gaussian's steepest slope: 2.27 standard deviations from its peak.
    assert p_wave.on_ms == pytest.approx(-160.0 - 2.27 * 20.0, abs=8.0)
    assert p_wave.off_ms == pytest.approx(-160.0 + 2.27 * 20.0, abs=8.0)


def t_end_ms(*waves, rr_s):
    """Return the end of T of three leads with a QRS and these waves (height, centre, width)."""
    qrs = bump(0, 10)
    rows = [qrs + sum(height * bump(at, width) for height, at, width in waves)] * 3
    beat = beat_of(*rows, rr_s=rr_s)
    t_wave = find_t(beat, delineate_qrs(beat))
    return None if t_wave is None else t_wave.off_ms


def test_a_second_phase_of_t_is_its_end_only_where_the_first_ends_sooner_than_any_reader_marks():
    early, late = (0.3, 200, 25), (0.3, 300, 25)
    assert t_end_ms(early, late, rr_s=0.8) == pytest.approx(t_end_ms(late, rr_s=0.8), abs=15)
    # At a fast rate the first ends in time: what comes behind is a U wave, or the next P.
    assert t_end_ms(early, late, rr_s=0.45) == pytest.approx(t_end_ms(early, rr_s=0.45), abs=15)


def test_without_atrial_activity_there_is_no_p_wave():
    beat = beat_of(bump(0.0, 12.0) + 0.4 * bump(270.0, 40.0), noise_mv=0.005)
    qrs = delineate_qrs(beat)
    assert find_p(beat, qrs, find_t(beat, qrs)) is None


def test_the_end_of_the_beat_befores_t_wave_is_no_p_wave():
    # 0.5 s apart, the T wave of the beat before peaks at 270 - 500 = -230 ms.
    beat = beat_of(
        bump(0.0, 12.0) + 0.4 * (bump(270.0, 30.0) + bump(-230.0, 30.0)), rr_s=0.5, noise_mv=0.002
    )
    qrs = delineate_qrs(beat)
    assert find_p(beat, qrs, find_t(beat, qrs)) is None


def test_atrial_fibrillation_has_no_pr_interval_and_sinus_rhythm_has_one():
    fibrillating, _ = simulate(PatientSpec(rhythm="af", noise=Noise(snr_db=25.0)), 10.0, 500.0, 1)
    assert np.isnan(measure_ecg(fibrillating).values["pr_ms"])
    ecg, truth = patient("normal", 2)
    p_ms = 1000 * np.median(truth.qrs_on_s - truth.p_s)  # from the P wave's peak
    assert measure_ecg(ecg).values["pr_ms"] == pytest.approx(p_ms + 2.27 * 20.0, abs=15.0)


# ---- all measurements together -------------------------------------------------------------------


def test_every_measurement_has_a_value_and_the_heart_rate_is_right():
    ecg, truth = patient("lbbb", 4)
    made = measure_ecg(ecg, sex="F")
    assert list(made.values) == [name for name, _ in MEASUREMENTS]
    assert made.values["heart_rate_bpm"] == pytest.approx(60 / np.median(np.diff(truth.r_s)), abs=1)
    assert made.grid_mv.shape == (12, 121)
    assert np.isfinite(made.grid_mv).all()


def test_the_order_of_the_leads_changes_nothing():
    ecg, _ = patient("normal", 5)
    filtered = high_pass(ecg.signal_mv, ecg.rate_hz)
    peaks = detect_r_peaks(ecg.signal_mv, ecg.rate_hz).samples
    made = measure(filtered, ecg.rate_hz, peaks, ecg.leads)
    turned = measure(filtered[::-1], ecg.rate_hz, peaks, ecg.leads[::-1])
    np.testing.assert_allclose(turned.grid_mv, made.grid_mv, atol=1e-6)
    np.testing.assert_allclose(list(turned.values.values()), list(made.values.values()), atol=1e-3)


# ---- recordings ----------------------------------------------------------------------------------

needs_ptbxl = pytest.mark.skipif(
    not os.environ.get("CARDIO_DATA") and os.environ.get("CI") != "true",
    reason="CARDIO_DATA names no folder with ptbxl",
)


@cache
def ptbxl_table():
    import pandas as pd

    folder = Path(os.environ["CARDIO_DATA"]) / "ptbxl"
    table = pd.read_csv(folder / "ptbxl_database.csv")
    there = [(folder / f"{name}.hea").is_file() for name in table.filename_hr]
    table = table[there].copy()
    table["codes"] = [set(ast.literal_eval(codes)) for codes in table.scp_codes]
    table["path"] = [folder / f"{name}.hea" for name in table.filename_hr]
    return table


def measured(rows):
    """One dictionary of measurements a row, and its codes."""
    made = []
    for row in rows.itertuples():
        ecg = read_wfdb(row.path, max_values=1_000_000)
        made.append((row.codes, measure_ecg(ecg, sex="F" if row.sex else "M").values))
    return made


def of_code(made, name, code):
    return np.array([values[name] for codes, values in made if code in codes])


@cache
def twenty_normal():
    table = ptbxl_table()
    return measured(table[[codes == {"NORM", "SR"} for codes in table.codes]][:20])


@pytest.mark.realdata
@needs_ptbxl
def test_every_normal_ecg_of_ptbxl_has_a_pr_interval():
    assert 120.0 <= np.median(of_code(twenty_normal(), "pr_ms", "NORM")) <= 200.0


@pytest.mark.realdata
@needs_ptbxl
def test_block_codes_of_ptbxl_agree_with_the_measurements():
    table = ptbxl_table()
    blocks = table[[bool(codes & {"CLBBB", "CRBBB", "1AVB"}) for codes in table.codes]]
    made = measured(blocks)
    lbbb, rbbb = of_code(made, "lbbb", "CLBBB"), of_code(made, "rbbb", "CRBBB")
    assert lbbb.size == rbbb.size == 6
    assert lbbb.sum() >= 5
    assert rbbb.sum() >= 5
    assert of_code(made, "lbbb", "CRBBB").sum() == of_code(made, "rbbb", "CLBBB").sum() == 0
    assert of_code(made, "qrs_ms", "CLBBB").min() > 120.0
    slow = of_code(made, "pr_ms", "1AVB")
    # None at 31 a minute, where P comes longer before the QRS than is looked.
    assert slow.size == 7 and np.isnan(slow).sum() <= 1
    assert np.nanmin(slow) > 200.0
    plain = twenty_normal()
    assert 80.0 <= np.median(of_code(plain, "qrs_ms", "NORM")) <= 100.0
    # Where single beats do not show one P wave there is no PR now: 95 % of sinus rhythms have one.
    assert np.isfinite(of_code(plain, "pr_ms", "NORM")).mean() >= 0.95
    assert 120.0 <= np.nanmedian(of_code(plain, "pr_ms", "NORM")) <= 200.0
    assert of_code(plain, "lbbb", "NORM").sum() == of_code(plain, "rbbb", "NORM").sum() == 0


@pytest.mark.realdata
@pytest.mark.slow
@needs_ptbxl
def test_all_records_of_ptbxl_are_measured_and_plausible():
    # 2026-11-21: 353 of 353 measured. QRS in ms, median (5 to 95 %): NORM 86 (73 to 106), CLBBB
    # 154 (136 to 167), CRBBB 145 (114 to 161), IVCD 113, IRBBB 99, LAFB 97. LBBB by Strauss: 6 of
    # 6 CLBBB, 1 of 347 others (a pacemaker). RBBB: 5 of 6 CRBBB, 1 of 347 others. PR 165 ms (130 to
    # 215) in sinus rhythm, where 1 of 291 has none; none in 9 of 9 with atrial fibrillation.
    made = measured(ptbxl_table())
    assert len(made) == 353
    normal = of_code(made, "qrs_ms", "NORM")
    assert 80.0 <= np.median(normal) <= 100.0
    assert np.quantile(normal, 0.95) < 120.0
    others = [values for codes, values in made if "CLBBB" not in codes]
    assert sum(values["lbbb"] for values in others) <= 0.01 * len(others)
    others = [values for codes, values in made if "CRBBB" not in codes]
    assert sum(values["rbbb"] for values in others) <= 0.01 * len(others)
    fibrillating = of_code(made, "pr_ms", "AFIB")
    assert np.isnan(fibrillating).mean() > 0.5
    sinus = of_code(made, "pr_ms", "SR")
    assert np.isnan(sinus).mean() < 0.03
