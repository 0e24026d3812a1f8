"""Many p-values: adjusted for their number, and what chance alone would give.

statsmodels' multipletests gives Bonferroni's and Holm's values equal digit for digit, and
Benjamini and Hochberg's to 1e-16, but Holm's of 50 values takes it 2,600 times as long as the three
lines here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtrc, ndtri
from scipy.stats import false_discovery_control

from cardio_stats._numerics.intervals import maximise
from cardio_stats._numerics.validate import Floats, Ints, binary_column, group_codes, numeric_column
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.screening import step_down

Adjustment = Literal["holm", "bh", "bonferroni"]


def _checked(p_values: ArrayLike) -> Floats:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or p.size == 0 or not np.all((p >= 0) & (p <= 1)):
        raise DataError(
            "p-values: expected one or more numbers from 0 to 1, found "
            f"{p.ravel()[:5].tolist()}; leave missing ones out"
        )
    return p


def bonferroni(p_values: ArrayLike) -> Floats:
    """Multiply by the number of tests: controls the chance of any false positive.

    Examples
    --------
    >>> bonferroni([0.01, 0.04, 0.5]).tolist()
    [0.03, 0.12, 1.0]
    """
    p = _checked(p_values)
    return np.minimum(p * p.size, 1)


def holm(p_values: ArrayLike) -> Floats:
    """Adjust step by step: as safe as Bonferroni's, and never larger.

    Parameters
    ----------
    p_values : array-like, shape (m,)

    Returns
    -------
    ndarray, shape (m,)

    References
    ----------
    Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)).clip(max=1)
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjust for the share of false positives among the positives.

    Parameters
    ----------
    p_values : array-like, shape (m,)
        Independent or positively dependent tests.

    Returns
    -------
    ndarray, shape (m,)

    References
    ----------
    Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc B 1995;57:289.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.04, 0.04]
    """
    found: Floats = false_discovery_control(_checked(p_values))
    return found


_ADJUST = {"holm": holm, "bh": benjamini_hochberg, "bonferroni": bonferroni}
_LABELS = {
    "holm": "Holm's adjustment",
    "bh": "Benjamini and Hochberg's adjustment (false discovery rate)",
    "bonferroni": "Bonferroni's adjustment",
}


def adjust_p_values(p_values: Mapping[str, float], *, method: Adjustment) -> list[Estimate]:
    """Adjust named p-values.

    Parameters
    ----------
    p_values : mapping of name to p
    method : {"holm", "bh", "bonferroni"}

    Returns
    -------
    list of Estimate
        In the given order; value and ``p_value`` are adjusted, ``extra["p_unadjusted"]`` is not.

    Examples
    --------
    >>> [round(e.value, 3) for e in adjust_p_values({"qrs": 0.01, "age": 0.4}, method="holm")]
    [0.02, 0.4]
    """
    raw = list(p_values.values())
    adjusted = _ADJUST[method](raw)
    return [
        Estimate(
            f"p_adjusted[{name}]",
            float(value),
            method=f"{_LABELS[method]} of {len(raw)} p-values",
            n=len(raw),
            unit="test",
            p_value=float(value),
            extra={"p_unadjusted": float(before)},
        )
        for name, before, value in zip(p_values, raw, adjusted, strict=True)
    ]


def multiplicity_null(m: int, *, alpha: float, k: int, p_min: float) -> Estimate:
    """Say what `m` independent tests of pure noise give by chance.

    Parameters
    ----------
    m : int
        Number of tests.
    alpha : float
        Level at which a test counts as significant.
    k : int
        Number of significant tests that was found.
    p_min : float
        Smallest p-value that was found.

    Returns
    -------
    Estimate
        Value: P(at least `k` significant). ``extra``: ``n_expected``, the expected number of
        significant tests; ``p_min_or_smaller``, P(smallest p <= `p_min`); ``p_min_bonferroni``.

    Examples
    --------
    64 features of which three had p < .05 and the best p = .006:

    >>> e = multiplicity_null(64, alpha=0.05, k=3, p_min=0.006)
    >>> round(e.value, 2), round(e.extra["p_min_or_smaller"], 2), e.extra["n_expected"]
    (0.63, 0.32, 3.2)
    """
    if m < 1 or not 0 <= k <= m or not 0 < alpha < 1 or not 0 <= p_min <= 1:
        raise DataError(
            f"multiplicity: expected 0 <= k <= m, alpha and p_min between 0 and 1, found m = {m}, "
            f"k = {k}, alpha = {alpha}, p_min = {p_min}"
        )
    return Estimate(
        "p_at_least_k_significant",
        float(bdtrc(k - 1, m, alpha)),
        method=f"{m} independent tests of noise at level {alpha:g}",
        n=m,
        unit="test",
        extra={
            "n_expected": m * alpha,
            "p_min_or_smaller": -float(np.expm1(m * np.log1p(-p_min))) if p_min < 1 else 1.0,
            "p_min_bonferroni": min(1.0, m * p_min),
        },
    )


# Whether models predict groups alike: many tests, corrected together for all of them.
#
# Two questions are asked of every group beside everybody else. Do patients with the same score
# have the outcome as often, whatever their group (differential prediction)? Wrong labels of one
# group answer no. And where the groups are instruments or places: do patients with the same
# outcome get the same score? A scanner that reads too high answers no.

Question = Literal["outcome at the same score", "score at the same outcome"]

N_SUMS = 8
MOST_SD = 4.0
"""Scores further from the mean are drawn in: a saturated network would else be all leverage."""

ROWS_PER_BLOCK = 256
"""Permutations that are held at once."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One model of one outcome.

    Attributes
    ----------
    name : str
        Unique among those tested together.
    labels : array-like of 0 and 1, shape (n,)
    scores : array-like, shape (n,)
        More is more likely 1; give probabilities as log odds. A row in which label or score is
        missing is left out of this model's tests.
    columns : tuple of str, or None
        Columns of groups to compare; None is all.
    """

    name: str
    labels: ArrayLike
    scores: ArrayLike
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class GroupTest:
    """One group beside all others.

    Attributes
    ----------
    name, column, group : str
        Model, column and group.
    question : str
        What was asked.
    n, n_events : int
        Rows of the group, and of them those with the outcome.
    effect : float
        Of the first question: the share with the outcome, less the share that the score promises.
        Of the second: the mean score less that of the others, in standard deviations.
    p_value : float
        By permutation of the groups, of this test alone.
    p_adjusted : float
        Corrected for all tests of the call.
    """

    name: str
    column: str
    group: str
    question: Question
    n: int
    n_events: int
    effect: float
    p_value: float
    p_adjusted: float


def predicted_alike(
    compared: Sequence[Compared],
    groups: Mapping[str, ArrayLike],
    *,
    instruments: Collection[str] = (),
    persons: ArrayLike | None = None,
    min_per_class: int = 10,
    n_permutations: int = 2000,
    seed: int = 0,
) -> list[GroupTest]:
    """Test every group of every column beside everybody else, for every model.

    Parameters
    ----------
    compared : sequence of Compared
        Models and outcomes, all of the same n rows.
    groups : mapping of str to array-like, shape (n,)
        The group of each row, by column; a row without one counts among the others.
    instruments : collection of str
        Columns whose groups should not move a score: scanners, sites. Of other columns the second
        question is not asked: flow at rest is higher in women, so a score that sees it differs
        between the sexes without anybody's error.
    persons : array-like, shape (n,), optional
        Person of each row, where one has several; whole persons are permuted.
    min_per_class : int
        Groups with fewer rows of either class, or that leave fewer, are not tested.
    n_permutations : int
        At least 99.
    seed : int

    Returns
    -------
    list of GroupTest
        By model, column, group and question; empty where no group is large enough.

    Notes
    -----
    Scores are standardised, z. The first statistic is Rao's score test of two terms, the group
    and its product with z, in a logistic model of the outcome on z (2 degrees of freedom); the
    second Welch's t of z, centred within each outcome. Each is turned into the size of a normal
    deviate. The rows of the table of groups are permuted, all columns together, against labels
    and scores, and the step-down max-T of Westfall and Young corrects for every test of the
    call. Where groups have nothing to do with labels and scores this is exact at every size,
    with ties and with any dependence between models. Where only what is asked is true (the
    score differs, the outcome at the same score does not), it is right in large groups, because
    the statistics are divided by their standard errors.

    References
    ----------
    Cleary TA. J Educ Meas 1968;5:115 (differential prediction). Swaminathan H, Rogers HJ. J Educ
    Meas 1990;27:361 (its logistic form). Westfall PH, Young SS. Resampling-Based Multiple Testing.
    Wiley 1993. Janssen A. Stat Probab Lett 1997;36:9 (studentised permutation).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y, site = rng.integers(0, 2, 400), np.where(np.arange(400) < 150, "south", "north")
    >>> score = y + rng.normal(size=400)
    >>> wrong = (site == "south") & (rng.random(400) < 0.35)
    >>> recorded = np.where(wrong, 1 - y, y)
    >>> found = predicted_alike([Compared("flow", recorded, score)], {"site": site},
    ...                         n_permutations=499)
    >>> [(item.group, item.p_adjusted < 0.05) for item in found]
    [('north', True)]
    """
    if n_permutations < 99:
        raise DataError(f"group tests: expected 99 permutations or more, found {n_permutations}")
    models = [_prepared(item) for item in compared]
    if len({model.labels.size for model in models}) > 1:
        raise DataError("group tests: expected models of the same rows, found different numbers")
    if not models:
        return []
    n = models[0].labels.size
    columns = {name: _coded(name, values, n) for name, values in groups.items()}
    tests = list(_planned(models, columns, instruments, min_per_class))
    if not tests:
        return []
    statistics = np.empty((1 + n_permutations, len(tests)))
    sums = np.concatenate([model.sums for model in models], axis=1)
    done = 0
    for rows in _permuted(n, persons, n_permutations, seed):
        statistics[done : done + len(rows)] = _statistics(tests, models, columns, sums, rows)
        done += len(rows)
    effects = [_effect(test, models, columns) for test in tests]
    adjusted, alone = step_down(statistics[0], statistics[1:])
    return [
        GroupTest(
            models[test.model].name, test.column, test.group, test.question, test.n, test.n_events,
            effect, float(p), float(p_adjusted),
        )
        for test, effect, p, p_adjusted in zip(tests, effects, alone, adjusted, strict=True)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Model:
    """A model's rows with what is summed over a group: r, rz, w, wz, wz², c, c², 1."""

    name: str
    labels: Floats
    sums: Floats
    columns: tuple[str, ...] | None
    constant: bool


