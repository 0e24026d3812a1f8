"""Every `cardio ...` that a page names, run by a test or not, is a command with these options.

Commands that can be run are run (test_commands.py, test_tutorials.py). Others hold a placeholder or
take a cluster; they are read here as the command line reads them, so that a renamed command or
option fails at once.
"""

from __future__ import annotations

import re
import shlex

import click
import pytest

from cardio_core.cli.main import cardio
from cardio_core.cli.plugin_options import WithPluginOptions
from cardio_core.registry import open_plugin

from .test_commands import ROOT
from .test_links import FENCE, INLINE, PAGES
from .test_site import PLUGINS

LINE = re.compile(r"^(?: {4,}|\s*(?:- run: |srun |\$ )|)cardio +(.+)$", re.M)
INDENTED = re.compile(r"(?:^ {4,}.*\n?)+", re.M)
ENDS = re.compile(r"\s+(?:[|>&;]|2>|#|\.\.\.).*$")


def typed(text: str) -> set[str]:
    """Return what follows `cardio` wherever a page's text shows it as something to type."""
    text = text.replace("\\\n", " ")
    shown = [block[0] for block in FENCE.finditer(text)]
    rest = FENCE.sub("", text)
    shown += [block[0] for block in INDENTED.finditer(rest)]
    found = {words for block in shown for words in LINE.findall(block)}
    found |= {
        code[0].strip("`").partition("cardio ")[2]
        for code in INLINE.finditer(rest)
        if code[0].strip("` ").startswith("cardio ")
    }
    return {ENDS.sub("", words).strip() for words in found}


def wrong_with(words: str, plugin_options: frozenset[str]) -> str:
    """Return what is wrong with a command as a page writes it; empty where nothing is."""
    try:
        left = shlex.split(words)
    except ValueError as error:
        return str(error)
    command, path = cardio, ["cardio"]
    while isinstance(command, click.Group) and left and not _stands_for_any(left[0]):
        if left[0].startswith("-"):
            break
        context = click.Context(command, info_name=path[-1])
        choices = left[0].split("|")
        if missing := [one for one in choices if one not in command.list_commands(context)]:
            return f"{' '.join(path)} has no command {missing[0]}"
        command = command.get_command(context, choices[0])
        path.append(left.pop(0))
    known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    known |= {"--help", "-h", "--version"}
    if isinstance(command, WithPluginOptions):
        known |= plugin_options
    options = {one.partition("=")[0].strip("[]") for one in left if re.match(r"\[?--?[a-z]", one)}
    lacking = sorted(options - known) if not _stands_for_any(path[-1]) else []
    return f"{' '.join(path)} has no option {lacking[0]}" if lacking else ""


def _stands_for_any(word: str) -> bool:
    return word in {"...", "…"} or word == word.upper()


@pytest.fixture(scope="module")
def plugin_options():
    infos = [open_plugin(name).info for name in PLUGINS]
    return frozenset(
        f"--{one.name}".replace("_", "-")
        for info in infos
        for task in info.tasks
        for one in task.options
    )


def test_every_command_that_a_page_names_is_one(plugin_options):
    wrong = {
        f"{page.relative_to(ROOT)}: {words}": why
        for page in PAGES
        if page.name != "CHANGELOG.md"  # it names commands of older versions, too
        for words in typed(page.read_text(encoding="utf-8"))
        if (why := wrong_with(words, plugin_options))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Type `cardio run --plugin x --out y`.", False),
        ("Type `cardio runs --plugin x`.", True),
        ("Type `cardio run --plugins x`.", True),
        ("Type:\n\n    cardio data cheque a.csv\n", True),
        ("```bash\nsrun cardio run --plugin x \\\n    --reprise\n```", True),
        ("`cardio stats table1|univariable FILE`", False),
        ("`cardio COMMAND --help`", False),
    ],
)
def test_a_command_that_is_none_is_found(text, wrong, plugin_options):
    (words,) = typed(text)
    assert bool(wrong_with(words, plugin_options)) == wrong
