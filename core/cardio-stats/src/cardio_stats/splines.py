"""What a fitted model says of a number along its range, of restricted cubic splines among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from cardio_stats._numerics.columns import Predictor
from cardio_stats._numerics.display import p_text
from cardio_stats._numerics.intervals import normal_quantile
from cardio_stats._numerics.spline_basis import spline_basis
from cardio_stats._numerics.validate import Floats
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate


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
            predictor.feature: SplineFound(
                predictor,
                self.quartile_ratio(predictor.feature, about),
                *self.spline_tests(predictor.feature, about),
            )
            for predictor in self.predictors
            if predictor.knots
        }

    def _place(self, feature: str) -> tuple[Predictor, list[int]]:
        for item in self.predictors:
            if feature in (item.feature, item.column) and item.spread:
                return item, [self.terms.index(term) for term in item.terms]
        numbers = ", ".join(predictor.column for predictor in self.predictors if predictor.spread)
        raise DataError(
            f"{feature!r}: expected a number of the model, found none; it has {numbers}"
        )
