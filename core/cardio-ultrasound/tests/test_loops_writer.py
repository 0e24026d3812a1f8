"""The writer of synthetic loops: real objects, the same bytes each time, nothing impossible."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pydicom
import pytest

from cardio_core.api import ConfigError
from cardio_core.testing import refuses
from cardio_ultrasound import TracedEcg, read_loop, write_us_loop

from . import us_files as us

FRAMES = us.moving_sector()


@pytest.mark.parametrize("compression", [None, "rle", "jpeg"])
def test_the_same_call_writes_the_same_bytes(tmp_path, compression):
    written = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "a.dcm"
        write_us_loop(
            path, FRAMES, frame_rate_hz=60, photometric="MONOCHROME2", compression=compression
        )
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_a_loop_is_a_whole_ultrasound_object(tmp_path):
    path = tmp_path / "p0001.dcm"
    write_us_loop(
        path,
        FRAMES,
        frame_rate_hz=62.5,
        mm_per_pixel=(0.3, 0.4),
        region=(10, 5, 69, 54),
        r_times_ms=[20.0, 840.0],
        heart_rate_bpm=73,
        ecg=TracedEcg(np.sin(np.arange(500.0)), 250.0),
        extra={"PatientName": us.PATIENT},
        private_text="planted",
    )
    dataset = pydicom.dcmread(path)
    assert dataset.SOPClassUID == us.US_MULTI_FRAME
    assert (dataset.PatientName, dataset.HeartRate) == (us.PATIENT, 73)
    assert dataset[0x0029, 0x1010].value == "planted"
    region = dataset.SequenceOfUltrasoundRegions[0]
    assert (region.PhysicalDeltaX, region.PhysicalDeltaY) == pytest.approx((0.04, 0.03))
    assert (float(dataset.FrameTime), dataset.NumberOfFrames) == (16.0, len(FRAMES))
    assert dataset.pixel_array.shape == (*FRAMES.shape, 3)
    loop = read_loop(path)
    assert (loop.region.top, loop.region.right, loop.r_source) == (5, 70, "RWaveTimeVector")
    np.testing.assert_array_equal(loop.r_times_ms, [20.0, 840.0])


@pytest.mark.parametrize(
    ("frames", "options", "match"),
    [
        (FRAMES.astype(float), {}, "must be uint8"),
        (FRAMES[0], {}, "must be uint8"),
        (np.zeros((2, 8, 8, 3), np.uint8), {"photometric": "MONOCHROME2"}, "RGB frames cannot"),
        (FRAMES, {"photometric": "RGB", "compression": "jpeg"}, "JPEG is written as"),
        (FRAMES, {"compression": "rle"}, "RLE has no shared colours"),
        (FRAMES[:, :, :-1], {}, "an even number of columns"),
    ],
)
def test_what_dicom_does_not_have_is_not_written(tmp_path, frames, options, match):
    with pytest.raises(ValueError, match=match):
        write_us_loop(tmp_path / "a.dcm", frames, frame_rate_hz=50, **options)


def test_a_loop_travels_to_another_process_as_a_path_and_not_as_frames(tmp_path):
    write_us_loop(tmp_path / "a.dcm", FRAMES, frame_rate_hz=50, photometric="MONOCHROME2")
    data = pickle.dumps(read_loop(tmp_path / "a.dcm"))
    assert len(data) < FRAMES.nbytes / 4
    np.testing.assert_array_equal(pickle.loads(data).stack(), FRAMES)  # noqa: S301 (our own)


def test_a_missing_package_names_the_extra_that_brings_it(tmp_path, monkeypatch):
    (tmp_path / "a.h5").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with refuses(
        ConfigError, "h5py", 'pip install "./core/cardio-core[hdf5]"', code="not_installed"
    ):
        read_loop(tmp_path / "a.h5", frame_rate_hz=50)
