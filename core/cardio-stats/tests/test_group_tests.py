"""Groups tested beside all others, with one correction: valid where nothing is wrong, and able."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from cardio_stats.errors import DataError
from cardio_stats.multiplicity import Compared, GroupTest, predicted_alike

OUTCOME, SCORE = "outcome at the same score", "score at the same outcome"


def cohort(seed: int, n: int = 300, shift: float = 0.0, wrong: float = 0.0) -> dict[str, Any]:
    """A score of one outcome, a useless one of another, three columns of groups."""
    rng = np.random.default_rng(seed)
    y, other = rng.random((2, n)) < np.array([[0.35], [0.5]])
    site = rng.choice(["north", "south"], n, p=[0.6, 0.4])
    score = 1.1 * y + rng.normal(size=n) + shift * (site == "south")
    y = y ^ ((site == "south") & (rng.random(n) < wrong))
    return {
        "compared": [
            Compared("flow", y, score),
            Compared("useless", other, np.round(rng.normal(size=n))),
        ],
        "groups": {
            "site": site,
            "race": rng.choice(["A", "B", "C"], n, p=[0.5, 0.35, 0.15]),
            "age": rng.integers(0, 3, n).astype(str),
        },
        "instruments": ("site",),
        "n_permutations": 199,
        "seed": seed,
    }


def flagged(found: list[GroupTest]) -> set[tuple[str, str, str]]:
    return {(one.name, one.column, one.question) for one in found if one.p_adjusted < 0.05}


def test_where_nothing_is_wrong_few_calls_find_anything_and_every_p_value_is_uniform() -> None:
    calls = [predicted_alike(**cohort(seed, 120)) for seed in range(60)]
    # 8 of 60 or more: probability .008 at a true rate of 5 %
    assert sum(bool(flagged(found)) for found in calls) <= 7
    p = np.array([one.p_value for found in calls for one in found])
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p <= level) == pytest.approx(level, abs=0.04)


@pytest.mark.parametrize(
    ("fault", "question"), [({"wrong": 0.4}, OUTCOME), ({"shift": 1.0}, SCORE)]
)
def test_wrong_labels_and_a_shifted_score_of_one_site_are_found_there(
    fault: dict[str, float], question: str
) -> None:
    found = [predicted_alike(**cohort(seed, **fault)) for seed in range(8)]
    assert sum(("flow", "site", question) in flagged(one) for one in found) >= 7
    elsewhere = {place[:2] for one in found for place in flagged(one)} - {("flow", "site")}
    assert len(elsewhere) <= 1


def test_a_score_that_differs_between_groups_by_right_is_not_held_against_the_labels() -> None:
    rng = np.random.default_rng(0)
    p = []
    for _ in range(120):
        sex = np.where(rng.random(240) < 0.5, "F", "M")
        score = rng.normal(size=240) + 1.0 * (sex == "F")
        y = rng.random(240) < 1 / (1 + np.exp(-score))
        found = predicted_alike([Compared("m", y, score)], {"sex": sex}, n_permutations=99)
        p += [one.p_value for one in found]
    assert len(p) == 120
    assert np.mean(np.array(p) <= 0.05) <= 0.11  # 14 of 120: probability .006 at 5 %
    assert np.mean(np.array(p) <= 0.5) == pytest.approx(0.5, abs=0.13)


def test_people_with_several_rows_are_permuted_as_wholes() -> None:
    """Rows of a person say the same thing; taken for people they would find what is not there."""
    rng = np.random.default_rng(1)
    by_person, by_row = [], []
    for _ in range(60):
        person = np.repeat(np.arange(60), 4)
        y = (rng.random(60) < 0.5)[person]
        score = (rng.normal(size=60) + 0.5 * y[::4])[person] + 0.1 * rng.normal(size=240)
        site = np.where(rng.random(60) < 0.5, "a", "b")[person]
        asked = {"compared": [Compared("m", y, score)], "groups": {"site": site},
                 "instruments": ("site",), "n_permutations": 99}  # fmt: skip
        by_person += [one.p_value for one in predicted_alike(**asked, persons=person)]
        by_row += [one.p_value for one in predicted_alike(**asked)]
    assert np.mean(np.array(by_person) <= 0.05) <= 0.11
    assert np.mean(np.array(by_row) <= 0.05) > 0.2


def test_the_first_statistic_is_the_score_test_that_a_fitted_model_gives() -> None:
    """Rao's test agrees with the likelihood ratio of the larger model, to first order."""
    import statsmodels.api as sm

    asked = cohort(3, 4000)
    y, score = np.asarray(asked["compared"][0].labels, float), asked["compared"][0].scores
    inside = (asked["groups"]["race"] == "B").astype(float)
    plain = sm.add_constant(np.asarray(score))
    larger = np.column_stack([plain, inside, inside * plain[:, 1]])
    ratio = 2 * (sm.Logit(y, larger).fit(disp=0).llf - sm.Logit(y, plain).fit(disp=0).llf)
    asked |= {"n_permutations": 1999, "compared": asked["compared"][:1]}
    found = predicted_alike(**asked)
    alone = next(one for one in found if (one.column, one.group) == ("race", "B"))
    assert alone.p_value == pytest.approx(scipy_stats.chi2.sf(ratio, 2), abs=0.03)


