"""Pages and help texts keep to standard English: these words of the project's own are gone."""

from __future__ import annotations

import re

import pytest

from cardio_core.registry import open_plugin
from cardio_core.registry.settings import setting_words, settings_of
from cardio_core.testing import every_command
from cardio_stats.cli.lazy import registered

from .test_commands import PAGES, ROOT

PRIVATE = re.compile(
    r"\b(besides?|told|whoever|in (his|her|its) turn|of (its|their|his) own|so that who"
    r"|minted|mints|asked once|at the door|fitted on nobody|searched to its ends)\b",
    re.I,
)
PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir() if path.is_dir())
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


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_settings_columns_and_options_of_no_plugin_have_a_private_word(plugin):
    info = open_plugin(plugin).info
    texts = [
        text
        for task in info.tasks
        for text in (
            *(setting_words(setting) for setting in settings_of(info, task)),
            *task.columns.values(),
            *(option.help for option in task.options),
        )
    ]
    assert len(texts) > 20
    assert [text for text in texts if PRIVATE.search(text)] == []


def test_the_help_of_every_command_has_an_example():
    commands = every_command()
    groups = {name.rpartition(" ")[0] for name in commands}
    assert [name for name in commands if not registered().examples.get(name)
            and name not in groups] == []  # fmt: skip
