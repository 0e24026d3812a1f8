"""The fuzzing study: every reader, a number of inputs each, and a table of what came of them.

Run as ``python -m tests.fuzz`` from the root of the repository; ``make fuzz`` does. What is neither
accepted nor refused is kept with its traceback, named by reader, seed and index, so that
``python -m tests.fuzz --again NAME`` makes and reads it once more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .cases import Outcome, Reader, Seed, judged, lay
from .page import ROOT, write_page


def main(words: Sequence[str] | None = None) -> None:
    """Fuzz, tell a line a reader, and exit with 1 where an input did what none may."""
    asked = _parser().parse_args(words)
    if asked.page:
        write_page()
        return
    from .readers.every import readers

    known = readers()
    if asked.again:
        _again(known, asked.again)
        return
    chosen = [known[name] for name in asked.reader or known]
    weight = sum(1 / one.cost for one in chosen)
    before = asked.add and asked.store.is_file()
    table = json.loads(asked.store.read_text()) if before else {"readers": {}}
    n_other = 0
    for reader in chosen:
        n = max(asked.least, round(asked.n / reader.cost / weight)) if asked.n else asked.least
        done = table["readers"].get(reader.name, {}).get("n", 0) if asked.add else 0
        row = fuzz_reader(reader, asked.seed, range(done, done + n), asked.keep)
        n_other += row["other"]
        table["readers"][reader.name] = _summed(table["readers"].get(reader.name), row)
        print(line_of(reader.name, row), flush=True)
        if asked.store:
            _store(table, asked.store, words if words is not None else sys.argv[1:])
    print(f"{sum(row['n'] for row in table['readers'].values())} inputs; other: {n_other}")
    sys.exit(1 if n_other else 0)


def fuzz_reader(reader: Reader, seed: int, numbers: range, keep: Path | None) -> dict[str, Any]:
    """Read inputs of one reader in processes of their own; return counts, and what was found."""
    from .workers import fuzz

    found: list[Outcome] = []
    place = Path(tempfile.mkdtemp(prefix="cardio-fuzz-"))
    try:
        seeds = made(reader, place)
        fuzz(reader, seeds, seed, numbers, place, found.append)
        others = _unlike(found)
        if keep is not None:
            for one in others:
                _keep(reader, seeds, one, keep)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    slowest = max(found, key=lambda one: one.cpu_s)
    return {
        "title": reader.title,
        "commit": _commit(),
        "seed": seed,
        "n": len(found),
        "accepted": sum(one.kind == "accepted" for one in found),
        "refused": sum(one.kind == "refused" for one in found),
        "other": sum(one.kind == "other" for one in found),
        "cpu_s": round(sum(one.cpu_s for one in found), 1),
        "slowest_s": slowest.cpu_s,
        "slowest": slowest.name,
        "most_mb": max(one.grown_mb for one in found),
        "findings": [{"name": one.name, "what": one.what} for one in others],
    }


def made(reader: Reader, place: Path) -> Sequence[Seed]:
    """Make the valid inputs of a reader, and read one of each: what is imported later costs once.

    Raises
    ------
    AssertionError
        If a valid input is not accepted: damage to it would prove nothing.
    """
    folder = place / "seeds"
    folder.mkdir()
    seeds = reader.seeds(folder)
    for number, one in enumerate({seed.target: seed for seed in seeds[:40]}.values()):
        own = place / f"valid{number}"
        for name, content in one.files.items():
            path = own / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        outcome = judged(reader, -1, number, own, own / one.target)
        said = f"{reader.name}: valid {one.target}: {outcome.kind} {outcome.what} {outcome.detail}"
        assert outcome.kind == "accepted" or not reader.valid, said
        shutil.rmtree(own)
        if number == 3:
            break
    return seeds


def line_of(name: str, row: dict[str, Any]) -> str:
    """Return what came of one reader's inputs, in a line, and a line a finding."""
    line = (
        f"{name:18} {row['n']:6} inputs: {row['accepted']:6} accepted, {row['refused']:6} refused, "
        f"{row['other']} other; slowest {row['slowest_s']:.2f} s, memory {row['most_mb']:.0f} MB"
    )
    return "\n".join([line, *(f"    {one['name']}: {one['what']}" for one in row["findings"])])


def _unlike(found: Sequence[Outcome]) -> list[Outcome]:
    """Return one outcome of each kind of finding, the first."""
    first: dict[str, Outcome] = {}
    for one in found:
        if one.kind == "other":
            first.setdefault(one.what, one)
    return list(first.values())


def _keep(reader: Reader, seeds: Sequence[Seed], one: Outcome, folder: Path) -> None:
    """Keep the files of a finding, and its traceback, under a name that says what it is."""
    what = re.sub(r"[^\w.]+", "_", one.what)[:80]
    place = folder / f"{reader.name}-{one.seed}-{one.index}-{what}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    file = lay(reader.name, seeds, one.seed, one.index, place / "files")
    relative = file.relative_to(place)
    text = f"{one.name}\n{one.what}\ndamaged: {relative}\n\n{one.detail}\n"
    (place / "traceback.txt").write_text(text, encoding="utf-8", errors="replace")


def _again(known: dict[str, Reader], name: str) -> None:
    reader, seed, index = name.split("/")
    with tempfile.TemporaryDirectory(prefix="cardio-fuzz-") as folder:
        seeds = made(known[reader], Path(folder))
        place = Path(folder, "case")
        file = lay(reader, seeds, int(seed), int(index), place)
        print(f"{name}: {file.relative_to(place)}")
        outcome = judged(known[reader], int(seed), int(index), place, file)
    print(outcome.kind, outcome.what, outcome.detail, sep="\n")


def _summed(before: dict[str, Any] | None, row: dict[str, Any]) -> dict[str, Any]:
    """Return the counts of two parts of one study."""
    if before is None:
        return row
    most = before if before["slowest_s"] >= row["slowest_s"] else row
    counts = ("n", "accepted", "refused", "other")
    return row | {name: before[name] + row[name] for name in counts} | {
        "cpu_s": round(before["cpu_s"] + row["cpu_s"], 1),
        "slowest_s": most["slowest_s"],
        "slowest": most["slowest"],
        "most_mb": max(before["most_mb"], row["most_mb"]),
        "findings": before["findings"] + row["findings"],
    }  # fmt: skip


def _store(table: dict[str, Any], path: Path, words: Sequence[str]) -> None:
    about = {
        "command": " ".join(["python -m tests.fuzz", *words]),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "machine": {"cores": os.cpu_count(), "processor": _processor(),
                    "python": platform.python_version()},
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(about | table, indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, cwd=ROOT).stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--n", type=int, default=3000, help="inputs in all, shared out by cost")
    parser.add_argument("--least", type=int, default=20, help="fewest inputs of a reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", action="append", help="one of them, repeatable; all without")
    parser.add_argument("--keep", type=Path, help="folder for what is found")
    parser.add_argument("--store", type=Path, help="JSON of the table")
    parser.add_argument("--add", action="store_true", help="go on where --store ends")
    parser.add_argument("--page", action="store_true", help="write the page of what is stored")
    parser.add_argument("--again", metavar="READER/SEED/INDEX", help="make and read one input")
    return parser
