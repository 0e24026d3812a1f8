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

A case is one hostile name, cell, file, fault or surrounding. It fails where a command ends with a
traceback or an unexpected error, writes outside of its folder, gives a file a name that some system
refuses, lets a spreadsheet compute a cell, or runs what a file asked for. The names are paths up
and down, dots, names that Windows keeps, signs that a shell takes for its own, marks that turn
text, other scripts, and names of up to 5,000 characters; here they are ids of a run's patients.

The study was stopped when its time was over: what is not in the table was not tried. One damaged
loop (`us_mmode_measured/37/19`, pixels of infinite size) ended in an unexpected error, which is
mended; that reader was tried again.

<!-- slow -->
```sh
python benchmarks/hostile_study.py
python -m tests.fuzz --seed 37 --n 0 --least 60 --store fuzz37.json
python benchmarks/hostile_study.py --only --fuzz fuzz37.json
```

"""
TITLES = ("category", "what", "tried", "failed", "seed")


def rendered(stored: dict[str, Any]) -> str:
    """Return the page."""
    parts = stored["parts"]
    rows = [one for part in parts.values() for one in part["rows"]]
    days, commits = (sorted({part[name] for part in parts.values()}) for name in ("date", "commit"))
    tried, failed = (sum(one[name] for one in rows) for name in ("tried", "failed"))
    lines = [list(TITLES), ["---", "---", "---:", "---:", "---:"]]
    lines += [[_shown(one[name]) for name in TITLES] for one in rows]
    lines.append(["**all**", "", f"**{tried:,}**", f"**{failed:,}**", ""])
    table = "\n".join("| " + " | ".join(one) + " |" for one in lines)
    told = [f"- {one['what']}: {text}" for one in rows for text in map(_told, one["failures"])]
    faults = ["", "What failed:", "", *told] if told else []
    when = f"Run on {' and '.join(days)}, code {'; '.join(commits)}."
    return "\n".join([HEAD + when, "", table, *faults, ""])


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _told(failure: Any) -> str:
    return failure if isinstance(failure, str) else str(failure.get("signature") or failure)


if __name__ == "__main__":
    PAGE.write_text(rendered(json.loads(STORED.read_text(encoding="utf-8"))), encoding="utf-8")
