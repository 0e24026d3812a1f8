"""Outcome definitions against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.io.cohort import CohortTable
from cardio_core.io.outcome_rules import (
    OUTCOMES,
    FollowUpRules,
    composite_vision,
    compute_outcome,
    lvef5,
    lvef5ge,
    lvesv15,
    mlhfq5,
    nyha1,
)
from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError, DataError

NA = float("nan")
COMPLETE = {
    "lvesv_bl_ml": 200.0,
    "lvesv_fu_ml": 150.0,
    "lvef_bl_pct": 30.0,
    "lvef_fu_pct": 34.0,
    "nyha_bl": 3,
    "nyha_fu": 3,
    "mlhfq_bl": 40.0,
    "mlhfq_fu": 38.0,
}


def cohort(*rows):
    return pd.DataFrame([COMPLETE | row for row in rows]).convert_dtypes()


@pytest.mark.parametrize(
    ("rule", "before", "after", "expected"),
    [
        # 200 mL less 15 % is 170 mL.
        (lvesv15, 200, 170, 1),
        (lvesv15, 200, 170.01, 0),
        (lvesv15, 200, 230, 0),
        (lvesv15, 200, 100, 1),
        (lvef5, 30, 35, 0),
        (lvef5, 30, 35.01, 1),
        (lvef5, 30, 20, 0),
        (lvef5ge, 30, 35, 1),
        (lvef5ge, 30, 34.99, 0),
        (nyha1, 3, 2, 1),
        (nyha1, 3, 3, 0),
        (nyha1, 2, 4, 0),
        (nyha1, 1, 1, 0),
        (mlhfq5, 40, 35, 1),
        (mlhfq5, 40, 35.5, 0),
        (mlhfq5, 0, 0, 0),
    ],
)
def test_each_definition_decides_as_its_words_say(rule, before, after, expected):
    assert rule([before], [after]).tolist() == [expected]


@pytest.mark.parametrize(
    ("rule", "before", "after", "expected"),
    [
        # In binary numbers (100.6 - 85.51) / 100.6 is 0.1499999999999999.
        (lvesv15, 100.6, 85.51, 1),
        # 16.4 - 11.4 is 4.999999999999998, 16.1 - 11.1 is 5.000000000000002.
        (lvef5ge, 11.4, 16.4, 1),
        (lvef5, 11.1, 16.1, 0),
    ],
)
def test_a_value_on_the_boundary_is_not_moved_off_it_by_binary_rounding(
    rule, before, after, expected
):
    assert rule([before], [after]).tolist() == [expected]


@pytest.mark.parametrize("rule", [lvesv15, lvef5, lvef5ge, nyha1])
@pytest.mark.parametrize(("before", "after"), [(0, 1), (-3, 1), (None, 1), (1, None), (1, 0)])
def test_a_measurement_that_is_missing_or_not_positive_gives_na(rule, before, after):
    assert np.isnan(rule([before], [after])).all()


def test_the_composite_needs_one_improvement_or_every_part():
    pairs = {"nyha": (3, 3), "lvef": (30, 30), "lvesv": (200, 200), "mlhfq": (40, 40)}
    units = {"nyha": "", "lvef": "_pct", "lvesv": "_ml", "mlhfq": ""}
    same = {
        f"{name}_{when}{units[name]}": [value]
        for name, values in pairs.items()
        for when, value in zip(("bl", "fu"), values, strict=True)
    }
    assert composite_vision(**same) == 0
    for better in (
        {"nyha_fu": [2]},
        {"lvef_fu_pct": [35]},
        {"lvesv_fu_ml": [170]},
        {"mlhfq_fu": [35]},
    ):
        assert composite_vision(**same | better) == 1
        missing = {"nyha_bl" if "nyha_fu" not in better else "lvef_bl_pct": [None]}
        assert composite_vision(**same | better | missing) == 1
    for column in same:
        assert np.isnan(composite_vision(**same | {column: [None]})).all()


def test_every_outcome_reads_its_own_columns_of_the_table():
    # ESV 200 to 150 mL is -25 %; EF 30 to 34 is +4 points; NYHA 3 to 3; MLHFQ -2 points.
    found = {name: compute_outcome(name, cohort({})).values.tolist() for name in OUTCOMES}
    assert found == {
        "LVESV15": [1], "LVEF5": [0], "LVEF5ge": [0], "NYHA1": [0], "composite_VISION": [1],
    }  # fmt: skip


@pytest.mark.parametrize("status", ["died", "transplant"])
def test_death_and_transplantation_are_na_or_nonresponse_as_configured(status):
    table = cohort({}, {"followup_status": status, "lvesv_fu_ml": None})
    table["followup_status"] = table["followup_status"].astype("string")
    missing = compute_outcome("LVESV15", table)
    counted = compute_outcome("LVESV15", table, FollowUpRules("nonresponder"))
    assert missing.values.tolist() == [1, pd.NA]
    assert counted.values.tolist() == [1, 0]
    assert missing.reasons[1] == counted.reasons[1]
    assert "before follow-up" in counted.reasons[1]


def test_the_status_outranks_values_that_stand_there_nevertheless():
    table = cohort({"followup_status": "died"}, {"followup_status": "lost"})
    counted = compute_outcome("LVESV15", table, FollowUpRules("nonresponder"))
    assert counted.values.tolist() == [0, pd.NA]


def test_a_follow_up_outside_its_window_is_na_and_one_without_a_date_is_kept():
    # 6 ± 1 months are days 152.2 to 213.1 after implantation.
    rules = FollowUpRules(window_days=(152.2, 213.1))
    days = [None, 152, 153, 183, 213, 214]
    table = cohort(*({"days_to_followup": day} for day in days))
    found = compute_outcome("LVESV15", table, rules)
    assert found.values.tolist() == [1, pd.NA, 1, 1, 1, pd.NA]
    assert found.counts() == {
        "responder": 4, "nonresponder": 0, "NA": 2, "follow-up outside its window": 2,
    }  # fmt: skip
    assert compute_outcome("LVESV15", table).values.tolist() == [1] * 6


def test_a_table_of_a_cohort_takes_the_window_and_the_dead_are_counted_by_their_own_rule():
    rows = cohort(*({"days_to_followup": day} for day in (89, 90, 270, 271)))
    rows.loc[0, "followup_status"] = "died"
    table = CohortTable("cohort.csv", rows)
    found = table.outcome("LVESV15", died_or_transplanted="nonresponder", window_days=(90, 270))
    assert found.values.tolist() == [0, 1, 1, pd.NA]
    assert found.text() == (
        "2 responders, 1 nonresponder, 1 not known (1 follow-up outside its window)"
    )


def test_a_window_that_cannot_be_used_is_refused():
    table = CohortTable("cohort.csv", cohort({"days_to_followup": 180}))
    with refuses(ConfigError, "load.window_days", "270", "90", code="out_of_range"):
        table.outcome("LVESV15", window_days=(270, 90))
    undated = CohortTable("cohort.csv", table.rows.drop(columns="days_to_followup"))
    with refuses(ConfigError, "load.window_days", "days_to_followup", code="missing"):
        undated.outcome("LVESV15", window_days=(90, 270))
    assert undated.outcome("LVESV15").values.tolist() == [1]


def test_in_words_everybody_is_counted_once_the_unknown_with_their_reason():
    gone = ({"followup_status": "lost"}, {"followup_status": "died"}, {"lvesv_fu_ml": None})
    table = cohort({}, *gone)
    table["followup_status"] = table["followup_status"].astype("string")
    text = compute_outcome("LVESV15", table).text()
    assert text.startswith("1 responder, 3 not known (")
    assert "lost to follow-up" in text
    assert "nonresponder" not in text
    counted = compute_outcome("LVESV15", table, FollowUpRules("nonresponder")).text()
    assert counted.startswith("1 responder, 1 nonresponder, 2 not known (")
    assert "before follow-up" not in counted


def test_volumes_by_two_methods_are_not_compared():
    table = cohort(
        {"vol_method": "cmr", "vol_method_fu": "cmr"},
        {"vol_method": "cmr", "vol_method_fu": "spect"},
        {"vol_method": "cmr", "vol_method_fu": None},
    )
    for name in ("LVESV15", "LVEF5", "LVEF5ge", "composite_VISION"):
        found = compute_outcome(name, table)
        assert found.values.isna().tolist() == [False, True, False]
        assert found.reasons[1] == "measured by different methods"
    assert compute_outcome("NYHA1", table).values.notna().all()


def test_na_is_never_zero():
    table = cohort({}, {"lvesv_fu_ml": None})
    found = compute_outcome("LVESV15", table)
    assert found.values.dtype == "Int64"
    assert found.values[1] is pd.NA
    assert found.reasons.isna().tolist() == [True, False]


def test_the_table_is_not_changed_and_its_index_is_kept():
    table = cohort({"vol_method": "cmr", "vol_method_fu": "spect"}).set_index(pd.Index(["S9"]))
    before = table.copy(deep=True)
    found = compute_outcome("LVESV15", table)
    pd.testing.assert_frame_equal(table, before)
    assert list(found.values.index) == list(found.reasons.index) == ["S9"]


def test_an_unknown_outcome_or_column_is_refused_by_name():
    with refuses(DataError, "LVESV", "LVESV15", code="unknown"):
        compute_outcome("LVESV", cohort({}))
    with refuses(DataError, "outcome LVESV15", "lvesv_fu_ml", code="missing"):
        compute_outcome("LVESV15", cohort({}).drop(columns="lvesv_fu_ml"))
