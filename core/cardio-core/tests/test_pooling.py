"""One row a unit, however often the folds were drawn."""

import pandas as pd
import pytest

from cardio_core.evaluation.aggregate import pooled
from cardio_core.types.info import Target
from cardio_core.types.predictions import Scored

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


def several():
    return repeats().assign(study_id="s", patient_id="p")


def test_a_tested_unit_counts_once_a_model_with_its_decision():
    twice = pd.concat([several(), several().assign(model="other", predicted="no")])
    made = Scored({"event": twice}).tested(TARGET).set_index(["model", "unit_id"])
    assert made["score"].tolist() == pytest.approx([0.7, 0.4, 0.7, 0.4])
    assert made["y"].tolist() == [1, 0, 1, 0]
    assert made["decided"].tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("lacking", ["y_true", "unit_id", "score:yes"])
def test_what_lacks_its_truth_its_unit_or_its_score_was_not_tested(lacking):
    rows = several()
    rows.loc[rows["subject_id"] == "a", lacking] = None
    assert Scored({"event": rows}).tested(TARGET)["unit_id"].tolist() == ["b"]


def test_tested_numbers_stay_in_their_unit():
    rows = several().assign(y_true=[60.0, 50.0] * 3, score=[70.0, 50.0, 60.0, 50.0, 50.0, 50.0])
    made = Scored({"volume": rows}).tested(Target("volume", "continuous", unit="ml"))
    assert made[["y", "score"]].to_numpy().tolist() == [[60.0, 60.0], [50.0, 50.0]]
    assert "decided" not in made


def test_rows_are_clustered_where_one_person_has_several():
    assert Scored.clusters_of(repeats()).tolist() == ["b", "a"] * 3
    assert Scored.clusters_of(repeats().iloc[:2]) is None
