"""The page docs/results/kills.md, of what benchmarks/kill_study.py stored and of nothing else.

``python benchmarks/kill_study_page.py`` writes it.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results" / "kills.md"
STORED = ROOT / "docs" / "results" / "kills.json"
COMMANDS = ROOT / "docs" / "results" / "kills_of_commands.json"

ASKED = {
    "toy": 50, "ecg_transfer": 5, "spect_polar": 5, "mmode_septal_flash": 5, "echo_cmr": 5,
}  # fmt: skip
"""How many kills there shall be."""

STAGES = ("starting", "features", "training", "evaluation", "report")
FAULTS = {
    "differences": "files that differ",
    "torn": "torn files",
    "processes_left": "processes left",
    "unfinished": "temporary names left",
    "shared_memory": "left in shared memory",
    "lock": "locks held",
    "problems": "other faults",
}
KINDS = {
    "run killed": "`kill -9` of the run's own process",
    "worker killed": "`kill -9` of one of its two workers",
    "SIGTERM": "SIGTERM, to the run alone or to its group",
    "SIGHUP": "SIGHUP, to the run alone or to its group",
    "Ctrl-C": "SIGINT to the group, as a terminal sends it",
    "terminal lost": "its shell is killed and the terminal closed",
    "two at once": "a second run is started into the same folder",
    "killed while resuming": "`kill -9`, and again during `--resume`",
}

HEAD = """\
# Killed runs

<!-- Made by python benchmarks/kill_study_page.py; change that, not this. -->

A run is killed at a random moment (by the clock, or as it is about to write a file), resumed, and
compared byte for byte with a run that nobody disturbed. Files that hold times are left out. Runs
use `--executor local:2`, an empty cache and the smallest sizes.

<!-- slow -->
```sh
"""

MIDDLE = """
*Differ*: files of the finished run. *Torn*: files with their final name that cannot be read to the
end after the kill. *Processes left*: still there 10 s after the kill. *Other faults*: an
unexpected exit code, more than one line on stderr, or a failed `--resume`.
"""

END = """
Not tested: a crash of the machine. Files are renamed without waiting for the disk (no `fsync`), so
the last seconds before power is lost may be missing. Runs on several machines are on the page
[clusters](../clusters.md).
"""


OF_COMMANDS = """
## Commands

Every command that fills a folder locks it while working and writes *done* to `manifest.json` last.
Given again, `judge`, `compare`, `evaluate`, `fuse` and `export` start anew; `stability`, and `run`
and `measure` with `--resume`, continue. Each was killed (`kill -9`) at random moments and repeated.

<!-- slow -->
```sh
{command}
```

"""
AFTER_COMMANDS = """
*Looked whole*: the manifest said *done*, but files were missing. {when}
"""


def of_commands(found: dict[str, Any]) -> str:
    """Return the part of the page on all commands."""
    kills = found["kills"]
    rows = []
    for command in dict.fromkeys(one["command"] for one in kills):
        own = [one for one in kills if one["command"] == command]
        rows.append([
            f"`{command}`", len(own), sum(one["how"] == "at a write" for one in own),
            *(sum(len(one[name]) for one in own) for name in GRAVE),
            sum(bool(one["again"]) for one in own),
        ])  # fmt: skip
    head = ["command", "kills", "of them at a write", "torn files", "looked whole",
            "files that differ", "temporary names left", "repeated and failed"]  # fmt: skip
    when = f"Measured on {found['date']}, {found['machine']}."
    return (
        OF_COMMANDS.format(command=found["command"])
        + _table(head, rows) + "\n" + AFTER_COMMANDS.format(when=when)
    )  # fmt: skip


GRAVE = ("torn", "looks_whole", "differences", "unfinished")


def rendered(stored: dict[str, Any]) -> str:
    """Return the page."""
    commands_ = json.loads(COMMANDS.read_text(encoding="utf-8"))
    commands = "\n".join(one["command"] for one in stored.values())
    return "\n".join(
        [HEAD + commands + "\n```", "", _by_plugin(stored), *_lacking(stored), MIDDLE,
         _by_kind(stored), "", _when(stored), *_faults(stored), of_commands(commands_), END]
    )  # fmt: skip


def faults_of(kill: dict[str, Any]) -> dict[str, int]:
    """Return how many of each fault one kill had."""
    found = {name: len(kill[name]) for name in FAULTS if name != "lock"}
    return found | {"lock": int(not kill["lock_free"])}


def _all(stored: dict[str, Any]) -> list[dict[str, Any]]:
    return [kill for one in stored.values() for kill in one["kills"]]


def _when(stored: dict[str, Any]) -> str:
    days, machines = (sorted({one[name] for one in _all(stored)}) for name in ("date", "machine"))
    return f"Measured on {' and '.join(days)}, {'; '.join(machines)}, with other programs running."


def _lacking(stored: dict[str, Any]) -> list[str]:
    """Return the sentence that says which kills have not been run yet."""
    made = {name: len(stored.get(name, {"kills": []})["kills"]) for name in ASKED}
    lacking = [f"{made[name]} of {n} of {name}" for name, n in ASKED.items() if made[name] < n]
    if not lacking:
        return []
    return ["", f"**Not complete**: run so far {', '.join(lacking)}. `--missing` adds the others."]


def _by_plugin(stored: dict[str, Any]) -> str:
    rows = []
    for plugin, own in stored.items():
        kills = own["kills"]
        writes = sum(kill["how"] == "at a write" for kill in kills)
        found = Counter[str]()
        for kill in kills:
            found.update(faults_of(kill))
        rows.append(
            [plugin, len(kills), writes, *(found[name] for name in FAULTS)]
        )  # fmt: skip
    head = ["plugin", "kills", "of them at a write", *FAULTS.values()]
    return _table(head, rows)


def _by_kind(stored: dict[str, Any]) -> str:
    rows = []
    for kind, words in KINDS.items():
        kills = [one for one in _all(stored) if one["kind"] == kind]
        codes = Counter(str(one["exit_code"]) for one in kills)
        shown = ", ".join(f"{code} ({n})" for code, n in sorted(codes.items()))
        took = [one["ended_s"] for one in kills if one["ended_s"] is not None]
        bad = sum(any(faults_of(one).values()) for one in kills)
        rows.append([words, len(kills), shown, f"{max(took):.1f}" if took else "", bad])
    head = [
        "what was done",
        "kills",
        "exit codes (times)",
        "last process gone after, s",
        "with a fault",
    ]
    return _table(head, rows)


def _faults(stored: dict[str, Any]) -> list[str]:
    lines = []
    for plugin, own in stored.items():
        for kill in own["kills"]:
            words = [f"{FAULTS[name]}: {n}" for name, n in faults_of(kill).items() if n]
            if words:
                details = kill["problems"] or kill["differences"] or kill["unfinished"]
                lines.append(
                    f"- {plugin}, {kill['number']}: {kill['kind']} ({kill['hit']}, {kill['how']}): "
                    f"{'; '.join(words)} ({'; '.join(details[:3])})"
                )
    return ["", "## Faults", "", *lines] if lines else []


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"|{'|'.join(map(str, one))}|" for one in lines)


if __name__ == "__main__":
    PAGE.write_text(rendered(json.loads(STORED.read_text(encoding="utf-8"))), encoding="utf-8")
