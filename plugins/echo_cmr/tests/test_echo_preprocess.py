"""Preprocess: from loops of every kind to small videos of their sector, or the reason why not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames

from cardio_core.api import Context, DataError, SampleSet
from cardio_core.testing import names, refuses
from cardio_echo_cmr.findings.config import PreprocessBlock
from cardio_echo_cmr.findings.preprocess import preprocess, sector_video
from cardio_echo_cmr.findings.tasks import TASKS
from cardio_ultrasound import (
    FIXED_TRIANGLE,
    Sector,
    burn_in,
    fit_sector,
    fixed_triangle,
    read_loop,
    write_us_loop,
)

SECTOR = Sector(depth_mm=110.0, half_angle_deg=38.0, n_rows=200, n_columns=240)
SPACING = (0.6, 0.6)
CONFIG = PreprocessBlock(side=56, max_frames=40)


def speckle(n_frames=20, sector=SECTOR, seed=0) -> np.ndarray:
    """Return noise inside a sector, another in every frame."""
    rng = np.random.default_rng(seed)
    coarse = rng.rayleigh(40.0, (n_frames, sector.n_rows // 4 + 1, sector.n_columns // 4 + 1))
    fine = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, : sector.n_rows, : sector.n_columns]
    return np.clip(30 + fine, 0, 255).astype(np.uint8) * sector.mask()


def write(file: Path, frames=None, **others) -> Path:
    settings = {"frame_rate_hz": 50.0, "mm_per_pixel": SPACING}
    write_us_loop(file, speckle() if frames is None else frames, **(settings | others))
    return file


def write_avi(file: Path, frames: np.ndarray, rate_hz: float = 50.0) -> Path:
    size = (frames.shape[2], frames.shape[1])
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), rate_hz, size)
    for frame in frames:
        writer.write(frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2))
    writer.release()
    return file


def samples_of(files: dict[str, Path], **rates) -> SampleSet:
    ids = list(files)
    table = pd.DataFrame(
        {"recording_id": ids, "study_id": "S", "patient_id": "P", "lvef_pct": 55.0},
        index=pd.Index(ids, name="sample_id"),
    )

    def opened(name):
        return read_loop(files[name], frame_rate_hz=rates.get(name))

    return SampleSet.opening(table, ids, opened)


def prepared(files: dict[str, Path], config=CONFIG, **rates):
    """Return the samples, and why recordings were set aside."""
    ctx = Context(TASKS[0], hook="preprocess")
    try:
        made = preprocess(samples_of(files, **rates), config, ctx)
    except DataError:
        made = None
    reasons = {row.recording_id: row.reason for row in ctx._quarantined}
    assert all("\n" not in reason for reason in reasons.values())
    return made, reasons


def test_a_loop_becomes_its_first_frames_with_their_times_and_zeros_after_its_end(tmp_path):
    made, reasons = prepared(
        {"a": write(tmp_path / "a.dcm"), "b": write(tmp_path / "b.dcm", speckle(60))}
    )
    assert reasons == {}
    short, long = made.values
    assert short.frames.shape == long.frames.shape == (40, 56, 56)
    assert short.n_frames == 20 and long.n_frames == 40
    assert short.frames[19].any() and not short.frames[20:].any() and long.frames[39].any()
    np.testing.assert_allclose(short.times_ms[:20], 20.0 * np.arange(20))
    assert np.isnan(short.times_ms[20:]).all() and np.isfinite(long.times_ms).all()
    assert short.frame_rate_hz == pytest.approx(50.0)
    chord_mm = 2 * 110.0 * np.sin(np.radians(38.0))
    assert short.mm_per_px == pytest.approx(chord_mm / 56, rel=0.04)
    assert made.table.index.tolist() == ["a", "b"]
    assert made.table["recording_id"].tolist() == ["a", "b"]
    assert made.table["flags"].tolist() == ["", "networks see the first 40 of 60 frames"]
    assert made.table["lvef_pct"].tolist() == [55.0, 55.0]


def test_print_and_traces_beside_the_sector_are_gone_from_every_frame(tmp_path):
    """The same loop with and without a name and an ECG differs inside the fitted sector alone."""
    clean = speckle()
    ecg = np.sin(np.linspace(0, 40, 400))
    printed = burn_in(np.repeat(clean[..., None], 3, axis=3), ["DOE^JANE", "MRN 12345"], ecg_mv=ecg)
    beside = (printed.text | printed.trace) & ~SECTOR.mask()
    assert beside.sum() > 300
    file = write(tmp_path / "a.dcm", printed.frames)
    video = sector_video(read_loop(file), CONFIG)
    plain = sector_video(read_loop(write(tmp_path / "b.dcm", clean)), CONFIG)
    lit = video.frames[:20].max(axis=0) > 0
    row, column = np.argwhere(~lit).T  # one by one, what lies outside stays black
    assert video.frames[:20, row, column].max() == 0
    assert 0.35 < lit.mean() < 0.65  # a sector of 76 degrees fills half of its square
    assert not lit[:4, :15].any() and not lit[-3:, :10].any()  # where the name and the trace stand
    difference = np.abs(video.frames[:20].astype(int) - plain.frames[:20])
    assert np.median(difference[:, lit]) <= 3


def test_loops_that_cannot_be_used_are_set_aside_one_by_one_with_their_reasons(tmp_path):
    broken = write_avi(tmp_path / "broken.avi", speckle())
    data = broken.read_bytes()
    broken.write_bytes(data[: len(data) // 3])
    colour = np.repeat(speckle()[..., None], 3, axis=3)
    colour[:, 60:120, 80:160] = (230, 40, 20)
    torn = write(tmp_path / "torn.dcm", compression="jpeg")
    dataset = pydicom.dcmread(torn)
    parts = list(generate_frames(dataset.PixelData, number_of_frames=20))
    parts[13] = parts[13][:200] + b"\xff\xd9"
    dataset.PixelData = encapsulate(parts)
    dataset.save_as(torn)
    files = {
        "good": write(tmp_path / "good.dcm"),
        "seven": write(tmp_path / "seven.dcm", speckle(7)),
        "broken": broken,
        "flow": write(tmp_path / "flow.dcm", colour, colour_data_present=True),
        "timeless": write(tmp_path / "timeless.dcm", frame_rate_hz=None),
        "dark": write(tmp_path / "dark.dcm", np.zeros((12, 200, 240), np.uint8)),
        "torn": torn,
    }
    made, reasons = prepared(files, broken=50.0)
    assert made.table.index.tolist() == ["good"]
    assert reasons.keys() == files.keys() - {"good"}
    assert names(reasons["seven"], 8, 7, "frames")
    assert "colour Doppler" in reasons["flow"]
    assert "the time of every frame" in reasons["timeless"]
    assert "sector" in reasons["dark"]
    assert "cut short" in reasons["broken"] and "expected " in reasons["torn"]


def test_a_patient_without_a_usable_loop_is_refused(tmp_path):
    files = {"a": write(tmp_path / "a.dcm", speckle(7))}
    ctx = Context(TASKS[0], hook="preprocess")
    with refuses(DataError, "loops"):
        preprocess(samples_of(files), CONFIG, ctx)


@pytest.mark.parametrize("kind", ["YBR_FULL_422", "RGB", "PALETTE COLOR", "jpeg", "avi", "npy"])
def test_a_loop_gives_the_same_video_however_it_is_stored(tmp_path, kind):
    frames = speckle(12)
    expected = sector_video(
        read_loop(write(tmp_path / "m.dcm", frames, photometric="MONOCHROME2")), CONFIG
    )
    if kind == "avi":
        loop = read_loop(
            write_avi(tmp_path / "a.avi", frames), frame_rate_hz=50.0, mm_per_pixel=SPACING
        )
    elif kind == "npy":
        np.save(tmp_path / "a.npy", frames)
        loop = read_loop(tmp_path / "a.npy", frame_rate_hz=50.0, mm_per_pixel=SPACING)
    elif kind == "jpeg":
        loop = read_loop(write(tmp_path / "a.dcm", frames, compression="jpeg"))
    else:
        loop = read_loop(write(tmp_path / "a.dcm", frames, photometric=kind))
    found = sector_video(loop, CONFIG)
    np.testing.assert_array_equal(found.times_ms, expected.times_ms)
    inside = expected.frames[:12].min(axis=0) > 20
    difference = np.abs(found.frames[:12].astype(int) - expected.frames[:12])[:, inside]
    assert np.percentile(difference, 95) <= (8 if kind in ("jpeg", "avi") else 2)


def test_what_a_reader_should_know_is_flagged(tmp_path):
    slow = write(tmp_path / "slow.dcm", frame_rate_hz=15.0)
    np.save(tmp_path / "bare.npy", speckle())
    long = write(tmp_path / "long.dcm", speckle(44))
    made, _ = prepared({"slow": slow, "bare": tmp_path / "bare.npy", "long": long}, bare=50.0)
    flags = made.table["flags"]
    assert flags["long"] == "networks see the first 40 of 44 frames"
    assert flags["slow"] == "15 frames a second, fewer than 25"
    assert flags["bare"] == "size of a pixel not known, taken for square"
    assert np.isnan(made.values[1].mm_per_px)


def test_the_real_loop_of_pydicom_keeps_its_sector_and_none_of_its_print():
    file = Path(get_testdata_file("examples_ybr_color.dcm", download=False))
    loop = read_loop(file)
    video = sector_video(loop, PreprocessBlock())
    assert video.n_frames == 30 and video.frame_rate_hz == pytest.approx(30.0, abs=0.01)
    assert any("rescaled" in flag for flag in video.flags)
    lit = video.frames[:30].max(axis=0) > 0
    corners = np.ix_([0, 1, 2, 109, 110, 111], [0, 1, 2, 109, 110, 111])
    assert not lit[corners].any()
    assert video.frames[:30].mean(axis=0)[lit].mean() > 15
    # A beam from the tip: the mask narrows to it, and grows no wider than its arc.
    width = lit.sum(axis=1)
    assert width[18] < width[40] < width[70]


def duplex(gap: int):
    """Return a sector above a strip that moves, as of M-mode or Doppler, with a name in it."""
    sector = Sector(depth_mm=55.0, half_angle_deg=20.0, n_rows=100, n_columns=240)
    frames = np.zeros((20, 200 + gap, 240), np.uint8)
    frames[:, :100] = speckle(sector=sector)
    strip = np.random.default_rng(1).integers(30, 220, (100, 260), dtype=np.uint8)
    for number, frame in enumerate(frames):
        frame[100 + gap :] = strip[:, number : number + 240]
    return burn_in(frames, ["DOE^JANE"], text_at=(160, 95))


@pytest.mark.parametrize("gap", [0, 4])
def test_a_screen_on_which_no_one_sector_fits_is_set_aside_and_not_cut_roughly(tmp_path, gap):
    shown = duplex(gap)
    files = {"a": write(tmp_path / "a.dcm", shown.frames)}
    fitted = fit_sector(read_loop(files["a"]))
    assert fitted.poor
    assert fitted.mask()[shown.text].all()  # what a rough cut would keep
    made, reasons = prepared(files)
    assert made is None
    assert reasons["a"].startswith("expected the outline of one sector, found one that")
    assert "preprocess.triangle=true" in reasons["a"]
    made, reasons = prepared(files, CONFIG.model_copy(update={"triangle": True}))
    assert reasons == {} and made.table["flags"].tolist() == [FIXED_TRIANGLE]


def test_the_fixed_triangle_is_kept_only_where_it_is_asked_for_and_flagged(tmp_path):
    square = np.full((12, 120, 120), 90, np.uint8)
    square[::2] = 60
    files = {"a": write(tmp_path / "a.dcm", square)}
    made, reasons = prepared(files)
    assert made is None and "sector" in reasons["a"]
    made, reasons = prepared(files, CONFIG.model_copy(update={"triangle": True}))
    assert reasons == {} and made.table["flags"].tolist() == [FIXED_TRIANGLE]
    mask = fixed_triangle((112, 112))
    assert mask[1:, 67].all() and not mask[:, 0][:67].any() and mask[111].all()


MEASURE = """
import json, sys
from cardio_ultrasound import read_loop
from cardio_echo_cmr.findings.config import PreprocessBlock
from cardio_echo_cmr.findings.preprocess import sector_video

