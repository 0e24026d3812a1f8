"""Fusion weights of awkward scores: always weights or a reason, never the last digits' doing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from cardio_core.evaluation.fusion import SideBySide, UnfittableError, fit_rule, fit_weights, fuse
from cardio_core.testing import refuses
from cardio_core.types.info import Target
from cardio_stats.errors import DataError

TARGET = Target("response", "binary", ("no", "yes"))
NUMBER = Target("t1_ms", "continuous", unit="ms")
N_TESTED = 6

# The standardised columns of two models' log odds and of the second one's absence, and the truth of
# seven tested patients, as a run met them: beyond its absence, the second model tells the patients
# apart by 3e-4.
COLLINEAR = np.array(
    [
        [-0.5147074312127013, -0.40820752824080037, -0.40824829046386296],
        [0.9617688667542506, -0.40835787605375445, -0.40824829046386296],
        [-0.22843829083974512, -0.40827711366975145, -0.40824829046386296],
        [0.7054735725141615, -0.4078922984758337, -0.40824829046386296],
        [-1.198386379128605, -0.40877871112414027, -0.40824829046386296],
        [-1.2388007657083788, 2.4494896558875388, 2.4494897427831783],
        [1.513090427621018, -0.407976128323258, -0.40824829046386296],
    ]
)
OUTCOME = np.array([0.0, 1, 0, 1, 0, 0, 1])


def test_a_score_collinear_with_its_absence_separates_nobody_by_its_last_digits():
    _, weights, _ = fit_weights(
        COLLINEAR[:, :2],
        np.column_stack([np.zeros(7), COLLINEAR[:, 2] > 0]).astype(float),
        OUTCOME, "tested patients", linear=False,
    )  # fmt: skip
    assert abs(weights[1]) * 1e-4 < 1e-4  # log odds, by 1e-4 of a score
    assert weights[0] > 0.5


def frames_of(scores, y, names):
    n = len(y)
    about = {"unit_id": names, "subject_id": names, "level": "patient",
             "y_true": np.where(y == 1, "yes", "no").astype(object)}  # fmt: skip
    return {
        f"m{place}": pd.DataFrame(about | {"score:no": 1 - p, "score:yes": p}, index=range(n))
        for place, p in enumerate(scores)
    }


def fused(scores, y):
    """Return the fused probabilities of the last six patients, or why there are none."""
    names = np.array([f"p{i:02d}" for i in range(len(y))])
    cut = len(y) - N_TESTED
    fitted, tested = slice(0, cut), slice(cut, len(y))
    try:
        found = fuse(
            frames_of([p[fitted] for p in scores], y[fitted], names[fitted]),
            frames_of([p[tested] for p in scores], y[tested], names[tested]),
            TARGET,
        )
    except UnfittableError as error:
        return str(error)
    return found.frame["score:yes"].to_numpy()


def drawn(kind, y, rng, earlier):
    """Return the probabilities of one model."""
    n, middle = len(y), rng.normal()
    if kind == "duplicated" and earlier:
        return earlier[0].copy()
    logits = {
        "constant": lambda: np.full(n, middle),
        "nearly constant": lambda: middle + rng.normal(0, 10 ** rng.uniform(-9, -2), n),
        "close together": lambda: middle + rng.normal(0, 10 ** rng.uniform(-2, 0), n),
        "separating": lambda: np.where(y == 1, 2.0, -2.0) + rng.normal(0, 0.3, n),
        "of few values": lambda: np.round(rng.normal(2 * y - 1, 0.7)),
    }.get(kind, lambda: rng.normal(y * rng.choice([0.0, 1.0, 3.0]), 1.0))()
    scores = expit(logits)
    if kind == "missing in all but one":
        keep = rng.integers(n)
        scores[np.arange(n) != keep] = np.nan
    if kind == "missing in some":
        scores[rng.random(n) < 0.4] = np.nan
    return scores


KINDS = (
    "random", "constant", "nearly constant", "duplicated", "separating", "missing in all but one",
    "missing in some", "close together", "of few values",
)  # fmt: skip


AWKWARD = given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    n=st.integers(4, 40),
    seed=st.integers(0, 2**32 - 1),
)


@settings(max_examples=25, derandomize=True)
@AWKWARD
def test_awkward_scores_are_weighed_or_left_out_and_a_millionth_of_a_score_decides_nothing(
    kinds, n, seed
):
    require_steady(kinds, n, seed)


@pytest.mark.slow
@settings(max_examples=200, derandomize=True)
@AWKWARD
def test_of_two_hundred_awkward_scores_a_millionth_decides_nothing(kinds, n, seed):
    require_steady(kinds, n, seed)


def require_steady(kinds, n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n + N_TESTED)
    y[:2] = 0, 1
    scores = [drawn("random", y, rng, [])]  # one that everybody has
    for kind in kinds:
        scores.append(drawn(kind, y, rng, scores))
    shaken = [np.clip(p + rng.uniform(-1e-6, 1e-6, len(p)), 0, 1) for p in scores]
    before, after = fused(scores, y), fused(shaken, y)
    assert isinstance(before, str) == isinstance(after, str), (before, after)
    if isinstance(before, str):
        assert before.startswith("fusion, ") and "\n" not in before
    else:
        assert np.isfinite(before).all()
        np.testing.assert_allclose(after, before, atol=1e-3)


def test_what_separates_is_fused_alike_on_both_sides_of_separation():
    """Two patients of different classes with one score, moved past each other by 1e-9."""
    x = np.array([-2.0, -1.5, -1, 0, 0, 1, 1.5, 2])
    y = np.array([0.0, 0, 0, 0, 1, 1, 1, 1])
    found = []
    for gap in (-1e-9, 0.0, 1e-9):
        moved = x + gap * (y - 0.5) * (np.abs(x) < 0.5)
        intercept, weights, method = fit_weights(
            moved[:, None], np.zeros((8, 1)), y, "test", linear=False
        )
        assert method == "firth"
        found.append(expit(intercept + weights[0] * x))
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    np.testing.assert_allclose(found[2], found[1], atol=1e-6)


def test_the_ridge_is_not_seen_where_scores_tell_patients_apart_against_glm():
    """statsmodels' GLM without a penalty, for standard deviations of 0.4 to 2 log odds."""
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    y = (np.arange(300) % 2).astype(float)
    for spread in (0.4, 1.0, 2.0):
        x = spread * rng.normal(y[:, None], 1.0, (300, 2))
        missing = np.column_stack([np.zeros(300), rng.random(300) < 0.3]).astype(float)
        x[missing == 1] = 0
        fit = sm.GLM(
            y, np.column_stack([x, missing[:, 1], np.ones(300)]), family=sm.families.Binomial()
        ).fit(tol=1e-12)
        intercept, weights, method = fit_weights(x, missing, y, "test", linear=False)
        mine = [weights[0], weights[1], weights[3], intercept]
        assert (method, weights[2]) == ("ml", 0)
        np.testing.assert_allclose(mine, fit.params, rtol=2e-5, atol=1e-6)


