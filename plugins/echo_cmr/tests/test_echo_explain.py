"""Explaining: who is drawn, what occluding a planted segment shows, and what is handed on."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from cardio_core.api import Context, ModelArtifact, Predictions
from cardio_core.testing import drawn_svg, training_context
from cardio_echo_cmr.clips import ClipForm, segments_of
from cardio_echo_cmr.findings.config import ExplainBlock
from cardio_echo_cmr.findings.explain import NO_VIDEO, Explained, explain, explained_videos, surest
from cardio_echo_cmr.findings.tasks import TASKS
from cardio_echo_cmr.networks.clip_network import ClipNetwork, write_about
from cardio_echo_cmr.networks.examples import Grey

from .echo_small_videos import small_cohort

TASK = {task.name: task for task in TASKS}
N_PATIENTS, SIDE, N_FRAMES = 6, 32, 16
A4C = (3, 6, 9, 12, 14, 16, 17)


@pytest.fixture(scope="module")
def features():
    return small_cohort(N_PATIENTS)[0]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The function that writes a network of random weights as one model's artifact."""

    def make(view="a4c", scale=None, target="wma_a4c", least_view=0.8):
        torch.manual_seed(0)
        network = ClipNetwork(1 / 16).eval()
        # A start of 0.01 would leave every output alike.
        nn.init.normal_(network.m.fc.weight)
        artifact = ModelArtifact(tmp_path_factory.mktemp("model"))
        artifact.save_network(network)
        write_about(
            artifact, width_mult=1 / 16, form=ClipForm("honest", N_FRAMES, 2), grey=Grey(60, 40),
            side=SIDE, view=view, least_view=least_view, target=target, scale=scale,
        )  # fmt: skip
        return artifact

    return make


def said_of(features, target, ctx):
    """Predictions of all studies: the later the patient, the surer of the finding."""
    studies = tuple(dict.fromkeys(features.table["study_id"]))
    return Predictions(studies, {target: np.linspace(0.05, 0.95, len(studies))}, "study")


@pytest.fixture(scope="module")
def made(features, fitted):
    """A fold of model a4c, explained with one control."""
    ctx = training_context(TASK["wma"], "a4c")
    found = said_of(features, "wma_a4c", ctx)
    return explain(fitted(), features, found, ExplainBlock(n_cases=2, n_random=1), ctx)


class Texture(nn.Module):
    """A network whose logit is the contrast of a clip within one place."""

    def __init__(self, place):
        super().__init__()
        self.place = torch.from_numpy(place)

    def forward(self, inputs):
        return inputs["clip"][:, 0, :, self.place].std(dim=2).mean(dim=1)


def test_occluding_the_segment_that_a_network_looks_at_alone_takes_its_evidence(features, fitted):
    ctx = training_context(TASK["wma"], "a4c")
    explained = explained_videos(fitted(), features, ctx)
    side = 112
    segments = segments_of("a4c", side)
    rng = np.random.default_rng(0)
    speckle = np.clip(rng.rayleigh(50, (N_PATIENTS, 40, side, side)), 1, 255).astype(np.uint8)
    clips = replace(
        explained.clips, videos=speckle, times_ms=np.tile(np.arange(40) * 20.0, (N_PATIENTS, 1))
    )
    planted = segments.numbers.index(9)
    others = np.delete(segments.masks, planted, axis=0).max(axis=0)
    # What no other segment's mask reaches.
    place = (segments.labels == 9) & (others == 0)
    assert place.sum() > 20
    network = Texture(place)
    shown = Explained(explained.features, clips, network, segments, 1.0, "logit")
    outputs = shown.outputs(ctx)
    drops = outputs[:, :1] - outputs[:, 1:]
    assert (outputs[:, 0] > 0.2).all()
    # Nearly all contrast goes with the planted segment, and none with another one.
    assert (drops[:, planted] > 0.9 * outputs[:, 0]).all()
    np.testing.assert_allclose(np.delete(drops, planted, axis=1), 0, atol=1e-6)


def test_drops_are_in_the_unit_of_a_value(features, fitted):
    artifact = fitted(scale=(1000.0, 50.0), target="t1_ms")
    ctx = training_context(TASK["t1"], "a4c_value")
    explained = explained_videos(artifact, features, ctx)
    assert explained.unit == "ms"
    plain = explained_videos(fitted(), features, training_context(TASK["wma"], "a4c"))
    np.testing.assert_allclose(explained.outputs(ctx), 50 * plain.outputs(ctx), rtol=1e-5)


def test_the_surest_studies_are_drawn_by_prediction_and_their_video_by_its_own_output():
    scores = np.array([0.9, 0.9, 0.2, 0.2, 0.5, np.nan])
    outputs = np.array([1.0, 3.0, -5.0, 2.0, 9.0, 99.0])
    assert surest(scores, outputs, list("aabbcd"), 1) == {1: "for", 2: "against"}
    # Nobody is drawn twice, for and against.
    assert surest(scores[:2], outputs[:2], list("aa"), 3) == {}
    assert surest(scores, outputs, list("aabbcd"), 0) == {}


