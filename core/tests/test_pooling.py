"""One row a unit, however often the folds were drawn."""

import pandas as pd
import pytest

from cardio_core.evaluation.pooling import pooled
from cardio_core.types.info import Target

TARGET = Target("event", "binary", ("no", "yes"))


def repeats():
    return pd.DataFrame(
        {
            "unit_id": ["b", "a"] * 3,
            "recording_id": ["rb", "ra"] * 3,
            "subject_id": ["b", "a"] * 3,
            "time_s": None,
            "repeat": [0, 0, 1, 1, 2, 2],
            "model": "m",
            "y_true": ["yes", "no"] * 3,
            "predicted": ["yes", "no", "no", "no", "yes", "yes"],
            "score:no": [0.2, 0.8, 0.6, 0.7, 0.1, 0.3],
            "score:yes": [0.8, 0.2, 0.4, 0.3, 0.9, 0.7],
        }
    )


def test_scores_are_averaged_over_repeats_and_the_decision_is_the_most_frequent():
    made = pooled(repeats(), TARGET, "m").set_index("unit_id")
    assert len(made) == 2
    assert made.loc["b", "score:yes"] == pytest.approx(0.7)
    assert made.loc["a", "score:yes"] == pytest.approx(0.4)
    assert made["predicted"].to_dict() == {"b": "yes", "a": "no"}


def test_one_repeat_is_left_as_it_is():
    rows = repeats().iloc[:2]
    pd.testing.assert_frame_equal(pooled(rows, TARGET, "m"), rows.reset_index(drop=True))
