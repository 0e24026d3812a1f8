"""`cardio stats`: every command on tables with missing values, and one line for bad ones."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from cardio_core.cli.main import main
from cardio_core.stats.delong import delong_paired
from cardio_core.stats.logistic import fit_logistic
from cardio_core.stats.roc import auc

PAPERS = Path(__file__).parents[2] / "docs/forensics/papers.yaml"
TABLE1 = ["table1", "FILE", "--by", "arm"]
UNIVARIABLE = ["univariable", "FILE", "--target", "response", "--features", "qrs_ms,lvef_pct,sex"]
MULTIVARIABLE = ["multivariable", "FILE", "--target", "response", "--features", "qrs_ms,lvef_pct"]
INCREMENTAL = [
    "incremental",
    "FILE",
    "--target",
    "response",
    "--base",
    "qrs_ms",
    "--add",
    "lvef_pct",
]
ROC = ["roc", "FILE", "--target", "response", "--score", "risk"]
COMPARE = ["compare", "FILE", "--target", "response", "--scores", "risk,qrs_ms"]
CALIBRATION = ["calibration", "FILE", "--target", "response", "--score", "risk"]
AGREEMENT = ["agreement", "FILE", "--reference", "lvef_pct", "--measured", "lvef_cmr_pct"]
PLANNER = ["planner", "auc", "--auc", "0.8", "--prevalence", "0.4", "--half-width", "0.05"]
FORENSICS = ["forensics", str(PAPERS)]
ON_A_TABLE = [
    TABLE1, UNIVARIABLE, MULTIVARIABLE, INCREMENTAL, ROC, COMPARE, CALIBRATION, AGREEMENT,
]  # fmt: skip
COMMANDS = [*ON_A_TABLE, PLANNER, FORENSICS]
WITH_FIGURE = [UNIVARIABLE, MULTIVARIABLE, ROC, COMPARE, CALIBRATION, AGREEMENT]


def name(command: Any) -> str:
    return str(command[0]) if isinstance(command, list) else ""


def cohort(n: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    response = rng.integers(0, 2, n)
    qrs = rng.normal(155, 20, n) + 12 * response
    lvef = rng.normal(28, 6, n)
    risk = 1 / (1 + np.exp(-(0.04 * (qrs - 160) + 0.3 * rng.normal(size=n))))
    table = pd.DataFrame(
        {
            "patient": np.arange(n) // 2,
            "arm": np.where(rng.random(n) < 0.5, "ON", "OFF"),
            "sex": np.where(rng.random(n) < 0.6, "M", "F"),
            "response": response,
            "qrs_ms": qrs.round(1),
            "lvef_pct": lvef.round(1),
            "lvef_cmr_pct": (lvef + rng.normal(1, 3, n)).round(1),
            "risk": risk.round(4),
        }
    )
    table.loc[rng.choice(n, 5, replace=False), "qrs_ms"] = np.nan
    table.loc[rng.choice(n, 4, replace=False), "lvef_pct"] = np.nan
    return table


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cohort.csv"
    cohort().to_csv(path, index=False)
    return path


class Ran:
    """What one command printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def cardio(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(command: list[str], path: Path | None = None, *more: str) -> Ran:
        words = [str(path) if word == "FILE" else word for word in command]
        monkeypatch.setattr(sys, "argv", ["cardio", "stats", *words, *map(str, more)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run each command once, with every output that it offers."""
    folder = tmp_path_factory.mktemp("printed")
    file = folder / "cohort.csv"
    cohort().to_csv(file, index=False)
    done: dict[str, tuple[Ran, Path]] = {}

    def run(command: list[str]) -> tuple[Ran, Path]:
        if command[0] not in done:
            out = folder / command[0]
            words = [str(file) if word == "FILE" else word for word in command]
            words += ["--csv", f"{out}.csv", "--html", f"{out}.html"]
            words += ["--svg", f"{out}.svg"] if command in WITH_FIGURE else []
            text, complaint = io.StringIO(), io.StringIO()
            with (
                patch.object(sys, "argv", ["cardio", "stats", *words]),
                redirect_stdout(text),
                redirect_stderr(complaint),
            ):
                main()
            done[command[0]] = (Ran(0, text.getvalue(), complaint.getvalue()), out)
        return done[command[0]]

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=name)
def test_every_command_prints_a_table_without_nan_or_a_p_of_zero(
    printed: Any, command: list[str]
) -> None:
    ran, out = printed(command)
    assert ran.err == ""
    assert " nan" not in ran.out.lower()
    assert len(ran.out.splitlines()) >= 3
    cells = pd.read_csv(f"{out}.csv", dtype=str, keep_default_na=False)
    assert len(cells) >= 1
    for column in [c for c in cells.columns if c == "p" or c.startswith("p ")]:
        assert not cells[column].isin(["0.000", "0", "nan"]).any()


@pytest.mark.parametrize("command", [*ON_A_TABLE, PLANNER], ids=name)
def test_every_command_gives_its_estimates_as_json(
    cardio: Any, file: Path, command: list[str]
) -> None:
    rows = json.loads(cardio(command, file, "--json").out)
    assert rows
    wanted = {"name", "value", "low", "high", "level", "method", "n", "n_patients", "unit"}
    for row in rows:
        assert wanted <= set(row)
        assert row["method"]


@pytest.mark.parametrize("command", COMMANDS, ids=name)
def test_every_command_writes_a_page_that_needs_no_network(
    printed: Any, command: list[str]
) -> None:
    page = Path(f"{printed(command)[1]}.html").read_text()
    assert page.count("<tr>") >= 2
    assert "http" not in page.replace("http://www.w3.org", "")
    assert ">nan<" not in page.lower()


@pytest.mark.parametrize("command", WITH_FIGURE, ids=name)
def test_figures_are_written_as_svg_and_stand_in_the_page(printed: Any, command: list[str]) -> None:
    _, out = printed(command)
    assert Path(f"{out}.svg").read_text().lstrip().startswith("<?xml")
    assert "<svg" in Path(f"{out}.html").read_text()


def test_the_commands_print_the_numbers_of_the_service(cardio: Any, file: Path) -> None:
    table = cohort()
    roc = json.loads(cardio(ROC, file, "--json", "--patient", "patient").out)[0]
    area = auc(table["response"], table["risk"], clusters=table["patient"])
    assert (roc["value"], roc["low"], roc["n_patients"]) == (area.value, area.low, 40)

    compared = json.loads(cardio(COMPARE, file, "--json").out)[-1]
    complete = table.dropna(subset=["risk", "qrs_ms"])
    paired = delong_paired(complete["response"], complete["risk"], complete["qrs_ms"])
    assert compared["p_value"] == pytest.approx(paired.p_value)
    assert compared["n_dropped"] == 5

    fitted = json.loads(cardio(MULTIVARIABLE, file, "--json").out)[0]
    expected = fit_logistic(table, "response", ["qrs_ms", "lvef_pct"]).odds_ratios[0]
    assert fitted["value"] == pytest.approx(expected.value)
    assert fitted["n_dropped"] == expected.n_dropped > 0


def test_parquet_and_semicolons_are_read_like_commas(
    cardio: Any, file: Path, tmp_path: Path
) -> None:
    table = cohort()
    table.to_parquet(tmp_path / "cohort.parquet")
    table.to_csv(tmp_path / "cohort_semicolon.csv", index=False, sep=";")
    expected = cardio(TABLE1, file).out
    assert cardio(TABLE1, tmp_path / "cohort.parquet").out == expected
    assert cardio(TABLE1, tmp_path / "cohort_semicolon.csv").out == expected


def test_the_seed_fixes_what_is_resampled(cardio: Any, file: Path) -> None:
    first, again, other = (cardio(ROC, file, "--json", "--seed", s).out for s in (3, 3, 4))
    assert first == again != other


def test_a_score_that_runs_the_wrong_way_is_not_flipped(
    cardio: Any, file: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    cohort().assign(risk=lambda t: 1 - t["risk"]).to_csv(wrong, index=False)
    right, flipped = (json.loads(cardio(ROC, f, "--json").out)[0]["value"] for f in (file, wrong))
    assert flipped == pytest.approx(1 - right)
    assert "below one half" in cardio(ROC, wrong).out


def test_a_threshold_chosen_on_the_same_rows_is_called_optimistic(cardio: Any, file: Path) -> None:
    assert "optimistic" in cardio(ROC, file, "--threshold", "youden").out
    fixed = json.loads(cardio(ROC, file, "--threshold", "0.5", "--json").out)
    assert {row["threshold_source"] for row in fixed if row["name"] == "sensitivity"} == {"fixed"}


@pytest.mark.parametrize("command", [TABLE1, UNIVARIABLE, MULTIVARIABLE, INCREMENTAL], ids=name)
def test_tests_of_independent_rows_refuse_patients_of_several_rows(
    cardio: Any, file: Path, tmp_path: Path, command: list[str]
) -> None:
    ran = cardio(command, file, "--patient", "patient")
    assert (ran.code, ran.err.count("\n")) == (3, 1)
    assert "found 80 rows of 40 ('0' has 2)" in ran.err
    assert "keep one row each" in ran.err

    single = tmp_path / "single.csv"
    cohort().drop_duplicates("patient").to_csv(single, index=False)
    rows = json.loads(cardio(command, single, "--json", "--patient", "patient").out)
    units = {(row["unit"], row["n"] == row["n_patients"]) for row in rows}
    assert units == {("patient", True)}


def test_a_row_without_a_patient_is_refused_where_each_may_have_one(
    cardio: Any, tmp_path: Path
) -> None:
    path = tmp_path / "nobody.csv"
    cohort().astype({"patient": object}).assign(
        patient=lambda t: t["patient"].where(t.index != 3)
    ).to_csv(path, index=False)
    assert "1 rows without one" in cardio(TABLE1, path, "--patient", "patient").err


def test_patients_of_one_row_each_keep_the_formulas_for_independent_rows(
    cardio: Any, file: Path, tmp_path: Path
) -> None:
    table = cohort().assign(patient=np.arange(80).astype(object))
    table.loc[[5, 6], "patient"] = [0, None]  # one of them again, where the score is missing
    table.loc[5, "risk"] = None
    table.to_csv(tmp_path / "single.csv", index=False)
    more = ["--json", "--threshold", "0.5", "--patient", "patient"]
    rows = json.loads(cardio(ROC, tmp_path / "single.csv", *more).out)
    by_name = {row["name"]: row for row in rows[::-1]}
    plain = auc(table["response"].drop([5, 6]), table["risk"].drop([5, 6]))
    assert (by_name["auc"]["low"], by_name["auc"]["n_patients"]) == (plain.low, 78)
    assert by_name["auc"]["n_dropped"] == 2
    assert by_name["sensitivity"]["method"] == "Wilson"
    assert by_name["sensitivity"]["unit"] == "patient"

    repeated = json.loads(cardio(ROC, file, *more).out)
    assert "patient bootstrap" in next(r for r in repeated if r["name"] == "ppv")["method"]


def test_the_name_of_a_column_is_printed_as_it_is(cardio: Any, file: Path) -> None:
    ran = cardio([*COMPARE[:-1], "risk,lvef_cmr_pct"], file)
    assert "AUC difference [risk - lvef_cmr_pct]" in ran.out


def test_choices_of_table_1_change_its_tests_and_are_named(cardio: Any, file: Path) -> None:
    plain = cardio(TABLE1, file).out
    assert "without Yates' correction" in plain
    assert "Welch's t" in plain
    ranked = cardio(TABLE1, file, "--test", "rank", "--median", "--yates", "--ddof", "0").out
    assert "with Yates' correction" in ranked
    assert "Mann-Whitney" in ranked
    assert "SD divided by n." in ranked


def bad(change: str) -> pd.DataFrame:
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
    cardio: Any, tmp_path: Path, command: list[str], fault: str
) -> None:
    path = tmp_path / "bad.csv"
    bad(fault).to_csv(path, index=False)
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
    cardio: Any, tmp_path: Path, command: list[str]
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
    assert ran.code == 3
    assert "not in the table; nearest: " in ran.err
    assert ran.err.count("\n") == 1


def test_the_nearest_column_is_found_whatever_its_capitals(cardio: Any, file: Path) -> None:
    ran = cardio([*COMPARE[:-1], "qrs_ms,RISK"], file)
    assert ran.err == "Error: column 'RISK': not in the table; nearest: risk\n"


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


def test_what_separated_data_leave_to_do_is_said(cardio: Any, tmp_path: Path) -> None:
    path = tmp_path / "separated.csv"
    cohort().assign(qrs_ms=lambda t: 140 + 30 * t["response"] + t.index / 10).to_csv(
        path, index=False
    )
    refused = cardio(INCREMENTAL, path)
    assert (refused.code, refused.err.count("\n")) == (3, 1)
    assert "as univariable and multivariable do" in refused.err
    fitted = cardio(MULTIVARIABLE, path)
    assert fitted.code == 0
    assert "Firth's penalised likelihood" in fitted.out


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["roc", "nowhere.csv", "--target", "y", "--score", "s"], 2, "does not exist"),
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
    base = ["compare", "FILE", "--target", "response"] if "--scores" in more else ROC
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


def test_help_imports_nothing_heavy() -> None:
    heavy = "numpy pandas scipy sklearn statsmodels matplotlib pydantic torch firthmodels"
    program = (
        "import sys\n"
        "from cardio_core.cli.main import cardio\n"
        "for words in ('stats --help', 'stats roc --help', 'stats table1 -h'):\n"
        "    cardio(words.split(), standalone_mode=False)\n"
        f"print([name for name in {heavy.split()!r} if name in sys.modules])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == "[]"


def real_table() -> Path:
    folder = os.environ.get("CARDIO_DATA")
    if folder is None:
        pytest.skip("CARDIO_DATA is not set: the aCRT-ELSYNC table is not here")
    return Path(folder) / "crt_acrt_elsync/ELSYNC_dataset.csv"


@pytest.mark.realdata
def test_the_real_trial_gives_readable_tables(cardio: Any) -> None:
    path = real_table()
    target = ["--target", "male", "--event", "Male"]
    for command in (
        ["table1", "FILE", "--by", "aCRT"],
        ["univariable", "FILE", *target, "--features", "lvef1,areaQRS1,bsa"],
        ["multivariable", "FILE", *target, "--features", "lvef1,bsa"],
        ["incremental", "FILE", *target, "--base", "lvef1", "--add", "bsa"],
        ["roc", "FILE", *target, "--score", "bsa"],
        ["compare", "FILE", *target, "--scores", "bsa,areaQRS1"],
        ["agreement", "FILE", "--reference", "lvef1", "--measured", "lvef2"],
    ):
        ran = cardio(command, path)
        assert ran.code == 0, ran.err
        assert " nan" not in ran.out.lower()
        assert " 0.000" not in ran.out.replace("value", "")


REAL = [
    ["table1", "FILE", "--by", "SV5V6", "--columns", "lvef1,bsa"],
    ["univariable", "FILE", "--target", "SV5V6", "--features", "lvef1,bsa"],
    ["multivariable", "FILE", "--target", "SV5V6", "--features", "lvef1,bsa"],
    ["incremental", "FILE", "--target", "SV5V6", "--base", "bsa", "--add", "lvef1"],
    ["roc", "FILE", "--target", "SV5V6", "--score", "lvef1", "--patient", "ID"],
    ["compare", "FILE", "--target", "SV5V6", "--scores", "lvef1,bsa", "--patient", "ID"],
    ["calibration", "FILE", "--target", "SV5V6", "--score", "lvef1"],
    ["agreement", "FILE", "--reference", "lvef1", "--measured", "lvef2", "--patient", "ID"],
]
SPOILT: dict[str, tuple[Any, str]] = {
    "no column": (lambda t: t.drop(columns="lvef1"), "not in the table; nearest: "),
    "text": (lambda t: t.astype({"lvef1": object}).replace({"lvef1": {16.5: "n/a?"}}), "'n/a?'"),
    "all missing": (lambda t: t.assign(lvef1=np.nan), "lvef1"),
    "two patients": (lambda t: t.iloc[[1, 8]], "at least"),
    "one class": (lambda t: t.assign(SV5V6=1), "SV5V6"),
    "infinite": (lambda t: t.replace({"lvef1": {16.5: np.inf}}), "1 infinite"),
}


@pytest.mark.realdata
@pytest.mark.parametrize("fault", SPOILT)
def test_the_real_trial_spoilt_in_one_place_is_refused_in_one_line(
    cardio: Any, tmp_path: Path, fault: str
) -> None:
    table = pd.read_csv(real_table())[["ID", "SV5V6", "lvef1", "lvef2", "bsa"]]
    assert (table["lvef1"] == 16.5).sum() == 1
    spoil, words = SPOILT[fault]
    path = tmp_path / "spoilt.csv"
    spoil(table).to_csv(path, index=False)
    for command in REAL:
        if (fault, command[0]) == ("one class", "agreement"):
            continue
        ran = cardio(command, path)
        assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1), (command, ran.out, ran.err)
        assert words in ran.err, command
