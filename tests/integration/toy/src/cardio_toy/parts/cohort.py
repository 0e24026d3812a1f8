"""A cohort of the toy: ``cohort.csv`` and, for the tasks on beats, ``beats.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardio_core.api import Cohort, CohortTable, DataError, Note, SampleSet, Targets
from cardio_toy.readers.trace import open_trace, rate_of

if TYPE_CHECKING:
    from cardio_core.api import Context
    from cardio_toy.parts.settings import LoadBlock


def find_recordings(config: LoadBlock, ctx: Context) -> Cohort:
    """Find recordings and, in fit mode, what is to be predicted of them."""
    tables = [CohortTable.find(place) for place in ctx.inputs]
    known = [table.rows for table in tables if table is not None]
    clinical = pd.concat(known) if known else None
    rows = []
    for row in _entries(ctx, clinical):
        with ctx.reading(row["recording_id"], row["path"]):
            rate_of(row["path"])
            rows.append(row)
    names = ["recording_id", "study_id", "patient_id", "subject_link", "path"]
    samples = pd.DataFrame(rows, columns=names)
    paths = tuple(samples.pop("path"))
    samples.index = pd.Index(samples["recording_id"], name="sample_id")
    files = {
        name: tuple(file for file in (path, path.with_suffix(".json")) if file.is_file())
        for name, path in zip(samples.index, paths, strict=True)
    }
    targets = None
    if ctx.mode == "fit" and ctx.outcome is None:
        if clinical is None:
            raise DataError("expected a folder with cohort.csv, found single files without labels")
        targets = _targets(ctx, clinical)
    return Cohort(
        SampleSet.opening(samples, paths, partial(open_trace, gain=config.gain)),
        files,
        targets,
        clinical,
        notes=(Note("toy", "The toy leaves nobody out."),),
        unsupported=dict.fromkeys(config.without, "the configuration says so"),
    )


def _entries(ctx: Context, clinical: pd.DataFrame | None) -> Iterator[dict[str, Any]]:
    if clinical is not None:
        for study, row in clinical.iterrows():
            for number, path in enumerate(row["path_ecg"]):
                # People are named in names of files: only an id of the table, or a word, is taken.
                plain = path.stem.startswith(row["patient_id"]) or path.stem.islower()
                yield {
                    "recording_id": path.stem if plain else f"{study}-{number}",
                    "study_id": study,
                    "patient_id": row["patient_id"],
                    "subject_link": CohortTable.text(row, "subject_link"),
                    "path": path,
                }
    singles = [path for path in ctx.inputs if not path.is_dir()]
    for number, path in enumerate(singles, start=1):
        name = f"new{number}"
        yield {"recording_id": name, "study_id": name, "patient_id": name, "path": path}


def _targets(ctx: Context, clinical: pd.DataFrame) -> Targets:
    if ctx.task.unit == "event":
        found = [place / "beats.csv" for place in ctx.inputs if place.is_dir()]
        events = [pd.read_csv(path, dtype={"recording_id": str}) for path in found]
        return Targets("event", pd.concat(events, ignore_index=True))
    if ctx.task.unit == "study":
        return Targets("study", clinical[["x_ill", "x_severity"]].rename(columns=_plain))
    by_patient = clinical.groupby("patient_id")[["x_ill"]].first()
    return Targets("patient", by_patient.rename(columns=_plain))


def _plain(column: str) -> str:
    return column.removeprefix("x_")
