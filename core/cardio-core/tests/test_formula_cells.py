"""Texts that a spreadsheet would compute: never written as such, and read as they were."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

from cardio_core.io.run_schema import read_predictions
from cardio_stats.cells import as_it_was, as_text, table_as_it_was, write_table
from cardio_stats.errors import DataError
from cardio_stats.tables import read_raw

HOSTILE = [
    "=1+1", "=cmd|' /C calc'!A0", "+49 170", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1",
    "\n=1", "'=1", "''@x", "＝1", "-a", "+", "-1-2", "=HYPERLINK(\"http://evil.example\",\"x\")",
    "-1 (=1)", "-0.5 (cmd to 3)", "+1e5x",
]  # fmt: skip
PLAIN = ["P1", "-1", "+2.5e-3", "-0.50 (-0.71 to 0.02)", "-3 (-12 %)", "it's", "'t", "", "a=b",
         "1-2", "–", "−0.5"]  # fmt: skip
SIGNS = tuple("=+-@\t\r\n＝＋－＠")


@pytest.mark.parametrize("text", HOSTILE)
def test_what_would_be_computed_is_marked_and_comes_back(text):
    assert as_text(text) == f"'{text}".replace("\r", "\n")
    assert as_it_was(as_text(text)) == text.replace("\r", "\n")


@pytest.mark.parametrize("text", PLAIN)
def test_numbers_and_plain_texts_stay(text):
    assert as_text(text) == text
    assert as_it_was(text) == text


def test_a_table_is_written_without_formulas_and_read_as_it_was(tmp_path):
    frame = pd.DataFrame(
        {"=id": HOSTILE, "@n": np.arange(len(HOSTILE)) - 5.5, "plain": "x"},
        index=pd.Index([f"+{n}x" for n in range(len(HOSTILE))], name="-who"),
    )
    write_table(frame, tmp_path / "a.csv", index=True, digits="%.6g")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    numbers = rows[0].index("'@n")
    for row in rows:
        for place, cell in enumerate(row):
            assert not cell.startswith(SIGNS) or (place == numbers and float(cell))
    read = pd.read_csv(tmp_path / "a.csv", dtype=str, keep_default_na=False)
    again = table_as_it_was(read)
    assert list(again.columns) == ["-who", "=id", "@n", "plain"]
    assert list(again["=id"]) == [one.replace("\r", "\n") for one in HOSTILE]
    assert again["@n"].astype(float).tolist() == frame["@n"].tolist()


def predictions(ids):
    return pd.DataFrame({
        "protocol": "honest", "sample_id": None, "patient_id": ids, "level": "patient",
        "time_s": np.nan, "repeat": 0, "fold": "r0-f0", "model": "=net", "target": "@sick",
        "event": "+yes", "y_true": "-no", "predicted": "-no", "score": -0.25,
    })  # fmt: skip


def test_predictions_are_read_again_by_their_own_ids_and_words(tmp_path):
    ids = ["=1", "'=1", "NA", "-5", "P1"]
    write_table(predictions(ids), tmp_path / "predictions.csv", digits="%.7g")
    read = read_predictions(tmp_path / "predictions.csv")
    assert list(read["patient_id"]) == ids
    assert list(read.loc[0, ["model", "target", "event", "y_true"]]) == [
        "=net",
        "@sick",
        "+yes",
        "-no",
    ]
    assert read["score"].tolist() == [-0.25] * 5
    stranger = read_raw(tmp_path / "predictions.csv", ()).cells
    assert list(stranger["patient_id"]) == ids, "judge, compare and cohort tables read the same"
    assert list(stranger["score"].astype(float)) == [-0.25] * 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("score", "skore"), "a column 'score', found none"),
        (lambda text: text.replace("-0.25", "much"), "line 2: expected a number in 'score'"),
        (lambda text: text.replace("-0.25", "inf"), "line 2: expected a number in 'score'"),
        (lambda text: text.replace(",0,r0", ",0.5,r0"), "whole numbers in 'repeat'"),
        (lambda text: text.replace(",0,r0", ",-1,r0"), "whole numbers in 'repeat'"),
        (lambda text: text.replace("r0-f0", "../../x"), "names of folds in 'fold'"),
        (lambda text: text.replace("P1", ""), "a value in every row of 'patient_id'"),
        (lambda _: "", "a table of predictions in UTF-8"),
        (lambda text: text + 'x,"', "a table of predictions in UTF-8"),
        (lambda text: text + "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n", "a table of predictions"),
        (lambda text: text.replace("P1", "Größe").encode("latin-1"), "in UTF-8"),
        (lambda text: text.encode("utf-16"), "in UTF-8"),
    ],
)
def test_damaged_predictions_are_refused_in_one_line(tmp_path, change, said):
    file = tmp_path / "predictions.csv"
    write_table(predictions(["P1"]), file)
    made = change(file.read_text())
    file.write_bytes(made if isinstance(made, bytes) else made.encode())
    with pytest.raises(DataError) as caught:
        read_predictions(file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("predictions.csv")
