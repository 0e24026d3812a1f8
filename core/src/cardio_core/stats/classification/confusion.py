"""Reference and predicted class of each event, as numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Ints


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
