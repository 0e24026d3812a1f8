"""Commands come from what is installed; errors say who claims or brings one that cannot run."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cardio_stats.cli.lazy import BROUGHT_BY

ROOT = Path(__file__).parents[2]
PROJECTS = [
    tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    for path in sorted(ROOT.glob("core/*/pyproject.toml"))
]
OURS = {
    one["name"].replace("-", "_"): one["entry-points"]["cardio.commands"]
    for one in PROJECTS
    if "entry-points" in one
}
GROUP = {name: module for points in OURS.values() for name, module in points.items()}


@pytest.fixture
def installed(tmp_path):
    """Install distributions, each with its entry points; return how to call `cardio` with them."""

    def write(**distributions: dict[str, str]):
        for name, points in distributions.items():
            about = tmp_path / f"{name}-9.dist-info"
            about.mkdir()
            title = name.replace("_", "-")
            (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {title}\nVersion: 9\n")
            lines = "\n".join(f"{point} = {module}" for point, module in points.items())
            (about / "entry_points.txt").write_text(f"[cardio.commands]\n{lines}\n")

        def call(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "cardio_core", *words],
                env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
                capture_output=True, encoding="utf-8", check=False,
            )  # fmt: skip

        return call

    return write


def module(folder: Path, name: str, **commands: tuple[str, str]) -> None:
    (folder / f"{name}.py").write_text(f"COMMANDS = {commands!r}\nEXAMPLES = {{}}\n")


def test_a_stranger_may_add_a_command(installed, tmp_path):
    (tmp_path / "their_command.py").write_text(
        "import click\n@click.command()\ndef hum():\n    '''Hum.'''\n    click.echo('mm')\n"
    )
    module(tmp_path, "theirs", hum=("their_command:hum", "Hum a little."))
    cardio = installed(**OURS, humming={"hum": "theirs"})
    assert "Hum a little." in cardio("--help").stdout
    assert cardio("hum").stdout == "mm\n"


def test_a_command_of_two_distributions_is_refused_with_both_and_the_others_run(
    installed, tmp_path
):
    module(tmp_path, "theirs", judge=("os:getcwd", "Judge otherwise."))
    cardio = installed(**OURS, other_judge={"judge": "theirs"})
    said = cardio("judge", "predictions.csv")
    assert said.returncode == 2
    assert "cardio-studies" in said.stderr and "other-judge" in said.stderr
    overview = cardio("--help")
    assert overview.returncode == 0
    assert "other-judge" in overview.stdout and "Judge otherwise" not in overview.stdout
    assert cardio("doctor", "--help").returncode == 0


def test_commands_that_cannot_be_read_are_named_and_the_others_run(installed, tmp_path):
    (tmp_path / "theirs.py").write_text("raise OSError('no such disk')\n")
    cardio = installed(**OURS, broken_one={"hum": "theirs"})
    overview = cardio("--help")
    assert overview.returncode == 0
    assert "broken-one" in overview.stdout and "no such disk" in overview.stdout
    said = cardio("hum")
    assert said.returncode == 2
    assert "broken-one" in said.stderr


@pytest.mark.parametrize(("words", "distribution"), BROUGHT_BY.items())
def test_a_command_that_is_not_installed_names_the_folder_and_the_wheel_that_bring_it(
    installed, words, distribution
):
    absent = {name: {} for name in OURS if name != "cardio_core"}
    cardio = installed(cardio_core=OURS["cardio_core"], **absent)
    said = cardio(*words.split(), "anything")
    assert said.returncode == 2
    assert f"./core/{distribution} " in said.stderr
    assert f"{distribution.replace('-', '_')}-*.whl" in said.stderr
    assert f"pip install {distribution}" not in said.stderr


def test_what_may_be_absent_is_all_that_the_core_does_not_bring():
    assert list(GROUP) == ["core", "stats", "studies", "ultrasound"]
    # The subcommands of an absent group need no line: its own says who brings it.
    groups = {name: __import__(path, fromlist=["_"]).COMMANDS for name, path in GROUP.items()}
    others = {w for name in groups if name != "core" for w in groups[name]}
    absent = {w for w in others if w.rpartition(" ")[0] not in others}
    assert absent == set(BROUGHT_BY)
    every = [words for commands in groups.values() for words in commands]
    assert len(every) == len(set(every))
    assert {words.rpartition(" ")[0] for words in every} <= {"", *every}


def test_a_core_whose_metadata_are_older_than_its_code_is_to_be_installed_again(installed):
    said = installed(cardio_core={})("run", "--plugin", "ecg_transfer")
    assert said.returncode == 2
    assert "install it again" in said.stderr
    assert installed()("--help").returncode == 0
