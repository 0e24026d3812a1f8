"""The page docs/results/hostile.md, of what benchmarks/hostile_study.py stored and of nothing else.

``python benchmarks/hostile_page.py`` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results" / "hostile.md"
STORED = ROOT / "docs" / "results" / "hostile.json"

HEAD = """\
# Hostile inputs and places

<!-- Made by python benchmarks/hostile_page.py; change that, not this. -->

Names of patients that are paths, reserved words, shell syntax, other scripts or 5,000 characters
long; containers that run code when loaded; faults while reading; little memory, few open files, no
home; damaged files. A case fails where a command ends with a traceback, writes outside its folder,
makes a file name that some system refuses, lets a spreadsheet compute a cell, or runs what a file
asks for.

<!-- slow -->
```sh
python benchmarks/hostile_study.py
```

"""
TITLES = ("category", "kinds", "tried", "failed")


def rendered(stored: dict[str, Any]) -> str:
    """Return the page."""
    parts = stored["parts"]
    rows = [one for part in parts.values() for one in part["rows"]]
    days, commits = (sorted({part[name] for part in parts.values()}) for name in ("date", "commit"))
    lines = [list(TITLES), ["---", "---:", "---:", "---:"]]
    for category in dict.fromkeys(one["category"] for one in rows):
        lines.append([category, *_counted([one for one in rows if one["category"] == category])])
    lines.append(["**all**", *_counted(rows)])
    table = "\n".join("| " + " | ".join(one) + " |" for one in lines)
    failures = [f"- {one['what']}: {text}" for one in rows for text in map(_text, one["failures"])]
    faults = ["", "Failures:", "", *failures] if failures else []
    when = f"Measured on {' and '.join(days)}, commits {'; '.join(commits)}."
    return "\n".join([HEAD + table, "", when, *faults, ""])


def _counted(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{len(rows)}", *(f"{sum(one[name] for one in rows):,}" for name in TITLES[2:])]


def _text(failure: Any) -> str:
    return failure if isinstance(failure, str) else str(failure.get("signature") or failure)


if __name__ == "__main__":
    PAGE.write_text(rendered(json.loads(STORED.read_text(encoding="utf-8"))), encoding="utf-8")
