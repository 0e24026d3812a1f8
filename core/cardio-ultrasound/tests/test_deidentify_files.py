"""`cardio data deidentify`: a name that was planted anywhere is nowhere in what comes out."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from click.testing import CliRunner
from PIL import Image
from pydicom.data import get_testdata_file

from cardio_core.api import ConfigError, DataError
from cardio_core.cli.data import data
from cardio_core.testing import Canaries, refuses
from cardio_ultrasound import fit_sector, read_loop, write_us_loop
from cardio_ultrasound.deidentify import files
from cardio_ultrasound.deidentify.files import deidentify_folder
from cardio_ultrasound.deidentify.header import new_uid

from . import printed_loops as made
from .planted import PLANTED, planted_loop

FORMS = [PLANTED, "19610203", "MRN-774411"]
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@pytest.fixture
def folder(tmp_path) -> Path:
    source = tmp_path / f"{PLANTED}_19610203" / PLANTED
    source.mkdir(parents=True)
    planted_loop(source / f"{PLANTED}_1.dcm")
    planted_loop(source / f"{PLANTED}_2.dcm")
    planted_loop(source / f"{PLANTED}_3.dcm", "another")
    np.save(source / f"{PLANTED}_4.npy", made.printed(made.speckle()).frames)
    facts = {"frame_rate_hz": 40, "r_times_ms": [30.0], "patient": PLANTED}
    (source / f"{PLANTED}_4.json").write_text(json.dumps(facts))
    (source / f"{PLANTED}_5.dcm").write_bytes((source / f"{PLANTED}_1.dcm").read_bytes()[:9000])
    return tmp_path / f"{PLANTED}_19610203"


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_nowhere(folder: Path, *outputs: str) -> None:
    canaries = Canaries(FORMS)
    assert any(path.is_file() for path in folder.rglob("*"))
    assert canaries.in_folder(folder) == []
    assert [canaries.in_text(output) for output in outputs] == [set()] * len(outputs)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_planted_name_is_found_nowhere_and_the_inputs_are_as_before(
    folder, tmp_path, caplog, as_json
):
    caplog.set_level(logging.DEBUG)
    before, out = digests(folder), tmp_path / "out"
    command = ["deidentify", str(folder), str(out), *(["--json"] if as_json else [])]
    done = CliRunner().invoke(data, command)
    assert done.exit_code == 0, done.output
    assert digests(folder) == before
    assert_nowhere(out, done.output, done.stderr, caplog.text)
    assert len(list(out.iterdir())) == len(list(out.glob("*.dcm"))) == 4
    if as_json:
        answer = json.loads(done.stdout)
        assert (answer["n_loops"], answer["n_set_aside"], answer["n_patients"]) == (4, 1, 3)
        assert answer["set_aside"][0]["reason"].startswith("expected ")
    else:
        assert "4 of 5 files de-identified: 3 patients." in done.output


def test_the_header_holds_what_a_reader_needs_and_nothing_else(folder, tmp_path):
    next(folder.rglob("*.npy")).unlink()
    deidentify_folder(folder, tmp_path / "out")
    allowed_text = {"US", "RGB", "MONOCHROME2", "YES", "NO", "REMOVED", "DERIVED", "PRIMARY", "DCM"}
    for path in (tmp_path / "out").glob("*.dcm"):
        header = pydicom.dcmread(path)
        assert not any(element.tag.is_private for element in header.iterall())
        assert "WaveformSequence" not in header
        for element in header.iterall():
            if element.VR in ("DA", "TM", "DT", "AE", "UT", "LT", "ST"):
                assert not element.value
            if element.VR == "CS":
                values = element.value if element.VM > 1 else [element.value]
                assert set(values) <= allowed_text | {"00", "01", ""}, element
        assert header.PatientID == header.PatientName == path.name.split("_")[0]
        assert header.PatientIdentityRemoved == "YES"
        assert "BurnedInAnnotation" not in header  # the trace ran into the sector
        loop = read_loop(path)
        assert loop.frame_rate_hz == pytest.approx(50.0)
        assert loop.mm_per_pixel == pytest.approx((0.6, 0.6))
        assert loop.r_times_ms.tolist() == [20.0, 110.0]
        assert loop.heart_rate_bpm == 72
        assert header.DepthOfScanField == 140


def test_times_that_differ_from_frame_to_frame_are_kept(tmp_path):
    times = [0.0, 20.0, 45.0, 60.0, 85.0, 100.0, 120.0, 145.0]
    source = tmp_path / "a.dcm"
    write_us_loop(source, made.speckle(), frame_times_ms=times, mm_per_pixel=(0.6, 0.6))
    deidentify_folder(source, tmp_path / "out")
    assert read_loop(tmp_path / "out" / "p0001_01.dcm").frame_times_ms.tolist() == times
    assert pydicom.dcmread(tmp_path / "out" / "p0001_01.dcm").BurnedInAnnotation == "NO"


def test_loops_of_a_study_stay_together_under_new_identifiers(folder, tmp_path):
    deidentify_folder(folder, tmp_path / "out")
    old = [pydicom.dcmread(path) for path in sorted(folder.rglob("*[123].dcm"))]
    new = [pydicom.dcmread(path) for path in sorted((tmp_path / "out").glob("*.dcm"))]
    by_patient: dict[str, list] = {}
    for header in new:
        by_patient.setdefault(header.PatientID, []).append(header)
    assert sorted(len(headers) for headers in by_patient.values()) == [1, 1, 2]
    pair = max(by_patient.values(), key=len)
    assert pair[0].StudyInstanceUID == pair[1].StudyInstanceUID
    assert len({header.SOPInstanceUID for header in new}) == 4
    known = {str(header[level].value) for header in old for level in UIDS}
    assert known.isdisjoint(str(header[level].value) for header in new for level in UIDS)


def test_new_identifiers_cannot_be_derived_again_without_the_key(tmp_path):
    source = planted_loop(tmp_path / "a.dcm")

    def study(name: str, **options) -> str:
        deidentify_folder(source, tmp_path / name, **options)
        return pydicom.dcmread(tmp_path / name / "p0001_01.dcm").StudyInstanceUID

    assert study("first") != study("second")
    assert study("third", key=b"kept") == study("fourth", key=b"kept")
    assert len(new_uid(b"kept", "1.2")) <= 64


def test_arrays_keep_the_times_of_the_json_beside_them(folder, tmp_path):
    (array,) = folder.rglob("*.npy")
    deidentify_folder(array, tmp_path / "out")
    loop = read_loop(tmp_path / "out" / "p0001_01.dcm")
    assert loop.frame_rate_hz == pytest.approx(40.0)
    assert loop.r_times_ms.tolist() == [30.0]
    assert not loop.stack()[:, ~made.SECTOR.mask()].any()


def test_a_video_becomes_dicom_without_loss_of_what_was_decoded(tmp_path):
    import cv2

    frames = made.printed(made.speckle()).frames
    source = tmp_path / f"{PLANTED}.avi"
    code = cv2.VideoWriter.fourcc(*"MJPG")
    video = cv2.VideoWriter(str(source), cv2.CAP_FFMPEG, code, 30.0, frames.shape[2:0:-1])
    for frame in frames:
        video.write(np.ascontiguousarray(frame[..., ::-1]))
    video.release()
    answer = deidentify_folder(source, tmp_path / "out")
    assert "no frame time: none is stated" in answer["loops"][0]["flags"]
    assert_nowhere(tmp_path / "out")
    written = tmp_path / "out" / "p0001_01.dcm"
    after = read_loop(written, frame_rate_hz=50).stack()
    decoded = read_loop(source, frame_rate_hz=50).stack()
    same = after == decoded
    inside = fit_sector(read_loop(source, frame_rate_hz=50)).mask()
    changed = (~same[:, inside]).sum(axis=1)
    assert changed.max() <= answer["loops"][0]["filled_px"]["most"] < 0.01 * inside.sum()
    assert not after[:, ~made.SECTOR.mask()].any()
    # Grey, of which no frame is stored larger than its pixels.
    assert pydicom.dcmread(written).SamplesPerPixel == 1
    assert written.stat().st_size < after.size


def test_a_loop_without_frame_time_is_cleaned_and_still_says_none(tmp_path):
    source = planted_loop(tmp_path / "a.dcm", frame_rate_hz=None)
    answer = deidentify_folder(source, tmp_path / "out")
    assert "no frame time: none is stated" in answer["loops"][0]["flags"]
    with refuses(DataError, "p0001_01.dcm", code="missing"):
        read_loop(tmp_path / "out" / "p0001_01.dcm")


def test_mapping_and_sheet_are_written_on_request_and_only_outside(folder, tmp_path):
    mapping, sheet, out = tmp_path / "map.csv", tmp_path / "sheet.png", tmp_path / "out"
    deidentify_folder(folder, out, mapping=mapping, sheet=sheet)
    with mapping.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6  # the JSON of the array is one of them
    assert {row["patient_id"] for row in rows} == {"MRN-774411", "another", ""}
    assert [bool(row["name"]) for row in rows] == [not row["reason"] for row in rows]
    assert mapping.stat().st_mode & 0o077 == sheet.stat().st_mode & 0o077 == 0
    with Image.open(sheet) as picture:
        pixels = np.asarray(picture)
    half = pixels.shape[1] // 2
    assert (pixels[:, :half].max(axis=-1) > 0).mean() > (pixels[:, half:].max(axis=-1) > 0).mean()
    assert_nowhere(out)


@pytest.mark.parametrize("option", ["mapping", "sheet"])
def test_what_identifies_is_never_written_into_the_result(folder, tmp_path, option):
    with refuses(ConfigError, "OUT", code="contradiction"):
        deidentify_folder(folder, tmp_path / "out", **{option: tmp_path / "out" / "x.png"})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("where", ["same", "inside", "around", "full", "file"])
def test_the_result_must_be_new_and_beside_the_source(folder, tmp_path, where):
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").touch()
    places = {"same": folder, "inside": folder / "out", "around": tmp_path, "full": full}
    before = digests(folder)
    with pytest.raises(ConfigError):
        deidentify_folder(folder, places.get(where, full / "x"))
    assert digests(folder) == before


def test_every_file_is_accounted_for_and_what_is_no_loop_is_not_copied(folder, tmp_path):
    for name in ("report.PDF", "still.png", "DICOMDIR", "notes.txt", f"x.{PLANTED}", ".thumbs"):
        (folder / name).write_text(PLANTED)
    mapping = tmp_path / "map.csv"
    answer = deidentify_folder(folder, tmp_path / "out", mapping=mapping)
    kinds = {row["kind"]: row["n"] for row in answer["passed_over"]}
    assert kinds == {"DICOMDIR": 1, "PDF": 1, "facts beside a loop": 1, "hidden file": 1,
                     "other": 1, "picture": 1, "text": 1}  # fmt: skip
    n_all = sum(path.is_file() for path in folder.rglob("*"))
    assert answer["n_loops"] + answer["n_set_aside"] + sum(kinds.values()) == n_all
    with mapping.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == n_all
    assert_nowhere(tmp_path / "out", json.dumps(answer))


def test_a_file_that_cannot_be_opened_is_not_named(folder, tmp_path, monkeypatch):
    def fail(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(files, "is_dicom", fail)
    with refuses(DataError, "IN", code="permission") as caught:
        deidentify_folder(folder, tmp_path / "out")
    assert PLANTED not in str(caught.value)


def test_the_real_loop_of_pydicom_loses_its_header_and_keeps_its_times(tmp_path):
    real = Path(get_testdata_file("examples_ybr_color.dcm"))
    source = tmp_path / "in"
    source.mkdir()
    shutil.copy(real, source / "loop")
    deidentify_folder(source, tmp_path / "out")
    (path,) = (tmp_path / "out").iterdir()
    before, after = read_loop(real), read_loop(path)
    assert after.frame_times_ms == pytest.approx(before.frame_times_ms)
    assert after.mm_per_pixel == pytest.approx(before.mm_per_pixel)
    assert after.region == before.region
    head = path.read_bytes()[:4000]
    for text in (b"PLA", b"20160503", b"SonoSite", b"microMAXX", b"1.2.840.114340", b"SONOPPS"):
        assert text not in head
