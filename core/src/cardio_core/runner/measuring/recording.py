"""One patient's recordings, measured in a worker: a line for each, and a sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import RunConfig
from cardio_core.context import Context
from cardio_core.errors import CardioError
from cardio_core.io.atomic import file_in
from cardio_core.io.hashing import file_digest
from cardio_core.registry import Plugin
from cardio_core.report.measured.sheet import Sheet, write_sheet
from cardio_core.report.measured.values import Measured, measured_of, n_samples_of, with_words
from cardio_core.runner.preparing.patient import make_patient
from cardio_core.runner.setup import open_with_defaults
from cardio_core.types.features import FeatureSet, flags_of, verdicts_of
from cardio_core.types.file_names import SafeName
from cardio_core.types.nameless import without_names
from cardio_core.types.notes import Exclusion, ExclusionReason, Verdict
from cardio_core.types.samples import SampleSet

NOTHING = "nothing in it can be measured: no sample was made of it"


@dataclass(frozen=True)
class Line:
    """What is said of one recording.

    Attributes
    ----------
    recording_id, patient_id : str
        The cohort table's own, or running numbers.
    files : tuple of Path
        Behind it; they go to `--mapping` alone.
    measured : tuple of Measured
        Empty where there is a `reason`.
    n_samples : int
        On how many samples (beats, clips) the measurements stand.
    flags : tuple of str
        What a reader should know, in words.
    reason : str
        Why nothing could be measured; empty where something was.
    excluded : ExclusionReason
        What programs go by of that reason.
    sheet : str
        Name of the sheet's file; empty without one.
    digests : tuple of str
        SHA-256 of its own files.
    study_id : str
        The study that it is of.
    view : str
        What it shows, where its features say so (a column `view`).
    verdict : Verdict
        Whether it can be judged.
    n_recordings : int
        On how many recordings it stands, where it speaks for a study.
    """

    recording_id: str
    patient_id: str
    files: tuple[Path, ...]
    measured: tuple[Measured, ...] = ()
    n_samples: int = 0
    flags: tuple[str, ...] = ()
    reason: str = ""
    sheet: str = ""
    digests: tuple[str, ...] = field(default=(), repr=False)
    study_id: str = ""
    view: str = ""
    verdict: Verdict = field(default_factory=Verdict)
    n_recordings: int = 1
    excluded: ExclusionReason = ExclusionReason.UNUSABLE


@dataclass(frozen=True)
class Job:
    """Everything a worker needs to measure one patient's recordings.

    `number` is its place among the jobs, from 0; `files` are all files of each recording,
    `own_files` those that no other patient's can equal, `sheets` is the folder of the sheets, None
    where there are to be none, and `names` are those of each recording's sheet.
    """

    number: int
    plugin: str
    config: RunConfig
    ctx: Context
    samples: SampleSet
    files: Mapping[str, tuple[Path, ...]]
    own_files: Mapping[str, tuple[Path, ...]]
    sheets: Path | None
    names: Mapping[str, SafeName]


@dataclass(frozen=True)
class Done:
    """The lines of one job, under its number."""

    number: int
    lines: tuple[Line, ...]


def measure_patient(job: Job, device: Any = None) -> Done:
    """Measure every recording of one patient; what cannot be measured says why."""
    plugin = open_with_defaults(job.plugin)
    failed = ""
    reasons: dict[str, Exclusion] = {}
    made = None
    try:
        made = make_patient(plugin, job.config, job.ctx.replace(device=device), job.samples)
        reasons = {row.recording_id: row.exclusion for row in made.quarantined}
    except CardioError as error:  # a hook that breaks on one file must not cost the others
        failed = str(error)
    lines = []
    for position, name in enumerate(map(str, job.samples.table["recording_id"])):
        about = {
            "recording_id": name,
            "patient_id": str(job.samples.table["patient_id"].iloc[position]),
            "study_id": str(job.samples.table["study_id"].iloc[position]),
            "files": job.files[name],
            "digests": tuple(file_digest(f) for f in job.own_files[name] if f.is_file()),
        }
        features = None if made is None else _rows_of(made.features, name)
        if features is None or name in reasons:
            why = reasons.get(name) or Exclusion(text=failed or NOTHING)
            said = without_names(why.text, job.files[name])
            lines.append(Line(**about, reason=said, excluded=why.reason))  # type: ignore[arg-type]
            continue
        verdict = verdicts_of(features.table).get(name, Verdict())
        flags = _in_words(flags_of(features.table).get(name, []), verdict)
        flags = [without_names(flag, job.files[name]) for flag in flags]
        features = with_words(features, plugin.info.words)
        measured = measured_of(features)
        sheet = ""
        if job.sheets is not None:
            minted = made.samples if made is not None else None
            told = Sheet(f"{plugin.info.name} {plugin.version}", name, tuple(measured), flags)
            sheet, problem = _draw(plugin, job, job.sheets, position, minted, features, told)
            flags += [problem] if problem else []
        lines.append(
            Line(
                **about,  # type: ignore[arg-type]
                measured=tuple(measured),
                n_samples=n_samples_of(features),
                flags=tuple(dict.fromkeys(flags)),
                sheet=sheet,
                view=view_in(features.table),
                verdict=Verdict(
                    tuple(without_names(why, job.files[name]) for why in verdict.reasons)
                ),
            )
        )
    return Done(job.number, tuple(lines))


def _rows_of(features: FeatureSet | None, recording_id: str) -> FeatureSet | None:
    """Return the samples of one recording; None where there is none."""
    if features is None:
        return None
    rows = np.flatnonzero(features.table["recording_id"].astype(str) == recording_id)
    return features.view(rows) if rows.size else None


def view_in(table: pd.DataFrame) -> str:
    """Return what the samples of one recording show; empty where they do not say it."""
    views = table["view"].dropna().astype(str) if "view" in table.columns else ()
    return next(iter(views), "")


def _in_words(flags: Sequence[str], verdict: Verdict) -> list[str]:
    """Return flags as a person reads them; what the reason against a verdict repeats is left out.

    Examples
    --------
    >>> _in_words(["too slow", "dim"], Verdict(("too slow",)))
    ['dim', 'cannot be judged: too slow']
    """
    others = [flag for flag in flags if flag not in verdict.reasons]
    return [*others, *map(unjudged, verdict.reasons)]


def unjudged(reason: str) -> str:
    """Return a reason against a verdict as a person reads it."""
    return f"cannot be judged: {reason}"


def _draw(
    plugin: Plugin,
    job: Job,
    folder: Path,
    position: int,
    minted: SampleSet | None,
    features: FeatureSet,
    told: Sheet,
) -> tuple[str, str]:
    """Write one recording's sheet; return its file's name, and what went wrong."""
    samples = None if minted is None else _samples_of(minted, told.recording_id)
    given: dict[str, Any] = {"samples": samples, "features": features}
    try:
        given["recording"] = job.samples.values[position]
        own = plugin.sheet(job.ctx.task)
    except CardioError as error:
        return "", f"no sheet: {without_names(str(error), job.files[told.recording_id])}"
    file = file_in(folder.parent, folder.name, job.names[told.recording_id])
    problem = write_sheet(file, told, own, given)
    return file.name, without_names(problem, job.files[told.recording_id])


def _samples_of(minted: SampleSet, recording_id: str) -> SampleSet:
    rows = np.flatnonzero(minted.table["recording_id"].astype(str) == recording_id)
    if rows.size and rows[-1] - rows[0] + 1 == rows.size:
        return minted.take(slice(int(rows[0]), int(rows[-1]) + 1))
    return minted.take(rows)
