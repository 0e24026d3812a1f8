"""Several beats a loop: which are measured, and what their median and spread are."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from matplotlib.figure import Figure

from cardio_mmode_septal_flash.flash.config import Config
from cardio_mmode_septal_flash.flash.preprocess import preprocess
from cardio_mmode_septal_flash.flash.sheet import sheet
from cardio_mmode_septal_flash.mmode.reslice_torch import reslice_torch
from cardio_mmode_septal_flash.motion import septal_motion
from cardio_mmode_septal_flash.readers.loop import read_septum
from cardio_mmode_septal_flash.synthetic.septal_flash import (
    Beat,
    SeptalMotion,
    septal_flash_loop,
    septum_truth,
)
from cardio_ultrasound import (
    CUT_SHORT,
    LONG,
    MOST_BEATS,
    NO_USUAL,
    PREMATURE,
    centre_index,
    cut_cycle,
    find_beats,
    read_loop,
    scan_line,
    sector_hull,
    shifted_lines,
)

from .mmode_loops import SMALL, context, prepared, write_loop, write_septum
from .mmode_phantoms import Phantom, phantom

FLASHES_MM = (2.0, 3.5, 6.0, 0.0, 5.0)
"""Of five beats; the fourth is ectopic, and cuts the third short."""

USUAL = (0, 1, 4)


@lru_cache(maxsize=1)
def five_beats() -> Phantom:
    """Return a loop of five beats, the third cut short by the fourth, which is ectopic."""
    first = phantom(1, rate_hz=75.0).spec
    flash = SeptalMotion(0.0, 15.0, 120.0, 0.8, 4.0, 50.0)
    ectopic = replace(flash, rebound_mm=0.0, systolic_mm=-3.0)
    clock = Beat(97.0, 35.0, 138.0)

    def beat(rr_ms: float) -> Beat:
        return replace(clock, hr_bpm=60_000 / rr_ms)

    beats = [
        (beat(rr_ms), replace(flash, flash_mm=flash_mm))
        for rr_ms, flash_mm in zip((620.0, 630.0, 430.0, 780.0, 610.0), FLASHES_MM, strict=True)
    ]
    beats[3] = (beats[3][0], ectopic)
    spec = replace(
        first, beat=beats[0][0], septum=beats[0][1], lead_in_ms=30.0, rate_hz=75.0,
        more_beats=tuple(beats[1:]),
    )  # fmt: skip
    return Phantom(spec, septal_flash_loop(spec, np.random.default_rng(5)), septum_truth(spec))


def true_peaks_mm() -> np.ndarray:
    """Return the height of the usual beats' early peak above the higher of its feet."""
    spec = five_beats().spec
    beats = ((spec.beat, spec.septum), *spec.more_beats)
    heights = []
    for place in USUAL:
        beat, septum = beats[place]
        at_ms = np.arange(0.0, 400.0)
        inward = septum.inward_mm(at_ms, beat)
        top = int(inward[:150].argmax())
        feet = inward[: top + 1].min(), inward[top : top + 121].min()
        heights.append(inward[top] - max(feet))
    return np.array(heights)


def measured(block, row=0):
    return dict(zip(block.names, np.asarray(block.values)[row].tolist(), strict=True))


@pytest.fixture
def of_five(tmp_path):
    """What the hooks make of the five beats, with the true septum drawn."""
    one = five_beats()
    write_loop(
        tmp_path / "a.dcm", one.frames, rate_hz=75.0, r_times_ms=(1000 * one.spec.r_s).tolist()
    )
    write_septum(tmp_path / "a.septum.json", one.truth.polyline_px)
    cohort, features, quarantined = prepared(tmp_path)
    assert quarantined == {}
    return cohort, features


def test_the_median_and_the_spread_of_the_usual_beats_are_those_of_the_truth(of_five):
    _, features = of_five
    told, spread = measured(features["course"]), measured(features["spread"])
    assert (told["beats_measured"], told["beats_left_out"]) == (3, 2)
    assert told["early_peak_mm"] == pytest.approx(np.median(true_peaks_mm()), abs=0.5)
    assert spread["early_peak_low_mm"] == pytest.approx(true_peaks_mm().min(), abs=0.5)
    assert spread["early_peak_high_mm"] == pytest.approx(true_peaks_mm().max(), abs=0.5)
    assert spread["early_peak_sd_mm"] == pytest.approx(true_peaks_mm().std(ddof=1), abs=0.4)
    assert told["heart_rate_bpm"] == pytest.approx(60_000 / 620, rel=1e-3)
    assert told["early_peak_ms"] == pytest.approx(75, abs=10)


def test_beats_left_out_are_told_with_their_reason(of_five):
    _, features = of_five
    flags = features.table["flags"].iloc[0].split("; ")
    assert f"beat 3 of 5 left out: {CUT_SHORT}" in flags
    assert f"beat 4 of 5 left out: {PREMATURE}" in flags
    assert features.table["no_verdict"].iloc[0] == ""