@dataclass(frozen=True, slots=True)
class _Test:
    model: int
    column: str
    code: int
    group: str
    question: Question
    n: int
    n_events: int


def _prepared(compared: Compared) -> _Model:
    labels = binary_column(compared.labels, f"{compared.name}: labels").copy()
    scores = numeric_column(compared.scores, f"{compared.name}: scores")
    if labels.shape != scores.shape:
        raise DataError(
            f"{compared.name}: expected a score for each of {labels.size} labels, found "
            f"{scores.size}"
        )
    known = np.isfinite(labels) & np.isfinite(scores)
    labels[~known] = np.nan
    sums = np.zeros((labels.size, N_SUMS))
    y, ranked = labels[known], scores[known]
    constant = y.size == 0 or np.ptp(ranked) == 0 or np.ptp(y) == 0
    if not constant:
        z = np.clip((ranked - ranked.mean()) / ranked.std(), -MOST_SD, MOST_SD)
        coefficients, _ = maximise(np.column_stack([np.ones_like(z), z]), y)
        expected = 1 / (1 + np.exp(-(coefficients[0] + coefficients[1] * z)))
        left, weight = y - expected, expected * (1 - expected)
        centred = z - np.where(y == 1, z[y == 1].mean(), z[y == 0].mean())
        sums[known] = np.column_stack(
            [left, left * z, weight, weight * z, weight * z**2, centred, centred**2,
             np.ones_like(z)]
        )  # fmt: skip
    return _Model(compared.name, labels, sums, compared.columns, constant)


