"""Patients as rows of numbers: clinical variables, measurements, and who responded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import DataError, FeatureSet, Target, Targets

CLINICAL: tuple[tuple[str, str], ...] = (
    ("age_y", "y"), ("male", "1"), ("smoking", "1"), ("nyha_bl", "1"), ("ischemic_aetiology", "1"),
    ("cad", "1"), ("htn", "1"), ("dm", "1"), ("ckd", "1"), ("acei_arb", "1"),
    ("betablocker", "1"), ("spironolactone", "1"), ("digoxin", "1"), ("diuretic", "1"),
    ("qrs_ms", "ms"), ("lbbb", "1"), ("lvef_bl_pct", "%"), ("lvesv_bl_ml", "mL"),
    ("lvedv_bl_ml", "mL"),
)  # fmt: skip
"""Name and unit; ``male`` and ``lbbb`` are read off the columns `sex` and `qrs_morph`."""


def clinical_values(row: pd.Series[Any]) -> dict[str, float]:
    """Return the clinical variables of one row of a cohort table, NaN where missing.

    Examples
    --------
    >>> import pandas as pd
    >>> found = clinical_values(pd.Series({"sex": "M", "qrs_ms": 150.0}))
    >>> found["male"], found["qrs_ms"], found["age_y"]
    (1.0, 150.0, nan)
    """
    special = {"male": ("sex", "M"), "lbbb": ("qrs_morph", "LBBB")}
    found = {}
    for name, _ in CLINICAL:
        column, level = special.get(name, (name, None))
        value = row.get(column)
        if pd.isna(value):
            found[name] = float("nan")
        else:
            found[name] = float(value) if level is None else float(str(value) == level)
    return found


Floats = NDArray[np.float64]

BLOCKS = ("indices", "clinical")
"""Blocks of one number a patient and name; a name in both is taken from the first."""


def patients_of(features: FeatureSet) -> tuple[str, ...]:
    """Return the patients, in the order of the table.

    Raises
    ------
    DataError
        If one has several rows: a phase map is a patient's, and regressions take rows as
        independent.
    """
    patients = features.table["patient_id"].astype(str)
    twice = patients[patients.duplicated()]
    if len(twice):
        raise DataError(
            f"crt_response: expected one gated study a patient, found several of {twice.iloc[0]}; "
            "choose one with --state rest or --state stress"
        )
    return tuple(patients)


def outcomes(features: FeatureSet, targets: Targets, target: Target) -> Floats:
    """Return what is to be predicted, NaN for the unlabelled, shape (n,).

    Of a binary target 1 with and 0 without it, of several classes their number, else the value.
    """
    codes = {name: float(code) for code, name in enumerate(target.classes)}
    values = targets.of(features.table, target.name)
    return np.array(
        [np.nan if pd.isna(value) else codes.get(value, value) for value in values], np.float64
    )


def units_of(features: FeatureSet) -> dict[str, str]:
    """Return the unit of every measurement by name."""
    found: dict[str, str] = {}
    for name in BLOCKS:
        if name in features.blocks:
            block = features[name]
            units = block.units * (1 if len(block.units) > 1 else len(block.names))
            found = dict(zip(block.names, units, strict=True)) | found
    return found


def measured(features: FeatureSet, names: Sequence[str]) -> pd.DataFrame:
    """Return measurements by name, one row a patient in the order of the table, NaN if missing.

    Raises
    ------
    DataError
        If a name is in none of the blocks.
    """
    columns: dict[str, Floats] = {}
    for block_name in reversed(BLOCKS):
        if block_name in features.blocks:
            block = features[block_name]
            values = np.asarray(block.in_units(), np.float64)
            columns |= {name: values[:, place] for place, name in enumerate(block.names)}
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise DataError(
            f"train.covariates: no measurement {unknown[0]!r}; known: {', '.join(columns)}"
        )
    return pd.DataFrame({name: columns[name] for name in names}, index=patients_of(features))


def phase_maps(features: FeatureSet) -> NDArray[np.float32]:
    """Return the phase maps in degrees, shape (n, rings, angles) or (n, side, side)."""
    return features["phase"].in_units()
