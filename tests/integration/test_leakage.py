"""No patient stands on both sides unless it is declared, and then only under `paper`."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd

from cardio_core.api import FeatureBlock, FeatureSet, hookimpl
from cardio_core.errors import LeakageError
from cardio_core.testing import names, refuses


def test_honest_refuses_a_plan_whose_lists_share_a_person(cardio, strip, tmp_path):
    said = cardio(
        "run", "--plugin", "toy", "--task", "beats", "--data", strip, "--out", tmp_path / "run",
        "--executor", "local:1", "--protocol", "honest",
        "--set", "protocols.honest.plan=listed_twice",
    )  # fmt: skip
    assert said.exit_code == 1
    assert said.code == "leakage" and names(said.stderr, "listed_twice", "B00", "paper")


def test_honest_refuses_a_split_of_samples(run_toy, strip, tmp_path):
    with refuses(LeakageError, "random_beats", "paper"):
        run_toy(
            tmp_path / "run",
            task="beats",
            data=(strip,),
            protocol="honest",
            sets=("protocols.honest.plan=random_beats",),
        )


def test_the_same_file_under_two_patients_is_refused(run_toy, clinic, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(clinic, data)
    shutil.copy(data / "C04r0.csv", data / "C05r0.csv")
    with refuses(LeakageError, "C04r0", "C05r0", "subject_link"):
        run_toy(tmp_path / "run", data=(data,))


def test_linked_patients_may_share_a_file(cardio, clinic, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(clinic, data)
    shutil.copy(data / "C00r0.csv", data / "C23r0.csv")
    said = cardio("data", "check", data, "--plugin", "toy", "--json")
    assert said.exit_code == 0
    assert said.json["n_usable"] == 32


def test_what_is_stated_beside_recordings_may_be_the_same_for_all_patients(
    cardio, clinic, tmp_path
):
    data = tmp_path / "data"
    shutil.copytree(clinic, data)
    for recording in data.glob("C*.csv"):
        recording.with_suffix(".json").write_text('{"frame_rate_hz": 50}')
    said = cardio("data", "check", data, "--plugin", "toy", "--json")
    assert said.exit_code == 0, said.stderr
    assert said.json["n_usable"] == 32


def test_fixed_augmentations_train_and_never_validate_or_test(
    run_toy, clinic, tmp_path, monkeypatch
):
    """A copy of each recording follows it; the hook that predicts sees the originals alone."""
    from cardio_toy.clinic.featurize import featurize as originals
    from cardio_toy.clinic.predict import predict as scores
    from cardio_toy.clinic.train import train as fit

    trained, predicted = [], []

    @hookimpl
    def featurize(samples):
        made = originals(samples)
        copies = made.table.set_axis([f"{name}~1" for name in made.table.index])
        table = pd.concat([made.table.assign(variant=0), copies.assign(variant=1)])
        block = made["shape"]
        values = np.concatenate([np.asarray(block.values)] * 2)
        twice = FeatureBlock(values, block.axes, block.names, block.units)
        return FeatureSet(table, {"shape": twice})

    @hookimpl
    def train(training, targets, config, ctx):
        trained.append(set(training.table["variant"]))
        return fit(training, targets, config, ctx)

    @hookimpl
    def predict(model, features, ctx):
        predicted.append(set(features.table["variant"]))
        return scores(model, features, ctx)

    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    for hook in (featurize, train, predict):
        monkeypatch.setattr(f"cardio_toy.plugin.{hook.__name__}", hook, raising=False)
    run_toy(tmp_path / "run", data=(clinic,), protocol="honest", sets=("models=[ridge]",))
    assert {0, 1} in trained
    assert set.union(*predicted) == {0}