def mb(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name)) / 1024

sector_video(read_loop(sys.argv[1], frame_rate_hz=50.0), PreprocessBlock())  # imports, caches
before = mb("VmRSS:")
config = PreprocessBlock(max_frames=int(sys.argv[3]))
video = sector_video(read_loop(sys.argv[2], frame_rate_hz=50.0), config)
print(json.dumps({"added_mb": mb("VmHWM:") - before, "n_frames": video.n_frames}))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's own accounts")
@pytest.mark.parametrize(
    ("kind", "max_frames"), [pytest.param("dcm", 400, marks=pytest.mark.slow), ("npy", 128)]
)
def test_a_loop_of_2000_frames_stays_within_300_mb_of_memory(tmp_path, kind, max_frames):
    sector = Sector(depth_mm=110.0, n_rows=600, n_columns=800, spacing_mm=0.2, apex_row=20.0)
    frames = speckle(4, sector)
    small = tmp_path / "small.npy"
    np.save(small, speckle(12))
    file = tmp_path / f"large.{kind}"
    if kind == "dcm":
        write(file, frames, compression="jpeg", mm_per_pixel=(0.2, 0.2))
        dataset = pydicom.dcmread(file)
        parts = list(generate_frames(dataset.PixelData, number_of_frames=4))
        dataset.PixelData = encapsulate(parts * 500)
        dataset.NumberOfFrames = 2000
        dataset.save_as(file)
    else:
        held = np.lib.format.open_memmap(file, "w+", np.uint8, (2000, 600, 800, 3))
        for start in range(0, 2000, 50):  # 2.9 GB, most of which the file system does not store
            held[start : start + 4] = frames[..., None]
        for number in range(12):
            held[number] = frames[number % 4, ..., None]
        held.flush()
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(small), str(file), str(max_frames)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    measured = json.loads(done.stdout)
    assert measured["n_frames"] == max_frames
    assert measured["added_mb"] < 300
