"""Scores of videos: from the mean of their clips, for the model's own view only."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit, logit

from cardio_core.api import DataError, ModelArtifact
from cardio_core.testing import training_context
from cardio_echo_cmr.clips import ClipForm, scored_starts
from cardio_echo_cmr.findings.config import PredictBlock
from cardio_echo_cmr.findings.predict import predict
from cardio_echo_cmr.findings.tasks import TASKS
from cardio_echo_cmr.networks.clip_network import ClipNetwork, score_videos, write_about
from cardio_echo_cmr.networks.examples import Clips, Grey, clips_of

from .echo_small_videos import SIDE, small_cohort, with_values

TASK = {task.name: task for task in TASKS}
THIN = 0.0625
GREY = Grey(60.0, 40.0)
FORMS = {
    "paper": ClipForm("paper", 8, 2),
    "echonet": ClipForm("echonet", 8, 2, 4),
    "honest": ClipForm("honest", 8, 2, 4),
}


@pytest.fixture(scope="module")
def videos():
    """Twelve videos; two end after 10 frames (200 ms) and one after 31."""
    features, _ = small_cohort(4)
    times = features["times"].values.copy()
    for place, n_frames in ((0, 10), (3, 10), (6, 15)):
        times[place, n_frames:] = np.nan
    return with_values(features, "times", times)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    made = ClipNetwork(THIN)
    torch.nn.init.normal_(made.m.fc.weight, std=2.0)
    return made.eval()


@pytest.fixture
def artifact(network, tmp_path):
    def written(form="honest", scale=None, side=SIDE):
        made = ModelArtifact(tmp_path)
        made.save_network(network)
        write_about(
            made, width_mult=THIN, form=FORMS[form], grey=GREY, side=side, view="a4c",
            least_view=0.8, target="wma_a4c", scale=scale,
        )  # fmt: skip
        return made

    return written


def _context(task="wma", model="a4c", mode="fit"):
    return training_context(TASK[task], model, mode=mode)


def _by_hand(network, videos, place, form):
    """The network's outputs for the clips of one video, one at a time."""
    one = videos.view([place])
    starts = scored_starts(form, one["times"].values[:], 4)[0]
    found = []
    for start in starts:
        clips = clips_of(one, form, GREY, [np.array([start])])
        with torch.inference_mode():
            found.append(network(clips.batch(np.array([0]), None)["inputs"]).item())
    return np.array(found)


@pytest.mark.parametrize(("form", "n_clips"), [("paper", 1), ("echonet", 48 - 14), ("honest", 4)])
def test_a_video_is_scored_by_the_mean_logit_of_its_clips(network, videos, artifact, form, n_clips):
    found = score_videos(artifact(form), videos.view([0, 1]), _context(), n_clips=4, batch_size=5)
    logits = _by_hand(network, videos, 1, FORMS[form])
    assert len(logits) == n_clips
    assert found[1] == pytest.approx(expit(logits.mean()), abs=1e-5)
    if n_clips > 1:
        assert np.ptp(logits) > 0.01


def test_a_value_is_the_mean_of_its_clips_in_the_unit_of_the_target(network, videos, artifact):
    found = score_videos(
        artifact(scale=(1000.0, 50.0)), videos, _context("t1", "a4c_value"), n_clips=4, batch_size=8
    )
    by_hand = _by_hand(network, videos, 4, FORMS["honest"])
    assert found[4] == pytest.approx(1000 + 50 * by_hand.mean(), abs=0.01)


def test_paper_gives_short_videos_no_score_and_the_other_forms_do(videos, artifact):
    none = {}
    some = videos.view([0, 1, 3, 6])
    for form in FORMS:
        found = score_videos(artifact(form), some, _context(), n_clips=4, batch_size=32)
        none[form] = np.isnan(found).tolist()
    # 16 native frames are needed.
    assert none.pop("paper") == [True, False, True, True]
    assert not any(map(any, none.values()))


