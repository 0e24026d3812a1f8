"""`cardio stats`: every command prints right numbers, readably, in every format."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from cardio_core.cli.main import main
from cardio_stats.auc_covariance import delong_paired
from cardio_stats.logistic import fit_logistic
from cardio_stats.roc_curves import auc
from cardio_stats.words import estimate_words

from .words import (
    AGREEMENT,
    CALIBRATION,
    COMPARE,
    MULTIVARIABLE,
    ON_A_TABLE,
    ROC,
    TABLE1,
    UNIVARIABLE,
    name,
)

PAPERS = Path(__file__).parents[4] / "docs/forensics/papers.yaml"
PLANNER = ["planner", "auc", "--auc", "0.8", "--prevalence", "0.4", "--half-width", "0.05"]
FORENSICS = ["forensics", str(PAPERS)]
COMMANDS = [*ON_A_TABLE, PLANNER, FORENSICS]
WITH_FIGURE = [UNIVARIABLE, MULTIVARIABLE, ROC, COMPARE, CALIBRATION, AGREEMENT]


@pytest.fixture(scope="module")
def printed(cohort: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run each command once, with every output that it offers."""
    folder = tmp_path_factory.mktemp("printed")
    file = folder / "cohort.csv"
    cohort().to_csv(file, index=False)
    done: dict[str, tuple[Any, Path]] = {}

    def run(command: list[str]) -> tuple[Any, Path]:
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
            done[command[0]] = (SimpleNamespace(out=text.getvalue(), err=complaint.getvalue()), out)
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


def test_the_commands_print_the_numbers_of_the_service(
    cohort: Any, cardio: Any, file: Path
) -> None:
    table = cohort()
    roc = json.loads(cardio(ROC, file, "--json", "--patient", "patient").out)[0]
    area = auc(table["response"], table["risk"], patient=table["patient"])
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
    cohort: Any, cardio: Any, file: Path, tmp_path: Path
) -> None:
    table = cohort()
    table.to_parquet(tmp_path / "cohort.parquet")
    table.to_csv(tmp_path / "cohort_semicolon.csv", index=False, sep=";")
    expected = cardio(TABLE1, file).out
    assert cardio(TABLE1, tmp_path / "cohort.parquet").out == expected
    assert cardio(TABLE1, tmp_path / "cohort_semicolon.csv").out == expected


def test_the_seed_fixes_what_is_resampled(cardio: Any, file: Path) -> None:
    drawn = [*ROC, "--json", "--interval", "percentile", "--seed"]
    first, again, other = (cardio([*drawn, str(seed)], file).out for seed in (3, 3, 4))
    assert first == again != other


def test_a_score_that_runs_the_wrong_way_is_not_flipped(
    cohort: Any, cardio: Any, file: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    cohort().assign(risk=lambda t: 1 - t["risk"]).to_csv(wrong, index=False)
    right, flipped = (json.loads(cardio(ROC, f, "--json").out)[0]["value"] for f in (file, wrong))
    assert flipped == pytest.approx(1 - right)
    assert "below one half" in cardio(ROC, wrong).out


def test_a_score_below_one_half_is_named_by_compare(
    cohort: Any, cardio: Any, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    cohort().assign(turned=lambda t: -t["risk"]).to_csv(wrong, index=False)
    printed = cardio([*COMPARE[:-1], "risk,turned"], wrong).out
    assert "The AUC of turned is below one half" in printed
    assert "The AUC of risk" not in printed


def test_the_interval_that_was_chosen_is_said_and_another_can_be_asked_for(
    cardio: Any, file: Path
) -> None:
    printed = cardio(ROC, file).out
    assert "DeLong, logit interval with t" in printed
    assert "rows with the event and" in printed
    methods = {}
    for interval in ("delong", "logit", "bca", "percentile"):
        asked = ["--interval", interval, "--json"]
        methods[interval] = json.loads(cardio(ROC, file, *asked).out)[0]["method"]
        difference = json.loads(cardio(COMPARE, file, *asked).out)[-1]
        assert difference["low"] < difference["value"] < difference["high"]
    assert methods["delong"] == "DeLong"
    assert methods["logit"] == "DeLong, logit interval with t"
    assert "BCa" in methods["bca"]
    assert "percentile" in methods["percentile"]
    assert "--interval" in cardio(ROC, file, "--interval", "plain").err


def test_a_threshold_chosen_on_the_same_rows_is_called_optimistic(cardio: Any, file: Path) -> None:
    assert "optimistic" in cardio(ROC, file, "--threshold", "youden").out
    fixed = json.loads(cardio(ROC, file, "--threshold", "0.5", "--json").out)
    assert {row["threshold_source"] for row in fixed if row["name"] == "sensitivity"} == {"fixed"}


def test_patients_of_one_row_each_keep_the_formulas_for_independent_rows(
    cohort: Any, cardio: Any, file: Path, tmp_path: Path
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
    assert estimate_words("auc_difference[risk - lvef_cmr_pct]") in ran.out


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        ("auc_at[365]", "AUC at 365"),
        ("calibration_slope_at[365]", "Calibration slope (Cox) at 365"),
        ("net_benefit_at[365, threshold 0.1]", "Net benefit at 365, threshold 0.1"),
        ("sensitivity_at[specificity 0.9]", "Sensitivity at specificity 0.9"),
        ("partial_auc_corrected", "Partial AUC, corrected"),
        ("vif[qrs_ms]", "VIF [qrs_ms]"),
        ("log_rank_chi2", "Log-rank chi-square"),
        ("likelihood_ratio_chi2[+ race]", "Likelihood ratio chi-square [+ race]"),
        ("discrimination_d", "Discrimination D"),
    ],
)
def test_the_name_of_an_estimate_reads_as_words(estimate: str, words: str) -> None:
    assert estimate_words(estimate) == words


def test_choices_of_table_1_change_its_tests_and_are_named(cardio: Any, file: Path) -> None:
    plain = cardio(TABLE1, file).out
    assert "without Yates' correction" in plain
    assert "Welch's t" in plain
    ranked = cardio(TABLE1, file, "--test", "rank", "--median", "--yates", "--ddof", "0").out
    assert "with Yates' correction" in ranked
    assert "Mann-Whitney" in ranked
    assert "SD divided by n." in ranked
