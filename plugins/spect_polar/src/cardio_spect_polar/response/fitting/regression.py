"""The logistic regression of one model: fitted on what is known, and kept as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import DataError
from cardio_spect_polar.response.config import RegressionBlock

Floats = NDArray[np.float64]

LARGEST_LOGIT = 30.0
"""Beyond it a probability is 0 or 1 in 64 bits."""
OUTCOME = "response"


@dataclass(frozen=True)
class Regression:
    """A fitted logistic regression.

    Attributes
    ----------
    columns : tuple of str
    medians : tuple of float
        What stands in for a missing value: the training patients' median.
    coefficients : tuple of float
        Log odds per unit.
    intercept : float
    method : str
    left_out : dict of str to str
        Columns that could not enter, with the reason.
    """

    columns: tuple[str, ...]
    medians: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    method: str
    left_out: dict[str, str]

    def probabilities(self, table: pd.DataFrame) -> Floats:
        """Return the probability of response of each row, shape (n,)."""
        values = table[list(self.columns)].to_numpy(np.float64)
        filled = np.where(np.isfinite(values), values, np.array(self.medians))
        logit = filled @ np.array(self.coefficients) + self.intercept
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -LARGEST_LOGIT, LARGEST_LOGIT))))

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Regression:
        """Read what `dataclasses.asdict` made of it, through JSON."""
        lists = {name: tuple(stored[name]) for name in ("columns", "medians", "coefficients")}
        return cls(**(stored | lists))


def fit_regression(table: pd.DataFrame, outcome: Floats, settings: RegressionBlock) -> Regression:
    """Regress the outcome on the columns of a table.

    Parameters
    ----------
    table : DataFrame, shape (n, k)
        Numbers; a missing one becomes the median. Columns that are empty or constant are left out
        and named.
    outcome : ndarray of 0 and 1, shape (n,)
    settings : RegressionBlock

    Raises
    ------
    DataError
        If no column is left, or fewer than two patients of either class.
    """
    counts = [int((outcome == label).sum()) for label in (1, 0)]
    if min(counts) < 2:
        raise DataError(
            f"regression: expected two or more training patients with and without response, found "
            f"{counts[0]} and {counts[1]}; take fewer folds (protocols.honest.k, inner.k=0) or "
            "more patients"
        )
    used, medians, left_out = enterable(table)
    if settings.method == "ridge":
        coefficients, intercept, method = _ridge(used, outcome, settings.ridge_c)
    else:
        coefficients, intercept, method = _likelihood(used, outcome, settings.method)
    return Regression(
        tuple(map(str, used.columns)),
        tuple(float(value) for value in medians),
        tuple(float(value) for value in coefficients),
        float(intercept),
        method,
        left_out,
    )


def enterable(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[Any], dict[str, str]]:
    """Return the columns that can enter, filled, their medians, and why others cannot.

    Raises
    ------
    DataError
        If none can.
    """
    left_out = {str(name): reason for name in table if (reason := _unusable(table[name]))}
    used = table.drop(columns=list(left_out)).astype(np.float64)
    if used.empty:
        reasons = ", ".join(f"{name} ({reason})" for name, reason in left_out.items())
        raise DataError(
            f"regression: expected a column that varies between training patients, found none of "
            f"{reasons}; leave this model out with --set models=[...]"
        )
    medians = used.median()
    return used.fillna(medians), medians, left_out


def _unusable(column: pd.Series[Any]) -> str:
    known = column.dropna()
    if known.empty:
        return "empty"
    filled = column.fillna(known.median())
    return "constant" if np.ptp(filled.to_numpy(np.float64)) == 0 else ""


def _ridge(used: pd.DataFrame, outcome: Floats, strength: float) -> tuple[Floats, float, str]:
    from sklearn.linear_model import LogisticRegression

    centre, spread = used.mean().to_numpy(), used.std(ddof=0).to_numpy()
    fitted = LogisticRegression(C=strength, max_iter=5000).fit((used - centre) / spread, outcome)
    coefficients = fitted.coef_[0] / spread
    return coefficients, float(fitted.intercept_[0] - coefficients @ centre), "ridge"


def _likelihood(used: pd.DataFrame, outcome: Floats, method: str) -> tuple[Floats, float, str]:
    """Fit by maximum likelihood or Firth's method; columns that are sums of others are refused."""
    model = stats.fit_logistic(
        used.assign(**{OUTCOME: outcome}),
        OUTCOME,
        list(used.columns),
        method="firth" if method == "firth" else "auto",
    )
    return model.coefficients, model.intercept, model.method
