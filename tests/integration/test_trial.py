"""Before its fits, a run tries the hooks of a plugin that nobody has checked on a few patients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cardio_core.cli.plugins import new_plugin
from cardio_core.registry import open_plugin
from cardio_core.runner import trial
from cardio_core.runner.contract import keep_verdict
from cardio_core.testing import names
from cardio_stats.errors import DataError

EVALUATE = "def evaluate(predictions):\n    '''Look at a target.'''\n    return None['absent']\n"
FAULTS = {
    "predict": ("scores = softmax", "scores = softmaxx", "NameError"),
    "explain": ("network.eval()", "network.evaluate()", "AttributeError"),
    "evaluate": ("", EVALUATE, "TypeError"),
}


@pytest.fixture
def pictures(install: Callable[..., Path], tmp_path: Path) -> Callable[[str], Path]:
    """Install a plugin for pictures with a fault in one hook, whose file is returned."""

    def planted(hook: str, name: str) -> Path:
        file = new_plugin(name, tmp_path, kind="image") / f"src/cardio_{name}/finding/{hook}.py"
        old, new, _ = FAULTS[hook]
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        assert old in text
        file.write_text(text.replace(old, new) if old else new, encoding="utf-8")
        install(tmp_path / name)
        return file

    return planted


@pytest.mark.parametrize("hook", FAULTS)
def test_a_fault_shows_before_the_first_fit_and_in_the_quick_check(
    cardio, pictures, tmp_path, hook
):
    name = f"faulty{hook}"
    pictures(hook, name)
    said = cardio("run", "--plugin", name, "--smoke", "--out", tmp_path / "run", "--executor",
                  "local:1", "--device", "cpu")  # fmt: skip
    assert said.exit_code == 1
    assert names(said.stderr, FAULTS[hook][2], hook)
    assert not (tmp_path / "run" / "models").exists()
    said = cardio("plugins", "check", name, "--quick")
    assert said.exit_code == 1
    assert names(said.stdout, FAULTS[hook][2], hook)
    assert said.stdout.count("FAIL") == 1


def test_code_that_passed_its_contract_and_a_resumed_run_are_not_tried(
    cardio, installed, monkeypatch, tmp_path
):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    tried: list[str] = []
    monkeypatch.setattr(trial, "try_hooks", lambda plugin, *_: tried.append(plugin.info.name))
    words = ("run", "--plugin", "toy", "--task", "mean_class", "--smoke", "--executor", "local:1",
             "--protocol", "honest", "--set", "inner.k=0", "--out")  # fmt: skip
    assert cardio(*words, tmp_path / "a").exit_code == 0
    assert tried == ["toy"]
    assert cardio(*words, tmp_path / "a", "--resume").exit_code == 0
    keep_verdict(open_plugin("toy"), ["mean_class"], passed=True)
    assert cardio(*words, tmp_path / "b").exit_code == 0
    assert tried == ["toy"]


def test_what_a_few_patients_do_not_allow_stops_no_run(run_toy, monkeypatch, tmp_path):
    def too_few(*_, **__):
        raise DataError("expected more patients")

    monkeypatch.setattr(trial, "call", too_few)
    run_toy(task="mean_class", out=tmp_path / "run")
