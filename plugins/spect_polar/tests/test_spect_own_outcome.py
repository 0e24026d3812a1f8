"""`crt_response` of gated SPECT on an outcome of the user's own."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import Target
from cardio_core.testing import run_plugin
from cardio_spect_polar.response.config import ScreenBlock
from cardio_spect_polar.response.fitting import Ridge, fit_ridge, screen_codes

pytestmark = pytest.mark.usefixtures("blank_figures", "own_cache")

SMALL = (
    "inner.k=0",
    "train.autoencoder={hidden: 8, n_features: 4, n_seeds: 1, max_epochs: 2}",
    "evaluate={n_resamples: 100, n_optimism: 5}",
    "explain={n_cases: 0, n_studies: 0}",
)


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory):
    """Phases are measured once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDIO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def cohort(crt_cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own") / "crt"
    shutil.copytree(crt_cohort, folder)
    table = pd.read_csv(folder / "cohort.csv")
    kept = table[["patient_id", "path_spect", "age_y", "sex"]].copy()
    n = len(kept)
    kept["sex"] = np.array(["F", "M", "M"])[np.arange(n) % 3]
    kept["x_responder"] = np.where(np.arange(n) % 2, "yes", "no")
    kept["x_stage"] = np.array(["mild", "moderate", "severe"])[np.arange(n) % 3]
    kept["x_change_ml"] = 400.0 + 10 * np.arange(n)
    kept.to_csv(folder / "cohort.csv", index=False)
    return folder


def run_on(cohort, out, column, *more):
    return run_plugin(
        "spect_polar", "crt_response", cohort, out,
        sets=(f"outcome.column={column}", "models=[autoencoder, clinical, psd]", *more, *SMALL),
    )  # fmt: skip


def require_scored(run, column, metric):
    metrics = json.loads((run / "metrics.json").read_text())
    pooled = [m for m in metrics if m["name"] == metric and m["fold"] is None]
    models = {m["model"] for m in pooled if m["versus"] is None}
    assert models == {"autoencoder", "clinical", "psd"}
    assert {m["target"] for m in pooled} == {column}


@pytest.mark.slow  # what a column of classes or numbers changes is the core's, tested on the toy
@pytest.mark.parametrize(
    ("column", "metric"), [("x_responder", "auc"), ("x_stage", "macro_f1"), ("x_change_ml", "mae")]
)
def test_any_column_is_predicted(cohort, tmp_path, column, metric):
    require_scored(run_on(cohort, tmp_path / "run", column), column, metric)


def test_a_column_that_says_the_outcome_in_other_words_reaches_no_model(cohort, tmp_path):
    run = run_on(cohort, tmp_path / "run", "sex", "outcome.event=F")
    require_scored(run, "sex", "auc")
    manifest = json.loads((run / "manifest.json").read_text())
    assert "No model sees male, because it tells what is predicted." in [
        one["text"] for one in manifest["notes"]
    ]
    stored = json.loads((run / "models/final/clinical/artifact/model.json").read_text())
    assert "male" not in stored["regression"]["columns"]
    assert "age_y" in stored["regression"]["columns"]


def test_ridge_agrees_with_scikit_learn():
    """On columns standardised by hand; kept as numbers, read back, and missing values filled."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.linear_model import Ridge as Linear

    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.normal(3, [1, 5], (60, 2)), columns=["a", "b"])
    standard = (x - x.mean()) / x.std(ddof=0)
    y = np.asarray(10 + 2 * x["a"] + rng.normal(size=60))
    fitted = fit_ridge(x, y, Target("ml", "continuous"), 0.5)
    oracle = Linear(alpha=2).fit(standard, y)
    again = Ridge.from_dict(json.loads(json.dumps(asdict(fitted))))
    np.testing.assert_allclose(again.scores(x), oracle.predict(standard), rtol=1e-9)
    np.testing.assert_allclose(
        again.scores(x.assign(a=np.nan)), again.scores(x.assign(a=x["a"].median()))
    )
    codes = np.digitize(x["b"], [0, 6]).astype(float)
    classes = Target("stage", "multiclass", ("a", "b", "c"))
    named = fit_ridge(x, codes, classes, 0.5)
    expected = LogisticRegression(C=0.5, max_iter=5000).fit(standard, codes)
    np.testing.assert_allclose(named.scores(x), expected.predict_proba(standard), atol=1e-9)


def test_several_classes_are_screened_one_against_the_others():
    """A code that tells one of three classes enters first; a meaningless one rarely passes."""
    rng = np.random.default_rng(1)
    outcome = np.repeat([0.0, 1.0, 2.0], 30)
    codes = rng.normal(size=(90, 6))
    codes[:, 4] += 1.5 * (outcome == 2)
    settings = ScreenBlock(n_permutations=499)
    found = screen_codes(codes, outcome, range(6), settings, kind="multiclass")
    assert found.entered[0] == 4
    passed = 0
    for seed in range(40):
        noise = np.random.default_rng(100 + seed).normal(size=(90, 6))
        passed += (
            screen_codes(
                noise,
                outcome,
                range(6),
                ScreenBlock(n_permutations=199),
                kind="multiclass",
                seed=seed,
            ).passed
            > 0
        )
    assert passed <= 9  # 10 % of 40 is 4; 9 or fewer has a probability above .98
