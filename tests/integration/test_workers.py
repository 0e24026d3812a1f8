"""Where a fold runs, in how many processes and with how many threads, changes no number.

What another processor would change is little.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits


def test_two_workers_give_the_numbers_of_one(run_toy, clinic, clinic_run, tmp_path):
    run = run_toy(tmp_path / "run", data=(clinic,), executor="local:2", n_devices=2)
    ours, theirs = (json.loads((where / "metrics.json").read_text()) for where in (run, clinic_run))
    assert ours == theirs
    assert json.loads((run / "manifest.json").read_text())["device"]["n"] == 2
    pd.testing.assert_frame_equal(
        pd.read_csv(run / "predictions.csv"), pd.read_csv(clinic_run / "predictions.csv")
    )


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_two_workers_answer_as_one_does(cardio, write_cohort, clinic_run, tmp_path, command):
    others = write_cohort(tmp_path / "others", task="mean_class", n_patients=6, seed=99)
    found = []
    for executor in ("local:1", "local:2"):
        out = tmp_path / executor[-1]
        words = ["--data", others, "--other-people", "--out", out]
        words = words if command == "evaluate" else [others]
        said = cardio(command, clinic_run, *words, "--json", "--executor", executor)
        assert said.exit_code == 0, said.stderr
        found.append(
            said.json if command == "predict" else json.loads((out / "metrics.json").read_text())
        )
    assert found[0] == found[1]


@pytest.mark.slow
def test_devices_that_no_fit_needs_share_one_and_change_no_more_than_rounding(run_toy, tmp_path):
    asked = {
        "task": "beats",
        "config": "smoke",
        "protocol": "honest",
        "sets": ("protocols.honest={plan: holdout}", "inner.k=1"),
    }
    said: list[str] = []
    alone = run_toy(tmp_path / "alone", **asked)
    shared = run_toy(tmp_path / "shared", n_devices=4, executor="local:2", said=said, **asked)
    assert any(line.startswith("Fewer fits (2) than devices (4):") for line in said)
    chosen = [json.loads(path.read_text()) for path in shared.rglob("chosen.json")]
    assert len(chosen) == 2
    for one in chosen:
        assert any(note["text"].startswith("trained on 2 devices at once") for note in one["notes"])
    scores = [pd.read_csv(run / "predictions.csv")["score"] for run in (alone, shared)]
    assert len(scores[0]) > 10
    np.testing.assert_allclose(*scores, atol=1e-5)
    files = [
        sorted(p.name for p in run.rglob("models/**/*") if p.is_file()) for run in (alone, shared)
    ]
    assert files[0] == files[1]


@pytest.fixture
def user_with(monkeypatch, tmp_path):
    """A user whose libraries were told to take that many threads, and who has run nothing yet."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()

    def begin(n_threads):
        monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / f"cache{n_threads}"))
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            monkeypatch.setenv(name, str(n_threads))
        torch.set_num_threads(n_threads)
        return threadpool_limits(n_threads)

    yield begin
    torch.set_num_threads(before)


EVERY_WAY = [(n_threads, f"local:{n}") for n_threads in (1, 2) for n in (1, 2)]


@pytest.mark.parametrize(
    ("task", "ways"),
    [
        pytest.param("joined", EVERY_WAY, id="joined-every-way", marks=pytest.mark.slow),
        pytest.param("third", EVERY_WAY, id="third-every-way", marks=pytest.mark.slow),
    ],
)
def test_no_number_depends_on_threads_or_processes(
    run_toy, user_with, task, ways, tmp_path, monkeypatch
):
    monkeypatch.setenv("CARDIO_TEST_NOISE", "threads")  # what other sums would change is seen
    found = {}
    for n_threads, executor in ways:
        with user_with(n_threads):
            run = run_toy(
                tmp_path / f"{n_threads}-{executor[-1]}", task=task, config="smoke",
                executor=executor,
            )  # fmt: skip
            files = ("metrics.json", "predictions.csv", "splits.json")
            found[n_threads, executor] = [(run / name).read_bytes() for name in files]
    first = found.pop(ways[0])
    assert all(len(content) > 100 for content in first)
    for where, contents in found.items():
        assert contents == first, where


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
