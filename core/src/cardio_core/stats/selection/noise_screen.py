"""What screening noise gives: the best of many meaningless features, added to a real model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cardio_core.errors import DataError
from cardio_core.stats.classification.proportions import wilson_limits
from cardio_core.stats.discrimination.pair_counts import midrank_auc
from cardio_core.stats.foundation.newton import maximise
from cardio_core.stats.foundation.validate import Bools, Floats
from cardio_core.types.estimate import Estimate


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
