"""A run directory as one value: what `run`, `judge`, `evaluate`, `fuse` and `stability` leave.

Whoever writes one begins with `first_entries`; whoever reads one gets a `RunArtifact`. Its parts
are built once, from files within the limits of `FileSchema`, and then trusted.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from cardio_core.io.run_schema import (
    Count,
    Digest,
    Entries,
    FileSchema,
    Name,
    Number,
    Place,
    Seed,
    Share,
    guard_folder,
    read_predictions,
)
from cardio_core.types.notes import Note
from cardio_core.types.samples import Quarantined
from cardio_stats.errors import DataError
from cardio_stats.files import read_json, read_text, without_mark

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 2
"""Of the files of a run directory; one of another number is not read."""

DONE, CLOSING = "done", "closing"
"""States of a directory: all of it is there; all but the page and the digests is."""

CHECKLISTS = ("tripod_ai.csv", "claim.csv")
"""Tables that the report itself writes: it reads them back as no table of the run."""


Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""A text, empty where a file has null."""


class RunKind(StrEnum):
    """What a run directory came of."""

    RUN = "run"
    JUDGED = "judged"
    EXTERNAL = "external"
    FUSED = "fused"
    STABILITY = "stability"
    MEASURED = "measured"
    EXPORTED = "exported"


@dataclass(frozen=True, kw_only=True)
class TargetEntry:
    """What is predicted."""

    name: str
    kind: Literal["binary", "multiclass", "continuous"] | None = None
    classes: tuple[str, ...] = ()
    unit: str = ""
    unscored: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DeviceEntry:
    """On what it was computed."""

    name: str = ""
    reason: str = ""
    precision: str | int = ""
    n: Count | None = None


@dataclass(frozen=True, kw_only=True)
class DataEntry:
    """On whom."""

    source: str = ""
    path_shown: str = ""
    difficulty: str | None = None
    digest: str | None = None
    n_recordings: Count | None = None
    n_patients: Count | None = None
    n_samples: Count | None = None
    n_judged: Count = 0


@dataclass(frozen=True, kw_only=True)
class NeedEntry:
    """An earlier task, and what met it."""

    task: str
    identity: str = ""
    text: str = ""
    origin: Annotated[str, Field(alias="from")] = ""
    patients: str = ""


@dataclass(frozen=True, kw_only=True)
class StationEntry:
    """Where recordings left the flow, or its beginning or end."""

    kind: Literal["no_recording", "left_out", "unreadable", "in_training",
                  "without_outcome"] | None = None  # fmt: skip
    reason: str = ""
    entries: Count
    recordings: Count
    patients: Count


@dataclass(frozen=True, kw_only=True)
class SidesEntry:
    """How many are tested, or only trained on."""

    tested: Count = 0
    trained_only: Count = 0
    neither: Count = 0


@dataclass(frozen=True, kw_only=True)
class ProtocolFlowEntry:
    """Of one protocol."""

    patients: SidesEntry = SidesEntry()
    recordings: SidesEntry = SidesEntry()


@dataclass(frozen=True, kw_only=True)
class AsideEntry:
    """Patients without an outcome."""

    patients: Count = 0
    recordings: Count = 0
    train: bool | None = None


@dataclass(frozen=True, kw_only=True)
class FlowEntry:
    """From all who were found to those who were tested."""

    from_table: bool | None = None
    stations: tuple[StationEntry, ...] = ()
    samples: Count = 0
    copies: Count = 0
    unlabelled: AsideEntry | None = None
    identical: Count = 0
    linked: Count = 0
    protocols: dict[str, ProtocolFlowEntry] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CodeEntry:
    """A package as it was installed; `code` is the digest of its sources."""

    version: str
    code: str | None


@dataclass(frozen=True, kw_only=True)
class PluginCodeEntry(CodeEntry):
    """A plugin as it was installed."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ComputedOnEntry:
    """The device of the fits."""

    kind: str
    name: str | None
    precision: str | int | None


@dataclass(frozen=True, kw_only=True)
class MachineEntry:
    """What may move a number's last digits."""

    system: str
    processor: str | None


