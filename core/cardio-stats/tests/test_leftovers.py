"""What killed processes left under temporary names goes; what others are writing stays."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cardio_stats.files import (
    replacing,
    sweep_cache,
    sweep_run,
    temporary_file,
    temporary_folder,
    whole_directory,
    write_text,
)

NOBODY = 2**22 + 1
"""No process has such an id: systems count to 2^22."""


@pytest.fixture
def left(tmp_path, monkeypatch):
    """A folder in which a process that has died left a file and a folder unfinished."""
    place = tmp_path / "features" / "toy"
    place.mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: NOBODY)
        dead = [temporary_file(place / "a.json"), temporary_folder(place / "b")]
    dead[0].write_text("{")
    dead[1].mkdir()
    (dead[1] / "table.npz").write_text("half")
    return place, dead


def test_a_cache_loses_what_the_dead_left_and_nothing_else(left, tmp_path):
    place, dead = left
    elsewhere = place / f"d.partial-000000-{NOBODY}"
    stays = [temporary_file(place / "c.json"), place / "b.json", elsewhere, place / ".e.7.tmp"]
    for one in stays:
        one.write_text("")
    sweep_cache(tmp_path)
    assert not any(one.exists() for one in dead)
    assert sorted(place.iterdir()) == sorted(stays)


def test_a_run_that_is_held_loses_all_that_is_unfinished(left):
    place, _ = left
    (place / "models" / f"d.partial-000000-{NOBODY}").mkdir(parents=True)
    (place / "models" / ".weights.safetensors.7.tmp").write_text("")
    (place / "models" / "weights.safetensors").write_text("")
    sweep_run(place)
    found = sorted(one.name for one in place.rglob("*"))
    assert found == ["models", "weights.safetensors"]


def test_containers_with_the_same_process_ids_write_under_names_of_their_own(tmp_path):
    code = (
        "import platform, sys; platform.node = lambda: sys.argv[1]; from pathlib import Path; "
        "import os; os.getpid = lambda: 7; "
        "from cardio_stats.files import temporary_file; print(temporary_file(Path('a')))"
    )
    names = {
        subprocess.run(
            [sys.executable, "-c", code, host], capture_output=True, text=True, check=True
        ).stdout
        for host in ("one", "two")
    }
    assert len(names) == 2


def test_of_two_who_make_the_same_folder_the_first_stays(tmp_path):
    path = tmp_path / "made"

    def fill(folder):
        (folder / "a").write_text("second")
        path.mkdir()  # meanwhile, by another process
        (path / "a").write_text("first")

    whole_directory(path, fill, keep_others=True)
    assert (path / "a").read_text() == "first"
    assert [one.name for one in tmp_path.iterdir()] == ["made"]


def test_what_another_process_is_filling_is_left_alone(tmp_path):
    theirs = tmp_path / temporary_folder(tmp_path / "made").name.replace(
        f"-{os.getpid()}", f"-{os.getppid()}"
    )
    theirs.mkdir()
    whole_directory(tmp_path / "made", lambda folder: write_text(folder / "a", "mine"))
    assert theirs.is_dir()


def test_a_write_that_fails_leaves_nothing(tmp_path):
    def write():
        with replacing(tmp_path / "a") as temporary:
            temporary.write_text("half")
            raise OSError

    with pytest.raises(OSError):
        write()
    assert list(tmp_path.iterdir()) == []
