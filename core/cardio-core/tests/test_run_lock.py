"""One run a folder: the lock of a living process holds, that of a dead one does not."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time

import pytest

from cardio_core.runner import lock
from cardio_core.runner.lock import AnotherRunError, guard_free, locked


@pytest.fixture
def held(tmp_path):
    """Write a lock as a run of ours would, changed as told; return its file."""

    def write(age_s=0.0, **changed):
        with locked(tmp_path):
            told = json.loads((tmp_path / lock.FILE).read_text())
        file = tmp_path / lock.FILE
        file.write_text(json.dumps(told | changed))
        then = time.time() - age_s
        os.utime(file, (then, then))
        return file

    return write


@pytest.fixture
def dead():
    """The id of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_second_run_is_refused_in_one_line_while_the_first_lives(tmp_path):
    with locked(tmp_path):
        with pytest.raises(AnotherRunError) as refused, locked(tmp_path):
            pytest.fail("two at once")
        assert (tmp_path / lock.FILE).exists()  # of the first, still
    line = str(refused.value)
    assert f"--out {tmp_path}: another run, process {os.getpid()}, works in it, last seen " in line
    assert "\n" not in line
    with locked(tmp_path):
        guard = json.loads((tmp_path / lock.FILE).read_text())
    assert guard["process"] == os.getpid()
    assert not list(tmp_path.iterdir())


def test_the_lock_of_a_dead_process_is_taken_over(held, tmp_path, dead):
    held(process=dead)
    with locked(tmp_path):
        assert json.loads((tmp_path / lock.FILE).read_text())["process"] == os.getpid()
    assert not list(tmp_path.iterdir())


def test_a_process_that_was_given_the_id_of_a_dead_one_holds_nothing(held, tmp_path):
    held(began="another boot-1")
    guard_free(tmp_path)


@pytest.mark.parametrize("where", [{"host": "elsewhere"}, {"space": "pid:[1]"}])
def test_elsewhere_the_heartbeat_tells_who_lives(held, tmp_path, where, dead):
    held(age_s=lock.SILENT_S - 60, process=dead, **where)
    with pytest.raises(AnotherRunError, match=r"6\d s ago"):
        guard_free(tmp_path)
    held_long = tmp_path / lock.FILE
    silent = time.time() - lock.SILENT_S - 5
    os.utime(held_long, (silent, silent))
    with locked(tmp_path):
        pass


def test_a_run_at_work_gives_signs_of_life(monkeypatch, tmp_path):
    monkeypatch.setattr(lock, "BEAT_S", 0.01)
    with locked(tmp_path):
        file = tmp_path / lock.FILE
        os.utime(file, (1.0, 1.0))
        deadline = time.monotonic() + 30
        while file.stat().st_mtime < 2:
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_of_many_that_find_a_dead_lock_one_takes_it(held, tmp_path, dead):
    for _ in range(10):
        held(process=dead)
        together, leave = threading.Barrier(8), threading.Event()
        won, lost = [], []

        def take(together=together, leave=leave, won=won, lost=lost):
            together.wait()
            try:
                with locked(tmp_path):
                    won.append(1)
                    leave.wait()
            except AnotherRunError:
                lost.append(1)
            if len(won) + len(lost) == 8 or len(lost) == 7:
                leave.set()

        threads = [threading.Thread(target=take, daemon=True) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(60)
        assert (len(won), len(lost)) == (1, 7)
        assert not list(tmp_path.iterdir())


def test_a_torn_lock_is_one_of_the_dead_after_a_while(tmp_path):
    file = tmp_path / lock.FILE
    file.write_text("{")
    os.utime(file, (1.0, 1.0))
    with locked(tmp_path):
        assert json.loads(file.read_text())["process"] == os.getpid()
