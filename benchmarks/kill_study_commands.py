"""Eight commands, each killed at random moments and given again: what is there then, and after.

    nice python benchmarks/kill_study_commands.py --kills 30

Each command is given in a process that is forked once everything is imported. By turns it is
killed (``kill -9``) as it is about to open or rename one of the files that it writes, drawn from a
fixed seed, or after a drawn share of the time that it takes. What stands there then is looked at;
the command is given again, with ``--resume`` where it has it, and every file is compared with those
of a folder that nobody disturbed. What was found is kept in docs/results/kills_of_commands.json;
``python benchmarks/kill_study_page.py`` writes the page.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import kill_study_watch as watch
import numpy as np
from kill_study import about, fresh, install_toy
from kill_study_page import COMMANDS as KEPT

from cardio_core.runner.lock import FILE as LOCK
from cardio_core.runner.lock import guard_free

COMMANDS = {
    "run": "run --plugin toy --task mean_class --smoke --protocol honest --executor local:1"
           " --out OUT",
    "measure": "measure --plugin toy FEW --executor local:1 --out OUT",
    "judge": "judge TABLE --outcome ill --score risk --patient id --out OUT",
    "compare": "compare ONE TWO --out OUT",
    "evaluate": "evaluate ONE --data NEW --other-people --device cpu --out OUT",
    "fuse": "fuse a=ONE b=TWO --out OUT",
    "export": "export ONE --out OUT",
    "stability": "stability ONE --repeats 2 --executor local:1 --device cpu --out OUT",
}  # fmt: skip
RESUMED = ("run", "measure")
ONCE = ("evaluate", "export", "measure")
"""Commands that refuse what is finished."""

SAID = "ended before it was done"
TIMED = {*watch.TIMED, "measurements.html", "model_card.json", "config.yaml", "places.json"}
WRITING = os.O_WRONLY | os.O_RDWR
IMPORTED = (
    "cardio_core.cli.main", "cardio_core.runner.run", "cardio_core.runner.measure",
    "cardio_core.report.page", "cardio_studies.judgement", "cardio_studies.comparison",
    "cardio_studies.external_validation", "cardio_studies.fusion", "cardio_studies.stability",
    "cardio_studies.refits", "cardio_studies.model_export", "torch", "sklearn.linear_model",
    "cardio_core.training.engine", "matplotlib.figure",
)  # fmt: skip


@dataclass
class Kill:
    """One killed command, and what was found."""

    command: str
    number: int
    how: str
    at: str
    state: str = ""
    files: int = 0
    torn: list[str] = field(default_factory=list)
    looks_whole: list[str] = field(default_factory=list)
    again: int | None = None
    said: str = ""
    differences: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Undisturbed:
    """A command that nobody disturbed."""

    contents: dict[str, str]
    seconds: float
    writes: int


def words(command: str, place: Path, out: Path, *more: str) -> list[str]:
    """Return a command's words with the places of a study."""
    known = {"OUT": str(out)}
    known |= {name: str(place / name.lower()) for name in ("ONE", "TWO", "NEW", "FEW")}
    known["TABLE"] = str(place / "table.csv")
    found = COMMANDS[command].split()
    for name, path in known.items():
        found = [word.replace(name, path) if name in word else word for word in found]
    return [*found, *more]


