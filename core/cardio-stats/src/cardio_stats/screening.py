"""Screening many columns against one outcome: the max-T permutation test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from cardio_stats._numerics.intervals import maximise
from cardio_stats._numerics.validate import (
    Bools,
    Floats,
    Ints,
    binary_labels,
    group_codes,
    numeric_column,
)
from cardio_stats.auc_covariance import midrank_auc
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.proportions import wilson_limits

CELLS_PER_BLOCK = 4_000_000
"""Numbers held at once, 32 MB: memory stays bounded whatever the number of permutations."""


def max_t_screen(
    features: ArrayLike,
    outcome: ArrayLike,
    *,
    event: str | None = None,
    names: Sequence[str] | None = None,
    ranks: bool = False,
    n_permutations: int = 10_000,
    seed: int = 0,
    unit: str = "patient",
) -> list[Estimate]:
    """Test each column against the outcome, with p-values valid for the best of all columns.

    Parameters
    ----------
    features : array-like, shape (n, m)
        Rows with a missing value are dropped and counted.
    outcome : array-like, shape (n,)
        0 and 1, or a measurement.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    names : sequence of str, optional
        Of the columns; by default 1, 2, ...
    ranks : bool
        Compare ranks (Wilcoxon, Spearman) instead of values (t, Pearson).
    n_permutations : int
        At least 99.
    seed : int
    unit : str
        What a row is. Rows must be exchangeable: give one row a patient.

    Returns
    -------
    list of Estimate
        One a column, in the given order. Value: the correlation with the outcome. ``p_value`` is
        adjusted by the step-down max-T method of Westfall and Young; ``extra`` holds
        ``p_unadjusted``.

    Raises
    ------
    DataError
        A constant column or outcome, or fewer than 4 complete rows.

    Notes
    -----
    With an outcome of two groups the correlation and Student's t are ordered alike, so this is
    the permutation test of t. Correlated columns are not punished as Bonferroni's method does,
    because each permutation keeps the columns of a row together.

    References
    ----------
    Westfall PH, Young SS. Resampling-Based Multiple Testing. Wiley 1993, algorithm 4.1.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.normal(size=(40, 20)), np.repeat([0, 1], 20)
    >>> x[:, 3] += 1.5 * y
    >>> found = max_t_screen(x, y, n_permutations=999, seed=1)
    >>> found[3].p_value, min(e.p_value for e in found if e is not found[3]) > 0.05
    (0.001, True)
    """
    matrix, labels, n_dropped = _complete(features, binary_labels(outcome, event))
    n, m = matrix.shape
    listed = [str(index + 1) for index in range(m)] if names is None else list(names)
    if len(listed) != m:
        raise DataError(f"max-T: expected {m} names, found {len(listed)}")
    if n_permutations < 99:
        raise DataError(f"max-T: expected at least 99 permutations, found {n_permutations}")
    if ranks:
        matrix, labels = rankdata(matrix, axis=0), rankdata(labels)
    standard, target = _unit_columns(matrix, listed), _unit_columns(labels[:, None], ["outcome"])
    observed = (target.T @ standard)[0]
    order = np.argsort(-np.abs(observed))
    exceeded, exceeded_alone = _exceedances(
        standard[:, order], target[:, 0], np.abs(observed[order]), n_permutations, seed
    )
    adjusted, alone = _as_p_values(order, exceeded, exceeded_alone, n_permutations)
    kind = "rank correlation" if ranks else "correlation"
    return [
        Estimate(
            f"correlation[{name}]",
            float(observed[index]),
            method=f"{kind}, step-down max-T over {m} columns, {n_permutations:,} permutations",
            n=n,
            unit=unit,
            p_value=float(adjusted[index]),
            n_dropped=n_dropped,
            seed=seed,
            extra={"p_unadjusted": float(alone[index])},
        )
        for index, name in enumerate(listed)
    ]


def step_down(observed: Floats, null: Floats) -> tuple[Floats, Floats]:
    """Return p-values corrected by step-down max-T, and those of each test alone.

    Parameters
    ----------
    observed : ndarray, shape (m,)
        A statistic a test, larger is rarer, all on one scale.
    null : ndarray, shape (n_permutations, m)
        The same under permutations that keep the tests together.

    Returns
    -------
    adjusted, alone : ndarray, shape (m,)
        Never 0: the given order counts as one of the permutations.

    Examples
    --------
    >>> null = np.array([[1.0, 0.0], [0.0, 2.5], [0.5, 0.5]])
    >>> [p.tolist() for p in step_down(np.array([3.0, 2.0]), null)]
    [[0.25, 0.5], [0.25, 0.5]]
    """
    order = np.argsort(-observed)
    together, alone = _counted(null[:, order], observed[order])
    return _as_p_values(order, together, alone, len(null))


def _counted(statistics: Floats, observed: Floats) -> tuple[Floats, Floats]:
    """Count permutations as extreme as each test, alone and as a maximum of what is below it.

    Columns of `statistics` and `observed` are sorted, strongest first.
    """
    # equal statistics must count as equal, whatever the order of summation
    threshold = observed - 1e-10
    maxima = np.maximum.accumulate(statistics[:, ::-1], axis=1)[:, ::-1]
    return (maxima >= threshold).sum(axis=0), (statistics >= threshold).sum(axis=0)


def _as_p_values(
    order: Ints, together: Floats, alone: Floats, n_permutations: int
) -> tuple[Floats, Floats]:
    adjusted, unadjusted = np.empty(order.size), np.empty(order.size)
    adjusted[order] = np.maximum.accumulate((1 + together) / (1 + n_permutations))
    unadjusted[order] = (1 + alone) / (1 + n_permutations)
    return adjusted, unadjusted


def _complete(features: ArrayLike, outcome: ArrayLike) -> tuple[Floats, Floats, int]:
    labels = numeric_column(outcome, "outcome")
    matrix = np.asarray(features, dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != len(labels):
        raise DataError(
            f"max-T: expected {len(labels)} rows of features, found shape {matrix.shape}"
        )
    known = np.isfinite(matrix).all(axis=1) & ~np.isnan(labels)
    n = int(np.count_nonzero(known))
    if n < 4:
        raise DataError(
            f"max-T: expected at least 4 complete rows, found {n} of {len(labels)}; leave out the "
            "columns with most missing values"
        )
    return matrix[known], labels[known], len(labels) - n


def _unit_columns(matrix: Floats, names: Sequence[str]) -> Floats:
    """Centre the columns and give them length one."""
    centred = matrix - matrix.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    for name, size, largest in zip(names, length, np.abs(matrix).max(axis=0), strict=True):
        if size <= 1e-12 * max(1.0, float(largest)):
            raise DataError(f"max-T: column {name!r} is constant; leave it out")
    return np.asarray(centred / length, dtype=np.float64)


def _exceedances(
    standard: Floats, target: Floats, observed: Floats, n_permutations: int, seed: int
) -> tuple[Floats, Floats]:
    """Count permutations as extreme as each column, alone and as a maximum of what is below it.

    `standard` and `observed` are sorted, strongest first.
    """
    rng = np.random.default_rng(seed)
    n, m = standard.shape
    per_block = max(1, CELLS_PER_BLOCK // max(n, m))
    together, alone = np.zeros(m), np.zeros(m)
    done = 0
    while done < n_permutations:
        size = min(per_block, n_permutations - done)
        shuffled = rng.permuted(np.broadcast_to(target, (size, n)), axis=1)
        in_block = _counted(np.abs(shuffled @ standard), observed)
        together += in_block[0]
        alone += in_block[1]
        done += size
    return together, alone


# Several differences of one sample at once: p-values valid for the largest of them.

DRAWS = 100_000


def max_z_adjusted(differences: ArrayLike, covariance: ArrayLike, *, seed: int = 0) -> Floats:
    """Adjust p-values of correlated differences for having looked at all of them.

    Parameters
    ----------
    differences : array-like, shape (k,)
        Estimates whose expectation is 0 under the hypothesis.
    covariance : array-like, shape (k, k)
        Of the estimates; it may be singular, as that of all pairs of scores is.
    seed : int
        Of the 100,000 draws from the joint normal distribution.

    Returns
    -------
    ndarray, shape (k,)
        The chance that the largest of all standardised differences is as large as each: the
        single-step max-T method. At least 1e-5, the resolution of the draws.

    Raises
    ------
    DataError
        A difference without any variance.

    References
    ----------
    Hothorn T, Bretz F, Westfall P. Biom J 2008;50:346.

    Examples
    --------
    Three independent differences are adjusted as Sidak does, three equal ones not at all:

    >>> z = [1.96, 0.5, 0.1]
    >>> bool(abs(max_z_adjusted(z, np.eye(3))[0] - (1 - 0.95**3)) < 0.005)
    True
    >>> bool(abs(max_z_adjusted([1.96] * 3, np.ones((3, 3)))[0] - 0.05) < 0.005)
    True
    """
    values, matrix = np.asarray(differences, float), np.asarray(covariance, float)
    variances = np.diag(matrix)
    if (variances <= 0).any():
        raise DataError("max-T: expected differences with a variance, found one without")
    scale = np.sqrt(variances)
    eigenvalues, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    root = vectors * np.sqrt(np.clip(eigenvalues, 0.0, None))
    drawn = np.random.default_rng(seed).normal(size=(DRAWS, len(values))) @ root.T
    largest = np.abs(drawn).max(axis=1)
    seen = (largest[:, None] >= np.abs(values / scale)[None, :]).sum(axis=0)
    return np.asarray((seen + 1) / (DRAWS + 1))


# What screening noise gives: the best of many meaningless features, added to a real model.


@dataclass(frozen=True, slots=True)
class CountedCovariate:
    """A binary covariate as a Table 1 prints it: how many in either group have it.

    Each study draws it anew with these frequencies.
    """

    n_with_event: int
    n_without_event: int


@dataclass(frozen=True, slots=True)
class MeasuredCovariate:
    """A continuous covariate as a Table 1 prints it, drawn as normal in either group."""

    mean_with_event: float
    sd_with_event: float
    mean_without_event: float
    sd_without_event: float


Covariate = CountedCovariate | MeasuredCovariate


@dataclass(frozen=True, slots=True)
class _Run:
    """One simulated study."""

    base_auc: float
    auc: float
    chi2: float
    cross_validated_auc: float | None


def screening_noise(
    covariates: Sequence[Covariate],
    *,
    n_events: int,
    n_others: int,
    n_features: int,
    auc_reached: float,
    chi2_reached: float,
    n_runs: int = 1000,
    n_cross_validated: int = 0,
    n_folds: int = 5,
    seed: int = 0,
    level: float = 0.95,
) -> list[Estimate]:
    """Simulate a study that screens pure noise and reports the best feature.

    Each run draws the covariates, draws `n_features` of standard normal noise, takes the feature
    with the strongest univariable association, adds it to the logistic model of the covariates
    and reports the gain, all on the same patients.

    Parameters
    ----------
    covariates : sequence of CountedCovariate or MeasuredCovariate
        The model to which the feature is added; drawn independently given the outcome.
    n_events, n_others : int
        Patients with and without the outcome.
    n_features : int
        How many features are screened.
    auc_reached, chi2_reached : float
        The published apparent AUC and added likelihood-ratio chi-square.
    n_runs : int
    n_cross_validated : int
        In how many of the runs screening and fitting are also repeated inside `n_folds` stratified
        folds.
    n_folds : int
    seed : int
    level : float
        Coverage of the interval between runs.

    Returns
    -------
    list of Estimate
        ``base_auc``; ``apparent_auc`` with the interval that holds `level` of the runs;
        ``share_auc_reached`` and ``share_chi2_reached``: how often noise does as well as what was
        published; and ``cross_validated_auc`` if asked for.

    Examples
    --------
    >>> found = screening_noise([CountedCovariate(37, 37)], n_events=45, n_others=57,
    ...                         n_features=64, auc_reached=0.72, chi2_reached=8.06, n_runs=50)
    >>> found[1].value > found[0].value + 0.05
    True
    """
    if min(n_events, n_others) < n_folds or n_features < 1 or n_runs < 1:
        raise DataError(
            f"screening noise: expected at least {n_folds} patients a class, a feature and a run, "
            f"found {n_events} and {n_others}, {n_features}, {n_runs}"
        )
    rng = np.random.default_rng(seed)
    positive = np.repeat([True, False], [n_events, n_others])
    runs = [
        _one_study(covariates, positive, n_features, n_folds if i < n_cross_validated else 0, rng)
        for i in range(n_runs)
    ]
    method = f"best of {n_features} noise features, {n_runs} simulated studies"
    described = [
        _between_runs("base_auc", [run.base_auc for run in runs], level, method),
        _between_runs("apparent_auc", [run.auc for run in runs], level, method),
        _share("share_auc_reached", [run.auc >= auc_reached for run in runs], method),
        _share("share_chi2_reached", [run.chi2 >= chi2_reached for run in runs], method),
    ]
    honest = [run.cross_validated_auc for run in runs if run.cross_validated_auc is not None]
    if honest:
        method = f"screening inside {n_folds} folds, {len(honest)} simulated studies"
        described.append(_between_runs("cross_validated_auc", honest, level, method))
    return [
        estimate.replace(n=n_events + n_others, unit="patient", seed=seed) for estimate in described
    ]


def _one_study(
    covariates: Sequence[Covariate],
    positive: Bools,
    n_features: int,
    n_folds: int,
    rng: np.random.Generator,
) -> _Run:
    base = np.column_stack(
        [np.ones(positive.size), *(_drawn(covariate, positive, rng) for covariate in covariates)]
    )
    noise = rng.normal(size=(positive.size, n_features))
    outcome = positive.astype(float)
    beta, likelihood = maximise(base, outcome)
    full = np.column_stack([base, noise[:, _best(noise, outcome)]])
    beta_full, likelihood_full = maximise(full, outcome)
    honest = _cross_validated(base, noise, positive, n_folds, rng) if n_folds else None
    return _Run(
        midrank_auc(positive, base @ beta),
        midrank_auc(positive, full @ beta_full),
        2 * (likelihood_full - likelihood),
        honest,
    )


def _drawn(covariate: Covariate, positive: Bools, rng: np.random.Generator) -> Floats:
    n_1, n_0 = int(positive.sum()), int((~positive).sum())
    if isinstance(covariate, MeasuredCovariate):
        values = np.concatenate(
            [
                rng.normal(covariate.mean_with_event, covariate.sd_with_event, n_1),
                rng.normal(covariate.mean_without_event, covariate.sd_without_event, n_0),
            ]
        )
        return np.asarray((values - values.mean()) / values.std(), dtype=np.float64)
    shares = np.where(positive, covariate.n_with_event / n_1, covariate.n_without_event / n_0)
    return np.asarray(rng.random(positive.size) < shares, dtype=np.float64)


def _best(noise: Floats, outcome: Floats) -> int:
    """Return the column with the strongest correlation, which is the smallest univariable p."""
    centred = noise - noise.mean(axis=0)
    association = np.abs((outcome - outcome.mean()) @ centred) / np.sqrt((centred**2).sum(axis=0))
    return int(np.argmax(association))


def _cross_validated(
    base: Floats, noise: Floats, positive: Bools, n_folds: int, rng: np.random.Generator
) -> float:
    """Return the mean AUC of the folds, with screening and fitting inside."""
    fold = np.empty(positive.size, dtype=int)
    for group in (positive, ~positive):
        fold[group] = rng.permutation(np.arange(int(group.sum())) % n_folds)
    outcome = positive.astype(float)
    areas = []
    for index in range(n_folds):
        train, test = fold != index, fold == index
        full = np.column_stack([base, noise[:, _best(noise[train], outcome[train])]])
        beta, _ = maximise(full[train], outcome[train])
        areas.append(midrank_auc(positive[test], full[test] @ beta))
    return float(np.mean(areas))


def _between_runs(name: str, values: Sequence[float], level: float, method: str) -> Estimate:
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return Estimate(
        name,
        float(np.mean(values)),
        float(low),
        float(high),
        level,
        method,
        note="The interval holds this share of the simulated studies.",
        extra={"se_simulation": float(np.std(values, ddof=1) / np.sqrt(len(values)))}
        if len(values) > 1
        else {},
    )


def _share(name: str, reached: Sequence[bool], method: str) -> Estimate:
    k, n = sum(reached), len(reached)
    low, high = wilson_limits(k, n, 0.95)
    return Estimate(name, k / n, low, high, 0.95, f"{method}; Wilson", extra={"n_runs": float(n)})


# A null distribution for a whole pipeline: labels permuted between patients, everything rerun.


def permute_pipeline(
    pipeline: Callable[[Floats], float],
    outcome: ArrayLike,
    *,
    patient: ArrayLike | None = None,
    n_permutations: int = 200,
    seed: int = 0,
    name: str = "auc",
    level: float = 0.95,
) -> Estimate:
    """Ask how often a pipeline does as well on labels that mean nothing.

    Parameters
    ----------
    pipeline : callable
        Labels, shape (n,) -> the figure of merit, larger is better. It must repeat everything
        that saw the labels: selection, tuning, thresholds, cross-validation.
    outcome : array-like, shape (n,)
        Without missing values.
    patient : array-like, shape (n,), optional
        Labels are then permuted between patients, each of whom must have one label.
    n_permutations : int
        At least 19.
    seed : int
    name : str
    level : float
        Coverage of the null interval in ``extra``.

    Returns
    -------
    Estimate
        The figure on the true labels; p is (1 + number of permutations at least as good) / (1 +
        number of permutations), which is never 0. ``extra`` describes the null distribution.

    References
    ----------
    Phipson B, Smyth GK. Permutation p-values should never be zero. Stat Appl Genet Mol Biol
    2010;9:39.

    Examples
    --------
    >>> from scipy.stats import rankdata
    >>> score = np.arange(20.0)
    >>> def pipeline(y):
    ...     return float((rankdata(score)[y == 1].mean() - (y.sum() + 1) / 2) / (y == 0).sum())
    >>> permute_pipeline(pipeline, score > 9, n_permutations=99).p_value
    0.01
    """
    truth = numeric_column(outcome, "labels")
    if np.isnan(truth).any():
        raise DataError("permutation: expected a label in every row; drop the rows without one")
    if n_permutations < 19:
        raise DataError(f"permutation: expected at least 19 permutations, found {n_permutations}")
    codes = np.arange(truth.size) if patient is None else group_codes(patient, "patients")
    of_patient = _one_label_each(truth, codes)
    rng = np.random.default_rng(seed)
    observed = float(pipeline(truth))
    null = np.array(
        [pipeline(rng.permutation(of_patient)[codes]) for _ in range(n_permutations)], dtype=float
    )
    if not (np.isfinite(null).all() and np.isfinite(observed)):
        raise DataError("permutation: expected a number from every run, found NaN; check it")
    low, high = np.quantile(null, [0.5 - level / 2, 0.5 + level / 2])
    return Estimate(
        name,
        observed,
        method=f"permutation of the labels, {n_permutations} reruns of the whole pipeline",
        n=int(of_patient.size),
        unit="row" if patient is None else "patient",
        n_patients=None if patient is None else int(of_patient.size),
        p_value=float((1 + np.count_nonzero(null >= observed - 1e-12)) / (1 + n_permutations)),
        seed=seed,
        extra={"null_mean": float(null.mean()), "null_low": float(low), "null_high": float(high)},
    )


def _one_label_each(truth: Floats, codes: np.ndarray) -> Floats:
    if (codes < 0).any():
        raise DataError("permutation: expected a patient in every row, found a missing one")
    of_patient = np.empty(int(codes.max()) + 1)
    of_patient[codes] = truth
    if not np.array_equal(of_patient[codes], truth):
        raise DataError(
            "permutation: expected one label a patient, found patients with several; permute a "
            "label that belongs to the patient"
        )
    return of_patient
