"""Each broken twin is named with its fault, in one line, and never kills the command line."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cardio_core.registry import list_plugins
from cardio_core.testing.limits import HUNG_AFTER_S

CANNOT_BE_OPENED = {
    "another_major": r"written for API 3.0, this core offers 2.0; upgrade cardio-core",
    "newer_minor": r"written for API 2.99, this core offers 2.0; upgrade cardio-core",
    "crashing_import": r"ModuleNotFoundError: No module named 'a_package_that_nobody_has'",
    "without_info": r"has no constant INFO of type PluginInfo in cardio_broken.without_info",
}
BREAK_THE_CONTRACT = {
    "misspelt_hook": "featurise",
    "misspelt_argument": "sample",
    "missing_hook": "does not implement: predict",
    "asks_for_targets": "targets",
}
FAIL_AT_WORK = {
    "reads_inputs": "featurize asked for the input files; only load may read them",
    "wrong_type": "hook featurize: returned a ndarray, not a FeatureSet",
    "trains_nothing": "hook train: returned None; it must return a ModelArtifact",
    "leaves_a_pickle": "hook train: left a pickle (model.pkl)",
    "unknown_ids": "hook predict: predicts sample 'stranger0', which it was not given",
    "predicts_nan": "hook predict: target 'ill': 3 scores are not finite",
}


def test_the_list_shows_every_one_and_says_what_is_wrong_with_it(installed):
    found = {plugin.name: plugin for plugin in list_plugins()}
    assert {"toy", *CANNOT_BE_OPENED, *BREAK_THE_CONTRACT, *FAIL_AT_WORK} <= set(found)
    assert found["toy"].reason == ""
    assert (found["toy"].distribution, found["toy"].version) == ("cardio-toy", "0.2.0")
    for name, reason in CANNOT_BE_OPENED.items():
        assert reason in found[name].reason
        assert found[name].info is None


def test_the_command_lists_broken_plugins_and_succeeds(cardio):
    said = cardio("plugins", "list")
    assert said.exit_code == 0
    assert "broken: plugin 'crashing_import' (cardio-broken) cannot be imported" in said.stdout
    rows = {row["name"]: row for row in cardio("plugins", "list", "--json").json}
    assert rows["another_major"]["broken"]
    assert rows["toy"]["broken"] is None


@pytest.mark.parametrize(("name", "reason"), (CANNOT_BE_OPENED | BREAK_THE_CONTRACT).items())
def test_running_one_exits_with_2_before_anything_starts(cardio, tmp_path, name, reason):
    said = cardio("run", "--plugin", name, "--out", tmp_path / "run")
    assert said.exit_code == 2
    assert reason in said.stderr
    assert name in said.stderr
    assert said.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def few(write_twin: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough patients to reach the hook that breaks."""
    return write_twin(tmp_path_factory.mktemp("data") / "few", "mean_class", n_patients=4)


@pytest.mark.parametrize(("name", "reason"), FAIL_AT_WORK.items())
def test_a_hook_that_breaks_its_word_exits_with_1(cardio, few, tmp_path, name, reason):
    said = cardio(
        "run", "--plugin", name, "--data", few, "--out", tmp_path / "run", "--device", "cpu",
        "--executor", "local:1", "--protocol", "honest", "--set", "protocols.honest.k=2",
        "--set", "inner.k=0", "--set", "models=[ridge]",
    )  # fmt: skip
    assert said.exit_code == 1
    assert reason in said.stderr
    assert said.stderr.startswith("Error: ")
    assert said.stderr.count("\n") == 1


def test_the_traceback_is_shown_on_request(start_cardio: Callable[..., subprocess.Popen[str]]):
    process = start_cardio("--debug", "plugins", "info", "crashing_import")
    _, stderr = process.communicate(timeout=HUNG_AFTER_S)
    assert process.returncode == 2
    assert "Traceback" in stderr


def test_the_allow_list_hides_every_other_plugin(cardio, monkeypatch):
    monkeypatch.setenv("CARDIO_PLUGINS", "toy, another_major")
    rows = cardio("plugins", "list", "--json").json
    assert [row["name"] for row in rows] == ["another_major", "toy"]
    said = cardio("run", "--plugin", "missing_hook")
    assert said.exit_code == 2
    assert "installed: another_major, toy" in said.stderr


def test_doctor_names_the_broken_and_still_exits_with_0(cardio):
    said = cardio("doctor", "--json")
    assert said.exit_code == 0
    rows = {row["name"]: row for row in said.json["plugins"]}
    assert "a_package_that_nobody_has" in rows["crashing_import"]["broken"]
    assert rows["toy"]["broken"] is None


def test_info_describes_the_toy(cardio):
    said = cardio("plugins", "info", "toy", "--json")
    tasks = {task["name"]: task for task in said.json["tasks"]}
    assert tasks["second"]["needs"] == [
        {"task": "mean_class", "patients": "same", "for_new": False, "optional": False}
    ]
    assert set(said.json["configs"]) == {"default", "cpu", "full", "smoke"}
    text = cardio("plugins", "info", "toy").stdout
    assert "needs beats, of other patients" in text


def test_check_of_a_plugin_that_cannot_be_opened_says_why(cardio, clinic: Path):
    said = cardio("data", "check", clinic, "--plugin", "crashing_import")
    assert said.exit_code == 2
    assert "a_package_that_nobody_has" in said.stderr
