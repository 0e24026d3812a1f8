"""The whole matrix of commands, plugins and kinds of file, and the table of docs/privacy.md (slow).

Store it again, a part (``-k "toy and run"``) or the whole, in about half an hour of one core::

    CARDIO_STORE=1 pytest -m slow tests/integration/test_canaries_study.py
    python -m tests.integration.canaries
"""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime

import click
import pytest

from cardio_core.testing import every_command
from cardio_stats.files import write_json

from .canaries.commands import NOTHING_OF_PATIENTS, nowhere
from .canaries.matrix import CASES, COLUMNS, PARTS, answers
from .canaries.page import PAGE, STORED, calls, page_of, stored


@pytest.mark.slow
@pytest.mark.parametrize(("column", "group"), PARTS, ids=[" ".join(one) for one in PARTS])
def test_no_planted_word_is_anywhere(column, group, installed, tmp_path):
    began = worked_s()
    made = list(answers(column, group, tmp_path))
    if os.environ.get("CARDIO_STORE"):
        told = told_of(column, made, worked_s() - began)
        write_json(STORED, stored() | {f"{column} {group}": told})
    assert [one for one in made if one.hits or one.wrong] == []


def worked_s():
    """Return the processor time of this process and of those that it started."""
    told = os.times()
    return told.user + told.system + told.children_user + told.children_system


def told_of(column, made, cpu_s):
    """Return what is stored of one part."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "column": column,
        "made": datetime.now(UTC).date().isoformat(),
        "commit": commit,
        "cpu_s": round(cpu_s),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "answers": [[a.command, a.kind, a.exit_code, list(a.hits), a.searched] for a in made],
        "wrong": [f"{a.command}, {a.kind}: {a.wrong}" for a in made if a.wrong],
    }


def test_the_page_is_what_is_stored():
    text = PAGE.read_text(encoding="utf-8")
    assert text == page_of(text, stored()), "run python -m tests.integration.canaries"
    assert [part["wrong"] for part in stored().values() if part["wrong"]] == []
    assert all(not hits for part in stored().values() for *_, hits, _ in part["answers"])


def test_every_command_is_in_the_matrix_or_has_nothing_to_do_with_patients():
    called = {command for command, _ in calls(stored())} - {"run --resume"}
    commands = every_command().items()
    single = {name for name, command in commands if not isinstance(command, click.Group)}
    assert called | set(NOTHING_OF_PATIENTS) == single, (
        "call a new command in tests/integration/canaries, or say in commands.py why it is not"
    )
    assert not called & set(NOTHING_OF_PATIENTS)


def test_a_plugin_whose_parts_are_all_stored_was_asked_everything():
    found, kinds = calls(stored()), {name: case.kind for name, case in CASES.items()}
    whole = {c for c in COLUMNS if all(f"{a} {b}" in stored() for a, b in PARTS if a == c)}
    assert {"tables alone", "toy"} <= whole  # of the others the page says what is missing
    lacking = [
        (command, column)
        for command in sorted({command for command, _ in found})
        for column in sorted(whole)
        if (command, column) not in found and not nowhere(command, kinds.get(column, ""))
    ]
    assert lacking == []
