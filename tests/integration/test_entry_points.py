"""A mistyped entry point is named, with what it should say."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardio_core.registry import list_plugins
from cardio_core.registry.diagnostics import how_to_get
from cardio_core.testing import names


@pytest.fixture
def stray(tmp_path, monkeypatch):
    """Install a package of three modules, whose entry point is called stray, in a group."""

    def write(group: str, module: str) -> None:
        (tmp_path / "cardio_stray").mkdir()
        for name in ("__init__", "plugin", "load"):
            (tmp_path / "cardio_stray" / f"{name}.py").write_text("")
        about = tmp_path / "cardio_stray-0.1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: cardio-stray\nVersion: 0.1\n")
        (about / "entry_points.txt").write_text(f"[{group}]\nstray = {module}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return write


def reason() -> str:
    return next(plugin.reason for plugin in list_plugins() if plugin.name == "stray")


def test_one_that_names_a_module_that_is_not_there_is_told_those_that_are(stray):
    stray("cardio.plugins", "cardio_stray.plugins")
    assert names(
        reason(),
        "stray",
        "cardio-stray",
        "pyproject.toml",
        "cardio_stray.plugins",
        "load",
        "plugin",
    )


def test_one_that_names_a_package_that_is_not_there_is_told_to_install_it(stray):
    stray("cardio.plugins", "cardio_gone.plugin")
    assert names(reason(), "install", "cardio_gone")


def test_one_in_a_group_of_another_name_is_found(stray, cardio):
    stray("cardio.plugin", "cardio_stray.plugin")
    said = cardio("plugins", "info", "stray")
    assert said.exit_code == 2
    assert names(
        said.stderr, "cardio.plugin", "cardio.plugins", "project.entry-points", "pyproject.toml"
    )
    assert "./plugins" not in said.stderr
    assert said.stderr.count("\n") == 1


def test_only_a_plugin_of_this_checkout_is_sought_among_its_plugins(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    assert "pip install ./plugins/ecg_transfer" in how_to_get("ecg_transfer", "cardio.plugins")
    assert "pip install FOLDER" in how_to_get("nobodys", "cardio.plugins")
