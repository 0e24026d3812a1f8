"""Two models of several classes or of a number are compared on the same patients."""

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.default import default_evaluate
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.predictions import Scored

MODELS = (Model("a", "a"), Model("b", "b", baseline=True))
CLASSES = ("x", "y", "z")


def frame_of(model, truth, predicted, patients, **scores):
    n = len(truth)
    return pd.DataFrame(
        {
            "unit_id": [f"u{i}" for i in range(n)], "recording_id": [f"u{i}" for i in range(n)],
            "time_s": np.nan, "subject_id": patients, "repeat": 0, "fold": "r0-f0",
            "model": model, "y_true": truth, "predicted": predicted, **scores,
        }
    )  # fmt: skip


def differences(frames, target, n=200):
    task = Task("t", "t", "study", (target,), MODELS)
    scored = Scored({target.name: pd.concat(frames, ignore_index=True)})
    report = default_evaluate(scored, task, EvaluateBlock(n_resamples=n), seed=1)
    return [m for m in report.metrics if m.scope.versus]


def test_the_difference_of_errors_is_that_of_the_means_and_its_interval_pairs_the_models():
    rng = np.random.default_rng(0)
    truth = rng.normal(50, 10, 80)
    patients = np.repeat([f"p{i}" for i in range(40)], 2)
    shared = rng.normal(0, 8, 80)
    a, b = truth + shared, truth + shared + np.sign(shared) * 1.0
    [found] = differences(
        [frame_of("a", truth, a, patients, score=a), frame_of("b", truth, b, patients, score=b)],
        Target("ef", "continuous"),
    )
    assert (found.scope.model, found.scope.versus) == ("a", "b")
    assert found.estimate.name == "mae_difference"
    # b errs by exactly 1 more in every row, so that paired resampling leaves no spread at all.
    np.testing.assert_allclose(
        (found.estimate.value, found.estimate.low, found.estimate.high), -1.0, atol=1e-9
    )
    assert (found.estimate.unit, found.estimate.n) == ("patient", 40)


def test_the_difference_of_macro_f1_is_that_of_scikit_learn():
    rng = np.random.default_rng(2)
    truth = rng.choice(CLASSES, 120)
    right = {"a": 0.9, "b": 0.4}
    said = {
        model: np.where(rng.random(120) < share, truth, rng.choice(CLASSES, 120))
        for model, share in right.items()
    }
    patients = [f"p{i}" for i in range(120)]
    scores = {f"score:{name}": 1 / 3 for name in CLASSES}
    [found] = differences(
        [frame_of(m, truth, said[m], patients, **scores) for m in said],
        Target("view", "multiclass", CLASSES),
    )
    expected = f1_score(truth, said["a"], average="macro") - f1_score(
        truth, said["b"], average="macro"
    )
    assert abs(found.estimate.value - expected) < 1e-12
    assert 0 < found.estimate.low < expected < found.estimate.high
    assert "paired" in found.estimate.method