@dataclass(frozen=True, kw_only=True)
class GroundEntry:
    """Code and packages that a run stands on."""

    core: CodeEntry
    plugin: PluginCodeEntry
    python: str
    packages: dict[str, str]
    aside: dict[str, str]
    device: ComputedOnEntry
    machine: MachineEntry
    executor: str | None = None
    recordings: str | None = None
    labels: str | None = None
    table: str | None = None
    splits: str | None = None


@dataclass(frozen=True, kw_only=True)
class ContractEntry:
    """What ``cardio plugins check`` found of the plugin with the code that the run used."""

    state: Literal["passed", "failed", "not run", ""] = ""
    date: str = ""
    code: Digest | None = None


@dataclass(frozen=True, kw_only=True)
class MemberEntry:
    """A run that was fused; it lies elsewhere, so its place may leave the folder."""

    label: Name
    run: str = Field(min_length=1, max_length=4000, pattern=r"^[^\x00-\x1f]+$")
    model: Name
    target: str
    event: str
    n_patients: Count
    final_digest: Digest | None = None
    predictions_digest: Digest | None = None


@dataclass(frozen=True, kw_only=True)
class EvaluatedEntry:
    """What was validated on other patients."""

    run: str | None = None
    kind: str | None = None
    source: str | None = None
    final_models: str | None = None
    n_patients: Count | None = None
    core_version: str | None = None
    by_site: bool = False


@dataclass(frozen=True, kw_only=True)
class ShownEntry:
    """A table or figure: its name, its protocol, whether it repeats what a paper printed."""

    name: str
    protocol: str = ""
    published: bool = False


@dataclass(frozen=True, kw_only=True)
class TableOneEntry:
    """What stands above and below the table of patients, and whom its columns describe.

    `sizes` has the patients of each column that describes some, everybody's first.
    """

    title: str = "Patients"
    by: str = ""
    notes: tuple[str, ...] = ()
    sizes: dict[str, Count] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunManifest:
    """What a directory came of, on whom and by which code; what is not known is empty.

    A folder that was only begun has fewer entries than a finished one.
    """

    status: str = ""
    kind: RunKind = RunKind.RUN
    schema: Count = SCHEMA
    name: str = ""
    command: str | tuple[str, ...] = ()
    error: str = ""
    error_code: str = ""
    plugin: str = ""
    plugin_version: str = ""
    core_version: str = ""
    task: str = ""
    task_title: str = ""
    papers: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    model_titles: dict[str, str] = field(default_factory=dict)
    baselines: tuple[str, ...] = ()
    primary: str = ""
    targets: tuple[TargetEntry, ...] = ()
    outcome: str = ""
    outcome_column: str = ""
    words: dict[str, str] = field(default_factory=dict)
    config_digest: str = ""
    split_digest: str = ""
    seed: Seed | None = None
    device: DeviceEntry = DeviceEntry()
    packages: dict[str, str] = field(default_factory=dict)
    git_commit: str = ""
    stands_on: GroundEntry | None = None
    contract: ContractEntry = ContractEntry()
    data: DataEntry = DataEntry()
    started: str = ""
    finished: str = ""
    stages: dict[str, Number] = field(default_factory=dict)
    needs: tuple[NeedEntry, ...] = ()
    messages: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    tolerated: tuple[str, ...] = ()
    quarantined: tuple[Quarantined, ...] | None = None
    excluded: dict[str, tuple[str, ...]] = field(default_factory=dict)
    flow: FlowEntry = FlowEntry()
    flags: dict[str, Count] = field(default_factory=dict)
    overlap: dict[str, Any] = field(default_factory=dict)
    copied_signals: Count = 0
    n_not_drawn: Count = 0
    outputs: dict[str, str] = field(default_factory=dict)
    left_out: str = ""
    left_out_models: Any = None
    members: tuple[MemberEntry, ...] = ()
    covariates: tuple[str, ...] = ()
    guideline: str = ""
    same_folds: bool | None = None
    evaluated: EvaluatedEntry = EvaluatedEntry()
    table1: TableOneEntry = TableOneEntry()
    shown: dict[str, ShownEntry] = field(default_factory=dict)
    identity: str = ""
    of: str = ""
    found: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The task in words."""
        return self.task_title or self.task


@dataclass(frozen=True)
class MetricRow:
    """One estimate in its place, as ``metrics.json`` has it: flat `Scope` and `Estimate`."""

    name: str
    value: Number
    low: Number | None = None
    high: Number | None = None
    level: Share | None = None
    p_value: Share | None = None
    method: Text = ""
    n: Count | None = None
    n_patients: Count | None = None
    n_dropped: Count | None = None
    unit: Text = ""
    threshold_source: Text = ""
    seed: Count | None = None
    note: Text = ""
    extra: dict[str, int | Number | None] = field(default_factory=dict)
    protocol: Text = ""
    task: Text = ""
    target: Text = ""
    model: Text = ""
    versus: Text = ""
    class_name: Text = ""
    repeat: Count | None = None
    fold: int | str | None = None
    subgroup: Text = ""

    @property
    def pooled(self) -> bool:
        """Whether it stands for all folds together."""
        return self.fold in (None, "pooled")


@dataclass(frozen=True)
class FoldRecord:
    """Who is trained on, and who is tested."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True)
