"""A folder that a command fills: what is left of it after errors and kills, and who may go on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cardio_core.io.run_artifact import CLOSING, DONE, RunKind
from cardio_core.runner.filling import filling, state_of
from cardio_core.runner.lock import AnotherRunError, locked
from cardio_core.runner.manifest import first_entries
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.files import write_text


def first(kind: RunKind = RunKind.JUDGED, identity: str = "a") -> dict[str, Any]:
    return first_entries(kind, "out", ["cardio"], identity=identity)


def fill(out: Path, *, table: str = "auc", lines: list[str] | None = None, **how: Any) -> None:
    with filling(out, first(), ([] if lines is None else lines).append, **how) as m:
        (out / "tables").mkdir(exist_ok=True)
        write_text(out / "tables" / f"{table}.csv", "1\n")
        m.close(lambda run: write_text(run / "report.html", state(run)))


def state(out: Path) -> str:
    return str(json.loads((out / "manifest.json").read_text(encoding="utf-8"))["status"])


def killed(out: Path, **how: Any) -> None:
    """Fill a folder in a process that is killed in the middle."""
    child = os.fork()
    if not child:
        with filling(out, first(), **how):
            (out / "tables").mkdir()
            write_text(out / "tables" / "half.csv", "1\n")
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def files_in(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


def test_done_is_said_last_and_the_page_knows_that_all_else_is_there(tmp_path: Path) -> None:
    fill(tmp_path / "out")
    assert state(tmp_path / "out") == DONE
    assert (tmp_path / "out" / "report.html").read_text() == CLOSING
    assert files_in(tmp_path / "out") == {"manifest.json", "report.html", "tables/auc.csv"}


def test_what_a_kill_left_is_begun_anew_in_one_line(tmp_path: Path) -> None:
    out, lines = tmp_path / "out", list[str]()
    killed(out)
    assert state(out) == "running"
    assert state_of(out, RunKind.JUDGED, "a") == "running"
    fill(out, lines=lines)
    assert files_in(out) == {"manifest.json", "report.html", "tables/auc.csv"}
    assert len(lines) == 1 and "begins anew" in lines[0]


def test_what_a_kill_left_is_gone_on_with_where_that_can_be(tmp_path: Path) -> None:
    out, lines = tmp_path / "out", list[str]()
    killed(out, resumes=True)
    fill(out, lines=lines, resumes=True)
    assert "tables/half.csv" in files_in(out)
    assert len(lines) == 1 and "goes on" in lines[0]


def test_a_finished_folder_is_written_over_by_its_like_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fill(out, table="old")
    with pytest.raises(ConfigError):
        fill(out)
    fill(out, again=True)
    assert "tables/old.csv" not in files_in(out)
    for other in (first(identity="b"), first(RunKind.FUSED)):
        before = files_in(out)
        with pytest.raises(ConfigError), filling(out, other, again=True):
            pass
        assert files_in(out) == before


@pytest.mark.parametrize("name", ["letter.txt", "tables", "manifest.json.bak"])
def test_a_folder_of_anything_else_is_refused_and_untouched(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError):
        fill(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_an_error_leaves_nothing_that_cannot_be_gone_on_with(tmp_path: Path) -> None:
    for how, left in (({}, False), ({"resumes": True}, True)):
        out = tmp_path / str(left)
        with pytest.raises(DataError), filling(out, first(), **how):
            write_text(out / "metrics.json", "[]")
            raise DataError("no metric")
        assert out.exists() == left
    assert state(out) == "failed"
    with pytest.raises(KeyboardInterrupt), filling(out, first(), resumes=True):
        raise KeyboardInterrupt
    assert state(out) == "interrupted"


def test_a_folder_at_work_is_nobody_elses(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(AnotherRunError):
        state_of(tmp_path, RunKind.JUDGED, "a")


def test_a_file_and_a_place_below_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError):
            state_of(out, RunKind.JUDGED, "a")
