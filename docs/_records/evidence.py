"""Stale records made anew: cheapest first, within a number of minutes, as far as commands can."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import record

RUNS = "runs/evidence"
_OUT = re.compile(r"--out (\S+)")


@dataclass(frozen=True)
class Work:
    """What it takes to make a record anew.

    Attributes
    ----------
    name : str
    minutes : float or None
        As long as it took the last time; None if nobody knows.
    commands : list of str
    by_hand : str
        Why commands alone do not do it; empty if they do.
    """

    name: str
    minutes: float | None
    commands: list[str]
    by_hand: str

    def __str__(self) -> str:
        cost = "   ?" if self.minutes is None else f"{self.minutes:4.0f}"
        return f"{cost} min  {self.name}" + (f"  (by hand: {self.by_hand})" if self.by_hand else "")


def listed(names: Iterable[str]) -> list[Work]:
    """Return the work of some records: what commands can do first, then the cheapest."""
    return sorted(
        (_work(name) for name in names),
        key=lambda one: (bool(one.by_hand), one.minutes is None, one.minutes or 0.0, one.name),
    )


def remade(work: Work, minutes: float) -> str:
    """Make a record anew and return what went wrong, empty if nothing did.

    A run that was stopped goes on the next time, as long as the commit is the same.
    """
    file = record.STORED / f"{work.name}.json"
    results = [file, *(record.ROOT / one for one in _sources(_raw(work.name)))]
    before = [path.stat().st_mtime_ns for path in results if path.is_file()]
    begun = time.monotonic()
    for command in _prepared(work):
        left = minutes * 60 - (time.monotonic() - begun)
        sys.stdout.write(f"  {command}\n")
        sys.stdout.flush()
        if why := _ended(command, left):
            return why
    if before == [path.stat().st_mtime_ns for path in results if path.is_file()]:
        return "its commands stored nothing"
    raw = _raw(work.name)
    for key in ("stale", "newer", "unchanged", "transcribed"):
        raw.pop(key, None)
    days = [str(one.get("date") or one.get("made") or "")[:10] for one in _stored(raw)]
    raw["date"] = max([day for day in days if day] or [time.strftime("%Y-%m-%d")])
    raw["commit"] = _printed("git", "rev-parse", "--short=8", "HEAD") or "unknown"
    raw["minutes"] = round((time.monotonic() - begun) / 60, 1)
    write(work.name, raw)
    return ""


def write(name: str, raw: dict[str, Any]) -> None:
    """Store what a record's file holds."""
    file = record.STORED / f"{name}.json"
    file.write_text(_indented(raw, "\n") + "\n", encoding="utf-8")


def _indented(value: Any, edge: str) -> str:
    """Return JSON in which what holds nothing nested stands in a line."""
    inside = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list)) or not any(isinstance(one, (dict, list))
                                                      for one in inside):  # fmt: skip
        return json.dumps(value, ensure_ascii=False)
    deeper = f"{edge} "
    if isinstance(value, list):
        return f"[{deeper}{f',{deeper}'.join(_indented(one, deeper) for one in value)}{edge}]"
    lines = (
        f"{json.dumps(key, ensure_ascii=False)}: {_indented(one, deeper)}"
        for key, one in value.items()
    )
    return f"{{{deeper}{f',{deeper}'.join(lines)}{edge}}}"


def _work(name: str) -> Work:
    raw = _raw(name)
    commands = raw.get("command", [])
    commands = [commands] if isinstance(commands, str) else commands
    by_hand = ""
    if not commands:
        by_hand = "names no command"
    elif "source" not in raw and not any("CARDIO_STORE" in one for one in commands):
        by_hand = "its numbers are copied"
    elif any("$CARDIO_DATA" in one for one in commands) and "CARDIO_DATA" not in os.environ:
        by_hand = "needs CARDIO_DATA"
    return Work(name, _minutes(raw), commands, by_hand)


def _raw(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((record.STORED / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _sources(raw: dict[str, Any]) -> list[str]:
    source = raw.get("source", {})
    return list(source.values()) if isinstance(source, dict) else [source]


def _stored(raw: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads((record.ROOT / one).read_text(encoding="utf-8")) for one in _sources(raw)]


def _minutes(raw: dict[str, Any]) -> float | None:
    if "minutes" in raw:
        return float(raw["minutes"])
    seconds = [one["seconds"] for one in _stored(raw) if "seconds" in one]
    if not seconds:
        return None
    return sum(sum(one.values()) if isinstance(one, dict) else one for one in seconds) / 60


def _prepared(work: Work) -> list[str]:
    """Return the commands with runs in a folder of their own, gone on with where they stopped."""
    head = _printed("git", "rev-parse", "HEAD")
    prepared, kept = [], ""
    for command in work.commands:
        command = re.sub(r"(?<![\w/])runs/(?!evidence/)", f"{RUNS}/", command)
        out = _OUT.search(command)
        if command.startswith("cardio run") and out and out[1].startswith(f"{RUNS}/"):
            kept = out[1]
            manifest = record.ROOT / kept / "manifest.json"
            if manifest.is_file():
                made = json.loads(manifest.read_text(encoding="utf-8"))
                if made.get("git_commit") != head:
                    shutil.rmtree(record.ROOT / kept)
                elif made.get("status") == "done":
                    continue
                else:
                    command += " --resume"
        prepared.append(command)
    for source in _sources(_raw(work.name)):
        if kept and source.startswith("docs/results/runs/"):
            file = record.ROOT / source
            found = json.loads(file.read_text(encoding="utf-8"))
            options = [f"--table {one}" for one in found["tables"]]
            targets = sorted({one for inside in found["found"].values() for one in inside})
            options += [f"--target {one}" for one in targets]
            prepared.append(f"python benchmarks/keep_run.py {kept} {file.stem} {' '.join(options)}")
    return prepared


def _ended(command: str, seconds: float) -> str:
    """Run a command and return why it did not end well."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    begun = subprocess.Popen(["sh", "-c", command], cwd=record.ROOT, env=environment,
                             start_new_session=True, stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        code = begun.wait(timeout=max(seconds, 0))
    except subprocess.TimeoutExpired:
        os.killpg(begun.pid, signal.SIGTERM)
        begun.wait()
        return "stopped: the minutes are over"
    except KeyboardInterrupt:
        os.killpg(begun.pid, signal.SIGTERM)
        begun.wait()
        raise
    return f"exit code {code}" if code else ""


def _printed(*words: str) -> str:
    done = subprocess.run(words, cwd=record.ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
