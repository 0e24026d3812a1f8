"""Gated short-axis DICOM: written here element by element, damaged, and what pydicom ships."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    SecondaryCaptureImageStorage,
)
from spect_nm_files import SHAPE, VOXEL_MM, beats, code, item, stored, study, write

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_spect_polar.readers.nm import read_nm
from cardio_spect_polar.readers.studies import find_gated, read_gated
from cardio_spect_polar.synthetic.write_nm import write_nm

if TYPE_CHECKING:
    pass


def test_frames_in_order_are_read_with_their_geometry_and_beats(tmp_path: Path) -> None:
    stack = read_gated(write(tmp_path / "a.dcm", study()))
    np.testing.assert_array_equal(stack.counts, stored())
    assert stack.counts.dtype == np.float32
    assert stack.voxel_mm == VOXEL_MM  # the sign of the spacing is a direction
    assert (stack.apex_first, stack.state, stack.flags) == (True, None, ())
    assert (stack.rr_ms, stack.rejected_share) == (850.0, 0.2)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(order=st.permutations(range(SHAPE[0] * SHAPE[1])))
def test_any_order_of_the_frames_gives_the_same_stack(tmp_path: Path, order: list[int]) -> None:
    path = write(tmp_path / "a.dcm", study(order=np.array(order)))
    np.testing.assert_array_equal(read_gated(path).counts, stored())


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless])
def test_every_transfer_syntax_gives_the_same_counts(tmp_path: Path, syntax: str) -> None:
    made = study()
    if syntax == ExplicitVRBigEndian:
        made.PixelData = stored().astype(">u2").tobytes()
    if syntax == RLELossless:
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made.compress(RLELossless)
        made.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    else:
        write(tmp_path / "a.dcm", made, syntax)
    np.testing.assert_array_equal(read_gated(tmp_path / "a.dcm").counts, stored())


def test_rescale_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    made = study(RescaleSlope="0.25", RescaleIntercept="3")
    np.testing.assert_allclose(
        read_gated(write(tmp_path / "a.dcm", made)).counts, stored() * 0.25 + 3, rtol=1e-6
    )


def two_intervals(first: Dataset, second: Dataset) -> Dataset:
    """Build a study of two RR intervals; the second holds the counts of seed 4."""
    both = np.concatenate([stored(1), stored(4)])
    made = study(both)
    n_each = SHAPE[0] * SHAPE[1]
    made.RRIntervalVector = [1] * n_each + [2] * n_each
    made.TimeSlotVector = (np.repeat(np.arange(8), 6) + 1).tolist() * 2
    made.NumberOfRRIntervals, made.NumberOfTimeSlots = 2, 8
    made.GatedInformationSequence[0].DataInformationSequence = [first, second]
    return made


@pytest.mark.parametrize(
    ("beats_of", "seed", "why"),
    [
        ((100, 300), 4, "RR interval 2 of 2 read: the one with most beats"),
        ((300, 100), 1, "RR interval 1 of 2 read: the one with most beats"),
        ((None, None), 4, "RR interval 2 of 2 read: the one with most counts"),
    ],
)
def test_of_several_rr_intervals_the_one_with_most_beats_is_read(
    tmp_path: Path, beats_of: tuple[int | None, int | None], seed: int, why: str
) -> None:
    assert stored(4).sum() > stored(1).sum()
    stack = read_gated(
        write(tmp_path / "a.dcm", two_intervals(beats(beats_of[0]), beats(beats_of[1])))
    )
    np.testing.assert_array_equal(stack.counts, stored(seed))
    assert stack.flags[0].startswith(why)


@pytest.mark.parametrize(
    ("timing", "rr_ms", "share", "flag"),
    [
        (beats(0, 0), 850.0, None, None),
        (item(LowRRValue="800", HighRRValue="1000"), 900.0, None, None),
        (item(FrameTime="100"), 800.0, None, None),
        (item(NominalInterval="85"), None, None, "RR interval of 85 ms in the header"),
        (item(NominalInterval="1000", FrameTime="75"), 1000.0,
         None, "time slots cover 60 % of the RR interval"),
        (
            item(
                NominalInterval="850",
                TimeSlotInformationSequence=[
                    item(TimeSlotTime=time) for time in ["100"] * 7 + ["150"]
                ],
            ),
            850.0,
            None,
            "time slots of unequal length",
        ),
        (
            item(NominalInterval="850", TimeSlotInformationSequence=[item(TimeSlotTime="53")] * 16),
            850.0,
            None,
            "times of 16 slots for 8: not used",
        ),
    ],
)  # fmt: skip
def test_timing_is_read_where_the_header_has_it(
    tmp_path: Path, timing: Dataset, rr_ms: float | None, share: float | None, flag: str | None
) -> None:
    made = study(GatedInformationSequence=[item(DataInformationSequence=[timing])])
    stack = read_gated(write(tmp_path / "a.dcm", made))
    assert (stack.rr_ms, stack.rejected_share) == (rr_ms, share)
    assert [found for found in stack.flags if flag and found.startswith(flag)] or not flag
    assert bool(stack.flags) == (flag is not None)


def test_a_study_without_timing_is_read_and_says_so(tmp_path: Path) -> None:
    stack = read_gated(write(tmp_path / "a.dcm", study(GatedInformationSequence=None)))
    assert (stack.rr_ms, stack.rejected_share) == (None, None)
    assert stack.flags == ("beats and timing unknown",)


# Oblique short-axis slices of a heart that points left, forward and down at 45 and 35 degrees:
# along rows to the left and back, down columns to the back, right and down. Rows × columns points
# to the right, back and up: from apex to base.
OBLIQUE = ["0.70711", "0.70711", "0", "-0.5", "0.5", "-0.70711"]


@pytest.mark.parametrize(
    ("progression", "spacing", "apex_first", "flags"),
    [
        ("APEX_TO_BASE", "6.4", True, ()),
        ("BASE_TO_APEX", "-6.4", False, ()),
        (None, "6.4", True, ("apex end taken from the orientation of the slices",)),
        (None, "-6.4", False, ("apex end taken from the orientation of the slices",)),
        (
            "APEX_TO_BASE",
            "-6.4",
            True,
            ("slice progression and orientation disagree about the apex end",),
        ),
    ],
)
def test_the_apex_end_comes_from_progression_or_orientation(
    tmp_path: Path, progression: str | None, spacing: str, apex_first: bool, flags: tuple[str, ...]
) -> None:
    detector = item(ViewCodeSequence=[code("103340004")], ImageOrientationPatient=OBLIQUE)
    made = study(
        DetectorInformationSequence=[detector],
        SliceProgressionDirection=progression,
        SpacingBetweenSlices=spacing,
    )
    stack = read_gated(write(tmp_path / "a.dcm", made))
    assert (stack.apex_first, stack.flags) == (apex_first, flags)
    assert stack.voxel_mm == VOXEL_MM


def test_without_progression_and_orientation_the_apex_end_stays_unknown(tmp_path: Path) -> None:
    assert (
        read_gated(write(tmp_path / "a.dcm", study(SliceProgressionDirection=None))).apex_first
        is None
    )


@pytest.mark.parametrize("spacing", [None, "0", ""])
def test_the_slice_thickness_stands_in_for_a_missing_spacing(
    tmp_path: Path, spacing: str | None
) -> None:
    made = study(SpacingBetweenSlices=spacing)
    assert read_gated(write(tmp_path / "a.dcm", made)).voxel_mm == (9.0, 6.2, 6.6)


@pytest.mark.parametrize(
    ("elements", "file", "state"),
    [
        ({"AcquisitionContextSequence": [item(ConceptCodeSequence=[code("128975004")])]}, "a.dcm",
         "rest"),
        ({"AcquisitionContextSequence": [item(ConceptCodeSequence=[code("109091", "DCM")])]},
         "a_rest.dcm", "stress"),
        ({"SeriesDescription": "GATED_STRESS_SA"}, "a.dcm", "stress"),
        ({"SeriesDescription": "Rest and stress"}, "a.dcm", None),
        ({"SeriesDescription": "Forrester restored"}, "a.dcm", None),
        ({}, "p3_rest.dcm", "rest"),
    ],
)  # fmt: skip
def test_stress_is_told_from_rest_by_code_then_series_then_file(
    tmp_path: Path, elements: dict[str, Any], file: str, state: str | None
) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    write(folder / file, study(**elements))
    (found,) = find_gated(folder)
    assert found.state == state
    assert read_gated(found).state == state


@pytest.mark.parametrize(
    ("elements", "flag"),
    [
        (
            {"SeriesDescription": "Gated SA stress"},
            "short axis by the name of the series, without a view code",
        ),
        ({}, "no view code: read as short axis"),
    ],
)
def test_a_stack_without_view_code_is_read_as_short_axis_and_says_so(
    tmp_path: Path, elements: dict[str, Any], flag: str
) -> None:
    made = study(DetectorInformationSequence=None, SliceProgressionDirection=None, **elements)
    assert flag in read_gated(write(tmp_path / "a.dcm", made)).flags


def test_distances_that_the_header_lacks_are_those_given(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(60, (8, 12, 16, 16))
    write_nm(tmp_path / "a.dcm", counts, (6.4, 5.0, 5.0))
    dataset = pydicom.dcmread(tmp_path / "a.dcm")
    del dataset.PixelSpacing
    dataset.save_as(tmp_path / "b.dcm")
    with refuses(DataError, "b.dcm", "--voxel-mm", "SLICE", "ROW", "COLUMN"):
        read_gated(tmp_path / "b.dcm")
    assert read_gated(tmp_path / "b.dcm", voxel_mm=(4.0, 3.0, 3.0)).voxel_mm == (4.0, 3.0, 3.0)
    assert read_gated(tmp_path / "a.dcm", voxel_mm=(4.0, 3.0, 3.0)).voxel_mm == (6.4, 5.0, 5.0)


def test_a_sidecar_outranks_the_header(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", study(PixelSpacing=None))
    (tmp_path / "a.json").write_text(
        '{"voxel_mm": [5, 4, 4], "state": "stress", "apex_first": false, "rr_ms": 900, '
        '"rejected_share": 0, "base_mm": 30, "apex_mm": 0}'
    )
    stack = read_gated(path)
    assert stack.voxel_mm == (5.0, 4.0, 4.0)
    assert (stack.state, stack.apex_first, stack.rr_ms) == ("stress", False, 900.0)
    assert (stack.rejected_share, stack.base_mm, stack.apex_mm) == (0.0, 30.0, 0.0)


@pytest.mark.parametrize("shuffle_seed", [None, 4])
@pytest.mark.parametrize("apex_first", [True, False])
def test_what_is_written_is_read_back(
    tmp_path: Path, shuffle_seed: int | None, apex_first: bool
) -> None:
    counts = np.random.default_rng(0).uniform(0, 321, (16, 7, 12, 10))
    path = tmp_path / "a.dcm"
    write_nm(
        path,
        counts,
        VOXEL_MM,
        apex_first=apex_first,
        state="stress",
        rr_ms=777.0,
        rejected_share=0.13,
        shuffle_seed=shuffle_seed,
    )
    stack = read_nm(path)
    np.testing.assert_allclose(stack.counts, counts, atol=321 / 32767)
    assert (stack.voxel_mm, stack.apex_first, stack.state) == (VOXEL_MM, apex_first, "stress")
    assert (stack.rr_ms, stack.rejected_share, stack.flags) == (777.0, 0.13, ())


def test_synthetic_files_hold_elements_that_the_standard_names(tmp_path: Path) -> None:
    write_nm(tmp_path / "a.dcm", stored(), VOXEL_MM, apex_first=False, rejected_share=0.1)
    written = pydicom.dcmread(tmp_path / "a.dcm")
    assert written.SOPClassUID.name == "Nuclear Medicine Image Storage"
    assert [f"{int(tag):08x}" for tag in written.FrameIncrementPointer] == [
        "00540060",
        "00540070",
        "00540080",
    ]
    assert written[0x0028, 0x0008].value == 48
    assert list(written[0x0054, 0x0080].value)[:7] == [1, 2, 3, 4, 5, 6, 1]
    assert written[0x0054, 0x0500].value == "BASE_TO_APEX"
    assert float(written[0x0018, 0x0088].value) == -6.4
    data = written[0x0054, 0x0062].value[0][0x0054, 0x0063].value[0]
    assert (int(data[0x0018, 0x1083].value), int(data[0x0018, 0x1084].value)) == (450, 50)
    assert len(data[0x0054, 0x0072].value) == 8
    np.testing.assert_array_equal(written.pixel_array, stored().reshape(48, 9, 11))


def test_the_same_bytes_are_written_twice(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_nm(tmp_path / folder / "a.dcm", stored(), VOXEL_MM, shuffle_seed=1)
    assert (tmp_path / "one" / "a.dcm").read_bytes() == (tmp_path / "two" / "a.dcm").read_bytes()


@pytest.mark.parametrize("bad", [np.ones((8, 6, 9)), np.full(SHAPE, np.nan), np.full(SHAPE, -1.0)])
def test_no_impossible_counts_are_written(tmp_path: Path, bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="not negative"):
        write_nm(tmp_path / "a.dcm", bad, VOXEL_MM)


def test_of_an_examination_only_the_gated_short_axis_slices_are_found(tmp_path: Path) -> None:
    projections = ["ORIGINAL", "PRIMARY", "GATED TOMO", "EMISSION"]
    long_axis = [item(ViewCodeSequence=[code("131186000")])]
    capture = study(SOPClassUID=SecondaryCaptureImageStorage, StudyInstanceUID="1.5")
    files = {
        "one_sa.dcm": study(StudyInstanceUID="1.5"),
        "one_raw.dcm": study(StudyInstanceUID="1.5", ImageType=projections),
        "one_hla.dcm": study(StudyInstanceUID="1.5", DetectorInformationSequence=long_axis),
        "one_screen.dcm": capture,
        "two_raw.dcm": study(StudyInstanceUID="1.6", ImageType=projections),
        "three_raw": study(ImageType=projections),
        "four_raw": study(ImageType=projections),
    }
    for file, made in files.items():
        write(tmp_path / file, made)
    # An examination without gated slices is found, so that its reason is told.
    assert [found.id for found in find_gated(tmp_path)] == [
        "four_raw",
        "one_sa",
        "three_raw",
        "two_raw",
    ]
