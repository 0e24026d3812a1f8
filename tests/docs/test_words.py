"""Pages and help texts keep to standard English: these words of the project's own are gone."""

from __future__ import annotations

import re

import pytest

from cardio_core.testing import every_command

from .test_commands import PAGES, ROOT

PRIVATE = re.compile(
    r"\b(beside|told|whoever|in (his|her|its) turn|of (its|their|his) own|so that who)\b", re.I
)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"],
    ids=lambda page: str(page.relative_to(ROOT)),
)  # fmt: skip
def test_a_page_has_no_private_word(page):
    assert PRIVATE.findall(CODE.sub("", page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("words", sorted(every_command()))
def test_the_help_of_a_command_has_no_private_word(words):
    command = every_command()[words]
    texts = [command.help or "", *(getattr(option, "help", "") or "" for option in command.params)]
    assert [text for text in texts if PRIVATE.search(text)] == []


@pytest.mark.parametrize("words", sorted(every_command()))
def test_the_help_of_a_command_has_an_example(words):
    from cardio_stats.cli.lazy import registered

    inside = [name for name in every_command() if name.startswith(f"{words} ".lstrip())]
    assert registered().examples.get(words) or inside