def test_the_m_mode_is_of_the_beat_nearest_the_median_and_models_see_medians(of_five):
    _, features = of_five
    one = five_beats()
    # The second beat has the middle one of the three flashes.
    assert features.table["time_s"].iloc[0] == pytest.approx(one.spec.r_s[1], abs=0.002)
    assert measured(features["timing"])["rr_ms"] == pytest.approx(630.0, abs=0.01)
    assert measured(features["motion"])["excursion_mm"] == pytest.approx(
        measured(features["course"])["early_peak_mm"]
    )
    early = features["trace"].values[0][: round(100 * 180 / 630)]
    assert early.max() == pytest.approx(FLASHES_MM[1], abs=0.8)


def test_the_line_is_found_once_for_all_beats(tmp_path):
    one = five_beats()
    r_ms = (1000 * one.spec.r_s).tolist()
    write_loop(tmp_path / "a.dcm", one.frames, rate_hz=75.0, r_times_ms=r_ms)
    found = measured(prepared(tmp_path)[1]["course"])
    assert found["beats_measured"] == 3
    assert found["early_peak_mm"] == pytest.approx(np.median(true_peaks_mm()), abs=0.5)


def test_the_sheet_draws_every_beat_and_their_median(of_five, tmp_path):
    cohort, features = of_five
    block = Config().preprocess.model_copy(update=SMALL)
    samples = preprocess(cohort.samples, block, context(tmp_path, "predict"))
    figure = Figure(layout="constrained")
    sheet(figure, samples, features)
    (curve,) = [axes for axes in figure.axes if "median thick" in axes.get_title(loc="left")]
    assert "3 beats" in curve.get_title(loc="left")
    widths = sorted(line.get_linewidth() for line in curve.lines if len(line.get_xdata()) > 90)
    assert len(widths) == 4 and widths[-1] > 2 * widths[-2]


def beats_at(tmp_path, peaks, n_frames=None, rate_hz=50.0):
    """Return the beats of black pictures with these R peaks."""
    n_frames = n_frames or round(peaks[-1] / 1000 * rate_hz) + 2
    np.save(tmp_path / "a.npy", np.zeros((n_frames, 20, 20), np.uint8))
    loop = read_loop(tmp_path / "a.npy", frame_rate_hz=rate_hz, r_times_ms=list(map(float, peaks)))
    return find_beats(loop)


def test_a_pause_a_peak_that_was_missed_and_a_beat_that_no_heart_has_are_left_out(tmp_path):
    found = beats_at(tmp_path, [0, 800, 1600, 2900, 3700, 3900, 6200])
    assert found.left_out == {
        "shorter than 0.3 s": (5,),
        "longer than 2 s": (6,),
        LONG: (3,),
    }
    assert [beat.start_ms for beat in found.measured] == [0.0, 800.0, 2900.0]
    assert found.n_left_out == 3


def test_irregular_beats_as_in_atrial_fibrillation_are_measured(tmp_path):
    rr = [620, 900, 750, 1000, 680, 850]
    found = beats_at(tmp_path, np.cumsum([0, *rr]).tolist())
    assert len(found.measured) == 6
    assert found.flags == ("irregular rhythm, beats of 620 to 1000 ms: none is left out",)


def test_a_bigeminy_has_no_usual_beat_and_no_verdict(tmp_path):
    found = beats_at(tmp_path, np.cumsum([0, 500, 1100, 500, 1100]).tolist())
    assert len(found.measured) == 4 and found.flags == (NO_USUAL,)


def test_whether_the_first_beat_came_early_is_told_by_a_peak_before_the_loop(tmp_path):
    found = beats_at(tmp_path, [-400, 0, 900, 1700, 2500])
    assert found.left_out == {PREMATURE: (1,)}


def test_of_a_long_loop_the_first_beats_are_measured_and_the_others_counted(tmp_path):
    found = beats_at(tmp_path, (800 * np.arange(31)).tolist(), rate_hz=30.0)
    assert len(found.measured) == MOST_BEATS
    assert "10 beats of 30 left out: after the first 20" in found.flags


def test_one_beat_is_measured_to_the_digit_as_if_there_were_no_others(tmp_path):
    one = write_loop(tmp_path / "a.dcm", number=2)
    write_septum(tmp_path / "a.septum.json", one.truth.polyline_px)
    _, features, _ = prepared(tmp_path)
    told, spread = measured(features["course"]), measured(features["spread"])
    assert np.isnan(list(spread.values())).all()
    assert (told["beats_measured"], told["beats_left_out"]) == (1, 0)
    loop = read_loop(tmp_path / "a.dcm")
    volume = cut_cycle(loop, find_beats(loop).cycle, loop.mm_per_pixel)
    septum = read_septum(tmp_path / "a.septum.json", loop.mm_per_pixel).points_px
    line = scan_line(septum, loop.mm_per_pixel, sector_hull(volume.frames, loop.region))
    lines = shifted_lines(line, septum, centre_index(10, 20), SMALL["max_shift"])
    n = SMALL["n_pixels"]
    (mmodes,) = reslice_torch([volume], [list(lines.values())], n_rows=n, n_columns=n)
    alone = septal_motion(mmodes, line.mm_per_row(n), volume.rr_ms)
    assert alone.excursion_mm > 1
    np.testing.assert_array_equal(features["motion"].values[0], alone.measures())
    np.testing.assert_array_equal(features["trace"].values[0], alone.trace_mm)
    np.testing.assert_array_equal(features["mmode"].values[0], mmodes[0])
