"""Reading every recording of a cohort, in processes, and finding those that stand there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio_core.config import RunConfig
from cardio_core.context import Context
from cardio_core.io.hashing import file_digest
from cardio_core.runner.checking.findings import Finding
from cardio_core.runner.checking.signals import Floats, Watched, alike
from cardio_core.runner.preparing.patient import make_patient
from cardio_core.runner.setup import open_with_defaults
from cardio_core.types.samples import Quarantined, SampleSet


@dataclass(frozen=True)
class ReadJob:
    """Everything a worker needs to read one patient's recordings."""

    plugin: str
    config: RunConfig
    ctx: Context
    samples: SampleSet
    files: Mapping[str, tuple[Path, ...]]


@dataclass(frozen=True)
class Read:
    """What became of one patient's recordings.

    Attributes
    ----------
    usable : list of dict
        recording_id, patient_id, n_samples.
    quarantined : tuple of Quarantined
    prints : dict of str to array
        What each recording looks like, by recording.
    digests : dict of str to tuple of str
        SHA-256 of each recording's own files.
    """

    usable: list[dict[str, Any]]
    quarantined: tuple[Quarantined, ...]
    prints: dict[str, Floats]
    digests: dict[str, tuple[str, ...]]


def read_patient(job: ReadJob, device: Any = None) -> Read:
    """Open and preprocess one patient's recordings."""
    table = job.samples.table
    prints: dict[int, Floats] = {}
    watched = SampleSet(table, Watched(job.samples.values, prints))
    plugin = open_with_defaults(job.plugin)
    made = make_patient(plugin, job.config, job.ctx, watched, featurize=False)
    n_samples = Counter(() if made.samples is None else made.samples.table["recording_id"])
    quarantined = list(made.quarantined)
    refused = {row.recording_id for row in quarantined}
    usable = []
    for recording, patient in zip(table["recording_id"], table["patient_id"], strict=True):
        if recording in refused:
            continue
        if not n_samples[recording]:
            reason = "preprocess made no sample of it"
            quarantined.append(Quarantined(recording, "preprocess", reason))
            continue
        row = {"recording_id": recording, "patient_id": patient, "n_samples": n_samples[recording]}
        usable.append(row)
    names = list(table["recording_id"])
    return Read(
        usable,
        tuple(quarantined),
        {str(names[place]): found for place, found in prints.items()},
        {
            str(name): tuple(file_digest(path) for path in job.files[name] if path.is_file())
            for name in names
        },
    )


def find_duplicates(
    reads: Sequence[Read], people: Mapping[str, str], rows: Mapping[str, int]
) -> list[Finding]:
    """Return recordings that hold one file, or one signal, under two names.

    Parameters
    ----------
    reads : sequence of Read
    people : mapping of recording to person
        Ids that `subject_link` joins are one person.
    rows : mapping of recording to row of the table
    """
    owner: dict[str, str] = {}
    pairs: dict[tuple[str, str], str] = {}
    for name, own in ((name, own) for read in reads for name, own in read.digests.items()):
        for digest in own:
            first = owner.setdefault(digest, name)
            if first != name:
                pairs[first, name] = "the same file"
    for pair in alike({name: found for read in reads for name, found in read.prints.items()}):
        if not {pair, pair[::-1]} & set(pairs):
            pairs[pair] = "the same signal, in another file,"
    return [_duplicate(what, one, other, people, rows) for (one, other), what in pairs.items()]


def _duplicate(
    what: str, one: str, other: str, people: Mapping[str, str], rows: Mapping[str, int]
) -> Finding:
    if rows.get(one, 0) > rows.get(other, 0):
        one, other = other, one
    shared = people[one] == people[other]
    where = f"row {rows[one]}" if one in rows else f"recording {one}"
    do = "keep one"
    if not shared:
        do = "remove one, or link the patients with subject_link if they are one person"
    whose = "of the same patient" if shared else "of another patient"
    return Finding(
        "told" if shared else "stops",
        "duplicate",
        f"{what} as {where}, {whose}; {do}",
        rows.get(other),
        who=other,
    )
