"""The network on the median beat: what it is given, and that it learns from both of its sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from cardio_core.api import FeatureBlock, FeatureSet, Targets
from cardio_core.testing import training_context
from cardio_ecg_transfer.networks.beat_net import BeatNet, changed_beats
from cardio_ecg_transfer.response.beat_network import (
    Scale,
    beat_network_scores,
    fit_beat_network,
    masks,
    patients,
    pretrain_encoder,
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


def fitted_weights(
    training: FeatureSet, validation: FeatureSet | None, out: Path, epochs: int = 1
) -> dict[str, torch.Tensor]:
    words = pd.Series(1.0 * (np.arange(16) % 2), training.table["patient_id"].unique()[:16])
    targets = Targets("patient", words.rename("response").to_frame())
    train = {"fit": {"epochs": 1, "batch_size": 8}, "beat_network": {"pretrain_epochs": epochs}}
    ctx = training_context(CRT_RESPONSE, "beat_network", out)
    artifact = fit_beat_network(training, validation, targets, Config(train=train).train, ctx)
    said = "pretrained by masked reconstruction of 16 median beats"
    assert any(said in note for note in map(str, artifact.notes)) == (epochs > 0)
    return load_file(out / "weights.safetensors")


def test_pretraining_sees_the_beats_of_training_patients_alone_and_draws_the_same_again(tmp_path):
    rng = np.random.default_rng(2)
    beats, measured = 0.3 * rng.normal(size=(16, 12, 121)), rng.normal(size=(16, 4))
    training = cohort(beats, measured)
    held_out = cohort(9 * beats[:, ::-1], -measured)
    first, again, held = (
        fitted_weights(training, validation, tmp_path / str(place))
        for place, validation in enumerate((None, None, held_out))
    )
    for name, values in first.items():
        assert torch.equal(values, again[name]) and torch.equal(values, held[name])
    without = fitted_weights(training, None, tmp_path / "without", epochs=0)
    assert not torch.equal(first["stem.0.weight"], without["stem.0.weight"])


def test_pretraining_learns_what_leads_share_and_leaves_the_rest_of_the_network():
    rng = np.random.default_rng(3)
    shape = np.sin(np.linspace(0, 6, 40))
    beats = (rng.normal(size=(32, 1, 1)) * shape * np.ones((1, 12, 1))).astype(np.float32)
    torch.manual_seed(0)
    net = BeatNet(4)
    before = {name: values.clone() for name, values in net.state_dict().items()}
    first, last = pretrain_encoder(net, beats, epochs=15, batch_size=8, seed=0)
    assert last < 0.5 * first
    after = net.state_dict()
    for name, values in after.items():
        encoder = name.startswith(("stem", "layers"))
        assert torch.equal(values, before[name]) != encoder, name


def test_masks_are_whole_leads_and_a_stretch_of_all_leads():
    hidden = masks(torch.zeros(50, 12, 120), torch.Generator().manual_seed(0))
    everywhere = hidden.all(dim=1).sum(dim=1)
    whole = hidden.all(dim=2)
    assert 0.4 < whole.float().mean() < 0.6
    for patient in range(50):
        if not whole[patient].all():
            assert everywhere[patient] == 20
            assert (hidden[patient][~whole[patient]].sum(dim=1) == 20).all()