def test_what_stands_after_a_videos_end_changes_no_honest_score(videos, artifact):
    fitted = artifact()
    changed = videos["video"].values.copy()
    changed[0, 10:] = 255
    before, after = (
        score_videos(fitted, features, _context(), n_clips=4, batch_size=8)[0]
        for features in (videos, with_values(videos, "video", changed))
    )
    assert before == after


def test_all_targets_of_a_model_have_its_score_and_other_views_have_none(videos, artifact):
    found = predict(artifact(), videos, PredictBlock(), _context())
    own = (videos.table["view_given"] == "a4c").to_numpy()
    assert list(found.scores) == ["wma_a4c", "wma"]
    assert found.ids == tuple(videos.table.index)
    for target, scores in found.scores.items():
        assert (np.isnan(scores) == ~own).all()
        np.testing.assert_array_equal(found.columns[f"video:{target}"].values, scores)
        assert found.columns[f"video:{target}"].unit == "1"


def test_a_patient_without_the_view_has_no_score_at_all(videos, artifact):
    others = videos.view(videos.table["view_given"] != "a4c")
    found = predict(artifact(), others, PredictBlock(), _context())
    assert len(found) == 8
    assert np.isnan(found.scores["wma"]).all()


def test_scores_do_not_depend_on_order_batch_or_company(videos, artifact):
    fitted, order = artifact(), np.random.default_rng(0).permutation(12)
    together = predict(fitted, videos, PredictBlock(batch_size=8), _context())
    mixed = predict(fitted, videos.view(order), PredictBlock(batch_size=3), _context())
    alone = predict(fitted, videos.view([3]), PredictBlock(), _context())
    np.testing.assert_allclose(
        logit(mixed.scores["wma"]), logit(together.scores["wma"][order]), atol=1e-5
    )
    assert logit(alone.scores["wma"][0]) == pytest.approx(
        logit(together.scores["wma"][3]), abs=1e-5
    )


def test_videos_of_another_size_are_refused(videos, artifact):
    with pytest.raises(DataError, match=r"expected frames of 112 pixels.*found 32"):
        predict(artifact(side=112), videos, PredictBlock(), _context())


def test_a_training_batch_draws_starts_and_crops_anew_and_a_validation_batch_does_not(videos):
    clips = clips_of(
        videos, FORMS["honest"], GREY, [np.zeros(1)] * 12, np.arange(12, dtype=np.float32)
    )
    chosen = np.array([5, 1])
    drawn = [clips.batch(chosen, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    one, again, other = (batch["inputs"]["clip"] for batch in drawn)
    assert one.shape == (2, 1, 8, SIDE, SIDE)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    still = [clips.batch(chosen, None) for _ in range(2)]
    assert torch.equal(still[0]["inputs"]["clip"], still[1]["inputs"]["clip"])
    assert still[0]["targets"].tolist() == [5, 1]


def test_a_batch_reads_only_the_videos_that_it_needs_and_each_once(videos):
    class Watched:
        def __init__(self):
            self.asked = []

        def __getitem__(self, positions):
            self.asked += list(positions)
            return videos["video"].values[:][positions]

    watched = Watched()
    who, starts = np.repeat(np.arange(12), 4), np.tile(np.arange(4.0), 12)
    clips = Clips(watched, videos["times"].values[:], FORMS["honest"], GREY, who, starts)
    clips.batch(np.arange(8, 14), None)
    assert watched.asked == [2, 3]


def test_paper_clips_are_grey_levels_over_255_and_nothing_is_drawn(videos):
    long = videos.view([1])
    clips = clips_of(long, FORMS["paper"], GREY, [np.zeros(1)])
    found = clips.batch(np.array([0]), np.random.default_rng(0))["inputs"]["clip"][0, 0]
    np.testing.assert_allclose(found, long["video"].values[0][:16:2] / 255, atol=1e-6)
