"""Decision rules chosen on inner folds."""

import numpy as np
import pandas as pd
import pytest

from cardio_core.evaluation.decision import choose, plain
from cardio_core.types.info import Target

BINARY = Target("event", "binary", ("no", "yes"))
BEATS = Target("beat", "multiclass", ("N", "S", "V", "Q"), unscored=("Q",))


def frame(target, scores):
    return pd.DataFrame(np.asarray(scores, float), columns=[f"score:{c}" for c in target.classes])


def test_a_binary_threshold_has_the_largest_youden_index_of_all_thresholds():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 200)
    p = 1 / (1 + np.exp(-(rng.normal(y * 1.5 - 2, 1))))
    truth = np.where(y == 1, "yes", "no").astype(object)
    rule = choose(BINARY, frame(BINARY, np.column_stack([1 - p, p])), truth)
    youden = [(p[y == 1] >= t).mean() - (p[y == 0] >= t).mean() for t in np.unique(p)]
    got = (p[y == 1] >= rule.threshold).mean() - (p[y == 0] >= rule.threshold).mean()
    assert got == pytest.approx(max(youden))
    assert rule.source == "inner folds"


def test_a_threshold_lies_midway_between_the_scores_that_it_parts():
    scores = [[0.8, 0.2], [0.6, 0.4], [0.4, 0.6], [0.1, 0.9]]  # .4 and .6: opposite log odds
    rule = choose(BINARY, frame(BINARY, scores), np.array(["no", "no", "yes", "yes"], object))
    assert rule.threshold == pytest.approx(0.5)


def test_the_plain_rule_is_one_half_and_says_so():
    rule = plain(BINARY)
    assert rule.threshold == pytest.approx(0.5)
    assert "fixed" in rule.source
    assert list(rule.apply(frame(BINARY, [[0.6, 0.4], [0.4, 0.6]]), BINARY)) == ["no", "yes"]


def test_offsets_undo_a_known_shift_of_one_class():
    rng = np.random.default_rng(0)
    truth = rng.choice(["N", "S", "V"], 3000, p=[0.8, 0.1, 0.1]).astype(object)
    logits = rng.normal(0, 0.7, (3000, 4)) - [0, 0, 0, 8]
    for column, name in enumerate("NSV"):
        logits[truth == name, column] += 3
    logits[:, 1] -= 2.0
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    rule = choose(BEATS, frame(BEATS, scores), truth)
    shift = rule.offsets[1] - np.mean([rule.offsets[0], rule.offsets[2]])
    assert shift == pytest.approx(2.0, abs=0.8)
    assert rule.offsets[3] == 0.0


def test_one_class_in_the_inner_folds_chooses_nothing():
    rule = choose(BINARY, frame(BINARY, [[0.5, 0.5]] * 3), np.array(["no"] * 3, dtype=object))
    assert rule == plain(BINARY)
