"""Intervals of AUCs: patients against videos as if independent, and how often each covers.

Slow: the simulation of 145 patients with five clips each, a minute on one core. Its stored result
is what `simulated` returned on the date that stands in it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

import cardio_stats as stats
from cardio_core.api import EvaluateBlock
from cardio_echo_cmr.results import (
    PERCENTILE,
    auc_intervals,
    interval_rows,
    width_of,
    width_sentences,
)

from .echo_scored import correlated_scores

STORED = Path(__file__).parent / "stored" / "echo_intervals.json"
AUC = 0.82
N_SIMULATIONS, N_RESAMPLES = 400, 1000
FAST = EvaluateBlock(n_resamples=400)


def _intervals(rows, config=FAST, unit="video", seed=0):
    return {one.name: one for one in auc_intervals(rows, unit, config, seed)[0]}


def _share_of_pairs(y, score):
    """The area by its definition: how often the positive of a pair has the larger score."""
    return (score[y == 1][:, None] > score[y == 0]).mean()


@pytest.mark.parametrize("seed", range(4))
def test_patients_give_a_wider_interval_than_clips_that_share_them(seed):
    rows = correlated_scores(np.random.default_rng(seed))
    found = _intervals(rows)
    iid, clustered = found["auc_video_bootstrap"], found["auc_patient_bootstrap"]
    # Five clips with an intraclass correlation of .8 are worth 5 / (1 + 4 * .8) = 1.2 of one.
    ratio = width_of(clustered) / width_of(iid)
    assert ratio == pytest.approx(np.sqrt(1 + 4 * 0.8), rel=0.2)
    assert (iid.n, clustered.n, clustered.unit) == (725, 145, "patient")
    assert iid.value == clustered.value == pytest.approx(roc_auc_score(rows["y"], rows["score"]))


def test_where_clips_of_a_patient_are_no_more_alike_than_others_the_widths_agree():
    rows = correlated_scores(np.random.default_rng(3), icc=0.0)
    found = _intervals(rows, EvaluateBlock(n_resamples=2000))
    ratio = width_of(found["auc_patient_bootstrap"]) / width_of(found["auc_video_bootstrap"])
    assert ratio == pytest.approx(1.0, abs=0.2)


def test_limits_are_the_central_95_percent_and_not_90():
    rows = correlated_scores(np.random.default_rng(0), n_clips=1)
    found = _intervals(rows, EvaluateBlock(n_resamples=4000), "study")["auc_patient_bootstrap"]
    # scipy resamples rows itself; EchoNet-Dynamic's 5th and 95th percentiles would be narrower.
    y, score = rows["y"].to_numpy(), rows["score"].to_numpy()
    drawn = {"paired": True, "vectorized": False, "n_resamples": 1000, "method": "percentile",
             "rng": np.random.default_rng(1)}  # fmt: skip
    theirs = bootstrap((y, score), _share_of_pairs, confidence_level=0.95, **drawn)
    narrow = np.quantile(theirs.bootstrap_distribution, [0.05, 0.95])
    expected = theirs.confidence_interval
    assert found.low == pytest.approx(expected.low, abs=0.012)
    assert found.high == pytest.approx(expected.high, abs=0.012)
    assert width_of(found) > 1.08 * (narrow[1] - narrow[0])


def test_bca_limits_are_those_of_scipy_where_each_patient_has_one_study():
    rows = correlated_scores(np.random.default_rng(5), n_patients=80, n_clips=1, auc=0.9)
    found = _intervals(rows, EvaluateBlock(n_resamples=4000), "study")
    y, score = rows["y"].to_numpy(), rows["score"].to_numpy()
    theirs = bootstrap(
        (y, score), _share_of_pairs, paired=True, vectorized=False, n_resamples=1500, method="BCa",
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    bca = found["auc_patient_bootstrap_bca"]
    assert (bca.low, bca.high) == pytest.approx((theirs.low, theirs.high), abs=0.015)
    assert bca.low < found["auc_patient_bootstrap"].low


def test_resamples_of_one_class_are_drawn_again():
    rows = correlated_scores(np.random.default_rng(0), n_patients=8, prevalence=0.2)
    rows["y"] = (rows["subject_id"] == "p000").astype(int)
    found = _intervals(rows)["auc_patient_bootstrap"]
    # The only positive patient is missing from (7 / 8) ** 8 = 34 % of the first draws.
    assert found.extra["n_redrawn"] > 0.3 * FAST.n_resamples


def test_too_few_patients_are_a_sentence_and_no_interval():
    rows = correlated_scores(np.random.default_rng(0), n_patients=4, prevalence=0.5)
    rows["y"] = rows["subject_id"].isin(["p000", "p001"]).astype(int)
    found, notes = auc_intervals(rows, "video", FAST, 0)
    assert "auc_patient_bootstrap" not in {one.name for one in found}
    assert any(note.startswith("auc_patient_bootstrap: not computed.") for note in notes)


def test_the_table_gives_widths_beside_what_was_drawn_and_the_note_their_medians():
    rows = correlated_scores(np.random.default_rng(1))
    found, _ = auc_intervals(rows, "video", FAST, 0)
    table = interval_rows(found, rows, "wma_a4c", "a4c", "video")
    assert (table["width"] - (table["high"] - table["low"])).abs().max() < 1e-12
    assert list(table["drawn"]) == ["video", "patient", "patient", "patient"]
    assert set(table["n_rows"]) == {725}
    drawn = [one for one in found if one.name in PERCENTILE]
    [said] = width_sentences(interval_rows(drawn, rows, "wma_a4c", "a4c", "video"))
    assert f"{table['width'].iloc[0]:.3f}" in said
    assert f"{table['width'].iloc[1]:.3f}" in said
    alone = correlated_scores(np.random.default_rng(1), n_clips=1)
    found, _ = auc_intervals(alone, "video", FAST, 0)
    drawn = [one for one in found if one.name in PERCENTILE]
    assert width_sentences(interval_rows(drawn, alone, "wma_a4c", "a4c", "video")) == []


def test_where_patients_are_too_few_to_be_drawn_no_widths_are_compared():
    rows = correlated_scores(np.random.default_rng(0), n_patients=4, prevalence=0.5)
    rows["y"] = rows["subject_id"].isin(["p000", "p001"]).astype(int)
    found, _ = auc_intervals(rows, "video", FAST, 0)
    table = interval_rows(found, rows, "wma_a4c", "a4c", "video")
    assert set(table["drawn"]) >= {"video"}
    drawn = [one for one in found if one.name in PERCENTILE]
    assert width_sentences(interval_rows(drawn, rows, "wma_a4c", "a4c", "video")) == []


def simulated() -> dict[str, float]:
    """Return coverage and mean width of both intervals over the simulated cohorts."""
    inside, width = np.zeros((N_SIMULATIONS, 2)), np.zeros((N_SIMULATIONS, 2))
    for number in range(N_SIMULATIONS):
        rows = correlated_scores(np.random.default_rng([20, number]), auc=AUC)
        for column, clusters in enumerate((None, rows["subject_id"])):
            one = stats.bootstrap_auc(
                rows["y"], rows["score"], patient=clusters, n_resamples=N_RESAMPLES, seed=number
            )
            inside[number, column] = one.low <= AUC <= one.high
            width[number, column] = width_of(one)
    names = ("video", "patient")
    return {
        "n_simulations": N_SIMULATIONS, "n_resamples": N_RESAMPLES, "n_patients": 145,
        "n_clips": 5, "auc": AUC, "intraclass_correlation": 0.8,
        **{f"covered_{name}": float(inside[:, i].mean()) for i, name in enumerate(names)},
        **{f"width_{name}": float(width[:, i].mean()) for i, name in enumerate(names)},
    }  # fmt: skip


def _as_published(found):
    # The method page: videos cover 65 % with a width of .059, patients 93 % with .119.
    assert found["covered_video"] == pytest.approx(0.65, abs=0.05)
    assert found["covered_patient"] == pytest.approx(0.93, abs=0.03)
    assert found["width_video"] == pytest.approx(0.059, abs=0.005)
    assert found["width_patient"] == pytest.approx(0.119, abs=0.008)


def test_the_stored_simulation_covers_as_the_method_page_says():
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    assert stored["n_simulations"] == N_SIMULATIONS
    _as_published(stored)


@pytest.mark.slow
def test_the_simulation_gives_what_is_stored():
    found = simulated()
    _as_published(found)
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    assert {name: stored[name] for name in found} == pytest.approx(found, abs=1e-6)
