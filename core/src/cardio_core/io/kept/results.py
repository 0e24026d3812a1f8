"""What a run keeps for itself: recordings by digests, and what is not merged yet."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from cardio_core.io.kept.kind import Count, Digest, Entries, Kind

Word = Annotated[str, Field(pattern="^[a-z_][a-z0-9_]*$")]


class NoteForm(Entries):
    """A sentence, and what it is about."""

    kind: Word
    text: str
    model: str | None = None
    severity: Literal["info", "warning"] = "info"
    where: str = ""


class JudgedForm(Entries):
    """What one protocol's evaluation left."""

    metrics: list[dict[str, Any]]
    notes: list[NoteForm]


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
    kind: Word = "unusable"


JUDGED = Kind("the estimates of one protocol", JudgedForm)
COHORT = Kind("whom the run was made from", CohortForm)
PRINTS = Kind("what its recordings are known by", PrintsForm)
CONTENTS = Kind("its recordings by digests", ContentsForm)
QUARANTINED = Kind("recordings that cannot be used", list[QuarantinedForm])
PRINTED = Kind("what the recordings of a patient are known by", list[str | None])
FILES = Kind("files by digests", list[Digest])
