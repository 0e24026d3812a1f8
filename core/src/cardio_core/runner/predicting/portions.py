"""Many patients, asked about so many at a time: what a model works on is then in memory in parts.

That what a model says of one does not hang on who else is asked about is in the contract of every
plugin.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cardio_core.types.features import FeatureSet
from cardio_core.types.predictions import Column, Predictions

AT_ONCE = 500
"""Patients."""


def portions(features: FeatureSet) -> list[FeatureSet]:
    """Return the features of so many patients each, all samples of one in the same."""
    patients = features.table["patient_id"].astype(str)
    number = pd.factorize(patients)[0] // AT_ONCE
    if not len(number) or number.max() == 0:
        return [features]
    return [features.view(number == one) for one in range(number.max() + 1)]


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Return what was predicted of all portions as one; those that say nothing add nothing."""
    withheld = {who: why for part in parts for who, why in part.withheld.items()}
    said = [part for part in parts if len(part)] or list(parts[:1])
    first = said[0]
    scores = {name: np.concatenate([part.scores[name] for part in said]) for name in first.scores}
    return Predictions(
        ids=tuple(one for part in said for one in part.ids),
        scores=scores,
        level=first.level,
        columns={
            name: Column(np.concatenate([part.columns[name].values for part in said]), column.unit)
            for name, column in first.columns.items()
        },
        withheld=withheld,
    )
