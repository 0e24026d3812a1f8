"""Table 1, on made data, on the published counts of a paper, and on a real trial."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_stats._numerics.display import p_text
from cardio_stats.baseline_table import TableOneChoices, table_one
from cardio_stats.errors import DataError

CHOICES = TableOneChoices(continuous_test="student", categorical_test="chi2", yates=False, ddof=1)
ORACLE = Path(__file__).parent / "oracles/table_one_elsync.json"


def cohort() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "patient_id": np.arange(60),
            "arm": np.repeat(["OFF", "ON"], [25, 35]),
            "qrs_ms": np.where(rng.random(60) < 0.1, np.nan, rng.normal(160, 20, 60)),
            "nyha": rng.integers(1, 5, 60),
            "sex": np.where(rng.random(60) < 0.6, "M", "F"),
            "dm": np.where(rng.random(60) < 0.05, np.nan, rng.random(60) < 0.3),
            "comment": [f"note {i}" for i in range(60)],
            "nothing": np.nan,
        }
    )


def row_of(table: Any, start: str) -> tuple[str, ...]:
    return next(row for row in table.rows if row[0].startswith(start))


def test_a_published_table_is_reproduced_from_its_counts_with_its_correction() -> None:
    """Paper 000, Table 1: ACE inhibitors 37/45 against 51/57, men 37/45 against 37/57."""
    table = pd.DataFrame(
        {
            "responder": np.repeat([1, 0], [45, 57]),
            "acei": np.concatenate([np.repeat([1, 0], [37, 8]), np.repeat([1, 0], [51, 6])]),
            "male": np.concatenate([np.repeat([1, 0], [37, 8]), np.repeat([1, 0], [37, 20])]),
        }
    )
    yates = table_one(table, "responder", None, choices=replace(CHOICES, yates=True))
    plain = table_one(table, "responder", None, choices=CHOICES)
    assert [row[-2] for row in yates.rows] == ["0.443", "0.085"]
    assert [row[-2] for row in plain.rows] == ["0.291", "0.052"]
    assert row_of(yates, "male = 1")[1:4] == ("74 (72.5)", "37 (64.9)", "37 (82.2)")


def test_kinds_are_detected_and_can_be_overridden() -> None:
    found = table_one(cohort(), "arm", ["qrs_ms", "nyha", "sex", "dm"], choices=CHOICES)
    assert [row[0] for row in found.rows] == [
        "qrs_ms, mean ± SD", "nyha, n (%)", "  1", "  2", "  3", "  4", "sex = M, n (%)",
        "dm = 1, n (%)",
    ]  # fmt: skip
    other = replace(CHOICES, continuous=("nyha",), ranked=("qrs_ms",))
    found = table_one(cohort(), "arm", ["qrs_ms", "nyha"], choices=other)
    assert [row[0] for row in found.rows] == ["qrs_ms, median (quartiles)", "nyha, mean ± SD"]
    assert [row[-1] for row in found.rows] == ["rank", "Student"]


def test_missing_values_are_counted_for_every_variable() -> None:
    table = cohort()
    found = table_one(table, "arm", ["qrs_ms", "dm"], choices=CHOICES)
    assert row_of(found, "qrs_ms")[-3] == str(table["qrs_ms"].isna().sum())
    assert row_of(found, "dm")[-3] == str(table["dm"].isna().sum())


def test_rows_without_a_group_are_dropped_and_counted() -> None:
    table = cohort()
    table.loc[:3, "arm"] = None
    found = table_one(table, "arm", ["qrs_ms"], choices=CHOICES)
    assert found.columns[1] == "all (n = 56)"
    assert any("4 rows without arm" in note for note in found.notes)


def test_without_a_list_every_column_is_described_or_named_with_the_reason() -> None:
    found = table_one(cohort(), "arm", None, choices=CHOICES)
    notes = " ".join(found.notes)
    assert "an identifier: patient_id" in notes
    assert "empty: nothing" in notes
    assert "more than 20 levels: comment" in notes


def test_the_divisor_of_the_printed_sd_is_the_one_asked_for() -> None:
    table = pd.DataFrame({"g": [0, 0, 1, 1], "x": [1.0, 2.0, 3.5, 5.0]})
    one, zero = (
        table_one(table, "g", ["x"], choices=replace(CHOICES, ddof=ddof, continuous=("x",)))
        for ddof in (1, 0)
    )
    assert one.rows[0][2] == "1.5 ± 0.7"
    assert zero.rows[0][2] == "1.5 ± 0.5"
    assert one.rows[0][-2] == zero.rows[0][-2]


def test_a_variable_without_a_valid_test_gets_a_dash_and_a_note() -> None:
    table = cohort().assign(same=7.5)
    table.loc[table["arm"] == "ON", "dm"] = np.nan
    found = table_one(table, "arm", ["same", "dm"], choices=replace(CHOICES, continuous=("same",)))
    assert [row[-2] for row in found.rows] == ["–", "–"]
    assert sum("not tested" in note for note in found.notes) == 2
    assert "nan" not in found.to_text().lower()


def test_no_p_value_is_printed_as_zero() -> None:
    assert p_text(1e-12) == "<0.001"
    assert p_text(0.00049) == "<0.001"
    assert p_text(0.0014) == "0.001"
    table = pd.DataFrame({"g": np.repeat([0, 1], 50), "x": np.arange(100.0)})
    assert table_one(table, "g", ["x"], choices=CHOICES).rows[0][-2] == "<0.001"


def test_the_printed_table_and_the_frame_hold_the_same_cells() -> None:
    found = table_one(cohort(), "arm", ["qrs_ms", "sex"], choices=CHOICES)
    frame = found.to_frame()
    assert list(frame.columns) == list(found.columns)
    assert [tuple(row) for row in frame.to_numpy()] == list(found.rows)


def test_the_order_of_rows_does_not_change_the_table() -> None:
    table = cohort()
    shuffled = table.sample(frac=1, random_state=4)
    columns = ["qrs_ms", "nyha", "sex", "dm"]
    assert (
        table_one(table, "arm", columns, choices=CHOICES).rows
        == table_one(shuffled, "arm", columns, choices=CHOICES).rows
    )


@pytest.mark.parametrize(
    ("change", "by", "columns", "words"),
    [
        (lambda t: t, "arm", ["nope"], "not in the table"),
        (lambda t: t, "nope", None, "not in the table"),
        (lambda t: t, "arm", ["nothing"], "it is empty"),
        (lambda t: t, "arm", ["comment"], "more than 20 levels"),
        (lambda t: t.assign(arm="ON"), "arm", None, "two or more groups, found 1"),
        (lambda t: t.iloc[[0, -1]], "arm", None, "at least 2 rows in every group"),
        (lambda t: t, "patient_id", None, "at most 20 groups"),
        (lambda t: t.assign(qrs_ms=["160", "wide", *["150"] * 58]), "arm", None,
         "found text 'wide' in data row 2"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_made_are_refused_in_one_line(
    change: Any, by: str, columns: list[str] | None, words: str
) -> None:
    with pytest.raises(DataError, match=words) as refusal:
        table_one(change(cohort()), by, columns, choices=CHOICES)
    assert "\n" not in str(refusal.value)


@pytest.mark.realdata
def test_a_real_trial_with_three_groups_agrees_with_r() -> None:
    folder = os.environ.get("CARDIO_DATA")
    if folder is None:
        pytest.skip("CARDIO_DATA is not set: the aCRT-ELSYNC table is not here")
    table = pd.read_csv(Path(folder) / "crt_acrt_elsync/ELSYNC_dataset.csv")
    oracle = json.loads(ORACLE.read_text())  # made by oracles/table_one_elsync.R with R 4.2.2
    for test, key in (("welch", "welch"), ("student", "anova"), ("rank", "kruskal")):
        choices = replace(CHOICES, continuous_test=test)  # type: ignore[arg-type]
        found = table_one(table, "aCRT", None, choices=choices)
        p = {estimate.name: estimate.p_value for estimate in found.estimates}
        for name, expected in oracle["continuous"].items():
            assert p[f"table_one[{name}]"] == pytest.approx(expected[key], rel=1e-8), (name, test)
            assert row_of(found, name)[-3] == str(expected["missing"])
        for name, expected in oracle["categorical"].items():
            assert p[f"table_one[{name}]"] == pytest.approx(expected["fisher"], abs=1e-9)
        assert "nan" not in found.to_text().lower()
        assert " 0.000" not in found.to_text()
