"""Whether a column of the cohort table says the outcome itself."""

from __future__ import annotations

import numpy as np
import pandas as pd


def tells_the_outcome(values: pd.Series, labels: pd.Series) -> bool:
    """Return whether a column and an outcome say the same of every patient whom both know.

    Parameters
    ----------
    values : Series
        A column of the cohort table by patient.
    labels : Series
        The outcome by patient: names of classes, or numbers.

    Returns
    -------
    bool
        Whether every value goes with one class and every class with one value, or two columns of
        numbers are equal. Fewer than two different values tell nothing.

    Examples
    --------
    >>> labels = pd.Series(["no", "yes", "no"], index=list("abc"))
    >>> tells_the_outcome(pd.Series([0, 1, 0], index=list("abc")), labels)
    True
    >>> tells_the_outcome(pd.Series([0, 1, 1], index=list("abc")), labels)
    False
    """
    pairs = pd.DataFrame({"value": values.reindex(labels.index), "label": labels}).dropna()
    if pairs["value"].nunique() < 2 or pairs["label"].nunique() < 2:
        return False
    if all(pd.api.types.is_numeric_dtype(column) for column in (values, labels)):
        numbers = pairs.astype(float)
        if numbers["label"].nunique() > 2:
            return bool(np.allclose(numbers["value"], numbers["label"]))
    together = pairs.astype(str).drop_duplicates()
    return len(together) == together["value"].nunique() == together["label"].nunique()
