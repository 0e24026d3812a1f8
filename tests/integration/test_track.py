"""Training watched in TensorBoard: curves by model and fold, and nothing of a patient."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from cardio_core.testing import names
from cardio_core.training import loggers as tracking
from cardio_core.training.loggers import Tracker, Tracking

SMALL = ("protocols.honest.plan=holdout", "train.fit.epochs=3")


@pytest.fixture(scope="module")
def watched(run_toy, strip, tmp_path_factory):
    """A run whose training was tracked, and where."""
    place = tmp_path_factory.mktemp("curves") / "tb"
    out = tmp_path_factory.mktemp("runs") / "watched"
    asked = {"task": "beats", "data": (strip,), "protocol": "honest", "sets": SMALL}
    return run_toy(out, track=f"tensorboard:{place}", **asked), place


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the scalars of a fit by name: step and value."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    names = read.Tags()["scalars"]
    return {name: [(one.step, one.value) for one in read.Scalars(name)] for name in names}


def test_every_fit_has_its_curves_under_model_protocol_and_fold(watched):
    run, place = watched
    fits = {path.parent.parent.name for path in place.rglob("events.*")}
    folds = ["honest-r0-f0", "honest-r0-f0-i0", "honest-final", "honest-final-i0"]
    assert fits == {f"beats-network-{fold}" for fold in folds}
    assert {path.name for path in place.iterdir()} == {run.name}


def test_the_curves_are_those_of_the_history(watched):
    run, place = watched
    folder = run / "models" / "honest-r0-f0" / "network" / "inner" / "c0-i0"
    rows = list(csv.DictReader((folder / "history.csv").open()))
    found = curves(place / run.name / "beats-network-honest-r0-f0-i0" / "version_0")
    assert {"train_loss", "val_loss", "val_score", "lr", "seconds"} <= set(found)
    for name in ("train_loss", "val_loss"):
        expected = [(int(row["epoch"]), pytest.approx(float(row[name]))) for row in rows]
        assert found[name] == expected


def test_no_patient_and_no_path_is_in_what_was_tracked(watched):
    run, place = watched
    stored = json.loads((run / "cohort.json").read_text())
    names = {*stored["patients"], *stored["recordings"], *stored["files"]}
    words = {name.encode() for name in names if len(name) > 3} | {str(run.parent).encode()}
    words |= {b"strip", str(place).encode()}
    assert (run / "cohort.json").read_bytes().count(b"B03r0")
    for path in place.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert [word for word in words if word in content] == []


def test_a_tracker_that_breaks_is_noted_once_and_left_alone(monkeypatch):
    def broken(_):
        raise OSError("somebody: the disk is full")

    monkeypatch.setattr(tracking, "_open", broken)
    notes: list[str] = []
    tracker = Tracker(Tracking("mlflow", "http://nowhere:1"), notes.append)
    for epoch in (1, 2):
        tracker.log(epoch, {"train_loss": 0.5, "val_loss": None})
    tracker.close(done=True)
    assert len(notes) == 1
    assert "mlflow broke (OSError)" in notes[0]
    assert "somebody" not in notes[0]


def test_a_fit_ends_as_without_where_its_tracker_cannot_write(tmp_path):
    from torch import manual_seed, nn
    from torch.nn.functional import cross_entropy

    from cardio_core.api import ArrayExamples, FitPlan
    from cardio_core.compute.devices import choose_device
    from cardio_core.training.engine import fit

    (tmp_path / "taken").write_text("a file where the folder would be")
    examples = ArrayExamples(np.eye(4), np.array([0, 1, 1, 0]))

    def fitted(where, track):
        manual_seed(0)
        return fit(nn.Linear(4, 2), examples, plan=FitPlan(epochs=2, batch_size=2), seed=0,
                   loss=lambda outputs, batch: cross_entropy(outputs, batch["targets"]),
                   device=choose_device("cpu"), out=tmp_path / where, tracking=track)  # fmt: skip

    watched = fitted("a", Tracking("tensorboard", str(tmp_path / "taken"), "run", "fit"))
    plain = fitted("b", None)
    assert watched.weights.read_bytes() == plain.weights.read_bytes()
    assert plain.notes == ()
    [note] = watched.notes
    assert "tensorboard broke (" in note.text


def test_what_cannot_track_is_refused_before_anything_starts(cardio, tmp_path, monkeypatch):
    words = ("run", "--plugin", "toy", "--out", tmp_path / "x", "--track")
    assert names(cardio(*words, "wandb:me").stderr, "DIR", "URI")
    assert names(cardio(*words, "tensorboard:").stderr, "DIR", "URI")
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    said = cardio(*words, "mlflow:file:x")
    assert said.exit_code == 2
    assert names(said.stderr, "./core/cardio-core[mlflow]")
    assert not (tmp_path / "x").exists()
