"""The tables of docs/performance.md, from what the benchmarks stored in benchmarks/results.

``python benchmarks/performance_page.py`` writes them between the page's marks.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable
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
    lines = ["| " + " | ".join(one) + " |" for one in (head, *rows)]
    return "\n".join([lines[0], line, *lines[1:]])


def came_from(entry: dict[str, Any]) -> str:
    """Return where a stored time comes from, with its command."""
    load = entry.get("load_before")
    busy = "" if load is None else f"; load {number(load)} before"
    return (
        f"Measured on {entry['date']} at commit {entry['commit']}; {entry['machine']}{busy}.\n\n"
        f"<!-- slow -->\n```sh\n{entry['command']}\n```"
    )


def profiles(stored: dict[str, Any]) -> str:
    """Return a table a profiled run."""
    parts = []
    for name, entry in stored["profile"].items():
        plugin, config = name.split()
        rows = [
            [
                row["stage"],
                number(row["seconds"]),
                f"{100 * row['share']:.0f} %",
                number(row["floor_s"]) + (f" ({row['floor_is']})" if row["floor_is"] else ""),
                number(row["gap"]),
            ]
            for row in entry["stages"]
            if row["share"] >= 0.005
        ]
        parts.append(
            f"### {NAMES[plugin]}, sizes of `{config}`\n"
            f"`{entry['words']}`: {number(entry['seconds'])} s of the processor, "
            f"{entry['n_patients']} patients, one process of one thread; matrix products reach "
            f"{number(entry['peak_gflops'])} GFLOP/s here. {entry.get('note', '')} "
            f"{came_from(entry)}\n\n"
            + table(["stage", "seconds", "share", "floor, s", "gap"], rows)
        )
    return "\n\n".join(parts)


def two_processes(stored: dict[str, Any]) -> str:
    """Return what a second process gives."""
    rows, origins, sizes = [], [], []
    for name, found in stored["two_processes"].items():
        plugin, length = NAMES[found["plugin"]], name.rpartition("_")[2]
        title = f"{plugin}, {length}"
        mean = [statistics.median(sum(one.values()) for one in found[n]) for n in ("one", "two")]
        sizes.append(
            f"- *{title}*: {found['n_patients']} patients, {mean[0]:.0f} s with one process and "
            f"{mean[1]:.0f} s with two; `{found['words']}`"
        )
        origins.append(came_from(found))
        for what, values in found["ratios"].items():
            cells = [f"{statistics.median(values):.2f}", f"{min(values):.2f} to {max(values):.2f}"]
            rows.append([f"{title}: {what}", *cells, str(len(values))])
    head = ["", "median", "lowest to highest", "rounds"]
    return "\n\n".join([*dict.fromkeys(origins), table(head, rows), "\n".join(sizes)])


def peers(stored: dict[str, Any]) -> str:
    """Return the ratios of every benchmark beside their floors."""
    rows, sources = [], {}
    for entry in stored["bench"].values():
        where = f"{entry['date']}, commit {entry['commit']}, {entry['machine']}"
        sources.setdefault(where, []).append(f"`{entry['script']}`")
        for name, found in entry["ratios"].items():
            spread = f"{number(found['low'])} to {number(found['high'])}"
            rows.append(
                [
                    name,
                    number(found["median"]) or "not measured",
                    spread if found["rounds"] else "",
                    str(len(found["rounds"])),
                    number(found["floor"]) + ("" if found["holds"] else " (below)"),
                ]
            )
    said = [f"{where}: {', '.join(scripts)}." for where, scripts in sources.items()]
    head = ["ratio", "median", "lowest to highest", "rounds", "floor"]
    return "\n".join(said) + "\n\n" + table(head, rows)


def mends(stored: dict[str, Any]) -> str:
    """Return what was mended: before, after and their ratio, pair by pair."""
    rows = [
        [
            one["what"],
            number(one["before_s"]),
            number(one["after_s"]),
            f"{one['ratio']['median']:.2f} ({one['ratio']['low']:.2f} to "
            f"{one['ratio']['high']:.2f})",
            str(one["pairs"]),
        ]
        for one in stored["mends"]["mends"]
    ]
    head = ["mend", "before, s", "after, s", "ratio (lowest to highest)", "pairs"]
    return came_from(stored["mends"]) + "\n\n" + table(head, rows)


PARTS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "profiles": ("profile", profiles),
    "mends": ("mends", mends),
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
