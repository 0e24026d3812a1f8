"""One table of patients for `evaluate`: outcome, measurements, and out-of-fold scores."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cardio_core.api import Scored, Target
from cardio_spect_polar.published.tables import OUTCOME
from cardio_spect_polar.response.models import RECIPES

CODE = r"^(ae|pc)_\d+$"
"""Names of codes, which belong to one fit."""
OWN_COLUMNS = ("unit_id", "model", "fold")


def patient_table(predictions: Scored, target: Target) -> pd.DataFrame:
    """Return outcome and measurements of the tested patients, one row each.

    Returns
    -------
    DataFrame, indexed by patient_id
        ``response`` (1, 0), then every measurement that is known of anybody. No codes.
    """
    truth = truth_of(predictions, target)
    if predictions.columns is None:
        return truth.to_frame()
    once = predictions.columns.drop_duplicates("unit_id").set_index("unit_id")
    kept = [
        name
        for name in once.columns
        if name not in OWN_COLUMNS and not pd.Series([name]).str.match(CODE).item()
    ]
    table = once[kept].reindex(truth.index)
    return truth.to_frame().join(table.loc[:, table.notna().any()])


def truth_of(predictions: Scored, target: Target) -> pd.Series:
    """Return 1 for responders and 0 for the others, by patient."""
    frame = predictions.frames[target.name].dropna(subset=["y_true"])
    named = frame.drop_duplicates("patient_id").set_index("patient_id")["y_true"]
    return (named == target.classes[1]).astype(int).rename(OUTCOME)


def codes_of(predictions: Scored, model: str) -> pd.DataFrame | None:
    """Return the codes of a model that was fitted once, by patient; None where several folds were.

    Codes of different fits share names and nothing else, so they are never put in one column.
    """
    columns = predictions.columns
    if columns is None or not RECIPES[model].codes:
        return None
    own = columns[columns["model"] == model]
    if len(set(own["fold"])) != 1:
        return None
    found = own.set_index("unit_id").filter(regex=CODE).dropna(axis=1, how="all")
    prefix = "ae" if RECIPES[model].codes == "autoencoder" else "pc"
    return found[[name for name in found.columns if name.startswith(prefix)]]


def scores_of(predictions: Scored, target: Target) -> pd.DataFrame:
    """Return each model's score of each patient as log odds, averaged over repeats.

    Returns
    -------
    DataFrame, indexed by patient_id
        One column a model. Under a plan with folds these are out of fold.
    """
    frame = predictions.frames[target.name].dropna(subset=["y_true"])
    column = f"score:{target.classes[1]}"
    probability = frame[column].clip(1e-6, 1 - 1e-6)
    logit = np.log(probability / (1 - probability))
    table = frame.assign(logit=logit).pivot_table(
        index="patient_id", columns="model", values="logit", aggfunc="mean"
    )
    return table[list(dict.fromkeys(frame["model"]))]


def measurement_names(table: pd.DataFrame) -> list[str]:
    """Return the measurements of a patient table."""
    return [str(name) for name in table.columns if name != OUTCOME]
