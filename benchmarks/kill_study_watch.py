"""What benchmarks/kill_study.py sees of a run from outside: its stage, processes and files."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

MARK = "KILL_STUDY_MARK"
"""In the environment of a run, and so of every process that it starts."""

UNFINISHED = re.compile(
    r"^\..*\.tmp$|\.partial-[0-9a-f-]+$|^\.making-|^running\.lock$|^\.progress$"
)
"""Names that are gone when a run has ended."""

TIMED = {
    "manifest.json": "times, command",
    "log.jsonl": "times",
    "report.html": "day, time of the run",
    "model_card.md": "day, time of the run",
    "history.csv": "seconds an epoch",
    "trained.json": "seconds of the fit",
}
"""Files that are not compared, by name: what in them is of this one run."""

STAGES = ("starting", "features", "training", "evaluation", "report")


def stage_of(out: Path) -> str:
    """Return the stage of a run as its manifest tells; the needed run's while that is at work."""
    content = _manifest(out)
    status = str(content.get("status", "starting"))
    if status == "running":
        needed = [stage_of(one) for one in sorted((out / "needs").glob("*/"))]
        return next((one for one in needed if one != "done"), "starting")
    if status.startswith("running: "):
        stage = status.removeprefix("running: ")
        return "report" if stage == "evaluation" and (out / "metrics.json").exists() else stage
    if status == "done":
        return "done" if content.get("outputs") else "report"
    return "report" if status == "closing" else status


def _manifest(out: Path) -> dict[str, object]:
    try:
        return dict(json.loads((out / "manifest.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def alive(mark: str, session: int, known: dict[str, bool] | None = None) -> dict[int, str]:
    """Return the living processes of a run, by id: of its session, or with its mark.

    `known` keeps who is of the run: reading another's environment may wait for that process.
    """
    wanted, known = f"{MARK}={mark}".encode(), {} if known is None else known
    found = {}
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            state, *rest = (place / "stat").read_text().rpartition(")")[2].split()
            if state in "ZX":
                continue
            one = f"{place.name} {rest[18]}"  # with its beginning: ids are given again
            if int(rest[2]) == session:
                known[one] = True
            elif one not in known:
                known[one] = wanted in (place / "environ").read_bytes().split(b"\0")
            if known[one]:
                words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                found[int(place.name)] = words
        except (OSError, ValueError):
            continue
    return found


def processor_s(processes: Iterable[int]) -> dict[int, float]:
    """Return the processor time that processes have used, by id."""
    used = {}
    for one in processes:
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            used[one] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def is_worker(words: str) -> bool:
    """Whether a command line is that of a worker of joblib's loky."""
    return "popen_loky_posix" in words


def torn_files(folders: Iterable[Path]) -> list[str]:
    """Return the files that have their final name and cannot be read to their end.

    Whatever lies under a temporary name may be torn: nobody reads it.
    """
    torn = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if path.is_file() and not any(map(UNFINISHED.search, parts)):
                try:
                    _read(path)
                except Exception as error:
                    torn.append(f"{'/'.join(parts)}: {type(error).__name__}")
    return torn


def _read(path: Path) -> None:
    kind = path.suffix
    if kind == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif kind == ".jsonl":
        for line in path.read_text(encoding="utf-8").splitlines():
            json.loads(line)
    elif kind == ".csv":
        lines = path.read_text(encoding="utf-8")
        widths = {len(row) for row in csv.reader(lines.splitlines())}
        if len(widths) != 1 or not lines.endswith("\n"):
            raise ValueError("rows of several widths, or a half line")
    elif kind == ".npz":
        with zipfile.ZipFile(path) as packed:
            if packed.testzip() is not None:
                raise ValueError("a member is broken")
    elif kind == ".npy":
        np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    elif kind == ".safetensors":
        from safetensors.numpy import load_file

        load_file(path)
    elif kind in (".svg", ".html"):
        if not path.read_text(encoding="utf-8").rstrip().endswith(("</svg>", "</html>")):
            raise ValueError("no end")
    elif kind in (".yaml", ".md", ".txt") and not path.read_text(encoding="utf-8"):
        raise ValueError("empty")


def unfinished(folders: Iterable[Path]) -> list[str]:
    """Return what lies in folders under a name that only a process at work may use."""
    return [
        str(path.relative_to(folder))
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if UNFINISHED.search(path.name)
    ]


def contents(run: Path) -> dict[str, str]:
    """Return the digest of every file of a run that holds no time, by its place."""
    return {
        str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in TIMED
    }


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Return the places whose files differ, or are in one of two runs only."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def shared_memory(processes: Iterable[int]) -> list[str]:
    """Return what lies in shared memory under the id of one of these processes."""
    place = Path("/dev/shm")  # noqa: S108  looked into, not written
    numbers = {str(one) for one in processes}
    names = [one.name for one in place.iterdir()] if place.is_dir() else []
    return sorted(name for name in names if numbers & set(re.split(r"[-_.]", name)))


def told_writes(told: Path, width: int = 256) -> list[tuple[float, str, str]]:
    """Return the writes that a run's processes told: when, how, which file."""
    if not told.exists():
        return []
    lines = told.read_bytes().decode(errors="replace").splitlines()
    rows = [line[: width - 1].rstrip().split("\t") for line in lines]
    return [(float(row[0]), row[2], row[3]) for row in rows if len(row) == 4]


def environment(mark: str, **more: str) -> dict[str, str]:
    """Return the environment of a run: this one's, with its mark."""
    return {**os.environ, MARK: mark, **more}
