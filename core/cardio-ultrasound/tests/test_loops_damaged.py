"""Damaged, dishonest and foreign files are refused in one line that tells nothing of a patient."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from cardio_core.testing import refuses
from cardio_stats.errors import CardioError, DataError
from cardio_ultrasound import find_loops, read_loop, write_us_loop
from cardio_ultrasound.readers import dicom as pixels

from . import us_files as us

FRAMES = us.moving_sector()


def jpeg(frame: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=90)
    data = buffer.getvalue()
    return data + b"\0" * (len(data) % 2)


def refused(path, match: str) -> None:
    """Read everything, and check that the refusal is one line without the patient's name."""
    with pytest.raises(DataError, match=match) as caught:
        read_loop(path).stack()
    assert "\n" not in str(caught.value)
    assert us.PATIENT not in str(caught.value)
    assert str(caught.value).startswith(path.name)


@pytest.mark.parametrize("keep", [0, 100, 140, 400, 700, 5000])
def test_a_file_that_is_cut_anywhere_is_refused(tmp_path, keep):
    path = us.written(us.dataset(FRAMES), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[:keep])
    refused(path, "expected")


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_compressed_pixel_data_that_is_cut_is_refused(tmp_path, keep):
    streams = [jpeg(frame) for frame in FRAMES]
    path = us.written(us.encapsulated(streams, FRAMES, JPEGBaseline8Bit), tmp_path / "a.dcm")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    refused(path, "damaged or cut|cut short|compressed frames")


def test_fewer_bytes_than_claimed_are_refused(tmp_path):
    path = us.written(us.dataset(FRAMES, NumberOfFrames=7), tmp_path / "a.dcm")
    refused(path, r"expected 33600 bytes of pixel data \(7 frames\), found 28800")


def test_fewer_compressed_frames_than_claimed_are_refused(tmp_path):
    streams = [jpeg(frame) for frame in FRAMES]
    made = us.encapsulated(streams, FRAMES, JPEGBaseline8Bit, NumberOfFrames=8)
    refused(us.written(made, tmp_path / "a.dcm"), "8 compressed frames, found 6 at most")


@pytest.mark.parametrize(
    ("claim", "match"),
    [
        ({"NumberOfFrames": 1, "Rows": 65535, "Columns": 65535}, "found a still image"),
        ({"NumberOfFrames": 2, "Rows": 65535, "Columns": 65535}, "at most 16777216 pixels"),
        ({"NumberOfFrames": 9000, "Rows": 600, "Columns": 800}, "found 4.32 GB"),
        ({"NumberOfFrames": 2**31 - 1}, "found 1.03e"),
        ({"NumberOfFrames": -3}, "found no frame"),
        ({"Rows": 0}, "rows and columns, found none"),
    ],
)
def test_a_claim_of_gigabytes_is_refused_before_anything_is_decoded(
    tmp_path, monkeypatch, claim, match
):
    def forbidden(*args, **kwargs):
        raise AssertionError("decoded")

    monkeypatch.setattr(pixels, "_decode_with_pydicom", forbidden)
    refused(us.written(us.dataset(FRAMES, **claim), tmp_path / "a.dcm"), match)


