"""The default evaluation never writes a number that is not one."""

import json
import math

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.default import default_evaluate
from cardio_core.evaluation.parts import Parts
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Scope
from cardio_stats.estimate import Estimate

TASK = Task(
    "t",
    "t",
    "patient",
    (Target("ill", "binary", ("no", "yes")),),
    (Model("a", "a"), Model("b", "b")),
)


def scored(n: int, seed: int = 0) -> Scored:
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 2
    frames = []
    for model, effect in (("a", 2.0), ("b", 0.0)):
        p = 1 / (1 + np.exp(-rng.normal(effect * (truth - 0.5), 1)))
        frames.append(
            pd.DataFrame(
                {
                    "unit_id": [f"p{i}" for i in range(n)],
                    "subject_id": [f"p{i}" for i in range(n)],
                    "repeat": 0,
                    "fold": [f"r0-f{i % 3}" for i in range(n)],
                    "model": model,
                    "y_true": np.where(truth, "yes", "no"),
                    "predicted": np.where(p >= 0.5, "yes", "no"),
                    "score:no": 1 - p,
                    "score:yes": p,
                }
            )
        )
    return Scored({"ill": pd.concat(frames, ignore_index=True)}, {"a/ill": "fixed"})


def test_an_interval_that_is_not_finite_is_left_out_and_said():
    parts = Parts([])
    parts.add([Estimate("r2", 0.1, math.nan, 0.3, 0.95, "bootstrap", n=6)], Scope())
    estimate = parts.metrics[0].estimate
    assert estimate.low is None
    assert estimate.high is None
    assert "too few units" in estimate.note


def test_every_metric_is_strict_json_however_small_the_folds():
    for n in (9, 12, 60):
        report = default_evaluate(scored(n), TASK, EvaluateBlock(n_resamples=100))
        json.dumps([metric.to_dict() for metric in report.metrics], allow_nan=False)


def test_a_better_row_is_found_better_by_the_paired_comparison():
    report = default_evaluate(scored(200), TASK, EvaluateBlock(n_resamples=100))
    compared = next(m.estimate for m in report.metrics if m.scope.versus == "b")
    areas = {m.scope.model: m.estimate.value for m in report.metrics
             if m.estimate.name == "auc" and m.scope.fold is None}  # fmt: skip
    assert compared.value > 0
    assert abs(compared.value - (areas["a"] - areas["b"])) < 1e-9
    assert compared.p_value < 0.01


def test_thresholded_metrics_name_where_their_threshold_came_from():
    report = default_evaluate(scored(60), TASK, EvaluateBlock(n_resamples=100))
    sources = {
        m.estimate.threshold_source
        for m in report.metrics
        if m.estimate.name == "sensitivity" and m.scope.model == "a"
    }
    assert sources == {"fixed"}
