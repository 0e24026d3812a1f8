"""Patients of a table, recorded by code: who they are, what they show, which are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.errors import ContractError
from cardio_core.io.hashing import directory_digest
from cardio_core.runner import setup as synthetic_cohort
from cardio_core.runner.setup import CohortRequest, writer_of
from cardio_core.testing import names, refuses
from cardio_core.types.info import PluginInfo
from cardio_stats.errors import ConfigError

ROWS = {
    "patient_id": ["K7", "A-1", "b_2", "Z9", "Q4"],
    "outcome": ["yes", "no", "no", "yes", "no"],
    "effect": [1.5, -0.5, 0.0, 2.5, -2.0],
    "z_other": [-1.0, 1.0, 0.5, 0.0, 2.0],
    "site_id": ["north", "north", "south", "south", ""],
    "age_y": [71, 55.5, "", 60, 48],
    "shift": [0, 0, 1, 2, 0],
}


@pytest.fixture
def record(cardio, tmp_path) -> Callable[..., Any]:
    """Write a table and let the toy record it; returns what was said and the folder."""

    def call(name: str, *more: object, **columns: list[Any]) -> tuple[Any, Path]:
        table = pd.DataFrame({key: values for key, values in (ROWS | columns).items() if values})
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        out = tmp_path / name
        words = ("--patients", tmp_path / f"{name}.csv", "--out", out, *more)
        return cardio("data", "synth", "toy", *words), out

    return call


def heights_mv(folder: Path) -> dict[str, float]:
    """Return the height of the bumps of each patient's first recording."""
    table = pd.read_csv(folder / "cohort.csv", dtype=str)
    files = table.set_index("patient_id")["path_ecg"].str.split(";").str[0]
    read = {one: np.loadtxt(folder / name, skiprows=1) for one, name in files.items()}
    return {one: float(np.sort(np.abs(values))[-12:].mean()) for one, values in read.items()}


def test_patients_outcome_hospital_and_age_are_those_of_the_table(record):
    said, out = record("asked")
    assert said.exit_code == 0, said.stderr
    made = pd.read_csv(out / "cohort.csv", dtype=str, keep_default_na=False)
    assert made["patient_id"].tolist() == ROWS["patient_id"]
    assert made["outcome"].tolist() == ["1", "0", "0", "1", "0"]
    assert made["x_ill"].tolist() == ["1", "0", "0", "1", "0"]
    assert made["site_id"].tolist() == ROWS["site_id"]
    assert made["age_y"].tolist() == ["71", "55.5", "", "60", "48"]
    assert not {"effect", "z_other", "shift"} & set(made.columns)


def test_what_a_recording_shows_grows_with_the_effect_that_is_named(record):
    low, high = (record(name, effect=[z] * 5)[1] for name, z in (("low", -2.0), ("high", 2.0)))
    small, large = heights_mv(low), heights_mv(high)
    # Heights are exp(.15 z): for the same person 82 % more, and noise of .03 mV on .74 and 1.35 mV.
    for one in ROWS["patient_id"]:
        assert large[one] / small[one] == pytest.approx(np.exp(0.6), rel=0.15)
    _, named = record("named", "--effect", "z_other")
    assert list(pd.read_csv(named / "cohort.csv")["x_severity"]) == ROWS["z_other"]


def test_a_patient_is_recorded_the_same_whoever_else_is_and_in_whatever_order(record):
    _, all_five = record("all")
    backwards = {name: values[::-1] for name, values in ROWS.items()}
    _, four = record("four", **backwards, has_toy=["yes", "yes", "no", "yes", "yes"])
    made = pd.read_csv(four / "cohort.csv")
    assert made["patient_id"].tolist() == ["Q4", "Z9", "A-1", "K7"]
    for name in made["path_ecg"].str.split(";").explode():
        assert (four / name).read_bytes() == (all_five / name).read_bytes()
    _, other_seed = record("seed", "--seed", 1)
    assert directory_digest(other_seed) != directory_digest(all_five)