def test_a_jpeg_that_is_larger_inside_than_the_header_says_is_refused_undecoded(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(pixels.cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    bomb = bytearray(jpeg(FRAMES[0]))
    at = bomb.index(b"\xff\xc0") + 5
    bomb[at : at + 4] = struct.pack(">HH", 60000, 60000)
    made = us.encapsulated([bytes(bomb)] * 6, FRAMES, JPEGBaseline8Bit)
    refused(
        us.written(made, tmp_path / "a.dcm"),
        r"frame 1: expected 60 × 80 pixels of 1 samples, found 60000 × 60000 of 1",
    )


def test_damage_in_a_frame_names_the_frame(tmp_path):
    streams = [jpeg(frame) for frame in FRAMES]
    streams[4] = b"\xff\xd8" + b"\x55" * 200
    path = us.written(us.encapsulated(streams, FRAMES, JPEGBaseline8Bit), tmp_path / "a.dcm")
    refused(path, "frame 5: expected a whole compressed frame, found a damaged one")


def test_a_jpeg_without_its_end_is_refused_and_not_half_decoded(tmp_path):
    streams = [jpeg(frame) for frame in FRAMES]
    streams[2] = streams[2][: len(streams[2]) // 2 // 2 * 2]
    path = us.written(us.encapsulated(streams, FRAMES, JPEGBaseline8Bit), tmp_path / "a.dcm")
    refused(path, "frame 3: expected a whole compressed frame")


def test_damaged_rle_is_refused(tmp_path):
    made = us.dataset(FRAMES)
    made.compress(RLELossless)
    made.PixelData = encapsulate([b"\x01\0\0\0\x40\0\0\0" + b"\0" * 56 + b"\x81\x05"] * 6)
    refused(us.written(made, tmp_path / "a.dcm"), "frame 1: expected a frame that can be decoded")


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")  # it is meant to be invalid
@pytest.mark.parametrize(
    ("elements", "match"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "ultrasound multi-frame image, found anoth"),
        ({"PhotometricInterpretation": "CMYK"}, "another photometric interpretation"),
        ({"PhotometricInterpretation": us.PATIENT}, "another photometric interpretation"),
        ({"SamplesPerPixel": 4}, "another photometric interpretation"),
        ({"BitsAllocated": 32}, "unsigned samples of 8 bits"),
        ({"PixelRepresentation": 1}, "unsigned samples of 8 bits"),
        ({"PixelData": None}, "expected pixel data, found none"),
        ({"SequenceOfUltrasoundRegions": [us.Dataset()]}, None),
    ],
)
def test_a_header_of_another_kind_is_refused(tmp_path, elements, match):
    path = us.written(us.dataset(FRAMES, **elements), tmp_path / "a.dcm")
    if match is None:
        assert read_loop(path).region is None
    else:
        refused(path, match)


def test_elements_that_are_no_numbers_are_refused_without_being_quoted(tmp_path):
    path = us.written(us.dataset(FRAMES, FrameTime="20.000000000000"), tmp_path / "a.dcm")
    data = path.read_bytes()
    assert data.count(b"20.000000000000") == 1
    path.write_bytes(data.replace(b"20.000000000000", b"DOE^JANE 195001"))
    refused(path, "a complete US multi-frame module, found elements of a wrong kind")


def test_a_deflated_file_is_refused_before_it_is_inflated(tmp_path):
    made = us.dataset(FRAMES, syntax=DeflatedExplicitVRLittleEndian)
    refused(us.written(made, tmp_path / "a.dcm"), "not deflated")


def test_files_of_other_kinds_are_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no loop")
    refused(text, "DICM at byte 128")
    refused(tmp_path / "missing.dcm", "expected a file, found none")


def test_no_text_of_the_header_is_in_what_a_loop_shows(tmp_path):
    path = tmp_path / "a.dcm"
    write_us_loop(
        path, FRAMES, frame_rate_hz=50,
        extra={"PatientName": us.PATIENT, "InstitutionName": us.PATIENT}, private_text=us.PATIENT,
    )  # fmt: skip
    assert us.PATIENT.encode() in path.read_bytes()
    assert us.PATIENT not in repr(read_loop(path)) + repr(read_loop(path).source)


def test_random_damage_ends_in_a_refusal_or_a_loop_and_in_nothing_else(tmp_path):
    streams = [jpeg(frame) for frame in FRAMES]
    whole = us.written(us.encapsulated(streams, FRAMES, JPEGBaseline8Bit), tmp_path / "a.dcm")
    data = np.frombuffer(whole.read_bytes(), np.uint8)
    rng = np.random.default_rng(11)
    refusals = 0
    for _ in range(150):
        damaged = data.copy()
        places = rng.integers(132, data.size, 3)
        damaged[places] = rng.integers(0, 256, 3)
        path = tmp_path / "damaged.dcm"
        path.write_bytes(damaged.tobytes())
        try:
            assert read_loop(path).stack().shape[1:] == (60, 80)
        except CardioError:
            refusals += 1
    assert refusals > 0


def test_loops_of_a_folder_are_found_by_content_and_suffix(tmp_path):
    (tmp_path / "study" / ".cache").mkdir(parents=True)
    us.written(us.dataset(FRAMES), tmp_path / "study" / "IM0001")
    for name in ("DICOMDIR", ".cache/b.avi", "b.avi", "c.npz", "notes.txt", "b.json"):
        (tmp_path / "study" / name).write_bytes(b"")
    assert [path.name for path in find_loops(tmp_path)] == ["IM0001", "b.avi", "c.npz"]
    file = get_testdata_file("examples_ybr_color.dcm")
    assert [str(path) for path in find_loops(file)] == [file]
    with refuses(DataError, "missing", code="missing"):
        find_loops(tmp_path / "missing")
