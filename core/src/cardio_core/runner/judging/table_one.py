"""Table 1 of a run, written once: it is of the patients, not of a protocol."""

from __future__ import annotations

from cardio_core.errors import DataError
from cardio_core.evaluation.patients.table_one import describe_patients
from cardio_core.io.atomic import replacing
from cardio_core.io.tables.formula import write_table
from cardio_core.runner.preparing.arms import Arm
from cardio_core.runner.preparing.patients import clinical_table, patient_labels
from cardio_core.runner.session import Session
from cardio_core.types.notes import Note, NoteKind

NAME = "table1"


def write_table_one(session: Session, arm: Arm) -> None:
    """Write ``tables/table1.csv`` where the cohort has a clinical table; say where it cannot be.

    Those are described whose outcome is known and whose recordings can be used. Title and the
    sentences below the table go to the manifest, as `table1`.
    """
    table = clinical_table(arm.prepared.cohort)
    target = session.setup.task.targets[0]
    samples = arm.prepared.features.table
    labels = patient_labels(arm.prepared.cohort, samples, arm.truth.targets, target)
    patients = list(dict.fromkeys(samples["patient_id"].astype(str)))
    if labels is not None:
        patients = [one for one in patients if one in labels.index]
    try:
        made = describe_patients(
            table, patients, labels, target, covariates=session.setup.config.covariates
        )
    except DataError as error:
        if arm.prepared.cohort.table is not None:
            session.note([Note(NoteKind.NOT_COMPUTED, f"Table 1 is left out: {error}")])
        return
    folder = session.out / "tables"
    folder.mkdir(exist_ok=True)
    with replacing(folder / f"{NAME}.csv") as temporary:
        write_table(made.frame, temporary)
    notes = list(made.notes)
    if samples.groupby("patient_id")["study_id"].nunique().max() > 1:
        notes.append("A patient with several studies is described by the first.")
    session.manifest.update(table1={"title": made.title, "notes": notes})
