"""`cardio stats`: what is wrong with a table or a command is said in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import names

from .words import COMPARE, INCREMENTAL, MULTIVARIABLE, ON_A_TABLE, ROC, TABLE1, UNIVARIABLE, name


def bad(cohort: Any, change: str) -> pd.DataFrame:
    """One fault each in the columns that every command uses."""
    table = cohort()
    if change == "text in a number":
        for column in ("qrs_ms", "risk", "lvef_pct"):
            table[column] = table[column].astype(object)
            table.loc[3, column] = "n/m"
    if change == "one class":
        table["response"], table["arm"] = 1, "ON"
    if change == "constant":
        table["qrs_ms"] = table["risk"] = table["lvef_pct"] = 5.0
    if change == "all missing":
        table["qrs_ms"] = table["risk"] = table["lvef_pct"] = np.nan
        table["arm"] = None
    return table.iloc[[0, 1]] if change == "two patients" else table


FAULTS = ["text in a number", "one class", "constant", "all missing", "two patients"]
# A constant column is described in a Table 1, without a test; agreement knows no classes.
FINE = {("constant", "table1"), ("one class", "agreement")}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", ON_A_TABLE, ids=name)
def test_unusable_tables_give_one_line_and_exit_code_3(
    cohort: Any, cardio: Any, tmp_path: Path, command: list[str], fault: str
) -> None:
    path = tmp_path / "bad.csv"
    bad(cohort, fault).to_csv(path, index=False)
    ran = cardio(command, path)
    if (fault, command[0]) in FINE:
        assert ran.code == 0
        assert "nan" not in ran.out.lower()
        return
    assert ran.code == 3, ran.out + ran.err
    assert ran.err.startswith("Error: ")
    assert ran.err.count("\n") == 1
    assert ran.out == ""


@pytest.mark.parametrize("command", ON_A_TABLE, ids=name)
def test_a_column_that_is_not_there_is_named_with_the_nearest_one(
    cohort: Any, cardio: Any, tmp_path: Path, command: list[str]
) -> None:
    path = tmp_path / "other.csv"
    cohort().rename(
        columns={
            "qrs_ms": "qrs_dur_ms",
            "risk": "risk_1",
            "lvef_pct": "lvef_percent",
            "arm": "arms",
        }
    ).to_csv(path, index=False)
    ran = cardio(command, path)
    assert (ran.code, ran.fault) == (3, "unusable") and names(ran.err, "nearest")
    assert ran.err.count("\n") == 1


def test_the_nearest_column_is_found_whatever_its_capitals(cardio: Any, file: Path) -> None:
    ran = cardio([*COMPARE[:-1], "qrs_ms,RISK"], file)
    assert ran.fault == "unusable" and names(ran.err, "RISK", "risk")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([*ROC[:-1], "response"], "is both target and score"),
        ([*TABLE1, "--columns", "arm,sex"], "names the groups"),
        ([*TABLE1, "--categorical", "sexe"], "not in the table; nearest: sex"),
        ([*UNIVARIABLE[:-1], "response"], "named twice"),
    ],
)
def test_columns_that_cannot_be_meant_are_refused(
    cardio: Any, file: Path, command: list[str], words: str
) -> None:
    ran = cardio(command, file)
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)
    assert words in ran.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("papers: []", "expected at least one check"),
        (
            "papers:\n- id: a\n  checks:\n  - {check: share, name: b, value: 0.5, n: 3}",
            "at papers.0.checks.0.share.value: write the number in quotes",
        ),
    ],
)
def test_published_numbers_that_cannot_be_checked_are_refused(
    cardio: Any, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "papers.yaml"
    path.write_text(text)
    ran = cardio(["forensics", str(path)])
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)
    assert words in ran.err


def test_what_separated_data_leave_to_do_is_said(cohort: Any, cardio: Any, tmp_path: Path) -> None:
    path = tmp_path / "separated.csv"
    cohort().assign(qrs_ms=lambda t: 140 + 30 * t["response"] + t.index / 10).to_csv(
        path, index=False
    )
    refused = cardio(INCREMENTAL, path)
    assert (refused.code, refused.err.count("\n")) == (3, 1)
    assert names(refused.err, "univariable", "multivariable")
    fitted = cardio(MULTIVARIABLE, path)
    assert fitted.code == 0
    assert "Firth's penalised likelihood" in fitted.out


@pytest.mark.parametrize("command", [TABLE1, UNIVARIABLE, MULTIVARIABLE, INCREMENTAL], ids=name)
def test_tests_of_independent_rows_refuse_patients_of_several_rows(
    cohort: Any, cardio: Any, file: Path, tmp_path: Path, command: list[str]
) -> None:
    ran = cardio(command, file, "--patient", "patient")
    assert (ran.code, ran.err.count("\n")) == (3, 1)
    assert names(ran.err, "0", "80", "40", "2")
    assert ran.fault == "duplicate"

    single = tmp_path / "single.csv"
    cohort().drop_duplicates("patient").to_csv(single, index=False)
    rows = json.loads(cardio(command, single, "--json", "--patient", "patient").out)
    units = {(row["unit"], row["n"] == row["n_patients"]) for row in rows}
    assert units == {("patient", True)}


def test_a_row_without_a_patient_is_refused_where_each_may_have_one(
    cohort: Any, cardio: Any, tmp_path: Path
) -> None:
    path = tmp_path / "nobody.csv"
    cohort().astype({"patient": object}).assign(
        patient=lambda t: t["patient"].where(t.index != 3)
    ).to_csv(path, index=False)
    assert "1 rows without one" in cardio(TABLE1, path, "--patient", "patient").err


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["roc", "nowhere.csv", "--outcome", "y", "--score", "s"], 2, "does not exist"),
        (["planner", "auc", "--auc", "1.2", "--prevalence", ".4", "--half-width", ".05"], 3, "auc"),
        (["rocs"], 2, "did you mean 'roc'"),
    ],
)
def test_wrong_commands_and_impossible_plans_say_what_is_wrong(
    cardio: Any, command: list[str], code: int, words: str
) -> None:
    ran = cardio(command)
    assert ran.code == code
    assert words in ran.err


@pytest.mark.parametrize("more", [["--scores", "risk"], ["--threshold", "high"]])
def test_options_that_make_no_sense_exit_with_2(cardio: Any, file: Path, more: list[str]) -> None:
    base = ["compare", "FILE", "--outcome", "response"] if "--scores" in more else ROC
    ran = cardio(base, file, *more)
    assert ran.code == 2
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("content", ["", "a,b\n", "\x00\x01\x02"])
def test_a_file_that_is_no_table_gives_one_line(cardio: Any, tmp_path: Path, content: str) -> None:
    path = tmp_path / "empty.csv"
    path.write_text(content)
    ran = cardio(TABLE1, path)
    assert ran.code == 3
    assert ran.err.count("\n") == 1
