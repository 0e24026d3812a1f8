"""What the engine itself promises: inputs can be made again, and no ending goes unseen."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from cardio_core.api import DataError

from . import workers
from .cases import CANARY, Reader, Seed, attempt, lay
from .changes.kinds import KINDS
from .page import PAGE, STORED, page

SEEDS = [Seed({"a.json": b'{"a": [1, 2, {"b": "c"}]}', "b.txt": b"x"}, "a.json", "json")]


def reader(read) -> Reader:
    return Reader("made_up", "Made up", lambda _: SEEDS, read)


def outcomes(read, folder: Path, n: int = 4):
    found = []
    workers.fuzz(reader(read), SEEDS, 0, range(n), folder, found.append)
    return {one.index: one for one in found}


def damaged_files(folder: Path, seed: int) -> list[bytes]:
    made = []
    for index in range(40):
        file = lay("made_up", SEEDS, seed, index, folder / f"{seed}-{index}-{len(made)}")
        made.append(file.read_bytes() if file.is_file() else b"")
    return made


def test_the_same_name_makes_the_same_input_and_another_seed_others(tmp_path):
    first, again = damaged_files(tmp_path / "a", 1), damaged_files(tmp_path / "b", 1)
    assert first == again
    assert first != damaged_files(tmp_path / "c", 2)
    assert len(set(first)) > 20


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_can_be_damaged_whatever_it_holds(kind, tmp_path):
    for content in (b"", b"\0", b"{}", b"a,b\n1,2\n", b"\xff" * 300):
        for index in range(4):
            seeds = [Seed({"a": content}, "a", kind)]
            lay(kind, seeds, 0, index, tmp_path / f"{len(content)}-{index}")


def test_a_process_that_is_ended_costs_its_own_input_alone(tmp_path):
    def read(folder, file):
        if folder.name == "2":
            os.kill(os.getpid(), signal.SIGKILL)
        return []

    found = outcomes(read, tmp_path)
    assert {index: one.kind for index, one in found.items()} == {
        0: "accepted", 1: "accepted", 2: "other", 3: "accepted",
    }  # fmt: skip
    assert found[2].what == "the process ended: SIGKILL"


def test_an_input_that_takes_too_long_is_ended_and_found(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "CPU_S", 0.1)

    def read(folder, file):
        while folder.name == "1":
            pass
        return ["expected a number, found none; correct it"]

    found = outcomes(read, tmp_path, n=3)
    assert [found[index].kind for index in range(3)] == ["refused", "other", "refused"]
    assert found[1].what == "longer than 0.1 s"


def test_memory_is_limited_and_a_refusal_for_want_of_it_is_found(tmp_path):
    def read(folder, file):
        try:
            bytearray(3 << 30)
        except MemoryError as error:
            raise DataError("expected a smaller file") from error
        return []

    found = outcomes(read, tmp_path, n=1)
    assert found[0].kind == "other"
    assert found[0].what.startswith("MemoryError")


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (f"{CANARY}.dcm: expected a loop, found none", "a name in a message"),
        ("expected a loop,\nfound none", "a message of several lines"),
        ("", "a refusal without a reason"),
        ("expected a loop, found \x1b[2J", "a message that cannot be printed"),
        ("plugin 'x', hook load: KeyError (x.py:3); mend it there", "a fault of a hook: x.py:3"),
    ],
)
def test_what_no_message_may_be_is_found(said, what, tmp_path):
    kept = next(n for n in range(99) if lay("made_up", SEEDS, 0, n, tmp_path / f"m{n}").is_file())
    found = attempt(reader(lambda folder, file: [said]), SEEDS, 0, kept, tmp_path)
    assert (found.kind, found.what) == ("other", what)


def test_the_page_is_made_of_what_the_study_stored():
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == page(stored), "run python -m tests.fuzz --page"
