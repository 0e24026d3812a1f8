"""A logistic model judged as if on new patients: what it owes to its own, and how stable it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cardio_stats._numerics.columns import AS_THEY_STAND, Coding, design_of
from cardio_stats._numerics.intervals import maximise
from cardio_stats._numerics.validate import Floats, Ints, checked_level
from cardio_stats._numerics.watching import tell
from cardio_stats.auc_covariance import midrank_auc
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.logistic import Method, firth_with_ridge, separated_terms
from cardio_stats.penalised import Penalty, chosen_coefficients, dealt

NAMES = ("auc", "calibration_slope", "calibration_intercept", "brier")
Fitted = tuple[Floats, bool]
"""Coefficients on standardised columns, the intercept last, and whether a penalty shrinks them."""
MOST_UNFITTED = 0.1
"""Share of resamples without a model above which the rest says nothing of the procedure."""


@dataclass(frozen=True, slots=True)
class Validation:
    """A logistic model, and those of resamples of its patients.

    Attributes
    ----------
    estimates : tuple of Estimate
        ``optimism_corrected_`` ``auc``, ``calibration_slope``, ``calibration_intercept`` and
        ``brier``. ``extra`` holds ``apparent``, ``optimism`` and ``n_unfitted``, resamples in
        which nothing could be fitted. The slope is by how much the model's log odds are to be
        multiplied for new patients (a shrinkage factor).
    probability : ndarray, shape (n,)
        The model's of each row that was fitted.
    resampled : ndarray, shape (n_resamples - n_unfitted, n)
        Those of the model of each resample.
    """

    estimates: tuple[Estimate, ...]
    probability: Floats
    resampled: Floats

    def limits(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return between which probabilities most models of resamples put each row."""
        low, high = np.quantile(self.resampled, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return low, high

    def instability(self, threshold: float | None = None) -> list[Estimate]:
        """Say how much a patient's probability owes to who else was in the study.

        Parameters
        ----------
        threshold : float, optional
            Of a decision.

        Returns
        -------
        list of Estimate
            ``instability``: the mean absolute difference between a patient's probability and those
            of the models of resamples, averaged over patients; ``extra`` has the 95th percentile
            of patients and the greatest. With a threshold also ``classification_instability``, the
            share of resamples in which a patient falls on the other side of it.

        References
        ----------
        Riley RD, Collins GS. Stability of clinical prediction models developed using statistical or
        machine learning methods. Biom J 2023;65:2200302.
        """
        each = np.abs(self.resampled - self.probability).mean(axis=0)
        about = self.estimates[0].replace(low=None, high=None, level=None)
        method = f"{len(self.resampled)} models of resamples against the model"
        found = [self._averaged(about, "instability", each, f"{method}, mean absolute difference")]
        if threshold is not None:
            other = (self.resampled >= threshold) != (self.probability >= threshold)
            found.append(
                self._averaged(about, "classification_instability", other.mean(axis=0), method)
                .replace(threshold_source=f"fixed {threshold:g}")
            )  # fmt: skip
        return found

    def _averaged(self, about: Estimate, name: str, each: Floats, method: str) -> Estimate:
        extra = {"percentile_95": float(np.quantile(each, 0.95)), "greatest": float(each.max())}
        return about.replace(name=name, value=float(each.mean()), method=method, extra=extra)


def validate_logistic(
    table: pd.DataFrame,
    outcome: str,
    features: Sequence[str],
    *,
    event: str | None = None,
    method: Method | Penalty = "auto",
    coding: Coding = AS_THEY_STAND,
    n_resamples: int = 200,
    seed: int = 0,
    level: float = 0.95,
    unit: str = "row",
) -> Validation:
    """Correct a logistic model's AUC, slope, intercept and Brier score for optimism.

    Parameters
    ----------
    table, outcome, features, event, coding, unit
        As for :func:`~cardio_stats.logistic.fit_logistic`, whose model this is.
    method : {"auto", "ml", "firth", "ridge", "lasso"}
        As there, or the penalty of :func:`~cardio_stats.penalised.fit_penalised`.
    n_resamples, seed : int
        Of the bootstrap: in each resample the model is fitted again, with Firth's method where
        `method` says so or, under "auto", where the resample is separated; the weight of a penalty
        is chosen again.
    level : float
        Of the limits of AUC and Brier score.

    Returns
    -------
    Validation

    Raises
    ------
    DataError
        As `fit_logistic`; complete separation; more than a tenth of the resamples without a model.

    Notes
    -----
    Performance in the resample less that of the resample's model on all rows is the optimism,
    averaged and taken from the apparent performance: rms::validate. Only the fit is repeated:
    columns that were chosen by looking at the outcome are more optimistic than this says, and knots
    of splines stay. Limits are percentiles of the resamples' performance, shifted by the optimism
    (Noma 2021); slope and intercept have none, for apparently they are always 1 and 0.

    References
    ----------
    Harrell FE, Lee KL, Mark DB. Stat Med 1996;15:361. Noma H et al. Stat Med 2021;40:5691.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(60, 4))
    >>> t = pd.DataFrame(x, columns=list("abcd")).assign(y=(x[:, 0] + rng.normal(size=60) > 0) * 1)
    >>> found = validate_logistic(t, "y", list("abcd"), n_resamples=50)
    >>> area, slope, _, _ = found.estimates
    >>> area.value < area.extra["apparent"], 0.4 < slope.value < 1
    (True, True)
    >>> 0.02 < found.instability()[0].value < 0.2
    True
    """
    checked_level(level)
    design = design_of(table, outcome, features, event=event, coding=coding)
    matrix, truth = design.matrix, design.outcome
    full = np.column_stack([(matrix - matrix.mean(axis=0)) / matrix.std(axis=0), np.ones(design.n)])
    rng = np.random.default_rng(seed)
    draws = [rng.integers(design.n, size=design.n) for _ in range(n_resamples)]
    fit, *fits = _refitted(full, truth, draws, method, seed)
    if fit is None:
        raise DataError(
            "validation: expected a model of all rows, found none (columns that are sums of each "
            "other, or separate the outcome); leave one out, or use Firth's method or a ridge"
        )
    apparent = _on_its_own(full, truth, fit)
    if apparent is None:
        raise DataError(
            "validation: the columns tell all patients apart (complete separation), so that no "
            "calibration slope exists; take fewer predictors",
            code="degenerate",
        )
    if np.isnan(apparent).any():
        raise DataError(
            "validation: expected a model of some column, found that the lasso keeps none; take "
            "other predictors, or a ridge"
        )
    trained, tested, betas = [], [], []
    for rows, own in zip(draws, fits, strict=True):
        on_rows = None if own is None else _on_its_own(full[rows], truth[rows], own)
        if own is None or on_rows is None:
            continue
        on_all = _performance(full @ own[0], truth)
        on_all[1:3] = _recalibrated(full @ own[0], truth)
        trained.append(on_rows)
        tested.append(on_all)
        betas.append(own[0])
    n_unfitted = n_resamples - len(trained)
    if n_unfitted > MOST_UNFITTED * n_resamples:
        raise DataError(
            f"validation: expected a model in nearly every resample, found none in {n_unfitted} of "
            f"{n_resamples}; take fewer predictors, or Firth's method",
            code="degenerate",
        )
    optimism = np.nanmean(np.subtract(trained, tested), axis=0)
    limits = np.quantile(trained, [0.5 - level / 2, 0.5 + level / 2], axis=0) - optimism
    note = f"{n_unfitted} resamples without a model are left out." if n_unfitted else ""
    if n_empty := int(np.isnan(trained).any(axis=1).sum()):
        note += (
            f" In {n_empty} resamples the lasso keeps no column: slope and intercept are of the "
        )
        note = f"{note}others.".strip()
    estimates = tuple(
        Estimate(
            f"optimism_corrected_{name}",
            float(apparent[k] - optimism[k]),
            float(limits[0, k]) if name in ("auc", "brier") else None,
            float(limits[1, k]) if name in ("auc", "brier") else None,
            level if name in ("auc", "brier") else None,
            f"Harrell's optimism bootstrap, {n_resamples} resamples",
            seed=seed,
            note=note,
            extra={
                "apparent": float(apparent[k]),
                "optimism": float(optimism[k]),
                "n_unfitted": float(n_unfitted),
            },
            **design.counted(unit),
        )
        for k, name in enumerate(NAMES)
    )
    return Validation(estimates, _probability(full @ fit[0]), _probability(betas @ full.T))


def _refitted(
    full: Floats, outcome: Floats, draws: Sequence[Ints], method: Method | Penalty, seed: int
) -> Iterator[Fitted | None]:
    """Yield the model of all rows, and that of each resample."""
    if method == "ridge" or method == "lasso":
        folds = dealt(outcome, seed)
        times = np.stack([np.bincount(rows, minlength=outcome.size) for rows in draws])
        weights = np.vstack([np.ones(outcome.size), times])
        for beta in chosen_coefficients(full, outcome, weights, method, folds)[0]:
            yield beta, True
        return
    first = _fitted(full, outcome, method)
    yield first
    for place, rows in enumerate(draws):
        tell("resamples", place, len(draws))
        yield _fitted(full[rows], outcome[rows], method, None if first is None else first[0])


def _fitted(
    full: Floats, outcome: Floats, method: Method, start: Floats | None = None
) -> Fitted | None:
    """Return the coefficients, or None where nothing can be fitted."""
    if not 0 < outcome.sum() < outcome.size:
        return None
    columns = full[:, :-1]
    singular = np.linalg.svd(columns - columns.mean(axis=0), compute_uv=False)
    if singular[-1] < 1e-9 * singular[0]:
        return None
    separated = method == "auto" and _nearly_parted(full, outcome, start)
    try:
        if method == "firth" or separated:
            return firth_with_ridge(full, outcome, np.zeros(full.shape[1])), True
        return maximise(full, outcome, start=start)[0], False
    except (DataError, np.linalg.LinAlgError):
        return None


def _nearly_parted(full: Floats, outcome: Floats, start: Floats | None) -> bool:
    """Tell separated outcomes; where no probability comes near 0 or 1, they cannot be."""
    try:
        beta, _ = maximise(full, outcome, start=start)
    except (DataError, np.linalg.LinAlgError):
        return True
    if np.abs(full @ beta).max() < 12:
        return False
    return bool(separated_terms(full[:, :-1], outcome).any())


def _on_its_own(full: Floats, outcome: Floats, fit: Fitted) -> Floats | None:
    """Return the performance on the rows that were fitted, or None where they are told apart.

    Maximum likelihood has slope 1 there; coefficients that are shrunk have more.
    """
    beta, penalised = fit
    found = _performance(full @ beta, outcome)
    if found[0] == 1:
        return None
    if penalised:
        found[1:3] = _recalibrated(full @ beta, outcome)
    return found


def _performance(log_odds: Floats, outcome: Floats) -> Floats:
    """Return AUC, slope and intercept as a model has them on its own rows, and Brier score."""
    brier = float(np.mean((_probability(log_odds) - outcome) ** 2))
    return np.array([midrank_auc(outcome == 1, log_odds), 1.0, 0.0, brier])


def _probability(log_odds: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(log_odds / 2)))


def _recalibrated(log_odds: Floats, outcome: Floats) -> tuple[float, float]:
    """Return slope and intercept of the outcome on the log odds; NaN where these are all alike."""
    if np.ptp(log_odds) == 0:
        return np.nan, np.nan
    matrix = np.column_stack([np.ones(log_odds.size), log_odds])
    (intercept, slope), _ = maximise(matrix, outcome)
    return float(slope), float(intercept)
