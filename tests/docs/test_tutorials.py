"""A tutorial leads from an empty folder to its end, by its own words alone.

Each command is typed as it stands, in a folder outside the repository; what the page says will be
printed must be, and the files that it names must be there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .test_commands import ROOT

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
STEP = re.compile(
    r"<!-- file: (?P<file>\S+) -->\n```\w+\n(?P<text>.*?)```"
    r"|```sh\n(?P<commands>.*?)```|```text\n(?P<printed>.*?)```",
    re.DOTALL,
)
NAMED = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:json|csv|html|py|yaml)|(?:[\w.-]+/)+[\w.-]+)`")


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_can_be_done_from_an_empty_folder(page, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    text = page.read_text(encoding="utf-8")
    said, typed_any = "", False
    for step in STEP.finditer(text):
        if step["file"]:
            (folder / step["file"]).write_text(step["text"], encoding="utf-8")
        elif step["printed"]:
            assert lines_not_in(step["printed"], said) == []
        else:
            for command in step["commands"].splitlines():
                code, printed = typed(command, folder, tmp_path / "cache")
                assert code == 0, f"{command}\n{printed[-3000:]}"
                said, typed_any = said + printed, True
    made = files_named(text, folder) if typed_any else []  # a page without commands is of any run
    assert [name for name in made if not find(name, folder)] == []


def typed(command: str, folder: Path, cache: Path) -> tuple[int, str]:
    """Type one command; return its exit code and all that it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "CARDIO_CACHE": str(cache)}
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    return done.returncode, done.stdout


def lines_not_in(shown: str, said: str) -> list[str]:
    """Return the lines that a page shows and no command printed; `...` stands for anything."""
    plain = re.sub(r"\s+", " ", said)
    wrong = []
    for line in filter(str.strip, shown.splitlines()):
        parts = [re.escape(part) for part in re.sub(r"\s+", " ", line.strip()).split("...")]
        if not re.search("[^\n]*?".join(parts), plain):
            wrong.append(line)
    return wrong


def files_named(text: str, folder: Path) -> list[str]:
    """Return the names of files in a page that are of this folder, not of the repository."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    here = {item.name for item in folder.iterdir()}
    return [name for name in NAMED.findall(prose)
            if name.partition("/")[0] in here or "/" not in name]  # fmt: skip


def find(name: str, folder: Path) -> bool:
    return (folder / name).exists() or ("/" not in name and any(folder.rglob(name)))


def test_the_page_is_read_by_the_names_of_its_parts_and_in_their_order():
    page = (ROOT / "core/cardio-core/src/cardio_core/report/page.html").read_text(encoding="utf-8")
    read = (ROOT / "docs/tutorials/read_the_page.md").read_text(encoding="utf-8")
    first, *parts = re.findall(r"^\*\*(.+?)\.\*\* ", read, re.MULTILINE)
    assert first == "The answer"
    headings = [re.search(rf"<h2.*\b{re.escape(part)}\b.*</h2>", page) for part in parts]
    places = [found.start() for found in headings if found]
    assert len(places) == len(parts) >= 6
    assert places == sorted(places)


def test_a_line_that_was_not_printed_is_found():
    said = "Task: crt (Response);\n  protocols: honest\nDone.\n"
    assert lines_not_in("Task: crt ...; protocols: honest\nDone.", said) == []
    assert lines_not_in("Task: mfr\nDone.", said) == ["Task: mfr"]
