"""Conformal sets and intervals: against MAPIE, by simulation, and by what must not matter."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio_core.evaluation.conformal import CONFORMAL, conformal_quantile, fit_conformal
from cardio_core.testing import refuses
from cardio_core.types.info import Target
from cardio_stats.errors import DataError

BINARY = Target("event", "binary", ("no", "yes"))
BEATS = Target("beat", "multiclass", ("N", "S", "V"))
QRS = Target("qrs", "continuous", unit="ms")


def softmax(logits):
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def class_frame(target, scores, truth, subjects=None):
    columns = [f"score:{name}" for name in target.classes]
    frame = pd.DataFrame(np.asarray(scores, float), columns=columns)
    subjects = range(len(frame)) if subjects is None else subjects
    return frame.assign(y_true=list(truth), subject_id=[f"p{i}" for i in subjects])


def number_frame(predicted, truth, subjects=None):
    subjects = range(len(truth)) if subjects is None else subjects
    return pd.DataFrame(
        {"score": predicted, "y_true": truth, "subject_id": [f"p{i}" for i in subjects]}
    )


def beats(rng, n, spread=1.0):
    """Draw truths, and probabilities that know something about them."""
    codes = rng.choice(3, n, p=[0.6, 0.25, 0.15])
    return codes, softmax(rng.normal(0, spread, (n, 3)) + 1.5 * np.eye(3)[codes])


class Given:
    """An estimator that returns the scores it is shown, so that MAPIE calibrates on ours."""

    def __init__(self, classes=None):
        self.classes_ = classes
        self.is_fitted_ = True

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        from sklearn.base import BaseEstimator

        return BaseEstimator().__sklearn_tags__()

    def fit(self, features, y):
        return self

    def predict_proba(self, features):
        return np.asarray(features)

    def predict(self, features):
        return np.asarray(features)[:, 0]


class GivenClass(Given):
    def predict(self, features):
        return self.classes_[np.asarray(features).argmax(axis=1)]


@pytest.mark.parametrize(("n", "alpha"), [(40, 0.1), (57, 0.07), (99, 0.2), (200, 0.05)])
@pytest.mark.parametrize("target", [BINARY, BEATS], ids=lambda target: target.kind)
def test_sets_equal_those_of_mapie_on_the_same_calibration_scores(target, n, alpha):
    from mapie.classification import SplitConformalClassifier

    rng = np.random.default_rng(n)
    k = len(target.classes)
    codes = np.append(np.arange(k), rng.integers(0, k, n - k))
    scores = softmax(rng.normal(0, 1, (n, k)) + np.eye(k)[codes])
    new = softmax(rng.normal(0, 1.5, (300, k)))
    classes = np.array(target.classes)
    oracle = SplitConformalClassifier(
        GivenClass(classes), confidence_level=1 - alpha, conformity_score="lac", prefit=True
    )
    oracle.conformalize(scores, classes[codes])
    _, expected = oracle.predict_set(new)
    rule = fit_conformal(class_frame(target, scores, classes[codes]), target, alpha=alpha)
    np.testing.assert_array_equal(rule.sets(new), expected[:, :, 0])
    assert 0 < rule.sets(new).mean() < 1


@pytest.mark.parametrize(("n", "alpha"), [(40, 0.1), (57, 0.07), (99, 0.2), (200, 0.05)])
def test_intervals_equal_those_of_mapie_on_the_same_calibration_scores(n, alpha):
    from mapie.regression import SplitConformalRegressor

    rng = np.random.default_rng(n)
    predicted = rng.normal(140, 25, n)
    truth = predicted + rng.normal(0, 12, n)
    new = rng.normal(140, 25, 100)
    oracle = SplitConformalRegressor(Given(), confidence_level=1 - alpha, prefit=True)
    oracle.conformalize(predicted[:, np.newaxis], truth)
    _, expected = oracle.predict_interval(new[:, np.newaxis])
    rule = fit_conformal(number_frame(predicted, truth), QRS, alpha=alpha)
    np.testing.assert_allclose(rule.intervals(new), expected[:, :, 0], rtol=1e-12)


@pytest.mark.parametrize(
    ("n", "alpha", "rank"),
    # 20 x 0.55 is 11 and a little more in binary
    [(9, 0.1, 9), (19, 0.45, 11), (19, 0.05, 19), (99, 0.1, 90), (100, 0.1, 91), (3, 0.5, 2)],
)
def test_the_quantile_is_the_order_statistic_of_the_theorem(n, alpha, rank):
    assert conformal_quantile(np.random.default_rng(0).permutation(n) + 1, alpha) == rank


def test_too_few_patients_cover_everything_and_the_rule_says_so():
    rule = fit_conformal(number_frame([1.0] * 8, [2.0] * 8), QRS, alpha=0.1)
    assert rule.quantile == math.inf
    assert "8 patients are too few" in rule.note
    assert "at least 9" in rule.note
    assert rule.intervals([5.0]).tolist() == [[-math.inf, math.inf]]
    enough = fit_conformal(number_frame([1.0] * 9, [2.0] * 9), QRS, alpha=0.1)
    assert enough.quantile == 1.0
    assert enough.note == ""
    sets = fit_conformal(class_frame(BINARY, [[0.1, 0.9]] * 3, ["yes"] * 3), BINARY, alpha=0.1)
    assert sets.sets([0.0, 0.5]).all()
    assert "too few" in sets.note


def test_a_new_patient_is_covered_with_the_probability_of_the_theorem():
    # For n patients without ties, coverage of one more is exactly rank / (n + 1), on average.
    rng = np.random.default_rng(7)
    n, alpha, n_runs, n_new = 30, 0.1, 160, 100
    expected = math.ceil(31 * 0.9) / 31
    covered = []
    for _ in range(n_runs):
        codes, scores = beats(rng, n + n_new)
        truth = np.array(BEATS.classes)[codes]
        frame = class_frame(BEATS, scores, truth)
        rule = fit_conformal(frame[:n], BEATS, alpha=alpha)
        held = rule.sets(scores[n:])[np.arange(n_new), codes[n:]]
        covered.append(held.mean())
    error = np.std(covered) / math.sqrt(n_runs)
    assert np.mean(covered) == pytest.approx(expected, abs=3.5 * error)
    assert error < 0.006


def all_rows_held(rule, predicted, n_rows):
    """Return the share of patients all of whose rows, with a truth of 0, lie in the intervals."""
    low, high = rule.intervals(predicted).T
    return ((low <= 0) & (high >= 0)).reshape(-1, n_rows).all(axis=1).mean()


def test_every_row_of_a_new_patient_is_covered_where_rows_taken_singly_fail():
    rng = np.random.default_rng(11)
    n, n_rows, alpha = 60, 8, 0.2
    subjects = np.repeat(np.arange(n), n_rows)
    by_patient, by_row = [], []
    for _ in range(75):
        offset = rng.normal(0, 1, 2 * n)
        error = np.repeat(offset, n_rows) + rng.normal(0, 1, 2 * n * n_rows)
        here, new = error[: n * n_rows], error[n * n_rows :]
        frame = number_frame(here, np.zeros_like(here), subjects)
        rule = fit_conformal(frame, QRS, alpha=alpha)
        assert rule.n_patients == n
        by_patient.append(all_rows_held(rule, new, n_rows))
        rows = fit_conformal(frame.assign(subject_id=range(len(frame))), QRS, alpha=alpha)
        by_row.append(all_rows_held(rows, new, n_rows))
    assert np.mean(by_patient) == pytest.approx(math.ceil(61 * 0.8) / 61, abs=0.02)
    assert np.mean(by_row) < 0.7


def test_rows_without_truth_or_score_are_dropped_and_counted():
    frame = number_frame([1.0, 2.0, None, 4.0], [0.0, 0.0, 0.0, None])
    rule = fit_conformal(frame, QRS, alpha=0.5)
    assert (rule.n_patients, rule.n_dropped) == (2, 2)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.1, 0.3]))
def test_order_names_and_copies_of_a_patients_rows_do_not_matter(seed, alpha):
    rng = np.random.default_rng(seed)
    codes, scores = beats(rng, 45)
    subjects = rng.integers(0, 25, 45)
    frame = class_frame(BEATS, scores, np.array(BEATS.classes)[codes], subjects)
    rule = fit_conformal(frame, BEATS, alpha=alpha)
    shuffled = frame.sample(frac=1, random_state=seed)
    renamed = frame.assign(subject_id=frame["subject_id"].map(lambda name: f"x{name}"))
    doubled = pd.concat([frame, frame[frame["subject_id"] == frame["subject_id"].iloc[0]]])
    for same in (shuffled, renamed, doubled):
        assert fit_conformal(same, BEATS, alpha=alpha) == rule


def test_a_smaller_alpha_never_takes_a_class_away():
    rng = np.random.default_rng(5)
    codes, scores = beats(rng, 120)
    frame = class_frame(BEATS, scores, np.array(BEATS.classes)[codes])
    new = softmax(rng.normal(0, 1, (50, 3)))
    strict, loose = (fit_conformal(frame, BEATS, alpha=a).sets(new) for a in (0.3, 0.05))
    assert (loose >= strict).all()
    assert loose.sum() > strict.sum()


def test_intervals_move_and_stretch_with_the_unit():
    rng = np.random.default_rng(2)
    truth, predicted = rng.normal(140, 20, (2, 50))
    in_ms = fit_conformal(number_frame(predicted, truth), QRS).intervals([100.0, 120.0])
    in_s = fit_conformal(number_frame(predicted / 1000, truth / 1000), QRS).intervals([0.1, 0.12])
    np.testing.assert_allclose(in_s * 1000, in_ms)


@pytest.mark.parametrize("n", [5, 50])
def test_a_rule_comes_back_from_its_file_as_it_was(n, tmp_path):
    rng = np.random.default_rng(n)
    codes, scores = beats(rng, n)
    rule = fit_conformal(class_frame(BEATS, scores, np.array(BEATS.classes)[codes]), BEATS)
    CONFORMAL.write(tmp_path / "rule.json", rule)
    assert CONFORMAL.read(tmp_path / "rule.json") == rule


def test_a_rule_with_a_field_missing_is_refused():
    with refuses(DataError, "a.json", "alpha", code="damaged"):
        CONFORMAL.check({"quantile": 0.3}, Path("a.json"))


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
def test_an_alpha_that_is_no_share_is_refused(alpha):
    with refuses(DataError, "conformal alpha", code="out_of_range"):
        fit_conformal(number_frame([1.0, 2.0, 3.0], [0.0] * 3), QRS, alpha=alpha)


def test_one_patient_is_refused_however_many_rows_there_are():
    with refuses(DataError, "conformal calibration", "2", "1", code="too_few"):
        fit_conformal(number_frame([1.0, 2.0, 3.0], [0.0] * 3, [0, 0, 0]), QRS)


def test_what_cannot_be_scored_is_refused_in_one_line():
    frame = class_frame(BINARY, [[0.1, 0.9]] * 3, ["yes", "no", "maybe"])
    with refuses(DataError, "truth of event", "maybe", code="unknown"):
        fit_conformal(frame, BINARY)
    with refuses(DataError, "predictions of event", code="ambiguous"):
        fit_conformal(frame.assign(model=["a", "b", "b"]), BINARY)
    with refuses(DataError, "predictions of event", "score:no", code="missing"):
        fit_conformal(frame.drop(columns="score:no"), BINARY)
    rule = fit_conformal(class_frame(BINARY, [[0.1, 0.9]] * 3, ["yes"] * 3), BINARY)
    for wrong, code in (
        ([[0.1, 0.2, 0.7]], "mismatch"), ([1.2], "out_of_range"), ([math.nan], "out_of_range"),
    ):  # fmt: skip
        with refuses(DataError, "probabilities of event", code=code):
            rule.sets(wrong)
    with refuses(DataError, "prediction intervals of event", code="unsupported"):
        rule.intervals([1.0])
    numbers = fit_conformal(number_frame([1.0, 2.0], [0.0, 0.0]), QRS, alpha=0.5)
    with refuses(DataError, "prediction sets of qrs", code="unsupported"):
        numbers.sets([0.5])
    with refuses(DataError, "prediction intervals of qrs", code="not_a_number"):
        numbers.intervals([math.nan])
