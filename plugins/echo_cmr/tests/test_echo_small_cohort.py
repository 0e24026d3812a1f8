"""Fourteen patients, three with a parasternal loop: the run finishes and says what is not in it."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from cardio_core.testing import run_plugin
from cardio_echo_cmr.findings.tasks import TASKS
from cardio_echo_cmr.synthetic import synthesize

HAVING = ("p001", "p006", "p009")


@pytest.mark.slow
@pytest.mark.parametrize("task", ["wma", "t1"])
@pytest.mark.parametrize("least", [1, 5])
def test_a_view_that_is_nearly_always_missing_ends_no_run(tmp_path, monkeypatch, task, least):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    synthesize(cohort, task=task, n_patients=14, seed=0)
    table = pd.read_csv(cohort / "cohort.csv", dtype=str)
    table.loc[~table["patient_id"].isin(HAVING), "path_echo_plax"] = None
    table.to_csv(cohort / "cohort.csv", index=False)
    run = run_plugin(
        "echo_cmr", task, cohort, tmp_path / "run", protocol="both",
        sets=("needs.view.skip=true", f"load.min_studies={least}"),
    )  # fmt: skip
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["status"] == "done"
    predicted = pd.read_csv(run / "predictions.csv")
    (about,) = [known for known in TASKS if known.name == task]
    said = " ".join([one["text"] for one in manifest["notes"]])
    for protocol, own in predicted.groupby("protocol"):
        for model in about.models:
            absent = model.name not in set(own["model"])
            named = f"Model {model.title} is left out"
            assert absent == (f"{named} of protocol {protocol}:" in said or f"{named}:" in said)
    if least == 5:  # of the parasternal loops' findings fewer than five studies say either
        assert "plax" not in set(predicted["model"])