def start(typed: Sequence[str], place: Path, told: Path, kill_at: int = 0) -> int:
    """Give a command in a forked process; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        os.environ["CARDIO_CACHE"] = str(place / "cache")
        with told.open("w") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
        sys.argv = ["cardio", *typed]
        counted = 0

        def heard(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal counted
            if event == "open":
                path, _, flags = arguments
                if not isinstance(flags, int) or not flags & WRITING:
                    return
            elif event in ("os.rename", "os.remove", "shutil.rmtree"):
                path = arguments[0]
            else:
                return
            if not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith(
                str(place)
            ):
                return
            counted += 1
            if counted == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(heard)
        from cardio_core.cli.main import main

        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
        told.with_suffix(".writes").write_text(str(counted))
        os._exit(code)
    except BaseException:
        traceback.print_exc()
        os._exit(70)


def ended(child: int, within: float | None = None) -> int:
    """Wait for a process, killing it and what it started after some seconds; return its code."""
    until = None if within is None else time.monotonic() + within
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if until is not None and time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            until = None
        time.sleep(0.005)


def contents(out: Path) -> dict[str, str]:
    """Return the digest of each file that holds no time."""
    left = {*TIMED, LOCK}  # of a dead process: it holds nobody up
    return {name: one for name, one in watch.contents(out).items() if Path(name).name not in left}


def state(out: Path) -> str:
    """Return what the manifest of a folder says, empty where there is none."""
    path = out / "manifest.json"
    return str(json.loads(path.read_text()).get("status")) if path.is_file() else ""


class Study:
    """The kills of all commands, in one folder."""

    def __init__(self, place: Path, seed: int) -> None:
        self.place, self.seed = place, seed
        sys.path[:0] = install_toy(place)
        importlib.invalidate_caches()
        for name in IMPORTED:
            importlib.import_module(name)
        self._prepare()
        self.known: dict[str, Undisturbed] = {}

    def _must(self, typed: Sequence[str]) -> None:
        told = self.place / "prepared.txt"
        if code := ended(start(typed, self.place, told)):
            raise SystemExit(f"{' '.join(typed)}: ended with {code}: {told.read_text()}")

    def _prepare(self) -> None:
        place = self.place
        for name, more in (("one", ()), ("two", ("--seed", "1"))):
            if not (place / name).exists():
                self._must([*words("run", place, place / name), *more])
        for name, n in (("new", "24"), ("few", "6")):
            if not (place / name).exists():
                self._must(["data", "synth", "toy", "--task", "mean_class", "--patients", n,
                            "--seed", "5", "--out", str(place / name)])  # fmt: skip
        rng = np.random.default_rng(0)
        rows = [f"p{n},{n % 2},{rng.random() * 0.6 + 0.3 * (n % 2):.4f}" for n in range(80)]
        (place / "table.csv").write_text("\n".join(["id,ill,risk", *rows]) + "\n")

    def reference(self, command: str) -> Undisturbed:
        """Give a command undisturbed, once."""
        if command not in self.known:
            out, told = self.place / "undisturbed", self.place / "undisturbed.txt"
            shutil.rmtree(out, ignore_errors=True)
            began = time.monotonic()
            if code := ended(start(words(command, self.place, out), self.place, told)):
                raise SystemExit(f"{command}: ended with {code}: {told.read_text()}")
            seconds = time.monotonic() - began
            writes = int(told.with_suffix(".writes").read_text())
            self.known[command] = Undisturbed(contents(out), seconds, writes)
        return self.known[command]

    def kill(self, command: str, number: int) -> Kill:
        """Kill one command, look, give it again, and compare."""
        known = self.reference(command)
        rng = np.random.default_rng([self.seed, number, *command.encode()])
        share = float(rng.uniform(0.02, 0.99))
        at = 1 + int(share * known.writes)
        by_write = bool(number % 2)
        made = Kill(command, number, "at a write" if by_write else "by the clock",
                    f"write {at} of {known.writes}" if by_write
                    else f"{share:.2f} of the time")  # fmt: skip
        out, told = fresh(self.place / "killed") / "out", self.place / "killed.txt"
        began = time.monotonic()
        typed = words(command, self.place, out)
        child = start(typed, self.place, told, at if by_write else 0)
        ended(child, None if by_write else share * known.seconds)
        self._look(made, out, known)
        begun = (out / "manifest.json").is_file()
        if made.state == "done" and command in ONCE:
            made.again = 0
        else:
            more = ("--resume",) if command in RESUMED and begun else ()
            made.again = ended(start([*typed, *more], self.place, told))
            lines = [one for one in told.read_text().splitlines() if SAID in one]
            made.said = "".join(lines).replace(str(out), "OUT")
            if made.again:
                made.said = told.read_text().replace(str(self.place), "PLACE")[-600:]
        made.differences = watch.differences(contents(out), known.contents)
        made.unfinished = watch.unfinished([out])
        if made.state == "done" and command in ONCE:  # the lock of a dead process holds nobody up
            guard_free(out)
            made.unfinished = [one for one in made.unfinished if one != LOCK]
        made.seconds = round(time.monotonic() - began, 1)
        return made

    def _look(self, made: Kill, out: Path, known: Undisturbed) -> None:
        if not out.exists():
            return
        made.state = state(out)
        made.files = sum(one.is_file() for one in out.rglob("*"))
        # A table that grows, and the log, are named as what is unfinished, or said to be at work.
        growing = () if made.state == "done" else ("unfinished/", "log.jsonl")
        made.torn = [one for one in watch.torn_files([out]) if not one.startswith(growing)]
        if made.state == "done":
            made.looks_whole = watch.differences(contents(out), known.contents)
            pages = ("report.html", "measurements.html", "model_card.md")
            if not any((out / name).is_file() for name in pages):
                made.looks_whole.append("no page")
        elif made.command == "measure" and (out / "measurements.csv").is_file():
            whole = watch.contents(out).get("measurements.csv")
            if whole != known.contents["measurements.csv"]:
                made.looks_whole.append("measurements.csv")


def keep(made: list[Kill], seed: int, kills: int) -> None:
    """Put the kills of some commands in the place of older ones."""
    known = json.loads(KEPT.read_text()) if KEPT.exists() else {"kills": []}
    new = {one.command for one in made}
    kept = [one for one in known["kills"] if one["command"] not in new]
    stamp = about()
    found = {
        "command": f"python benchmarks/kill_study_commands.py --kills {kills}", "seed": seed,
        **stamp, "kills": kept + [{**asdict(one), "commit": stamp["commit"]} for one in made],
    }  # fmt: skip
    KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30, help="of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--study", type=Path, help="where folders are made")
    options = parser.parse_args()
    place = options.study or Path(tempfile.mkdtemp(prefix="kills-"))
    place.mkdir(parents=True, exist_ok=True)
    study = Study(place.resolve(), options.seed)
    for command in options.only:
        made = []
        for number in range(options.kills):
            one = study.kill(command, number)
            made.append(one)
            bad = one.torn or one.looks_whole or one.again or one.differences or one.unfinished
            print(f"{command} {number}: {one.at}, {one.state or 'nothing'}, {one.files} files, "
                  f"again {one.again}, {one.seconds} s{' BAD ' + str(asdict(one)) if bad else ''}",
                  flush=True)  # fmt: skip
        keep(made, options.seed, options.kills)


if __name__ == "__main__":
    main()
