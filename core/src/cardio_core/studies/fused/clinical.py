"""What a fusion is held against: a model of clinical variables, and what a guideline says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cardio_core.context import Context
from cardio_core.errors import ConfigError, DataError
from cardio_core.evaluation.patients import clinical_model
from cardio_core.evaluation.patients.clinical import by_patient
from cardio_core.evaluation.patients.covariates import check_covariates
from cardio_core.io.cohort import CohortTable
from cardio_core.studies.fused.members import CLINICAL
from cardio_core.studies.given import label_of
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.info import Target, Task
from cardio_core.types.targets import Targets

_YES, _NO = frozenset({"yes", "y", "true", "1", "1.0", "positive"}), frozenset(
    {"no", "n", "false", "0", "0.0", "negative"}
)  # fmt: skip


@dataclass(frozen=True)
class Clinical:
    """Clinical variables and the guideline, by patient.

    Attributes
    ----------
    values : DataFrame
        One row a patient, a column a covariate; empty columns where none is asked for.
    guideline : Series or None
        1 where the guideline says yes, 0 where no, NaN where it says nothing.
    column : str
        Of the guideline.
    notes : tuple of str
    """

    values: pd.DataFrame
    guideline: pd.Series | None = None
    column: str = ""
    notes: tuple[str, ...] = ()

    @property
    def covariates(self) -> list[str]:
        """The names of the covariates."""
        return [str(name) for name in self.values.columns]

    def of(self, patients: pd.Index) -> pd.DataFrame:
        """Return the covariates of some patients, NA of those whom the table lacks."""
        return self.values.reindex(patients)


def read_clinical(
    path: Path, covariates: Sequence[str], guideline: str | None, patients: pd.Index, target: Target
) -> Clinical:
    """Read the clinical variables of some patients.

    Parameters
    ----------
    path : Path
        A cohort table; of several studies of a patient the first at baseline that knows counts.
    covariates : sequence of str
    guideline : str or None
        A column of yes and no, 1 and 0, or true and false.
    patients : Index of str
        Of the fusion; at least ten of them must be in the table.
    target : Target

    Raises
    ------
    ConfigError
        No such table or column, or a column that is no covariate.
    DataError
        Fewer than ten of the patients, or a guideline of other values.
    """
    if not path.exists():
        raise ConfigError(f"--clinical {path}: no such table")
    found = CohortTable.find(path)
    if found is None:
        raise ConfigError(f"--clinical {path}: expected a table with a column patient_id")
    rows = found.rows.assign(patient_id=found.rows["patient_id"].map(label_of))
    task = Task("fused", "", "patient", (target,), ())
    try:
        check_covariates(covariates, rows, found.name, outcome=target.name, task=task)
    except ConfigError as error:
        raise ConfigError(str(error).replace("--covariate ", "--covariates ", 1)) from None
    if guideline is not None and guideline not in rows.columns:
        columns = ", ".join(map(str, rows.columns))
        raise ConfigError(
            f"--guideline {guideline}: {found.name} has no such column; it has {columns}"
        )
    known = by_patient(rows, [*covariates, *([guideline] if guideline else [])])
    here = patients.intersection(known.index)
    if len(here) < min(10, len(patients)):
        raise DataError(
            f"--clinical {found.name}: {len(here)} of the {len(patients)} patients are in it; do "
            "they carry the same ids?"
        )
    notes = []
    if len(here) < len(patients):
        notes.append(
            f"{len(patients) - len(here)} of {len(patients)} patients are not in {found.name}; "
            "they have no clinical model and no guideline."
        )
    said = None
    if guideline is not None:
        said = _yes_or_no(known[guideline], guideline, found.name).reindex(patients)
    return Clinical(known[list(covariates)], said, guideline or "", tuple(notes))


def _yes_or_no(values: pd.Series, name: str, where: str) -> pd.Series:
    texts = values.map(lambda one: label_of(one).strip().lower(), na_action="ignore")
    strange = sorted(set(texts.dropna()) - _YES - _NO)
    if strange:
        raise DataError(
            f"--guideline {name}: expected yes and no, or 1 and 0, in {where}, found "
            f"{strange[0]!r}; say in a column whom the guideline would treat"
        )
    return texts.map(lambda one: float(one in _YES), na_action="ignore").astype(float)


def fit_clinical(
    values: pd.DataFrame, y: pd.Series, target: Target, folder: Path, fold: str
) -> ModelArtifact:
    """Fit the core's clinical model on some patients, as a run does, into a folder.

    `values` has a row a patient and `y` (0 or 1) the same index.
    """
    out = folder / "artifact"
    out.mkdir(parents=True)
    words = y.map(dict(enumerate(target.classes))).rename(target.name).to_frame()
    ctx = Context(_task(target), model=CLINICAL, fold=fold, protocol="honest", _out=out)
    made: ModelArtifact = clinical_model.train(
        training=_features(values), targets=Targets("patient", words), ctx=ctx
    )
    made.write_json("seen.json", {"subjects": sorted(values.index.astype(str))})
    return made


def score_clinical(artifact: ModelArtifact, values: pd.DataFrame, target: Target) -> pd.Series:
    """Return the probability of the event by patient, NaN of whom no variable is known."""
    ctx = Context(_task(target), model=CLINICAL, protocol="honest")
    found = clinical_model.predict(model=artifact, features=_features(values), ctx=ctx)
    return pd.Series(found.scores[target.name], list(found.ids)).reindex(values.index)


def score_new(
    run: Path, paths: Sequence[Path], covariates: Sequence[str], target: Target
) -> pd.Series:
    """Return what the final clinical model of a fusion says of the patients of some tables.

    Raises
    ------
    ConfigError
        What is no cohort table.
    """
    found = []
    for path in paths:
        table = CohortTable.find(path) if path.exists() else None
        if table is None:
            raise ConfigError(f"{path}: expected a table with a column patient_id, found none")
        found.append(table.rows)
    rows = pd.concat(found)
    values = by_patient(rows.assign(patient_id=rows["patient_id"].map(label_of)), covariates)
    artifact = ModelArtifact(run / "models" / "final" / CLINICAL / "artifact")
    return score_clinical(artifact, values.reindex(columns=list(covariates)), target).dropna()


def _task(target: Target) -> Task:
    from cardio_core.types.info import Model

    return Task("fused", "", "patient", (target,), (Model(CLINICAL, "Clinical variables"),))


def _features(values: pd.DataFrame):  # type: ignore[no-untyped-def]
    ids = values.index.astype(str)
    table = pd.DataFrame(
        dict.fromkeys(("recording_id", "study_id", "patient_id", "subject_id"), ids)
    ).set_axis(pd.Index(ids, name="sample_id"))
    return clinical_model.clinical_features(table, values.set_axis(table.index))
