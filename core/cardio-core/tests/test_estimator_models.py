"""Models that name an estimator: fitted and scored by the core as scikit-learn does by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from cardio_core.context import Context
from cardio_core.errors import MadeWrongError
from cardio_core.training.estimators import fit_estimator, score_by_estimator
from cardio_core.types.features import FeatureBlock, FeatureSet
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.targets import Targets

GRADES = ("none", "mild", "severe")
COLUMNS = ("measures.rate", "measures.width")


@pytest.fixture
def features():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(70, 9, (40, 3)), columns=["rate", "unused", "width"])
    frame.loc[3, "rate"] = np.nan
    ids = [f"P{n}" for n in range(40)]
    names = ("recording_id", "study_id", "patient_id")
    table = pd.DataFrame(dict.fromkeys(names, ids), index=pd.Index(ids, name="sample_id"))
    units = {"rate": "1/min", "unused": "1", "width": "ms"}
    return FeatureSet(table, {"measures": FeatureBlock.from_frame(frame, units)})


def fitted(features, target, values, make, columns, out):
    task = Task("t", "T", "patient", (target,), (Model("m", "M"),))
    ctx = Context(task, hook="train", model="m", fold="r0-f0", _out=out)
    targets = Targets("patient", pd.DataFrame({target.name: values}, index=features.table.index))
    model = fit_estimator(make, columns, features, targets, ctx)
    return score_by_estimator(columns, model, features, ctx).scores[target.name]


def design(features):
    """The two columns as scikit-learn would be given them: median for NaN, then z-scores."""
    values = features["measures"].in_units()[:, [0, 2]].astype(float)
    values[3, 0] = np.nanmedian(values[:, 0])
    return (values - values.mean(axis=0)) / values.std(axis=0)


def test_an_estimator_without_columns_is_fitted_on_every_measurement(features, tmp_path):
    target, sick = Target("ill", "binary", ("no", "yes")), np.arange(40) % 2
    named = tuple(f"measures.{name}" for name in features["measures"].names)
    scores = [
        fitted(features, target, sick, LogisticRegression, columns, tmp_path)
        for columns in ((), named)
    ]
    assert scores[0].tolist() == scores[1].tolist()
    without = FeatureSet(features.table, {})
    with pytest.raises(MadeWrongError, match="no block"):
        fitted(without, target, sick, LogisticRegression, (), tmp_path)


def test_a_binary_target_is_scored_as_by_hand(features, tmp_path):
    sick = np.arange(40) % 2
    scores = fitted(
        features,
        Target("ill", "binary", ("no", "yes")),
        sick,
        LogisticRegression,
        COLUMNS,
        tmp_path,
    )
    by_hand = LogisticRegression().fit(design(features), sick).predict_proba(design(features))
    assert scores == pytest.approx(by_hand[:, 1], abs=1e-5)


def test_a_number_is_predicted_as_by_hand(features, tmp_path):
    known = 130 + design(features) @ [4.0, -3.0]
    target = Target("pressure", "continuous", unit="mmHg")
    scores = fitted(features, target, known, LinearRegression, COLUMNS, tmp_path)
    assert scores == pytest.approx(known, abs=1e-3)


def test_a_class_that_no_training_patient_has_gets_no_probability(features, tmp_path):
    grades = np.where(np.arange(40) % 2, "severe", "none")
    target = Target("grade", "multiclass", GRADES)
    scores = fitted(features, target, grades, LogisticRegression, COLUMNS, tmp_path)
    assert scores.shape == (40, 3)
    assert (scores[:, 1] == 0).all()
    assert scores.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("make", "columns"), [(LogisticRegression, ("measures.height",)), (LinearSVC, COLUMNS)]
)
def test_an_unknown_column_and_an_estimator_without_probabilities_are_refused(
    features, tmp_path, make, columns
):
    with pytest.raises(MadeWrongError):
        fitted(
            features, Target("ill", "binary", ("no", "yes")), np.arange(40) % 2, make, columns,
            tmp_path,
        )  # fmt: skip
