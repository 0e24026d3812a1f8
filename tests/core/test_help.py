"""Help shows examples that can be typed, and the shell completes names."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path
from unittest import mock

import click
import pytest

from cardio_core.cli.main import cardio
from cardio_core.testing import call_cardio, every_command
from cardio_stats.cli.lazy import registered

COMMANDS = every_command()


def test_every_command_has_examples_and_no_example_is_of_none():
    assert set(COMMANDS) == set(registered().examples)


@pytest.mark.parametrize(("words", "examples"), registered().examples.items())
def test_examples_use_options_that_there_are(words, examples):
    for typed, _ in examples:
        assert missing(words, typed) == []


def missing(words, typed):
    """Return the required options that an example leaves out."""
    path, rest = words.split(), shlex.split(typed)
    while isinstance(command := COMMANDS[" ".join(path)], click.Group):
        path.append(rest.pop(0))
    context = click.Context(command, info_name=" ".join(path))
    values, _, _ = command.make_parser(context).parse_args(rest)
    return [
        one.opts[0]
        for one in command.params
        if one.required and values.get(one.name) in (None, (), [])
    ]


TABLES = Path(__file__).parents[2] / "docs" / "examples"
RUN = [
    (words, typed)
    for words, examples in registered().examples.items()
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


def test_every_command_with_a_result_prints_it_as_json_under_one_option():
    leaves = {words: one for words, one in COMMANDS.items() if not isinstance(one, click.Group)}
    options = {words: [option for option in one.params if "--json" in option.opts]
               for words, one in leaves.items()}  # fmt: skip
    assert [words for words, found in options.items() if not found] == ["completion"]  # a script
    assert {(option.name, option.is_flag) for found in options.values() for option in found} == {
        ("as_json", True)
    }


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("plugins new ppg", {"plugin", "folder", "n_files"}),
        ("data synth spect_polar --task mfr --patients 2 --out made", {"folder", "seed", "task"}),
        ("data forget", {"cache", "forgotten", "n_patients"}),
        ("stats forest forest.csv --svg forest.svg", {"svg", "n_estimates", "n_left_out"}),
    ],
)
def test_what_makes_files_says_as_json_what_it_made(typed, keys, tmp_path, monkeypatch):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "forest.csv").write_text("label,estimate,low,high\nage,1.2,1.1,1.3\n")
    said = call_cardio(*shlex.split(typed), "--json", folder=tmp_path)
    assert said.exit_code == 0, said.stderr
    assert keys <= set(said.json)


def test_groups_have_two_to_four_examples():
    groups = [words for words, one in COMMANDS.items() if isinstance(one, click.Group)]
    assert groups == ["", "plugins", "data", "stats", "stats planner"]
    assert {2 <= len(registered().examples[words]) <= 4 for words in groups} == {True}


@pytest.mark.parametrize("words", registered().examples)
def test_help_ends_with_examples_that_fit_and_can_be_copied(words):
    said = call_cardio(*words.split(), "--help").stdout.partition("\n  Examples:\n")[2]
    assert [line for line in said.splitlines() if len(line) > 80] == []
    lines = iter(textwrap.dedent(said).replace("\\\n", "").splitlines())
    copied = [shlex.split(line) for line in lines if line.startswith("cardio")]
    assert copied == [["cardio", *words.split(), *shlex.split(typed)]
                      for typed, _ in registered().examples[words]]  # fmt: skip


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_that_says_where_it_goes(shell):
    said = call_cardio("completion", shell)
    assert said.exit_code == 0
    assert said.stdout.startswith("# ")
    assert "_CARDIO_COMPLETE" in said.stdout


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("plugins inf", "info"),
        ("run --plugin ecg_transfer --task ''", "crt_response aami_beats"),
        ("run --plugin ecg_transfer --config my_own.y", ""),
    ],
)
def test_bash_completes_once_the_script_is_sourced(typed, found):
    source = call_cardio("completion", "bash").stdout
    at = len(shlex.split(typed))
    words = f"COMP_WORDS=(cardio {typed}); COMP_CWORD={at}; _cardio_completion cardio"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f'{source}\n{words}\ncomplete -p cardio; echo "${{COMPREPLY[@]}}"'],
        capture_output=True, text=True, check=True, env={**os.environ, "PATH": path},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["complete -o nosort -F _cardio_completion cardio", found]
    assert [one for one in done.stderr.splitlines() if "compopt" not in one] == []


@pytest.mark.parametrize(
    ("typed", "begun", "found"),
    [
        ((), "jud", {"judge"}),
        (("stats",), "sur", {"survival"}),
        (("run", "--plugin"), "spect", {"spect_polar"}),
        (("plugins", "info"), "ecg", {"ecg_transfer"}),
        (("run",), "--res", {"--resume"}),
        (("run", "--plugin", "ecg_transfer", "--task"), "", {"crt_response", "aami_beats"}),
        (("run", "--plugin=spect_polar", "--task"), "m", {"mfr"}),
        (("run", "--task"), "aami", {"aami_beats"}),
        (("data", "check", "a.csv", "--plugin", "echo_cmr", "--task"), "v", {"view"}),
        (("data", "synth", "spect_polar", "--task"), "r", {"risk_factor"}),
        (("data", "template", "spect_polar", "--task"), "r", {"risk_factor"}),
        (("plugins", "info", "spect_polar", "--settings", "--task"), "m", {"mfr"}),
        (("plugins", "check", "spect_polar", "--task"), "m", {"mfr"}),
        (("measure", "--plugin", "spect_polar", "--task"), "m", {"mfr"}),
        (("run", "--plugin", "spect_polar", "--config"), "", {"cpu", "default", "full", "smoke"}),
        (("data", "check", "a.csv", "--plugin", "echo_cmr", "--config"), "sm", {"smoke"}),
        (("measure", "--config"), "d", {"default"}),
        (("data", "fetch"), "mit", {"mitdb"}),
    ],
)
def test_the_shell_completes_commands_options_and_names(typed, begun, found):
    assert completed(*typed, begun=begun) == found


def completed(*typed, begun):
    from click.shell_completion import ShellComplete

    with mock.patch.dict(os.environ):
        os.environ.pop("CARDIO_PLUGINS", None)
        completer = ShellComplete(cardio, {}, "cardio", "_CARDIO_COMPLETE")
        return {one.value for one in completer.get_completions(list(typed), begun)}


def test_a_plugin_that_cannot_be_opened_completes_nothing(monkeypatch):
    monkeypatch.setattr("cardio_core.cli.completion._installed", lambda: ["nobody_has_this"])
    assert completed("run", "--plugin", "nobody_has_this", "--task", begun="") == set()
