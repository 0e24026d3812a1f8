"""What the editorial warns of, simulated on out-of-fold predictions.

Nothing is trained again. Each function says whom it draws and what it changes; the model, its
training patients and its probabilities stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

STRENGTHS = (0.0, 1.0, 2.0)
PREVALENCES = (0.1, 0.25, 0.5, 0.75)
ERROR_RATES = (0.0, 0.05, 0.1, 0.2)
N_READERS = 3


def referral_bias(
    y: ArrayLike,
    score: ArrayLike,
    reserve: ArrayLike,
    rng: np.random.Generator,
    *,
    n_draws: int = 200,
    strengths: Sequence[float] = STRENGTHS,
) -> pd.DataFrame:
    """Test a model on patients who were referred because of what their maps or records show.

    From the tested patients as many are drawn, with replacement, as there are; the chance to be
    drawn is 1 / (1 + exp(-strength × z)). Referred ``by the map``, z is the standardised lowness of
    the global reserve. Referred ``by the map and the factor``, z is that plus 1 for those who have
    the factor, each standardised: either brings a patient in, which changes how the two go
    together among those who come.

    Parameters
    ----------
    y : array-like of 0 and 1, shape (n,)
    score : array-like, shape (n,)
        Out-of-fold probabilities.
    reserve : array-like, shape (n,)
        Global flow reserve.
    rng : numpy.random.Generator
    n_draws : int
    strengths : sequence of float
        0 draws everybody alike: the reference.

    Returns
    -------
    DataFrame
        A line a setting; see `_summary`.
    """
    truth, probability = _checked(y, score)
    low = -_standardised(np.asarray(reserve, np.float64))
    both: NDArray[np.float64] = np.add(low, _standardised(truth.astype(np.float64)))
    rows = []
    for by, z in (("by the map", low), ("by the map and the factor", both)):
        for strength in strengths:
            chance = 1 / (1 + np.exp(-strength * z))
            drawn = (
                rng.choice(len(truth), len(truth), p=chance / chance.sum()) for _ in range(n_draws)
            )
            found = (_figures(truth[i], probability[i]) for i in drawn)
            rows.append({"setting": f"{by}, strength {strength:g}"} | _summary(found))
    return pd.DataFrame(rows)


def prevalence_shift(
    y: ArrayLike,
    score: ArrayLike,
    rng: np.random.Generator,
    *,
    n_draws: int = 200,
    prevalences: Sequence[float] = PREVALENCES,
) -> pd.DataFrame:
    """Test a model where the factor is rarer or more common than where it was trained.

    Patients with and without the factor are drawn with replacement, each from their own, in the
    stated shares. Maps given the factor stay as they are, so the AUC does too. ``corrected`` adds
    the difference of the two log odds to every prediction, which needs the new prevalence to be
    known.

    Returns
    -------
    DataFrame
        A line a prevalence, with the probabilities as they are and corrected.
    """
    truth, probability = _checked(y, score)
    own, cases, others = float(truth.mean()), np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
    log_odds = np.log(probability / (1 - probability))
    rows = []
    for prevalence in prevalences:
        shift = np.log(prevalence / (1 - prevalence)) - np.log(own / (1 - own))
        corrected = 1 / (1 + np.exp(-(log_odds + shift)))
        n_cases = max(1, min(len(truth) - 1, round(prevalence * len(truth))))
        draws = [
            np.concatenate([rng.choice(cases, n_cases), rng.choice(others, len(truth) - n_cases)])
            for _ in range(n_draws)
        ]
        for name, values in (("as it is", probability), ("corrected", corrected)):
            found = (_figures(truth[i], values[i]) for i in draws)
            setting = f"prevalence {prevalence:g} (was {own:.2f}), {name}"
            rows.append({"setting": setting} | _summary(found))
    return pd.DataFrame(rows)


def disagreeing_readers(
    y: ArrayLike,
    score: ArrayLike,
    rng: np.random.Generator,
    *,
    n_draws: int = 200,
    error_rates: Sequence[float] = ERROR_RATES,
) -> pd.DataFrame:
    """Test a model against readers who do not always agree on who has the factor.

    Each of three readers changes every recorded label with the same probability, independently of
    one another, of the map and of the label. The model is judged against one reader and against
    the majority of the three; `kappa` is Cohen's of two readers. Training labels stay as they were.

    Returns
    -------
    DataFrame
        A line an error rate and a reference.
    """
    truth, probability = _checked(y, score)
    rows = []
    for rate in error_rates:
        one, majority, kappas = [], [], []
        for _ in range(n_draws):
            wrong = rng.uniform(size=(N_READERS, len(truth))) < rate
            read = np.where(wrong, 1 - truth, truth)
            one.append(_figures(read[0], probability))
            majority.append(_figures((read.sum(axis=0) * 2 > N_READERS).astype(int), probability))
            kappas.append(_kappa(read[0], read[1]))
        kappa = float(np.mean(kappas))
        for name, found in (("one reader", one), ("majority of three", majority)):
            setting = f"each reader wrong in {rate:.0%}, against {name}"
            rows.append({"setting": setting} | _summary(found) | {"kappa": kappa})
    return pd.DataFrame(rows)


def scanner_shift(
    y: ArrayLike,
    score: ArrayLike,
    shifted: dict[float, NDArray[np.float64]],
    rng: np.random.Generator,
    *,
    n_draws: int = 200,
) -> pd.DataFrame:
    """Test a model on maps of a scanner that reads every flow too low or too high.

    The maps of the tested patients, at rest and at stress, were multiplied by a gain and given to
    the same out-of-fold model (`predict`); the reserve, their ratio, does not change. Intervals are
    of patients drawn with replacement.

    Parameters
    ----------
    y, score : array-like, shape (n,)
    shifted : dict of gain to ndarray, shape (n,)
        Probabilities from the changed maps.
    """
    truth, probability = _checked(y, score)
    draws = [rng.integers(len(truth), size=len(truth)) for _ in range(n_draws)]
    rows = []
    for gain, values in sorted({1.0: probability, **shifted}.items()):
        _, clipped = _checked(truth, values)
        found = (_figures(truth[i], clipped[i]) for i in draws)
        rows.append({"setting": f"scanner reads {gain:g} for 1"} | _summary(found))
    return pd.DataFrame(rows)


def area(y: ArrayLike, score: ArrayLike) -> float:
    """Return the AUC, ties counting half; NaN where one class is absent.

    Examples
    --------
    >>> area([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    truth, value = np.asarray(y) == 1, np.asarray(score, float)
    cases, others = value[truth], np.sort(value[~truth])
    if not cases.size or not others.size:
        return float("nan")
    below = np.searchsorted(others, cases, "left") + np.searchsorted(others, cases, "right")
    return float(below.mean() / (2 * others.size))


def _figures(y: NDArray[np.int64], score: NDArray[np.float64]) -> dict[str, float]:
    """Return AUC, accuracy at one half beside that of the majority, and calibration at large."""
    base = float(y.mean())
    return {
        "auc": area(y, score),
        "base_rate": base,
        "accuracy": float(np.mean((score >= 0.5) == (y == 1))),
        "accuracy_of_majority": max(base, 1 - base),
        "observed_minus_predicted": base - float(score.mean()),
    }


def _summary(found: Iterable[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure over the draws, and the middle 95 % of the AUC."""
    table = pd.DataFrame(list(found))
    low, high = np.nanquantile(table["auc"], [0.025, 0.975])
    made = {str(name): float(value) for name, value in table.mean().items()}
    return {"auc": made.pop("auc"), "auc_low": float(low), "auc_high": float(high)} | made


def _kappa(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    agreed = float(np.mean(one == other))
    a, b = float(one.mean()), float(other.mean())
    by_chance = a * b + (1 - a) * (1 - b)
    return (agreed - by_chance) / (1 - by_chance) if by_chance < 1 else 1.0


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.where(np.isfinite(values), values, np.nanmedian(values))
    spread = float(known.std())
    return np.zeros_like(known) if spread == 0 else (known - known.mean()) / spread


def _checked(y: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    truth = np.asarray(y).astype(np.int64)
    return truth, np.clip(np.asarray(score, float), 1e-6, 1 - 1e-6)
