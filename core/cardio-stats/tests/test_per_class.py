"""Per-class tables against published counts, sklearn and arithmetic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score, confusion_matrix, precision_recall_fscore_support

from cardio_stats import per_class_table, proportion
from cardio_stats.errors import DataError

# Made up, with as many beats of each class as records 200 to 234 of MIT-BIH's second half hold.
# Rows are the reference N, S, V, F, Q; columns the calls.
BEATS = np.array(
    [
        [38500, 1900, 300, 3500, 59],
        [170, 1400, 250, 16, 1],
        [120, 320, 2500, 181, 100],
        [33, 1, 7, 347, 0],
        [4, 1, 2, 0, 0],
    ]
)
CLASSES = list("NSVFQ")


def events_of(table: np.ndarray) -> tuple[list[str], list[str]]:
    pairs = [
        (CLASSES[i], CLASSES[j])
        for i, j in zip(*np.nonzero(table), strict=True)
        for _ in range(table[i, j])
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def labelled(n: int = 600, n_records: int = 12, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    reference = rng.choice(list("NSV"), n, p=[0.7, 0.1, 0.2])
    called = np.where(rng.random(n) < 0.8, reference, rng.choice(list("NSV"), n))
    return pd.DataFrame(
        {"reference": reference, "called": called, "record": rng.integers(0, n_records, n)}
    )


def test_rates_follow_from_rows_columns_and_diagonal() -> None:
    found = per_class_table(*events_of(BEATS), CLASSES).by_class
    assert found["V"]["sensitivity"].value == pytest.approx(2500 / 3221)
    assert found["V"]["ppv"].value == pytest.approx(2500 / (300 + 250 + 2500 + 7 + 2))
    assert found["V"]["f1"].value == pytest.approx(5000 / (3221 + 3059))
    assert found["V"]["fpr"].value == pytest.approx(559 / (44259 + 1837 + 388 + 7))
    assert found["S"]["ppv"].value == pytest.approx(1400 / 3622)
    assert found["all"]["accuracy"].value == pytest.approx((38500 + 1400 + 2500 + 347) / 49712)


def test_rates_agree_with_sklearn() -> None:
    events = labelled()
    table = per_class_table(events.reference, events.called, list("NSV"))
    ppv, sensitivity, f1, support = precision_recall_fscore_support(
        events.reference, events.called, labels=list("NSV")
    )
    for position, name in enumerate("NSV"):
        rates = table.by_class[name]
        assert rates["sensitivity"].value == pytest.approx(sensitivity[position])
        assert rates["ppv"].value == pytest.approx(ppv[position])
        assert rates["f1"].value == pytest.approx(f1[position])
        assert rates["support"].value == support[position]
    overall = table.by_class["all"]
    assert overall["macro_f1"].value == pytest.approx(f1.mean())
    assert overall["kappa"].value == pytest.approx(
        cohen_kappa_score(events.reference, events.called)
    )
    np.testing.assert_array_equal(
        table.confusion, confusion_matrix(events.reference, events.called, labels=list("NSV"))
    )


def test_independent_beats_get_wilsons_interval() -> None:
    events = labelled()
    found = per_class_table(events.reference, events.called, list("NSV"), unit="beat").by_class["S"]
    of_class = events[events.reference == "S"]
    expected = proportion(int((of_class.called == "S").sum()), len(of_class))
    sensitivity = found["sensitivity"]
    assert (sensitivity.low, sensitivity.high) == (expected.low, expected.high)
    assert (sensitivity.method, sensitivity.n, sensitivity.unit) == (
        "Wilson",
        len(of_class),
        "beat",
    )
    assert found["f1"].low < found["f1"].value < found["f1"].high


def test_records_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(4)
    record = np.repeat(np.arange(30), 100)
    right = rng.random(3000) < rng.beta(2, 1, 30)[record]
    called = np.where(right, "V", "N")
    reference = np.full(3000, "V")
    by_beat = per_class_table(reference, called, ["N", "V"]).by_class["V"]["sensitivity"]
    by_record = per_class_table(reference, called, ["N", "V"], record=record)
    found = by_record.by_class["V"]["sensitivity"]
    # records of equal size: the error of the mean over 30 records
    of_record = right.reshape(30, 100).mean(axis=1)
    assert found.extra["se"] == pytest.approx(of_record.std() / 30**0.5, rel=0.06)
    assert found.high - found.low > 3 * (by_beat.high - by_beat.low)
    assert (found.n, found.unit, found.n_patients) == (30, "record", None)


def test_patients_are_counted_and_resampled_where_no_record_is_given() -> None:
    events = labelled(n_records=12)
    patient = events.record // 2
    both = per_class_table(
        events.reference, events.called, list("NSV"), record=events.record, patient=patient
    ).by_class["all"]["accuracy"]
    assert (both.n, both.unit, both.n_patients) == (12, "record", 6)
    alone = per_class_table(events.reference, events.called, list("NSV"), patient=patient)
    accuracy = alone.by_class["all"]["accuracy"]
    assert (accuracy.n, accuracy.unit, accuracy.n_patients) == (6, "patient", 6)


def test_missed_beats_cost_sensitivity_and_false_detections_cost_predictivity() -> None:
    reference = ["V"] * 8 + [None] * 4 + ["N"] * 10
    called = ["V"] * 6 + [None] * 2 + ["V"] * 4 + ["N"] * 10
    table = per_class_table(reference, called, ["N", "V"])
    found = table.by_class
    assert found["V"]["sensitivity"].value == 6 / 8
    assert found["V"]["ppv"].value == 6 / 10
    assert found["V"]["f1"].value == 12 / 18
    assert found["V"]["fpr"].value == 4 / 14
    assert found["all"]["accuracy"].value == 16 / 22
    assert table.confusion.loc["V", "missed"] == 2
    assert table.confusion.loc["false", "V"] == 4


def test_an_absent_class_is_named_and_not_scored() -> None:
    table = per_class_table(["N", "V"] * 5, ["N", "V"] * 4 + ["V", "N"], CLASSES)
    assert set(table.undefined) == {
        f"{rate}_{name}" for rate in ("sensitivity", "ppv", "f1") for name in "SFQ"
    }
    assert not {e.name for e in table.estimates} & set(table.undefined)
    macro = table.by_class["all"]["macro_f1"]
    assert macro.note == "average over N, V, without S (absent), F (absent), Q (absent)"


def test_a_class_left_out_of_the_average_is_named() -> None:
    table = per_class_table(*events_of(BEATS), CLASSES, average_over=list("NSVF"))
    macro = table.by_class["all"]["macro_sensitivity"]
    expected = np.mean([38500 / 44259, 1400 / 1837, 2500 / 3221, 347 / 388])
    assert macro.value == pytest.approx(expected)
    assert macro.note.endswith("without Q (by choice)")


def test_a_class_in_few_records_has_no_interval() -> None:
    events = labelled(n_records=12)
    events.loc[events.record > 2, "reference"] = "N"
    found = per_class_table(events.reference, events.called, list("NSV"), record=events.record)
    rates = found.by_class["V"]
    assert (rates["sensitivity"].low, rates["sensitivity"].high) == (None, None)
    assert rates["sensitivity"].note == "held by 3 records: too few for an interval"
    assert rates["ppv"].low is not None


def test_a_class_right_in_every_record_gets_the_interval_of_as_many_records() -> None:
    reference = ["N", "V"] * 50
    found = per_class_table(reference, reference, ["N", "V"], record=np.repeat(range(10), 10))
    sensitivity = found.by_class["V"]["sensitivity"]
    expected = proportion(10, 10)
    assert (sensitivity.low, sensitivity.high) == (expected.low, expected.high)
    assert "counted once" in sensitivity.method


def test_events_without_a_record_are_dropped_and_counted() -> None:
    events = labelled()
    record = events.record.astype(object)
    record.iloc[:5] = None
    found = per_class_table(events.reference, events.called, list("NSV"), record=record)
    assert {estimate.n_dropped for estimate in found.estimates} == {5}
    assert found.confusion.to_numpy().sum() == 595


@settings(max_examples=40)
@given(arrays(np.int64, (4, 4), elements=st.integers(0, 20)))
def test_accuracy_is_the_prevalence_weighted_sensitivity(table: np.ndarray) -> None:
    table[0, 0] += 1
    reference, called = (np.repeat(part.ravel(), table.ravel()) for part in np.indices((4, 4)))
    found = per_class_table(reference, called, range(4), n_resamples=20)
    rates = [found.by_class[str(i)] for i in range(4)]
    weighted = sum(
        rate["support"].value * rate["sensitivity"].value for rate in rates if "sensitivity" in rate
    )
    accuracy = found.by_class["all"]["accuracy"].value
    assert weighted / table.sum() == pytest.approx(accuracy, abs=1e-9)


@pytest.mark.parametrize(
    ("reference", "called", "says"),
    [
        (["N", "X"], ["N", "N"], "reference: expected one of N, V, found 'X'"),
        (["N", "N"], ["N", 1], "predicted: expected one of"),
        (["N"], ["N", "V"], "one prediction for each reference"),
        ([None], [None], "1 with neither"),
        ([], [], "found none"),
    ],
)
def test_unusable_labels_are_refused(reference: list, called: list, says: str) -> None:
    with pytest.raises(DataError, match=says):
        per_class_table(reference, called, ["N", "V"])


def test_the_standard_forgives_fusion_beats_called_ventricular() -> None:
    strict = per_class_table(*events_of(BEATS), CLASSES).by_class
    lenient = per_class_table(
        *events_of(BEATS), CLASSES, forgiven={"V": ("F", "Q"), "S": ("Q",)}
    ).by_class
    assert lenient["V"]["ppv"].value == pytest.approx(2500 / (2500 + 300 + 250))
    assert lenient["V"]["fpr"].value == pytest.approx(550 / (44259 + 1837 + 388 + 7 - 9))
    assert lenient["S"]["ppv"].value == pytest.approx(1400 / (1400 + 1900 + 320 + 1))
    assert lenient["V"]["ppv"].note == "F, Q called so not counted"
    for name in CLASSES:
        assert lenient[name]["sensitivity"] == strict[name]["sensitivity"]
    assert lenient["N"]["ppv"] == strict["N"]["ppv"]
    assert lenient["all"]["accuracy"] == strict["all"]["accuracy"]
