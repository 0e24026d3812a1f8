"""Models for small cohorts: every lead's waves, random kernels, and what chooses among them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from cardio_core.api import Context, ModelArtifact, Target
from cardio_ecg_transfer.response.classical import (
    WEIGHTS,
    choose,
    fit_estimator,
    penalties,
    rotation,
    score_estimator,
    shrink,
    trees,
)
from cardio_ecg_transfer.response.config import ClassicalBlock
from cardio_ecg_transfer.response.models import CRT_RESPONSE, RECIPES
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs import QrsBounds
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.signal.measurements.wave_table import WAVES, wave_table
from cardio_ecg_transfer.signal.random_kernels import draw_kernels, kernel_features

MS = np.arange(-200, 280) * 2.0
QUICK = ClassicalBlock(n_trees=10, trees=("forest", "extra"))


def bump(centre_ms: float, width_ms: float, height_mv: float) -> np.ndarray:
    return height_mv * np.exp(-0.5 * ((MS - centre_ms) / width_ms) ** 2)


def waves_of(leads_mv: dict[str, np.ndarray]) -> dict[str, float]:
    rows = np.stack([leads_mv.get(lead, bump(0, 9, 1.0)) for lead in STANDARD_LEADS])
    beat = MedianBeat(rows.astype(np.float32), 500.0, 200, STANDARD_LEADS, 9, 0, 0.8, 0 * rows)
    table = wave_table(beat, QrsBounds(-50.0, 60.0))
    return dict(zip((name for name, _ in WAVES), table.tolist(), strict=True))


def test_the_r_prime_of_v1_and_the_broad_s_of_v6_are_in_the_table():
    """What makes a right bundle branch block, drawn by hand."""
    rsr = bump(-30, 5, 0.3) + bump(-5, 6, -0.6) + bump(35, 8, 0.8)
    qrs = bump(-40, 4, -0.2) + bump(-5, 9, 1.2) + bump(40, 8, -0.5) + bump(180, 30, 0.25)
    made = waves_of({"V1": rsr, "V6": qrs})
    found = [made[f"v1_{name}"] for name in ("second_r_mv", "s_mv", "last_mv", "n_waves")]
    assert found == pytest.approx([0.8, 0.6, 0.8, 3], abs=0.05)
    assert made["v6_q_mv"] == pytest.approx(0.2, abs=0.03)
    assert made["v6_last_mv"] == pytest.approx(-0.5, abs=0.05)
    assert made["v6_end_mv"] < -0.1 < 0.1 < made["v1_end_mv"]
    assert made["v6_t_mv"] == pytest.approx(0.25, abs=0.02)
    assert made["ii_second_r_mv"] == 0


def test_a_lead_without_a_value_is_missing_and_the_others_are_measured():
    broken = np.full(MS.size, np.nan)
    made = waves_of({"V3": broken})
    assert all(np.isnan(made[name]) == name.startswith("v3_") for name, _ in WAVES)
    assert np.isnan(waves_of({"V3": 0 * MS})["v3_r_peak_ms"])


def test_kernels_are_what_the_convolution_by_definition_gives():
    beats = np.random.default_rng(3).normal(size=(2, 12, 121))
    kernels = draw_kernels(40, 12, 121, seed=5)
    found = kernel_features(beats, kernels)
    scaled = (beats - beats.mean(axis=2, keepdims=True)) / beats.std(axis=2, keepdims=True)
    column = 0
    for group in kernels:
        for kernel, bias in zip(group.weights.T, group.bias, strict=True):
            taps = np.zeros((12, (group.length - 1) * group.dilation + 1))
            taps[:, :: group.dilation] = kernel.reshape(12, group.length)
            for beat in range(2):
                padded = np.pad(scaled[beat], ((0, 0), (group.padding, group.padding)))
                summed = sum(
                    np.correlate(padded[lead], taps[lead], mode="valid") for lead in range(12)
                )
                assert found[beat, column] == pytest.approx((summed + bias > 0).mean(), abs=0.01)
                assert found[beat, 40 + column] == pytest.approx((summed + bias).max(), abs=1e-4)
            column += 1
    assert column == 40


def test_a_beat_has_the_same_features_alone_scaled_and_without_a_flat_lead():
    beats = np.random.default_rng(4).normal(size=(3, 12, 121))
    kernels = draw_kernels(60, 12, 121, seed=1)
    together = kernel_features(beats, kernels)
    assert (kernel_features(beats[1:2], kernels) == together[1:2]).all()
    np.testing.assert_allclose(kernel_features(beats * 4, kernels), together, atol=1e-4)
    flat, unknown = beats.copy(), beats.copy()
    flat[:, 4], unknown[:, 4, 7] = 0.2, np.nan
    found = kernel_features(flat, kernels)
    assert (kernel_features(unknown, kernels) == found).all()
    assert np.isfinite(found).all() and not (found == together).all()
    other = kernel_features(beats, draw_kernels(60, 12, 121, seed=2))
    assert other.shape == together.shape and not np.allclose(other, together)


def test_what_predicts_strangers_is_chosen_and_one_person_is_never_on_both_sides():
    """Two ids of one person and a random outcome: a neighbour would know him again."""
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 2).astype(str)
    vectors = np.repeat(rng.normal(size=(40, 3)), 2, axis=0)
    outcome = np.repeat(rng.integers(0, 2, 40), 2)
    candidates = {"neighbour": KNeighborsClassifier(1), "share": DummyClassifier()}
    name, _, lost = choose(candidates, vectors, outcome, people, regression=False, seed=0)
    assert name == "share" and lost["neighbour"] > 5 > 1 > lost["share"]
    careless = np.arange(80).astype(str)
    *_, too_good = choose(candidates, vectors, outcome, careless, regression=False, seed=0)
    assert too_good["neighbour"] < lost["neighbour"] / 2
    signal = {"share": DummyClassifier(), "logistic": LogisticRegression()}
    by_first = (vectors[:, 0] > 0).astype(int)
    assert choose(signal, vectors, by_first, people, regression=False, seed=0)[0] == "logistic"


def test_with_nothing_to_choose_by_the_first_is_taken():
    two = {"a": DummyRegressor(), "b": DummyRegressor()}
    assert choose({"a": two["a"]}, np.zeros((4, 1)), np.arange(4.0), np.arange(4).astype(str),
                  regression=True, seed=0) == ("a", 0.0, {})  # fmt: skip
    one_of_a_kind = np.array([0, 0, 0, 1])
    dummies = {"a": DummyClassifier(), "b": DummyClassifier()}
    assert choose(dummies, np.zeros((4, 1)), one_of_a_kind, np.arange(4).astype(str),
                  regression=False, seed=0) == ("a", 0.0, {})  # fmt: skip


def test_rotated_features_have_the_penalty_of_the_features_themselves():
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(1)
    vectors, outcome = rng.normal(size=(30, 100)) * rng.uniform(1, 9, 100), np.arange(30) % 2
    turned, scaled = rotation().fit(vectors), StandardScaler().fit(vectors)
    new = rng.normal(size=(5, 100))
    model = penalties(regression=False)["1.0e-03"].set_params(tol=1e-8)
    rotated = model.fit(turned.transform(vectors), outcome).predict_proba(turned.transform(new))
    plain = model.fit(scaled.transform(vectors), outcome).predict_proba(scaled.transform(new))
    np.testing.assert_allclose(rotated, plain, atol=1e-5)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "continuous"])
@pytest.mark.parametrize("model", ["trees", "kernels"])
def test_they_are_fitted_kept_and_read_for_every_kind_of_outcome(model, kind, tmp_path):
    rng = np.random.default_rng(2)
    classes = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c")}.get(kind, ())
    task = CRT_RESPONSE.predicting(Target("x", kind, classes, "ms" if not classes else ""))
    ctx = Context(task, hook="train", model=model, _out=tmp_path)
    vectors = rng.normal(size=(36, 6))
    outcome = (vectors[:, 0] if not classes else np.arange(36) % len(classes)).astype(np.float32)
    vectors[:, 1] += 5 * outcome
    if model == "trees":
        vectors[::4, 1] = np.nan  # a wave that is not there
    people = np.arange(36).astype(str)
    fit_estimator(vectors, outcome, people, RECIPES[model], QUICK, ctx)
    scores = score_estimator(ModelArtifact(tmp_path), vectors, ctx)
    assert np.isfinite(scores).all()
    chosen = ModelArtifact(tmp_path).read_json("chosen.json")
    assert len(chosen["lost"]) > 1
    assert chosen["lost"][chosen["chosen"]] == min(chosen["lost"].values())
    if model == "trees" and classes:
        assert chosen["shrunk_by"] in WEIGHTS
        assert scores.min() > 0 and scores.max() < 1
    right = scores.argmax(axis=1) if kind == "multiclass" else scores
    assert np.corrcoef(right, outcome)[0, 1] > 0.6


def test_a_shrunk_leaf_is_what_its_patients_and_the_prior_make_of_it():
    rng = np.random.default_rng(6)
    vectors, outcome = rng.normal(size=(60, 2)), np.arange(60) % 3
    forest = ExtraTreesClassifier(7, min_samples_leaf=4, random_state=0).fit(vectors, outcome)
    prior = np.array([0.5, 0.3, 0.2])
    by_hand = []
    for tree in forest.estimators_:  # from the patients themselves: nothing is drawn for a tree
        leaves = tree.apply(vectors)
        counts = np.array([np.bincount(outcome[leaves == leaf], minlength=3) for leaf in leaves])
        by_hand.append((counts + 1.5 * prior) / (counts.sum(axis=1, keepdims=True) + 1.5))
    shrink(forest, prior, 0.5)
    shrink(forest, prior, 1.5, before=0.5)
    np.testing.assert_allclose(forest.predict_proba(vectors), np.mean(by_hand, axis=0), atol=1e-12)


@pytest.mark.parametrize("model", ["forest", "trees"])
def test_no_score_of_a_forest_is_exactly_0_or_1(model, tmp_path):
    ctx = Context(CRT_RESPONSE, hook="train", model=model, _out=tmp_path)
    outcome = np.repeat([0.0, 1.0], (40, 10)).astype(np.float32)
    vectors = outcome[:, None] * 9 + np.random.default_rng(7).normal(size=(50, 3))
    fit_estimator(vectors, outcome, np.arange(50).astype(str), RECIPES[model], QUICK, ctx)
    scores = score_estimator(ModelArtifact(tmp_path), vectors, ctx)
    assert 0 < scores.min() < 0.05 and 0.8 < scores.max() < 1


def test_boosted_trees_are_kept_without_a_pickle(tmp_path):
    ctx = Context(CRT_RESPONSE, hook="train", model="trees", _out=tmp_path)
    vectors, outcome = np.arange(20.0)[:, None], np.repeat([0.0, 1.0], 10).astype(np.float32)
    vectors[3] = np.nan
    only = ClassicalBlock(trees=("boosting",))
    people = np.arange(20).astype(str)
    fit_estimator(vectors, outcome, people, RECIPES["trees"], only, ctx)
    scores = score_estimator(ModelArtifact(tmp_path), vectors, ctx)
    assert scores[outcome == 1].min() > np.delete(scores, 3)[:9].max()


def test_every_kind_of_tree_takes_a_missing_value_for_what_it_is():
    """The value is missing in those with the outcome alone, and tells nothing where it is there."""
    outcome = np.arange(60) % 2
    vectors = np.random.default_rng(5).normal(size=(60, 3))
    vectors[outcome == 1, 2] = np.nan
    for name, tree in trees(ClassicalBlock(n_trees=40), 0, regression=False).items():
        said = tree.fit(vectors[:40], outcome[:40]).predict_proba(vectors[40:])[:, 1]
        assert said[outcome[40:] == 1].min() > said[outcome[40:] == 0].max(), name
