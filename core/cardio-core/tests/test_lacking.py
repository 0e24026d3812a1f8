"""What the system says of a full disk or of memory becomes one line, whoever said it how."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cardio_core.compute.executors import LocalExecutor
from cardio_core.compute.resource_errors import resource_error
from cardio_core.io.hashing import file_digest
from cardio_core.io.store import bound_cache, open_cache
from cardio_core.runner.hook_calls import failed
from cardio_core.testing import call_cardio, refuses
from cardio_stats.errors import ConfigError, DataError, ResourceError
from cardio_stats.files import replacing, whole_directory, write_text


@pytest.mark.parametrize(
    ("number", "words", "do"),
    [
        (errno.ENOSPC, "cannot be written: the disk is full (", "free some space"),
        (errno.EDQUOT, "cannot be written: the quota is used up (", "free some space"),
        (errno.EROFS, "cannot be written: the place is read-only", "allow it"),
        (errno.EFBIG, "cannot be written: it grew over the size that files may have", "allow it"),
        (errno.EACCES, "cannot be opened: permission is denied", "allow it"),
        (errno.EPERM, "cannot be opened: permission is denied", "allow it"),
    ],
)
def test_the_system_s_number_becomes_words_what_is_kept_names_no_file(number, words, do, tmp_path):
    error = OSError(number, "said by the system", str(tmp_path / "MILLER.json"))
    said = resource_error(error, place=tmp_path)
    assert str(said).startswith(f"{tmp_path / 'MILLER.json'} {words}")
    assert str(said).endswith(f"{do} or name another place")
    assert "MILLER" not in said.redacted
    assert words in said.redacted
    assert ("free of" in str(said) or " free)" in str(said)) == (do == "free some space")
    again = pickle.loads(pickle.dumps(said))  # noqa: S301  our own
    assert (str(again), again.redacted) == (str(said), said.redacted)


def test_a_recording_that_may_not_be_read_is_not_named(tmp_path):
    error = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "MILLER.dcm"))
    assert "MILLER" not in str(resource_error(error))
    assert "MILLER" not in str(resource_error(error, place=tmp_path / "out"))
    with pytest.raises(PermissionError) as caught, replacing(tmp_path / "p.json"):
        raise PermissionError(errno.EACCES, "Permission denied")
    assert str(resource_error(caught.value)).startswith(f"{tmp_path / 'p.json'} cannot be opened")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("I/O error: No space left on device (os error 28)"),  # safetensors
        OSError("[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_a_full_disk_is_known_by_the_texts_of_libraries(error, tmp_path):
    assert resource_error(error, place=tmp_path).code == "disk"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_lack_of_memory_names_what_was_under_way_and_what_to_do(error):
    said = str(resource_error(error, "honest r0-f1 ridge"))
    assert said.startswith("honest r0-f1 ridge: out of memory; use fewer processes (--executor ")


@pytest.mark.parametrize(
    "error",
    [ValueError("no space left for doubt"), OSError(errno.ENOENT, "no file"), DataError("full")],
)
def test_other_errors_say_nothing_of_the_machine(error):
    assert resource_error(error) is None


def test_a_hook_whose_disk_is_full_is_not_to_blame(tmp_path):
    error = OSError(errno.ENOSPC, "No space left on device")
    said = failed("cardio_x", "plugin 'x', hook train", error, tmp_path)
    assert isinstance(said, ResourceError)
    assert str(said).startswith("plugin 'x', hook train: a file cannot be written: the disk is")
    try:
        raise PermissionError(errno.EACCES, "Permission denied", "x")
    except PermissionError as denied:
        assert "PermissionError" in str(failed("cardio_x", "plugin 'x', hook train", denied))


def test_processes_that_cannot_share_memory_say_where_it_lacks(monkeypatch):
    import multiprocessing

    import joblib.externals.loky  # noqa: F401  its first import would keep what is patched below

    def without(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(multiprocessing, "get_context", without)
    with LocalExecutor(2) as executor:
        with refuses(ResourceError, "--shm-size=1g", "--executor local:1", code="memory"):
            executor.map(abs, [1, -2])
        assert executor.map(abs, [-3]) == [3]
    loader = RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: No space")
    assert "shm is full" in str(resource_error(loader))


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_was_to_be_written_is_named_and_not_its_temporary_file(tmp_path, monkeypatch):
    write_text(tmp_path / "a.json", "before")
    with pytest.raises(OSError, match="No space") as caught, replacing(tmp_path / "a.json") as file:
        file.write_text("half", encoding="utf-8")
        full()
    assert caught.value.filename == str(tmp_path / "a.json")

    def fill(folder):
        (folder / "part").touch()
        raise OSError(errno.ENOSPC, "No space", str(tmp_path / "from"), None, str(folder / "part"))

    with pytest.raises(OSError, match="No space") as caught:
        whole_directory(tmp_path / "fold", fill)
    assert caught.value.filename == str(tmp_path / "fold" / "part")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == "before"


def test_a_place_that_is_read_only_by_then_hides_nothing(tmp_path, monkeypatch):
    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(ValueError, match="the first"), replacing(tmp_path / "a.json"):
        raise ValueError("the first")


def test_a_cache_that_cannot_be_made_or_written_says_what_to_set(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "file" / "cache"))
    with refuses(ConfigError, "cache", "CARDIO_CACHE", code="permission"):
        open_cache()
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path))
    monkeypatch.setattr("os.access", lambda *_: False)
    with refuses(ConfigError, "CARDIO_CACHE", code="permission"):
        open_cache()
    for name in ("CARDIO_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with refuses(ConfigError, code="missing"):
        open_cache()


def test_free_space_is_that_of_the_place(tmp_path):
    gigabytes = shutil.disk_usage(tmp_path).total / 1e9
    error = OSError(errno.ENOSPC, "No space", str(tmp_path / "not" / "there"))
    assert f"of {gigabytes:.3g} GB free)" in str(resource_error(error))


def test_a_worker_that_died_anywhere_is_told_as_one_that_died_over_a_fit():
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    said = str(resource_error(TerminatedWorkerError("The exit codes are {SIGKILL(-9)}")))
    assert said.startswith("a worker died (out of memory is the usual cause): exit code SIGKILL")
    assert "--executor local:1" in said


def test_a_folder_where_a_file_is_to_be_written_is_named_and_stays(tmp_path):
    (tmp_path / "report.html").mkdir()
    with refuses(DataError, "report.html", code="exists"):
        write_text(tmp_path / "report.html", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("name", ["a" * 300 + ".dcm", "/".join(["abc"] * 1300)])
@pytest.mark.parametrize("command", ["measure", "judge", "stats"])
def test_a_name_longer_than_the_file_system_takes_is_a_sentence(command, name, tmp_path):
    words = {
        "measure": ("measure", name, "--plugin", "ecg_transfer", "--out", tmp_path / "out"),
        "judge": ("judge", name, "--out", tmp_path / "out"),
        "stats": ("stats", "table1", name, "--group", "died"),
    }[command]
    made = call_cardio(*words)
    assert made.exit_code in (2, 3)
    assert made.stderr.strip().startswith(("Error: ", "Usage: "))
    assert not (tmp_path / "out").exists()


def test_what_is_no_regular_file_has_no_digest(tmp_path):
    endless = tmp_path / "zero.dcm"
    endless.symlink_to("/dev/zero")
    with pytest.raises(DataError):
        file_digest(endless)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_is_no_full_disk() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cardio_core", "--help"], stdout=full, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("Error: standard output cannot be written")
    assert done.stderr.count("\n") == 1


def test_a_cache_is_bounded_by_what_was_made_longest_ago(tmp_path, monkeypatch):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path))
    monkeypatch.setenv("CARDIO_CACHE_GB", "3e-6")
    for age in range(5):
        folder = tmp_path / "features" / "toy" / str(age)
        folder.mkdir(parents=True)
        (folder / "a.npy").write_bytes(b"x" * 1000)
        os.utime(folder, (time.time() - age * 1e6,) * 2)
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert bound_cache(tmp_path) == 2000
    assert sorted(one.name for one in (tmp_path / "features" / "toy").iterdir()) == ["0", "1", "2"]
    assert bound_cache(tmp_path) == 0
    monkeypatch.setenv("CARDIO_CACHE_GB", "1e-9")
    assert bound_cache(tmp_path) == 2000  # what is of today may be at work
    assert (tmp_path / "mine.txt").exists()


@pytest.mark.parametrize("text", ["much", "0", "-1", "inf", "nan"])
def test_a_bound_that_is_no_number_is_refused(text, tmp_path, monkeypatch):
    monkeypatch.setenv("CARDIO_CACHE_GB", text)
    with pytest.raises(ConfigError):
        bound_cache(tmp_path)
