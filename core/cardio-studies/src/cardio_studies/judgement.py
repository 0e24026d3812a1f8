"""Judge predictions of any tool: the page that a run gets, from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cardio_core.api import Note, NoteKind
from cardio_core.evaluation import TableOne, describe_columns
from cardio_core.runs import Echo, RunKind, file_digest, guard_place
from cardio_stats.errors import DataError
from cardio_stats.tables import read_typed
from cardio_studies.ingest import Given, read_given
from cardio_studies.ingest_columns import Question, guessed_patient, label_of
from cardio_studies.run_writer import entries_of, settings, write_page


def judge_predictions(
    path: Path,
    question: Question,
    out: Path,
    *,
    cohort: Path | None = None,
    level: float = 0.95,
    seed: int = 0,
    command: Sequence[str] = (),
    echo: Echo | None = None,
) -> tuple[Path, Sequence[str]]:
    """Write a directory with metrics, tables, figures and the page of a table of predictions.

    Parameters
    ----------
    path : Path
        CSV or Parquet.
    asked : Question
    out : Path
        A new or empty folder, or one that this wrote from the same table.
    cohort : Path, optional
        Table with the patients' column, of which Table 1 is made.
    level : float
        Of the intervals.
    seed : int
        Of every resampling.
    command : sequence of str
        As typed, for the page.
    echo : callable, optional
        Takes the line on what a killed command left.

    Returns
    -------
    Path
        Of ``report.html``.
    sequence of str
        What was taken for granted.

    Raises
    ------
    ConfigError
        The folder holds something else.
    DataError
        The table cannot be judged.
    """
    predictions = read_given(path, question)
    digest = file_digest(path)
    guard_place(out, RunKind.JUDGED, digest)
    about = entries_of(
        predictions, shown=path.name, digest=digest, primary=question.primary, seed=seed
    )
    about["left_out"] = " ".join(_left_out(predictions))
    page = write_page(
        predictions, out, about, config=settings(predictions, level), seed=seed, command=command,
        echo=echo, table_one=_table_one(predictions, cohort, question),
        notes=Note.each(
            NoteKind.TABLE,
            [*_left_out(predictions), *_undivided(predictions), *_changing(predictions)],
        ),
    )  # fmt: skip
    return page, predictions.assumed


def _left_out(predictions: Given) -> list[str]:
    if not predictions.lacking:
        return ["No value is missing among outcome, scores and patients."]
    counts = ", ".join(f"{name} in {count}" for name, count in predictions.lacking.items())
    return [f"Of {predictions.n_rows} rows these lack a value and were left out there: {counts}."]


def _changing(predictions: Given) -> list[str]:
    """Say how many patients have rows of different outcomes."""
    [frame] = predictions.scored.frames.values()
    n = int((frame.groupby("patient_id")["y_true"].nunique() > 1).sum())
    if not n or predictions.task.targets[0].kind == "continuous":
        return []
    return [
        f"{n} patients have rows of different outcomes: every row is judged by its own, and "
        "Table 1 leaves them out."
    ]


def _undivided(predictions: Given) -> list[str]:
    sentences = []
    for name, most in predictions.may_divide.items():
        n = int(predictions.groups[name].nunique())
        if n > most:
            sentences.append(
                f"{name}: {n} values, more than {most}, so no groups were formed; make a column of "
                "fewer (age in thirds, centres by region) and name it with --subgroup."
            )
        elif n < 2:
            sentences.append(f"{name}: one value in all rows, so there is nothing to compare.")
    return sentences


def _table_one(predictions: Given, cohort: Path | None, question: Question) -> TableOne | None:
    """Return Table 1 of the judged patients, None where nothing describes them."""
    [(_, frame)] = predictions.scored.frames.items()
    [target] = predictions.task.targets
    patients = list(dict.fromkeys(frame["patient_id"]))
    # Who has rows of both outcomes belongs to neither group.
    rows = frame.groupby("patient_id")["y_true"]
    labels = rows.first()[rows.nunique() == 1]
    patients = [patient for patient in patients if patient in labels.index]
    table = predictions.groups
    if cohort is not None:
        read = read_typed(cohort).table
        named = question.patient if question.patient in read.columns else guessed_patient(read)
        if named is None:
            raise DataError(
                f"--cohort {cohort.name}: no column names the patients; expected "
                f"{question.patient or 'patient_id'}"
            )
        keys = read[named].map(label_of)
        known = read.drop(columns=[named]).groupby(keys.to_numpy(), sort=False).first()
        missing = [patient for patient in patients if patient not in known.index]
        if len(missing) == len(patients):
            raise DataError(
                f"--cohort {cohort.name}: none of the {len(patients)} judged patients is in it; "
                f"do {named} and the patients of the predictions speak of the same people?"
            )
        table = known.join(
            predictions.groups[[c for c in predictions.groups if c not in known.columns]]
        )
    described = table.reindex(patients)
    if described.empty or not len(described.columns):
        return None
    try:
        made = describe_columns(described, labels, target)
    except DataError:
        return None
    if frame[frame["model"] == frame["model"].iloc[0]]["patient_id"].duplicated().any():
        first = "A patient with several rows is described by the first."
        return replace(made, notes=(*made.notes, first))
    return made
