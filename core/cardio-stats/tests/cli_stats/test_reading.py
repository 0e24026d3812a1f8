"""`cardio stats` reads tables as people's programs write them, and says how."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cardio_core.testing import call_cardio, names

COMMANDS = [
    ["table1", "FILE", "--by", "nyha", "--columns", "qrs_ms,lvef_pct,sex,response"],
    ["univariable", "FILE", "--outcome", "response", "--features", "qrs_ms,nyha"],
    ["multivariable", "FILE", "--outcome", "response", "--features", "qrs_ms,lvef_pct"],
    ["incremental", "FILE", "--outcome", "response", "--base", "sex", "--add", "qrs_ms"],
    ["roc", "FILE", "--outcome", "response", "--score", "risk", "--patient", "patient"],
    ["compare", "FILE", "--outcome", "response", "--scores", "risk,qrs_ms"],
    ["calibration", "FILE", "--outcome", "response", "--score", "risk"],
    ["agreement", "FILE", "--reference", "lvef_pct", "--measured", "lvef_cmr_pct"],
    ["missing", "FILE", "--outcome", "response"],
    ["subgroups", "FILE", "--outcome", "response", "--exposure", "qrs_ms", "--by", "sex"],
    ["survival", "FILE", "--time", "risk", "--status", "response", "--groups", "sex"],
    ["mixed", "FILE", "--outcome", "lvef_pct", "--columns", "qrs_ms", "--patient", "person"],
]
EXPORTS = ("Excel German", "Excel with sep", "Excel UTF-16", "REDCap", "SPSS", "SPSS syntax", "R")
DECIMAL_COMMAS = ("Excel German", "Excel with sep", "SPSS")


def a_cohort(cohort: Any) -> pd.DataFrame:
    made: pd.DataFrame = cohort(40)
    made["patient"] = [f"{n:03d}" for n in range(40)]
    made["nyha"] = ["None", "I", "II", "III"] * 10
    made["person"] = [f"P{n // 4}" for n in range(40)]
    return made


def exported(table: pd.DataFrame, how: str) -> bytes:
    """Write a table as a program that people use does."""
    rows = [list(table.columns), *table.astype(object).where(table.notna(), None).to_numpy()]
    absent = {"REDCap": "", "SPSS": " ", "SPSS syntax": "#NULL!", "SAS": ".", "R": "NA"}
    german = how in ("Excel German", "SPSS", "Excel with sep")
    cells = []
    for row in rows:
        texts = [absent.get(how, "") if cell is None else str(cell) for cell in row]
        if german:
            texts = [text.replace(".", ",") for text in texts]
        if how.startswith("Excel"):
            texts += ["", ""]
        cells.append(texts)
    if how == "Excel with sep":
        cells[5] = cells[5][:-2]  # Excel leaves out empty columns at the end after some rows
    text = io.StringIO()
    separator = "\t" if how == "Excel UTF-16" else ";" if german else ","
    quoting = csv.QUOTE_ALL if how == "REDCap" else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator="\r\n").writerows(cells)
    body = text.getvalue()
    if how.startswith("Excel"):
        body += separator * (len(rows[0]) + 1) + "\r\n"
    if how == "Excel with sep":
        body = "sep=;\r\n" + body
    encoding = {"Excel UTF-16": "utf-16", "Excel German": "cp1252", "SPSS": "utf-8-sig"}
    return body.encode(encoding.get(how, "utf-8"))


@pytest.mark.parametrize("how", EXPORTS)
def test_every_program_s_export_is_the_same_table(cohort: Any, tmp_path: Path, how: str) -> None:
    from cardio_stats.tables import read_typed

    made = a_cohort(cohort).rename(columns={"arm": "Größe"})
    path = tmp_path / "export.csv"
    path.write_bytes(exported(made, how))
    found = read_typed(path).table
    pd.testing.assert_frame_equal(
        found, made, check_dtype=False, check_column_type=False, check_exact=True
    )
    assert found["nyha"].tolist() == made["nyha"].tolist()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_command_gives_the_same_numbers_for_a_foreign_export(
    cohort: Any, cardio: Any, tmp_path: Path, command: list[str]
) -> None:
    made = a_cohort(cohort)
    plain = tmp_path / "plain.csv"
    made.to_csv(plain, index=False)
    here = cardio(command, plain, "--json")
    assert here.code == 0, here.err
    for how in EXPORTS:
        foreign = tmp_path / f"{how}.csv"
        foreign.write_bytes(exported(made, how))
        there = cardio(command, foreign, "--json")
        assert there.code == 0, (how, there.err)
        assert json.loads(here.out) == json.loads(there.out), how
        if how in DECIMAL_COMMAS:
            assert "read with decimal commas" in there.err


def test_the_category_none_stays_and_no_patient_vanishes(
    cohort: Any, cardio: Any, tmp_path: Path
) -> None:
    path = tmp_path / "nyha.csv"
    a_cohort(cohort).to_csv(path, index=False)
    ran = cardio(COMMANDS[0], path)
    assert "nyha = None (n = 10)" in ran.out
    assert "were dropped" not in ran.out


def test_words_taken_as_missing_are_counted_and_missing_adds_more(
    cardio: Any, tmp_path: Path
) -> None:
    path = tmp_path / "words.csv"
    rows = [f"{n % 2},{120 + n}" for n in range(12)]
    path.write_text("\n".join(["y,qrs", *rows, "1,NA", "0,.", "0,n/a", "1,999", "0,999.0"]))
    ran = cardio(["agreement", "FILE", "--reference", "qrs", "--measured", "y"], path)
    assert "Taken as missing: 'NA' once, '.' once, 'n/a' once (qrs)." in ran.out
    assert "qrs: 999 occurs 2 times, far from the rest (120 to 131)" in ran.out
    ran = cardio(
        ["agreement", "FILE", "--reference", "qrs", "--measured", "y"], path, "--missing", "999"
    )
    assert "'999' once, '999.0' once (qrs)." in ran.out
    assert "far from the rest" not in ran.out
    for words, said in (("998", "no cell says so"), ("qrss=999", "no column 'qrss'")):
        ran = cardio(["roc", "FILE", "--outcome", "y", "--score", "qrs", "--missing", words], path)
        assert (ran.code, ran.err.count("\n")) == (2, 1)
        assert said in ran.err


ROC = ["roc", "FILE", "--outcome", "y", "--score", "x"]


@pytest.mark.parametrize(
    ("header", "cell", "words"),
    [
        ("y,x,x", "{y},{n},{n}", "expected one column 'x'"),
        ("y,x", "{y},{n},5", "row 2: expected 2 cells as in the header, found 3"),
        ("y;x;z", "{y};1,2{n:02d};3.5", "found '1,200', which can be two numbers here"),
        ("y,x", '{y},"{n} ms"', "expected numbers, found text '0 ms'"),
        ("y,x", "{y},1e{n}00", "found 16 infinite"),
        ("y,x", "{y},{n}e300", "expected numbers up to 1e+75"),
        ("y,x", "{y},{n}e-300", "found none above 1.9e-299; rescale them"),
        ("y,x", '{y},"{n}', "found one that is not closed"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    cardio: Any, tmp_path: Path, header: str, cell: str, words: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("\n".join([header, *(cell.format(y=n % 2, n=n) for n in range(20))]))
    ran = cardio(ROC, path)
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)
    assert words in ran.err


def test_a_column_of_many_words_is_refused_before_anything_is_fitted(
    cardio: Any, tmp_path: Path
) -> None:
    path = tmp_path / "dates.csv"
    path.write_text("\n".join(["y,seen", *(f"{n % 2},2020-01-{n:02d}" for n in range(1, 29))]))
    ran = cardio(["univariable", "FILE", "--outcome", "y", "--features", "seen"], path)
    assert (ran.code, ran.err.count("\n")) == (3, 1)
    assert names(ran.err, "20", "28")


@pytest.fixture
def races(tmp_path: Path) -> Path:
    """20 of 40 events in race 1, 30 of 40 in race 2, 15 of 40 in race 3."""
    path = tmp_path / "races.csv"
    events = {1: 20, 2: 30, 3: 15}
    rows = [(race, int(n < k), n % 7) for race, k in events.items() for n in range(40)]
    pd.DataFrame(rows, columns=["race", "y", "x"]).to_csv(path, index=False)
    return path


REGRESSIONS = [
    ["univariable", "FILE", "--outcome", "y", "--features", "race"],
    ["multivariable", "FILE", "--outcome", "y", "--features", "race"],
]


@pytest.mark.parametrize("command", REGRESSIONS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--categorical", "race"], {"race=2": 3.0, "race=3": 0.6}),
        (["--reference", "race=2"], {"race=1": 1 / 3, "race=3": 0.2}),
    ],
)
def test_categories_in_numbers_get_an_odds_ratio_a_level(
    cardio: Any, races: Path, command: list[str], options: list[str], expected: dict[str, float]
) -> None:
    ran = cardio(command, races, *options, "--json")
    found = {one["name"]: one["value"] for one in json.loads(ran.out)}
    for level, ratio in expected.items():  # odds by hand: 1, 3 and 0.6
        assert found[f"odds_ratio[{level}]"] == pytest.approx(ratio, rel=1e-6)
    reference = options[-1] if "=" in options[-1] else "race=1"
    text = cardio(command, races, *options).out
    assert f"Reference: {reference}." in text
    assert "one trend" not in text


def test_codes_that_enter_as_one_trend_are_named(cardio: Any, races: Path) -> None:
    for command in REGRESSIONS:
        assert "race has 3 whole values: entered as one trend; --categorical race" in (
            cardio(command, races).out
        )
    steps = ["incremental", "FILE", "--outcome", "y", "--base", "x", "--add", "race"]
    assert "race has 3 whole values: entered as one trend" in cardio(steps, races).out
    added = json.loads(cardio(steps, races, "--categorical", "race", "--json").out)
    (gain,) = [one for one in added if one["name"] == "likelihood_ratio_chi2[+ race]"]
    assert gain["extra"]["df"] == 2


@pytest.mark.parametrize(
    ("option", "value", "code", "words"),
    [
        ("--reference", "race=4", 3, "reference '4' does not occur; found 1, 2, 3"),
        ("--reference", "race", 2, "expected COL=LEVEL"),
        ("--categorical", "rase", 3, "is no predictor"),
    ],
)
def test_codings_that_mean_nothing_are_refused(
    cardio: Any, races: Path, option: str, value: str, code: int, words: str
) -> None:
    ran = cardio(REGRESSIONS[0], races, option, value)
    assert (ran.code, ran.err.count("\n")) == (code, 1)
    assert words in ran.err


def test_the_few_cells_that_are_no_numbers_are_all_named(tmp_path: Path) -> None:
    cells = [f"{20 + n},5" for n in range(30)]
    cells[4], cells[9], cells[20] = "45,0 %", "keine", ""
    lines = ["died;lvef", *(f"{n % 2};{cell}" for n, cell in enumerate(cells))]
    path = tmp_path / "german.csv"
    path.write_text("\n".join(lines) + "\n", encoding="cp1252")
    said = call_cardio("stats", "roc", path, "--outcome", "died", "--score", "lvef")
    assert said.exit_code == 3
    assert all(part in said.stderr for part in ("'45,0 %'", "data row 5", "'keine'", "data row 10"))
    assert said.stderr.count("\n") == 1
