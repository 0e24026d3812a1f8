"""Where a fold runs changes nothing in its numbers."""

from __future__ import annotations

import json

import pandas as pd


def test_two_workers_give_the_numbers_of_one(run_toy, clinic, clinic_run, tmp_path):
    run = run_toy(tmp_path / "run", data=(clinic,), executor="local:2", n_devices=2)
    ours, theirs = (json.loads((where / "metrics.json").read_text()) for where in (run, clinic_run))
    assert ours == theirs
    assert json.loads((run / "manifest.json").read_text())["device"]["n"] == 2
    pd.testing.assert_frame_equal(
        pd.read_csv(run / "predictions.csv"), pd.read_csv(clinic_run / "predictions.csv")
    )