def _coded(name: str, values: ArrayLike, n: int) -> tuple[list[str], Ints]:
    """Return the groups in order, and the place of each row's, -1 without one."""
    import pandas as pd

    text = pd.Series(np.asarray(values, dtype=object)).astype("string")
    if text.size != n:
        raise DataError(f"groups of {name}: expected {n} values, found {text.size}")
    codes, names = pd.factorize(text, sort=True)
    return [str(item) for item in names], np.asarray(codes, dtype=np.int64)


def _planned(
    models: Sequence[_Model],
    columns: Mapping[str, tuple[list[str], Ints]],
    instruments: Collection[str],
    min_per_class: int,
) -> Iterator[_Test]:
    for index, model in enumerate(models):
        if model.constant:
            continue
        for column, (names, codes) in columns.items():
            if model.columns is not None and column not in model.columns:
                continue
            n_tested = 0
            for code, group in enumerate(names):
                inside = codes == code
                counts = [
                    int(np.count_nonzero(model.labels[part] == label))
                    for part in (inside, ~inside)
                    for label in (0, 1)
                ]
                # of two groups that make up everybody one test says all
                alone = len(names) == 2 and not (codes < 0).any() and n_tested
                if min(counts) < min_per_class or alone:
                    continue
                n_tested += 1
                about = (index, column, code, group)
                size = (counts[0] + counts[1], counts[1])
                yield _Test(*about, "outcome at the same score", *size)
                if column in instruments:
                    yield _Test(*about, "score at the same outcome", *size)


