"""Sets that are calibrated by class: against MAPIE class by class, and by what they promise."""

import math

import numpy as np
import pandas as pd
import pytest

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.conformal import CONFORMAL, calibrate, fit_conformal
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.predictions import Scored

ILL = Target("ill", "binary", ("no", "yes"))
BEATS = Target("beat", "multiclass", ("N", "S", "V"))
EF = Target("ef", "continuous", unit="%")


def frame_of(target, probabilities, truth, **more):
    frame = pd.DataFrame(probabilities, columns=[f"score:{name}" for name in target.classes])
    n = len(frame)
    each = {"subject_id": [f"p{i}" for i in range(n)], "unit_id": range(n), "repeat": 0,
            "fold": [f"f{i % 3}" for i in range(n)], "model": "a"}  # fmt: skip
    return frame.assign(y_true=list(truth), **(each | more))


def patients(n, seed, *, ill=0.15, apart=1.5, target=ILL):
    """Patients of whom few are ill, and probabilities that are right about themselves."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < ill
    x = rng.normal(0, 1, n) + apart * truth
    p = 1 / (1 + np.exp(-(np.log(ill / (1 - ill)) + apart * x - apart**2 / 2)))
    return frame_of(target, np.column_stack([1 - p, p]), np.where(truth, "yes", "no"))


def judged(frame, target=ILL):
    task = Task("t", "t", "patient", (target,), (Model("a", "a"),))
    return calibrate(Scored({target.name: frame}), task, EvaluateBlock(n_resamples=100))


def values(calibrated):
    return {(m.estimate.name, m.scope.class_name): m.estimate for m in calibrated.metrics}


@pytest.mark.parametrize(("n", "alpha"), [(120, 0.1), (90, 0.2)])
def test_each_class_is_held_as_mapie_holds_it_when_shown_that_class_alone(n, alpha):
    from mapie.classification import SplitConformalClassifier
    from sklearn.base import BaseEstimator, ClassifierMixin

    classes = np.array(BEATS.classes)

    class Shown(ClassifierMixin, BaseEstimator):
        classes_ = classes

        def __sklearn_is_fitted__(self):
            return True

        def predict_proba(self, features):
            return np.asarray(features)

        def predict(self, features):
            return classes[np.asarray(features).argmax(axis=1)]

    rng = np.random.default_rng(n)
    codes = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    odds = np.exp(rng.normal(0, 1, (n + 200, 3)))
    odds[:n] *= 1 + 2 * np.eye(3)[codes]
    p = odds / odds.sum(axis=1, keepdims=True)
    rule = fit_conformal(frame_of(BEATS, p[:n], classes[codes]), BEATS, alpha=alpha, by_class=True)
    sets = rule.sets(p[n:])
    for k in range(3):
        oracle = SplitConformalClassifier(
            Shown(), confidence_level=1 - alpha, conformity_score="lac", prefit=True
        )
        oracle.conformalize(p[:n][codes == k], classes[codes[codes == k]])
        _, held = oracle.predict_set(p[n:])
        np.testing.assert_array_equal(sets[:, k], held[:, k, 0])
        assert 0 < sets[:, k].mean() < 1


def test_the_ill_are_covered_as_often_as_the_healthy_where_they_were_not():
    # Sets calibrated on all together cover on average: mostly the healthy, of whom there are more.
    by_class, together = [], []
    for seed in range(16):
        frame = patients(300, seed)
        new = patients(400, seed + 1000)
        is_ill = (new["y_true"] == "yes").to_numpy()
        for found, own in ((by_class, True), (together, False)):
            rule = fit_conformal(frame, ILL, alpha=0.1, by_class=own)
            held = rule.sets(new["score:yes"])[np.arange(len(new)), is_ill.astype(int)]
            found.append((held[is_ill].mean(), held.mean()))
    # some 45 ill patients are calibrated on: coverage is between .9 and .9 + 1/46 on average
    assert np.mean(by_class, axis=0) == pytest.approx([0.91, 0.905], abs=0.03)
    ill, everybody = np.mean(together, axis=0)
    assert ill < 0.75
    assert everybody == pytest.approx(0.9, abs=0.02)


def test_the_quantile_of_a_class_is_the_order_statistic_of_its_own_patients():
    p = np.r_[np.linspace(0.02, 0.4, 20), np.linspace(0.3, 0.93, 10)]
    truth = ["no"] * 20 + ["yes"] * 10
    rule = fit_conformal(
        frame_of(ILL, np.column_stack([1 - p, p]), truth), ILL, alpha=0.1, by_class=True
    )
    # ceil(21 x .9) = 19th of 20 healthy by p, ceil(11 x .9) = 10th of 10 ill by 1 - p
    assert rule.class_quantiles == pytest.approx((0.38, 0.7))
    assert rule.class_patients == (20, 10)
    assert rule.sets([0.2, 0.34, 0.5]).tolist() == [[True, False], [True, True], [False, True]]


@pytest.mark.parametrize(("n_ill", "held"), [(8, ("yes",)), (9, ()), (1, ("yes",)), (0, ("yes",))])
def test_a_class_with_too_few_patients_is_in_every_set_and_the_rule_says_so(n_ill, held):
    frame = patients(120, 3)
    healthy, ill = (frame[frame["y_true"] == name] for name in ("no", "yes"))
    rule = fit_conformal(pd.concat([healthy, ill[:n_ill]]), ILL, alpha=0.1, by_class=True)
    assert rule.always_held == held
    assert rule.learns
    assert rule.sets([0.0])[0, 1] == bool(held)
    said = f"Patients with “yes” ({n_ill}) are too few for alpha = 0.1, which needs at least 9"
    assert rule.note.startswith(said if held else "")
    assert bool(rule.note) == bool(held)


def test_patients_too_few_in_every_class_calibrate_nothing_and_the_page_says_why():
    frame = patients(300, 4)
    few = pd.concat([frame[frame["y_true"] == name][:8] for name in ("no", "yes")])
    calibrated = judged(few)
    assert calibrated.rules == {}
    (note,) = calibrated.notes
    assert "the patients of each class, “no” (8) and “yes” (8), are too few" in note.text


def test_coverage_of_each_class_stands_beside_that_of_all_and_of_sets_of_all_together():
    found = values(judged(patients(600, 5)))
    own = found[("conformal_coverage", "yes")]
    pooled = found[("conformal_coverage_pooled", "yes")]
    assert pooled.high < own.low < 0.9 < own.high
    assert found[("conformal_coverage_pooled", None)].value == pytest.approx(0.9, abs=0.03)
    assert own.n + found[("conformal_coverage", "no")].n == 600
    assert "each class of the other folds" in own.method


def test_a_class_that_is_always_held_has_no_coverage_of_its_own_and_a_note():
    frame = patients(200, 6)
    ill = frame[frame["y_true"] == "yes"]
    calibrated = judged(frame.drop(ill.index[6:]))
    assert ("conformal_coverage", "yes") not in values(calibrated)
    assert ("conformal_coverage", "no") in values(calibrated)
    assert any("“yes” (6) are too few" in note for note in map(str, calibrated.notes))


def test_a_class_too_small_outside_one_fold_is_not_judged_and_the_note_says_so():
    frame = patients(200, 6)
    ill = frame[frame["y_true"] == "yes"]
    calibrated = judged(frame.drop(ill.index[10:]))
    assert not {("conformal_coverage", "yes"), ("conformal_coverage", None)} & set(
        values(calibrated)
    )
    assert ("conformal_coverage", "no") in values(calibrated)
    assert calibrated.rules[("a", "ill")].always_held == ()
    (note,) = calibrated.notes
    assert "is not given for “yes”, nor for all" in note.text


def test_empty_sets_and_sets_of_several_are_counted():
    # ranks 18 of 19: healthy up to .30, ill from .60; between them nobody is covered
    p = np.r_[np.linspace(0.13, 0.30, 18), 0.45, 0.55, np.linspace(0.60, 0.77, 18)]
    truth = ["no"] * 19 + ["yes"] * 19
    frame = frame_of(ILL, np.column_stack([1 - p, p]), truth, fold="f0")
    found = values(judged(frame))
    assert found[("empty_sets", None)].value == pytest.approx(2 / 38)
    assert found[("sets_of_several", None)].value == 0
    assert found[("sets_of_several", None)].high > 0.05
    # now the healthy lie higher: all but the lowest and the highest patient keep both
    overlapping = frame.assign(y_true=frame["y_true"].iloc[::-1].to_numpy())
    assert values(judged(overlapping))[("sets_of_several", None)].value == 36 / 38


def test_a_patient_of_two_classes_counts_in_both_by_the_worst_row_of_each():
    p = np.array([0.1, 0.3, 0.9, 0.6] * 10)
    frame = frame_of(ILL, np.column_stack([1 - p, p]), ["no", "no", "yes", "yes"] * 10,
                     subject_id=[f"p{i // 4}" for i in range(40)])  # fmt: skip
    rule = fit_conformal(frame, ILL, alpha=0.1, by_class=True)
    assert rule.class_patients == (10, 10)
    assert rule.class_quantiles == pytest.approx((0.3, 0.4))


def test_repeats_share_a_patients_weight_and_do_not_make_more_patients():
    one = patients(60, 8, ill=0.4)
    same = pd.concat([one, one.assign(repeat=1)])
    assert fit_conformal(same, ILL, by_class=True) == fit_conformal(one, ILL, by_class=True)
    # repeats that differ: the quantile lies between theirs, and is not that of the worst
    other = patients(60, 9, ill=0.4)
    p = 0.5 + 0.2 * (one["score:yes"] - 0.5)
    worse = one.assign(**{"score:yes": p, "score:no": 1 - p, "repeat": 1})
    first, second, both = (
        fit_conformal(frame, ILL).quantile for frame in (one, worse, pd.concat([one, worse]))
    )
    assert min(first, second) < both < max(first, second)
    assert len(other) == 60


def test_coverage_over_repeats_has_the_interval_of_the_patients():
    one = patients(90, 10, ill=0.4)
    folds = [f"g{i % 3}" for i in np.random.default_rng(0).permutation(90)]
    found = values(judged(pd.concat([one, one.assign(repeat=1, fold=folds)])))
    assert found[("conformal_coverage", None)].n == 90
    alone = values(judged(one))[("conformal_coverage", None)]
    both = found[("conformal_coverage", None)]
    assert both.high - both.low == pytest.approx(alone.high - alone.low, abs=0.03)


def test_a_number_has_one_interval_whatever_is_asked():
    truth = np.linspace(30, 70, 40)
    frame = pd.DataFrame({"subject_id": range(40), "y_true": truth, "score": truth + 1})
    assert fit_conformal(frame, EF, by_class=True) == fit_conformal(frame, EF)


def test_rules_by_class_come_back_from_their_file(tmp_path):
    frame = patients(120, 3)
    few = frame.drop(frame.index[frame["y_true"] == "yes"][4:])
    rule = fit_conformal(few, ILL, by_class=True)
    CONFORMAL.write(tmp_path / "rule.json", rule)
    assert CONFORMAL.read(tmp_path / "rule.json") == rule
    assert math.isinf(rule.class_quantiles[1])
