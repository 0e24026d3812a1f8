"""The sheet and the measurements of `cardio measure`, on loops whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cardio_core.api import SampleSet
from cardio_echo_cmr.clips import END_DIASTOLE, END_SYSTOLE, MIDDLE, moments_of
from cardio_echo_cmr.findings.config import FeaturizeBlock, PreprocessBlock
from cardio_echo_cmr.findings.featurize import LOOP, featurize
from cardio_echo_cmr.findings.preprocess import sector_video
from cardio_echo_cmr.findings.sheet import sheet
from cardio_ultrasound import read_loop, write_us_loop

SIDE, MM, RATE_HZ, N_FRAMES = 128, 0.8, 50.0, 60
APEX_ROW, RADIUS = 8, 104


def sector():
    """Return a sector of 80 degrees whose depth is known, shape (SIDE, SIDE)."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    down, right = rows - APEX_ROW, columns - SIDE / 2
    far = np.hypot(down, right)
    return (far <= RADIUS) & (np.abs(np.arctan2(right, np.maximum(down, 1e-6))) < 0.7) & (down > 0)


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    """A loop of speckle with a name beside the sector, R peaks 900 ms apart."""
    file = tmp_path_factory.mktemp("loop") / "a.dcm"
    rng = np.random.default_rng(0)
    frames = np.where(sector(), rng.integers(40, 160, (N_FRAMES, SIDE, SIDE)), 0)
    frames[:, 2:8, 2:40] = 255
    write_us_loop(
        file, frames.astype(np.uint8), frame_rate_hz=RATE_HZ, mm_per_pixel=(MM, MM),
        r_times_ms=[100.0, 1000.0], compression=None, photometric="MONOCHROME2",
    )  # fmt: skip
    return read_loop(file)


@pytest.fixture(scope="module")
def made(loop):
    video = sector_video(loop, PreprocessBlock(side=32, max_frames=24))
    ids = {"recording_id": "1", "study_id": "1", "patient_id": "1", "view_given": "", "flags": ""}
    table = pd.DataFrame([ids], index=pd.Index(["1"], name="sample_id"))
    values = np.empty(1, dtype=object)
    values[0] = video
    samples = SampleSet(table, values)
    return samples, featurize(samples, FeaturizeBlock())


def test_rate_length_beats_and_depth_are_of_the_whole_loop(made):
    block = made[1]["loop"]
    found = dict(zip(block.names, np.asarray(block.in_units())[0], strict=True))
    assert found["frame_rate_hz"] == pytest.approx(RATE_HZ)
    assert found["n_frames"] == N_FRAMES  # of which 24 are kept
    assert found["duration_s"] == pytest.approx(N_FRAMES / RATE_HZ)
    assert found["heart_rate_bpm"] == pytest.approx(60_000 / 900)
    assert found["n_beats"] == pytest.approx(1.2 / 0.9)
    assert found["depth_mm"] == pytest.approx(RADIUS * MM, rel=0.05)
    assert found["pixel_mm"] == pytest.approx(MM)


def test_every_measurement_has_a_title_and_the_tables_numbers_are_none(made):
    _, features = made
    assert features["loop"].titles == tuple(title for _, _, title in LOOP)
    assert all(features[name].titles == () for name in ("times", "timing", "clinical"))


def test_the_sheet_draws_the_sector_alone_four_times_and_the_numbers(loop, made):
    figure = Figure(layout="constrained")
    sheet(figure, loop, *made)
    pictures = [axes for axes in figure.axes if axes.images]
    titles = [axes.get_title() for axes in pictures]
    assert len(titles) == 4 and titles[0].startswith("first frame")
    assert any(title.startswith(END_DIASTOLE) for title in titles)
    for axes in pictures:
        drawn = np.asarray(axes.images[0].get_array())
        assert drawn[2:8, 2:40].max() == 0  # where the name is printed
        assert drawn[60, 64] > 0
    words = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    assert "Heart rate" in words and "66.7" in words


@pytest.mark.parametrize(
    ("r_times_ms", "rate", "expected"),
    [
        # Systole lasts 546 - 2.1 * 60 = 420 ms.
        ([100.0], 60.0, [(4, END_DIASTOLE), (21, END_SYSTOLE)]),
        # It ends after the loop; that of the beat before ended 1000 ms earlier.
        ([800.0], 60.0, [(9, END_SYSTOLE), (32, END_DIASTOLE)]),
        (None, 60.0, [(13, MIDDLE), (26, MIDDLE)]),
        ([100.0], float("nan"), [(13, MIDDLE), (26, MIDDLE)]),
    ],
)
def test_frames_are_chosen_by_the_r_peak_and_the_rate(r_times_ms, rate, expected):
    times = np.arange(40) * 25.0
    r_peaks = None if r_times_ms is None else np.array(r_times_ms)
    found = moments_of(times, r_peaks, rate)
    assert found[0][0] == 0 and found[-1][0] == 39
    assert found[1:-1] == expected
