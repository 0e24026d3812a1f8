"""The notebook of the tutorials runs; the build of the site shows its outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .test_commands import ROOT

NOTEBOOK = ROOT / "docs" / "tutorials" / "notebook.ipynb"


def cells(kind):
    return [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == kind]


def test_no_outputs_are_stored_in_the_notebook():
    assert cells("code")
    assert all(not cell["outputs"] and not cell["execution_count"] for cell in cells("code"))


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    names: dict[str, object] = {}
    for cell in cells("code"):
        exec(compile("".join(cell["source"]), NOTEBOOK.name, "exec"), names)  # noqa: S102 - our own
    assert Path("runs/notebook/report.html").is_file()
    # Both are the forest's: the run's out-of-fold scores, judged like those of any tool.
    theirs = names["judged"].metrics.query("metric == 'auc' and subgroup == ''")["value"]
    ours = names["run"].metrics.query(
        "metric == 'auc' and subgroup == '' and model == 'forest' and protocol == 'honest'"
    )["value"]
    assert theirs.to_list() == pytest.approx(ours.to_list(), abs=1e-6)