def test_a_shift_is_in_the_recordings_alone(record):
    _, out = record("asked")
    for one, sd in (("A-1r0", 0.03), ("Z9r0", 0.27)):  # noise of .03 mV, 3 times as much a shift
        values = np.loadtxt(out / f"{one}.csv", skiprows=1)
        assert values[-8:].std() == pytest.approx(sd, rel=0.6)


REFUSED = {
    "row 4: a patient who stands there twice": {"patient_id": ["K7", "A1", "k7", "Z9", "Q4"]},
    "row 3, column 'patient_id': expected up to 32 letters": {
        "patient_id": ["K7", "../A1", "b2", "Z9", "Q4"]
    },
    "expected a column 'outcome', found none; did you mean 'outcomes'?": {
        "outcome": [], "outcomes": ROWS["outcome"],
    },
    "column 'outcome': expected patients with and without it, found the same in all 5": {
        "outcome": [1] * 5
    },
    "row 2, column 'outcome': expected 0, 1 or NA, found text": {
        "outcome": ["better", "no", "no", "yes", "no"]
    },
    "row 3, column 'effect': expected a value, found none (in one row); fill it in, or say no in "
    "a column has_toy": {"effect": [1, "", 0, 2, 0]},
    "column 'effect', rows 5, 6: expected a number from -8 to 8, found one outside": {
        "effect": [1, 2, 3, 62, 80]
    },
    "expected a column 'effect' (--effect names another), found none; its own are outcome, z_other,"
    " shift": {"effect": []},
    "row 6, column 'shift': expected a number from 0 to 2": {"shift": [0, 0, 0, 0, -1]},
    "expected 2 patients or more, found 1": {"has_toy": ["no", "no", "no", "no", "yes"]},
    "row 4, column 'age_y'": {"age_y": [60, 61, "two", 62, 63]},
}  # fmt: skip


@pytest.mark.parametrize("says", REFUSED)
def test_a_table_that_cannot_be_recorded_is_refused_in_one_line(record, says):
    said, out = record("refused", **REFUSED[says])
    assert said.exit_code == 3
    (line,) = said.stderr.strip().splitlines()
    assert line.startswith("Error: refused.csv") and says in line
    assert not out.exists()


def test_an_effect_needs_a_table_and_a_number_needs_two_patients(cardio, record, tmp_path):
    said = cardio("data", "synth", "toy", "--effect", "z_other", "--out", tmp_path / "made")
    assert said.exit_code == 2 and names(said.stderr, "--patients", "TABLE")
    said = cardio("data", "synth", "toy", "--patients", "1", "--out", tmp_path / "made")
    assert said.exit_code == 2 and names(said.stderr, "1", "2")
    said, _ = record("misspelt", "--effect", "z_othr")
    assert said.exit_code == 3 and "did you mean 'z_other'?" in said.stderr


def _info() -> PluginInfo:
    return PluginInfo("mine", "Mine", ())


def test_a_plugin_that_takes_no_table_says_so(monkeypatch, tmp_path):
    def synthesize(out, *, task, n_patients=None, seed=0): ...

    monkeypatch.setattr(synthetic_cohort, "resolve", lambda place: synthesize)
    with refuses(ConfigError, "--patients", "mine"):
        writer_of(_info(), CohortRequest("t", patients=tmp_path / "p.csv"))


def test_a_plugin_that_records_others_than_it_was_asked_for_is_stopped(monkeypatch, tmp_path):
    def synthesize(out, *, task, n_patients=None, seed=0, patients=None):
        pd.DataFrame({"patient_id": ["K7", "A-1"]}).to_csv(out / "cohort.csv")

    monkeypatch.setattr(synthetic_cohort, "resolve", lambda place: synthesize)
    pd.DataFrame(ROWS).to_csv(tmp_path / "p.csv", index=False)
    write = writer_of(_info(), CohortRequest("t", patients=tmp_path / "p.csv"))
    with refuses(ContractError, "synthesize", 5):
        write(tmp_path)


def test_without_a_table_the_files_are_what_they_were(write_cohort, tmp_path):
    made = write_cohort(tmp_path / "made", "mean_class", n_patients=5, seed=1)
    # Of the toy before it took tables.
    assert directory_digest(made).startswith("e633250ecc894f8f")
