"""Recordings of the toy: a text file with its rate in the first line and one value a line.

A cohort is a folder with ``cohort.csv`` and, for the tasks on beats, ``beats.csv``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardio_core.api import (
    Cohort,
    DataError,
    Opened,
    SampleSet,
    Targets,
    read_cohort_table,
)

if TYPE_CHECKING:
    from cardio_core.api import Context
    from cardio_toy.config import LoadBlock

MARK = "rate_hz="


@dataclass(frozen=True)
class Trace:
    """One recording: values in mV, shape (n_values,), and their rate in Hz."""

    values_mv: np.ndarray
    rate_hz: float


def load_recordings(config: LoadBlock, ctx: Context) -> Cohort:
    """Find recordings and, in fit mode, what is to be predicted of them."""
    rows = []
    tables = [path / "cohort.csv" for path in ctx.inputs if path.is_dir()]
    cohort = pd.concat([read_cohort_table(path) for path in tables]) if tables else None
    for row in _entries(ctx, cohort):
        try:
            rate_of(row["path"])
            rows.append(row)
        except DataError as error:
            ctx.quarantine(row["recording_id"], str(error))
    table = pd.DataFrame(rows, columns=["recording_id", "study_id", "patient_id", "subject_link",
                                        "path"])  # fmt: skip
    paths = tuple(table.pop("path"))
    table.index = pd.Index(table["recording_id"], name="sample_id")
    files = {
        name: tuple(file for file in (path, path.with_suffix(".json")) if file.is_file())
        for name, path in zip(table.index, paths, strict=True)
    }
    targets = None
    if ctx.mode == "fit":
        if cohort is None:
            raise DataError("expected a folder with cohort.csv, found single files without labels")
        targets = _targets(ctx, cohort, tables)
    return Cohort(
        SampleSet(table, Opened(paths, open_trace)),
        files,
        targets,
        cohort,
        notes=("The toy leaves nobody out.",),
        unsupported=dict.fromkeys(config.without, "the configuration says so"),
    )


def rate_of(path: Path) -> float:
    """Return the rate in Hz that a recording's first line states."""
    if not path.is_file():
        raise DataError(f"{path.name}: expected a recording, found no such file")
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline().strip()
    if not first.startswith(MARK):
        raise DataError(f"{path.name}: expected {MARK}NUMBER in the first line, found other text")
    return float(first.removeprefix(MARK))


def open_trace(path: Path) -> Trace:
    """Read one recording; refuse a flat or a short one."""
    rate_hz = rate_of(path)
    try:
        values = np.loadtxt(path, skiprows=1, ndmin=1)
    except ValueError as error:
        raise DataError(f"{path.name}: expected numbers after the first line ({error})") from error
    if len(values) < 2 * rate_hz:
        raise DataError(
            f"{path.name}: expected 2 s or more, found {len(values) / rate_hz:.1f} s; record longer"
        )
    if np.ptp(values) == 0:
        raise DataError(f"{path.name}: expected a signal, found a flat line; check the electrode")
    return Trace(values, rate_hz)


def _entries(ctx: Context, cohort: pd.DataFrame | None) -> Iterator[dict[str, object]]:
    if cohort is not None:
        links = cohort.get("subject_link", pd.Series(None, index=cohort.index, dtype=object))
        for study_id, row in cohort.iterrows():
            for path in row["path_ecg"]:
                link = links[study_id]
                yield {
                    "recording_id": path.stem,
                    "study_id": study_id,
                    "patient_id": row["patient_id"],
                    "subject_link": None if pd.isna(link) else link,
                    "path": path,
                }
    singles = [path for path in ctx.inputs if not path.is_dir()]
    for number, path in enumerate(singles, start=1):
        name = f"new{number}"
        yield {"recording_id": name, "study_id": name, "patient_id": name, "path": path}


def _targets(ctx: Context, cohort: pd.DataFrame, tables: list[Path]) -> Targets:
    if ctx.task.unit == "event":
        events = [
            pd.read_csv(path.with_name("beats.csv"), dtype={"recording_id": str}) for path in tables
        ]
        return Targets("event", pd.concat(events, ignore_index=True))
    if ctx.task.unit == "study":
        return Targets("study", cohort[["x_ill", "x_severity"]].rename(columns=_plain))
    by_patient = cohort.groupby("patient_id")[["x_ill"]].first()
    return Targets("patient", by_patient.rename(columns=_plain))


def _plain(column: str) -> str:
    return column.removeprefix("x_")
