"""`cardio data list` and `fetch` as a user meets them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from cardio_core import registry
from cardio_core.cli.data import data
from cardio_core.cli.doctor import examine
from cardio_core.errors import PluginError
from cardio_core.io import datasets as fetching
from cardio_core.io.datasets import Fetched
from cardio_core.registry import discovery
from cardio_core.testing import names
from cardio_core.types.info import PluginInfo
from cardio_stats.errors import ConfigError

SETS = [
    {
        "name": "waves", "version": "1.0.0", "title": "Waves of the Sea", "contents": "48 waves",
        "size_mb": 94, "licence": "Open Data Commons Attribution License v1.0",
        "cite": ("Moody 2001", "Goldberger 2000"), "page": "https://sea.org/waves/",
        "files_url": "https://sea.org/files/waves/1.0.0/", "witness": "100.hea",
    },
    {
        "name": "tides", "version": "1.0.3", "title": "Tides", "contents": "2 tides",
        "size_mb": 2_800, "licence": "CC BY 4.0", "cite": ("Wagner 2020",),
        "page": "https://sea.org/tides/", "files_url": "https://sea.org/files/tides/1.0.3/",
        "witness": "tides.csv",
    },
]  # fmt: skip


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    """Have one plugin that declares two data sets, and one that cannot be opened."""
    lending = ModuleType("a_shore")
    lending.datasets = lambda: SETS
    monkeypatch.setitem(sys.modules, "a_shore", lending)
    info = PluginInfo("sea", "Sea", (), tools={"datasets": "a_shore:datasets"})
    broken = registry.Found("z", "cardio-z", "1", None, "cannot be imported")
    found = registry.Found("sea", "cardio-sea", "1", info)
    monkeypatch.setattr(discovery, "list_plugins", lambda: iter([broken, found]))


def cardio_data(*arguments: str) -> Result:
    return CliRunner().invoke(data, arguments)


def test_list_says_of_every_set_what_it_is_and_on_which_terms(monkeypatch):
    monkeypatch.delenv("CARDIO_DATA", raising=False)
    output = cardio_data("list").output
    assert "Waves of the Sea" in output
    assert "Open Data Commons Attribution" in output
    assert "Moody" in output
    assert "Wagner" in output
    assert "read by: sea" in output
    assert "CARDIO_DATA is not set" in output


def test_list_finds_a_set_by_its_files_and_not_by_its_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("CARDIO_DATA", str(tmp_path))
    (tmp_path / "tides").mkdir()
    (tmp_path / "waves").mkdir()
    (tmp_path / "waves" / "100.hea").write_text("100 2 360 650000\n")
    rows = {row["name"]: row for row in json.loads(cardio_data("list", "--json").output)}
    assert rows["waves"]["found"] == str(tmp_path / "waves")
    assert rows["tides"]["found"] is None
    assert rows["waves"]["version"] == "1.0.0"
    assert rows["tides"]["version"] == "1.0.3"


def test_fetch_suggests_the_right_name_for_a_misspelt_one():
    error = cardio_data("fetch", "wavse").exception
    assert isinstance(error, ConfigError)
    assert names(error, "waves")


def test_a_data_set_with_a_field_that_there_is_not_is_refused_with_its_plugin(monkeypatch):
    monkeypatch.setitem(SETS[0], "license", "CC BY 4.0")
    error = cardio_data("list").exception
    assert isinstance(error, PluginError) and names(error, "sea", "datasets", "license")
    assert "license" in examine()["data"]["problem"]  # and the doctor goes on


@pytest.mark.parametrize("given", ["option", "variable", "neither"])
def test_fetch_says_licence_and_citation_first_and_goes_where_it_is_told(
    monkeypatch, tmp_path, given
):
    def pretend(dataset, parent, *, on_start, on_file):
        on_start(1)
        on_file("100.hea")
        return Fetched(parent / dataset.name, 1, 0)

    monkeypatch.setattr(fetching, "fetch_dataset", pretend)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CARDIO_DATA", raising=False)
    if given == "variable":
        monkeypatch.setenv("CARDIO_DATA", str(tmp_path / "sets"))
    option = ["--out", str(tmp_path / "there")] if given == "option" else []
    lines = cardio_data("fetch", "waves", *option).output.splitlines()
    where = {"option": tmp_path / "there", "variable": tmp_path / "sets", "neither": Path("data")}
    assert lines[1].startswith("Licence: Open Data Commons")
    assert lines[2].startswith("Cite: Moody")
    assert lines[-1] == f"Use it: cardio run --plugin sea --data {where[given] / 'waves'}"
