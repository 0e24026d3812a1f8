"""Names, values and places as strangers type them to `cardio stats`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cardio_core.testing import call_cardio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """REDCap's labels with commas and blanks, R's TRUE and FALSE."""
    rows = range(40)
    table = pd.DataFrame(
        {
            "Record ID": rows,
            "LVEF, echo (%)": [30 + (7 * i) % 13 for i in rows],
            "Sex": ["f", "m", "m", "f"] * 10,
            "Responder": ["TRUE" if (i * 7) % 10 < 4 else "FALSE" for i in rows],
        }
    )
    path = tmp_path / "labels.csv"
    table.to_csv(path, index=False)
    return path


def test_a_name_with_a_comma_is_typed_in_quotes(file: Path) -> None:
    said = call_cardio("stats", "univariable", file, "--outcome", "Responder", "--event", "TRUE",
                       "--features", '"LVEF, echo (%)",Sex')  # fmt: skip
    assert said.exit_code == 0, said.stderr
    assert "LVEF, echo (%)" in said.stdout and "Sex=m" in said.stdout


def test_numbers_of_patients_are_not_averaged(file: Path) -> None:
    said = call_cardio("stats", "table1", file, "--by", "Sex")
    assert "Not described, an identifier: Record ID." in said.stdout
    assert "Record ID, mean" not in said.stdout


def test_r_s_true_is_an_event(file: Path) -> None:
    true, one = (
        call_cardio("stats", "roc", file, "--outcome", "Responder", "--event", event,
                    "--score", "LVEF, echo (%)").stdout
        for event in ("TRUE", "1")
    )  # fmt: skip
    assert "AUC" in true and true == one


def test_a_place_that_cannot_be_written_is_refused_in_one_line(file: Path) -> None:
    place = file / "table.csv"  # below a file
    said = call_cardio("stats", "table1", file, "--by", "Sex", "--csv", place)
    assert said.exit_code == 2
    assert f"Error: {place}: cannot be written" in said.stderr
    assert said.stderr.count("\n") == 1


def test_two_words_are_told_apart_by_an_option_that_exists(file: Path) -> None:
    said = call_cardio("stats", "roc", file, "--outcome", "Sex", "--score", "LVEF, echo (%)")
    assert said.exit_code == 2
    assert "--event m" in said.stderr
