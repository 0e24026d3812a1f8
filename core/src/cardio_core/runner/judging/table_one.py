"""Table 1 of a run, written once: it is of the patients, not of a protocol."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.evaluation.patients.table_one import describe_patients
from cardio_core.io.atomic import replacing
from cardio_core.io.cohort_rows import at_baseline
from cardio_core.runner.preparing.arms import Arm
from cardio_core.runner.preparing.truth import labels_of
from cardio_core.runner.session import Session
from cardio_core.types.info import Target

NAME = "table1"


def write_table_one(session: Session, arm: Arm) -> None:
    """Write ``tables/table1.csv`` where the cohort has a clinical table; say where it cannot be.

    Those are described whose outcome is known and whose recordings can be used. Title and the
    sentences below the table go to the manifest, as `table1`.
    """
    table = _clinical(arm)
    target = session.setup.task.targets[0]
    labels = patient_labels(arm, target)
    samples = arm.prepared.features.table
    patients = list(dict.fromkeys(samples["patient_id"].astype(str)))
    if labels is not None:
        patients = [one for one in patients if one in labels.index]
    try:
        made = describe_patients(
            table, patients, labels, target, covariates=session.setup.config.covariates
        )
    except DataError as error:
        if arm.prepared.cohort.table is not None:
            session.note([f"Table 1 is left out: {error}"])
        return
    folder = session.out / "tables"
    folder.mkdir(exist_ok=True)
    with replacing(folder / f"{NAME}.csv") as temporary:
        made.frame.to_csv(temporary, index=False)
    notes = list(made.notes)
    if samples.groupby("patient_id")["study_id"].nunique().max() > 1:
        notes.append("A patient with several studies is described by the first.")
    session.manifest.update(table1={"title": made.title, "notes": notes})


def _clinical(arm: Arm) -> pd.DataFrame:
    """Return the clinical table; without one what `load` knows of the recordings, age and sex."""
    cohort = arm.prepared.cohort
    if cohort.table is not None and "patient_id" in cohort.table.columns:
        return cohort.table
    return cohort.samples.table.drop_duplicates("study_id").set_index("study_id")


def patient_labels(arm: Arm, target: Target) -> pd.Series | None:
    """Return the outcome of each patient whose outcome is known.

    Of a patient with several studies it is that of the first at baseline. None where the units of
    a patient, beats or views, have different outcomes by their nature.
    """
    if arm.truth.targets.unit in ("sample", "recording") or target.name not in (
        arm.truth.targets.table.columns
    ):
        return None
    table = _clinical(arm)
    before = set(table.index[at_baseline(table)])
    samples = arm.prepared.features.table
    later = ~samples["study_id"].isin(before).to_numpy()
    samples = samples.iloc[np.argsort(later, kind="stable")]
    frame = samples.assign(sample_id=samples.index).reset_index(drop=True)
    labels = pd.Series(
        labels_of(frame, target, arm.truth.targets), index=samples["patient_id"].astype(str)
    ).dropna()
    return labels[~labels.index.duplicated()]
