"""A tutorial leads from an empty folder to its end, by its own words alone."""

from __future__ import annotations

import re

import pytest

from .test_commands import ROOT, run

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
STEP = re.compile(
    r"<!-- file: (?P<file>\S+) -->\n```\w+\n(?P<text>.*?)```|```sh\n(?P<commands>.*?)```", re.DOTALL
)


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_can_be_done_from_an_empty_folder(page, tmp_path):
    for step in STEP.finditer(page.read_text(encoding="utf-8")):
        if step["file"]:
            (tmp_path / step["file"]).write_text(step["text"], encoding="utf-8")
        else:
            commands = [line for line in step["commands"].splitlines() if line.strip()]
            run(commands, tmp_path, tmp_path / "cache")
