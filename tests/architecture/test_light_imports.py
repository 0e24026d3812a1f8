"""Answering `--help` and listing plugins import nothing heavy."""

from __future__ import annotations

import importlib

import click
import pytest

from cardio_core.testing import every_command
from cardio_core.testing.plugin_checks import HEAVY, heavy_modules_after
from cardio_stats.cli.lazy import LazyGroup

from . import source_files as source

COMMANDS = [tuple(words.split()) for words in every_command()]


def test_the_tree_of_commands_is_the_documented_one():
    words = {" ".join(path) for path in COMMANDS}
    assert {
        "run", "predict", "report", "doctor", "plugins list", "plugins info", "plugins check",
        "data list", "data fetch", "data synth", "data check", "data rpeaks",
    } <= words  # fmt: skip


EACH = """
import sys
from cardio_core.cli.main import main
for words in {words!r}:
    sys.argv = ["cardio", *words]
    try:
        main()
    except SystemExit as stop:
        assert stop.code in (0, 2, None), (words, stop.code)
    heavy = [name for name in {heavy!r} if name in sys.modules]
    assert not heavy, (words, heavy)
"""
"""Commands one after another in one interpreter, which ends at the first that imports too much."""


def answered_lightly(*commands):
    return heavy_modules_after(EACH.format(words=commands, heavy=HEAVY)) == []


def test_help_imports_nothing_heavy():
    assert answered_lightly(*((*words, "--help") for words in COMMANDS))


def test_what_is_typed_wrong_is_refused_before_anything_heavy_is_imported():
    wrong = (
        ("--data", "nowhere"), ("--config", "no.yaml"), ("--resume",), ("--resume", "--out", "no"),
    )  # fmt: skip
    assert answered_lightly(*(("run", "--plugin", "ecg_transfer", *words) for words in wrong))


def test_every_command_says_what_it_does_and_what_its_options_mean():
    for words, command in every_command().items():
        assert command.help, words
        for option in command.params:
            if isinstance(option, click.Option):
                said = option.help or option.show_default
                assert said, f"{words} {option.opts[0]}: neither help nor a default"


def test_the_line_of_a_lazy_command_agrees_with_its_own_help():
    def lazy_groups(group: click.Command) -> list[LazyGroup]:
        if not isinstance(group, LazyGroup):
            return []
        inner = [group.get_command(click.Context(group), name) for name in group.lazy]
        return [group, *(found for one in inner if one for found in lazy_groups(one))]

    for group in lazy_groups(every_command()[""]):
        for name, (where, about) in group.lazy.items():
            module, _, attribute = where.partition(":")
            command = getattr(importlib.import_module(module), attribute)
            assert command.name == name
            assert about.endswith(".")


@pytest.mark.parametrize("package", source.PLUGINS.values(), ids=lambda path: path.name)
def test_the_module_of_a_plugin_imports_nothing_heavy(package):
    assert heavy_modules_after(f"import {package.name}.plugin") == []


def test_the_api_itself_imports_nothing_until_a_name_is_asked_for():
    assert heavy_modules_after("import cardio_core.api") == []
    light = "from cardio_core.api import Model, PluginInfo, Target, Task, hookimpl"
    assert heavy_modules_after(light) == []
    assert "pydantic" in heavy_modules_after("from cardio_core.api import RunConfig")


def test_ultrasound_needs_no_torch_and_imports_nothing_until_a_name_is_asked_for():
    assert heavy_modules_after("import cardio_ultrasound") == []
    everything = heavy_modules_after("from cardio_ultrasound import *")
    assert "numpy" in everything
    assert "torch" not in everything


def test_short_answers_and_misspelt_names_import_nothing_heavy():
    assert answered_lightly(
        ("--version",),
        ("plugins", "list"),
        ("measure", "--plugin", "spect_polar", "--help"),
        ("measure", "--plugin", "spect_polar", "--voxl-mm", "4,4,4", "file.nii"),
        ("data", "list"),
        ("run", "--plugin", "ecg_transfr"),
        ("data", "fetch", "mitbd"),
        ("rnu",),
    )


def test_no_package_of_the_core_imports_anything_heavy_by_itself():
    packages = [
        source.module_of(path, package)
        for package in source.SHARED.values()
        for path in package.rglob("__init__.py")
    ]
    ours = [name for name in packages if ".template." not in name]
    assert heavy_modules_after("\n".join(f"import {name}" for name in sorted(ours))) == []
