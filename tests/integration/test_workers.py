"""Where a fold runs changes nothing in its numbers, and what another processor would, little."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd


def test_two_workers_give_the_numbers_of_one(run_toy, clinic, clinic_run, tmp_path):
    run = run_toy(tmp_path / "run", data=(clinic,), executor="local:2", n_devices=2)
    ours, theirs = (json.loads((where / "metrics.json").read_text()) for where in (run, clinic_run))
    assert ours == theirs
    assert json.loads((run / "manifest.json").read_text())["device"]["n"] == 2
    pd.testing.assert_frame_equal(
        pd.read_csv(run / "predictions.csv"), pd.read_csv(clinic_run / "predictions.csv")
    )


def test_noise_of_another_processor_moves_every_score_and_hardly_a_metric(
    run_toy, clinic, tmp_path, monkeypatch
):
    scores, areas = [], []
    for seed in "12":
        monkeypatch.setenv("CARDIO_TEST_NOISE", seed)
        run = run_toy(tmp_path / seed, data=(clinic,), protocol="honest", sets=("models=[ridge]",))
        scores.append(pd.read_csv(run / "predictions.csv")["score"].to_numpy())
        rows = json.loads((run / "metrics.json").read_text())
        areas.append([row["value"] for row in rows if row["name"] in ("auc", "brier")])
    moved = np.abs(scores[0] - scores[1])
    assert 0 < moved.max() <= 3e-7  # to the seven digits of the file
    np.testing.assert_allclose(areas[0], areas[1], atol=1e-6)
