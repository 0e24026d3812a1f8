"""`cardio data list`, `fetch` and `rpeaks` as a user meets them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from cardio_core import registry
from cardio_core.cli.data import data
from cardio_core.errors import PluginError
from cardio_core.io import datasets as fetching
from cardio_core.io.datasets import Fetched
from cardio_core.testing import names
from cardio_core.types.info import PluginInfo
from cardio_stats.errors import ConfigError


def cardio_data(*arguments: str) -> Result:
    return CliRunner().invoke(data, arguments)


def test_list_says_of_every_set_what_it_is_and_on_which_terms(monkeypatch):
    monkeypatch.delenv("CARDIO_DATA", raising=False)
    output = cardio_data("list").output
    assert "MIT-BIH Arrhythmia Database" in output
    assert "Open Data Commons Attribution" in output
    assert "Moody" in output
    assert "Wagner" in output
    assert "read by: ecg_transfer" in output
    assert "CARDIO_DATA is not set" in output


def test_list_finds_a_set_by_its_files_and_not_by_its_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("CARDIO_DATA", str(tmp_path))
    (tmp_path / "ptbxl").mkdir()
    (tmp_path / "mitdb").mkdir()
    (tmp_path / "mitdb" / "100.hea").write_text("100 2 360 650000\n")
    rows = {row["name"]: row for row in json.loads(cardio_data("list", "--json").output)}
    assert rows["mitdb"]["found"] == str(tmp_path / "mitdb")
    assert rows["ptbxl"]["found"] is None
    assert rows["mitdb"]["version"] == "1.0.0"
    assert rows["ptbxl"]["version"] == "1.0.3"


def test_fetch_suggests_the_right_name_for_a_misspelt_one():
    error = cardio_data("fetch", "mitbd").exception
    assert isinstance(error, ConfigError)
    assert names(error, "mitdb")


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
    lines = cardio_data("fetch", "mitdb", *option).output.splitlines()
    where = {"option": tmp_path / "there", "variable": tmp_path / "sets", "neither": Path("data")}
    assert lines[1].startswith("Licence: Open Data Commons")
    assert lines[2].startswith("Cite: Moody")
    assert lines[-1] == f"Use it: cardio run --plugin ecg_transfer --data {where[given] / 'mitdb'}"


def plugin_that_finds_peaks(monkeypatch) -> None:
    module = ModuleType("a_detector")

    def rpeaks(path, *, channel=None):
        lead = "II" if channel is None else f"lead {channel}"
        return {
            "rate_hz": 250.0,
            "leads": ["I", "II"],
            "lead": lead,
            "samples": [100, 300, 500],
            "times_s": [0.4, 1.2, 2.0],
            "polarity": [1, -1, 1],
            "heart_rate_bpm": 75.0,
            "flags": ["baseline wander in I"],
        }

    module.rpeaks = rpeaks
    monkeypatch.setitem(sys.modules, "a_detector", module)
    info = PluginInfo("a", "A", (), "t", "m:C", "m", "m:f", tools={"rpeaks": "a_detector:rpeaks"})
    broken = registry.Found("z", "cardio-z", "1", None, "cannot be imported")
    found = registry.Found("a", "cardio-a", "1", info)
    monkeypatch.setattr(registry, "list_plugins", lambda: iter([broken, found]))


def test_rpeaks_prints_the_facts_and_then_every_time(monkeypatch):
    plugin_that_finds_peaks(monkeypatch)
    assert cardio_data("rpeaks", "100").output.splitlines() == [
        "100: 3 R peaks, lead II, 250 Hz, 2 up, 1 down, 75 per minute",
        "  flag: baseline wander in I",
        "  0.400 1.200 2.000",
    ]


def test_rpeaks_hands_over_the_channel_and_prints_one_object(monkeypatch):
    plugin_that_finds_peaks(monkeypatch)
    found = json.loads(cardio_data("rpeaks", "some/100", "--channel", "1", "--json").output)
    assert found["record"] == "100"
    assert found["lead"] == "lead 1"
    assert found["samples"] == [100, 300, 500]


@pytest.mark.parametrize("channel", ["-1", "II", "1.5", ""])
def test_rpeaks_refuses_what_is_no_channel(monkeypatch, channel):
    plugin_that_finds_peaks(monkeypatch)
    error = cardio_data("rpeaks", "100", "--channel", channel).exception
    assert isinstance(error, ConfigError)
    assert error.code == "out_of_range" and names(error, "--channel", "all")


def test_rpeaks_without_a_plugin_names_the_folder_to_install_from(monkeypatch):
    broken = registry.Found("ecg", "cardio-ecg", "1", None, "cannot be imported: no wfdb")
    monkeypatch.setattr(registry, "list_plugins", lambda: iter([broken]))
    error = cardio_data("rpeaks", "100").exception
    assert isinstance(error, PluginError)
    assert "pip install ./plugins/ecg_transfer" in str(error)
    assert "no wfdb" in str(error)
