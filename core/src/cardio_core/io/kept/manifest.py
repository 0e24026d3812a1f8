"""The manifest: of a run, and of folders that were judged, fused, exported, validated, repeated."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from cardio_core.errors import DataError
from cardio_core.io.kept.kind import Count, Digest, Entries, Kind, Name, Place, Seed
from cardio_core.io.kept.results import NoteForm, Word


class TargetEntry(Entries):
    """What is predicted."""

    name: str
    kind: Literal["binary", "multiclass", "continuous"]
    classes: list[str] = Field(default_factory=list)
    unit: str = ""
    unscored: list[str] = Field(default_factory=list)


class DeviceEntry(Entries):
    """On what it was computed."""

    name: str | None = None
    reason: str | None = None
    precision: str | int = ""
    n: Count = 1


class DataEntry(Entries):
    """On whom."""

    source: str = ""
    path_shown: str | None = None
    difficulty: str | None = None
    digest: str | None = None
    n_recordings: Count = 0
    n_patients: Count = 0
    n_samples: Count = 0
    n_judged: Count = 0


class NeedEntry(Entries):
    """An earlier task, and what met it."""

    task: str
    identity: str | None = None
    said: str = ""


class QuarantinedEntry(Entries):
    """A recording that could not be used."""

    recording_id: str
    hook: str = ""
    reason: str
    kind: Word = "unusable"


class StationEntry(Entries):
    """Where recordings left the flow, or its beginning or end."""

    kind: Literal["no_recording", "left_out", "unreadable", "in_training",
                  "without_outcome"] | None = None  # fmt: skip
    reason: str = ""
    entries: Count
    recordings: Count
    patients: Count


class SidesEntry(Entries):
    """How many are tested, or only trained on."""

    tested: Count = 0
    trained_only: Count = 0
    neither: Count = 0


class ProtocolFlowEntry(Entries):
    """Of one protocol."""

    patients: SidesEntry | None = None
    recordings: SidesEntry | None = None


class AsideEntry(Entries):
    """Patients without an outcome."""

    patients: Count = 0
    recordings: Count = 0
    train: bool | None = None


class FlowEntry(Entries):
    """From all who were found to those who were tested."""

    from_table: bool | None = None
    stations: list[StationEntry] = Field(default_factory=list)
    samples: Count = 0
    copies: Count = 0
    unlabelled: AsideEntry | None = None
    identical: Count = 0
    linked: Count = 0
    protocols: dict[str, ProtocolFlowEntry] | None = None


class GroundEntry(Entries):
    """Code and packages that a run stands on."""

    core: dict[str, str | None]
    plugin: dict[str, str | None]
    python: str
    packages: dict[str, str]
    aside: dict[str, str] = Field(default_factory=dict)
    device: dict[str, str | int | None]
    machine: dict[str, Any] = Field(default_factory=dict)
    executor: str | None = None
    recordings: str | None = None
    labels: str | None = None
    table: str | None = None
    splits: str | None = None


class MemberEntry(Entries):
    """A run that was fused; it lies elsewhere, so its place may leave the folder."""

    label: Name
    run: str = Field(min_length=1, max_length=4000, pattern=r"^[^\x00-\x1f]+$")
    model: Name
    target: Name
    event: str
    n_patients: Count
    final_digest: Digest | None = None
    predictions_digest: Digest | None = None


class EvaluatedEntry(Entries):
    """What was validated on other patients."""

    run: str | None = None
    kind: str | None = None
    source: str | None = None
    final_models: str | None = None
    n_patients: Count | None = None
    core_version: str | None = None


class TableOneEntry(Entries):
    """What stands above and below the table of patients."""

    title: str = "Patients"
    notes: list[str] = Field(default_factory=list)


class ManifestForm(Entries):
    """Every entry that is read again; a folder that was only begun has fewer of them."""

    status: str | None = None
    kind: str | None = None
    name: str | None = None
    command: str | list[str] | None = None
    error: str | None = None
    plugin: str | None = None
    plugin_version: str | None = None
    core_version: str | None = None
    api: list[Count] | None = Field(None, min_length=2, max_length=2)
    task: str | None = None
    task_title: str | None = None
    papers: list[str] | None = None
    protocols: list[str] | None = None
    models: list[str] | None = None
    model_titles: dict[str, str] | None = None
    baselines: list[str] | None = None
    primary: str | None = None
    targets: list[TargetEntry] | None = None
    outcome: str | None = None
    outcome_column: str | None = None
    words: dict[str, str] | None = None
    config_digest: str | None = None
    split_digest: str | None = None
    seed: Seed | None = None
    device: DeviceEntry | None = None
    packages: dict[str, str] | None = None
    git_commit: str | None = None
    stands_on: GroundEntry | None = None
    data: DataEntry | None = None
    started: str | None = None
    finished: str | None = None
    stages: dict[str, float] | None = None
    needs: list[NeedEntry] | None = None
    said: list[str] | None = None
    notes: list[NoteForm] | None = None
    tolerated: list[str] = Field(default_factory=list)
    quarantined: list[QuarantinedEntry] | None = None
    excluded: dict[str, list[str]] | None = None
    flow: FlowEntry | None = None
    flags: dict[str, Count] | None = None
    overlap: dict[str, Any] | None = None
    outputs: dict[str, str] | None = None
    left_out: str | None = None
    left_out_models: Any = None
    members: list[MemberEntry] | None = None
    covariates: list[str] | None = None
    guideline: str | None = None
    same_folds: bool | None = None
    evaluated: EvaluatedEntry | None = None
    table1: TableOneEntry | None = None
    identity: str | None = None


class PredictedEntry(TargetEntry):
    """What models of the folder predict: files are called after it."""

    name: Name


class MetNeedEntry(NeedEntry):
    """An earlier task that a run was made with."""

    identity: str


class OfRun(Entries):
    """What a folder that `cardio run` wrote names from its first moment on."""

    status: str
    plugin: Name
    task: Name
    protocols: list[Literal["honest", "paper"]] = Field(min_length=1)
    models: list[Name]
    targets: list[PredictedEntry] = Field(min_length=1)
    seed: Seed
    config_digest: str
    device: DeviceEntry
    data: DataEntry
    packages: dict[str, str]
    core_version: str | None
    plugin_version: str | None
    primary: str | None
    needs: list[MetNeedEntry]
    stages: dict[str, float]


class OfFinishedRun(OfRun):
    """What it names besides when it is done."""

    notes: list[NoteForm]
    split_digest: str
    outputs: dict[Place, Digest] | None = None


class OfExported(Entries):
    """What an exported folder names."""

    status: str
    plugin: Name
    task: Name
    protocols: list[Literal["honest", "paper"]] = Field(min_length=1)
    models: list[Name] = Field(min_length=1)
    targets: list[PredictedEntry] = Field(min_length=1)
    seed: Seed
    device: DeviceEntry
    data: DataEntry
    needs: list[MetNeedEntry]


class OfFused(Entries):
    """What a fusion names."""

    status: str
    members: list[MemberEntry] = Field(min_length=2)
    models: list[Name] = Field(min_length=1)
    model_titles: dict[str, str]
    baselines: list[str]
    task_title: str
    targets: list[PredictedEntry] = Field(min_length=1)
    data: DataEntry
    covariates: list[str]


WHAT = "what the run was"
MANIFEST = Kind(WHAT, ManifestForm)
BY_KIND = {
    "run": Kind(WHAT, OfRun),
    "exported": Kind(WHAT, OfExported),
}
"""Entries that the readers of a folder of this kind cannot do without."""
FUSED = Kind("what the fusion was", OfFused)
FINISHED_RUN = Kind(WHAT, OfFinishedRun)


def kind_of(content: dict[str, Any]) -> Kind | None:
    """Return what the manifest of a folder has to name by its own kind; None for a page alone."""
    name = content.get("kind") or "run"
    if name == "run" and content.get("status") == "done":
        return FINISHED_RUN
    return BY_KIND.get(name)


def words_of(manifest: Mapping[str, Any]) -> list[str]:
    """Return the words of the command that a manifest keeps; none where it was no command.

    Raises
    ------
    DataError
        If no shell could have taken it apart (a quote that does not end).

    Examples
    --------
    >>> words_of({"command": "cardio run --out 'my run'"})
    ['cardio', 'run', '--out', 'my run']
    """
    command = manifest.get("command")
    if isinstance(command, list):
        return [str(one) for one in command]
    try:
        return shlex.split(command or "")
    except ValueError:
        raise DataError.unusable(
            "manifest.json", "a command", "one with a quote that does not end",
            "put back a whole copy of the run",
        ) from None  # fmt: skip