def test_a_fold_draws_its_surest_and_hands_the_segments_of_all_videos_on(made):
    drawn = [case.sample_id for case in made.cases]
    assert drawn == ["p05-a4c", "p04-a4c", "p00-a4c", "p01-a4c"]
    assert "for a wall motion abnormality, probability 0.95" in made.cases[0].title
    assert "against a wall motion abnormality, probability 0.05" in made.cases[2].title
    first = made.cases[0]
    assert not any(case.tested for case in made.cases[1:])
    seen = {(row["sample_id"], row["method"], row["segment"]) for row in first.tested}
    videos = [f"p{n:02d}-a4c" for n in range(N_PATIENTS)]
    methods = ("occlusion", "grad_cam_pp", "area", "random_weights")
    assert seen == {(v, m, s) for v in videos for m in methods for s in A4C}
    assert len(seen) == len(first.tested)
    assert {row["study_id"] for row in first.tested} == {f"p{n:02d}-s" for n in range(6)}
    by = {row["segment"]: row["value"] for row in first.tested
          if row["sample_id"] == "p05-a4c" and row["method"] == "occlusion"}  # fmt: skip
    for number in A4C:
        assert by[number] == pytest.approx(first.scores[f"drop:{number:02d}"], abs=1e-6)


def test_a_case_keeps_its_heat_at_the_networks_resolution_and_draws_it(made):
    for case in made.cases:
        assert case.arrays["heat"].shape == (2, 2, 2)
        assert 0 <= case.arrays["heat"].min() <= case.arrays["heat"].max() <= 1
        assert case.arrays["drops"].shape == (7,)
        assert all(np.isfinite(value) for value in case.scores.values())
    drawn = drawn_svg(made.cases[0].draw)
    assert "17 apex" in drawn
    assert "ms from the first frame" in drawn


def test_the_overlay_of_a_case_is_a_webm_of_the_recorded_frames_of_its_clip(made, tmp_path):
    path = tmp_path / "case.webm"
    path.write_bytes(made.cases[0].video())
    film = cv2.VideoCapture(str(path))
    n = 0
    while film.read()[0]:
        n += 1
    # 48 frames at 50 a second end at 940 ms; of 16 clip frames every 66.7 ms the last is later.
    assert (n, film.get(cv2.CAP_PROP_FRAME_WIDTH)) == (15, 336)
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(15, abs=0.1)


def test_a_user_can_do_without_overlays(features, fitted):
    ctx = training_context(TASK["wma"], "a4c")
    found = said_of(features, "wma_a4c", ctx)
    quiet = explain(fitted(), features, found, ExplainBlock(n_cases=1, video=False), ctx)
    assert all(case.video is None for case in quiet.cases)


def test_without_a_codec_the_report_says_that_overlays_are_missing(features, fitted, monkeypatch):
    ctx = training_context(TASK["wma"], "a4c")
    monkeypatch.setattr("cardio_echo_cmr.findings.explain.webm_codec", lambda: None)
    found = said_of(features, "wma_a4c", ctx)
    made = explain(fitted(), features, found, ExplainBlock(n_cases=1), ctx)
    assert made.rule.endswith(NO_VIDEO)
    assert all(case.video is None and case.draw is not None for case in made.cases)


def test_where_no_cmr_labels_segments_only_the_drawn_are_occluded(features, fitted):
    ctx = training_context(TASK["t1"], "a4c")
    found = said_of(features, "t1_high", ctx)
    made = explain(fitted(target="t1_high"), features, found, ExplainBlock(n_cases=1), ctx)
    assert len(made.cases) == 2
    assert not any(case.tested for case in made.cases)
    assert len([name for name in made.cases[0].scores if name.startswith("drop:")]) == 7


def test_segments_are_handed_on_where_nobody_is_drawn_and_nothing_where_occlusion_is_off(
    features, fitted
):
    ctx = training_context(TASK["wma"], "a4c")
    found = said_of(features, "wma_a4c", ctx)
    none = explain(fitted(), features, found, ExplainBlock(n_cases=0), ctx)
    assert [len(case.tested) for case in none.cases] == [3 * 7 * N_PATIENTS]
    off = explain(fitted(), features, found, ExplainBlock(n_cases=1, occlusion=False), ctx)
    assert not any(case.tested for case in off.cases)
    assert not [name for name in off.cases[0].scores if name.startswith("drop:")]


@pytest.mark.parametrize("model", ["lvef", "age_sex"])
def test_models_that_are_no_networks_explain_nothing(features, fitted, model):
    ctx = training_context(TASK["wma"], model)
    found = said_of(features, "wma", ctx)
    assert explain(fitted(), features, found, ExplainBlock(), ctx).cases == ()


def test_a_fold_without_a_video_of_the_view_explains_nothing(fitted):
    features = small_cohort(2, views=("plax",))[0]
    ctx = training_context(TASK["wma"], "a4c")
    found = said_of(features, "wma_a4c", ctx)
    assert explain(fitted(), features, found, ExplainBlock(), ctx).cases == ()


def test_the_same_fold_explained_twice_gives_the_same(features, fitted, made):
    ctx = training_context(TASK["wma"], "a4c")
    found = said_of(features, "wma_a4c", ctx)
    again = explain(fitted(), features, found, ExplainBlock(n_cases=2, n_random=1), ctx)
    assert again.cases[0].tested == made.cases[0].tested
    np.testing.assert_array_equal(again.cases[0].arrays["heat"], made.cases[0].arrays["heat"])


def test_views_that_were_predicted_count_from_the_probability_on_that_is_asked_for(
    fitted, monkeypatch
):
    features = small_cohort(2, named=False)[0]
    names = features.table["recording_id"]
    own = names.str.endswith("a4c").to_numpy(float)
    found = pd.DataFrame({"score:a4c": 0.6 * own, "score:plax": 0.4 * own}, index=names)
    monkeypatch.setattr(Context, "out_of_fold", lambda self, task: found)
    ctx = training_context(TASK["wma"], "a4c")
    assert explained_videos(fitted(), features, ctx) is None
    shown = explained_videos(fitted(least_view=0.6), features, ctx)
    assert list(shown.features.table.index) == ["p00-a4c", "p01-a4c"]
