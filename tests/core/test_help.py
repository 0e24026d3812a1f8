"""Help shows examples that can be typed, and the shell completes names."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from unittest import mock

import click
import pytest

from cardio_core.cli.examples import EXAMPLES
from cardio_core.cli.main import cardio
from cardio_core.testing import call_cardio


def _commands(group: click.Group, ctx: click.Context, path: tuple[str, ...] = ()):
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        inner = click.Context(command, info_name=name, parent=ctx)
        if isinstance(command, click.Group):
            yield from _commands(command, inner, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(_commands(cardio, click.Context(cardio, info_name="cardio")))


def test_every_command_has_examples_and_no_example_is_of_none():
    assert set(COMMANDS) == set(EXAMPLES)


@pytest.mark.parametrize(
    ("words", "typed"),
    [(words, typed) for words, examples in EXAMPLES.items() for typed, _ in examples],
)
def test_an_example_uses_options_that_there_are(words, typed):
    command = COMMANDS[words]
    context = click.Context(command, info_name=words)
    values, _, _ = command.make_parser(context).parse_args(shlex.split(typed))
    missing = [
        one.opts[0]
        for one in command.params
        if one.required and values.get(one.name) in (None, (), [])
    ]
    assert missing == []


TABLES = Path(__file__).parents[2] / "docs" / "examples"
RUN = [
    (words, typed)
    for words, examples in EXAMPLES.items()
    for typed, _ in examples
    if words.startswith(("stats ", "data list", "completion"))
    and words not in ("stats mixed", "stats subgroups")  # test_commands.py runs the same
    and "/" not in typed
    and all((TABLES / one).is_file() or before == "--out"
            for before, one in pairwise(["", *typed.split()]) if one.endswith(".csv"))
]  # fmt: skip
"""Examples that need no file but those of the documentation."""


@pytest.mark.parametrize(("words", "typed"), RUN)
def test_an_example_does_what_it_says_where_its_table_is_there(words, typed, tmp_path):
    shutil.copytree(TABLES, tmp_path / "here")
    said = call_cardio(*words.split(), *shlex.split(typed), folder=tmp_path / "here")
    assert said.exit_code == 0, said.stderr
    assert len(RUN) > 10


def test_help_ends_with_the_examples_line_by_line():
    said = call_cardio("stats", "planner", "auc", "--help").stdout
    assert "Examples:\n  cardio stats planner auc --auc .8" in said.replace("\n    ", "\n  ")
    assert "Examples:" not in call_cardio("stats", "--help").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_that_says_where_it_goes(shell):
    said = call_cardio("completion", shell)
    assert said.exit_code == 0
    assert said.stdout.startswith("# ")
    assert "_CARDIO_COMPLETE" in said.stdout


def test_bash_completes_once_the_script_is_sourced():
    source = call_cardio("completion", "bash").stdout
    words = "COMP_WORDS=(cardio plugins inf); COMP_CWORD=2; _cardio_completion cardio"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f'{source}\n{words}\ncomplete -p cardio; echo "${{COMPREPLY[@]}}"'],
        capture_output=True, text=True, check=True, env=os.environ | {"PATH": path},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["complete -o nosort -F _cardio_completion cardio", "info"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("typed", "begun", "found"),
    [
        ((), "jud", {"judge"}),
        (("stats",), "sur", {"survival"}),
        (("run", "--plugin"), "spect", {"spect_polar"}),
        (("plugins", "info"), "ecg", {"ecg_transfer"}),
        (("run",), "--res", {"--resume"}),
    ],
)
def test_the_shell_completes_commands_options_and_plugins(typed, begun, found):
    from click.shell_completion import ShellComplete

    with mock.patch.dict(os.environ):
        os.environ.pop("CARDIO_PLUGINS", None)
        completer = ShellComplete(cardio, {}, "cardio", "_CARDIO_COMPLETE")
        assert {one.value for one in completer.get_completions(list(typed), begun)} == found
