"""The table of docs/privacy.md, made of what the study stored and of nothing else.

``python -m tests.integration.canaries`` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .matrix import COLUMNS, PARTS, TITLES

STORED = Path(__file__).parents[1] / "stored" / "canaries.json"
PAGE = Path(__file__).parents[3] / "docs" / "privacy.md"
BEGIN, END = "<!-- canaries -->", "<!-- end -->"
COMMAND = "CARDIO_STORE=1 pytest -m slow tests/integration/test_canaries_study.py"


def stored() -> dict[str, Any]:
    """Return what the study stored, by part."""
    return json.loads(STORED.read_text(encoding="utf-8")) if STORED.is_file() else {}


def calls(parts: dict[str, Any]) -> dict[tuple[str, str], list[list[Any]]]:
    """Return the answers by command and column."""
    found: dict[tuple[str, str], list[list[Any]]] = {}
    for part in parts.values():
        for answer in part["answers"]:
            found.setdefault((answer[0], part["column"]), []).append(answer)
    return found


def section(parts: dict[str, Any]) -> str:
    """Return what stands between the marks of the page."""
    found = calls(parts)
    columns = [one for one in COLUMNS if any(column == one for _, column in found)]
    every = [answer for of in found.values() for answer in of]
    lines = [
        BEGIN,
        "<!-- slow -->",
        "```sh",
        COMMAND,
        "```",
        "",
        "|plugin|commands|calls that worked|refused|hits|",
        "|---|---:|---:|---:|---:|",
    ]
    for column in columns:
        commands = {command for command, of in found if of == column}
        lines.append(f"|{column}|{len(commands)}|{_counts(_of(found, column))}|")
    lines += ["", _about(parts, len(every)), END]
    return "\n".join(lines)


def _of(found: dict[tuple[str, str], list[list[Any]]], column: str) -> list[list[Any]]:
    return [answer for (_, one), of in found.items() if one == column for answer in of]


def _counts(answers: list[list[Any]]) -> str:
    """Return how many calls did their work, how many were refused, and the hits of both."""
    n_done = sum(answer[2] == 0 for answer in answers)
    return f"{n_done}|{len(answers) - n_done}|{sum(len(answer[3]) for answer in answers)}"


def _about(parts: dict[str, Any], n: int) -> str:
    made = sorted({part["made"] for part in parts.values()})
    n_files = sum(answer[4] for part in parts.values() for answer in part["answers"])
    missing: dict[str, list[str]] = {}
    for column, group in PARTS:
        if f"{column} {group}" not in parts:
            missing.setdefault(TITLES[group], []).append(f"`{column}`")
    left = "; ".join(f"{title}: {', '.join(of)}" for title, of in missing.items())
    left = f"\n\n**Not called yet:** {left}." if left else ""
    return (
        f"{n:,} calls, {n_files:,} files searched; {_span(made)}. Every call is in "
        f"`tests/integration/stored/canaries.json`.{left}"
    )


def _span(days: list[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def page_of(text: str, parts: dict[str, Any]) -> str:
    """Return the page's text with its table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + section(parts) + after


def write_page() -> None:
    """Write the table into the page."""
    PAGE.write_text(page_of(PAGE.read_text(encoding="utf-8"), stored()), encoding="utf-8")
