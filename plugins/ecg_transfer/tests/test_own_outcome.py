"""`crt_response` on an outcome of the user's own: two values, three words, a number."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import Target
from cardio_core.testing import run_plugin
from cardio_ecg_transfer.response.by_network import Head
from cardio_ecg_transfer.synthetic import synthesize

pytestmark = pytest.mark.usefixtures("blank_figures")

TINY = (
    "protocols.honest.k=2", "inner.k=0", "explain.n_cases=1", "evaluate.n_resamples=100",
    "train.fit.epochs=1", "train.fit.draw=8", "train.classical.n_trees=5",
    "needs.aami_beats.settings={n_synthetic: 10, inner: {k: 0}, train: {fit: {epochs: 1}}}",
)  # fmt: skip
MODELS = ("scratch", "svm", "forest", "qrs_duration")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Eighteen patients with outcomes of their own and nothing that the task's rules know."""
    folder = tmp_path_factory.mktemp("own") / "crt"
    synthesize(folder, task="crt_response", n_patients=18, seed=4)
    table = pd.read_csv(folder / "cohort.csv")
    n = len(table)
    kept = table[["patient_id", "path_ecg"]].copy()
    kept["x_responder"] = np.where(np.arange(n) % 2, "yes", "no")
    kept["x_stage"] = np.array(["mild", "moderate", "severe"])[np.arange(n) % 3]
    kept["x_change_ml"] = 400.0 + 10 * np.arange(n)
    kept.to_csv(folder / "cohort.csv", index=False)
    return folder


@pytest.mark.parametrize(
    ("column", "metric"),
    [
        ("x_responder", "auc"),
        # What a column of classes or numbers changes is the core's, and tested on the toy.
        pytest.param("x_stage", "macro_f1", marks=pytest.mark.slow),
        pytest.param("x_change_ml", "mae", marks=pytest.mark.slow),
    ],
)
def test_any_column_is_predicted_by_every_model_that_needs_only_recordings(
    cohort, tmp_path, column, metric
):
    models = (*MODELS, "lbbb") if column == "x_responder" else MODELS
    chosen = f"models=[{','.join((*MODELS, 'lbbb'))}]"
    run = run_plugin("ecg_transfer", "crt_response", cohort, tmp_path / "run",
                     sets=(*TINY, chosen, f"outcome.column={column}"))  # fmt: skip
    metrics = json.loads((run / "metrics.json").read_text())
    pooled = [m for m in metrics if m["name"] == metric and m["fold"] is None]
    assert {m["model"] for m in pooled if m["versus"] is None} == set(models)
    assert {m["target"] for m in pooled} == {column}
    scored = pd.read_csv(run / "predictions.csv")
    if column == "x_change_ml":
        # One epoch learns nothing; the mean of the training patients is what is left.
        assert scored["score"].between(400, 570).all()
    assert not (run / "tables" / "honest-table-2.csv").exists()


def test_a_head_undoes_how_patients_were_drawn():
    """At equal logits for all, the loss is least where the probability is the cohort's share."""
    import torch

    outcome = np.array([0, 0, 0, 1, 1, 2], dtype=np.float32)
    head = Head.of(Target("stage", "multiclass", ("a", "b", "c")), outcome)
    weights, loss = head.drawing(outcome, 0.5)
    drawn = np.array([weights[outcome == code].sum() for code in range(3)]) / weights.sum()
    np.testing.assert_allclose(drawn, 1 / 3)
    logits = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=100)

    def step():
        optimizer.zero_grad()
        value = loss(logits.repeat(3, 1), {"targets": torch.tensor([0.0, 1.0, 2.0])})
        value.backward()
        return value

    optimizer.step(step)
    found = head.scores(logits.detach().numpy()[None])[0]
    np.testing.assert_allclose(found, [3 / 6, 2 / 6, 1 / 6], atol=1e-4)


def test_a_number_comes_out_in_its_unit():
    outcome = np.array([20.0, 40.0], dtype=np.float32)
    head = Head.of(Target("lvef", "continuous"), outcome)
    np.testing.assert_allclose(head.scaled(outcome), [-1, 1])
    np.testing.assert_allclose(head.scores([-1.0, 1.0]), [20, 40])
