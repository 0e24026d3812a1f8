"""Views: learnt from single frames, given by the table, or unknown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from cardio_core.api import Context, DataError, Targets
from cardio_core.testing import refuses, training_context
from cardio_echo_cmr.findings import seen_views
from cardio_echo_cmr.findings.config import PredictBlock, TrainBlock
from cardio_echo_cmr.findings.predict import predict
from cardio_echo_cmr.findings.seen_views import counted, view_scores, views_of
from cardio_echo_cmr.findings.tasks import OTHER, TASKS, VIEWS
from cardio_echo_cmr.findings.train import own_videos, train
from cardio_echo_cmr.findings.view_classifier import cross_entropy
from cardio_echo_cmr.networks.examples import Frames, Grey
from cardio_echo_cmr.networks.view_resnet import mean_probability
from cardio_ultrasound import ViewSeen

from .echo_small_videos import small_cohort, with_given

TASK = {task.name: task for task in TASKS}
ALL = (*VIEWS, OTHER)
SMALL = TrainBlock(
    view_width_mult=0.0625,
    view_frames=4,
    fit={"epochs": 6, "batch_size": 8, "learning_rate": 5e-3, "schedule": "cosine"},
)


@pytest.fixture(scope="module")
def cohort():
    features, _ = small_cohort(16, views=ALL, named=False)
    truth = features.table["recording_id"].str.rpartition("-")[2]
    return features, Targets("recording", pd.DataFrame({"view": truth}))


@pytest.fixture(scope="module")
def classifier(cohort, tmp_path_factory):
    features, targets = cohort
    ctx = training_context(TASK["view"], "resnet", tmp_path_factory.mktemp("view"))
    table = targets.table.copy()
    table.iloc[:2] = None
    training = features.view(features.table["patient_id"] < "p10")
    return train(training, None, Targets("recording", table), SMALL, ctx), ctx


@pytest.fixture
def out_of_fold(monkeypatch):
    """Let the task `view` have predicted this table out of the fold."""

    def predicted(table):
        monkeypatch.setattr(Context, "out_of_fold", lambda self, task: table)

    return predicted


def _table(rows):
    columns = [f"score:{name}" for name in ALL]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _findings(mode="fit", **context):
    return training_context(TASK["wma"], "a4c", mode=mode, **context)


def test_the_classifier_tells_the_views_of_new_patients(classifier, cohort):
    features, targets = cohort
    tested = features.view(features.table["patient_id"] >= "p10")
    found = predict(classifier[0], tested, PredictBlock(), classifier[1]).scores["view"]
    np.testing.assert_allclose(found.sum(axis=1), 1)
    named = np.array(ALL)[found.argmax(axis=1)]
    assert np.mean(named == targets.of(tested.table, "view")) >= 0.95


def test_the_classifier_is_fitted_on_videos_whose_view_is_known(classifier):
    assert "Fitted on videos: a4c 9, a2c 9, plax 10, other 10." in list(
        map(str, classifier[0].notes)
    )


def test_probabilities_do_not_depend_on_who_else_is_scored(classifier, cohort):
    artifact, ctx = classifier
    together = predict(artifact, cohort[0], PredictBlock(), ctx).scores["view"]
    alone = predict(artifact, cohort[0].view([17]), PredictBlock(), ctx).scores["view"]
    np.testing.assert_allclose(alone[0], together[17], atol=1e-6)


def test_videos_of_one_view_only_teach_nothing_and_are_refused(cohort, tmp_path):
    features, targets = cohort
    same = Targets("recording", targets.table.assign(view="a4c"))
    ctx = training_context(TASK["view"], "resnet", tmp_path)
    with refuses(DataError, "task view", "64", "1"):
        train(features, None, same, SMALL, ctx)


def test_named_views_are_taken_and_any_other_word_is_unknown(cohort, out_of_fold):
    out_of_fold(None)
    features = cohort[0].view(np.arange(4))
    given = with_given(features, ["plax", "unknown", "other", "suprasternal"])
    assert views_of(given, _findings()).tolist() == ["plax", "unknown", "other", "unknown"]


def test_the_view_of_a_new_video_does_not_depend_on_whether_another_one_is_named(
    classifier, cohort
):
    features, _ = cohort
    tested = features.view(np.flatnonzero(features.table["patient_id"] >= "p10")[:4])
    ctx = _findings("predict", _needs={"view": {"resnet": classifier[0].path}})
    predicted = views_of(tested, ctx, least_probability=0.5)
    assert (predicted != "unknown").all()
    given = with_given(tested, ["plax", "", "", ""])
    assert views_of(given, ctx, least_probability=0.5).tolist() == ["plax", *predicted[1:]]


def test_a_new_video_says_how_probable_each_view_is_unless_it_is_named(classifier, cohort):
    features, _ = cohort
    tested = with_given(features.view(np.arange(3)), ["plax", "", ""])
    ctx = _findings("predict", _needs={"view": {"resnet": classifier[0].path}})
    found = view_scores(tested, ctx)
    assert found.columns.tolist() == [f"score:{v}" for v in ("a4c", "a2c", "plax", "other")]
    assert found.iloc[0].isna().all()
    np.testing.assert_allclose(found.iloc[1:].sum(axis=1), 1.0, rtol=1e-5)


def test_new_videos_of_a_run_without_the_view_task_are_named_by_the_cores_gate(cohort, monkeypatch):
    features = cohort[0].view(np.arange(5))
    ctx = _findings("predict", _needs={})
    assert views_of(with_given(features, "a2c"), ctx).tolist() == ["a2c"] * 5
    answers = iter(
        [ViewSeen("plax", 0.97, ""), ViewSeen("psax", 0.97, ""), ViewSeen("unknown", 0.6, ""),
         ViewSeen("a4c", 0.79, "")]
    )  # fmt: skip
    monkeypatch.setattr(seen_views, "view_of_frames", lambda frames, mask: next(answers))
    given = with_given(features, ["a2c", "", "", "", ""])
    # Less than the eight tenths that the run asks for is unknown, whatever the gate itself asks.
    assert views_of(given, ctx).tolist() == ["a2c", "plax", "other", "unknown", "unknown"]


def test_views_out_of_the_fold_count_from_a_probability_of_eight_tenths_on(cohort, out_of_fold):
    features = cohort[0].view(np.arange(5))
    names = features.table["recording_id"].tolist()
    rows = {
        names[3]: (0.1, 0.8, 0.1, 0.0),
        names[0]: (0.79, 0.21, 0.0, 0.0),
        names[1]: (0.0, 0.0, 0.0, 1.0),
        names[2]: (0.9, 0.1, 0.0, 0.0),
    }
    # Nobody predicted the fifth, and the order is another.
    out_of_fold(_table(rows))
    found = views_of(features, _findings())
    assert found.tolist() == ["unknown", "other", "a4c", "a2c", "unknown"]
    assert counted(found) == "A4C 1, A2C 1, PLAX 0, other 1, unknown 2"
    assert views_of(features, _findings(), least_probability=0.7)[0] == "a4c"


def test_training_takes_the_probability_that_it_is_told(cohort, out_of_fold):
    features, _ = cohort
    names = features.table["recording_id"]
    sure = {name: (0.6, 0.4, 0.0, 0.0) for name in names if name.endswith("a4c")}
    out_of_fold(_table(sure))
    findings = Targets("study", pd.DataFrame({"wma_a4c": np.arange(16) % 2},
                       index=features.table["study_id"].unique()))  # fmt: skip
    for least, n_known in ((0.6, 16), (0.61, 0)):
        (known, codes), _ = own_videos(
            features, findings, TrainBlock(min_view_probability=least), _findings()
        )
        assert len(known) == len(codes) == n_known


def test_views_of_new_patients_come_from_the_final_classifier(classifier, cohort):
    features, targets = cohort
    tested = features.view(features.table["patient_id"] >= "p10")
    ctx = _findings("predict", _needs={"view": {"resnet": classifier[0].path}})
    found = views_of(tested, ctx)
    sure = found != "unknown"
    assert sure.mean() > 0.5
    assert (found[sure] == targets.of(tested.table, "view")[sure]).mean() >= 0.95
    none = views_of(tested, ctx, least_probability=1.0)
    assert (none == "unknown").mean() > 0.5


def test_frames_are_equally_spaced_from_the_first_to_the_last_recorded_one():
    videos = np.broadcast_to(np.arange(64, dtype=np.uint8)[None, :, None, None], (2, 64, 4, 4))
    shown = Frames(videos, np.array([64, 15]), 8, Grey(0.0, 1.0)).batch(np.array([0, 1]), None)
    assert shown["inputs"][0, :, 0, 0].tolist() == [0, 9, 18, 27, 36, 45, 54, 63]
    assert shown["inputs"][1, :, 0, 0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert "targets" not in shown


def test_in_training_frames_are_shifted_and_brightened_alike_and_never_mirrored():
    videos = np.zeros((1, 8, 50, 50), np.uint8)
    videos[..., 10, 30] = 100
    frames = Frames(videos, np.array([8]), 8, Grey(0.0, 100.0))
    places, gains = set(), []
    for seed in range(150):
        shown = frames.batch(np.array([0]), np.random.default_rng(seed))["inputs"].numpy()[0]
        assert (shown == shown[0]).all()
        places.add(tuple(np.unravel_index(shown[0].argmax(), (50, 50))))
        gains.append(shown[0].max())
    assert places == {(row, column) for row in range(8, 13) for column in range(28, 33)}
    assert 0.8 <= min(gains) < 0.85
    assert 1.2 < max(gains) <= 1.25


def test_the_loss_is_the_mean_over_frames_and_the_score_the_mean_of_their_probabilities():
    logits = torch.log(torch.tensor([[[0.8, 0.2], [0.4, 0.6]]]))
    loss = cross_entropy(logits, {"targets": torch.tensor([0])})
    assert loss.item() == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    np.testing.assert_allclose(mean_probability(logits), [[0.6, 0.4]], rtol=1e-6)
