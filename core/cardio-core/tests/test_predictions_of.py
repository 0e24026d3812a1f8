"""What a row found of its tested units, put together for `explain`."""

import numpy as np
import pandas as pd

from cardio_core.runner.evaluate import predictions_of
from cardio_core.types.info import Target

SCAR = Target("scar", "binary", ("no", "yes"))
VOLUME = Target("volume", "continuous", unit="ml")
VIEW = Target("view", "multiclass", ("a4c", "a2c", "plax"))


def frame(target, **rows):
    columns = {"continuous": ["score"]}.get(target.kind, [f"score:{c}" for c in target.classes])
    made = pd.DataFrame(list(rows.values()), columns=columns, dtype=float)
    return made.assign(unit_id=list(rows), level="study")


def test_a_unit_that_lacks_one_target_is_there_with_nan():
    found = predictions_of(
        [(SCAR, frame(SCAR, a=(0.2, 0.8))), (VOLUME, frame(VOLUME, b=(60,), a=(50,)))]
    )
    assert found.ids == ("a", "b")
    assert found.level == "study"
    assert np.array_equal(found.scores["scar"], [0.8, np.nan], equal_nan=True)
    assert found.scores["volume"].tolist() == [50, 60]


def test_several_classes_keep_their_columns():
    found = predictions_of([(VIEW, frame(VIEW, a=(0.1, 0.2, 0.7)))])
    assert found.scores["view"].tolist() == [[0.1, 0.2, 0.7]]


def test_a_row_that_scored_nothing_said_nothing():
    assert predictions_of([(VIEW, frame(VIEW)), (SCAR, frame(SCAR))]).ids == ()