class SplitRecord:
    """The folds of one protocol."""

    folds: tuple[FoldRecord, ...]
    protocol: str = ""
    plan: str = ""
    unit: str = "patient"
    declared_overlap: Text = ""

    @property
    def overlap(self) -> str:
        """The declared overlap without its full stop; empty where none is declared."""
        return self.declared_overlap.rstrip(". ")


@dataclass(frozen=True)
class SplitRecords:
    """The folds of all protocols."""

    protocols: dict[str, SplitRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class CaseRecord:
    """One explained prediction, and its files in the folder."""

    sample_id: str = ""
    title: str = ""
    caption: Text = ""
    group: Text = ""
    model: Text = ""
    fold: Text = ""
    protocol: Text = ""
    scores: dict[str, Number | None] = field(default_factory=dict)
    figure: Text = ""
    video: Text = ""


WHAT = "what the run was"
MANIFEST = FileSchema(WHAT, RunManifest)
METRICS = FileSchema("the run's estimates", tuple[MetricRow, ...])
SPLITS = FileSchema("who was trained on and tested", SplitRecords)
CASE = FileSchema("an explained case", CaseRecord, most_bytes=8 << 20)


class _NamedTarget(Entries):
    """A column of somebody's table may be called anything: `SafeName` makes names of files."""

    name: str


class _Named(Entries):
    """Entries that become parts of paths where models and fits are opened."""

    plugin: Name | None = None
    task: Name | None = None
    protocols: list[Literal["honest", "paper"]] = Field(min_length=1)
    models: list[Name]
    targets: list[_NamedTarget] = Field(min_length=1)
    outputs: dict[Place, Digest] | None = None


_NAMED = FileSchema(WHAT, _Named)
_OPENED = ("status", "seed", "device", "data", "needs")
_OF_RUN = (*_OPENED, "plugin", "task", "config_digest", "packages", "core_version",
           "plugin_version", "primary", "stages")  # fmt: skip
_NEEDED = {
    RunKind.RUN: _OF_RUN,
    RunKind.EXPORTED: (*_OPENED, "plugin", "task"),
    RunKind.FUSED: ("status", "members", "model_titles", "baselines", "task_title", "data",
                    "covariates"),
}  # fmt: skip
"""Entries that the readers of a folder of this kind cannot do without."""


def manifest_in(content: Any, path: Path, *, complete: bool = True) -> RunManifest:
    """Return the content of a ``manifest.json`` as a manifest.

    Where it need not be `complete`, entries that only models and fits are opened by may be missing:
    a page is made of what there is.

    Raises
    ------
    DataError
        In one line: an entry that is missing, of another type or beyond its limits; another schema.
    """
    known = content
    if isinstance(content, dict):  # null is written for what is not known
        known = {name: value for name, value in content.items() if value is not None}
    made: RunManifest = MANIFEST.check(known, path)
    if made.schema != SCHEMA:
        raise DataError.unusable(
            path.name, f"files of schema {SCHEMA}", f"{made.schema}",
            "open it with the cardio-core that wrote it, or run its command again",
            code="version")  # fmt: skip
    if complete and made.kind in (RunKind.RUN, RunKind.EXPORTED):
        require_whole(content, path)
    return made


def require_whole(content: Mapping[str, Any], path: Path) -> None:
    """Raise unless a manifest has what models and fits of a folder of its kind are opened by.

    Raises
    ------
    DataError
        In one line: an entry that is missing, or a name that would leave the folder.
    """
    kind = RunKind(content.get("kind") or RunKind.RUN)
    needed = _NEEDED[kind]
    if kind is RunKind.RUN and content.get("status") == "done":
        needed += ("notes", "split_digest")
    missing = [name for name in needed if name not in content]
    if kind is RunKind.FUSED and len(content.get("members") or ()) < 2:
        missing.append("members")
    if missing:
        raise DataError(
            f"{path.name}: expected an entry at {missing[0]}, found none; {MANIFEST.put_back}"
        )
    _NAMED.check({name: value for name, value in content.items() if value is not None}, path)


def words_of(command: str | Sequence[str] | None) -> list[str]:
    """Return the words of the command in a manifest; none where it was no command.

    Raises
    ------
    DataError
        If no shell could have taken it apart (a quote that does not end).

    Examples
    --------
    >>> words_of("cardio run --out 'my run'")
    ['cardio', 'run', '--out', 'my run']
    """
    if not isinstance(command, str):
        return list(command or ())
    try:
        return shlex.split(command)
    except ValueError:
        raise DataError.unusable(
            "manifest.json", "a command", "one with a quote that does not end",
            "put back a whole copy of the run", code="damaged") from None  # fmt: skip


@dataclass(frozen=True)
class RunArtifact:
    """A run directory.

    Attributes
    ----------
    folder : Path
    manifest : RunManifest
    metrics : tuple of MetricRow
    splits : mapping of str to SplitRecord
        By protocol.
    config : str
        The settings, as YAML.
    tables, figures : tuple of Path
        CSV and SVG, without those that the report writes.
    cases : tuple of CaseRecord
    """

    folder: Path
    manifest: RunManifest
    metrics: tuple[MetricRow, ...] = ()
    splits: Mapping[str, SplitRecord] = field(default_factory=dict)
    config: str = ""
    tables: tuple[Path, ...] = ()
    figures: tuple[Path, ...] = ()
    cases: tuple[CaseRecord, ...] = ()

    @property
    def table_one(self) -> Path | None:
        """The table of patients, where there is one."""
        return next((path for path in self.tables if path.name == "table1.csv"), None)

    def tables_named(self, name: str) -> list[Path]:
        """Return the tables of a name, of whatever model and protocol."""
        return [path for path in self.tables if f"{self.entry(path).name}-".startswith(f"{name}-")]

    def entry(self, path: Path) -> ShownEntry:
        """Return what the manifest says of a table or figure; of another its file's name."""
        known = self.manifest.shown.get(path.relative_to(self.folder).as_posix())
        return known or ShownEntry(name=without_mark(path.stem))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The out-of-fold predictions, read when they are asked for."""
        return read_predictions(self.folder / "predictions.csv")


def read_artifact(folder: Path) -> RunArtifact:
    """Read a run directory; of its files only the manifest has to be there.

    Raises
    ------
    DataError
        In one line: no manifest, a file that is damaged, or a folder that leads out of itself.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        raise DataError(
            f"{folder.name or folder}: no manifest.json, so this is no run directory; "
            "name the folder that `cardio run` wrote",
            code="missing",
        )
    guard_folder(folder)
    config = folder / "config.yaml"
    return RunArtifact(
        folder,
        manifest_in(read_json(path), path, complete=False),
        METRICS.read_or(folder / "metrics.json", ()),
        SPLITS.read_or(folder / "splits.json", SplitRecords()).protocols,
        read_text(config) if config.is_file() else "",
        tuple(file for file in _files(folder / "tables", "*.csv") if file.name not in CHECKLISTS),
        _files(folder / "figures", "*.svg"),
        tuple(CASE.read(file) for file in _files(folder / "explanations", "*.json")),
    )


def _files(folder: Path, pattern: str) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.rglob(pattern) if path.name[0] != "."))
