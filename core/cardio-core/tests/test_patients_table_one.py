"""Table 1 of a run: who is described, by what, in whose words."""

from __future__ import annotations

import pandas as pd
import pytest

from cardio_core.evaluation.clinical_model import by_patient, of_samples, tells_the_outcome
from cardio_core.evaluation.patients import describe_patients
from cardio_core.testing import refuses
from cardio_core.types.info import Target
from cardio_stats.errors import DataError

RESPONSE = Target("response", "binary", ("no", "yes"))
PEOPLE = list("abcdefgh")
LABELS = pd.Series(["no", "yes"] * 4, index=PEOPLE)


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "patient_id": PEOPLE,
            "lvesv_bl_ml": [150.0, 160, 170, 180, 190, 200, 210, 220],
            "lvesv_fu_ml": [140.0] * 8,
            "days_to_followup": [180] * 8,
            "t1_ms": [1000.0, 1010, 1020, 1030, 1040, 1050, 1060, 1070],
            "path_ecg": [("x",)] * 8,
            "age_y": [60.0, 62, 64, 66, 68, 70, 72, None],
            "sex": list("MFMFMMMM"),
            "dm": pd.array([1, 0, 0, 0, 1, None, 0, 1], dtype="Int64"),
            "nyha_bl": pd.array([2, 3, 3, 4, 2, 3, 3, 4], dtype="Int64"),
            "albuminuria": ["no", "yes", "no", "no", "yes", "no", "no", "no"],
            "x_nt_probnp": [100.0, 200, 300, 400, 500, 600, 700, 800],
        },
        index=[f"s{one}" for one in PEOPLE],
    )


def test_labels_are_medicines_words_with_units_and_no_column_tells_the_follow_up(table):
    made = describe_patients(table, PEOPLE, LABELS, RESPONSE, ["x_nt_probnp", "albuminuria"])
    assert (made.title, made.by) == ("Patients at baseline", "response")
    assert made.frame["Variable"].tolist() == [
        "Age (years), mean ± SD",
        "Male sex, n (%)",
        "Diabetes mellitus, n (%)",
        "LV end-systolic volume (mL), mean ± SD",
        "NYHA class, n (%)",
        "  2",
        "  3",
        "  4",
        "Nt probnp, mean ± SD",
        "Albuminuria, n (%)",
    ]
    assert list(made.frame.columns) == [
        "Variable", "All (n = 8)", "no (n = 4)", "yes (n = 4)", "Missing", "p", "Test",
    ]  # fmt: skip
    rows = made.frame.set_index("Variable")
    # Counted by hand: men 6 of 8, of whom 4 of 4 without and 2 of 4 with the outcome.
    sex = rows.loc["Male sex, n (%)"]
    assert sex.tolist()[:3] == ["6 (75.0)", "4 (100.0)", "2 (50.0)"]
    assert rows.loc["Diabetes mellitus, n (%)"].tolist()[:4] == [
        "3 (42.9)", "2 (50.0)", "1 (33.3)", "1",
    ]  # fmt: skip
    assert rows.loc["Male sex, n (%)", "Missing"] == ""


def test_nothing_missing_is_no_column(table):
    made = describe_patients(table[["patient_id", "sex"]], PEOPLE, LABELS, RESPONSE)
    assert "Missing" not in made.frame.columns


def test_a_number_divides_nobody_and_tests_nothing(table):
    target = Target("change", "continuous", unit="mL")
    labels = pd.Series(range(8), index=PEOPLE, dtype=float)
    made = describe_patients(table, PEOPLE, labels, target)
    assert list(made.frame.columns) == ["Variable", "All (n = 8)", "Missing"]
    assert made.title == "Patients at baseline"


def test_several_classes_are_columns_in_their_own_order(table):
    target = Target("stage", "multiclass", ("mild", "severe", "gone"))
    labels = pd.Series(["gone", "severe", "mild", "mild", "gone", "severe", "gone", "mild"], PEOPLE)
    made = describe_patients(table, PEOPLE, labels, target)
    assert list(made.frame.columns)[1:5] == [
        "All (n = 8)", "mild (n = 3)", "severe (n = 2)", "gone (n = 3)",
    ]  # fmt: skip


def test_a_class_of_one_patient_is_told_and_not_tested(table):
    labels = pd.Series(["no"] * 7 + ["yes"], index=PEOPLE)
    made = describe_patients(table, PEOPLE, labels, RESPONSE)
    assert "All (n = 8)" in made.frame.columns
    assert "p" not in made.frame.columns
    assert made.notes[0].startswith("The patients are not divided by outcome")


def test_a_column_that_says_the_outcome_is_left_out(table):
    labels = table.set_index("patient_id")["sex"].map({"M": "no", "F": "yes"})
    made = describe_patients(table, PEOPLE, labels, RESPONSE)
    assert not made.frame["Variable"].str.contains("sex").any()


def test_a_table_that_describes_nobody_is_told():
    table = pd.DataFrame({"patient_id": PEOPLE, "lvesv_fu_ml": [1.0] * 8}, index=PEOPLE)
    with refuses(DataError, "cohort.md", code="missing"):
        describe_patients(table, PEOPLE, LABELS, RESPONSE)


def test_patients_are_described_before_their_treatment():
    table = pd.DataFrame(
        {
            "patient_id": ["a", "a", "b"],
            "timepoint": ["follow-up", "baseline", "follow-up"],
            "age_y": [61.0, 60.0, 50.0],
        },
        index=["a2", "a1", "b2"],
    )
    assert by_patient(table, ["age_y"])["age_y"].to_dict() == {"a": 60.0, "b": 50.0}
    samples = pd.DataFrame({"study_id": ["a2", "a1", "zz"], "patient_id": ["a", "a", "b"]})
    assert of_samples(table, samples, ["age_y"])["age_y"].tolist() == [61.0, 60.0, 50.0]


@pytest.mark.parametrize(
    ("values", "labels", "same"),
    [
        (["M", "F", None, "F"], ["no", "yes", "yes", "yes"], True),
        (["M", "F", "M", "F"], ["no", "yes", "yes", "yes"], False),
        ([1.0, 2.0, 3.0, None], [1.0, 2.0, 3.0, 9.0], True),
        ([1.0, 2.0, 3.5, None], [1.0, 2.0, 3.0, 9.0], False),
        (["x", "x", "x", "x"], ["no", "no", "yes", "yes"], False),
    ],
)
def test_what_says_the_same_as_the_outcome(values, labels, same):
    assert tells_the_outcome(pd.Series(values), pd.Series(labels)) is same
