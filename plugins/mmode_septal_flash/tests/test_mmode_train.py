"""Rows of septal_flash: fitted on code-made M-modes, and what they say of new ones."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

from cardio_core.api import DataError, ModelArtifact, ScoringBlock
from cardio_core.testing import refuses, training_context
from cardio_mmode_septal_flash.flash.config import TrainBlock
from cardio_mmode_septal_flash.flash.labels import known_labels
from cardio_mmode_septal_flash.flash.models import PHANTOM_FLASH, SEPTAL_FLASH
from cardio_mmode_septal_flash.flash.network import MEAN, open_network, pictures_for
from cardio_mmode_septal_flash.flash.predict import predict
from cardio_mmode_septal_flash.flash.train import train
from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet
from cardio_mmode_septal_flash.networks.heat_maps import GREY_SD, Pictures

THIN = {"width_mult": 0.0625, "stem": "one"}
FIT = {"epochs": 2, "batch_size": 8, "learning_rate": 3e-3}
THINNEST = TrainBlock(**THIN, fit=FIT)


@pytest.fixture(scope="module")
def studies(flash_features):
    return flash_features(16)


@pytest.fixture(scope="module")
def fit(studies, tmp_path_factory):
    made = {}

    def fitted(row, task=SEPTAL_FLASH, config=THINNEST, validation=None, **context):
        key = (row, task.name, str(config), str(context))
        if key not in made:
            features, targets = studies
            ctx = _context(row, task, tmp_path_factory.mktemp(row), **context)
            known = features.view(features.table["patient_id"] < "p12")
            made[key] = train(known, validation, targets, config, ctx), ctx
        return made[key]

    return fitted


def _context(row, task=SEPTAL_FLASH, out=None, **context):
    return training_context(task, row, out, **context)


def _auc(scores, labels):
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(labels, scores)


def _tested(studies):
    features, targets = studies
    view = features.view((features.table["patient_id"] >= "p12") & (features.table["variant"] == 0))
    return view, targets.of(view.table, "septal_flash")


@pytest.mark.parametrize("row", ["excursion", "motion"])
def test_a_regression_on_measured_motion_ranks_new_studies_by_their_flash(studies, fit, row):
    artifact, ctx = fit(row)
    view, y = _tested(studies)
    found = predict(artifact, view, ScoringBlock(), ctx)
    assert _auc(found.scores["septal_flash"], y) == 1.0
    assert found.columns["excursion_mm"].unit == "mm"


def test_a_network_learns_a_bulge_of_the_band_and_keeps_the_mean_picture(studies, fit):
    artifact, ctx = fit("densenet_scratch", config=TrainBlock(**THIN, fit=FIT | {"epochs": 6}))
    view, y = _tested(studies)
    found = predict(artifact, view, ScoringBlock(), ctx)
    assert _auc(found.scores["septal_flash"], y) >= 0.9
    assert (artifact.path / MEAN).is_file()
    assert [note.kind for note in ctx.warnings] == ["not_pretrained"]


def test_scores_do_not_depend_on_who_else_is_scored(studies, fit):
    artifact, ctx = fit("densenet_scratch")
    view, _ = _tested(studies)
    together = predict(artifact, view, ScoringBlock(), ctx).scores["septal_flash"]
    alone = predict(artifact, view.view([2]), ScoringBlock(), ctx).scores["septal_flash"]
    assert alone[0] == pytest.approx(together[2], abs=1e-6)


def test_a_pretrained_network_starts_from_the_phantoms_and_the_report_says_so(fit):
    earlier, _ = fit("densenet", PHANTOM_FLASH)
    needs = {"phantom_flash": {"densenet": earlier.path}}
    config = TrainBlock(**THIN, fit=FIT | {"epochs": 1})
    artifact, ctx = fit("densenet", _needs=needs, config=config)
    assert [note.kind for note in ctx.warnings] == ["pretrained_on_phantoms"]
    # One epoch at 3e-3 moves a convolution far less than another random start would.
    first, second = (open_network(a).features.conv0.weight for a in (earlier, artifact))
    assert torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1] > 0.9


def test_of_several_draws_the_one_that_fits_held_back_patients_best_is_kept(studies, fit):
    config = TrainBlock(**THIN, fit=FIT | {"epochs": 1}, draws=3)
    artifact, ctx = fit("densenet", PHANTOM_FLASH, config=config)
    (note,) = (note for note in artifact.notes if note.kind == "draws")
    losses = [float(text) for text in re.findall(r"0\.\d{3}", note.text)]
    kept = int(re.search(r"number (\d)", note.text)[1])
    assert len(losses) == 3
    assert losses[kept - 1] == min(losses)
    assert sorted(path.name for path in artifact.path.iterdir() if path.is_dir()) == []
    view, _ = _tested(studies)
    assert np.isfinite(predict(artifact, view, ScoringBlock(), ctx).scores["septal_flash"]).all()


def test_a_local_file_of_weights_stands_in_for_the_phantoms(fit, tmp_path):
    torch.manual_seed(3)
    theirs = FlashDenseNet(1000, width_mult=THIN["width_mult"])
    ModelArtifact(tmp_path).save_network(theirs, "radimagenet.safetensors")
    needs = {"phantom_flash": {"*": tmp_path / "radimagenet.safetensors"}}
    artifact, _ = fit("densenet", _needs=needs, config=TrainBlock(**THIN, fit=FIT | {"epochs": 1}))
    assert any("radimagenet.safetensors" in note for note in map(str, artifact.notes))
    own = open_network(artifact).features.conv0.weight
    summed = theirs.features.conv0.weight.sum(dim=1, keepdim=True)
    assert torch.corrcoef(torch.stack([own.flatten(), summed.flatten()]))[0, 1] > 0.9


def test_pretraining_of_another_width_is_refused_in_words(fit):
    earlier, _ = fit("densenet", PHANTOM_FLASH)
    with pytest.raises(DataError, match=r"train\.width_mult"):
        fit("densenet", _needs={"phantom_flash": {"densenet": earlier.path}},
            config=TrainBlock(width_mult=0.125, stem="one", fit=FIT))  # fmt: skip


def test_copies_of_a_study_whose_original_is_tested_are_not_trained_on(studies):
    features, targets = studies
    without = features.view(features.table.index != "p03-bl")
    kept, labels = known_labels(without, targets, _context("densenet"))
    assert len(kept) == len(labels) == len(features) - 2
    assert "p03-bl" not in set(kept.table["study_id"])


def test_as_published_copies_of_whole_studies_validate_the_network_and_it_is_said(fit):
    paper = TrainBlock(**THIN, fit=FIT, validation_share=0.25, choose_epochs=False)
    artifact, _ = fit("densenet_scratch", config=paper)
    said = next(note for note in map(str, artifact.notes) if "Shifted copies validate" in note)
    # Of 6 studies with flash 2, of 12 without 3, each with its copy.
    assert "(10 pictures of 5 studies)" in said
    assert artifact.best_epoch is not None
    assert artifact.read_json("model.json")["iou_threshold_from"] == "2 validation studies"


def test_validation_is_never_augmented_where_the_core_gives_it(studies, fit):
    held_out, _ = _tested(studies)
    artifact, _ = fit("densenet_scratch", validation=held_out, seed=1)
    assert artifact.best_epoch in range(1, FIT["epochs"] + 1)
    assert not any("Shifted copies" in note for note in map(str, artifact.notes))


@pytest.mark.parametrize("contrast", [1.0, 2.0])
def test_with_even_gain_no_contrast_and_no_offset_reaches_the_network(contrast):
    rng = np.random.default_rng(3)
    plain = rng.uniform(110.0, 140.0, (4, 32, 32)).astype(np.float32)
    darker = 0.6 * plain + 9.0
    mean = plain.mean(axis=0)
    first, second = (
        Pictures(shown, mean, contrast=contrast, even_gain=True).batch(np.arange(4), drawn)
        for shown, drawn in ((plain, None), (darker, np.random.default_rng(0)))
    )
    torch.testing.assert_close(first["inputs"], second["inputs"], rtol=0, atol=1e-4)
    assert first["inputs"].std() > 0.05


def test_without_it_contrast_leaves_the_anatomy_in_what_the_mean_should_have_taken_out():
    """Half the contrast about its own mean: minus half of (picture - its mean) is left."""
    anatomy = np.tile(np.linspace(90.0, 160.0, 32, dtype=np.float32), (1, 32, 1))
    half = 125.0 + 0.5 * (anatomy - 125.0)
    left = Pictures(half, anatomy[0]).batch(np.array([0]), None)["inputs"] * GREY_SD
    np.testing.assert_allclose(left[0, 0].numpy(), -0.5 * (anatomy[0] - 125.0), atol=1e-3)
    evened = Pictures(half, anatomy[0], even_gain=True).batch(np.array([0]), None)["inputs"]
    assert evened.abs().max() < 1e-4


def test_new_patients_are_shown_as_the_network_was(studies, fit):
    view, _ = _tested(studies)
    for even in (False, True):
        config = TrainBlock(**THIN, fit=FIT | {"epochs": 1}, even_gain=even)
        artifact, ctx = fit("densenet_scratch", config=config)
        assert pictures_for(artifact, view, ctx).even_gain is even


def test_contrast_is_drawn_in_training_only_and_the_mean_picture_is_subtracted():
    pictures = np.random.default_rng(0).integers(60, 180, (3, 8, 8)).astype(np.uint8)
    mean = np.full((8, 8), 100, np.float32)
    made = Pictures(pictures, mean, contrast=2.0)
    plain = made.batch(np.arange(3), None)["inputs"]
    np.testing.assert_allclose(plain[:, 0].numpy(), (pictures - 100.0) / GREY_SD, rtol=1e-6)
    spread = [
        made.batch(np.array([0]), np.random.default_rng(seed))["inputs"].std() / plain[0].std()
        for seed in range(40)
    ]
    assert 0.49 < min(spread) < 0.6
    assert 1.5 < max(spread) < 2.01


def test_too_few_studies_of_a_class_are_refused(studies, tmp_path):
    features, targets = studies
    few = features.view(features.table["patient_id"] < "p02")
    with refuses(DataError, "excursion", "no 1", "yes 0"):
        train(few.view([0, 1]), None, targets, THINNEST, _context("excursion", out=tmp_path))


def test_an_artifact_is_data_only(fit):
    artifact, _ = fit("densenet_scratch")
    assert {path.suffix for path in artifact.path.iterdir()} <= {".safetensors", ".json", ".csv"}
    about = json.loads((artifact.path / "model.json").read_text())
    assert about["shown"] == {"picture": "picture", "size": 64}
    assert isinstance(artifact, ModelArtifact)
