"""Each broken plugin is named with its fault, in one line, and never kills the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cardio_core.registry import list_plugins

CANNOT_BE_OPENED = {
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
    "names_too_few": "plugin 'names_too_few', hook featurize: a FeatureBlock of 2 along 'measure' "
    "has 1 name(s); give one to each (cardio_broken/names_too_few.py:18)",
    "predicts_nan": "hook predict: target 'ill': 3 scores are not finite",
}
RAISE_AT_WORK = {
    "raises_in_train": "plugin 'raises_in_train', hook train, model ridge, fold honest r0-f0: "
    "KeyError: 'sick' (cardio_broken/raises_in_train.py:21); mend the plugin there",
    "loses_a_file": "plugin 'loses_a_file', hook train, model ridge, fold honest r0-f0: "
    "FileNotFoundError: No such file or directory (cardio_broken/loses_a_file.py:17); "
    "mend the plugin there",
    "exits_in_a_hook": "plugin 'exits_in_a_hook', hook featurize: Stop: no more 3 "
    "(cardio_broken/exits_in_a_hook.py:23); mend the plugin there",
}
WORKING = FAIL_AT_WORK | RAISE_AT_WORK


def test_the_list_shows_every_one_and_says_what_is_wrong_with_it(installed):
    found = {plugin.name: plugin for plugin in list_plugins()}
    assert {"toy", *CANNOT_BE_OPENED, *BREAK_THE_CONTRACT, *WORKING} <= set(found)
    assert {name for name in WORKING if found[name].reason} == set()
    assert found["toy"].reason == ""
    assert (found["toy"].distribution, found["toy"].version) == ("cardio-toy", "0.3.0")
    for name, reason in (CANNOT_BE_OPENED | BREAK_THE_CONTRACT).items():
        assert reason in found[name].reason
        assert found[name].info is None


def test_the_command_lists_broken_plugins_and_succeeds(cardio):
    said = cardio("plugins", "list")
    assert said.exit_code == 0
    assert "broken: plugin 'crashing_import' (cardio-broken) cannot be imported" in said.stdout
    rows = {row["name"]: row for row in cardio("plugins", "list", "--json").json}
    assert rows["crashing_import"]["broken"]
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
def few(write_cohort: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough patients to reach the hook that breaks."""
    return write_cohort(tmp_path_factory.mktemp("data") / "few", "mean_class", n_patients=4)


def run_on(few, out, name, executor="local:1"):
    return (
        "run", "--plugin", name, "--data", few, "--out", out, "--device", "cpu",
        "--executor", executor, "--protocol", "honest", "--set", "protocols.honest.k=2",
        "--set", "inner.k=0", "--set", "models=[ridge]",
    )  # fmt: skip


@pytest.mark.parametrize(("name", "reason"), FAIL_AT_WORK.items())
def test_a_hook_that_breaks_its_word_exits_with_1(cardio, few, tmp_path, name, reason):
    said = cardio(*run_on(few, tmp_path / "run", name))
    assert said.exit_code == 1
    assert reason in said.stderr
    assert said.stderr.startswith("Error: ")
    assert said.stderr.count("\n") == 1


@pytest.mark.parametrize(("name", "line"), RAISE_AT_WORK.items())
def test_what_a_hook_raises_is_said_with_its_place(cardio, few, tmp_path, name, line):
    said = cardio(*run_on(few, tmp_path / "run", name))
    assert (said.exit_code, said.stderr) == (1, f"Error: {line}\n")
    kept = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert kept["status"] == "failed"
    # What is kept leaves out what an error quotes: a file of the data may hold it.
    assert kept["error"] == line.replace(": 'sick'", "").replace(": no more 3", "")
    assert "Jane_Doe" not in (tmp_path / "run" / "log.jsonl").read_text() + said.stderr


@pytest.mark.parametrize("name", ["raises_in_train", "exits_in_a_hook"])
def test_what_a_hook_raises_in_a_worker_is_said_in_the_same_line(cardio, few, tmp_path, name):
    said = cardio(*run_on(few, tmp_path / "run", name, "local:2"))
    line = RAISE_AT_WORK[name].replace("r0-f0", "r0-f1" if "r0-f1" in said.stderr else "r0-f0")
    assert (said.exit_code, said.stderr) == (1, f"Error: {line}\n")


def test_the_traceback_of_a_hook_is_shown_on_request(cardio, few, tmp_path):
    said = cardio("--debug", *run_on(few, tmp_path / "run", "raises_in_train"))
    assert said.exit_code == 1
    assert "Traceback" in said.stderr
    assert 'return {"ill": 1, "healthy": 0}[word]' in said.stderr
    assert "KeyError (its text is left out: it may quote a file)" in said.stderr


def test_the_allow_list_hides_every_other_plugin(cardio, monkeypatch):
    monkeypatch.setenv("CARDIO_PLUGINS", "toy, crashing_import")
    rows = cardio("plugins", "list", "--json").json
    assert [row["name"] for row in rows] == ["crashing_import", "toy"]
    said = cardio("run", "--plugin", "missing_hook")
    assert said.exit_code == 2
    assert "installed: crashing_import, toy" in said.stderr


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
        {
            "task": "mean_class",
            "patients": "same",
            "for_new": False,
            "optional": False,
            "models": [],
        }
    ]
    assert set(said.json["configs"]) == {"default", "cpu", "full", "smoke"}
    text = cardio("plugins", "info", "toy").stdout
    assert "needs beats, of other patients" in text


def test_check_of_a_plugin_that_cannot_be_opened_says_why(cardio, clinic: Path):
    said = cardio("data", "check", clinic, "--plugin", "crashing_import")
    assert said.exit_code == 2
    assert "a_package_that_nobody_has" in said.stderr


def test_info_prints_every_setting_and_column_with_what_it_means(cardio):
    asked = ("plugins", "info", "toy", "--settings", "--task", "beats")
    said = cardio(*asked, "--columns", "--json").json
    settings = {one["path"]: one for one in said["settings"]}
    assert settings["preprocess.threshold_mv"]["meaning"] == "smallest height of a beat"
    assert settings["preprocess.threshold_mv"]["takes"].startswith("number above 0")
    assert said["columns"][0]["name"] == "patient_id"
    text = cardio(*asked).stdout
    assert "preprocess.threshold_mv = 0.35" in text
    assert "      smallest height of a beat. Takes: " in text
    assert cardio("plugins", "info", "toy", "--settings", "--task", "nosuch").exit_code == 2
