"""The regression of one model where the outcome is no yes or no: several classes, or a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import DataError, Target
from cardio_spect_polar.response.fitting.regression import LARGEST_LOGIT, enterable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ridge:
    """A fitted ridge regression, linear for a number and multinomial for classes.

    Attributes
    ----------
    kind : {"multiclass", "continuous"}
    columns : tuple of str
    medians : tuple of float
        What stands in for a missing value: the training patients' median.
    coefficients : tuple of tuple of float
        Per unit of each column: one row a class, or one row for a number.
    intercepts : tuple of float
    left_out : dict of str to str
        Columns that could not enter, with the reason.
    """

    kind: str
    columns: tuple[str, ...]
    medians: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]
    left_out: dict[str, str]

    def scores(self, table: pd.DataFrame) -> Floats:
        """Return probabilities, shape (n, n_classes), or numbers, shape (n,)."""
        values = table[list(self.columns)].to_numpy(np.float64)
        filled = np.where(np.isfinite(values), values, np.array(self.medians))
        found = filled @ np.array(self.coefficients).T + np.array(self.intercepts)
        if self.kind == "continuous":
            return np.asarray(found[:, 0])
        powers = np.exp(np.clip(found - found.max(axis=1, keepdims=True), -LARGEST_LOGIT, 0))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Ridge:
        """Read what `dataclasses.asdict` made of it, through JSON."""
        lists = {name: tuple(stored[name]) for name in ("columns", "medians", "intercepts")}
        rows = tuple(map(tuple, stored["coefficients"]))
        return cls(**(stored | lists | {"coefficients": rows}))


def fit_ridge(table: pd.DataFrame, outcome: Floats, target: Target, strength: float) -> Ridge:
    """Regress several classes or a number on the columns of a table.

    Parameters
    ----------
    table : DataFrame, shape (n, k)
        See `response.regression.fit_regression`.
    outcome : ndarray, shape (n,)
        Numbers of classes, or values.
    target : Target
        Of what.
    strength : float
        Inverse strength of the penalty, on standardised columns; a number is standardised, too.

    Raises
    ------
    DataError
        If no column is left, fewer than two patients of a class, or values that are all equal.
    """
    columns, medians, left_out = enterable(table)
    centre, spread = columns.mean().to_numpy(), columns.std(ddof=0).to_numpy()
    x = np.asarray((columns - centre) / spread, np.float64)
    slopes, intercepts = (
        _linear(x, outcome, strength)
        if target.kind == "continuous"
        else _multinomial(x, outcome, target, strength)
    )
    slopes = slopes / spread
    return Ridge(
        target.kind,
        tuple(map(str, columns.columns)),
        tuple(float(value) for value in medians),
        tuple(tuple(float(value) for value in row) for row in slopes),
        tuple(float(value) for value in intercepts - slopes @ centre),
        left_out,
    )


def _linear(x: Floats, outcome: Floats, strength: float) -> tuple[Floats, Floats]:
    from sklearn.linear_model import Ridge as LinearRidge

    spread = outcome.std()
    if spread == 0:
        raise DataError(
            "regression: expected training patients with different values, found one value in all; "
            "take more patients"
        )
    fitted = LinearRidge(alpha=1 / strength).fit(x, outcome / spread)
    return np.atleast_2d(fitted.coef_) * spread, np.atleast_1d(fitted.intercept_) * spread


def _multinomial(
    x: Floats, outcome: Floats, target: Target, strength: float
) -> tuple[Floats, Floats]:
    from sklearn.linear_model import LogisticRegression

    counts = {name: int((outcome == code).sum()) for code, name in enumerate(target.classes)}
    if min(counts.values()) < 2:
        found = ", ".join(f"{n} {name}" for name, n in counts.items())
        raise DataError(
            f"regression: expected two or more training patients of each class, found {found}; "
            "take fewer folds (protocols.honest.k, inner.k=0) or more patients"
        )
    fitted = LogisticRegression(C=strength, max_iter=5000).fit(x, outcome)
    return np.asarray(fitted.coef_, np.float64), np.asarray(fitted.intercept_, np.float64)
