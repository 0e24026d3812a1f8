"""How many epochs: whether those who validate are enough to choose, and what they chose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cardio_core.runner.preparing.truth import named_classes
from cardio_core.types.info import Target
from cardio_core.types.targets import Targets

OF_EITHER_CLASS = 10
"""Patients of each of two classes: with fewer, a score moves with two or three of them."""


def enough_to_choose(
    validating: pd.DataFrame, targets: Targets, target: Target, *, least: int
) -> bool:
    """Whether these samples' patients are enough to choose the number of epochs.

    Parameters
    ----------
    validating : DataFrame
        Table of the samples that would validate, with `subject_id`.
    targets : Targets
        Their outcomes; a patient without one does not count.
    target : Target
        What the inner folds score first. Where it has two classes, each needs
        `OF_EITHER_CLASS` patients: an AUC has no more to go by than its rarer class.
    least : int
        Number of patients asked for; 0 asks for none, nor for any of a class.
    """
    if least == 0:
        return True
    y = pd.Series(named_classes(targets.of(validating, target.name), target), dtype=object)
    people = validating["subject_id"].to_numpy()
    known = y.notna().to_numpy()
    if len(set(people[known])) < least:
        return False
    if target.kind != "binary":
        return True
    return all(len(set(people[(y == one).to_numpy()])) >= OF_EITHER_CLASS for one in target.classes)


def epochs_of(chosen: Sequence[int | None]) -> int | None:
    """Return the median of what the inner folds chose; None where there are no epochs.

    Examples
    --------
    >>> epochs_of([3, 8, None, 5]), epochs_of([None])
    (5, None)
    """
    known = [epoch for epoch in chosen if epoch is not None]
    return int(np.median(known)) if known else None
