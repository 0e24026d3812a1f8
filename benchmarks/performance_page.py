"""The tables of docs/performance.md, from what the benchmarks stored in benchmarks/results.

``python benchmarks/performance_page.py`` writes them between the page's marks.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results"
NAMES = {
    "ecg_transfer": "ECG",
    "spect_polar": "SPECT",
    "mmode_septal_flash": "M-mode",
    "echo_cmr": "Echo",
}


LEAST_SHARE = 0.02
"""Stages of a smaller share of the time are not shown."""
ALONE = "two processes that share nothing"
SHOWN = re.compile(
    r"bootstrap of (1000|the patients of 1000) rows beside (a loop|pROC)|DeLong of 1000|phases"
    r"|M-modes|spectrograms|R peaks beside (wfdb|neurokit2 (neurokit|pantompkins|kalidas|khamis))"
    r"|(random|fixed) clips, paper|frames|training step|import torch.*all$"
    r"|import pandas.*(table1|roc)$"
)
"""Ratios that the page shows; `benchmarks/results/bench.json` holds all."""


def number(value: float | None) -> str:
    """Return a number to two or three digits, without an exponent.

    Examples
    --------
    >>> number(0.0123), number(22.64), number(154.0), number(None)
    ('0.012', '22.6', '154', '')
    """
    if value is None:
        return ""
    if value == 0:
        return "0"
    text = f"{value:.2g}" if value < 10 else f"{value:.3g}"
    return f"{float(text):,.10g}".replace(",", " ")


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown; the first column is text, the others are numbers."""
    line = "|---|" + "---:|" * (len(head) - 1)
    lines = [f"|{'|'.join(one)}|" for one in (head, *rows)]
    return "\n".join([lines[0], line, *lines[1:]])


def came_from(entries: Iterable[dict[str, Any]]) -> str:
    """Return when and where times were measured."""
    where = {f"{one['date']}, commit {one['commit'].split()[0]}" for one in entries}
    return f"Measured on {'; '.join(sorted(where))}; {next(iter(entries))['machine']}."


def profiles(stored: dict[str, Any]) -> str:
    """Return seconds and share of each stage, a column a plugin."""
    found = {name.split()[0]: entry for name, entry in stored["profile"].items()}
    shares: dict[str, dict[str, str]] = {}
    for plugin, entry in found.items():
        for row in entry["stages"]:
            if row["share"] >= LEAST_SHARE:
                shares.setdefault(row["stage"], {})[plugin] = f"{100 * row['share']:.0f} %"
    rows = [[stage, *(own.get(plugin, "") for plugin in found)] for stage, own in shares.items()]
    rows.append(["**all, s**", *(number(entry["seconds"]) for entry in found.values())])
    head = ["stage", *(NAMES[plugin] for plugin in found)]
    return f"{table(head, rows)}\n\n{came_from(list(found.values()))}"


def two_processes(stored: dict[str, Any]) -> str:
    """Return what a second process gives."""
    rows = []
    for found in stored["two_processes"].values():
        seconds = [statistics.median(sum(one.values()) for one in found[n]) for n in ("one", "two")]
        values = [found["ratios"][what] for what in ("features and training", ALONE)]
        rows.append([
            f"{NAMES[found['plugin']]}, {found['n_patients']} patients",
            *(f"{one:.0f}" for one in seconds),
            *(f"{statistics.median(one):.2f} ({min(one):.2f} to {max(one):.2f})" for one in values),
        ])  # fmt: skip
    head = ["run", "one process, s", "two, s", "ratio (range)", "processes that share nothing"]
    return f"{table(head, rows)}\n\n{came_from(list(stored['two_processes'].values()))}"


def peers(stored: dict[str, Any]) -> str:
    """Return the ratios of every benchmark beside their floors."""
    rows = []
    for entry in stored["bench"].values():
        for name, found in entry["ratios"].items():
            if found["rounds"] and SHOWN.match(name):
                floor = number(found["floor"]) + ("" if found["holds"] else " (below)")
                spread = f"{number(found['low'])} to {number(found['high'])}"
                rows.append(
                    [name.replace(" beside ", " vs "), number(found["median"]), spread, floor]
                )
    head = ["ratio", "median", "range", "floor"]
    return f"{table(head, rows)}\n\n{came_from(list(stored['bench'].values()))}"


PARTS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "profiles": ("profile", profiles),
    "two processes": ("two_processes", two_processes),
    "peers": ("bench", peers),
}


def read() -> dict[str, Any]:
    """Return everything that is stored, by file."""
    return {
        file.stem: json.loads(file.read_text(encoding="utf-8")) for file in RESULTS.glob("*.json")
    }


def rendered(text: str, stored: dict[str, Any]) -> str:
    """Return the page with its tables made anew; what is not stored is said not to be measured.

    Raises
    ------
    ValueError
        The page lacks the marks of a table.
    """
    for name, (needed, make) in PARTS.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(\n?<!-- end -->)", re.DOTALL)
        made = make(stored) if needed in stored else "Not measured yet."
        text, n = marks.subn(lambda found, made=made: f"{found[1]}{made}\n<!-- end -->", text)
        if n != 1:
            raise ValueError(f"{PAGE.name}: expected one place for {name!r}, found {n}")
    return text


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), read()), encoding="utf-8")
