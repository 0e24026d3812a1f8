"""What a study of several recordings says: of how many, how far apart, and when nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.evaluation.aggregate import prediction_frame, scored_members
from cardio_core.report.measurements import Measured
from cardio_core.runner.measure_tables import Line, combined, used_of
from cardio_core.runner.predict import recordings_of, with_recordings, without_verdicts
from cardio_core.runner.predict_text import prediction_lines
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.notes import Verdict
from cardio_core.types.predictions import Predictions

ILL = Target("ill", "binary", ("no", "yes"))
TASK = Task("t", "Ill", "study", (ILL,), (Model("one", "One"), Model("two", "Two")), folder="x")
WITHHELD = "another view"
IDS = ("1-1#0", "1-2#0", "1-3#0", "2#0")
TABLE = pd.DataFrame(
    {
        "recording_id": ["1-1", "1-2", "1-3", "2"],
        "study_id": ["1", "1", "1", "2"],
        "patient_id": ["P", "P", "P", "Q"],
        "subject_id": ["P", "P", "P", "Q"],
        "flags": ["", "dim", "", ""],
        "no_verdict": ["", "", WITHHELD, WITHHELD],
    },
    index=pd.Index(IDS, name="sample_id"),
)


def line(name, value, *, flags=(), reason="", withheld=False):
    measured = () if reason else (Measured("peak_mm", "Peak", "mm", value),)
    return Line(name, "P", (Path(name),), measured, 1, flags, reason, f"{name}.png",
                study_id="1", verdict=Verdict((WITHHELD,) if withheld else ()))  # fmt: skip


def test_an_answer_says_on_how_many_recordings_it_stands_and_their_range():
    scores = Predictions(IDS, {"ill": np.array([0.2, 0.5, 0.99, 0.7])}, "sample", {})
    members = {"one": scored_members(scores, TABLE, ILL, "study")}
    frame = prediction_frame(scores, TABLE, ILL, "study").set_index("unit_id")
    # The mean logit of .2 and .5 is that of 1/3; what cannot be judged does not count beside them.
    assert frame.loc["1", "score:yes"].round(6) == round(1 / 3, 6)
    rows = [{"id": "1", "model": "one", "level": "study"}, {"id": "2", "model": "one"}]
    said = with_recordings(rows, members, TASK, ILL)
    assert [(row["n_recordings"], row["range"]) for row in said] == [(2, [0.2, 0.5]), (1, None)]
    assert recordings_of(members, TASK, "one") == {"1-1", "1-2", "2"}
    assert recordings_of(members, TASK, "two") is None


def test_a_study_has_no_verdict_only_where_none_of_its_recordings_has():
    rows = [{"id": name, "level": "study", "decided": "yes"} for name in ("1", "2")]
    assert [row["no_verdict"] for row in without_verdicts(rows, TABLE)] == [None, "another view"]


def test_the_table_of_answers_shows_recordings_where_a_study_has_several():
    row = {"id": "1", "patient_id": "P1", "level": "study", "model": "one", "target": "ill",
           "scores": {"no": 0.6, "yes": 0.4}, "decided": "no", "threshold": 0.5,
           "threshold_source": "inner folds", "no_verdict": None, "n_recordings": 3,
           "range": [0.31, 0.46], "recording_id": None}  # fmt: skip
    answer = {
        "title": "Ill", "primary": "one", "models": {"one": "One"}, "synthetic_training": False,
        "decisions_withheld": False, "worth": [],
        "targets": [{"name": "ill", "kind": "binary", "classes": ["no", "yes"], "unit": ""}],
        "predictions": [row], "flags": {}, "quarantined": [], "notes": [],
        "files_summed": "4 files: 3 loops used in 1 study, 1 still.",
    }  # fmt: skip
    text = "\n".join(prediction_lines(answer, (), all_models=False))
    assert "Study  Patient  Recordings" in text and "3 (31 to 46 %)" in text
    assert text.endswith("4 files: 3 loops used in 1 study, 1 still.")


def test_a_study_is_the_median_of_the_recordings_that_can_be_judged():
    lines = [
        line("1-1", 2.0, flags=("dim",)),
        line("1-2", 5.0),
        line("1-3", 40.0, flags=("cannot be judged: another view",), withheld=True),
        line("1-4", 0.0, reason="cut short"),
        line("1-5", 3.0),
    ]
    one = combined(lines)
    assert (one.recording_id, one.n_recordings, one.reason) == ("1", 3, "")
    assert one.measured[0].value == 3.0 and one.measured[0].quartiles == (2.5, 4.0)
    assert one.flags == ("dim (1 of 3 recordings)",)
    assert one.sheet == "1-2.png"  # the first without a flag
    assert [each.recording_id for each in used_of(lines)] == ["1-1", "1-2", "1-5"]


def test_where_none_can_be_judged_all_are_measured_and_where_none_is_measured_it_says_why():
    unjudged = [line(f"1-{n}", float(n), withheld=True) for n in (1, 2, 3)]
    assert combined(unjudged).measured[0].value == 2.0 and combined(unjudged).verdict.withheld
    refused = [line("1-1", 0.0, reason="cut short"), line("1-2", 0.0, reason="too slow")]
    assert combined(refused).reason == (
        "none of its 2 recordings can be used; the first: cut short"
    )


def test_a_study_of_one_recording_is_that_recording():
    alone = Line("1", "P", (), (Measured("peak_mm", "Peak", "mm", 2.0),), study_id="1")
    assert combined([alone]) is alone
