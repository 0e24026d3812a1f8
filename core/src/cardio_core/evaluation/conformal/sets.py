"""Conformal sets and intervals from out-of-fold predictions, with one score a patient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cardio_core.errors import DataError
from cardio_core.evaluation.conformal.nonconformity import (
    Floats,
    class_probabilities,
    conformal_quantile,
    nonconformity,
)
from cardio_core.types.info import Kind, Target

METHOD = "(n + 1)(1 - alpha) quantile of out-of-fold scores, the largest of each patient"
BY_CLASS = f"{METHOD} with the class, by class"


@dataclass(frozen=True, slots=True)
class Conformal:
    """A calibrated rule that turns scores into prediction sets or intervals.

    Attributes
    ----------
    alpha : float
        Share of new patients that may be missed.
    quantile : float
        Largest nonconformity that is still covered: ``1 - p`` of a class, or the half-width of
        an interval in the target's unit. Infinite where there are too few patients for `alpha`;
        every class and every number is then covered, as `note` says.
    n_patients : int
        Patients whose scores were calibrated on; linked patients count once.
    n_dropped : int
        Rows without truth or without score.
    method : str
        As a methods section would say it.
    target : str
        Name of the target.
    kind : {"binary", "multiclass", "continuous"}
        Of the target. Continuous ones have intervals, the others sets.
    classes : tuple of str
        In the order of the columns of a set; empty for a continuous target.
    class_quantiles : tuple of float
        Largest nonconformity that is still covered in each class, where the sets are calibrated
        by class; `quantile`, that of all patients together, then decides nothing. Infinite for a
        class with too few patients, which every set holds. Empty otherwise.
    class_patients : tuple of int
        Patients with each class, whose scores were calibrated on.
    """

    alpha: float
    quantile: float
    n_patients: int
    n_dropped: int
    method: str
    target: str
    kind: Kind
    classes: tuple[str, ...] = ()
    class_quantiles: tuple[float, ...] = ()
    class_patients: tuple[int, ...] = ()

    @property
    def by_class(self) -> bool:
        """Whether coverage is promised within each class, and not on average alone."""
        return bool(self.class_quantiles)

    @property
    def limits(self) -> Floats:
        """The largest nonconformity that is covered, of each class (of numbers: the one)."""
        return np.array(self.class_quantiles or [self.quantile] * max(1, len(self.classes)))

    @property
    def learns(self) -> bool:
        """Whether anything is ever left out; else there are too few patients of every kind."""
        return bool(np.isfinite(self.limits).any())

    @property
    def always_held(self) -> tuple[str, ...]:
        """Classes with too few patients, which no set leaves out."""
        if not self.by_class:
            return ()
        pairs = zip(self.classes, self.class_quantiles, strict=True)
        return tuple(name for name, own in pairs if math.isinf(own))

    @property
    def note(self) -> str:
        """Why everything or a class is always covered, where it is; else empty."""
        needed = max(2, math.ceil(1 / self.alpha - 1 - 1e-9))
        asked = f"too few for alpha = {self.alpha:g}, which needs at least {needed}"
        if math.isinf(self.quantile):
            return (
                f"{self.n_patients} patients are {asked}: every value is covered, and nothing is "
                "learnt."
            )
        own = dict(zip(self.classes, self.class_patients, strict=False))
        found = [f"“{name}” ({own[name]})" for name in self.always_held]
        if not found:
            return ""
        if not self.learns:
            return (
                f"the patients of each class, {' and '.join(found)}, are {asked} of every class: "
                "every value is covered, and nothing is learnt."
            )
        return (
            f"Patients with {' and '.join(found)} are {asked} of every class: every set holds "
            f"{'it' if len(found) == 1 else 'these'}, so that nothing rules "
            f"{'it' if len(found) == 1 else 'them'} out."
        )

    def sets(self, probabilities: ArrayLike) -> NDArray[np.bool_]:
        """Return which classes each prediction set holds.

        Parameters
        ----------
        probabilities : array-like, shape (n, n_classes), or (n,) for a binary target
            Rows sum to one; with shape (n,), the probability of the positive class.

        Returns
        -------
        ndarray of bool, shape (n, n_classes)
            A row may be empty: no class is as probable as it is where it is true. That is an
            answer, not an error: the probability lies between those of the classes.

        Raises
        ------
        DataError
            The target is continuous, or these are no probabilities of its classes.
        """
        if self.kind == "continuous":
            raise DataError(
                f"prediction sets of {self.target}: expected classes, found a continuous target; "
                "use its intervals"
            )
        scores = class_probabilities(probabilities, self.classes, self.target)
        return np.asarray(1 - scores <= self.limits)

    def intervals(self, values: ArrayLike) -> Floats:
        """Return the limits around predicted numbers.

        Parameters
        ----------
        values : array-like, shape (n,)
            In the target's unit.

        Returns
        -------
        ndarray, shape (n, 2)
            Low and high; infinite where `quantile` is.

        Raises
        ------
        DataError
            The target has classes, or a value is not finite.
        """
        if self.kind != "continuous":
            raise DataError(
                f"prediction intervals of {self.target}: expected a continuous target, found "
                "classes; use its sets"
            )
        centre = np.asarray(values, dtype=np.float64)
        if centre.ndim != 1 or not np.isfinite(centre).all():
            raise DataError(
                f"prediction intervals of {self.target}: expected one finite number a row, found "
                f"shape {centre.shape} or missing values; leave such rows out"
            )
        return np.column_stack([centre - self.quantile, centre + self.quantile])

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; an infinite quantile, which JSON has no word for, is null."""
        return {
            "alpha": self.alpha,
            "quantile": _finite(self.quantile),
            "n_patients": self.n_patients,
            "n_dropped": self.n_dropped,
            "method": self.method,
            "target": self.target,
            "kind": self.kind,
            "classes": list(self.classes),
            "class_quantiles": [_finite(own) for own in self.class_quantiles],
            "class_patients": list(self.class_patients),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Conformal:
        """Return the rule that `to_dict` wrote; one without classes' quantiles has none.

        Raises
        ------
        DataError
            A field is missing.
        """
        needed = [field.name for field in fields(cls) if field.default is MISSING]
        absent = [name for name in needed if name not in stored]
        if absent:
            raise DataError(
                f"conformal rule: expected the fields {', '.join(needed)}, found no "
                f"{absent[0]!r}; calibrate again"
            )
        return cls(
            **{name: stored[name] for name in needed}
            | {
                "quantile": _infinite(stored["quantile"]),
                "classes": tuple(stored.get("classes", ())),
                "class_quantiles": tuple(map(_infinite, stored.get("class_quantiles", ()))),
                "class_patients": tuple(stored.get("class_patients", ())),
            }
        )


def _finite(quantile: float) -> float | None:
    return quantile if math.isfinite(quantile) else None


def _infinite(stored: float | None) -> float:
    return math.inf if stored is None else float(stored)


def fit_conformal(
    frame: pd.DataFrame, target: Target, *, alpha: float = 0.1, by_class: bool = False
) -> Conformal:
    """Calibrate prediction sets or intervals on out-of-fold predictions of one model.

    Parameters
    ----------
    frame : DataFrame
        One model's rows of `Scored.frames[target.name]`: subject_id, y_true and the score columns.
        No row may be predicted by a model that was fitted on its patient.
    target : Target
        Classes are scored by ``1 - p`` of the true one, numbers by the absolute residual.
    alpha : float
        Between 0 and 1: share of new patients that may be missed.
    by_class : bool
        Calibrate each class on the patients who have it (Mondrian sets): of the new patients of
        *each* class, a share of `alpha` may be missed. Changes nothing for a continuous target.

    Returns
    -------
    Conformal

    Raises
    ------
    DataError
        Fewer than two patients, several models in one frame, a true class that the target does
        not have, or `alpha` outside (0, 1).

    Notes
    -----
    Each patient contributes one score, the largest over the rows. Patients are exchangeable, rows
    of one patient are not; with the largest, a new patient's rows are *all* covered with
    probability ``1 - alpha``, hence any one of them too. The mean of a patient's scores promises
    nothing about a row, and rows as they come count a long recording many times. Of repeated
    folds (a column ``repeat``) each repeat gives a score that weighs its share of one patient:
    the quantile is of a model of any one repeat, as the one that is applied is, and the largest
    over repeats would be of the worst of them.

    The bound is exact for patients exchangeable with those calibrated on and for one fitted model
    (split conformal prediction). Out-of-fold scores come from K models, and the one that is
    applied is fitted again on everybody: coverage is then close to ``1 - alpha`` where the fit is
    stable, but the only bound known without assumptions is that of CV+, about ``1 - 2 alpha``,
    and CV+ keeps the K models.

    Without `by_class` the bound holds on average over patients: where nine of ten are healthy, sets
    that never hold the disease keep it. By class it holds within each class, so on average too, and
    whatever the classes' shares among new patients are. A class with fewer than ``1/alpha - 1``
    patients is then in every set.

    References
    ----------
    Vovk V, Gammerman A, Shafer G. Algorithmic learning in a random world. Springer 2005.
    Sadinle M, Lei J, Wasserman L. J Am Stat Assoc 2019;114:223 (sets of least ambiguity).
    Vovk V. Conditional validity of inductive conformal predictors. Mach Learn 2013;92:349.
    Barber RF et al. Predictive inference with the jackknife+. Ann Stat 2021;49:486 (CV+).

    Examples
    --------
    >>> frame = pd.DataFrame({"subject_id": list("abcdefghi"), "y_true": ["yes"] * 9,
    ...                       "score:no": [i / 10 for i in range(1, 10)]})
    >>> frame["score:yes"] = 1 - frame["score:no"]
    >>> rule = fit_conformal(frame, Target("event", "binary", ("no", "yes")), alpha=0.2)
    >>> round(rule.quantile, 3), rule.sets([0.9, 0.5]).tolist()
    (0.8, [[False, True], [True, True]])
    """
    scored = nonconformity(frame, target)
    scores, weights = scored.of_patients()
    quantile = conformal_quantile(scores, alpha, weights)
    own: list[float] = []
    counts: list[int] = []
    if by_class and target.kind != "continuous":
        for code in range(len(target.classes)):
            scores_of, weights_of = scored.of_patients(code)
            counts.append(round(weights_of.sum()))
            few = counts[-1] < 2
            own.append(math.inf if few else conformal_quantile(scores_of, alpha, weights_of))
    return Conformal(
        alpha,
        quantile,
        round(weights.sum()),
        scored.n_dropped,
        BY_CLASS if own else METHOD,
        target.name,
        target.kind,
        target.classes,
        tuple(own),
        tuple(counts),
    )
