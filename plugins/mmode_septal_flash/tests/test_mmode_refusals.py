"""Loops that cannot be judged: each is refused, or flagged, in its own words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_core.testing import names, refuses
from cardio_mmode_septal_flash.flash.config import Config
from cardio_mmode_septal_flash.flash.load import load
from cardio_mmode_septal_flash.flash.study import UNSCALED
from cardio_ultrasound import TOO_LOW, write_us_loop

from .mmode_loops import (
    context,
    prepared,
    refusal,
    timing,
    write_cohort,
    write_loop,
    write_septum,
)
from .mmode_phantoms import SPACING, phantom


def test_20_frames_a_second_are_refused_and_30_are_flagged(tmp_path):
    one = phantom(1, rate_hz=50.0)
    write_loop(tmp_path / "a.dcm", rate_hz=20.0, r_times_ms=[100.0, 1100.0])
    assert names(refusal(tmp_path), "25", "20.0")
    slow = replace(one.spec, rate_hz=30.0)
    write_loop(tmp_path / "a.dcm", one.frames[: len(slow.time_s)], rate_hz=30.0)
    assert TOO_LOW in prepared(tmp_path)[1].table["flags"].iloc[0]
    write_loop(tmp_path / "a.dcm")
    assert TOO_LOW not in prepared(tmp_path)[1].table["flags"].iloc[0]


def test_three_frames_and_no_frame_time_are_refused(tmp_path):
    write_loop(tmp_path / "a.dcm", phantom(1, rate_hz=50.0).frames[:3], r_times_ms=None)
    assert names(refusal(tmp_path), "10", "3")
    frames = phantom(1, rate_hz=50.0).frames
    write_us_loop(tmp_path / "a.dcm", frames, mm_per_pixel=SPACING, photometric="MONOCHROME2")
    assert "expected the time of every frame, found none" in refusal(tmp_path)


def test_colour_doppler_is_refused(tmp_path):
    grey = phantom(1, rate_hz=50.0).frames
    colour = np.repeat(grey[..., None], 3, axis=3)
    colour[:, 90:150, 120:180] = (230, 20, 20)
    write_loop(tmp_path / "a.dcm", colour, photometric="RGB")
    assert "found colour Doppler" in refusal(tmp_path)


def test_pixels_of_unknown_size_are_measured_in_per_cent_of_the_septum_and_never_in_mm(tmp_path):
    write_loop(tmp_path / "a.dcm")
    _, known, _ = prepared(tmp_path, view="a4c")
    write_loop(tmp_path / "a.dcm", mm_per_pixel=None, region=None)
    _, features, _ = prepared(tmp_path, view="a4c")
    course, there = (
        dict(zip(one["course"].names, one["course"].values[0], strict=True))
        for one in (features, known)
    )
    in_mm = [
        n
        for n, u in zip(features["course"].names, features["course"].units, strict=True)
        if u == "mm"
    ]
    assert in_mm and all(np.isnan(course[name]) for name in in_mm)
    for block in ("motion", "trace", "spread"):
        assert np.isnan(features[block].values).all(), block
    assert np.isnan([timing(features)[name] for name in ("mm_per_row", "frame_mm_per_pixel")]).all()
    assert course["heart_rate_bpm"] == there["heart_rate_bpm"]
    assert course["range_pct"] == pytest.approx(there["range_pct"], rel=0.35)
    assert UNSCALED in features.table["no_verdict"].iloc[0]


def test_pixels_of_unknown_size_teach_nothing(tmp_path):
    write_loop(tmp_path / "a.dcm", mm_per_pixel=None, region=None)
    write_cohort(tmp_path, [{"patient_id": "P", "path_echo_a4c": "a.dcm", "sf_label": 1}])
    with refuses(DataError, "loops"):
        prepared(tmp_path, "fit")


def test_a_septum_of_ten_points_or_outside_the_sector_quarantines_the_loop(tmp_path):
    write_loop(tmp_path / "a.dcm")
    write_septum(tmp_path / "a.septum.json", [[90 - 8 * i, 40] for i in range(10)])
    assert "at least 20 points" in refusal(tmp_path)
    write_septum(tmp_path / "a.septum.json", [[60 - i / 2, 5] for i in range(62)])
    assert names(refusal(tmp_path), "sector", "(row, column)")


def test_a_septum_is_read_with_its_loop_and_no_path_to_it_goes_on(tmp_path):
    write_loop(tmp_path / "a.dcm")
    write_septum(tmp_path / "a.septum.json")
    samples = load(Config().load, context(tmp_path, "predict")).samples
    opened = samples.values[0]
    (tmp_path / "a.septum.json").unlink()
    drawn = phantom(1, rate_hz=50.0).truth.polyline_px
    np.testing.assert_allclose(opened.septum.points_px[[0, -1]], drawn[[0, -1]])
    assert opened.septum.frame == 1
    assert not any(isinstance(value, Path) for value in vars(opened).values())
    assert not samples.table.map(lambda cell: isinstance(cell, Path)).to_numpy().any()


def test_a_septum_of_another_moment_is_flagged_and_one_of_another_loop_refused(tmp_path):
    write_loop(tmp_path / "a.dcm")
    file, points = tmp_path / "a.septum.json", phantom(1, rate_hz=50.0).truth.polyline_px.tolist()
    file.write_text(json.dumps({"points_px": points, "frame": 15}))  # 300 ms
    assert "at another moment than end-diastole" in prepared(tmp_path)[1].table["flags"].iloc[0]
    file.write_text(json.dumps({"points_px": points, "frame": 4000}))
    assert names(refusal(tmp_path), 4000)


def test_without_a_finder_a_loop_without_a_septum_is_refused(tmp_path):
    write_loop(tmp_path / "a.dcm")
    assert names(refusal(tmp_path, find_septum=False), "path_septum")


def test_one_bad_loop_is_set_aside_and_the_patients_others_go_on(tmp_path):
    write_loop(tmp_path / "a.dcm")
    (tmp_path / "b.dcm").write_bytes((tmp_path / "a.dcm").read_bytes()[:3000])
    rows = [
        {"patient_id": "P", "study_id": name, "path_echo_a4c": f"{name}.dcm", "sf_label": 0}
        for name in ("a", "b")
    ]
    write_cohort(tmp_path, rows)
    _, features, quarantined = prepared(tmp_path, "fit")
    assert set(features.table["recording_id"]) == {"a"}
    assert list(quarantined) == ["b"] and quarantined["b"].startswith("expected ")