def test_effects_are_in_shares_of_the_group_and_in_standard_deviations() -> None:
    found = predicted_alike(**cohort(0, 4000, shift=1.0))
    by = {(one.name, one.group, one.question): one for one in found}
    score = next(one for key, one in by.items() if key[0] == "flow" and key[2] == SCORE)
    # one SD of noise, which the shift itself widens: 1 / sqrt(1 + .24), of the one group that is
    # tested of the two
    assert score.effect == pytest.approx({"south": 0.9, "north": -0.9}[score.group], abs=0.06)
    wrong = predicted_alike(**cohort(1, 4000, wrong=0.4))
    one = next(t for t in wrong if (t.name, t.column) == ("flow", "site"))
    # south: .35 recorded as .35 × .6 + .65 × .4 = .47, the north .35; the score sees no site
    assert abs(one.effect) == pytest.approx({"south": 0.072, "north": 0.048}[one.group], abs=0.02)


def test_small_groups_are_left_out_and_missing_ones_count_among_the_others() -> None:
    asked = cohort(0)
    race = asked["groups"]["race"].astype(object)
    race[race == "C"] = None
    race[:5] = "D"
    asked["groups"] = {"race": race}
    found = predicted_alike(**asked)
    # A and B do not make up everybody, so that either is tested
    assert {one.group for one in found} == {"A", "B"}
    assert predicted_alike(**asked, min_per_class=400) == []


def test_a_model_that_says_the_same_of_everybody_is_not_tested() -> None:
    asked = cohort(0)
    asked["compared"] = [Compared("same", asked["compared"][0].labels, np.full(300, 0.2))]
    assert predicted_alike(**asked) == []


def test_missing_labels_leave_a_row_out_of_that_model_alone() -> None:
    asked = cohort(0)
    first = np.asarray(asked["compared"][0].labels, float)
    first[:100] = np.nan
    asked["compared"][0] = Compared("flow", first, asked["compared"][0].scores, ("site",))
    found = predicted_alike(**asked)
    assert {one.column for one in found if one.name == "flow"} == {"site"}
    group = next(one for one in found if one.name == "flow")
    assert group.n == int(np.sum((asked["groups"]["site"] == group.group)[100:]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_permutations": 10}, "99 permutations or more, found 10"),
        ({"groups": {"site": ["a"]}}, "groups of site: expected 300 values, found 1"),
        ({"persons": [None] * 300}, "expected a person in every row"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_one_line(change: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        predicted_alike(**(cohort(0) | change))
