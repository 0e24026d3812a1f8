"""From what was found to who was tested: nobody is counted twice, and the numbers add up."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cardio_core.runner.patient_flow import KINDS, NO_REASON, Entry, count_flow, found_entries
from cardio_core.types.samples import Cohort, Quarantined, SampleSet
from cardio_core.types.targets import Targets

LEFT = st.none() | st.tuples(st.sampled_from(KINDS), st.sampled_from(["a", "b", "c"]))


@st.composite
def entries(draw):
    left = draw(LEFT)
    recording = left is None or left[0] != "no_recording"
    return Entry(f"P{draw(st.integers(0, 6))}", recording, left)


@given(st.lists(entries(), max_size=40))
def test_what_was_found_less_what_left_is_what_is_used_in_patients_and_recordings(found):
    first, *between, last = count_flow(found)
    for unit in ("entries", "recordings", "patients"):
        assert first[unit] - sum(one[unit] for one in between) == last[unit]
        assert all(one[unit] >= 0 for one in between)
    assert first["patients"] == len({one.patient for one in found})
    assert last["patients"] == len({one.patient for one in found if one.left is None})
    assert last["recordings"] == sum(one.left is None for one in found)
    ranks = [KINDS.index(one["kind"]) for one in between]
    assert ranks == sorted(ranks)


def arm_of(kept, *, labels, samples=None, quarantined=(), excluded=None):
    """A protocol of which only what is counted is there: ids by patient, and who has an outcome."""
    table = pd.DataFrame(
        [{"recording_id": r, "study_id": s, "patient_id": p} for r, s, p in kept],
        columns=["recording_id", "study_id", "patient_id"],
    )
    table.index = pd.Index(table["recording_id"], name="sample_id")
    cohort = Cohort(SampleSet(table, [0] * len(table)), {}, excluded=excluded or {})
    with_samples = table if samples is None else table.loc[samples]
    targets = Targets("patient", pd.DataFrame({"y": labels}))
    return SimpleNamespace(
        prepared=SimpleNamespace(
            cohort=cohort,
            quarantined=[Quarantined(*one) for one in quarantined],
            features=SimpleNamespace(table=with_samples),
        ),
        truth=SimpleNamespace(targets=targets, ignored=np.zeros(len(with_samples), bool)),
    )


def rows_of(**studies):
    """Rows of a cohort table: patient, file, time."""
    frame = pd.DataFrame.from_dict(
        studies, orient="index", columns=["patient_id", "path_ecg", "timepoint"]
    )
    frame["path_ecg"] = [(one,) if one else () for one in frame["path_ecg"]]
    return frame


class Named:
    """What stands for a file."""

    def __init__(self, stem):
        self.stem = stem


def test_every_row_and_every_recording_is_told_once_with_its_reason():
    rows = rows_of(
        a=("A", Named("a"), None), a2=("A", Named("a2"), "follow-up"), b=("B", None, None),
        c=("C", Named("c"), None), d=("D", Named("d"), None), e=("E", Named("e"), None),
        f=("F", Named("f"), None), g=("G", Named("g"), None), h=("H", None, "follow-up"),
    )  # fmt: skip
    arm = arm_of(
        [("a", "a", "A"), ("c", "c", "C"), ("d", "d", "D")],
        labels={"A": 1, "C": None},
        quarantined=[
            ("d", "preprocess", "d.hea: expected 10 s or more, found 4; record longer"),
            ("e", "load", "e.hea: no such file; correct it"),
        ],
        excluded={"paced": ("f",)},
    )
    found = found_entries(arm, rows)
    assert {name: (one.patient, one.recording, one.left) for name, one in found.items()} == {
        "a": ("A", True, None),
        "c": ("C", True, ("without_outcome", "the outcome is not known")),
        "d": ("D", True, ("unreadable", "expected … s or more, found …")),
        "e": ("E", True, ("unreadable", "no such file")),
        "f": ("F", True, ("left_out", "paced")),
        "row a2": ("A", True, ("left_out", "not at baseline")),
        "row b": ("B", False, ("no_recording", "no recording is named")),
        "row g": ("G", True, ("left_out", NO_REASON)),
        "row h": ("H", False, ("no_recording", "no recording is named, at follow-up")),
    }
    first, *_, last = count_flow(found.values())
    assert (first["entries"], first["recordings"], first["patients"]) == (9, 7, 8)
    assert (last["entries"], last["recordings"], last["patients"]) == (1, 1, 1)


def test_a_recording_of_several_in_a_row_belongs_to_that_row():
    rows = rows_of(a=("A", Named("x"), None))
    arm = arm_of(
        [("a-1", "a", "A")], labels={"A": 1}, quarantined=[("a-2", "load", "no such file")]
    )
    found = found_entries(arm, rows)
    assert set(found) == {"a-1", "a-2"}
    assert found["a-2"].patient == "A"


def test_what_gave_no_sample_and_no_reason_is_told_too():
    arm = arm_of([("a", "a", "A"), ("b", "b", "B")], labels={"A": 1, "B": 0}, samples=["a"])
    assert found_entries(arm, None)["b"].left == ("unreadable", "nothing usable was found in it")


def test_two_ids_of_one_person_are_one_patient():
    rows = rows_of(a=("A", Named("a"), None), b=("B", Named("b"), None), c=("C", None, None))
    rows["subject_link"] = [None, "A", "A"]
    arm = arm_of([("a", "a", "A"), ("b", "b", "B")], labels={"A": 1, "B": 1})
    found = found_entries(arm, rows)
    assert {one.patient for one in found.values()} == {"A"}
    assert [one["patients"] for one in count_flow(found.values())] == [1, 0, 1]
