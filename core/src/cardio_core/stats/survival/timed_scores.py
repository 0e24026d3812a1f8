"""Scores against what had happened by a time: AUC and Brier score, weighted for censoring."""

from __future__ import annotations

import numpy as np

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import logit_limits, wald_limits
from cardio_core.stats.foundation.validate import Bools, Floats, checked_level, unit_count
from cardio_core.stats.survival.censoring import Censoring
from cardio_core.stats.survival.follow_up import FollowUp
from cardio_core.stats.survival.product_limit import kaplan_meier
from cardio_core.types.estimate import Estimate

WEIGHTED = "weighted for censoring (Kaplan-Meier)"


def timed_auc(
    follow_up: FollowUp, score: Floats, time: float, *, level: float = 0.95, unit: str = "row"
) -> Estimate:
    """Return how well a score tells who has the event by a time from who has not.

    Parameters
    ----------
    follow_up : FollowUp
    score : ndarray, shape (n,)
        Higher means an earlier event.
    time : float
    level : float
    unit : str

    Returns
    -------
    Estimate
        The cumulative/dynamic AUC: cases had the event by `time`, controls were followed beyond
        it. Ties count one half. The error allows for the estimated weights (R:
        ``riskRegression::Score``, ``timeROC``), the limits are Wald's on the log odds.
        ``extra`` has ``n_cases``, ``n_controls`` and ``n_censored``, censored before `time` and
        in neither group.

    Raises
    ------
    DataError
        Fewer than two cases or controls at that time.

    References
    ----------
    Uno H, Cai T, Tian L, Wei LJ. J Am Stat Assoc 2007;102:527. Blanche P, Dartigues JF,
    Jacqmin-Gadda H. Stat Med 2013;32:5381.
    """
    checked_level(level)
    censoring, weights, had_it, beyond = _weighed(follow_up, time)
    n = follow_up.n
    cases, controls = weights * had_it / n, weights * beyond / n
    lower = _share_below(score, controls)
    higher = cases.sum() - _share_below(score, cases)
    share_cases, share_controls = float(cases.sum()), float(controls.sum())
    value = float(cases @ lower) / (share_cases * share_controls)
    for_cases = cases * (lower / share_controls - value) / share_cases
    for_controls = controls * (higher / share_cases - value) / share_controls
    # a control's weight is the same for all and cancels
    moved = censoring.moved_by(n * for_cases, follow_up.time)
    influence = n * (for_cases + for_controls) + moved
    se = _error(influence)
    low, high = wald_limits(value, se, level, within=(0.0, 1.0))
    note = ""
    if 0 < value < 1 and se > 0:
        low, high = logit_limits(value, se, level)
    else:
        note = "One score tells all cases from all controls: the interval says nothing."
    return Estimate(
        f"auc_at[{time:g}]",
        value,
        low,
        high,
        level,
        f"cumulative/dynamic AUC, {WEIGHTED}, logit interval",
        **unit_count(n, None, unit),
        n_dropped=follow_up.n_dropped,
        note=note,
        extra={"se": se, "time": float(time), **_counts(had_it, beyond)},
    )


def timed_brier(
    follow_up: FollowUp, risk: Floats, time: float, *, level: float = 0.95, unit: str = "row"
) -> tuple[Estimate, Estimate]:
    """Return the mean squared error of predicted risks by a time, and the gain on one risk for all.

    Parameters
    ----------
    follow_up : FollowUp
    risk : ndarray, shape (n,)
        Predicted probability of the event by `time`.
    time : float
    level : float
    unit : str

    Returns
    -------
    brier, scaled : Estimate
        Brier's score, and 1 - its ratio to that of the Kaplan-Meier risk of everybody (the "index
        of prediction accuracy"). The error of the first allows for the estimated weights (R:
        ``riskRegression::Score``); the second has no interval.

    Raises
    ------
    DataError
        A risk below 0 or above 1; fewer than two cases or controls at that time.

    References
    ----------
    Graf E, Schmoor C, Sauerbrei W, Schumacher M. Stat Med 1999;18:2529. Gerds TA, Schumacher M.
    Biom J 2006;48:1029. Kattan MW, Gerds TA. Diagn Progn Res 2018;2:7.
    """
    checked_level(level)
    require_risks(risk)
    censoring, weights, had_it, beyond = _weighed(follow_up, time)
    loss = weights * np.where(had_it, (1 - risk) ** 2, np.where(beyond, risk**2, 0.0))
    value = float(loss.mean())
    until = np.where(had_it, follow_up.time, np.nextafter(time, np.inf))
    se = _error(loss - value + censoring.moved_by(loss, until))
    low, high = wald_limits(value, se, level, within=(0.0, 1.0))
    common = unit_count(follow_up.n, None, unit)
    extra = {"time": float(time), **_counts(had_it, beyond)}
    brier = Estimate(
        f"brier_at[{time:g}]", value, low, high, level, f"{WEIGHTED}, Wald interval", **common,
        n_dropped=follow_up.n_dropped, extra={"se": se, **extra},
    )  # fmt: skip
    for_all = 1 - kaplan_meier(follow_up).at(time).value
    null = weights * np.where(had_it, (1 - for_all) ** 2, np.where(beyond, for_all**2, 0.0))
    scaled = Estimate(
        f"scaled_brier_at[{time:g}]", 1 - value / float(null.mean()),
        method=f"1 - Brier score / that of the Kaplan-Meier risk, {WEIGHTED}", **common,
        n_dropped=follow_up.n_dropped, extra={"null_brier": float(null.mean()), **extra},
    )  # fmt: skip
    return brier, scaled


