"""From the predictions of a patient's recordings and studies to one score of the patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

CLIP = 1e-7
"""Probabilities are taken as no more certain than this, as in every aggregation of the core."""


def one_a_patient(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return one row for each value of `key`, with the mean logit of its scores.

    Parameters
    ----------
    rows : DataFrame
        The columns of `key`, score (a probability) and others, of which the first row stands.
    key : list of str

    Returns
    -------
    DataFrame
        In the order of first appearance, with n_units, how many rows a score is the mean of. A
        score of one row is that row's, digit for digit.

    Examples
    --------
    >>> rows = pd.DataFrame({"patient_id": ["a", "a", "b"], "score": [0.2, 0.8, 0.3]})
    >>> one_a_patient(rows, ["patient_id"])[["patient_id", "score", "n_units"]].values.tolist()
    [['a', 0.5, 2], ['b', 0.3, 1]]
    """
    odds = logit(np.clip(rows["score"].to_numpy(float), CLIP, 1 - CLIP))
    groups = rows.assign(_odds=odds).groupby(key, sort=False)
    found = groups.first()
    n_units = groups.size()
    mean = pd.Series(expit(groups["_odds"].mean()), found.index)
    found["score"] = found["score"].where(n_units == 1, mean)
    return found.drop(columns="_odds").assign(n_units=n_units).reset_index()
