"""`cardio data convert-weights`: tensors of a pickle become data, and nothing else is taken."""

from __future__ import annotations

import json
import sys
import tracemalloc
import zipfile

import pytest
import torch
from safetensors.torch import load_file

from cardio_core.cli.main import main
from cardio_core.testing import names


@pytest.fixture
def cardio(monkeypatch, capsys):
    """The command in this process: exit code, output, errors."""

    def call(*arguments):
        monkeypatch.setattr(
            sys, "argv", ["cardio", "data", "convert-weights", *map(str, arguments)]
        )
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def stored(tmp_path):
    def write(content, name="theirs.pt"):
        torch.save(content, tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize("wrap", [dict, lambda s: {"epoch": 3, "state_dict": s, "lr": 0.1}])
def test_tensors_and_their_names_come_through_unchanged(cardio, stored, wrap):
    state = {"m.fc.weight": torch.arange(6.0).reshape(2, 3).T, "m.n": torch.tensor(5)}
    path = stored(wrap(state))
    before = path.read_bytes()
    code, said, _ = cardio(path, "--allow", "pickle", "--json")
    assert code == 0
    assert json.loads(said)["n_tensors"] == 2
    found = load_file(path.with_suffix(".safetensors"))
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)
    assert path.read_bytes() == before


def test_tensors_that_share_memory_are_written_apart(cardio, stored, tmp_path):
    both = torch.arange(4.0)
    words = ("--allow", "pickle", "--out", tmp_path / "x.st")
    code, *_ = cardio(stored({"a": both, "b": both[:2]}), *words)
    assert code == 0
    assert load_file(tmp_path / "x.st")["b"].tolist() == [0.0, 1.0]


@pytest.fixture
def older(tmp_path):
    """A file as torch wrote them before its version 1.6: torchvision still publishes such."""
    path = tmp_path / "older.pth"
    torch.save({"fc.weight": torch.arange(3.0)}, path, _use_new_zipfile_serialization=False)
    assert not zipfile.is_zipfile(path)
    return path


def test_a_file_of_before_zip_is_read_too(cardio, older):
    code, *_ = cardio(older, "--allow", "pickle")
    assert code == 0
    assert load_file(older.with_suffix(".safetensors"))["fc.weight"].tolist() == [0.0, 1.0, 2.0]


def test_a_text_that_claims_gigabytes_takes_none(cardio, older):
    content = older.read_bytes()
    name = b"X\x09\x00\x00\x00fc.weight"
    assert name in content
    older.write_bytes(content.replace(name, b"X\xff\xff\xff\x7ffc.weight"))
    tracemalloc.start()
    code, _, errors = cardio(older, "--allow", "pickle")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code == 3
    assert errors.count("\n") == 1
    assert names(errors, "torch.load")
    assert most < 100e6


def test_a_file_that_unpacks_to_far_more_is_refused_before_it_is(cardio, stored):
    path = stored({"fc.weight": torch.arange(3.0)})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("theirs/data/1", bytes(80_000_000))
    code, _, errors = cardio(path, "--allow", "pickle")
    assert code == 3
    assert "expected content of at most 200 times the file's size" in errors


def test_without_trust_nothing_is_read(cardio, stored):
    path = stored({"a": torch.ones(1)})
    code, _, said = cardio(path)
    assert code == 2
    assert "say --allow pickle if you know where it comes from" in said
    assert not path.with_suffix(".safetensors").exists()


class _Runs:
    """An object whose unpickling would run code."""

    def __reduce__(self):
        return (print, ("ran",))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (_Runs(), "weights_only=True"),
        ({"state_dict": {"a": torch.ones(1), "lr": 0.1}}, r"found 1 entries that are none (lr)"),
        ({}, "found an empty one"),
        ([torch.ones(1)], "found a list"),
    ],
)
def test_anything_but_a_state_dict_is_refused_in_one_line(cardio, stored, content, expected):
    path = stored(content)
    code, out, said = cardio(path, "--allow", "pickle")
    assert code == 3
    assert expected in said
    assert said.count("\n") == 1
    assert "ran" not in out
    assert not path.with_suffix(".safetensors").exists()


def test_a_file_that_is_there_is_not_written_over(cardio, stored):
    path = stored({"a": torch.ones(1)})
    assert cardio(path, "--allow", "pickle")[0] == 0
    code, _, said = cardio(path, "--allow", "pickle")
    assert code == 3
    assert "is there already" in said


def test_other_formats_and_missing_files_are_named(cardio, tmp_path):
    code, _, said = cardio(tmp_path / "theirs.onnx", "--allow", "pickle")
    assert (code, "expected a .pt or .pth file, or the .h5 of" in said) == (2, True)
    assert "found .onnx" in said
    code, _, said = cardio(tmp_path / "theirs.pt", "--allow", "pickle")
    assert (code, "found none" in said) == (3, True)
