import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.segments import RR_FEATURES, local_rr_s, rr_features, segment_beats

RATE_HZ = 360.0


def steady(n_beats: int = 20, rr_samples: int = 360) -> tuple[np.ndarray, np.ndarray]:
    """A two-lead signal that equals its own sample number, and beats at a steady rate."""
    r_samples = rr_samples // 2 + rr_samples * np.arange(n_beats)
    ramp = np.arange(rr_samples * n_beats, dtype=np.float32)
    return np.stack([ramp, -ramp]), r_samples


def test_the_paper_s_segment_starts_at_the_r_peak_and_lasts_1_2_rr():
    signal, r_samples = steady()
    cut = segment_beats(signal, r_samples, RATE_HZ, anchor="paper")
    assert (cut.start == r_samples[cut.beat]).all()
    assert (cut.length == 432).all()


def test_the_honest_segment_spans_a_third_before_to_most_of_an_rr_after_the_r_peak():
    signal, r_samples = steady()
    cut = segment_beats(signal, r_samples, RATE_HZ, anchor="honest")
    assert (r_samples[cut.beat] - cut.start == 126).all()  # .35 x 360
    assert (cut.start + cut.length - r_samples[cut.beat] == 306).all()  # .85 x 360


def test_samples_are_the_recording_s_own_and_zeros_follow_the_segment():
    signal, r_samples = steady()
    cut = segment_beats(signal, r_samples, RATE_HZ, anchor="honest")
    for i in (0, 7):
        expected = np.arange(cut.start[i], cut.start[i] + cut.length[i])
        assert (cut.segments_mv[i, 0, : cut.length[i]] == expected).all()
        assert (cut.segments_mv[i, 1, : cut.length[i]] == -expected).all()
        assert (cut.segments_mv[i, :, cut.length[i] :] == 0).all()


def test_beats_whose_segment_leaves_the_recording_are_dropped_and_the_rest_keep_their_number():
    signal, r_samples = steady(n_beats=10)
    r_samples = np.append(100, r_samples[1:])  # 100 samples before it, 126 needed
    cut = segment_beats(signal, r_samples, RATE_HZ, anchor="honest")
    assert cut.beat.tolist() == list(range(1, 9))  # the last needs 306 behind it and has 180


def test_a_nan_costs_only_the_beats_whose_segment_holds_it():
    signal, r_samples = steady()
    signal[1, r_samples[5]] = np.nan
    complete = segment_beats(steady()[0], r_samples, RATE_HZ, anchor="honest").beat
    cut = segment_beats(signal, r_samples, RATE_HZ, anchor="honest")
    assert set(complete) - set(cut.beat) == {5}
    assert np.isfinite(cut.segments_mv).all()


def test_t_is_the_median_rr_of_ten_seconds_around_the_beat():
    # 1.0 s for thirty beats, then 0.5 s for sixty: far from the change each side has its own T.
    r_samples = np.cumsum(np.r_[180, np.full(29, 360), np.full(60, 180)])
    local = local_rr_s(r_samples, RATE_HZ)
    assert local[10] == 1.0
    assert local[-10] == 0.5


def test_context_keeps_the_recording_on_both_sides_of_the_segment():
    signal, r_samples = steady()
    cut = segment_beats(signal, r_samples, RATE_HZ, context=50)
    i = 4
    whole = np.arange(cut.start[i] - 50, cut.start[i] + cut.length[i] + 50)
    assert (cut.segments_mv[i, 0, : whole.size] == whole).all()
    assert (cut.segments_mv[i, 0, whole.size :] == 0).all()


def test_a_ten_second_window_is_centred_on_the_beat():
    signal, r_samples = steady()
    cut = segment_beats(signal, r_samples, RATE_HZ, anchor="window_10s")
    assert (cut.length == 3600).all()
    assert (r_samples[cut.beat] - cut.start == 1800).all()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(110, 700), min_size=3, max_size=40),
    st.sampled_from([100.0, 250.0, 360.0, 1000.0]),
)
def test_rr_ratios_do_not_depend_on_the_sampling_rate(rr_samples, rate_hz):
    r_samples = np.cumsum(rr_samples)
    units = [unit for _, unit in RR_FEATURES]
    interval = np.array(["irregularity" not in name for name, _ in RR_FEATURES])
    ratio = interval & np.array([unit == "ratio" for unit in units])
    scaled = rr_features(r_samples * 4, rate_hz * 4)
    assert np.allclose(scaled, rr_features(r_samples, rate_hz), rtol=1e-6)
    assert scaled.shape == (len(rr_samples), len(RR_FEATURES))
    assert (scaled[:, ratio] > 0).all()


def test_a_premature_beat_has_a_short_rr_before_and_a_long_one_after_it():
    r_samples = 360 * np.arange(60)
    r_samples[30] -= 120
    names = [name for name, _ in RR_FEATURES]
    beat = dict(zip(names, rr_features(r_samples, RATE_HZ)[30].tolist(), strict=True))
    assert beat["pre_rr_s"] == pytest.approx(240 / 360)
    assert beat["pre_rr_to_local_median"] == pytest.approx(2 / 3)
    assert beat["post_rr_to_record_median"] == pytest.approx(4 / 3)
    assert beat["pre_rr_to_record_mean"] == pytest.approx(2 / 3)
    assert beat["pre_rr_to_post_rr"] == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("r_samples", "says"),
    [
        ([100], "at least 2"),
        ([100, 500, 500], "increasing"),
        ([100, 500, 10_000], "same sampling rate"),
    ],
)
def test_r_peaks_that_cannot_be_right_are_refused_in_one_line(r_samples, says):
    with pytest.raises(DataError, match=says) as caught:
        segment_beats(np.zeros((1, 3600), np.float32), r_samples, RATE_HZ)
    assert "\n" not in str(caught.value)


def test_irregularity_tells_fibrillation_from_a_steady_rhythm_with_premature_beats():
    rng = np.random.default_rng(1)
    names = [name for name, _ in RR_FEATURES]
    steady_s = np.full(200, 0.8)
    steady_s[::15] *= 0.6
    fibrillating_s = 0.8 * np.exp(0.2 * rng.standard_normal(200))
    median = {}
    for rhythm, rr_s in (("sinus", steady_s), ("fibrillation", fibrillating_s)):
        features = rr_features(np.rint(np.cumsum(rr_s) * RATE_HZ).astype(int), RATE_HZ)
        median[rhythm] = np.median(features[:, names.index("rr_irregularity_60s")])
    assert median["sinus"] < 0.02
    # The median absolute deviation of a normal of sd .2 is .6745 x .2 = .135.
    assert median["fibrillation"] == pytest.approx(0.135, abs=0.03)


def test_the_same_prematurity_deviates_less_where_the_rhythm_is_irregular():
    names = [name for name, _ in RR_FEATURES]
    rng = np.random.default_rng(2)
    deviation = {}
    for spread in (0.0, 0.15):
        rr_s = 0.8 * np.exp(spread * rng.standard_normal(100))
        rr_s[50] = 0.56
        features = rr_features(np.rint(np.cumsum(rr_s) * RATE_HZ).astype(int), RATE_HZ)
        deviation[spread] = features[50, names.index("pre_rr_deviation_60s")]
    assert deviation[0.0] == pytest.approx(-0.3 / 0.02, rel=0.01)  # only the 2 % remain
    assert -4 < deviation[0.15] < -1
