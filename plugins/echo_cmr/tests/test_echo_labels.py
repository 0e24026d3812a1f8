"""Labels from what the CMR says: segments of a view, cut-offs of a scanner."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import ConfigError
from cardio_echo_cmr.findings.config import LoadBlock
from cardio_echo_cmr.findings.labels import cutoffs_of, mapped_labels
from cardio_echo_cmr.segments import SEGMENTS_OF_VIEW, any_positive, segment_labels, unjudged_note

# The sets as the paper prints them (Sahashi et al. 2024, Methods).
PRINTED = {
    "a4c": {3, 9, 14, 17, 16, 12, 6},
    "a2c": {1, 7, 13, 17, 15, 10, 4},
    "plax": {2, 8, 5, 11},
}
VIEWS_OF = {
    n: {view for view, numbers in PRINTED.items() if n in numbers} for n in range(1, 18)
}  # fmt: skip


def table_of(*rows: list[float | None], finding: str = "wma") -> pd.DataFrame:
    """Return studies with these seventeen segments each, as a cohort table holds them."""
    names = [f"{finding}_seg_{n:02d}" for n in range(1, 18)]
    table = pd.DataFrame(rows, columns=names, index=[f"s{n}" for n in range(len(rows))])
    return table.astype("Int64")


def with_segment(number: int, value: float | None, others: float | None = 0) -> list[float | None]:
    return [value if n == number else others for n in range(1, 18)]


def test_the_views_show_the_segments_that_the_paper_prints():
    assert {view: set(numbers) for view, numbers in SEGMENTS_OF_VIEW.items()} == PRINTED
    assert set().union(*PRINTED.values()) == set(range(1, 18))


@pytest.mark.parametrize("number", range(1, 18))
@pytest.mark.parametrize("finding", ["wma", "lge"])
def test_a_finding_in_one_segment_is_seen_in_the_views_that_show_it(number, finding):
    labels = segment_labels(table_of(with_segment(number, 1), finding=finding), finding).iloc[0]
    assert labels[finding] == 1
    for view in PRINTED:
        assert labels[f"{finding}_{view}"] == (view in VIEWS_OF[number])


@pytest.mark.parametrize("number", range(1, 18))
def test_a_segment_that_nobody_judged_leaves_open_what_it_could_decide(number):
    labels = segment_labels(table_of(with_segment(number, None)), "wma").iloc[0]
    assert np.isnan(labels["wma"])
    for view in PRINTED:
        assert np.isnan(labels[f"wma_{view}"]) == (view in VIEWS_OF[number])
        assert labels[f"wma_{view}"] == 0 or view in VIEWS_OF[number]


def test_one_positive_segment_decides_whatever_was_not_judged():
    labels = segment_labels(table_of(with_segment(5, 1, others=None)), "wma").iloc[0]
    assert labels["wma"] == labels["wma_plax"] == 1
    assert np.isnan(labels["wma_a4c"]) and np.isnan(labels["wma_a2c"])


def test_a_missing_column_is_a_segment_that_nobody_judged():
    table = table_of(with_segment(1, 0), with_segment(2, 1)).drop(columns="wma_seg_17")
    labels = segment_labels(table, "wma")
    assert labels["wma"].tolist()[1] == 1 and np.isnan(labels["wma"].iloc[0])
    assert labels["wma_plax"].tolist() == [0, 1]
    assert unjudged_note(labels).endswith(
        "wma 1 of 2, wma_a4c 2 of 2, wma_a2c 2 of 2. Set their empty cells to 0 or 1: "
        "wma needs wma_seg_01 to 17; wma_a4c needs wma_seg_03, 06, 09, 12, 14, 16, 17; "
        "wma_a2c needs wma_seg_01, 04, 07, 10, 13, 15, 17."
    )


def test_a_table_without_any_segment_says_which_columns_are_wanted():
    with pytest.raises(ConfigError, match="lge_seg_01 to 17 in the cohort table, found none"):
        segment_labels(table_of(with_segment(1, 0)), "lge")


def test_labels_do_not_depend_on_the_order_of_studies():
    rng = np.random.default_rng(0)
    segments = rng.choice([0.0, 1.0, np.nan], size=(50, 17), p=[0.8, 0.1, 0.1])
    order = rng.permutation(50)
    np.testing.assert_array_equal(any_positive(segments)[order], any_positive(segments[order]))


# Table 1 of the paper prints >= 1060 ms, >= 58 ms and >= 33 %.
@pytest.mark.parametrize(
    ("finding", "column", "cut"),
    [("t1", "t1_ms", 1060), ("t2", "t2_ms", 58), ("ecv", "ecv_pct", 33)],
)
def test_a_value_at_its_cutoff_is_raised_and_counted(finding, column, cut):
    below = np.nextafter(cut * (1 - 1e-6), 0)
    table = pd.DataFrame({column: [below, float(cut), cut + 0.1, np.nan]})
    labels, (note,) = mapped_labels(table, finding, LoadBlock())
    np.testing.assert_array_equal(labels[f"{finding}_high"], [0, 1, 1, np.nan])
    np.testing.assert_array_equal(labels[column], table[column])
    assert "1 of 3 are exactly at it" in note and f"({cut:g} " in note


def test_rounding_does_not_push_a_value_below_its_cutoff():
    table = pd.DataFrame({"ecv_pct": [np.nextafter(33.0, 0.0)]})
    labels, _ = mapped_labels(table, "ecv", LoadBlock())
    assert labels["ecv_high"].tolist() == [1]


def test_the_first_cutoff_that_fits_the_scanner_counts():
    config = LoadBlock.model_validate(
        {
            "scanner_cutoffs": [
                {"field_T": 3.0, "vendor": "Siemens", "t1_ms": 1240},
                {"field_T": 3.0, "t1_ms": 1230, "t2_ms": 45},
                {"vendor": "GE", "t2_ms": 60},
            ]
        }
    )
    table = pd.DataFrame(
        {
            "field_T": [3.0, 3.0, 1.5, np.nan, 2.99],
            "scanner_vendor": pd.array(["SIEMENS ", None, "siemens", "ge", "GE"], dtype="string"),
            "t1_ms": [1235.0, 1235.0, 1235.0, np.nan, 1060.0],
        }
    )
    assert cutoffs_of(table, "t1_ms", config).tolist() == [1240, 1230, 1060, 1060, 1230]
    assert cutoffs_of(table, "t2_ms", config).tolist() == [45, 45, 58, 60, 45]
    assert cutoffs_of(table, "ecv_pct", config).tolist() == [33] * 5
    labels, (note,) = mapped_labels(table, "t1", config)
    np.testing.assert_array_equal(labels["t1_high"], [0, 1, 1, np.nan, 0])
    assert "1060 ms for 1, 1230 ms for 2, 1240 ms for 1 studies" in note


def test_cutoffs_by_scanner_hold_for_no_study_whose_scanner_is_not_known():
    config = LoadBlock.model_validate({"scanner_cutoffs": [{"field_T": 3.0, "t1_ms": 1230}]})
    assert cutoffs_of(pd.DataFrame({"t1_ms": [1100.0]}), "t1_ms", config).tolist() == [1060]


def test_a_table_without_the_measurement_says_which_column_is_wanted():
    with pytest.raises(ConfigError, match="expected a column t2_ms in the cohort table"):
        mapped_labels(pd.DataFrame({"t1_ms": [1000.0]}), "t2", LoadBlock())


def test_folds_are_split_by_every_finding_whatever_the_task():
    """Every task takes the folds of the views, so they must hold every label evenly."""
    from cardio_echo_cmr.findings.labels import strata_of

    segments = {f"{name}_seg_{n:02d}": [0.0, 0.0, 0.0] for name in ("wma", "lge")
                for n in range(1, 18)}  # fmt: skip
    table = pd.DataFrame(segments, index=["s1", "s2", "s3"])
    table.loc["s1", "wma_seg_04"] = 1.0
    table.loc["s2", ["wma_seg_01", "lge_seg_17"]] = 1.0
    table.loc["s3", "lge_seg_02"] = np.nan
    assert strata_of(table, LoadBlock()).to_dict() == {"s1": "wma, no lge", "s2": "wma, lge"}
    table["t1_ms"] = [1060.0, np.nan, 900.0]
    assert strata_of(table, LoadBlock()).to_dict() == {
        "s1": "wma, no lge, t1",
        "s2": "wma, lge, no t1",
    }
    measured = table[["t1_ms"]]
    assert strata_of(measured, LoadBlock()).tolist() == ["t1", "no t1", "no t1"]
    assert strata_of(measured[[]], LoadBlock()) is None
