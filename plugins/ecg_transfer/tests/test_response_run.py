"""Whole runs of `crt_response` with other settings than the defaults."""

from __future__ import annotations

import json

import pytest

from cardio_core.testing import run_plugin
from cardio_ecg_transfer.synthetic import synthesize

pytestmark = pytest.mark.usefixtures("blank_figures")

TINY = (
    "protocols.honest.k=2", "inner.k=0", "explain.n_cases=1", "evaluate.n_resamples=100",
    "train.fit.epochs=1", "train.fit.draw=8", "train.classical.n_trees=5",
    "needs.aami_beats.settings={n_synthetic: 10, inner: {k: 0}, train: {fit: {epochs: 1}}}",
)  # fmt: skip


@pytest.fixture(scope="module")
def run_of(tmp_path_factory):
    synthetic = tmp_path_factory.mktemp("made") / "crt"
    synthesize(synthetic, task="crt_response", n_patients=18, seed=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDIO_CACHE", str(tmp_path_factory.mktemp("cache")))
        first = None

        def run(*sets, protocol="honest"):
            nonlocal first
            out = tmp_path_factory.mktemp("runs") / "run"
            uses = any("pretrained" in one or "deep_" in one for one in sets)
            needs = {} if first is None or not uses else {"aami_beats": first / "needs/aami_beats"}
            done = run_plugin("ecg_transfer", "crt_response", synthetic, out, sets=(*TINY, *sets),
                              protocol=protocol, needs_from=needs)  # fmt: skip
            first = first or done
            return done

        yield run


@pytest.mark.parametrize(
    ("models", "settings"),
    [
        pytest.param(
            {"pretrained", "deep_svm", "svm"},
            ("train.response.stem=twelve", "train.response.pooling=mean",
             "train.response.freeze=all"), marks=pytest.mark.slow),
        ({"deep_logistic", "deep_forest"},
         ("train.response.freeze=stem+layer1", "train.response.body_learning_rate=null",
          "train.response.choose_epochs=true", "inner.k=1")),
    ],
)  # fmt: skip
def test_stems_pooling_and_freezing_run_to_the_end(run_of, models, settings):
    run = run_of(f"models=[{','.join(sorted(models))}]", *settings)
    metrics = json.loads((run / "metrics.json").read_text())
    assert {m["model"] for m in metrics if m["name"] == "auc" and m["fold"] is None} == models


def test_a_draw_is_what_it_says_and_rules_keep_their_own_threshold(run_of):
    run = run_of("load.draw=4+3", "models=[lbbb,guideline]", "inner.k=1")
    cohort = json.loads((run / "cohort.json").read_text())
    assert len(cohort["patients"]) == 7
    sources = {m["threshold_source"] for m in json.loads((run / "metrics.json").read_text())}
    assert sources <= {None, "fixed: largest score"}


def test_the_published_split_of_beats_tests_every_beat_once_and_is_stamped(run_of):
    run = run_of("models=[forest]", protocol="paper")
    splits = json.loads((run / "splits.json").read_text())["protocols"]["paper"]
    assert "beats of every patient are in training and test" in splits["declared_overlap"]
    tested = [sample for fold in splits["folds"] for sample in fold["test"]]
    assert len(splits["folds"]) == 5
    assert len(tested) == len(set(tested))
    assert "OPTIMISTIC" in (run / "report.html").read_text().upper()