def observed_over_expected(
    follow_up: FollowUp, risk: Floats, time: float, *, level: float = 0.95, unit: str = "row"
) -> Estimate:
    """Return the Kaplan-Meier risk by a time over the mean predicted one; 1 is right.

    Parameters
    ----------
    follow_up, risk, time, level, unit
        As for :func:`timed_brier`.

    Returns
    -------
    Estimate
        ``extra`` has ``observed`` and ``expected``. The limits are those of the observed risk.

    References
    ----------
    McLernon DJ, Giardiello D, Van Calster B, et al. Ann Intern Med 2023;176:105.
    """
    require_risks(risk)
    survival = kaplan_meier(follow_up, level=level).at(time)
    expected, observed = float(risk.mean()), 1 - survival.value
    if expected == 0:
        raise DataError("predicted risks: expected some above 0, found 0 in every row")
    limits = (survival.high, survival.low)
    low, high = (None if one is None else (1 - one) / expected for one in limits)
    return Estimate(
        f"observed_over_expected_at[{time:g}]", observed / expected, low, high, level,
        "Kaplan-Meier risk / mean predicted risk, log-log interval",
        **unit_count(follow_up.n, None, unit), n_dropped=follow_up.n_dropped,
        extra={"observed": observed, "expected": expected, "time": float(time)},
    )  # fmt: skip


def require_risks(risk: Floats) -> None:
    """Refuse what is no probability."""
    if risk.min() < 0 or risk.max() > 1:
        raise DataError(
            f"predicted risks: expected probabilities from 0 to 1, found {risk.min():.3g} to "
            f"{risk.max():.3g}; divide percentages by 100, or give a score that is no risk as score"
        )


def _weighed(follow_up: FollowUp, time: float) -> tuple[Censoring, Floats, Bools, Bools]:
    """Return weights, and who had the event by a time and who was followed beyond it."""
    had_it = follow_up.event & (follow_up.time <= time)
    beyond = follow_up.time > time
    n_cases, n_controls = int(had_it.sum()), int(beyond.sum())
    if min(n_cases, n_controls) < 2:
        raise DataError(
            f"at {time:g}: expected at least 2 rows with the event by then and 2 that were "
            f"followed beyond, found {n_cases} and {n_controls} of {follow_up.n}; choose a time "
            f"within the follow-up ({follow_up.time.min():g} to {follow_up.time.max():g})"
        )
    censoring = Censoring.of(follow_up)
    weights = np.zeros(follow_up.n)
    weights[had_it] = 1 / censoring.before(follow_up.time[had_it])
    weights[beyond] = 1 / censoring.at(time)
    return censoring, weights, had_it, beyond


def _share_below(score: Floats, weights: Floats) -> Floats:
    """Return the weight of all below each row's score, and half of those that have it."""
    order = np.argsort(score, kind="stable")
    added = np.concatenate([[0.0], np.cumsum(weights[order])])
    ordered = score[order]
    below = added[np.searchsorted(ordered, score, side="left")]
    return np.asarray((below + added[np.searchsorted(ordered, score, side="right")]) / 2)


def _error(influence: Floats) -> float:
    return float(influence.std(ddof=1) / np.sqrt(influence.size))


def _counts(had_it: Bools, beyond: Bools) -> dict[str, float]:
    n_cases, n_controls = int(had_it.sum()), int(beyond.sum())
    return {
        "n_cases": float(n_cases),
        "n_controls": float(n_controls),
        "n_censored": float(had_it.size - n_cases - n_controls),
    }
