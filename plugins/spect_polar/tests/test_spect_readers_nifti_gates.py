"""Gated NIfTI of one file a gate: their order, whose they are, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from spect_nifti_files import as_nifti, counts, refusal, write, write_gates

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_spect_polar.readers.studies import find_gated, read_gated

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("p7_gate{}.nii.gz", 1),
        ("p7_rest_g{:02d}.nii", 0),
        ("Gate {} p7.nii", 1),
        ("p7-frame-{}.nii", 1),
        ("{}.nii", 1),
        ("rest_{}.nii", 0),
        ("p7_stress_{}.nii", 1),
        ("p7 Rest{}.nii", 1),
        ("p7_{:04d}.nii.gz", 0),
    ],
)
def test_one_file_a_gate_is_read_in_the_order_of_the_gates(
    tmp_path: Path, pattern: str, first: int
) -> None:
    values = np.concatenate([counts(1), counts(2)])  # 16 gates: 10 must not come before 2
    write_gates(tmp_path, pattern, values, first)
    (study,) = find_gated(tmp_path)
    assert len(study.files) == 16
    np.testing.assert_array_equal(read_gated(study).counts, values)


def test_files_that_were_chosen_are_put_in_order(tmp_path: Path) -> None:
    files = write_gates(tmp_path, "p_gate{}.nii", counts())
    np.testing.assert_array_equal(read_gated(files[::-1]).counts, counts())


def test_stress_and_rest_of_two_patients_are_four_studies(tmp_path: Path) -> None:
    for patient in ("p1", "p2"):
        (tmp_path / patient).mkdir()
        for state in ("stress", "rest"):
            write_gates(tmp_path / patient, f"{state}_{{}}.nii", counts())
    write(tmp_path / "p1" / "rest_1_mask.nii", as_nifti(counts())[..., 0])
    (tmp_path / "p1" / "notes.txt").write_text("no study")
    found = find_gated(tmp_path)
    assert [(study.id, study.state, len(study.files)) for study in found] == [
        ("p1/rest", "rest", 8),
        ("p1/stress", "stress", 8),
        ("p2/rest", "rest", 8),
        ("p2/stress", "stress", 8),
    ]
    assert "expected the files of one gated study, found 2 studies" in refusal(tmp_path / "p1")


def test_a_folder_names_the_state_where_the_file_does_not(tmp_path: Path) -> None:
    (tmp_path / "REST").mkdir()
    write_gates(tmp_path / "REST", "gate{}.nii", counts())
    (study,) = find_gated(tmp_path)
    assert (study.id, study.state, read_gated(study).state) == ("REST", "rest", "rest")


def test_the_header_names_the_state_where_no_name_does(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", as_nifti(counts()), descrip=b"gated stress SA")
    assert read_gated(path).state == "stress"


def test_single_volumes_of_numbered_patients_are_not_taken_for_gates(tmp_path: Path) -> None:
    write_gates(tmp_path, "patient_{}.nii", counts())
    found = find_gated(tmp_path)
    assert len(found) == 8
    with refuses(DataError, "patient_1.nii", "single volume"):
        read_gated(found[0])


def test_bare_numbers_are_gates_where_two_patients_are_numbered_alike(tmp_path: Path) -> None:
    for patient in ("a12", "b7"):
        write_gates(tmp_path, f"{patient}_{{}}.nii", counts())
    assert [(study.id, len(study.files)) for study in find_gated(tmp_path)] == [
        ("a12", 8),
        ("b7", 8),
    ]
    # The files of one of them are still its gates when they come alone.
    for study in find_gated(tmp_path):
        np.testing.assert_array_equal(read_gated(study.files).counts, counts())


def test_bare_numbers_are_gates_where_the_folder_bears_the_patients_name(tmp_path: Path) -> None:
    (tmp_path / "a12").mkdir()
    write_gates(tmp_path / "a12", "a12_{}.nii", counts())
    (study,) = find_gated(tmp_path)
    np.testing.assert_array_equal(read_gated(study).counts, counts())


@pytest.mark.parametrize(
    ("gone", "part"),
    [
        (2, "one file for each of 8 gates, found none for gate 3"),
        (7, "at least 8 time slots, found 7"),
    ],
)
def test_a_missing_gate_is_refused(tmp_path: Path, gone: int, part: str) -> None:
    write_gates(tmp_path, "p_gate{}.nii", counts())[gone].unlink()
    (study,) = find_gated(tmp_path)
    with pytest.raises(DataError, match=part):
        read_gated(study)


def test_a_gate_given_twice_is_refused(tmp_path: Path) -> None:
    write_gates(tmp_path, "p_gate{}.nii", counts())
    write(tmp_path / "p_gate3.nii.gz", as_nifti(counts())[..., 2])
    with refuses(DataError, "gate 3"):
        read_gated(tmp_path)


def test_gates_that_differ_are_refused(tmp_path: Path) -> None:
    files = write_gates(tmp_path, "p_gate{}.nii", counts())
    write(files[3], as_nifti(counts())[..., 3], np.diag([4.0, 5.0, 6.6, 1.0]))
    with refuses(DataError, "p_gate4.nii", "spacing"):
        read_gated(files)
    write(files[3], as_nifti(counts())[:-1, ..., 3])
    with refuses(DataError, "p_gate1.nii", "2 shapes"):
        read_gated(files)
