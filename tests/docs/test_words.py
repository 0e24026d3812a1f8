"""Pages and help texts keep to standard English: these words of the project's own are gone."""

from __future__ import annotations

import re

from cardio_core.testing import every_command
from cardio_stats.cli.lazy import registered

from .test_commands import PAGES, ROOT

PRIVATE = re.compile(
    r"\b(beside|told|whoever|in (his|her|its) turn|of (its|their|his) own|so that who)\b", re.I
)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def test_no_page_has_a_private_word():
    found = {
        str(page.relative_to(ROOT)): words
        for page in [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
        if (words := PRIVATE.findall(CODE.sub("", page.read_text(encoding="utf-8"))))
    }
    assert found == {}


def test_the_help_of_no_command_has_a_private_word():
    texts = [
        text
        for command in every_command().values()
        for text in (command.help, *(getattr(option, "help", "") for option in command.params))
    ]
    assert len(texts) > 200
    assert [text for text in texts if PRIVATE.search(text or "")] == []


def test_the_help_of_every_command_has_an_example():
    commands = every_command()
    groups = {name.rpartition(" ")[0] for name in commands}
    assert [name for name in commands if not registered().examples.get(name)
            and name not in groups] == []  # fmt: skip
