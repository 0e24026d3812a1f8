"""Every command in the README and the docs runs as it is printed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from cardio_core.testing import call_cardio

ROOT = Path(__file__).parents[2]
MADE = {"reference", "plugins"}
"""Folders of docs that the site makes from the code."""
PAGES = sorted(
    page
    for page in [
        ROOT / "README.md",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("plugins/*/README.md"),
        *ROOT.glob("examples/*/README.md"),
    ]
    if not (page.is_relative_to(ROOT / "docs") and page.relative_to(ROOT / "docs").parts[0] in MADE)
)
SHELL = set("|<>;&$*`")
"""What only a shell understands; a command without them is called in this process."""
BLOCK = re.compile(r"(<!-- slow -->\n)?```sh\n(.*?)```", re.DOTALL)


def blocks(slow: bool):
    for page in PAGES:
        if page.parent.name == "tutorials":
            continue  # read from top to bottom in one folder: test_tutorials.py
        for number, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8"))):
            if bool(match[1]) == slow:
                lines = [line.split("  #")[0].strip() for line in match[2].splitlines()]
                commands = [line for line in lines if line and not line.startswith("#")]
                yield pytest.param(commands, id=f"{page.relative_to(ROOT)}-{number}")


def run(commands, folder, cache):
    if any("$CARDIO_DATA" in command for command in commands) and "CARDIO_DATA" not in os.environ:
        pytest.skip("CARDIO_DATA is not set")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "CARDIO_CACHE": str(cache)}
    for command in commands:
        program, *words = command.split()
        if program == "make":
            assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
            continue
        if program == "pip" and words[-1].startswith("./examples/"):
            ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
            shutil.copytree(ROOT / words[-1], folder / words[-1], ignore=ignored)
        if program == "pip" and words[-1].startswith("./") and (folder / words[-1]).is_dir():
            put = folder / "installed"  # a plugin that an earlier line of the page made
            install = ["install", "-q", "--no-index", "--no-deps", "--no-build-isolation"]
            command = shlex.join([sys.executable, "-m", "pip", *install, "--target", str(put),
                                  words[-1]])  # fmt: skip
            before = environment.get("PYTHONPATH", "")
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(put), before]))
        elif program in {"pip", "git"}:
            continue
        if program == "python":
            command = re.sub(r"(?<![\w/])(benchmarks|core|plugins|tests)/", rf"{ROOT}/\1/", command)
        command = command.replace(" docs/", f" {ROOT}/docs/")
        if program == "cardio" and not (SHELL & set(command) or (folder / "installed").exists()):
            with mock.patch.dict(os.environ, environment):
                said = call_cardio(*shlex.split(command)[1:], folder=folder)
            code, stdout, stderr = said.exit_code, said.stdout, said.stderr
        else:
            done = subprocess.run(
                ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True
            )
            code, stdout, stderr = done.returncode, done.stdout, done.stderr
        assert code == 0, f"{command}\n{stdout[-2000:]}\n{stderr[-2000:]}"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("commands", list(blocks(slow=False)))
def test_the_commands_of_a_page_run_as_printed(commands, tmp_path, cache):
    run(commands, tmp_path, cache)


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize("commands", list(blocks(slow=True)))
def test_the_long_commands_of_a_page_run_as_printed(commands, tmp_path, cache):
    run(commands, tmp_path, cache)


def test_the_glossary_is_short_and_names_a_word_once():
    table = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", table, re.MULTILINE)
    assert 20 <= len(words) == len(set(words)) <= 45


def test_the_hook_table_of_the_guide_names_every_hook_with_its_arguments():
    from inspect import signature

    from cardio_core import hookspecs

    guide = (ROOT / "docs" / "writing_a_plugin.md").read_text(encoding="utf-8")
    for hook in hookspecs.HOOKS:
        arguments = ", ".join(signature(getattr(hookspecs, hook)).parameters)
        assert f"`{hook}({arguments})`" in guide


@pytest.mark.parametrize(
    "page", ["docs/plugin_reference.md", "core/cardio-core/src/cardio_core/hookspecs.py"]
)
def test_what_is_said_of_the_context_is_there(page):
    from dataclasses import fields

    from cardio_core.context import Context

    known = {one.name for one in fields(Context)} | set(dir(Context))
    named = set(re.findall(r"\bctx\.([a-z_]+)", (ROOT / page).read_text(encoding="utf-8")))
    assert len(named) > 5
    assert sorted(named - known) == []
