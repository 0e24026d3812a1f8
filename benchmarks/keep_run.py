"""Keep what a finished run found, for records of the docs to be filled in from.

``python benchmarks/keep_run.py RUN NAME`` writes ``docs/results/runs/NAME.json``: every metric of
all patients by protocol, target, model and name (``auc``, ``sensitivity V``, ``auc_difference from
forest``), and the run's tables, those of single recordings only where ``--table`` names them. A
record names the file as its `source` (CONTRIBUTING.md, Measured numbers).
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from pathlib import Path
from typing import Any

from speed.origin import ROOT, machine

KEPT = ROOT / "docs" / "results" / "runs"
TABLES = ("table-2", "confusion", "counted-by-EC57", "importance")
"""Tables that are kept, by what their names hold."""


def kept(run: Path, also: list[str], targets: list[str]) -> dict[str, Any]:
    """Return where a finished run comes from, how long it took, and what it found.

    Raises
    ------
    ValueError
        The run is not finished.
    """
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    if manifest["status"] != "done":
        raise ValueError(f"{run} is {manifest['status']}: finish it first")
    found: dict[str, Any] = {}
    for one in json.loads((run / "metrics.json").read_text(encoding="utf-8")):
        if one["fold"] is not None or one["repeat"] is not None:
            continue
        if targets and one["target"] not in targets:
            continue
        name = one["name"]
        name += f" {one['class_name']}" * (one["class_name"] is not None)
        name += f" from {one['versus']}" * (one["versus"] is not None)
        name += f" in {one['subgroup']}" * (one["subgroup"] is not None)
        numbers = {"value": one["value"], "low": one["low"], "high": one["high"]}
        numbers |= {"p": one["p_value"], "n": one["n"]}
        target = found.setdefault(one["protocol"], {}).setdefault(one["target"], {})
        target.setdefault(one["model"], {})[name.replace("/", " per ")] = {
            key: value for key, value in numbers.items() if value is not None
        }
    tables = {
        path.stem: list(csv.DictReader(path.open(encoding="utf-8", newline="")))
        for path in sorted((run / "tables").glob("*.csv"))
        if path.stem in also or any(part in path.stem for part in TABLES)
    }
    return {
        "date": manifest["finished"][:10],
        "commit": manifest["git_commit"][:8],
        "machine": machine(),
        "torch": manifest["packages"].get("torch", ""),
        "seconds": manifest["stages"],
        "patients": manifest["data"]["n_patients"],
        "recordings": manifest["data"]["n_recordings"],
        "found": found,
        "tables": tables,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("name", help="of the file, without its ending")
    parser.add_argument("--table", action="append", default=[], help="kept as well, by its name")
    parser.add_argument("--target", action="append", default=[], help="of many, these alone")
    asked = parser.parse_args()
    content = kept(asked.run, asked.table, asked.target)
    KEPT.mkdir(parents=True, exist_ok=True)
    file = KEPT / f"{asked.name}.json"
    text = json.dumps(content, ensure_ascii=False, indent=1)
    # What holds nothing nested stands in a line, so that a change of one number is one line.
    text = re.sub(r"(?<=\{)[^{}]+(?=\})", lambda inside: " ".join(inside[0].split()), text)
    file.write_text(text + "\n", encoding="utf-8")
    print(file.relative_to(ROOT))
