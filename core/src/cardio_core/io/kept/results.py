"""What a run found and on whom: estimates, folds, recordings, explained cases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cardio_core.io.kept.kind import Count, Digest, Entries, Kind, Share

Word = Annotated[str, Field(pattern="^[a-z_][a-z0-9_]*$")]


class MetricForm(Entries):
    """One estimate in its place."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    level: Share | None = None
    p_value: Share | None = None
    method: str | None = None
    n: Count | None = None
    n_patients: Count | None = None
    n_dropped: Count | None = None
    unit: str | None = None
    threshold_source: str | None = None
    seed: Count | None = None
    note: str | None = None
    extra: dict[str, float | None] = Field(default_factory=dict)
    protocol: str | None = None
    task: str | None = None
    target: str | None = None
    model: str | None = None
    versus: str | None = None
    class_name: str | None = None
    repeat: Count | None = None
    fold: int | str | None = None
    subgroup: str | None = None


class NoteForm(Entries):
    """A sentence, and what it is about."""

    kind: Word
    text: str
    model: str | None = None
    severity: Literal["info", "warning"] = "info"
    where: str = ""


class JudgedForm(Entries):
    """What one protocol's evaluation left."""

    metrics: list[MetricForm]
    notes: list[NoteForm]


class FoldForm(Entries):
    """Who is trained on, and who is tested."""

    name: str
    train: list[str]
    test: list[str]


class SplitForm(Entries):
    """The folds of one protocol."""

    protocol: str = ""
    plan: str = ""
    unit: str = "patient"
    declared_overlap: str | None = None
    folds: list[FoldForm]


class SplitsForm(Entries):
    """The folds of all protocols."""

    protocols: dict[str, SplitForm]


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


class CaseForm(Entries):
    """One explained prediction, and its files in the folder."""

    sample_id: str = ""
    title: str = ""
    caption: str | None = None
    model: str | None = None
    fold: str | None = None
    protocol: str | None = None
    scores: dict[str, float | None] | None = None
    figure: str | None = None
    video: str | None = None


class QuarantinedForm(Entries):
    """A recording that could not be used."""

    recording_id: str
    hook: str
    reason: str
    kind: Word = "unusable"


METRICS = Kind("the run's estimates", list[MetricForm])
JUDGED = Kind("the estimates of one protocol", JudgedForm)
SPLITS = Kind("who was trained on and tested", SplitsForm)
COHORT = Kind("whom the run was made from", CohortForm)
PRINTS = Kind("what its recordings are known by", PrintsForm)
CONTENTS = Kind("its recordings by digests", ContentsForm)
CASE = Kind("an explained case", CaseForm, most_bytes=8 << 20)
QUARANTINED = Kind("recordings that cannot be used", list[QuarantinedForm])
PRINTED = Kind("what the recordings of a patient are known by", list[str | None])
FILES = Kind("files by digests", list[Digest])
