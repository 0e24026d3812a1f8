"""Counts of reference against predicted classes, and the rates that follow from them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats, Ints


@dataclass(frozen=True, slots=True)
class LabelledEvents:
    """Reference and predicted class of every event, as numbers.

    Attributes
    ----------
    reference, predicted : ndarray of int64, shape (n,)
        Position in `classes`; ``len(classes)`` where there is none: a predicted class without a
        reference event is a false detection, a reference event without a prediction is missed.
    classes : tuple of str
    """

    reference: Ints
    predicted: Ints
    classes: tuple[str, ...]

    @property
    def cells(self) -> Ints:
        """Cell of the flattened confusion table that each event falls into."""
        return self.reference * (len(self.classes) + 1) + self.predicted


def labelled_events(
    reference: ArrayLike, predicted: ArrayLike, classes: Sequence[Hashable]
) -> LabelledEvents:
    """Number the classes of reference and prediction; missing labels become "none".

    Raises
    ------
    DataError
        A label outside `classes`, repeated classes, columns of different lengths, or an event
        that has neither a reference nor a prediction.
    """
    names = tuple(str(label) for label in classes)
    if len(set(names)) < len(names) or not names:
        raise DataError(f"classes: expected different names, found {', '.join(names) or 'none'}")
    codes_reference = _codes(reference, classes, "reference")
    codes_predicted = _codes(predicted, classes, "predicted")
    if codes_reference.size != codes_predicted.size:
        raise DataError(
            f"expected one prediction for each reference, found {codes_predicted.size} for "
            f"{codes_reference.size}; give a missed event the prediction None"
        )
    if codes_reference.size == 0:
        raise DataError("reference: expected events, found none")
    neither = (codes_reference == len(names)) & (codes_predicted == len(names))
    if neither.any():
        raise DataError(
            f"expected a reference or a prediction for every event, found {int(neither.sum())} "
            "with neither; leave them out"
        )
    return LabelledEvents(codes_reference, codes_predicted, names)


def _codes(labels: ArrayLike, classes: Sequence[Hashable], name: str) -> Ints:
    import pandas as pd

    series = pd.Series(labels)
    codes = pd.Categorical(series, categories=list(classes)).codes.astype(np.int64)
    unknown = series[(codes < 0) & series.notna().to_numpy()]
    if len(unknown):
        raise DataError(
            f"{name}: expected one of {', '.join(map(str, classes))}, found {unknown.iloc[0]!r}; "
            "map it to a class or leave the event out"
        )
    return np.where(codes < 0, len(classes), codes)


def class_rates(
    confusion: Floats, forgiven: Sequence[tuple[int, int]] = ()
) -> dict[str, tuple[Floats, Floats]]:
    """Return numerator and denominator of each rate of each class.

    Parameters
    ----------
    confusion : ndarray, shape (..., n_classes + 1, n_classes + 1)
        Rows reference, columns prediction; the last row holds false detections, the last column
        missed events.
    forgiven : sequence of (int, int)
        Pairs of a reference class and the class it was called: such calls are no false positives
        of that class, nor negatives. They still cost the reference class its sensitivity.

    Returns
    -------
    dict of str to (ndarray, ndarray), each of shape (..., n_classes)
        ``sensitivity`` TP/(TP+FN), ``ppv`` TP/(TP+FP), ``f1`` 2TP/(2TP+FP+FN) and ``fpr``
        FP/(FP+TN), where every event of another class, or of none, is a negative.
    """
    true_positive = np.diagonal(confusion, axis1=-2, axis2=-1)[..., :-1]
    in_reference = confusion.sum(axis=-1)[..., :-1]
    in_prediction = confusion.sum(axis=-2)[..., :-1]
    in_all = confusion.sum(axis=(-2, -1))[..., None]
    for reference, called in forgiven:
        pardon = np.zeros(in_prediction.shape[-1])
        pardon[called] = 1.0
        excused = confusion[..., reference, called][..., None] * pardon
        in_prediction = in_prediction - excused
        in_all = in_all - excused
    return {
        "sensitivity": (true_positive, in_reference),
        "ppv": (true_positive, in_prediction),
        "f1": (2 * true_positive, in_reference + in_prediction),
        "fpr": (in_prediction - true_positive, in_all - in_reference),
    }


def accuracy_counts(confusion: Floats) -> tuple[Floats, Floats]:
    """Return events with the right class, and all events, missed and false ones included."""
    return np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1))


def kappa_of_tables(confusion: Floats) -> Floats:
    """Return Cohen's kappa, NaN where chance alone would agree fully.

    Parameters
    ----------
    confusion : ndarray, shape (..., k, k)

    Returns
    -------
    ndarray of float64, shape (...)

    References
    ----------
    Cohen J. Educ Psychol Meas 1960;20:37.
    """
    n = confusion.sum(axis=(-2, -1))
    observed = np.trace(confusion, axis1=-2, axis2=-1)
    by_chance = np.einsum("...i,...i->...", confusion.sum(axis=-1), confusion.sum(axis=-2))
    return ratio(observed * n - by_chance, n**2 - by_chance)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide, with NaN where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    )
    quotient = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient
