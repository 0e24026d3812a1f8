"""Predicted risks by a time: whether they come true, and what deciding by them is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cardio_stats._numerics.intervals import normal_quantile, two_sided_p, wald_limits
from cardio_stats._numerics.validate import Floats, checked_fraction, checked_level
from cardio_stats.cox import CoxModel, fit_cox
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.smooth_calibration import CalibrationCurve
from cardio_stats.survival import FollowUp, SurvivalCurve
from cardio_stats.survival_scores import require_risks

N_POINTS = 101
FIGURES: Mapping[str, Callable[[Floats], Any]] = {
    "ici": np.mean,
    "e50": np.median,
    "e90": lambda error: np.quantile(error, 0.9),
}


@dataclass(frozen=True, slots=True)
class TimedCalibration:
    """How predicted risks by a time compare with what happened.

    Attributes
    ----------
    slope : Estimate
        Of the log cumulative hazard on the predicted one; 1 is right.
    errors : tuple of Estimate
        ``ici_at``, ``e50_at`` and ``e90_at``: mean, median and 90th percentile of the distance
        between the curve and the prediction. They have no interval: a distance is above 0 also
        where the truth is 0.
    curve : CalibrationCurve
    """

    slope: Estimate
    errors: tuple[Estimate, ...]
    curve: CalibrationCurve


def timed_calibration(
    follow_up: FollowUp,
    risk: Floats,
    time: float,
    *,
    level: float = 0.95,
    unit: str = "row",
) -> TimedCalibration:
    """Compare predicted risks by a time with those of a flexible Cox model of them.

    Parameters
    ----------
    follow_up : FollowUp
    risk : ndarray, shape (n,)
        Predicted probability of the event by `time`, strictly between 0 and 1.
    time : float
    level : float
    unit : str

    Returns
    -------
    TimedCalibration

    Raises
    ------
    DataError
        A risk that is none, or exactly 0 or 1; risks too much alike for three knots.

    Notes
    -----
    The observed risk is that of a Cox regression on a restricted cubic spline, of three knots, of
    log(-log(1 - risk)). Proportional hazards are assumed of it, not of the model that is judged.

    References
    ----------
    Austin PC, Harrell FE, van Klaveren D. Graphical calibration curves and the integrated
    calibration index (ICI) for survival models. Stat Med 2020;39:2714. van Houwelingen HC. Stat Med
    2000;19:3401 (slope).

    Examples
    --------
    >>> from cardio_stats.survival import follow_up_of
    >>> rng = np.random.default_rng(0)
    >>> risk = rng.uniform(0.1, 0.8, 500)
    >>> days = rng.exponential(-1 / np.log1p(-risk))  # so that the risk is right by day 1
    >>> table = pd.DataFrame({"days": np.minimum(days, 2), "died": (days < 2) * 1})
    >>> found = timed_calibration(follow_up_of(table, "days", "died"), risk, 1.0)
    >>> abs(found.slope.value - 1) < 0.15, found.errors[0].value < 0.05
    (True, True)
    """
    checked_level(level)
    require_risks(risk)
    if risk.min() <= 0 or risk.max() >= 1:
        raise DataError(
            "calibration by a time: expected risks strictly between 0 and 1, found some of exactly "
            "0 or 1, whose log cumulative hazard is infinite; say how they are to be clipped"
        )
    table = pd.DataFrame(
        {"time": follow_up.time, "event": follow_up.event * 1, "hazard": np.log(-np.log1p(-risk))}
    )
    straight = fit_cox(table, "time", "event", ["hazard"], level=level)
    curved = fit_cox(table, "time", "event", ["rcs(hazard, 3)"], level=level)
    error = np.abs(curved.predict(table, time) - risk)
    about = Estimate(
        "", 0.0, extra={"time": float(time)},
        method="Cox regression on a spline of the predicted log hazard",
        **follow_up.counted(unit),
    )  # fmt: skip
    slope, se = float(straight.coefficients[0]), float(straight.se[0])
    low, high = wald_limits(slope, se, level)
    return TimedCalibration(
        about.replace(
            name=f"calibration_slope_at[{time:g}]", value=slope, low=low, high=high, level=level,
            method="Cox regression on the predicted log hazard, Wald", extra={"se": se},
            p_value=two_sided_p((slope - 1) / se),
        ),
        tuple(about.replace(name=f"{name}_at[{time:g}]", value=float(of(error)))
              for name, of in FIGURES.items()),
        _curve(curved, table, risk, time, level, about),
    )  # fmt: skip


def _curve(
    model: CoxModel, table: pd.DataFrame, risk: Floats, time: float, level: float, about: Estimate
) -> CalibrationCurve:
    predicted = np.linspace(risk.min(), risk.max(), N_POINTS)
    points = pd.DataFrame({"hazard": np.log(-np.log1p(-predicted))})
    observed = model.predict(points, time)
    # limits on the scale of log(-log(1 - risk)), as those of R's survest
    hazard = -np.log1p(-observed)
    reach = normal_quantile(level) * model.hazard_error(points, time) / hazard
    low, high = (-np.expm1(-hazard * np.exp(sign * reach)) for sign in (-1, 1))
    return CalibrationCurve(
        predicted, observed, low, high, level, f"{about.method}; pointwise log-log limits",
        about.n, about.unit, about.n_patients, about.n_dropped,
    )  # fmt: skip


def timed_net_benefit(
    follow_up: FollowUp,
    risk: Floats,
    time: float,
    threshold: float,
    *,
    level: float = 0.95,
    unit: str = "row",
) -> Estimate:
    """Return the net benefit of treating those whose risk by a time reaches a threshold.

    Parameters
    ----------
    follow_up : FollowUp
    risk : ndarray, shape (n,)
        Predicted probability of the event by `time`.
    time, threshold : float
    level : float
    unit : str

    Returns
    -------
    Estimate
        ``extra`` holds ``threshold``, ``treat_all`` and ``n_treated``. Nobody treated is 0, without
        limits.

    Raises
    ------
    DataError
        A threshold that is no probability; nobody of the treated followed as long.

    Notes
    -----
    The share of true positives among the treated is their Kaplan-Meier risk. Its Greenwood
    variance and the binomial one of the share that is treated give the limits.

    References
    ----------
    Vickers AJ, Cronin AM, Elkin EB, Gonen M. BMC Med Inform Decis Mak 2008;8:53.

    Examples
    --------
    >>> from cardio_stats.survival import follow_up_of
    >>> table = pd.DataFrame({"days": [1, 2, 3, 4], "died": [1, 1, 1, 0]})
    >>> risk = np.array([0.9, 0.6, 0.4, 0.2])
    >>> timed_net_benefit(follow_up_of(table, "days", "died"), risk, 2.5, 0.5).value
    0.5
    """
    checked_fraction(threshold, "threshold")
    require_risks(risk)
    price = threshold / (1 - threshold)
    treated = risk >= threshold
    share = float(treated.mean())
    everybody, _ = _worth(follow_up, time, price)
    value, se = 0.0, None
    if share > 0:
        worth, error = _worth(follow_up.part(treated), time, price)
        value = share * worth
        se = float(np.hypot(share * error, worth * np.sqrt(share * (1 - share) / risk.size)))
    low, high = (None, None) if se is None else wald_limits(value, se, checked_level(level))
    return Estimate(
        f"net_benefit_at[{time:g}]", value, low, high, None if se is None else level,
        "Vickers-Elkin with Kaplan-Meier risks; normal limits",
        threshold_source=f"fixed {threshold:g}",
        extra={"time": float(time), "threshold": float(threshold), "treat_all": everybody,
               "n_treated": float(treated.sum())} | ({} if se is None else {"se": se}),
        **follow_up.counted(unit),
    )  # fmt: skip


def _worth(follow_up: FollowUp, time: float, price: float) -> tuple[float, float]:
    """Return the net benefit of treating all of these, and its standard error."""
    survival = SurvivalCurve.of(follow_up).at(time)
    return 1 - survival.value * (1 + price), survival.extra["se"] * (1 + price)


def timed_decision_curve(
    follow_up: FollowUp,
    risk: Floats,
    time: float,
    *,
    thresholds: Sequence[float] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return net benefit by a time over a range of thresholds.

    Parameters
    ----------
    follow_up, risk, time, level
        As for :func:`timed_net_benefit`.
    thresholds : sequence of float, optional
        0.01 to 0.99 by default. One above which nobody is followed as long is left out.

    Returns
    -------
    DataFrame
        As that of :func:`~cardio_stats.decision_curves.decision_curve`.
    """
    rows = []
    for threshold in np.linspace(0.01, 0.99, 99) if thresholds is None else thresholds:
        try:
            found = timed_net_benefit(follow_up, risk, time, float(threshold), level=level)
        except DataError:
            if thresholds is not None:
                raise
            continue
        low, high = (found.value if limit is None else limit for limit in found.ci)
        rows.append((float(threshold), found.value, low, high, found.extra["treat_all"], 0.0))
    names = ["threshold", "net_benefit", "low", "high", "treat_all", "treat_none"]
    return pd.DataFrame(rows, columns=names)
