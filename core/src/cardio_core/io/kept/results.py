"""What a run keeps for itself: recordings by digests, and what is not merged yet."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from cardio_core.io.kept.kind import Count, Digest, Entries, Kind


class JudgedForm(Entries):
    """What one protocol's evaluation left."""

    metrics: list[dict[str, Any]]
    notes: list[str]


class CohortForm(Entries):
    """Ids and digests of those whom a run was made from."""

    recordings: list[str] = Field(default_factory=list)
    patients: list[str]
    subjects: list[str] = Field(default_factory=list)
    files: list[str]


class PrintsForm(Entries):
    """What recordings are known again by, without their names."""

    n_recordings: Count
    fingerprints: list[str]


class ContentForm(Entries):
    """One recording by digests."""

    patient: str
    content: str
    own: list[str]
    about: str
    labels: str


class ContentsForm(Entries):
    """Every recording and column of the table by digests."""

    recordings: dict[str, ContentForm]
    table: dict[str, str]


class QuarantinedForm(Entries):
    """A recording that could not be used."""

    recording_id: str
    hook: str
    reason: str


JUDGED = Kind("the estimates of one protocol", JudgedForm)
COHORT = Kind("whom the run was made from", CohortForm)
PRINTS = Kind("what its recordings are known by", PrintsForm)
CONTENTS = Kind("its recordings by digests", ContentsForm)
QUARANTINED = Kind("recordings that cannot be used", list[QuarantinedForm])
PRINTED = Kind("what the recordings of a patient are known by", list[str | None])
FILES = Kind("files by digests", list[Digest])
