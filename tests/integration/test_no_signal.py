"""Where nothing is to be found, leaking protocols find it and the honest one does not."""

from __future__ import annotations

import importlib.util
import statistics
import sys
from pathlib import Path

import pandas as pd
import pytest

from cardio_core.registry import open_plugin

HERE = Path(__file__).parent


def _module(name: str):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made  # its dataclasses look for it
    spec.loader.exec_module(made)
    return made


page = _module("no_signal_page")
study = _module("no_signal")
STORED = study.stored()


def test_the_page_is_that_of_what_is_stored():
    written = (HERE.parents[1] / "docs" / "results" / "no_signal.md").read_text(encoding="utf-8")
    assert written == page.page(STORED), "run python tests/integration/no_signal.py page"


def test_every_plugin_whose_published_protocol_leaks_is_there():
    assert set(STORED) == {"ecg_transfer", "spect_polar", "mmode_septal_flash", "echo_cmr"}
    for plugin, own in STORED.items():
        assert own["task"] in {task.name for task in open_plugin(plugin).info.tasks}


@pytest.mark.parametrize("plugin", ["ecg_transfer", "spect_polar", "mmode_septal_flash"])
def test_the_published_protocol_looks_good_and_the_honest_one_does_not(plugin):
    own = STORED[plugin]
    paper, honest = (
        page.values_of(own["areas"], protocol, own["model"]) for protocol in ("paper", "honest")
    )
    assert len(paper) == len(honest) >= 3
    assert page.shows(own)
    assert abs(statistics.fmean(honest) - 0.5) <= 0.1
    assert all(one > other for one, other in zip(paper, honest, strict=True))


def test_where_it_is_not_shown_the_page_says_so():
    """Few weights of a fusion, fitted on the tested, flatter too little to be seen here."""
    assert not page.shows(STORED["echo_cmr"])
    assert "echo_cmr does not show it at this size" in page.page(STORED)


@pytest.mark.parametrize("row", page.known_effects(), ids=lambda row: f"{row[0]} {row[1]}"[:40])
def test_models_that_can_reach_the_best_possible_auc_cover_it(row):
    """Networks and forests of 100 patients cannot; the page says how often they cover it."""
    _, model, best, runs = row
    assert len(runs) == 20
    if model in ("ridge", "qrs_duration", "qrs_area"):
        assert page.covered(best, runs) >= 17


def test_a_coin_goes_with_no_patient_and_with_all_rows_of_one(tmp_path):
    table = tmp_path / "cohort.csv"
    rows = pd.DataFrame({"patient_id": [f"p{n // 2}" for n in range(40)], "site": "007"})
    rows.to_csv(table, index=False)
    study.toss(table, 0)
    once = pd.read_csv(table, dtype=str)
    assert once.groupby("patient_id")["coin"].nunique().max() == 1
    assert once.drop_duplicates("patient_id")["coin"].value_counts().to_dict() == {"0": 10, "1": 10}
    assert set(once["site"]) == {"007"}
    study.toss(table, 1)
    assert not once["coin"].equals(pd.read_csv(table, dtype=str)["coin"])
