"""The page docs/results/fuzz.md, made of what the study stored and of nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STORED = Path(__file__).parent / "stored" / "fuzz.json"
PAGE = ROOT / "docs" / "results" / "fuzz.md"

HEAD = """\
# Damaged files

<!-- Made by python -m tests.fuzz --page; change tests/fuzz/page.py, not this. -->

Valid files of every format, and every file of a finished run, are changed at random and read as a
user's would be: bits and blocks are changed, cut, repeated and spliced; integers set to extremes;
numbers and lines of texts, DICOM elements and members of archives altered. An input is *accepted*
(it can be read, or the change is not used) or *refused* in one line that quotes neither a file name
nor the header. *Other* is anything else: another exception, a name, more than 20 s of processor
time, 2 GiB more memory, the end of the process.
"""

GROUPS = {
    "ECG": r"ECG", "SPECT and polar maps": r"SPECT|Polar", "echo": r"Echo|A DICOM loop",
    "tables and settings": r"Cohort|Table|A table|Config|Published|truth",
    "models and weights": r"Fitted|Weights|Others", "files of a run": r"Every file",
}  # fmt: skip
"""What the page counts together, by the beginning of a reader's title."""


def page(stored: dict[str, Any]) -> str:
    """Return the page's text."""
    rows = stored["readers"]
    groups = {
        group: [row for row in rows.values() if re.match(starts, row["title"])]
        for group, starts in GROUPS.items()
    }
    lines = [
        HEAD,
        "| files | kinds | inputs | accepted | refused | other | slowest, s | memory, MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(_counted(group, own) for group, own in groups.items()),
        _counted("**all**", list(rows.values())),
        "",
        _about(stored),
    ]
    if stored["left_out"]:
        lines += ["", f"Not in this study, but in `make fuzz`: {'; '.join(stored['left_out'])}."]
    found = [one for row in rows.values() for one in row["findings"]]
    if found:
        lines += [
            "",
            "Findings, each kind once:",
            "",
        ]
        lines += [f"- `{one['name']}`: {one['what']}" for one in found]
    return "\n".join(lines) + "\n"


def _counted(name: str, rows: list[dict[str, Any]]) -> str:
    """Return the line of some readers together."""
    sums = [sum(row[key] for row in rows) for key in ("n", "accepted", "refused", "other")]
    slowest, most = (max(row[key] for row in rows) for key in ("slowest_s", "most_mb"))
    cells = [name, len(rows), *(f"{one:,}" for one in sums), f"{slowest:.2f}", f"{most:.0f}"]
    return f"| {' | '.join(map(str, cells))} |"


def _about(stored: dict[str, Any]) -> str:
    machine = stored["machine"]
    return (
        "Slowest: processor time of one input. Memory: growth of the process while reading. "
        f"Measured on {stored['date']}, {machine['processor']}, Python {machine['python']}. "
        "Results by format and commands are in `tests/fuzz/stored/fuzz.json`. `make fuzz` "
        "repeats a part, `python -m tests.fuzz --again ecg_edf/0/17` one input by reader, seed and "
        "number. Compressed formats (HDF5, video) are changed as bytes only."
    )


def write_page() -> None:
    """Write the page of what is stored."""
    PAGE.write_text(page(json.loads(STORED.read_text(encoding="utf-8"))), encoding="utf-8")
