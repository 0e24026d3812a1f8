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
# Runs that were killed

<!-- Made by python benchmarks/kill_study_page.py; change that, not this. -->

Each kill is a run of its own with `--executor local:2` and an empty cache (a plugin's synthetic
cohort is there already), at the smallest sizes; these are no results of the methods. Its moment
is drawn from a fixed seed: the stage in turn, then a share of the stage's time, or one of the
files that the stage writes: the process then stands still just before it opens or renames that
file, until it is killed. Then the run is gone on with (`--resume`, or the same command where
nothing had been begun) and every file is compared, byte for byte, with those of a run that nobody
disturbed.

<!-- slow -->
```sh
"""

MIDDLE = """
- *Differ*: any file of the finished run, but those that hold times: `manifest.json`, `log.jsonl`,
  `report.html`, `model_card.md`, `history.csv`, `trained.json`. So `metrics.json`,
  `predictions.csv`, `splits.json`, tables, figures and weights are compared.
- *Torn*: after the kill, a JSON, CSV, NPZ, NPY, safetensors, SVG, HTML or YAML file, in the run
  directory or the cache, that has its final name and cannot be read to its end.
- *Processes left*: of the run's session or with its mark in their environment, still there 10 s
  after the kill and after 5 s of processor time of their own, or after 300 s: where many programs
  are at work, seconds alone tell nothing.
- *Temporary names left*: in the run directory or the cache, after the run was gone on with.
- *Left in shared memory*: semaphores and folders in `/dev/shm` under the id of one of its
  processes.
- *Locks held*: the folder refuses the next run.
- *Other faults*: another exit code than 128 and the signal's number (a lost worker: 1; a second
  run: 2), another number of lines on stderr than one, or `--resume` that fails.

A run that is stopped in its first moments, before its command line has begun, ends as any program
does, without a word; there is nothing yet to go on with. A run that has nothing more to ask of a
lost worker ends well, with 0.
"""

END = """
Three faults that earlier kills of this study met are mended, and the kills that met them were made
again: workers stayed for five minutes where the run was killed in the moment in which they began;
estimators' files differed from process to process; one figure in many runs differed in its sixth
decimal.

Not shown: a crash of the machine. Files are renamed without waiting for the disk (no `fsync`), so
what was written in the last seconds before power is lost may be missing or empty. A run on
several machines is not here, either; nor is `kill -9` of a whole group at once, tracker included,
after which the semaphores of its workers stay in `/dev/shm` until the machine or the container
ends.
"""


OF_COMMANDS = """
## Eight commands

Every command that fills a folder holds it with a lock while it works, and says *done* in
`manifest.json` last. What is repeated begins anew (`judge`, `compare`, `evaluate`, `fuse`,
`export`) or goes on (`stability`, and `run` and `measure` with `--resume`), and says so in one
line. Here each was killed (`kill -9`) at drawn moments, half of them as it was about to open,
rename or delete one of its files, with the tests' toy plugin; then it was given again.

<!-- slow -->
```sh
{command}
```

Run on {date}, code {commits}; {machine}, many other programs at work.

"""
AFTER_COMMANDS = """
- *Begun, not done*: a manifest was there and said another state than *done*; readers refuse it.
- *Torn*: as above, of files with their final names. A table that grows lies in `unfinished/`.
- *Looked whole*: *done* stood there without a page or with files that an undisturbed command has
  not; or `measurements.csv` with fewer lines.
- *Differ*: files of the finished folder that an undisturbed one has not, or otherwise; those with
  times and the pages' reports of them aside.
"""


def of_commands(found: dict[str, Any]) -> str:
    """Return the part of the page on all commands."""
    kills = found["kills"]
    rows = []
    for command in dict.fromkeys(one["command"] for one in kills):
        own = [one for one in kills if one["command"] == command]
        states = Counter(
            "done" if one["state"] == "done" else "begun" if one["state"] else "" for one in own
        )
        rows.append([
            f"`{command}`", len(own), sum(one["how"] == "at a write" for one in own), states[""],
            states["begun"], states["done"], sum(bool(one["said"]) for one in own),
            *(sum(len(one[name]) for one in own) for name in GRAVE),
            sum(bool(one["again"]) for one in own),
        ])  # fmt: skip
    head = ["command", "kills", "of them at a write", "nothing there", "begun, not done", "done",
            "said so in one line", "torn files", "looked whole", "files that differ",
            "temporary names left", "given again and failed"]  # fmt: skip
    about = {name: found[name] for name in ("command", "date", "machine")}
    commits = "; ".join(dict.fromkeys(one["commit"] for one in kills))
    return OF_COMMANDS.format(**about, commits=commits) + _table(head, rows) + "\n" + AFTER_COMMANDS


GRAVE = ("torn", "looks_whole", "differences", "unfinished")


def rendered(stored: dict[str, Any]) -> str:
    """Return the page."""
    commands_ = json.loads(COMMANDS.read_text(encoding="utf-8"))
    commands = "\n".join(one["command"] for one in stored.values())
    return "\n".join(
        [HEAD + commands + "\n```", "", _when(stored), "", _by_plugin(stored), *_lacking(stored),
         MIDDLE, "## By kind", "", _by_kind(stored), *_faults(stored), of_commands(commands_), END]
    )  # fmt: skip


def faults_of(kill: dict[str, Any]) -> dict[str, int]:
    """Return how many of each fault one kill had."""
    found = {name: len(kill[name]) for name in FAULTS if name != "lock"}
    return found | {"lock": int(not kill["lock_free"])}


def _all(stored: dict[str, Any]) -> list[dict[str, Any]]:
    return [kill for one in stored.values() for kill in one["kills"]]


def _when(stored: dict[str, Any]) -> str:
    days, commits, machines = (
        sorted({one[name] for one in _all(stored)}) for name in ("date", "commit", "machine")
    )
    return (
        f"Run on {' and '.join(days)}, code {'; '.join(commits)}; {'; '.join(machines)}, many "
        "other programs at work."
    )


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
        hit = Counter(stage for kill in kills for stage in kill["hit"].split(", then "))
        writes = sum(kill["how"] == "at a write" for kill in kills)
        found = Counter[str]()
        for kill in kills:
            found.update(faults_of(kill))
        rows.append(
            [plugin, len(kills), writes, *(hit[stage] for stage in STAGES),
             *(found[name] for name in FAULTS)]
        )  # fmt: skip
    head = ["plugin", "kills", "of them at a write", *STAGES, *FAULTS.values()]
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
            told = [f"{FAULTS[name]}: {n}" for name, n in faults_of(kill).items() if n]
            if told:
                details = kill["problems"] or kill["differences"] or kill["unfinished"]
                lines.append(
                    f"- {plugin}, {kill['number']}: {kill['kind']} ({kill['hit']}, {kill['how']}): "
                    f"{'; '.join(told)} ({'; '.join(details[:3])})"
                )
    return ["", "## Faults", "", *lines] if lines else []


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, one)) + " |" for one in lines)


if __name__ == "__main__":
    PAGE.write_text(rendered(json.loads(STORED.read_text(encoding="utf-8"))), encoding="utf-8")
