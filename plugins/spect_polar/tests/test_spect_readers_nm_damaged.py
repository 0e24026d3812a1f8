"""Gated short-axis DICOM that is damaged or something else, refused in words of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    SecondaryCaptureImageStorage,
)
from spect_nm_files import PATIENT, SHAPE, code, item, refusal, shipped, stored, study, write

from cardio_core.api import DataError
from cardio_core.testing import names, refuses
from cardio_spect_polar.readers.studies import read_gated

if TYPE_CHECKING:
    from collections.abc import Callable


def without_place(slot: int, slice_index: int) -> np.ndarray:
    return np.array([i for i in range(48) if i != slot * 6 + slice_index])


def lost(slot: int, slice_index: int | None = None) -> np.ndarray:
    values = stored()
    values[slot, slice(None) if slice_index is None else slice_index] = 0
    return values


def sized(n_slots: int, n_slices: int) -> np.ndarray:
    return np.full((n_slots, n_slices, 9, 11), 5, np.uint16)


def twice() -> Dataset:
    made = study()
    slots = list(made.TimeSlotVector)
    slots[6] = 1  # slot 2, slice 1 becomes slot 1, slice 1 again
    made.TimeSlotVector = slots
    return made


MALFORMED: dict[str, tuple[Callable[[], Dataset], str]] = {
    "projections": (
        lambda: study(ImageType=["ORIGINAL", "PRIMARY", "GATED TOMO", "EMISSION"]),
        "found gated projections; reconstruct and reorient first",
    ),
    "ungated projections": (
        lambda: study(ImageType=["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]),
        "found projections without gating",
    ),
    "ungated": (
        lambda: study(ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]),
        "found a reconstruction without gating",
    ),
    "no image type": (lambda: study(ImageType=None), "found no image type"),
    "long axis": (
        lambda: study(DetectorInformationSequence=[item(ViewCodeSequence=[code("G-A18A", "SRT")])]),
        "found long-axis slices; choose the short-axis series",
    ),
    "transverse view code": (
        lambda: study(
            SliceProgressionDirection=None,
            DetectorInformationSequence=[item(ViewCodeSequence=[code("62824007")])],
        ),
        "found a view code of another view; reorient the reconstruction",
    ),
    "transaxial": (
        lambda: study(
            SliceProgressionDirection=None,
            DetectorInformationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        ),
        "found slices along the axes of the body, no view code; reorient the reconstruction",
    ),
    "pointer": (
        lambda: study(FrameIncrementPointer=[0x00540070, 0x00540060, 0x00540080]),
        r"(0054,0060)\(0054,0070)\(0054,0080), found another one",
    ),
    "pointer to one": (
        lambda: study(FrameIncrementPointer=0x00540080),
        r"(0054,0060)\(0054,0070)\(0054,0080), found another one",
    ),
    "no pointer": (lambda: study(FrameIncrementPointer=None), r"(0054,0080), found none"),
    "vector too long": (
        lambda: study(TimeSlotVector=[1] * 49),
        "TimeSlotVector of 48 numbers, one a frame, found a longer one, of 49",
    ),
    "vector too short": (
        lambda: study(SliceVector=[1] * 47),
        "SliceVector of 48 numbers, one a frame, found a shorter one, of 47",
    ),
    "no vector": (lambda: study(RRIntervalVector=None), "the element RRIntervalVector, found none"),
    "missing gate": (
        lambda: study(order=np.array([i for i in range(48) if i // 6 != 4])),
        "frames of all 8 time slots, found none of time slot 5",
    ),
    "missing slice": (
        lambda: study(order=np.array([i for i in range(48) if i % 6 != 2])),
        "frames of all 6 slices, found none of slice 3",
    ),
    "more slots than counted": (
        lambda: study(NumberOfTimeSlots=7),
        "time slot numbers from 1 to 7, as the header counts them, found 1 to 8",
    ),
    "fewer slots than counted": (
        lambda: study(NumberOfTimeSlots=16),
        "frames of all 16 time slots, found none of time slots 9, 10, 11 and 5 more",
    ),
    "slot 0": (
        lambda: study(TimeSlotVector=(np.repeat(np.arange(8), 6)).tolist()),
        "time slot numbers from 1 to 8, as the header counts them, found 0 to 7",
    ),
    "hole": (
        lambda: study(order=without_place(3, 1)),
        "found 0 duplicates and 1 holes, the first at slot 4, slice 2",
    ),
    "duplicate": (twice, "found 1 duplicates and 1 holes, the first at slot 1, slice 1"),
    "four slots": (lambda: study(sized(4, 6)), "at least 8 time slots, found 4"),
    "six slots": (
        lambda: study(sized(6, 6)),
        "at least 8 time slots, found 6; record 8 or 16 time slots, or allow 6 with --min-gates 6",
    ),
    "one slice": (
        lambda: study(sized(8, 1)),
        "at least 5 short-axis slices, found a stack of one slice",
    ),
    "tiny": (lambda: study(np.ones((8, 6, 4, 4), np.uint16)), "at least 8 × 8, found 4 × 4"),
    "no spacing": (lambda: study(PixelSpacing=None), "pixel and slice spacing in mm, found none"),
    "metres": (
        lambda: study(PixelSpacing=["0.0062", "0.0066"]),
        "of 1.5 to 20 mm, found 6.4 × 0.0062 × 0.0066",
    ),
    "no slope": (lambda: study(RescaleSlope="0"), "slope above 0 and a finite intercept, found a"),
    "all zero": (lambda: study(np.zeros(SHAPE, np.uint16)), "found zeros in all frames"),
    "zero slot": (
        lambda: study(lost(6)),
        "expected counts in every time slot, found only zeros in slot 7",
    ),
    "zero frame": (
        lambda: study(lost(6, 2)),
        "counts in every frame of a slice, found 1 empty frames, the first in slot 7, slice 3",
    ),
    "no motion": (
        lambda: study(np.repeat(stored()[:1], 8, axis=0)),
        "expected time slots that differ, found the same counts in all 8",
    ),
    "a billion frames": (
        lambda: study(NumberOfFrames="1000000000"),
        "at most 64000000 voxels in all frames, found 1000000000 frames of 9 × 11 claimed",
    ),
    "no frames": (lambda: study(NumberOfFrames="0"), "at least one frame, row and column"),
    "no pixel data": (lambda: study(PixelData=None), "expected pixel data, found none"),
    "short pixel data": (
        lambda: study(PixelData=stored().tobytes()[:-20]),
        "9504 bytes of pixel data (48 frames), found 9484",
    ),
    "colours": (lambda: study(SamplesPerPixel=3), "one sample a pixel: counts, found colours"),
    "no rows": (lambda: study(Rows=None), "a complete NM image module"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_study_is_refused_in_its_own_words(tmp_path: Path, case: str) -> None:
    build, part = MALFORMED[case]
    assert part in refusal(write(tmp_path / "a.dcm", build()))


def test_no_two_defects_share_a_message(tmp_path: Path) -> None:
    alike = {"pointer", "pointer to one"}
    messages = [
        refusal(write(tmp_path / "a.dcm", build()))
        for case, (build, _) in MALFORMED.items()
        if case not in alike
    ]
    assert len(set(messages)) == len(messages)


def test_voxels_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    values = stored().astype("<f4")
    values[2, 3, 4, 5] = np.nan
    made = study(PixelData=None, BitsAllocated=32)
    made.FloatPixelData = values.tobytes()
    for keyword in ("BitsStored", "HighBit", "PixelRepresentation"):
        delattr(made, keyword)
    assert names(refusal(write(tmp_path / "a.dcm", made)), "finite", "1 voxels")


def test_six_slots_are_read_with_a_flag_where_they_are_allowed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", study(stored()[:6]))
    stack = read_gated(path, min_slots=6)
    np.testing.assert_array_equal(stack.counts, stored()[:6])
    assert any(names(flag, "6 time slots") for flag in stack.flags)
    five = write(tmp_path / "b.dcm", study(stored()[:5]))
    assert names(refusal(five, min_slots=2), "6", "5")


def test_an_empty_frame_outside_the_heart_is_no_defect(tmp_path: Path) -> None:
    values = stored()
    values[:, 0] = 0
    values[2, 0, 4, 4] = 1  # a stray count in one slot only
    np.testing.assert_array_equal(
        read_gated(write(tmp_path / "a.dcm", study(values))).counts, values
    )


def test_few_slices_that_a_slot_lacks_at_an_end_are_no_defect_and_many_are(tmp_path: Path) -> None:
    """As a heart looks that was reformatted along a base that moves."""
    values = np.random.default_rng(3).integers(1, 90, (8, 12, 9, 11)).astype(np.uint16)
    values[3, :2] = values[4, :1] = values[4, -3:] = 0
    np.testing.assert_array_equal(
        read_gated(write(tmp_path / "a.dcm", study(values))).counts, values
    )
    values[4, -5:] = 0
    assert names(refusal(write(tmp_path / "b.dcm", study(values))), "5", "8")


def test_a_header_that_claims_much_costs_no_memory(tmp_path: Path) -> None:
    made = study(NumberOfTimeSlots=65535, NumberOfSlices=65535)
    assert names(refusal(write(tmp_path / "a.dcm", made)), "9", "10", "11")


def test_a_damaged_stream_and_one_without_a_decoder_are_refused(tmp_path: Path) -> None:
    made = study()
    made.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51 broken"] * 48)
    made["PixelData"].VR = "OB"
    assert names(refusal(write(tmp_path / "a.dcm", made, JPEG2000Lossless)), "damaged")
    film = refusal(write(tmp_path / "b.dcm", made, MPEG2MPML))  # pydicom decodes no film
    assert names(film, "compression") and not names(film, "damaged")


@pytest.mark.parametrize("kept", [0.01, 0.1, 0.3, 0.6, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: float) -> None:
    path = write(tmp_path / "a.dcm", study())
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    refusal(path)


def test_other_files_are_refused_with_what_they_are(tmp_path: Path) -> None:
    text = tmp_path / "a.dcm"
    text.write_text(f"{PATIENT}, SPECT of 4711\n" * 20)
    assert names(refusal(text), "DICM", "128")
    capture = write(tmp_path / "b.dcm", study(SOPClassUID=SecondaryCaptureImageStorage))
    assert names(refusal(capture), "screenshot")
    deflated = write(tmp_path / "c.dcm", study(), DeflatedExplicitVRLittleEndian)
    assert names(refusal(deflated), "deflated")
    assert names(refusal(tmp_path / "d.dcm"), "found none")


@pytest.mark.parametrize("name", ["JPEG2000.dcm", "JPEG-lossy.dcm", "JPGExtended.dcm"])
def test_the_nuclear_captures_that_pydicom_ships_are_refused(name: str) -> None:
    # Whole-body bone scans of modality NM, stored as secondary captures.
    with refuses(DataError, "class"):
        read_gated(shipped(name))
