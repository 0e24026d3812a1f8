"""What a hook raised, in one line that helps its author."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import check_array

from cardio_core.api import Model, Predictions, Target, Task
from cardio_core.runner.hook_calls import CHECKS, failed
from cardio_core.testing import names, training_context
from cardio_core.types.features import FeatureBlock, FeatureSet


def features() -> FeatureSet:
    ids = {name: list("abcd") for name in ("recording_id", "study_id", "patient_id")}
    values = np.array([[1, 2, np.nan], [1, np.nan, np.nan], [1, 2, 3], [1, 2, 3]], np.float32)
    names = ("height", "width", "rate")
    measures = FeatureBlock(values, ("measure",), names, ("1",))
    picture = FeatureBlock(np.full((4, 2, 2), np.nan), ("row", "column"), ("p", "q"), ("1",))
    words = FeatureBlock(np.array([["x"]] * 4, object), ("word",), ("word",), ("1",))
    blocks = {"measures": measures, "picture": picture, "words": words}
    return FeatureSet(pd.DataFrame(ids, index=list("abcd")), blocks)


def raised(text: str) -> ValueError:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_an_error_about_nan_names_the_columns_that_hold_any():
    given = {"training": features(), "validation": None, "targets": 3}
    with pytest.raises(ValueError, match="NaN") as caught:
        check_array(given["training"]["measures"].values)
    said = failed("ppg", "hook train", caught.value, arguments=given)
    told = "measures.width (1 of 4, first patient b), measures.rate (2 of 4, first patient a)"
    assert f"; NaN in {told} (" in str(said)
    assert "measures" not in said.redacted


def test_scores_that_are_not_finite_name_the_features_without_values():
    given = features()
    task = Task("t", "A task", "patient", (Target("ill", "binary", ("no", "yes")),),
                (Model("m", "M"),))  # fmt: skip
    scores = np.where([False, False, False, True], 0.5, np.nan)
    predictions = Predictions(tuple("abcd"), {"ill": scores})
    ctx = training_context(task, "m")
    problem = CHECKS["predict"](predictions, ctx, model=None, features=given)
    assert names(problem, "ill", "measures.width", "measures.rate", "b", "a")
    whole = FeatureSet(given.table, {"words": given["words"]})
    assert "NaN" not in str(CHECKS["predict"](predictions, ctx, model=None, features=whole))


def test_another_error_names_none():
    said = failed("ppg", "hook train", raised("no such word"), arguments={"training": features()})
    assert "measures" not in str(said)
