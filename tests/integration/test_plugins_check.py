"""`cardio plugins check`: verdicts for people and programs, without pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from cardio_core import testing
from cardio_core.io.hashing import package_digest
from cardio_core.registry import open_plugin
from cardio_core.runner import contract
from cardio_core.testing import names
from cardio_core.testing.case import Verdict, name_of
from cardio_core.testing.checking import OF_TASK, QUICK
from cardio_core.testing.contract import PluginContract, PluginTruth
from cardio_core.testing.plugin_checks import OF_INFO
from cardio_core.testing.run_checks import OF_RUNS, OF_TRUTH

SMALL = ("--task", "mean_class", "--patients", "8", "--set", "inner.k=0", "--set",
         "protocols.honest.k=2", "--set", "models=[ridge]")  # fmt: skip


def test_a_plugin_that_keeps_its_contract_passes_where_there_is_no_pytest(installed, tmp_path):
    code = "import sys; sys.modules['pytest'] = None; from cardio_core.cli.main import main; main()"
    said = subprocess.run(
        [sys.executable, "-c", code, "plugins", "check", "toy", *SMALL, "--json"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(installed), *sys.path])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    answer = json.loads(said.stdout)
    assert (answer["plugin"], answer["passed"], answer["n_failed"]) == ("toy", True, 0)
    assert [(row["task"], row["name"]) for row in answer["verdicts"]] == [
        *((None, name_of(check)) for check in OF_INFO),
        *(("mean_class", name_of(check)) for check in OF_TASK),
    ]
    assert all(row["passed"] and row["text"].endswith(".") for row in answer["verdicts"])
    assert "... running the task" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_quick_checks_run_nothing(cardio, monkeypatch):
    from cardio_core.testing import case

    def refused(*_):
        raise AssertionError("a run was begun")

    monkeypatch.setattr(case, "run", refused)
    said = cardio("plugins", "check", "toy", "--quick", *SMALL, "--json")
    assert said.exit_code == 0, said.stderr
    names = [row["name"] for row in said.json["verdicts"]]
    assert names == [name_of(check) for check in (*OF_INFO, *QUICK)]
    assert not set(OF_RUNS) & set(QUICK)
    assert "running the task" not in said.stderr
    both = cardio("plugins", "check", "toy", "--quick", "--truth")
    assert both.exit_code == 2
    assert "leave one of them out" in both.stderr


def test_what_may_be_meant_is_shown_and_fails_nothing(cardio):
    said = cardio("plugins", "check", "measures_nothing", "--quick", *SMALL)
    # Its module borrows the toy's, which is heavy, and the toy's models, which take no NaN.
    assert "measures_nothing fails 2 of" in said.stderr
    assert "FAIL" in said.stdout.split("imports nothing heavy")[0]
    (trial,) = said.stdout.split("Hooks behind the features")[1:]
    assert names(trial, "train", "ridge", "shape.spread")
    assert "look " in said.stdout
    assert "\n     NaN in all " in said.stdout


def test_a_plugin_that_breaks_it_fails_with_a_sentence_a_check(cardio):
    said = cardio("plugins", "check", "wrong_type", *SMALL)
    assert said.exit_code == 1
    assert said.stdout.count("hook featurize: returned a ndarray, not a FeatureSet") == 1
    assert "\n     not checked, for the same reason\n" in said.stdout
    assert "ok " in said.stdout
    assert "... task mean_class" in said.stdout
    assert "Error: wrong_type fails" in said.stderr
    assert said.stderr.count("\n") == 1


def test_a_plugin_that_cannot_be_opened_and_a_task_that_it_lacks_are_named_in_a_line(cardio):
    for words, reason in (
        (("crashing_import",), "cannot be imported"),
        (("toy", "--task", "mean_clas"), "has no task 'mean_clas'"),
    ):
        said = cardio("plugins", "check", *words)
        assert said.exit_code == 2
        assert reason in said.stderr
        assert said.stderr.count("\n") == 1


def test_the_classes_of_pytest_have_one_test_a_check_and_no_other():
    for suite, checks in ((PluginContract, (*OF_INFO, *OF_TASK)), (PluginTruth, OF_TRUTH)):
        tests = {name for name in dir(suite) if name.startswith("test_")}
        assert tests == {f"test_{check.__name__}" for check in checks}
        assert all(getattr(suite, name).__doc__ for name in tests)


def test_every_check_says_in_a_sentence_why_it_is_made():
    for check in (*OF_INFO, *OF_TASK, *OF_TRUTH):
        assert check.__doc__.split("\n\n")[0].strip().endswith(".")


@pytest.fixture
def checked(monkeypatch, tmp_path):
    """A cache in which nothing was checked, and what a check of the toy's task finds."""
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))

    def found(*, passed):
        verdict = Verdict("Ids are kept", "mean_class", passed, "Why.", 0.1)
        monkeypatch.setattr(testing, "check_plugin", lambda *_, **__: iter([verdict]))

    return found


def contract_of_a_run(cardio, out):
    run = cardio("run", "--plugin", "toy", "--task", "mean_class", "--smoke", "--out", out,
                 "--protocol", "honest", *SMALL[-2:], "--set", "inner.k=0")  # fmt: skip
    assert run.exit_code == 0, run.stderr
    entry = json.loads((out / "manifest.json").read_text())["contract"]
    (line,) = [row for row in run.stdout.splitlines() if row.startswith("Plugin contract: ")]
    page = (out / "report.html").read_text()
    for text in (line, page):
        assert (
            f"Plugin contract: {entry['state']} (digest of its code {entry['code'][:12]})" in text
        )
    return entry


def test_a_run_names_the_verdict_of_its_plugin_until_the_code_changes(
    cardio, checked, monkeypatch, tmp_path
):
    def state():
        return contract.contract_of(open_plugin("toy"), "mean_class")["state"]

    assert contract_of_a_run(cardio, tmp_path / "before")["state"] == "not run"
    checked(passed=True)
    for words in (("--quick", "--task", "mean_class"), ("--task", "beats")):
        assert cardio("plugins", "check", "toy", *words).exit_code == 0
        assert state() == "not run"
    cardio("plugins", "check", "toy", "--task", "mean_class")
    passed = contract_of_a_run(cardio, tmp_path / "passed")
    assert (passed["state"], passed["code"]) == ("passed", package_digest("cardio_toy"))
    with monkeypatch.context() as patch:
        patch.setattr(contract, "package_digest", lambda _: "0" * 64)
        assert state() == "not run"
    checked(passed=False)
    cardio("plugins", "check", "toy", "--quick", "--task", "mean_class")
    assert state() == "failed"