def numbers(scores, truth):
    names = [f"p{i}" for i in range(len(truth))]
    rows = pd.DataFrame({"unit_id": names, "subject_id": names, "y_true": truth})
    return SideBySide(rows, scores, tuple(f"m{i}" for i in range(scores.shape[1])))


def test_a_number_that_is_all_but_the_same_for_everybody_weighs_nothing():
    rng = np.random.default_rng(0)
    truth = rng.normal(1000.0, 70.0, 20)
    one, other = 1000 + 0.5 * (truth - 1000) + rng.normal(0, 10, 20), 1010 + rng.normal(0, 1e-5, 20)
    rule = fit_rule(numbers(np.column_stack([one, other]), truth), NUMBER, "test")
    slope = np.polyfit(one, truth, 1)[0]
    assert rule.weights[0] == pytest.approx(slope, rel=1e-4)
    assert abs(rule.weights[1]) * 1e-5 < 1e-4


def test_numbers_that_do_not_vary_are_refused_in_one_line():
    truth = np.linspace(900, 1100, 12)
    with refuses(UnfittableError, "fusion, test"):
        fit_rule(numbers(np.full((12, 2), 1000.0) + 1e-9 * truth[:, None], truth), NUMBER, "test")


def test_a_truth_that_does_not_vary_is_weighed_or_refused():
    rng = np.random.default_rng(0)
    try:
        rule = fit_rule(numbers(rng.normal(1000, 5, (12, 2)), np.full(12, 990.0)), NUMBER, "test")
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert rule.intercept + np.array(rule.weights[:2]) @ [1000, 1000] == pytest.approx(990)
