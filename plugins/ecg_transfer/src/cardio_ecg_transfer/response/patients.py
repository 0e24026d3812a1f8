"""One vector a patient, for everything that is no network."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import FeatureSet, Target, Targets
from cardio_ecg_transfer.signal.measurements.names import ANSWERED


def patients_of(features: FeatureSet) -> tuple[str, ...]:
    """Return the patients in the order in which they first appear."""
    return tuple(dict.fromkeys(features.table["patient_id"].astype(str)))


def people_of(features: FeatureSet) -> NDArray[np.str_]:
    """Return who each patient is, shape (n_patients,): ids of one person share a name."""
    first = features.table.drop_duplicates("patient_id")
    column = "subject_id" if "subject_id" in first.columns else "patient_id"
    return first[column].to_numpy(str)


def outcomes(features: FeatureSet, targets: Targets, target: Target) -> NDArray[np.float32]:
    """Return what is to be predicted of each patient, shape (n_patients,).

    Of a binary target 1 with and 0 without it, of several classes their number, else the value.
    """
    values = targets.of(features.table.drop_duplicates("patient_id"), target.name)
    if target.kind == "multiclass":
        values = np.array([target.classes.index(str(value)) for value in values])
    return np.asarray(values, dtype=np.float32)


def by_patient(features: FeatureSet, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean of each patient's recordings, shape (n_patients, ...).

    What is measured once a recording stands beside each of its beats; the first one is taken. A
    measurement that is missing in one recording is taken from the others, and is NaN if it is
    missing in all.

    Parameters
    ----------
    features : FeatureSet
        Whose table says which beat belongs to whom.
    values : ndarray, shape (n_beats, ...)
        One entry a beat.
    """
    first = np.flatnonzero(~features.table["recording_id"].duplicated().to_numpy())
    owner = features.table["patient_id"].to_numpy(str)[first]
    places = pd.Series(owner).groupby(owner).indices
    rows = []
    for patient in patients_of(features):
        own = np.asarray(values[first[places[patient]]], dtype=np.float64)
        known = np.isfinite(own)
        total = np.where(known, own, 0.0).sum(axis=0)
        with np.errstate(invalid="ignore"):
            rows.append(total / known.sum(axis=0))
    return np.stack(rows)


def all_measured(features: FeatureSet) -> NDArray[np.float64]:
    """Return every measurement of each patient, shape (n_patients, n_measurements).

    Angles are averaged on the circle: -170 and 170 degrees make 180, not 0. What is 1 or 0 in a
    recording is 1 where at least half of the recordings say so.
    """
    block = features["measurements"]
    values = np.asarray(block.in_units(), np.float64)
    means = by_patient(features, values)
    for place, name in enumerate(block.names):
        if name == "axis_deg":
            radians = np.deg2rad(values[:, place])
            sine, cosine = (by_patient(features, part(radians)) for part in (np.sin, np.cos))
            means[:, place] = np.rad2deg(np.arctan2(sine, cosine))
        elif name in ANSWERED:
            known = np.isfinite(means[:, place])
            means[known, place] = means[known, place] >= 0.5
    return means


def measured(features: FeatureSet, columns: tuple[str, ...]) -> NDArray[np.float64]:
    """Return some measurements of each patient, shape (n_patients, n_columns), NaN if missing."""
    block = features["measurements"]
    return all_measured(features)[:, [block.names.index(name) for name in columns]]
