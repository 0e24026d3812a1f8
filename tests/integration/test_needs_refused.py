"""What cannot be used is refused before an earlier task is made, and loaded once."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from cardio_core.runner import prepare as features
from cardio_stats.errors import CardioError


def _emptied(table: pd.DataFrame, column: str, kept: int) -> pd.DataFrame:
    return table.assign(**{column: table[column].where(np.arange(len(table)) < kept)})


def _letters(table: pd.DataFrame) -> pd.DataFrame:
    letters = table["patient_id"] + "words.csv"
    return table.assign(path_ecg=table["path_ecg"].where(np.arange(len(table)) < 6, letters))


def _twins(table: pd.DataFrame) -> pd.DataFrame:
    own = {"patient_id": "C99", "study_id": "C99s", "subject_link": None, "path_ecg": "twin.csv"}
    twin = table.iloc[[0]].assign(**own)
    return pd.concat([table, twin])


# fmt: off
BAD_TABLES = {
    "no path": ("third", lambda table: _emptied(table, "path_ecg", 0), (), "no usable recording"),
    "no label": ("third", lambda table: _emptied(table, "x_ill", 0), (), "carries a label"),
    "no label, same": (
        "second", lambda table: _emptied(_emptied(table, "x_ill", 0), "x_severity", 0), (),
        "carries a label",
    ),
    "two": ("third", lambda table: _emptied(table, "x_ill", 2), (), "5 labelled patients, found 2"),
    "no recordings": ("third", _letters, (), "recordings cannot be used"),
    "twins": ("third", _twins, (), "an identical file under two patients"),
    "no model": ("third", lambda table: table, ("load.without=[network]",), "supports none of"),
}
# fmt: on


@pytest.mark.parametrize("fault", BAD_TABLES)
def test_a_table_that_cannot_be_used_is_refused_before_an_earlier_task_is_made(
    run_toy, write_cohort, tmp_path, fault
):
    """Pretraining can take hours."""
    task, spoil, sets, said = BAD_TABLES[fault]
    data = write_cohort(tmp_path / "data", "mean_class")
    table = pd.read_csv(data / "cohort.csv", dtype=str)
    shutil.copy(data / "C00r0.csv", data / "twin.csv")
    for patient in table["patient_id"]:
        (data / f"{patient}words.csv").write_text("this is a letter, not a recording\n")
    spoil(table).to_csv(data / "cohort.csv", index=False)
    with pytest.raises(CardioError, match=said):
        run_toy(
            tmp_path / "run", task=task, data=(data,), protocol="honest",
            sets=("protocols.honest.k=5", *sets),
        )  # fmt: skip
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert manifest["status"] == "failed"
    assert not (tmp_path / "run/needs").exists()


def test_what_was_loaded_before_an_earlier_task_is_not_loaded_again(
    run_toy, clinic, tmp_path, monkeypatch
):
    loaded: list[str] = []
    real = features.call

    def call(plugin, hook, ctx, config, **arguments):
        loaded.extend([ctx.task.name] * (hook == "load"))
        return real(plugin, hook, ctx, config, **arguments)

    monkeypatch.setattr(features, "call", call)
    run_toy(tmp_path / "run", task="second", data=(clinic,), protocol="honest", sets=("inner.k=0",))
    assert loaded == ["second", "mean_class"]
