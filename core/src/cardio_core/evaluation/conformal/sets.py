"""Conformal sets and intervals from out-of-fold predictions, with one score a patient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cardio_core.errors import DataError
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Kind, Target

Floats = NDArray[np.float64]
METHOD = "(n + 1)(1 - alpha) quantile of out-of-fold scores, the largest of each patient"


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
    """

    alpha: float
    quantile: float
    n_patients: int
    n_dropped: int
    method: str
    target: str
    kind: Kind
    classes: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """Why everything is covered, where it is; else empty."""
        if math.isfinite(self.quantile):
            return ""
        needed = max(2, math.ceil(1 / self.alpha - 1 - 1e-9))
        return (
            f"{self.n_patients} patients are too few for alpha = {self.alpha:g}, which needs at "
            f"least {needed}: every value is covered, and nothing is learnt."
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
            A row may be empty: no class is as probable as the truth usually is. That is an answer,
            not an error; such a case is unlike those that were calibrated on.

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
        scores = _probabilities(probabilities, self.classes, self.target)
        return np.asarray(1 - scores <= self.quantile)

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

    def coverage(self, frame: pd.DataFrame, *, level: float = 0.95) -> Estimate:
        """Return the share of patients whose every row is covered.

        Parameters
        ----------
        frame : DataFrame
            Predictions beside the truth, as for :func:`fit_conformal`, of other patients: on those
            calibrated on, coverage is at least ``1 - alpha`` by construction and shows nothing.
        level : float
            Of Wilson's interval over patients.

        Returns
        -------
        Estimate
            ``coverage``. ``extra`` holds the count `k` and, for sets, the mean number of classes
            in a row's set (``mean_set_size``) and the share of empty ones (``empty_share``).

        Raises
        ------
        DataError
            No patient with truth and score, or a frame of another target.
        """
        target = Target(self.target, self.kind, self.classes)
        scored = patient_scores(frame, target)
        from cardio_core.stats.classification.proportions import proportion

        found = proportion(
            int((scored.largest <= self.quantile).sum()),
            len(scored.largest),
            level=level,
            name="coverage",
            unit="patient",
        )
        extra = dict(found.extra)
        if self.kind != "continuous":
            held = self.sets(scored.known[score_columns(target)].to_numpy(float))
            extra["mean_set_size"] = float(held.sum(axis=1).mean())
            extra["empty_share"] = float((~held.any(axis=1)).mean())
        note = f"{self.note} A patient is covered when every one of the rows is.".strip()
        return found.replace(n_dropped=scored.n_dropped, extra=extra, note=note)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; an infinite quantile, which JSON has no word for, is null."""
        return {
            "alpha": self.alpha,
            "quantile": self.quantile if math.isfinite(self.quantile) else None,
            "n_patients": self.n_patients,
            "n_dropped": self.n_dropped,
            "method": self.method,
            "target": self.target,
            "kind": self.kind,
            "classes": list(self.classes),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Conformal:
        """Return the rule that `to_dict` wrote.

        Raises
        ------
        DataError
            A field is missing.
        """
        try:
            fields = {name: stored[name] for name in cls.__slots__}
        except KeyError as error:
            raise DataError(
                f"conformal rule: expected the fields {', '.join(cls.__slots__)}, found no "
                f"{error}; calibrate again"
            ) from None
        quantile = math.inf if fields["quantile"] is None else float(fields["quantile"])
        return cls(**fields | {"quantile": quantile, "classes": tuple(fields["classes"])})


@dataclass(frozen=True, slots=True)
class PatientScores:
    """Nonconformity by patient, and the rows that it came from.

    `largest`, shape (n_patients,), is the largest nonconformity of each patient's rows; `known` has
    the rows with truth and score, `n_dropped` counts the others.
    """

    largest: Floats
    known: pd.DataFrame
    n_dropped: int


def fit_conformal(frame: pd.DataFrame, target: Target, *, alpha: float = 0.1) -> Conformal:
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
    Each patient contributes one score, the largest over the rows (and repeats). Patients are
    exchangeable, rows of one patient are not; with the largest, a new patient's rows are *all*
    covered with probability ``1 - alpha``, hence any one of them too. The mean of a patient's
    scores promises nothing about a row, and rows as they come count a long recording many times.

    The bound is exact for patients exchangeable with those calibrated on and for one fitted model
    (split conformal prediction). Out-of-fold scores come from K models, and the one that is
    applied is fitted again on everybody: coverage is then close to ``1 - alpha`` where the fit is
    stable, but the only bound known without assumptions is that of CV+, about ``1 - 2 alpha``,
    and CV+ keeps the K models. It holds on average over patients, not within each class or group.

    References
    ----------
    Vovk V, Gammerman A, Shafer G. Algorithmic learning in a random world. Springer 2005.
    Sadinle M, Lei J, Wasserman L. J Am Stat Assoc 2019;114:223 (sets of least ambiguity).
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
    scored = patient_scores(frame, target)
    return Conformal(
        alpha,
        conformal_quantile(scored.largest, alpha),
        len(scored.largest),
        scored.n_dropped,
        METHOD,
        target.name,
        target.kind,
        target.classes,
    )


def conformal_quantile(scores: ArrayLike, alpha: float) -> float:
    """Return the ``ceil((n + 1)(1 - alpha))``-th smallest score, infinite if n is too small.

    Scores, shape (n,), are one nonconformity a patient; `alpha` lies between 0 and 1.

    Raises
    ------
    DataError
        Fewer than two scores, one that is missing, or `alpha` outside (0, 1).

    Examples
    --------
    >>> conformal_quantile(range(1, 20), alpha=0.1), conformal_quantile(range(1, 9), alpha=0.1)
    (18.0, inf)
    """
    if not 0 < alpha < 1:
        raise DataError(f"conformal alpha: expected a number between 0 and 1, found {alpha}")
    found = np.sort(np.asarray(scores, dtype=np.float64))
    if found.size < 2:
        raise DataError(
            f"conformal calibration: expected at least 2 patients with truth and prediction, found "
            f"{found.size}; add patients"
        )
    if np.isnan(found[-1]):
        raise DataError("conformal calibration: expected a score of every patient, found NaN")
    # (9 + 1)(1 - 0.3) is 7 in exact arithmetic and a little more or less in binary
    rank = math.ceil((found.size + 1) * (1 - alpha) - 1e-9)
    return float(found[rank - 1]) if rank <= found.size else math.inf


def patient_scores(frame: pd.DataFrame, target: Target) -> PatientScores:
    """Return the largest nonconformity of each patient's rows.

    The frame is as for :func:`fit_conformal`; rows without truth or score are dropped and counted.

    Raises
    ------
    DataError
        A column is missing, several models are mixed, or the truth is no class of the target.
    """
    columns = score_columns(target)
    absent = [name for name in ("subject_id", "y_true", *columns) if name not in frame.columns]
    if absent:
        raise DataError(
            f"predictions of {target.name}: expected the columns subject_id, y_true and "
            f"{', '.join(columns)}, found no {absent[0]}"
        )
    models = sorted(set(frame["model"])) if "model" in frame.columns else []
    if len(models) > 1:
        raise DataError(
            f"predictions of {target.name}: expected one model, found {', '.join(models)}; take "
            "the rows of one"
        )
    known = frame[frame[["subject_id", "y_true", *columns]].notna().all(axis=1)]
    if target.kind == "continuous":
        truth = known["y_true"].to_numpy(np.float64)
        scores = np.abs(known["score"].to_numpy(np.float64) - truth)
    else:
        codes = pd.Categorical(known["y_true"], categories=list(target.classes)).codes
        if (codes < 0).any():
            raise DataError(
                f"truth of {target.name}: expected one of {', '.join(target.classes)}, found "
                f"{known['y_true'][codes < 0].iloc[0]!r}"
            )
        held = _probabilities(known[columns].to_numpy(float), target.classes, target.name)
        scores = 1 - held[np.arange(len(held)), codes]
    largest = pd.Series(scores).groupby(known["subject_id"].to_numpy()).max()
    return PatientScores(largest.to_numpy(np.float64), known, len(frame) - len(known))


def _probabilities(given: ArrayLike, classes: tuple[str, ...], name: str) -> Floats:
    scores = np.asarray(given, dtype=np.float64)
    if scores.ndim == 1 and len(classes) == 2:
        scores = np.column_stack([1 - scores, scores])
    if scores.ndim != 2 or scores.shape[1] != len(classes):
        raise DataError(
            f"probabilities of {name}: expected shape (n, {len(classes)}), one column for each of "
            f"{', '.join(classes)}, found {scores.shape}"
        )
    if not ((scores >= 0) & (scores <= 1)).all():
        raise DataError(
            f"probabilities of {name}: expected numbers between 0 and 1, found others or missing "
            "ones; turn scores into probabilities first"
        )
    return scores
