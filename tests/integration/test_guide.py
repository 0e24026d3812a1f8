"""The guide's own snippets are a plugin: it is installed from the page and keeps the contract."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cardio_core import api
from cardio_core.testing import PluginContract

GUIDE = Path(__file__).parents[2] / "docs" / "writing_a_plugin.md"
BLOCK = re.compile(r"```(?:python|toml|yaml)\n(.*?)```", re.DOTALL)
FILES = {
    text.partition("\n")[0].removeprefix("# "): text.partition("\n")[2]
    for text in BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
}
"""Every snippet of the guide, by the file that its first line names."""


@pytest.fixture(scope="module")
def tiny(install: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin of the page, installed."""
    folder = tmp_path_factory.mktemp("guide") / "tiny"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    install(folder)
    return folder


@pytest.mark.usefixtures("tiny")
class TestContract(PluginContract):
    plugin = "tiny"
    tasks = ("illness",)


def test_every_snippet_names_its_file():
    assert [name for name in FILES if not re.fullmatch(r"[\w./]+\.(py|toml|yaml)", name)] == []


def test_the_smallest_plugin_is_sixty_lines_of_python_and_one_yaml():
    # The sheet comes later on the page and may be left out.
    python = [
        text
        for name, text in FILES.items()
        if name.startswith("src/") and ".py" in name and "sheet" not in name
    ]
    lines = [line for text in python for line in text.splitlines() if line.strip()]
    assert len(lines) <= 60
    assert [name for name in FILES if name.endswith(".yaml")] == [
        "src/cardio_tiny/configs/default.yaml"
    ]


def test_every_name_of_the_api_stands_in_one_tier():
    reference = GUIDE.with_name("plugin_reference.md").read_text(encoding="utf-8")
    tiers = reference.partition("| tier | names |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"`(\w+)`", tiers)) == sorted(api.__all__)


def test_the_sheet_of_the_page_is_drawn_by_measure(cardio, tiny, tmp_path):
    cardio("data", "synth", "tiny", "--out", tmp_path / "made", "--patients", "2")
    said = cardio("measure", "--plugin", "tiny", tmp_path / "made", "--out", tmp_path / "out")
    assert said.exit_code == 0, said.stderr
    table = (tmp_path / "out" / "measurements.csv").read_text(encoding="utf-8")
    assert table.splitlines()[0] == "id,patient,height,sheet"
    assert "sheet.py failed" not in table
    assert len(list((tmp_path / "out" / "sheets").glob("*.png"))) == 2


@pytest.mark.slow
def test_the_tests_of_the_page_pass(tiny):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests"],
        cwd=tiny, env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
