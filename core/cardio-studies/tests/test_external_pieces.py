"""Pieces of external validation on frames made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.patients import TableOne
from cardio_core.runs import Run
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope
from cardio_stats import number_calibration
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.files import write_json
from cardio_stats.proportions import lower_coverage_p
from cardio_studies.external_numbers import changes, internal_metrics, recalibrations
from cardio_studies.external_validation import _with_internal

LVEF = Target("lvef", "continuous", unit="%")
TASK = Task("t", "T", "patient", (LVEF,), (Model("m", "A model"),))
CONFIG = EvaluateBlock(n_resamples=100)


def numbers(said: Callable[[np.ndarray], np.ndarray], n: int = 40) -> Scored:
    truth = np.linspace(20, 70, n) + np.random.default_rng(0).normal(0, 3, n)
    names = [f"p{k}" for k in range(n)]
    columns = ("unit_id", "sample_id", "recording_id", "study_id", "patient_id", "subject_id")
    ids = dict.fromkeys(columns, names)
    frame = pd.DataFrame({**ids, "repeat": 0, "fold": "final", "model": "m", "y_true": truth})
    return Scored({"lvef": frame.assign(score=said(truth), predicted=said(truth))})


def test_a_number_that_is_off_is_recalibrated_in_a_table_of_its_own() -> None:
    made = recalibrations(numbers(lambda truth: 10 + 0.5 * truth), TASK, CONFIG, 0)
    [large, line] = [row for row in made.rows if "intercept" in row]
    assert (line["intercept"], line["slope"]) == pytest.approx((-20.0, 2.0))
    assert large["slope"] == 1.0
    table = made.table.set_index("Measure")
    assert table.loc["Calibration slope", "As it is"].startswith("2.000")
    assert "Mean absolute error" in table.index
    [error] = [row for row in made.rows if row.get("name") == "mae"
               and row["recalibration"] == "slope"]  # fmt: skip
    assert error["value"] == pytest.approx(0, abs=1e-9)


def test_nothing_is_recalibrated_on_a_handful() -> None:
    made = recalibrations(numbers(lambda truth: truth, n=8), TASK, CONFIG, 0)
    assert made.table.empty
    assert "at least 10 units" in str(made.notes[0])


def test_mean_error_and_slope_are_those_of_a_line() -> None:
    x, y = np.arange(12.0), np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], float)
    off, slope = number_calibration(y, x, n_resamples=100)
    assert off.value == pytest.approx((y - x).mean())
    assert slope.value == pytest.approx(np.polyfit(x, y, 1)[0])
    patients = number_calibration(np.tile(y, 3), np.tile(x, 3), patient=np.tile(range(12), 3),
                                  n_resamples=100)  # fmt: skip
    assert (patients[1].value, patients[1].n) == (pytest.approx(slope.value), 12)
    with pytest.raises(DataError, match="same for everybody"):
        number_calibration(y, np.ones(12))


def test_coverage_is_held_against_the_quantile_of_so_many_patients() -> None:
    """By brute force: quantiles of 50 uniform scores, 100 new ones, 20 000 draws (fixed seed)."""
    rng = np.random.default_rng(0)
    limit = np.sort(rng.random((20_000, 50)), axis=1)[:, int(np.ceil(51 * 0.9)) - 1]
    covered = rng.binomial(100, limit)
    for k in (75, 80, 85, 90, 95):
        assert lower_coverage_p(k, 100, 50, 0.1) == pytest.approx((covered <= k).mean(), abs=0.01)
    with pytest.raises(DataError, match="too few"):
        lower_coverage_p(5, 9, 8, 0.1)


def test_a_change_is_told_of_what_both_have_alone() -> None:
    def metric(name: str, value: float, **place: str) -> Metric:
        one = Estimate(name, value, value - 0.1, value + 0.1, 0.95, n=50, unit="patient")
        return Metric(one, Scope(target="lvef", model="m", **place))

    external = [metric("auc", 0.7), metric("auc", 0.6, class_name="a"), metric("base_rate", 0.5),
                metric("auc", 0.5, subgroup="Sex: men"), metric("brier", 0.2)]  # fmt: skip
    internal = [metric("auc", 0.9), metric("auc", 0.9, class_name="a"), metric("base_rate", 0.4)]
    found = {(one.estimate.name, one.scope.class_name): one.estimate.value
             for one in changes(external, internal)}  # fmt: skip
    assert found == {("auc_change", None): pytest.approx(-0.2),
                     ("auc_change", "a"): pytest.approx(-0.3)}  # fmt: skip


def test_a_run_of_the_published_protocol_alone_has_nothing_to_stand_beside(tmp_path: Path) -> None:
    row = {"protocol": "paper", "name": "mae", "value": 3.0, "fold": None, "versus": None,
           "subgroup": None, "target": "lvef", "model": "m"}  # fmt: skip
    write_json(tmp_path / "manifest.json", {"status": "done", "protocols": ["paper"]})
    write_json(tmp_path / "metrics.json", [row])
    assert internal_metrics(tmp_path, TASK, CONFIG, 0) == []


def test_the_runs_own_patients_stand_in_table_1(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "table1.csv").write_text(
        "Variable,Whoever came,no (n = 40)\nAge (years),61.0 ± 9.0,x\n"
        "Device,,\n\u2003one,10 (11.1),x\nSite,,\n\u2003one,50 (55.6),x\n"
    )
    own = pd.DataFrame({"Variable": ["Age (years)", "Site", "\u2003one", "LVEF"],
                        "All (n = 60)": ["58", "", "7", "40"], "p": ["", "", "", ""]})  # fmt: skip
    sizes = {"Whoever came": 90, "no (n = 40)": 40}
    write_json(tmp_path / "manifest.json", {"table1": {"sizes": sizes}})
    made = _with_internal(TableOne("Patients", own, ()), Run(tmp_path))
    assert list(made.frame.columns) == ["Variable", "All (n = 60)", "In the run (n = 90)", "p"]
    assert list(made.frame.iloc[:, 2]) == ["61.0 ± 9.0", "", "50 (55.6)", ""]
