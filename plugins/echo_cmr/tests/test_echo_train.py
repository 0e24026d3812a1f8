"""Rows of the findings: fitted on small videos made by code."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cardio_core.api import DataError, ModelArtifact, Targets
from cardio_core.testing import refuses, training_context
from cardio_echo_cmr.findings.config import PredictBlock, TrainBlock
from cardio_echo_cmr.findings.models import recipe_of
from cardio_echo_cmr.findings.predict import predict
from cardio_echo_cmr.findings.tasks import TASKS
from cardio_echo_cmr.findings.train import some_patients, train
from cardio_echo_cmr.networks.clip_network import open_network
from cardio_echo_cmr.networks.examples import grey_of
from cardio_echo_cmr.networks.r2plus1d import R2Plus1D18

from .echo_small_videos import T1_MS, T1_STEP_MS, small_cohort, with_given, with_values

TASK = {task.name: task for task in TASKS}
FIT = {
    "epochs": 24,  # with 12, one random start in four had not learnt it yet
    "batch_size": 4,
    "learning_rate": 4e-3,
    "optimizer": "adamw",
    "schedule": "cosine",
}
SMALL = {"width_mult": 0.0625, "n_frames": 8, "period": 2, "pad": 2}
SMALLEST = TrainBlock(**SMALL, fit=FIT)
FOUR_EPOCHS = TrainBlock(**SMALL, fit=FIT | {"epochs": 4})
ONE_EPOCH = TrainBlock(**SMALL, fit=FIT | {"epochs": 1})


@pytest.fixture(scope="module")
def cohort():
    return small_cohort(28)


@pytest.fixture
def fit(cohort, tmp_path_factory):
    def fitted(task, model, config=ONE_EPOCH, validation=None, data=None, **context):
        features, targets = data or cohort
        ctx = training_context(TASK[task], model, tmp_path_factory.mktemp(model), **context)
        training = features.view(features.table["patient_id"] < "p16")
        return train(training, validation, targets, config, ctx), ctx

    return fitted


def _tested(features):
    return features.view(features.table["patient_id"] >= "p16")


def _scores(fitted, features, target, config=None):
    artifact, ctx = fitted
    return predict(artifact, features, config or PredictBlock(), ctx).scores[target]


def _auc(scores, labels):
    from sklearn.metrics import roc_auc_score

    own = ~np.isnan(scores)
    return roc_auc_score(np.asarray(labels, float)[own], scores[own])


def _weights(artifact):
    return open_network(artifact).state_dict()


def test_a_network_learns_what_only_motion_tells_and_scores_new_videos_of_its_view(fit, cohort):
    fitted = fit("wma", "a4c", SMALLEST)
    tested = _tested(cohort[0])
    found = _scores(fitted, tested, "wma_a4c")
    assert _auc(found, cohort[1].of(tested.table, "wma_a4c")) >= 0.85
    assert np.isnan(found).tolist() == (tested.table["view_given"] != "a4c").tolist()


def test_a_continuous_target_is_learnt_standardised_and_given_in_its_unit(fit, cohort):
    fitted = fit("t1", "plax_value", SMALLEST)
    about = fitted[0].read_json("model.json")
    # Half of the training patients have 80 ms more.
    assert about["scale"] == pytest.approx([T1_MS + T1_STEP_MS / 2, T1_STEP_MS / 2])
    tested = _tested(cohort[0])
    found = _scores(fitted, tested, "t1_ms")
    truth = cohort[1].of(tested.table, "t1_ms").astype(float)
    own = ~np.isnan(found)
    assert np.corrcoef(found[own], truth[own])[0, 1] > 0.8
    assert abs(np.nanmean(found) - truth.mean()) < T1_STEP_MS / 2


def test_a_view_is_fitted_on_the_label_of_its_own_segments(fit, cohort):
    features, targets = cohort
    table = targets.table.assign(wma=1)
    own, _ = fit("wma", "a4c", data=(features, Targets("study", table)))
    assert own.read_json("model.json")["target"] == "wma_a4c"
    with refuses(DataError, "a4c", "0 and 16"):
        fit("wma", "a4c", data=(features, Targets("study", table.assign(wma_a4c=1))))


def test_one_video_of_a_class_is_enough_to_be_fitted_on(fit, cohort):
    features, targets = cohort
    table = targets.table.assign(wma_a4c=[1] + [0] * 27, wma=[0] * 27 + [1])
    artifact, _ = fit("wma", "a4c", data=(features, Targets("study", table)))
    assert any("Fitted on 16 of view A4C" in note for note in map(str, artifact.notes))
    with pytest.raises(DataError, match="found 16 and 0"):
        fit("wma", "lvef", data=(features, Targets("study", table)))


def test_notes_count_views_and_what_was_not_fitted_on(fit, cohort):
    features, targets = cohort
    views = features.table["view_given"].to_numpy(object, copy=True)
    views[:2], views[5] = ["unknown", "other"], "apical long axis"
    table = targets.table.copy()
    table.loc["p03-s", "wma_a4c"] = None
    artifact, _ = fit("wma", "a4c", data=(with_given(features, views), Targets("study", table)))
    assert (
        "Views of 48 training videos: A4C 15, A2C 15, PLAX 15, other 1, unknown 2. "
        "Fitted on 14 of view A4C: 0 are too short and 1 have no label."
    ) in list(map(str, artifact.notes))


def test_paper_clips_leave_out_short_videos_in_training_and_give_them_no_score(fit, cohort):
    features, targets = cohort
    times = features["times"].values.copy()
    short = np.flatnonzero(features.table["view_given"] == "a4c")[[0, 1, 26]]
    times[short, 31:] = np.nan
    paper = TrainBlock(width_mult=0.0625, clip="paper", n_frames=16, period=2, fit=ONE_EPOCH.fit)
    shortened = with_values(features, "times", times)
    fitted = fit("wma", "a4c", paper, data=(shortened, targets))
    assert any(
        "Fitted on 14 of view A4C: 2 are too short" in note for note in map(str, fitted[0].notes)
    )
    found = _scores(fitted, shortened, "wma")
    own = (features.table["view_given"] == "a4c").to_numpy()
    assert set(np.flatnonzero(np.isnan(found) & own)) == set(short)


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(fit):
    first, again, other = (
        _weights(fit("wma", "a4c", seed=seed)[0])["m.fc.weight"] for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_layout_in_memory_changes_no_result_also_where_gradients_are_accumulated(fit):
    # Plain steps: Adam would turn the rounding of a gradient near 0 into a whole step.
    how = {"epochs": 1, "batch_size": 4, "accumulate": 2, "learning_rate": 1e-3, "optimizer": "sgd"}
    plain, laid_out = (
        _weights(fit("wma", "a4c", TrainBlock(**SMALL, fit=how | {"channels_last": last}))[0])
        for last in (False, True)
    )
    for name, value in plain.items():
        torch.testing.assert_close(laid_out[name], value, rtol=1e-3, atol=1e-4)


def test_the_validation_area_chooses_the_epoch(fit, cohort):
    artifact, _ = fit("wma", "a2c", FOUR_EPOCHS, validation=_tested(cohort[0]))
    assert 1 <= artifact.best_epoch <= 4
    rows = (artifact.path / "history.csv").read_text().split()[1:]
    areas = [float(row.split(",")[4]) for row in rows]
    assert areas[artifact.best_epoch - 1] == max(areas)
    assert 0 <= min(areas) <= max(areas) <= 1


def test_a_validation_set_of_one_class_leaves_the_choice_to_the_loss_and_it_is_said(fit, cohort):
    features, _ = cohort
    held = features.view(features.table["patient_id"].isin(["p16", "p18"]))
    artifact, _ = fit("wma", "a2c", validation=held)
    assert any(
        "The loss chose the epoch: the 2 validation videos" in n for n in map(str, artifact.notes)
    )


def test_without_a_validation_video_of_the_view_nothing_is_chosen(fit, cohort):
    held = with_given(_tested(cohort[0]), "plax")
    artifact, _ = fit("wma", "a2c", validation=held)
    assert artifact.best_epoch is None


@pytest.mark.parametrize(("n_classes", "prefix"), [(400, ""), (1, "m.")])
def test_a_network_starts_from_a_local_file_of_weights(fit, tmp_path, n_classes, prefix):
    torch.manual_seed(5)
    theirs = torch.nn.Module()
    parts = R2Plus1D18(n_classes, SMALL["width_mult"])
    theirs.add_module(prefix.rstrip(".") or "module", parts)
    ModelArtifact(tmp_path).save_network(theirs, "theirs.safetensors")
    slow = {
        "weights": str(tmp_path / "theirs.safetensors"),
        "fit": FIT | {"epochs": 1, "learning_rate": 1e-9},
    }
    artifact, _ = fit("wma", "a4c", TrainBlock(**SMALL, **slow))
    own = _weights(artifact)
    torch.testing.assert_close(own["m.stem.0.weight"], parts.stem[0].weight.detach())
    same_head = n_classes == 1
    assert same_head == torch.allclose(own["m.fc.weight"], parts.fc.weight[:1], atol=1e-6)
    said = "its last layer too" if same_head else "its last layer is new"
    assert any("theirs.safetensors" in note and said in note for note in map(str, artifact.notes))


def test_a_network_from_random_weights_says_so(fit):
    assert [note.kind for note in fit("wma", "a4c")[1].warnings] == ["not_pretrained"]


def test_fewer_patients_are_among_more_and_have_the_finding_as_often(cohort):
    features, targets = cohort
    chosen = {}
    for n_patients in (4, 10, 20, 99):
        for model in ("a4c", "lvef"):
            ctx = training_context(TASK["wma"], model)
            few = some_patients(features, targets, n_patients, ctx)
            sick = targets.of(few.table, "wma").astype(int)
            assert len(few) == 3 * min(n_patients, 28)
            assert sick.mean() == 0.5
            chosen.setdefault(n_patients, set(few.table["patient_id"]))
            assert chosen[n_patients] == set(few.table["patient_id"])
    assert chosen[4] < chosen[10] < chosen[20] < chosen[99]
    other = some_patients(features, targets, 10, training_context(TASK["wma"], "a4c", seed=1))
    assert set(other.table["patient_id"]) != chosen[10]


def test_a_model_is_fitted_on_fewer_patients_where_that_is_asked_for(fit):
    few = TrainBlock(**SMALL, fit=FIT | {"epochs": 1}, max_patients=6)
    assert "wma: fitted on 6 studies, 0 not measured." in list(
        map(str, fit("wma", "lvef", few)[0].notes)
    )
    assert any(
        "Fitted on 6 of view A4C" in note for note in map(str, fit("wma", "a4c", few)[0].notes)
    )


def test_an_artifact_is_data_only(fit):
    artifact, _ = fit("wma", "plax")
    assert {path.suffix for path in artifact.path.iterdir()} == {".safetensors", ".json", ".csv"}


def test_mean_and_sd_are_those_of_recorded_pixels(cohort):
    features = cohort[0].view(np.arange(12))
    grey = grey_of(features)
    recorded = features["video"].values[:][:, :48]
    assert grey.mean == pytest.approx(recorded.mean())
    assert grey.sd == pytest.approx(recorded.std())


@pytest.mark.parametrize(("model", "perfect"), [("lvef", True), ("age_sex", False)])
def test_baselines_rank_new_studies_by_what_was_measured(fit, cohort, model, perfect):
    fitted = fit("wma", model)
    tested = _tested(cohort[0])
    found = _scores(fitted, tested, "wma")
    assert not np.isnan(found).any()
    # LVEF parts the classes of these patients; age and sex were dealt out without regard to them.
    assert (_auc(found, cohort[1].of(tested.table, "wma")) == 1.0) == perfect


def test_a_linear_baseline_is_least_squares_over_studies_and_not_over_videos(fit, cohort):
    features, targets = cohort
    # Some studies have one video, others three: least squares over videos would differ.
    several = features.view(
        (features.table["view_given"] == "a4c") | (features.table.index < "p08")
    )
    fitted = fit("t1", "lvef", data=(several, targets))
    lvef = features["clinical"].values[:, 0].astype(float)
    first = (features.table["view_given"] == "a4c") & (features.table["patient_id"] < "p16")
    truth = targets.of(features.table, "t1_ms").astype(float)
    slope, intercept = np.polyfit(lvef[first], truth[first], 1)
    found = _scores(fitted, features, "t1_ms")
    np.testing.assert_allclose(found, intercept + slope * lvef, rtol=1e-5)


def test_a_study_without_the_measurement_is_neither_fitted_on_nor_scored(fit, cohort):
    features, targets = cohort
    measured = features["clinical"].values.copy()
    measured[:3, 0] = measured[-3:, 0] = np.nan
    changed = with_values(features, "clinical", measured)
    fitted = fit("wma", "lvef", data=(changed, targets))
    assert "wma: fitted on 15 studies, 1 not measured." in list(map(str, fitted[0].notes))
    assert np.isnan(_scores(fitted, changed, "wma")).nonzero()[0].tolist() == [0, 1, 2, 81, 82, 83]


def test_a_baseline_that_nobody_was_measured_for_is_refused_in_words(fit, cohort):
    features, targets = cohort
    none = with_values(features, "clinical", np.full_like(features["clinical"].values, np.nan))
    with refuses(DataError, "age_y", "sex_male", "0 and 0"):
        fit("wma", "age_sex", data=(none, targets))


def test_every_model_of_every_task_has_its_kind():
    kinds = {
        (
            recipe_of(training_context(task, model.name)).kind,
            recipe_of(training_context(task, model.name)).view,
        )
        for task in TASKS
        for model in task.models
        if not model.fuses
    }
    networks = {("network", view) for view in ("a4c", "a2c", "plax")}
    assert kinds == networks | {("regression", ""), ("view", "")}
