"""`cardio data check` and `cardio data template`: everything at once, and a table to start from."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.runner import setup
from cardio_core.runner.fingerprints import fingerprint, print_of, same_signals
from cardio_core.testing import names

Cli = Callable[..., Any]


@pytest.fixture
def cohort(clinic: Path, tmp_path: Path) -> Path:
    """The toy's clinic with one of everything that goes wrong."""
    folder = tmp_path / "clinic"
    shutil.copytree(clinic, folder)
    path = folder / "cohort.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table = table[table["path_ecg"].str.startswith("C")].reset_index(drop=True)
    table["age_y"] = "60"
    table.loc[2, "age_y"] = "old"
    table.loc[3, "x_ill"] = ""
    table.loc[4, "path_ecg"] = "c04R0.csv"
    again = table.iloc[[6]]
    # The same signal under another name, with other bytes: more digits and another line end.
    source = folder / table.loc[8, "path_ecg"].split(";")[0]
    lines = source.read_text().splitlines()
    (folder / "other.csv").write_text(
        "\r\n".join([lines[0], *(f"{float(value):.6f}" for value in lines[1:])])
    )
    stranger = table.iloc[[8]].assign(patient_id="ZZ", study_id="ZZs", path_ecg="other.csv")
    pd.concat([table, again, stranger]).to_csv(path, index=False)
    return folder


def test_all_that_is_wrong_is_listed_at_once(cardio: Cli, cohort: Path) -> None:
    said = cardio("data", "check", cohort, "--plugin", "toy", "--json")
    assert said.exit_code == 3
    n_rows = len((cohort / "cohort.csv").read_text().splitlines())
    found = {(one["kind"], one["row"]): one for one in said.json["findings"]}
    assert found["table", 4]["column"] == "age_y"
    assert found["table", 4]["cell"] == "old"
    assert names(found["table", n_rows - 1]["says"], "row 8")
    assert names(found["path", 6]["says"], "C04r0.csv")
    assert found["path", 6]["weight"] == "set aside"
    assert names(found["duplicate", n_rows]["says"], "signal", "row 10")
    weights = [one["weight"] for one in said.json["findings"]]
    assert weights == sorted(weights, key=["stops", "set aside", "noted"].index)
    assert [row["row"] for row in said.json["without_outcome"]] == [5]
    outcome = said.json["outcome"]
    assert outcome["n_with"] + outcome["n_without"] == said.json["n_patients"]
    assert sum(outcome["by_class"].values()) == outcome["n_with"]


def test_it_reads_as_stored(cardio: Cli, cohort: Path, same_text: Any) -> None:
    said = cardio("data", "check", cohort, "--plugin", "toy")
    # Progress depends on the machine.
    lines = (said.stdout + said.stderr).splitlines()
    same_text("data_check", "\n".join(x for x in lines if not x.startswith("reading:")))


def test_a_clean_cohort_exits_with_0(cardio: Cli, cohort: Path) -> None:
    path = cohort / "cohort.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False).iloc[:-2]
    table.loc[table["age_y"] == "old", "age_y"] = "61"
    table.to_csv(path, index=False)
    assert cardio("data", "check", cohort, "--plugin", "toy").exit_code == 0


def test_recordings_without_an_outcome_are_checked_for_being_measured(
    cardio: Cli, clinic: Path, same_text: Any
) -> None:
    file = next(clinic.glob("C*r0.csv"))
    said = cardio("data", "check", file, "--plugin", "toy", "--gain", "2")
    assert said.exit_code == 0, said.stderr
    same_text("data_check_of_one_file", said.stdout.replace(str(file), "FILE"))
    # Who asks for an outcome is told that it is not there.
    refused = cardio("data", "check", file, "--plugin", "toy", "--outcome", "x_ill")
    assert refused.exit_code in (2, 3)


def test_the_same_file_twice_of_one_patient_is_told_and_no_error(cardio: Cli, cohort: Path) -> None:
    path = cohort / "cohort.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False).iloc[:-2]
    table.loc[table["age_y"] == "old", "age_y"] = "61"
    shutil.copy(cohort / table.loc[1, "path_ecg"].split(";")[0], cohort / "again.csv")
    twice = table.iloc[[1]].assign(study_id="again", path_ecg="again.csv")
    pd.concat([table, twice]).to_csv(path, index=False)
    said = cardio("data", "check", cohort, "--plugin", "toy", "--json")
    assert said.exit_code == 0
    [double] = [finding for finding in said.json["findings"] if finding["kind"] == "duplicate"]
    assert names(double["says"], "file", "row 3") and double["weight"] == "noted"


def alike(one: Any, other: Any) -> bool:
    prints = {name: fingerprint(print_of(own)) for name, own in (("one", one), ("other", other))}
    return bool(same_signals(prints))


def test_a_copy_in_steps_of_another_format_is_the_same_signal_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(0, 0.2, (2, 12, 5000))
    stored = np.round(one / 0.005).astype(np.int16)
    assert alike(one, {"adc": stored})
    assert not alike(one, other)
    assert print_of(np.zeros(5000)) is None
    # Every loop of a scanner has these times; they are no signal.
    assert print_of({"times_ms": np.arange(0, 4000, 20.0)}) is None


def test_a_loop_is_known_by_its_frames_and_not_by_its_times() -> None:
    class Loop:
        def __init__(self, seed: int) -> None:
            self.n_frames = 100
            self.times_ms = np.arange(0, 2000, 20.0)
            self._rng = np.random.default_rng(seed)

        def frame(self, index: int) -> Any:
            return self._rng.integers(0, 255, (64, 64), dtype=np.uint8)

    def opened(seed: int) -> dict[str, Any]:
        return {"loop": Loop(seed), "septum": np.linspace(0, 1, 200)}

    assert alike(opened(0), opened(0))
    assert not alike(opened(0), opened(1))


def test_a_template_is_refused_until_it_is_filled_in(cardio: Cli, tmp_path: Path) -> None:
    out = tmp_path / "cohort.csv"
    said = cardio("data", "template", "toy", "--out", out)
    assert said.exit_code == 0
    rows = list(csv.DictReader(out.open()))
    assert [row["patient_id"] for row in rows] == ["EXAMPLE-1", "EXAMPLE-2"]
    assert list(rows[0]) == ["patient_id", "path_ecg", "ill"]
    assert [line.split()[0] for line in said.stdout.splitlines()[:3]] == list(rows[0])
    assert cardio("data", "template", "toy", "--out", out).exit_code == 2
    checked = cardio("data", "check", out, "--plugin", "toy")
    assert checked.exit_code == 3
    assert names(checked.stdout, "row 2")
    printed = cardio("data", "template", "toy").stdout
    assert printed == out.read_text()


def test_a_plugins_template_has_its_own_columns_alone(cardio: Cli) -> None:
    columns = cardio("data", "template", "spect_polar", "--task", "mfr", "--json").json
    names = [column["name"] for column in columns]
    assert names[:3] == ["patient_id", "path_polarmap_rest", "path_polarmap_stress"]
    assert not {"path_ecg", "path_spect", "lvesv_fu_ml"} & set(names)


def test_a_plugin_is_opened_for_a_command_and_not_for_each_patient(
    cardio: Cli, clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, opening = [], setup.open_plugin
    monkeypatch.setattr(
        setup, "open_plugin", lambda name, **more: opened.append(name) or opening(name, **more)
    )
    said = cardio("data", "check", clinic, "--plugin", "toy", "--executor", "local:1", "--json")
    assert said.json["n_patients"] > 20
    assert len(opened) == 1
