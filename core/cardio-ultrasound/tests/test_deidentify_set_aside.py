"""`cardio data deidentify`: files that are damaged, or no loops, cost the others nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_ultrasound.deidentify import files
from cardio_ultrasound.deidentify.files import deidentify_folder

from . import printed_loops as made
from . import us_files as us
from .planted import PLANTED, planted_loop


def still(path: Path) -> None:
    us.written(us.dataset(us.moving_texture()[:1]), path)


def no_sector(path: Path) -> None:
    us.written(us.dataset(us.moving_texture()), path)


def cut(path: Path) -> None:
    us.written(us.dataset(us.moving_sector()), path)
    path.write_bytes(path.read_bytes()[:-4000])


def junk(path: Path) -> None:
    path.write_bytes(bytes(128) + b"DICM" + PLANTED.encode() * 50)


def truncated_header(path: Path) -> None:
    us.written(us.dataset(us.moving_sector()), path)
    path.write_bytes(path.read_bytes()[:300])


@pytest.mark.parametrize("make", [still, no_sector, cut, junk, truncated_header])
def test_a_bad_file_is_set_aside_with_a_reason_and_alone_exits_with_three(tmp_path, make):
    source = tmp_path / "in"
    source.mkdir()
    make(source / f"{PLANTED}.dcm")
    with pytest.raises(DataError) as caught:
        deidentify_folder(source, tmp_path / "none")
    assert caught.value.exit_code == 3
    assert PLANTED not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "none").exists()
    planted_loop(source / "good.dcm")
    answer = deidentify_folder(source, tmp_path / "out")
    assert (answer["n_loops"], answer["n_set_aside"]) == (1, 1)
    assert answer["set_aside"][0]["reason"].startswith("expected ")
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".dcm"]


def test_a_reason_stays_readable_where_the_folder_has_a_short_name(tmp_path, monkeypatch):
    """`cardio data deidentify in out`: "in" is a part of many words of a reason."""
    (tmp_path / "in").mkdir()
    still(tmp_path / "in" / "a.dcm")
    planted_loop(tmp_path / "in" / "b.dcm")
    monkeypatch.chdir(tmp_path)
    answer = deidentify_folder(Path("in"), Path("out"))
    assert "found a still image" in answer["set_aside"][0]["reason"]


@pytest.mark.parametrize("stage", ["clear_sector", "write_dicom"])
def test_an_error_that_nobody_foresaw_sets_a_file_aside_and_quotes_nothing(
    tmp_path, monkeypatch, stage
):
    def fail(*_, **__):
        raise PermissionError(13, "Permission denied", f"/{PLANTED}/{PLANTED}.npy")

    source = tmp_path / "in"
    source.mkdir()
    np.save(source / f"{PLANTED}.npy", made.printed(made.speckle()).frames)
    (source / f"{PLANTED}.json").write_text('{"frame_rate_hz": 40}')
    planted_loop(source / "good.dcm")
    genuine = files.clear_sector
    if stage == "clear_sector":
        monkeypatch.setattr(
            files, stage, lambda loop: fail() if loop.name.endswith(".npy") else genuine(loop)
        )
    else:
        write = files.write_dicom
        only = {"25": fail}  # of the array, which has 40 frames a second
        monkeypatch.setattr(files, stage, lambda *a: only.get(str(a[1].FrameTime), write)(*a))
    answer = deidentify_folder(source, tmp_path / "out")
    (row,) = answer["set_aside"]
    assert "PermissionError" in row["reason"]
    assert PLANTED not in json.dumps(answer)
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".dcm"]


@pytest.mark.parametrize(
    ("depth", "kept"), [(b"15.5", "16"), (b"20190203", None), (b"abcd", None), (b"1\\2 ", None)]
)
def test_a_number_that_is_none_is_left_out_and_costs_the_file_nothing_else(
    tmp_path, recwarn, depth, kept
):
    """Malformed depths are written past pydicom: their element has eight bytes of header."""
    source = tmp_path / "in"
    source.mkdir()
    planted_loop(source / "a.dcm")
    raw = planted_loop(source / "b.dcm").read_bytes()
    tag = b"\x18\x00\x50\x50IS"
    at = raw.index(tag)
    length = len(depth).to_bytes(2, "little")
    (source / "b.dcm").write_bytes(raw[:at] + tag + length + depth + raw[at + 12 :])
    recwarn.clear()
    answer = deidentify_folder(source, tmp_path / "out")
    assert answer["n_patients"] == 1
    assert not [str(w.message) for w in recwarn if depth.decode() in str(w.message)]
    second = pydicom.dcmread(tmp_path / "out" / "p0001_02.dcm")
    assert (str(second.DepthOfScanField) if "DepthOfScanField" in second else None) == kept


def test_an_empty_folder_has_no_loops(tmp_path):
    (tmp_path / "in").mkdir()
    with refuses(DataError, "IN", code="missing"):
        deidentify_folder(tmp_path / "in", tmp_path / "out")
