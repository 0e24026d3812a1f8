"""The network on the median beat: what it is given, and that it learns from both of its sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from cardio_core.api import FeatureBlock, FeatureSet, Targets
from cardio_core.testing import training_context
from cardio_ecg_transfer.networks.beat_net import BeatNet, changed_beats
from cardio_ecg_transfer.response.beat_network.fitting import (
    Scale,
    beat_network_scores,
    fit_beat_network,
    patients,
)
from cardio_ecg_transfer.response.config import Config
from cardio_ecg_transfer.response.models import CRT_RESPONSE

CONFIG = Config(train={"fit": {"epochs": 20, "batch_size": 16, "learning_rate": 0.01}})


def cohort(beats: np.ndarray, measured: np.ndarray) -> FeatureSet:
    names = [f"p{i:02d}" for i in range(len(beats))]
    ids = dict.fromkeys(("recording_id", "study_id", "patient_id"), names)
    table = pd.DataFrame(ids, index=pd.Index(names, name="sample_id"))
    half = measured.shape[1] // 2
    blocks = {
        "median_beat": FeatureBlock(beats.astype(np.float32), ("lead", "time"),
                                    tuple(map(str, range(12))), ("mV",)),
        **{name: FeatureBlock(part.astype(np.float32), (name,),
                              tuple(f"{name}{i}" for i in range(part.shape[1])), ("1",))
           for name, part in {"measurements": measured[:, :half],
                              "waves": measured[:, half:]}.items()},
    }  # fmt: skip
    return FeatureSet(table, blocks)


def test_measurements_are_scaled_by_the_training_patients_and_missing_ones_are_the_mean():
    scale = Scale.of(np.array([[1.0, np.nan], [3.0, np.nan]]))
    assert (scale.centre, scale.spread) == ([2.0, 0.0], [1.0, 1.0])
    found = scale.applied(np.array([[4.0, 5.0], [np.nan, np.nan], [99.0, 0.0]]))
    np.testing.assert_array_equal(found, [[2, 4], [0, 0], [4, 0]])


def test_a_lead_without_values_is_zero_and_the_others_are_as_they_were():
    beats = np.random.default_rng(0).normal(size=(2, 12, 121))
    broken = beats.copy()
    broken[:, 3, 5] = np.nan
    scale = Scale([0.0] * 4, [1.0] * 4)
    whole, lacking = (patients(cohort(one, np.zeros((2, 4))), scale) for one in (beats, broken))
    assert (lacking.beats[:, 3] == 0).all() and np.abs(whole.beats[:, 3]).max() > 0
    others = np.arange(12) != 3
    assert (lacking.beats[:, others] == whole.beats[:, others]).all()


def test_augmentation_needs_a_generator_and_draws_the_same_again():
    beats = torch.randn(4, 12, 121)
    first, again, other = (
        changed_beats(beats, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)
    made = patients(cohort(beats.numpy(), np.zeros((4, 4))), Scale([0.0] * 4, [1.0] * 4))
    plain = made.batch(np.array([2]), None)["inputs"]["beats"]
    assert torch.equal(plain, torch.from_numpy(made.beats[[2]]))


@pytest.mark.parametrize("side", ["beats", "measured"])
def test_it_learns_from_the_beat_and_from_the_measurements(side, tmp_path):
    rng = np.random.default_rng(1)
    outcome = np.arange(64) % 2
    beats, measured = 0.05 * rng.normal(size=(64, 12, 121)), rng.normal(size=(64, 6))
    if side == "beats":
        beats[:, 6, 55:65] += np.where(outcome == 1, 0.8, -0.8)[:, None]
    else:
        measured[:, 4] += 4 * outcome
    features = cohort(beats, measured)
    words = pd.Series(np.where(outcome == 1, "yes", "no"), features.table["patient_id"])
    targets = Targets("patient", words.map({"yes": 1.0, "no": 0.0}).rename("response").to_frame())
    ctx = training_context(CRT_RESPONSE, "beat_network", tmp_path)
    artifact = fit_beat_network(features, None, targets, CONFIG.train, ctx)
    scores = beat_network_scores(artifact, features, CONFIG.predict, ctx)
    assert scores[outcome == 1].mean() - scores[outcome == 0].mean() > 0.5


def test_several_classes_have_a_logit_each():
    net = BeatNet(4, n_outputs=3).eval()
    inputs = {"beats": torch.zeros(2, 12, 121), "measured": torch.zeros(2, 4)}
    assert net(inputs).shape == (2, 3)
