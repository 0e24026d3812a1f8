"""Of whom a model says nothing, because leads that it looks at are unfit in all his recordings."""

from __future__ import annotations

import numpy as np

from cardio_core.api import FeatureSet
from cardio_ecg_transfer.response.models import Recipe
from cardio_ecg_transfer.response.patients import by_patient, measured, patients_of
from cardio_ecg_transfer.signal.measurements.measure import TITLES


def withheld(features: FeatureSet, recipe: Recipe) -> dict[str, str]:
    """Return why this model is not asked, by patient; the others are left out.

    A model on a few measurements needs those alone. Any other looks at twelve leads, each in its
    place; all but networks need their potentials, too.
    """
    patients = patients_of(features)
    if recipe.columns:
        values = measured(features, recipe.columns)
        return {
            patient: f"{_listed(lacking)} cannot be measured in this ECG"
            for patient, row in zip(patients, values, strict=True)
            if (lacking := [TITLES[c].rstrip("?") for c in np.array(recipe.columns)[np.isnan(row)]])
        }
    block = features["in_place"]
    usable = block.in_units() > 0
    if recipe.kind not in ("network", "deep_features"):
        beats_mv = features["median_beat"].in_units()
        usable &= np.isfinite(beats_mv).all(axis=2)
    whole = by_patient(features, np.asarray(usable.all(axis=1), np.float64))
    some = by_patient(features, usable.astype(np.float64))
    return {
        patient: f"this model looks at twelve leads, and {_unfit(block.names, row)}"
        for patient, ready, row in zip(patients, whole, some, strict=True)
        if ready == 0
    }


def _unfit(names: tuple[str, ...], usable: np.ndarray) -> str:
    leads = [name for name, share in zip(names, usable, strict=True) if share < 1]
    if len(leads) == len(names):
        return "none can be used"
    return f"{_listed(leads)} cannot be used"


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
