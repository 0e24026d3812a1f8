"""Restricted cubic splines: a number that enters a regression as a curve, straight at both ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from cardio_stats._numerics.display import p_text
from cardio_stats._numerics.intervals import normal_quantile
from cardio_stats._numerics.validate import Floats
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

if TYPE_CHECKING:
    from cardio_stats._numerics.columns import Predictor

QUANTILES = {
    3: (0.10, 0.5, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.5, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.18333, 0.34167, 0.5, 0.65833, 0.81667, 0.975),
}
"""Where knots lie by default (Harrell, Regression modeling strategies, table 2.3)."""
MIN_FOR_TAILS = 100
"""With fewer rows the outer knots are the fifth smallest and the fifth largest value."""
_WRITTEN = re.compile(r"rcs\((?P<column>.+?)(?:,\s*(?P<n>\d+)\s*)?\)")


def spline_asked(feature: str) -> tuple[str, int] | None:
    """Return column and number of knots of ``rcs(column, knots)``, None of any other word.

    Examples
    --------
    >>> spline_asked("rcs(age_y, 4)"), spline_asked("rcs(age_y)"), spline_asked("age_y")
    (('age_y', 4), ('age_y', 5), None)
    """
    found = _WRITTEN.fullmatch(feature.strip())
    return None if found is None else (found["column"].strip(), int(found["n"] or 5))


def spline_knots(values: Floats, n_knots: int, name: str) -> tuple[float, ...]:
    """Return the knots of a column, at quantiles of its known values, as rms.

    Raises
    ------
    DataError
        A number of knots other than 3 to 7; values so alike that knots fall together.

    Examples
    --------
    >>> spline_knots(np.arange(1.0, 202), 3, "age_y")
    (21.0, 101.0, 181.0)
    """
    if n_knots not in QUANTILES:
        raise DataError(f"rcs({name}, {n_knots}): expected 3 to 7 knots, found {n_knots}")
    known = np.sort(values[~np.isnan(values)])
    knots = np.quantile(known, QUANTILES[n_knots]) if known.size else np.zeros(n_knots)
    if 5 <= known.size < MIN_FOR_TAILS:
        knots[0], knots[-1] = known[4], known[-5]
    if (np.diff(knots) <= 0).any():
        raise DataError(
            f"rcs({name}, {n_knots}): expected values with {n_knots} different knots, found "
            f"{np.unique(known).size} different values in {known.size} rows; take fewer knots, or "
            "the column as it stands"
        )
    return tuple(float(knot) for knot in knots)


def spline_basis(values: Floats, knots: tuple[float, ...]) -> Floats:
    """Return the column and its curved parts, shape (n, n_knots - 1); NaN stays.

    Notes
    -----
    Cubic between the knots and linear beyond the outer ones; divided by the squared distance of
    these, so that every part is in the column's unit. Without knots it is the column alone.

    References
    ----------
    Stone CJ, Koo CY. Proc Stat Comp Sect Am Stat Assoc 1985:45. Harrell FE. Regression modeling
    strategies, 2nd ed. (2015), equations 2.25 to 2.27.

    Examples
    --------
    >>> spline_basis(np.array([0.0, 1, 2, 3]), (0.0, 1.0, 2.0)).round(2).tolist()
    [[0.0, 0.0], [1.0, 0.25], [2.0, 1.5], [3.0, 3.0]]
    """
    if not knots:
        return values[:, np.newaxis]
    t = np.asarray(knots)
    cubes = np.maximum(values[:, np.newaxis] - t, 0.0) ** 3
    last, before = t[-1], t[-2]
    left = (last - t[:-2]) / (last - before)
    right = (before - t[:-2]) / (last - before)
    curved = cubes[:, :-2] - cubes[:, [-2]] * left + cubes[:, [-1]] * right
    return np.column_stack([values, curved / (last - t[0]) ** 2])


@dataclass(frozen=True, slots=True)
class EffectCurve:
    """The effect of a number over its range, against one value of it, all else equal.

    Attributes
    ----------
    column : str
    kind : str
        ``"odds ratio"`` or ``"hazard ratio"``.
    values, ratio, low, high : ndarray, shape (n_points,)
        The ratio to the risk at `reference`, with pointwise limits.
    reference : float
    knots : tuple of float
    level : float
    """

    column: str
    kind: str
    values: Floats
    ratio: Floats
    low: Floats
    high: Floats
    reference: float
    knots: tuple[float, ...]
    level: float


@dataclass(frozen=True, slots=True)
class SplineFound:
    """A spline of a model: its ratio between quartiles, and its two tests."""

    predictor: Predictor
    ratio: Estimate
    association: Estimate
    nonlinearity: Estimate

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """All three."""
        return self.ratio, self.association, self.nonlinearity

    def sentence(self) -> str:
        """Return knots, quartiles and tests in words."""
        tests = ", ".join(
            f"{words} chi2 {test.value:.2f}, {test.extra['df']:.0f} df, p {p_text(test.p_value)}"
            for words, test in (
                ("association", self.association), ("non-linearity", self.nonlinearity)
            )
        )  # fmt: skip
        known, knots = self.predictor.spread, self.predictor.knots
        return (
            f"{self.predictor.feature}: {self.ratio.name.partition('[')[0].replace('_', ' ')} of "
            f"{known[3]:g} against {known[1]:g}, the quartiles; knots at "
            f"{', '.join(f'{knot:g}' for knot in knots)}; {tests} (Wald)."
        )


class CurvedEffects:
    """What a fitted model says of one of its numbers, splines among them."""

    __slots__ = ()
    RATIO: ClassVar[str]
    """``"odds ratio"`` or ``"hazard ratio"``."""
    predictors: tuple[Predictor, ...]
    terms: tuple[str, ...]
    coefficients: Floats
    covariance: Floats

    def effect(
        self,
        feature: str,
        values: ArrayLike | None = None,
        *,
        reference: float | None = None,
        level: float = 0.95,
    ) -> EffectCurve:
        """Return the ratio of each value of a number against one of them, all else equal.

        Parameters
        ----------
        feature : str
            A number of the model, by its column or as it was asked for.
        values : array-like, shape (n_points,), optional
            Two hundred over its range by default.
        reference : float, optional
            Its median by default.
        level : float

        Raises
        ------
        DataError
            No number of that name in the model.
        """
        predictor, own = self._place(feature)
        low, _, middle, _, high = predictor.spread
        points = np.linspace(low, high, 200) if values is None else np.atleast_1d(values)
        origin = middle if reference is None else float(reference)
        at = spline_basis(points.astype(np.float64), predictor.knots)
        step = at - spline_basis(np.array([origin]), predictor.knots)
        covariance = self.covariance[np.ix_(own, own)]
        log = step @ self.coefficients[own]
        reach = normal_quantile(level) * np.sqrt(np.einsum("ij,jk,ik->i", step, covariance, step))
        return EffectCurve(
            predictor.column, self.RATIO, points, np.exp(log), np.exp(log - reach),
            np.exp(log + reach), origin, predictor.knots, level,
        )  # fmt: skip

    def quartile_ratio(self, feature: str, about: Estimate) -> Estimate:
        """Return the ratio of the upper against the lower quartile of a number, as rms's summary.

        `about` holds n, unit and level.
        """
        predictor, _ = self._place(feature)
        _, lower, _, upper, _ = predictor.spread
        curve = self.effect(feature, [upper], reference=lower, level=about.level or 0.95)
        return about.replace(
            name=f"{self.RATIO.replace(' ', '_')}[{predictor.feature}: {upper:g} against "
            f"{lower:g}]",
            value=float(curve.ratio[0]), low=float(curve.low[0]), high=float(curve.high[0]),
            method="Wald interval",
        )  # fmt: skip

    def spline_tests(self, feature: str, about: Estimate) -> tuple[Estimate, Estimate]:
        """Test all parts of a spline, and those that bend it: Wald tests, as rms's anova.

        `about` holds n and unit.

        Returns
        -------
        association, nonlinearity : Estimate
        """
        predictor, own = self._place(feature)

        def tested(name: str, part: list[int]) -> Estimate:
            beta, covariance = self.coefficients[part], self.covariance[np.ix_(part, part)]
            statistic = float(beta @ np.linalg.solve(covariance, beta))
            return about.replace(
                name=f"{name}_chi2[{predictor.feature}]", value=statistic, level=None,
                method=f"Wald test, {len(part)} df", extra={"df": float(len(part))},
                p_value=float(chdtrc(len(part), statistic)),
            )  # fmt: skip

        return tested("association", own), tested("nonlinearity", own[1:])

    def splines(self, about: Estimate) -> dict[str, SplineFound]:
        """Return what is said of each spline, by feature; `about` holds n, unit and level."""
        return {
            one.feature: SplineFound(
                one, self.quartile_ratio(one.feature, about), *self.spline_tests(one.feature, about)
            )
            for one in self.predictors
            if one.knots
        }

    def _place(self, feature: str) -> tuple[Predictor, list[int]]:
        for one in self.predictors:
            if feature in (one.feature, one.column) and one.spread:
                return one, [self.terms.index(term) for term in one.terms]
        numbers = ", ".join(one.column for one in self.predictors if one.spread)
        raise DataError(
            f"{feature!r}: expected a number of the model, found none; it has {numbers}"
        )
