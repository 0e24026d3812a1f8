"""The core's own clinical model: encoded on the training patients, right where truth is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from cardio_core.context import Context
from cardio_core.evaluation.clinical_model import (
    ENCODING,
    check_covariates,
    clinical_features,
    fit_encoding,
    predict,
    train,
)
from cardio_core.io.run_schema import plain
from cardio_core.testing import refuses
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.targets import Targets
from cardio_stats.errors import ConfigError, DataError

KINDS = {
    "binary": Target("sick", "binary", ("no", "yes")),
    "multiclass": Target("sick", "multiclass", ("a", "b", "c")),
    "continuous": Target("sick", "continuous", unit="mL"),
}


def features(values: pd.DataFrame):
    ids = [f"p{n}" for n in range(len(values))]
    samples = pd.DataFrame(
        dict.fromkeys(("recording_id", "study_id", "patient_id"), ids), index=ids
    )
    return clinical_features(samples, values)


def context(kind: str, out) -> Context:
    model = Model("covariates", "Clinical variables", covariates=("age", "arm"), partial=True)
    task = Task("t", "T", "patient", (KINDS[kind],), (model,))
    return Context(task, hook="train", model="covariates", _out=out)


def people(n: int = 90, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"age": rng.normal(60, 9, n), "arm": rng.choice(["x", "y", "z"], n)}
    ).astype(object)
    table.iloc[[3, 8], 0] = None
    table.iloc[4] = None
    return table


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_of_outcome_is_fitted_and_nobody_unknown_is_scored(kind, tmp_path):
    table = people()
    age = table["age"].astype(float).fillna(60).to_numpy()
    truth = {
        "binary": np.where(age > 60, "yes", "no"),
        "multiclass": np.select([age < 55, age < 65], ["a", "b"], "c"),
        "continuous": age * 2,
    }[kind]
    given_ = features(table)
    targets = Targets("patient", pd.DataFrame({"sick": truth}, index=given_.table.index))
    ctx = context(kind, tmp_path)
    found = predict(train(given_, targets, ctx), given_, ctx)
    scores = found.scores["sick"]
    assert found.level == "patient"
    missing = np.isnan(scores).reshape(len(table), -1).all(axis=1)
    assert missing.nonzero()[0].tolist() == [4]
    if kind == "binary":
        assert np.mean((scores[~missing] > 0.5) == (truth[~missing] == "yes")) > 0.9
    if kind == "multiclass":
        np.testing.assert_allclose(scores[~missing].sum(axis=1), 1)
    if kind == "continuous":
        assert np.corrcoef(scores[~missing], truth[~missing])[0, 1] > 0.95


def test_one_number_is_scikit_learns_ridge_on_its_z_score(tmp_path):
    table = people()[["age"]].dropna().reset_index(drop=True)
    truth = np.random.default_rng(1).integers(0, 2, len(table))
    given_ = features(table)
    targets = Targets("patient", pd.DataFrame({"sick": truth}, index=given_.table.index))
    ctx = context("binary", tmp_path)
    found = predict(train(given_, targets, ctx), given_, ctx).scores["sick"]
    age = table["age"].astype(float).to_numpy()
    z = ((age - age.mean()) / age.std())[:, None]
    expected = LogisticRegression(C=1.0, tol=1e-12).fit(z, truth).predict_proba(z)[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_cannot_be_fitted_is_told(tmp_path):
    given_ = features(people())
    same = Targets("patient", pd.DataFrame({"sick": ["no"] * 90}, index=given_.table.index))
    with refuses(DataError, code="degenerate"):
        train(given_, same, context("binary", tmp_path))
    nothing = features(pd.DataFrame({"age": [50] * 4, "arm": ["x"] * 4}, dtype=object))
    two = Targets("patient", pd.DataFrame({"sick": [0, 1, 0, 1]}, index=nothing.table.index))
    with refuses(DataError, code="degenerate"):
        train(nothing, two, context("binary", tmp_path))


def test_missing_values_are_the_training_median_and_marked():
    made = fit_encoding(pd.DataFrame({"age": [40, 50, 90, None]}, dtype=object))
    new = made.encode(pd.DataFrame({"age": [None, 50]}, dtype=object))
    assert new[0, 0] == new[1, 0]
    assert new[:, 1].tolist() == [1.0, 0.0]


def test_words_that_training_never_saw_are_none_of_its_levels():
    made = fit_encoding(pd.DataFrame({"arm": ["x", "y", "z", "x"]}, dtype=object))
    new = pd.DataFrame({"arm": ["new", None]}, dtype=object)
    assert made.encode(new).tolist() == [[0.0] * 3] * 2


cell = st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from(["a", "b", "c"]))


@given(st.lists(st.tuples(cell, cell), min_size=2, max_size=12))
def test_an_encoding_survives_its_file_and_never_makes_a_gap(rows):
    table = pd.DataFrame(rows, columns=["one", "two"], dtype=object)
    made = fit_encoding(table)
    if not made.columns:
        return
    again = ENCODING.check(json.loads(json.dumps(plain(made))), Path("a.json"))
    design = made.encode(table)
    assert np.isfinite(design).all()
    np.testing.assert_array_equal(design, again.encode(table))


@pytest.mark.parametrize("missing", [None, pd.NA, float("nan")])
def test_words_that_are_missing_in_whatever_form_are_marked(missing):
    """A cohort table holds NA of pandas, JSON holds None; both mean that nobody knows."""
    table = pd.DataFrame({"smoker": pd.Series(["ja", "nein", missing, "ja"], dtype=object)})
    made = fit_encoding(table).encode(table)
    np.testing.assert_array_equal(made, [[0, 0], [1, 0], [0, 1], [0, 0]])


def test_what_the_outcome_is_made_of_is_no_covariate_whatever_it_is_said_to_be_read_for():
    table = pd.DataFrame({"patient_id": ["a", "b"], "t1_ms": [990.0, 1120.0]})
    about = {"name": "t", "title": "T", "unit": "patient", "targets": (), "models": ()}
    made_of = Task(**about, columns={"t1_ms": "what CMR says"}, outcome_columns=("t1_ms",))
    with refuses(ConfigError, "t1_ms"):
        check_covariates(["t1_ms"], table, "cohort.csv", outcome=None, task=made_of)
    check_covariates(["t1_ms"], table, "cohort.csv", outcome="responder", task=made_of)
    other = Task(**about, columns={"t1_ms": "no outcome"})
    check_covariates(["t1_ms"], table, "cohort.csv", outcome=None, task=other)
