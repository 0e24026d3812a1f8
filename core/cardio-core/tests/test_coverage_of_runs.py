"""Conformal rules of a run: which are calibrated, what they cover, and which are not made."""

import numpy as np
import pandas as pd
import pytest

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.conformal import calibrate, fit_conformal
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.predictions import Scored

ILL = Target("ill", "binary", ("no", "yes"))
EF = Target("ef", "continuous", unit="%")
MODELS = (Model("a", "a"),)
PATIENTS = Task("t", "t", "patient", (ILL,), MODELS)
BEATS = Task("b", "b", "event", (ILL,), MODELS, event_tolerance_s=0.1)


def scored(n, *, n_folds=3, seed=0, shift=0.0):
    """Probabilities that are right about themselves; the last fold's may be shifted."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.6, 0.6, n)
    truth = rng.random(n) < p
    fold = np.arange(n) % n_folds
    p = np.where((fold == n_folds - 1) & (shift > 0), np.where(truth, 1 - shift, shift), p)
    return pd.DataFrame(
        {
            "unit_id": [f"p{i}" for i in range(n)],
            "subject_id": [f"p{i}" for i in range(n)],
            "repeat": 0,
            "fold": [f"r0-f{k}" for k in fold],
            "model": "a",
            "y_true": np.where(truth, "yes", "no"),
            "score:no": 1 - p,
            "score:yes": p,
        }
    )


def of(frame, task=PATIENTS, **more):
    target = task.targets[0]
    return calibrate(Scored({target.name: frame}), task, EvaluateBlock(n_resamples=200), **more)


def values(calibrated):
    every = [metric for metric in calibrated.metrics if metric.scope.class_name is None]
    return {metric.estimate.name: metric.estimate for metric in every}


def test_the_rule_of_a_row_is_that_of_all_its_out_of_fold_patients():
    frame = scored(120)
    calibrated = of(frame)
    assert calibrated.rules[("a", "ill")] == fit_conformal(frame, ILL, alpha=0.1, by_class=True)
    assert calibrated.notes == ()


def test_coverage_fold_against_fold_is_about_the_one_asked_for():
    covered = [values(of(scored(150, seed=s)))["conformal_coverage"] for s in range(20)]
    # each is binomial around .9 or a little more: 20 of 150 have a standard error of 0.005
    assert 0.885 < np.mean([c.value for c in covered]) < 0.93
    assert {(c.n, c.unit, c.n_patients) for c in covered} == {(150, "patient", 150)}


def test_a_fold_whose_model_errs_more_shows_in_the_coverage():
    whole, spoilt = (values(of(scored(150, shift=s)))["conformal_coverage"] for s in (0, 0.999))
    assert spoilt.value < 0.75 < whole.value


def test_the_mean_set_size_is_the_mean_number_of_classes_in_the_sets():
    frame = scored(90)
    calibrated = of(frame)
    sets = calibrated.rules[("a", "ill")].sets(frame["score:yes"])
    size = values(calibrated)["mean_set_size"]
    assert size.value == pytest.approx(sets.sum() / 90)
    assert size.low < size.value < size.high


def test_sets_of_one_size_have_no_interval_of_width_zero():
    frame = scored(60).assign(**{"score:no": 0.5, "score:yes": 0.5})
    size = values(of(frame))["mean_set_size"]
    assert (size.value, size.low, size.high) == (2.0, None, None)


def test_a_number_gets_the_half_width_of_its_interval():
    rng = np.random.default_rng(1)
    truth = rng.normal(55, 10, 60)
    frame = scored(60).drop(columns=["score:no", "score:yes"])
    frame = frame.assign(y_true=truth, score=truth + np.linspace(-6, 6, 60))
    calibrated = of(frame, Task("t", "t", "patient", (EF,), MODELS))
    half = values(calibrated)["interval_half_width"]
    # rank ceil(61 * .9) = 55 of 60 absolute errors, each of which occurs twice
    assert half.value == pytest.approx(np.sort(np.abs(np.linspace(-6, 6, 60)))[54])
    assert "%" in half.method


def test_one_fold_gives_a_rule_but_no_coverage():
    calibrated = of(scored(60, n_folds=1))
    assert ("a", "ill") in calibrated.rules
    assert set(values(calibrated)) == {"mean_set_size", "empty_sets", "sets_of_several"}


@pytest.mark.parametrize(
    ("frame", "task", "more", "words"),
    [
        (scored(8), PATIENTS, {}, "8 patients are too few for alpha = 0.1, which needs at least 9"),
        (scored(60), PATIENTS, {"overlap": "two ids of one person"}, "two ids of one person"),
        (scored(60).assign(y_true=["no", None] * 30), BEATS, {}, "match no reference event"),
        (scored(60).assign(unit_id=["x", None] * 30), BEATS, {}, "some events were missed"),
    ],
)
def test_what_cannot_be_calibrated_is_left_out_with_its_reason(frame, task, more, words):
    calibrated = of(frame, task, **more)
    assert (calibrated.rules, calibrated.metrics) == ({}, ())
    assert len(calibrated.notes) == 1
    assert words in calibrated.notes[0].text


def test_beats_that_all_match_are_calibrated_by_patient():
    frame = scored(60).assign(subject_id=[f"p{i // 3}" for i in range(60)])
    assert of(frame, BEATS).rules[("a", "ill")].n_patients == 20
