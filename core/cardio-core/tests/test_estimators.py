"""Estimators are stored as data and read back as they were; anything else is refused."""

from __future__ import annotations

import copy
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from cardio_core.testing import refuses
from cardio_core.types.artifact import load_estimator, save_estimator
from cardio_stats.errors import DataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = (X[:, 0] + RNG.normal(size=60) > 0).astype(int)

ESTIMATORS = {
    "logistic": LogisticRegression(),
    "svm": CalibratedClassifierCV(SVC(), ensemble=False, cv=3),
    "forest": RandomForestClassifier(7, random_state=0),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_predicts_after_reading_what_it_predicted_before(name, tmp_path):
    fitted = make_pipeline(SimpleImputer(), StandardScaler(), ESTIMATORS[name]).fit(X, Y)
    skops.io.dump(fitted, tmp_path / "model.skops")
    again = load_estimator(tmp_path / "model.skops")
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_is_saved_is_what_is_read_and_the_same_file_in_every_process(name, tmp_path):
    fitted = make_pipeline(SimpleImputer(), StandardScaler(), ESTIMATORS[name]).fit(X, Y)
    save_estimator(tmp_path / "model.skops", fitted)
    again = load_estimator(tmp_path / "model.skops")
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    elsewhere = copy.deepcopy(fitted)  # at other addresses, as in another process
    skops.io.dump(fitted, tmp_path / "a.skops")
    skops.io.dump(elsewhere, tmp_path / "b.skops")
    assert (tmp_path / "a.skops").read_bytes() != (tmp_path / "b.skops").read_bytes()
    save_estimator(tmp_path / "elsewhere.skops", elsewhere)
    assert (tmp_path / "model.skops").read_bytes() == (tmp_path / "elsewhere.skops").read_bytes()


def test_a_type_that_is_not_on_the_list_is_refused_by_name(tmp_path):
    skops.io.dump(FunctionTransformer(print).fit(X), tmp_path / "model.skops")
    with refuses(DataError, "model.skops", "builtins.print", code="unsafe"):
        load_estimator(tmp_path / "model.skops")


@pytest.mark.parametrize("content", [b"", b"not a zip file", b"PK\x03\x04"])
def test_a_file_of_another_kind_is_refused(content, tmp_path):
    (tmp_path / "model.skops").write_bytes(content)
    with refuses(DataError, "model.skops", code="damaged"):
        load_estimator(tmp_path / "model.skops")


@pytest.mark.parametrize("field", ["left_child", "feature"])
def test_a_tree_that_points_outside_itself_is_refused(field, tmp_path):
    whole = tmp_path / "whole.skops"
    skops.io.dump(RandomForestClassifier(1, random_state=0).fit(X, Y), whole)
    damaged = tmp_path / "damaged.skops"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(damaged, "w") as target:
        for name in source.namelist():
            target.writestr(name, _with_large_numbers(source.read(name), field))
    with refuses(DataError, "damaged.skops", code="damaged"):
        load_estimator(damaged)


def _with_large_numbers(content: bytes, field: str) -> bytes:
    """Spoil one field of the nodes of a stored tree; leave every other file as it is."""
    import io

    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except ValueError:
        return content
    if array.dtype.names is None or field not in array.dtype.names:
        return content
    array = array.copy()
    array[field][0] = 10**6
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()
