"""The first three hooks: from tables and files to features, and what is refused or flagged."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from cardio_core.api import ConfigError, DataError
from cardio_core.testing import call_cardio, refuses
from cardio_mmode_septal_flash.flash.config import Config
from cardio_mmode_septal_flash.flash.featurize import FRAME_PIXELS, TIMING, featurize
from cardio_mmode_septal_flash.flash.load import load
from cardio_mmode_septal_flash.flash.preprocess import preprocess
from cardio_mmode_septal_flash.motion import COURSE, MEASURES
from cardio_ultrasound import FROM_MOTION, TOO_LOW, find_beats, read_loop

from .mmode_loops import (
    SMALL,
    context,
    prepared,
    refusal,
    timing,
    write_cohort,
    write_loop,
    write_septum,
)
from .mmode_phantoms import SPACING, phantom


def test_a_cohort_table_becomes_a_row_for_every_study_and_shift(tmp_path):
    one = write_loop(tmp_path / "a.dcm")
    write_septum(tmp_path / "a.json.septum")
    write_cohort(
        tmp_path,
        [
            {
                "patient_id": "P1", "study_id": "P1-bl", "timepoint": "baseline",
                "path_echo_a4c": "a.dcm", "path_septum": "a.json.septum", "sf_label": 1,
                "mvc_ms": 31.0, "avo_ms": 104.5,
            }
        ],
    )  # fmt: skip
    cohort, features, quarantined = prepared(tmp_path, "fit")
    assert quarantined == {}
    assert cohort.targets.unit == "study"
    assert cohort.targets.table["septal_flash"].to_dict() == {"P1-bl": 1.0}
    assert features.table.index.tolist() == [f"P1-bl#{n}" for n in range(5)]
    assert features.table["variant"].tolist() == [0, 1, 2, 3, 4]
    assert features.table["shift"].tolist() == [0, -1, 1, -2, 2]
    assert set(features.table["timepoint"]) == {"baseline"}
    assert set(features.table["flags"]) == {""}
    assert "sf_label" not in cohort.samples.table and "sf_label" not in features.table
    known = timing(features)
    assert known["mvc_ms"] == 31.0 and known["avo_ms"] == 104.5
    assert known["rr_ms"] == pytest.approx(one.spec.beat.rr_ms, abs=0.01)
    assert known["frame_rate_hz"] == pytest.approx(50.0) and known["cycle_from_motion"] == 0.0
    assert np.isnan(known["septum_confidence"])


def test_every_block_has_its_shape_its_type_and_a_unit(tmp_path):
    write_loop(tmp_path / "a.dcm")
    write_septum(tmp_path / "a.septum.json")
    _, features, _ = prepared(tmp_path)
    shapes = {name: (b.values.shape, b.values.dtype.name) for name, b in features.blocks.items()}
    assert shapes == {
        "mmode": ((1, 128, 128), "uint8"),
        "picture": ((1, 64, 64), "uint8"),
        "picture_crop": ((1, 64, 64), "uint8"),
        "frame": ((1, FRAME_PIXELS, FRAME_PIXELS), "uint8"),
        "septum": ((1, 62, 2), "float32"),
        "line": ((1, 2, 2), "float32"),
        "timing": ((1, len(TIMING)), "float32"),
        "motion": ((1, len(MEASURES)), "float32"),
        "course": ((1, len(COURSE)), "float32"),
        "spread": ((1, 9), "float32"),
        "trace": ((1, 100), "float32"),
    }
    assert np.isfinite(features["motion"].values).all()
    assert features["motion"].names[0] == "excursion_mm" and features["motion"].units[0] == "mm"


def test_the_kept_frame_shows_the_septum_under_its_line_and_the_line_crosses_it(tmp_path):
    write_loop(tmp_path / "a.dcm")
    write_septum(tmp_path / "a.septum.json")
    _, features, _ = prepared(tmp_path)
    frame, septum = features["frame"].values[0], features["septum"].values[0]
    row, column = septum[5:40].round().astype(int).T
    cavity = frame[row, column + 40]
    assert frame[row, column].mean() > 4 * cavity.mean()
    sector = phantom(1, rate_hz=50.0).sector.sum()
    assert (
        np.count_nonzero(frame)
        <= 1.1 * sector * (SPACING[0] / timing(features)["frame_mm_per_pixel"]) ** 2
    )
    (start, end), centre = features["line"].values[0], septum[14]
    assert start[1] < centre[1] < end[1]
    (down, right), (d, r) = (end - start) / np.hypot(*(end - start)), centre - start
    assert abs(down * r - right * d) < 0.5  # px: the 15th point lies on the line
    mm = timing(features)["frame_mm_per_pixel"]
    assert np.hypot(*(centre - start)) * mm == pytest.approx(30.0, abs=0.1)


def test_the_m_mode_has_the_right_ventricle_on_top_and_the_wall_at_30_mm(tmp_path):
    write_loop(tmp_path / "a.dcm")
    write_septum(tmp_path / "a.septum.json")
    _, features, _ = prepared(tmp_path)
    mmode, mm_per_row = features["mmode"].values[0], timing(features)["mm_per_row"]
    wall = mmode[round(28 / mm_per_row) : round(32 / mm_per_row)].mean()
    blood = mmode[round(42 / mm_per_row) : round(50 / mm_per_row)].mean()
    assert wall > 4 * blood
    assert timing(features)["mm_per_row"] * 127 > 60  # on to the lateral edge of the sector


@pytest.mark.parametrize("engine", ["torch", "vtk"])
def test_new_files_are_numbered_and_need_no_table_septum_or_peaks(tmp_path, engine):
    write_loop(tmp_path / "DOE^JANE.dcm", r_times_ms=None)
    cohort, features, _ = prepared(tmp_path / "DOE^JANE.dcm", engine=engine)
    assert cohort.targets is None and features.table.index.tolist() == ["1#0"]
    assert features.table["variant"].tolist() == [0]
    assert "DOE" not in features.table.to_csv()
    flags = features.table["flags"].iloc[0].split("; ")
    assert any(flag.startswith("septum found in the pictures (confidence ") for flag in flags)
    assert FROM_MOTION in flags
    known = timing(features)
    assert known["cycle_from_motion"] == 1.0 and known["septum_confidence"] > 0.5
    assert np.isnan(known["mvc_ms"]) and np.isnan(known["avo_ms"])


def test_features_of_chosen_samples_are_those_of_all_in_any_order(tmp_path):
    write_loop(tmp_path / "a.dcm")
    write_septum(tmp_path / "s.json")
    row = {"patient_id": "P", "path_echo_a4c": "a.dcm", "path_septum": "s.json", "sf_label": 0}
    write_cohort(tmp_path, [row])
    config, ctx = Config(), context(tmp_path, "fit")
    cohort = load(config.load, ctx)
    block = config.preprocess.model_copy(update=SMALL)
    samples = preprocess(cohort.samples, block, ctx.replace(hook="preprocess"))
    size = config.featurize.model_copy(update={"size": 64})
    whole, chosen = featurize(samples, size), featurize(samples.take([3, 1]), size)
    assert chosen.table.index.tolist() == ["P-1#3", "P-1#1"]
    for name, part in chosen.blocks.items():
        np.testing.assert_array_equal(part.values, whole[name].values[[3, 1]])


def test_both_engines_give_the_same_pictures_within_a_grey_level(tmp_path):
    write_loop(tmp_path / "a.dcm")
    write_septum(tmp_path / "a.septum.json")
    by_torch, by_vtk = (prepared(tmp_path, engine=engine)[1] for engine in ("torch", "vtk"))
    difference = by_torch["mmode"].values.astype(int) - by_vtk["mmode"].values
    assert np.abs(difference).max() <= 1


def test_without_vtk_its_engine_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr("cardio_mmode_septal_flash.flash.config.find_spec", lambda _: None)
    said = call_cardio(
        "run", "--plugin", "mmode_septal_flash", "--set", "preprocess.engine=vtk",
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert said.exit_code == 2
    assert said.stderr == (
        "Error: --set: preprocess.engine: vtk is not installed; take torch, which cuts the same "
        'lines, or pip install "./plugins/mmode_septal_flash[vtk]" in the cardio checkout\n'
    )
    assert not (tmp_path / "run").exists()


def test_motion_is_the_same_whether_a_study_trains_or_is_predicted(tmp_path):
    write_loop(tmp_path / "a.dcm")
    write_septum(tmp_path / "s.json")
    write_cohort(
        tmp_path,
        [{"patient_id": "P", "path_echo_a4c": "a.dcm", "path_septum": "s.json", "sf_label": 0}],
    )
    trained, predicted = (
        prepared(tmp_path, mode)[1]["motion"].values for mode in ("fit", "predict")
    )
    assert len(trained) == 5 and len(predicted) == 1
    np.testing.assert_array_equal(trained, np.repeat(predicted, 5, axis=0))


def test_the_same_loop_in_every_photometric_interpretation_gives_the_same_m_mode(tmp_path):
    made = {}
    for kind in ("MONOCHROME2", "RGB", "YBR_FULL_422", "YBR_FULL", "PALETTE COLOR"):
        folder = tmp_path / kind.replace(" ", "_")
        folder.mkdir()
        write_loop(folder / "a.dcm", photometric=kind)
        write_septum(folder / "a.septum.json")
        made[kind] = prepared(folder)[1]["mmode"].values.astype(int)
    for kind, mmode in made.items():
        assert np.abs(mmode - made["MONOCHROME2"]).max() <= 2, kind


def test_the_real_loop_of_pydicom_goes_through_with_its_flags_and_no_valve_times():
    file = Path(get_testdata_file("examples_ybr_color.dcm", download=False))
    _, features, quarantined = prepared(file)
    flags = features.table["flags"].iloc[0].split("; ")
    assert quarantined == {}
    assert TOO_LOW in flags and FROM_MOTION in flags
    assert any(flag.startswith("region rescaled by 0.5") for flag in flags)
    assert features.table["no_verdict"].iloc[0].startswith(TOO_LOW)
    assert timing(features)["cycle_from_motion"] == 1.0
    mmode = features["mmode"].values[0]
    wall = mmode[round(30 / timing(features)["mm_per_row"])].mean()
    assert wall > 2 * mmode.mean()


def test_several_loops_of_a_study_find_their_own_septum_and_peaks_by_name(tmp_path):
    for name in ("one", "two"):
        write_loop(tmp_path / f"{name}.dcm", r_times_ms=None)
        write_septum(tmp_path / f"{name}.s.json")
    peaks = {"r_times_ms": [40.0, 740.0]}
    (tmp_path / "two.r.json").write_text(json.dumps(peaks))
    row = {
        "patient_id": "P", "study_id": "S", "sf_label": 1,
        "path_echo_a4c": "one.dcm;two.dcm", "path_septum": "two.s.json;one.s.json",
        "path_rpeaks": "two.r.json",
    }  # fmt: skip
    write_cohort(tmp_path, [row])
    cohort = load(Config().load, context(tmp_path, "fit"))
    assert cohort.samples.table.index.tolist() == ["S-1", "S-2"]
    names = {key: [path.name for path in paths] for key, paths in cohort.files.items()}
    assert names == {
        "S-1": ["one.dcm", "one.s.json"],
        "S-2": ["two.dcm", "two.s.json", "two.r.json"],
    }
    assert cohort.samples.values[0].loop.r_times_ms is None
    assert cohort.samples.values[1].loop.r_times_ms.tolist() == [40.0, 740.0]


def test_studies_of_one_timepoint_can_be_chosen_and_the_others_are_named(tmp_path):
    write_loop(tmp_path / "a.dcm")
    rows = [
        {"patient_id": "P", "study_id": when, "timepoint": when, "path_echo_a4c": "a.dcm",
         "sf_label": 0}
        for when in ("baseline", "follow-up")
    ]  # fmt: skip
    write_cohort(tmp_path, rows)
    block = Config().load.model_copy(update={"timepoint": "follow-up"})
    cohort = load(block, context(tmp_path, "fit"))
    assert cohort.samples.table.index.tolist() == ["follow-up"]
    assert cohort.excluded == {"not at follow-up": ("baseline",)}
    assert cohort.targets.table.index.tolist() == ["follow-up"]


def test_training_needs_a_table_with_loops_and_labels_unless_another_outcome_is_asked(tmp_path):
    write_loop(tmp_path / "a.dcm")
    with refuses(DataError, "path_echo_a4c", "sf_label"):
        load(Config().load, context(tmp_path, "fit"))
    write_cohort(tmp_path, [{"patient_id": "P", "path_echo_a4c": "a.dcm"}])
    with refuses(ConfigError, "cohort.csv", "sf_label", code="missing"):
        load(Config().load, context(tmp_path, "fit"))
    own = load(Config().load, replace(context(tmp_path, "fit"), outcome="x_responder"))
    assert own.targets is None and own.table["patient_id"].tolist() == ["P"] and own.outcome == ""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="expected ultrasound loops"):
        load(Config().load, context(tmp_path / "empty", "predict"))


def test_a_cycle_without_r_peaks_has_the_length_of_the_beat(tmp_path):
    """Three beats of a phantom, written one after another without their peaks."""
    one = phantom(1, rate_hz=50.0)
    n_beat = round(one.spec.beat.rr_ms / 20.0)
    frames = np.concatenate([one.frames[2 : 2 + n_beat]] * 3)
    write_loop(tmp_path / "a.dcm", frames, r_times_ms=None)
    cycle = find_beats(read_loop(tmp_path / "a.dcm")).cycle
    assert cycle.from_motion
    assert cycle.rr_ms == pytest.approx(20.0 * n_beat, abs=20.0)


def test_of_several_beats_the_most_usual_one_inside_the_loop_is_taken(tmp_path):
    frames = np.repeat(phantom(1, rate_hz=50.0).frames[:30], 5, axis=0)  # 3 s
    peaks = [100.0, 600.0, 1500.0, 2380.0, 3300.0]  # 500, 900, 880 and one that is cut off
    write_loop(tmp_path / "a.dcm", frames, r_times_ms=peaks)
    cycle = find_beats(read_loop(tmp_path / "a.dcm")).cycle
    assert (cycle.start_ms, cycle.rr_ms) == (pytest.approx(1500.0), pytest.approx(880.0))


def test_a_header_that_claims_four_gigabytes_is_refused_in_little_memory(tmp_path):
    write_loop(tmp_path / "a.dcm")
    made = dcmread(tmp_path / "a.dcm")
    made.Rows, made.Columns, made.NumberOfFrames = 32768, 32768, 4
    assert made.Rows * made.Columns * made.NumberOfFrames > 4e9
    made.save_as(tmp_path / "a.dcm")
    tracemalloc.start()
    try:
        reason = refusal(tmp_path)
        peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    assert reason.startswith("expected ")
    assert peak_mb < 50


def test_what_lies_beside_a_dotted_dicom_name_is_among_the_files_of_that_loop_only(tmp_path):
    for number, name in enumerate(("1.2.840.55", "1.2.840.56"), start=1):
        write_loop(tmp_path / name, frame_rate_hz=None, number=number)
        (tmp_path / f"{name}.json").write_text('{"frame_rate_hz": 50}')
    write_septum(tmp_path / "1.2.840.septum.json")  # nobody's
    write_septum(tmp_path / "1.2.840.55.septum.json")
    cohort = load(Config().load, context(tmp_path, "predict"))
    names = {key: [path.name for path in paths] for key, paths in cohort.files.items()}
    assert names == {
        # The writer makes identifiers of what stands before the last dot: they are of one study.
        "1-1": ["1.2.840.55", "1.2.840.55.septum.json", "1.2.840.55.json"],
        "1-2": ["1.2.840.56", "1.2.840.56.json"],
    }


@pytest.mark.parametrize("broken", ["loop", "septum", "peaks", "json"])
def test_a_reason_names_neither_the_loop_nor_what_lies_beside_it(tmp_path, broken):
    write_loop(tmp_path / "ASHDOWN.dcm")
    files = {name: tmp_path / f"ASHDOWN.{name}.json" for name in ("septum", "peaks")}
    write_septum(files["septum"])
    files["peaks"].write_text('{"r_times_ms": [100, 1000]}')
    files |= {"loop": tmp_path / "ASHDOWN.dcm", "json": tmp_path / "ASHDOWN.json"}
    files[broken].write_bytes(b"something else")
    row = {
        "patient_id": "P", "path_echo_a4c": "ASHDOWN.dcm", "path_septum": "ASHDOWN.septum.json",
        "path_rpeaks": "ASHDOWN.peaks.json", "sf_label": 0,
    }  # fmt: skip
    write_cohort(tmp_path, [row])
    reason = refusal(tmp_path / "cohort.csv")
    assert reason.startswith("expected ") and "ASHDOWN" not in reason


def test_loops_of_dotted_names_find_their_own_septum_too(tmp_path):
    """Cut at the first dot, all of a series would be called 1, and take the first septum."""
    for name in ("1.2.840.5", "1.2.840.55"):
        write_loop(tmp_path / name)
        write_septum(tmp_path / f"{name}.septum.json")
    row = {
        "patient_id": "P", "study_id": "S", "sf_label": 1,
        "path_echo_a4c": "1.2.840.5;1.2.840.55",
        "path_septum": "1.2.840.55.septum.json;1.2.840.5.septum.json",
    }  # fmt: skip
    write_cohort(tmp_path, [row])
    cohort = load(Config().load, context(tmp_path, "fit"))
    septa = {key: paths[1].name for key, paths in cohort.files.items()}
    assert septa == {"S-1": "1.2.840.5.septum.json", "S-2": "1.2.840.55.septum.json"}
