"""An export of mixed files: what each is, which loops are a study, and that nobody is named."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from pydicom import dcmread

from cardio_core.api import DataError
from cardio_core.types.notes import Exclusion
from cardio_core.types.samples import Cohort, FileSeen, SampleSet
from cardio_ultrasound import loops_of_cell, nothing_in, read_export, strangers, write_us_loop
from cardio_ultrasound.simulation.echo_export import damage, write_echo_export

from . import us_files as us

FRAMES = us.moving_sector()
SAID = {
    "loop": "2D loop", "colour": "colour Doppler loop", "spectral": "spectral Doppler",
    "m-mode": "M-mode", "stress": "loop under stress", "contrast": "contrast loop",
}  # fmt: skip


def write_loop(path, number, extra):
    write_us_loop(
        path, np.roll(FRAMES, number, axis=0), frame_rate_hz=50, mm_per_pixel=(0.5, 0.5),
        photometric="MONOCHROME2", extra=extra,
    )  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "disk"
    return write_echo_export(folder, write_loop, n_files=24, loops=(2, 3, 1))


@pytest.fixture
def export(written, tmp_path):
    """A copy that a test may break."""
    folder = tmp_path / "disk"
    shutil.copytree(written.folder, folder)

    def moved(path):
        return folder / path.relative_to(written.folder)

    kinds = {moved(path): kind for path, kind in written.kinds.items()}
    studies = {moved(path): study for path, study in written.study_of.items()}
    return type(written)(folder, kinds, studies)


def test_every_file_is_told_by_its_header_and_only_loops_are_taken(export):
    found = read_export([export.folder])
    assert {one.path for one in found.files} == set(export.kinds)
    assert len(set(export.kinds.values())) == 12  # one of each kind at least
    for one in found.files:
        kind = export.kinds[one.path]
        assert one.kind == SAID.get(kind, kind)
        assert bool(one.recording_id) == (kind == "loop")


def test_loops_are_grouped_by_examination_and_patient_in_the_order_of_dates(export):
    found = read_export([export.folder])
    groups = [{export.study_of[path] for path in study.loops} for study in found.studies]
    # January and June of the first patient, February of the second.
    assert groups == [{0}, {2}, {1}]
    assert [(one.study_id, one.patient_id) for one in found.studies] == [
        ("1", "P1"), ("2", "P2"), ("3", "P1"),
    ]  # fmt: skip
    assert found.studies[2].recording_ids == ("3-1", "3-2", "3-3")


def test_one_examination_of_two_patients_is_two_studies(export):
    other = export.of_kind("loop")[0]
    dataset = dcmread(other)
    dataset.PatientID = "SOMEBODY ELSE"
    dataset.save_as(other)
    alone = [one for one in read_export([export.folder]).studies if one.loops == (other,)]
    assert len(alone) == 1


def test_ids_of_nobody_make_no_two_examinations_one_patient(export):
    for path in export.of_kind("loop"):
        dataset = dcmread(path)
        dataset.PatientID = "ANONYMOUS"
        dataset.save_as(path)
    found = read_export([export.folder])
    assert [one.patient_id for one in found.studies] == ["1", "2", "3"]


def test_nothing_of_a_header_or_a_name_is_among_ids_kinds_and_reasons(export):
    damage(export, 3)
    found = read_export([export.folder])
    told = repr([(s.study_id, s.patient_id, s.recording_ids) for s in found.studies])
    told += repr([(f.kind, f.recording_id, f.study_id, f.why) for f in found.files])
    for secret in ("ASHDOWN", "MARY", "7741", "1950", "2024", "2.25", "IM0"):
        assert secret not in told


def test_damaged_files_cost_themselves_alone(export):
    before = read_export([export.folder]).studies
    lost = export.of_kind("loop")[-1]
    lost.write_bytes(b"")  # no suffix and no content: the directory says that it was an object
    header = export.of_kind("still")[0]
    header.write_bytes(header.read_bytes()[:132] + b"\xff" * 500)
    found = read_export([export.folder])
    kinds = {one.path: one.kind for one in found.files}
    assert kinds[lost] == kinds[header] == "damaged"
    kept = [tuple(path for path in study.loops if path != lost) for study in before]
    assert [study.loops for study in found.studies] == [loops for loops in kept if loops]


def test_a_file_that_the_directory_names_and_that_is_gone_is_told(export):
    before = read_export([export.folder]).notes
    export.of_kind("still")[0].unlink()
    told = read_export([export.folder]).notes
    assert told[:-1] == before
    assert told[-1].text == "1 file that the DICOMDIR names is not there."


def test_a_directory_stands_for_the_folder_that_it_lies_in(export):
    assert read_export([export.folder / "DICOMDIR"]) == read_export([export.folder])


def test_of_a_loop_that_is_stored_twice_the_first_is_taken(export):
    first = export.of_kind("loop")[0]
    copy = first.with_name("IM999999")
    shutil.copy(first, copy)
    found = read_export([export.folder])
    place = [one.path for one in found.files].index(first) + 1
    assert [one.why for one in found.files if one.path == copy] == [f"the same as file {place}"]
    assert all(copy not in study.loops for study in found.studies)


def test_a_file_that_is_given_by_itself_is_taken_whatever_it_is(export):
    still = export.of_kind("still")[0]
    assert read_export([still]).studies[0].loops == (still,)


def test_videos_and_arrays_are_a_study_each_for_nothing_says_whom_they_show(tmp_path):
    for name in ("b.avi", "a.npy"):
        (tmp_path / name).write_bytes(b"RIFF\0\0\0\0AVI ")
    found = read_export([tmp_path], taken={"1"})
    assert [(one.study_id, one.patient_id) for one in found.studies] == [("2", "2"), ("3", "3")]


def test_colour_by_the_image_type_is_colour_where_no_region_says_it(tmp_path):
    write_loop(tmp_path / "a.dcm", 0, {"ImageType": ["ORIGINAL", "PRIMARY", "TTE", "0011"]})
    write_loop(tmp_path / "b.dcm", 0, {"ImageType": ["ORIGINAL", "PRIMARY", "TEE", "0001"]})
    write_loop(tmp_path / "c.dcm", 0, {"StageName": "Rest", "StageNumber": 2, "NumberOfStages": 4})
    # A loop from the chest wall that pydicom ships says so, too.
    write_loop(tmp_path / "d.dcm", 0, {"ImageType": ["DERIVED", "PRIMARY", "EPICARDIAL", "0001"]})
    kinds = [one.kind for one in read_export([tmp_path]).files]
    inside = "transoesophageal or intracardiac loop"
    assert kinds == ["colour Doppler loop", inside, "2D loop", "2D loop"]


def test_a_folder_without_a_loop_says_what_is_there_instead(export):
    for path in export.of_kind("loop"):
        path.unlink()
    found = read_export([export.folder])
    assert not found.studies
    said = str(nothing_in(export.folder, found.files))
    assert said.startswith("disk: expected ultrasound loops")
    assert "none among 18 files" in said and "still" in said
    with pytest.raises(DataError, match="expected a folder of loops, found none"):
        read_export([export.folder / "absent"])


def test_a_row_of_a_table_takes_all_loops_of_its_folder_and_says_where_they_are_of_two(export):
    cell = loops_of_cell([export.folder])
    assert len(cell.loops) == 6 and len(cell.files) == 24
    assert strangers("S7", cell) == (
        "S7: its folder holds loops of 2 patients, as their headers say; check the path.",
    )


def test_an_account_says_of_every_file_what_became_of_it(export, tmp_path):
    from cardio_core.runner.prepare import account, summed, write_files

    found = read_export([export.folder])
    empty = Cohort(SampleSet(us_table(), []), {}, seen=found.files)
    colour = "expected a grey B-mode loop, found colour Doppler; choose the clip without colour"
    refused = {
        "1-2": Exclusion(text=colour),
        "3-1": Exclusion(text="expected a sector, found none"),
    }
    lines = account(empty, refused, {"2": "a4c"})
    assert [line.number for line in lines] == list(range(1, 25))
    assert summed(lines, "loop") == (
        "24 files: 4 loops used in 3 studies, 2 × 2D loop not used, 5 × still, 3 × colour Doppler "
        "loop, 2 × spectral Doppler, 1 × contrast loop, 1 × DICOMDIR, 1 × loop under stress, "
        "1 × M-mode, 1 × PDF, 1 × picture, 1 × SR, 1 × text."
    )
    write_files(tmp_path / "files.csv", lines)
    text = (tmp_path / "files.csv").read_text()
    assert len(text.splitlines()) == 25 and "2D loop,2,2,a4c,yes," in text
    assert not any(path.name in text for path in export.of_kind("loop"))


def us_table():
    import pandas as pd

    return pd.DataFrame({name: [] for name in ("recording_id", "study_id", "patient_id")})


def test_files_that_are_all_used_each_as_a_study_need_no_sentence():
    from cardio_core.runner.prepare import account, summed

    seen = tuple(FileSeen(us_path, "video", name, name) for name, us_path in (("1", "a"),))
    assert summed(account(Cohort(SampleSet(us_table(), []), {}, seen=seen), {}), "video") == ""
