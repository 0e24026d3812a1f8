"""A cohort table of the studies that files and folders hold, to be completed by hand."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.context import Context
from cardio_core.errors import ConfigError, DataError
from cardio_core.io.cohort_cells import SEPARATOR
from cardio_core.io.cohort_rows import find_cohort_table
from cardio_core.io.cohorts.template import column_of
from cardio_core.runner.checking.check import read_all
from cardio_core.runner.measuring.finding import find_recordings
from cardio_core.runner.progress import Echo
from cardio_core.runner.request import RunRequest
from cardio_core.runner.setup import set_up
from cardio_core.types.samples import Cohort

_MANY = 8
"""Patients from which on processes are started sooner than all is read in this one."""


@dataclass(frozen=True)
class Draft:
    """What was found, a row a study.

    Attributes
    ----------
    column : str
        Of the recordings.
    rows : tuple of (str, str)
        Of each study the number of its patient, ``"P001"``, and the cell of its recordings.
    n_patients, n_recordings : int
    n_refused : int
        Recordings and inputs that cannot be used.
    several : int
        Patients with more than one study.
    told_apart : bool
        Whether something in the files says who is one patient: headers, or names of files.
    """

    column: str
    rows: tuple[tuple[str, str], ...]
    n_patients: int
    n_recordings: int
    n_refused: int
    several: int
    told_apart: bool


def draft(
    plugin: str, task: str | None, inputs: Sequence[Path], table: Path, echo: Echo | None = None
) -> Draft:
    """Find the studies of files and folders, searched to their ends, as `cardio measure` does.

    Every recording is read once, so that none gets a row that cannot be used. Nothing of a header
    is taken over; patients are numbered in the order in which they are found.

    Parameters
    ----------
    plugin, task : str
        Whose recordings they are.
    inputs : sequence of Path
        Files and folders.
    table : Path
        Where the table will stand: paths in its cells start at its folder.
    echo : callable, optional
        Takes lines of progress.

    Raises
    ------
    ConfigError
        If an input is missing or has a cohort table already, or the task takes several kinds of
        recordings that look alike.
    UnusableCohortError
        If nothing can be used.
    """
    request = RunRequest(plugin, task, tuple(inputs), protocol="honest", device="cpu")
    setup = set_up(request)
    column = column_of(setup.plugin.info, setup.task)
    for path in inputs:
        if path.exists() and (known := find_cohort_table(path)) is not None:
            raise ConfigError(
                f"--from {path}: has a cohort table already ({known.name}); expected recordings "
                f"without one; cardio data check {path} --plugin {plugin} says what is in it"
            )
    config = setup.config.for_protocol("honest")
    ctx = Context(setup.task, mode="predict", device=None, cache=None)
    found = find_recordings(setup.plugin, config, ctx, inputs)
    samples = found.cohort.samples.table
    workers = request.executor if samples["patient_id"].nunique() >= _MANY else "local:1"
    reads = read_all(setup, config, ctx, found.cohort, workers, echo)
    good = {str(row["recording_id"]) for read in reads for row in read.usable}
    usable = samples[samples["recording_id"].astype(str).isin(good)]
    if usable.empty:
        raise DataError(
            f"--from: expected recordings that can be used, found {len(samples)} that cannot; the "
            f"first: {next(row.reason for read in reads for row in read.quarantined)}"
        )
    folder = table.resolve().parent
    numbers: dict[str, str] = {}
    rows = []
    studies = usable.groupby(["patient_id", "study_id"], sort=False)["recording_id"]
    for (patient, _), recordings in studies:
        number = numbers.setdefault(str(patient), f"P{len(numbers) + 1:03d}")
        cells = [_cell(found.cohort, str(one), folder) for one in recordings]
        rows.append((number, SEPARATOR.join(cells)))
    n_studies = Counter(number for number, _ in rows)
    return Draft(
        column,
        tuple(rows),
        n_patients=len(numbers),
        n_recordings=len(usable),
        n_refused=len(found.cohort.quarantined) + len(found.refused) + len(samples) - len(usable),
        several=sum(n > 1 for n in n_studies.values()),
        told_apart=len(numbers) < len(usable),
    )


def _cell(cohort: Cohort, recording: str, folder: Path) -> str:
    """Return a recording's file, or the folder where it is several, as a cell names it."""
    own = cohort.own_files(recording)
    heads = {path.with_suffix("") for path in own}
    place = own[0] if len(heads) == 1 else Path(os.path.commonpath(own))
    try:
        shown = Path(os.path.relpath(place, folder)).as_posix()
    except ValueError:  # another drive
        shown = place.as_posix()
    if SEPARATOR in shown:
        raise ConfigError(
            f"{place.name}: expected a name without {SEPARATOR!r}, which separates files in a "
            "cell; rename it"
        )
    return shown
