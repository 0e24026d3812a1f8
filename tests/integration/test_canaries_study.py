"""The whole matrix of commands, plugins and kinds of file, and the table of docs/privacy.md (slow).

Store it again, by parts that take from a minute to a quarter of an hour of one core::

    CARDIO_STORE=1 pytest -m slow tests/integration/test_canaries_study.py
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cardio_core.io.atomic import write_json

from .canaries.matrix import CASES, GROUPS, answers

STORED = Path(__file__).parent / "stored" / "canaries.json"
PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
HEAD = "| command | " + " | ".join(CASES) + " |"


def stored():
    return json.loads(STORED.read_text()) if STORED.is_file() else {}


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("plugin", CASES)
def test_no_planted_word_is_anywhere(plugin, group, installed, tmp_path):
    made = list(answers(CASES[plugin], tmp_path, frozenset({group})))
    if os.environ.get("CARDIO_STORE"):
        write_json(STORED, stored() | {f"{plugin} {group}": told_of(made)})
    assert [one for one in made if one.hits] == []


def told_of(made):
    """Return what is stored of one part."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "made": datetime.now(UTC).date().isoformat(),
        "commit": commit,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "answers": [[a.command, a.kind, a.exit_code, list(a.hits), a.searched] for a in made],
    }


def table_of(parts):
    """Return the lines of the table: calls and hits by command and plugin."""
    found = {}
    for name, part in parts.items():
        plugin = name.partition(" ")[0]
        for command, _, _, hits, _ in part["answers"]:
            n, n_hits = found.get((command, plugin), (0, 0))
            found[command, plugin] = n + 1, n_hits + len(hits)
    commands = sorted({command for command, _ in found})
    lines = [HEAD, "|---|" + "---:|" * len(CASES)]
    for command in commands:
        cells = [
            f"{found[command, p][0]}: {found[command, p][1]}" if (command, p) in found else ""
            for p in CASES
        ]
        lines.append(f"| `{command}` | " + " | ".join(cells) + " |")
    return lines


def test_the_table_of_the_page_is_what_is_stored():
    assert "\n".join(table_of(stored())) in PAGE.read_text()
    assert all(not hits for part in stored().values() for *_, hits, _ in part["answers"])