def _permuted(
    n: int, persons: ArrayLike | None, n_permutations: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    """Yield blocks of orders of the rows, the first of all being the given one.

    A person's rows change places with those of one who has as many.
    """
    rng = np.random.default_rng(seed)
    codes = np.arange(n) if persons is None else group_codes(persons, "persons")
    if (codes < 0).any():
        raise DataError(
            "group tests: expected a person in every row, found a missing one", code="missing"
        )
    order = np.argsort(codes, kind="stable")
    rows_of = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    alike: dict[int, list[NDArray[np.int64]]] = {len(rows): [] for rows in rows_of}
    for rows in rows_of:
        alike[len(rows)].append(rows)
    blocks = [np.stack(rows) for rows in alike.values()]
    left = n_permutations
    yield np.arange(n)[None]
    while left:
        size = min(ROWS_PER_BLOCK, left)
        made = np.empty((size, n), dtype=np.int64)
        for item in made:
            for block in blocks:
                item[block] = block[rng.permutation(len(block))]
        yield made
        left -= size


def _statistics(
    tests: Sequence[_Test],
    models: Sequence[_Model],
    columns: Mapping[str, tuple[list[str], Ints]],
    sums: Floats,
    rows: NDArray[np.int64],
) -> Floats:
    """Return each test's statistic under each order of the groups, shape (n_orders, n_tests)."""
    found = np.empty((len(rows), len(tests)))
    inside: dict[tuple[str, int], Floats] = {}
    totals = [model.sums.sum(axis=0) for model in models]
    for place, test in enumerate(tests):
        key = (test.column, test.code)
        if key not in inside:
            members = (columns[test.column][1][rows] == test.code).astype(np.float64)
            inside[key] = (members @ sums).reshape(len(rows), len(models), N_SUMS)
        own, total = inside[key][:, test.model], totals[test.model]
        statistic = _rao if test.question == "outcome at the same score" else _welch
        found[:, place] = statistic(own, total)
    return found


def _rao(own: Floats, total: Floats) -> Floats:
    """Return the score test of a group's own line, as the size of a normal deviate."""
    zero = np.linalg.pinv(np.array([[total[2], total[3]], [total[3], total[4]]]))
    both = np.empty((len(own), 2, 2))
    both[:, 0, 0], both[:, 1, 1] = own[:, 2], own[:, 4]
    both[:, 0, 1] = both[:, 1, 0] = own[:, 3]
    variance = both - both @ zero @ both
    a, b, c = variance[:, 0, 0], variance[:, 0, 1], variance[:, 1, 1]
    u, v = own[:, 0], own[:, 1]
    determinant = a * c - b * b
    sound = determinant > 1e-9 * np.maximum(a * c, 1e-12)
    chi2 = np.zeros(len(own))
    np.divide(c * u * u - 2 * b * u * v + a * v * v, determinant, out=chi2, where=sound)
    # P(chi-square of 2 > x) = exp(-x / 2), and a normal deviate as rare
    return np.asarray(-ndtri(np.exp(-np.clip(chi2, 0, 1400) / 2) / 2))


def _welch(own: Floats, total: Floats) -> Floats:
    other = total - own
    means, errors = [], []
    for part in (own, other):
        n = np.maximum(part[:, 7], 2)
        mean = part[:, 5] / n
        means.append(mean)
        errors.append(np.maximum(part[:, 6] / n - mean**2, 0) / (n - 1))
    error = np.sqrt(errors[0] + errors[1])
    found = np.zeros(len(own))
    np.divide(np.abs(means[0] - means[1]), error, out=found, where=error > 1e-12)
    return found


def _effect(
    test: _Test, models: Sequence[_Model], columns: Mapping[str, tuple[list[str], Ints]]
) -> float:
    model, inside = models[test.model], columns[test.column][1] == test.code
    own, other = model.sums[inside].sum(axis=0), model.sums[~inside].sum(axis=0)
    if test.question == "outcome at the same score":
        return float(own[0] / own[7])
    spread = np.sqrt((own[6] + other[6]) / (own[7] + other[7]))
    return float((own[5] / own[7] - other[5] / other[7]) / spread) if spread > 0 else 0.0
