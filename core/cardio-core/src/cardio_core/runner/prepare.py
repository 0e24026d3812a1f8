"""From files to features: load once, then one patient at a time, through the cache."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.compute.executors import Executor, at_once
from cardio_core.config import RunConfig
from cardio_core.context import Context
from cardio_core.errors import ConfigError, ContractError, DataError, HookError
from cardio_core.fold_assignment import guard_duplicates, link_subjects
from cardio_core.io.cohort import CohortTable, notes_on_tables
from cardio_core.io.hashing import digest, file_digest, package_digest
from cardio_core.io.run_schema import ACQUIRED, PRINTED, FileSchema
from cardio_core.io.store import load_features, save_features
from cardio_core.registry import Plugin
from cardio_core.runner.fingerprints import Seen, Watched, acquired_of, fingerprint, print_of
from cardio_core.runner.forget import FILES as FILE_DIGESTS
from cardio_core.runner.hook_calls import call
from cardio_core.runner.opened_files import only_own_files
from cardio_core.runner.outcome import give_outcome
from cardio_core.runner.patients import guard_covariates
from cardio_core.runner.progress import Echo, Progress, Slow, several
from cardio_core.runner.provenance import versions_for
from cardio_core.runner.setup import opened
from cardio_core.types.features import FeatureSet, concatenate
from cardio_core.types.notes import Exclusion, Note, NoteKind
from cardio_core.types.redaction import text_of, unreadable
from cardio_core.types.samples import ID_COLUMNS, Cohort, Quarantined, SampleSet, sealed
from cardio_stats.cells import cell_text, write_rows
from cardio_stats.files import whole_directory, write_json
from cardio_stats.outcome import MAX_CLASSES

# What became of every file of the inputs: one line a file, and all of them in one sentence.

FILES = "files.csv"
COLUMNS = ("file", "kind", "study", "recording", "shows", "used", "why not")


@dataclass(frozen=True)
class FileLine:
    """One file.

    Attributes
    ----------
    number : int
        Its place among all, from 1: names of files can hold the names of people.
    kind, study, recording, shows : str
        What it is, where it belongs and what it shows; empty where nothing says so.
    used : bool
        Whether an answer stands on it.
    why : str
        Why not, where the kind does not say so already.
    path : Path
        For ``--mapping`` alone.
    """

    number: int
    kind: str
    study: str
    recording: str
    shows: str
    used: bool
    why: str
    path: Path = field(repr=False)

    def cells(self) -> dict[str, str]:
        """Return the line by the columns of `files.csv`."""
        used = "yes" if self.used else "no"
        messages = (self.kind, self.study, self.recording, self.shows, used, self.why)
        return dict(zip(COLUMNS, (str(self.number), *messages), strict=True))


def account(
    cohort: Cohort, refused: Mapping[str, Exclusion], shows: Mapping[str, str] | None = None
) -> tuple[FileLine, ...]:
    """Say of every file of a cohort what became of it.

    Parameters
    ----------
    cohort : Cohort
        With the files that `load` has `seen`.
    refused : mapping of str to Exclusion
        By recording, why no answer stands on it.
    shows : mapping of str to str, optional
        By recording, what it shows.
    """
    known = shows or {}
    lines = []
    for number, file in enumerate(cohort.seen, start=1):
        why = file.why or refused.get(file.recording_id, Exclusion()).text
        used = bool(file.recording_id) and not why
        seen = known.get(file.recording_id, "")
        lines.append(
            FileLine(
                number, file.kind, file.study_id, file.recording_id, seen, used, why, file.path
            )
        )
    return tuple(lines)


def summed(lines: Sequence[FileLine], recording: str, *, used_is: str = "used") -> str:
    """Return all files in one sentence; empty where each is a study of its own that is used.

    `recording` is what the plugin calls one (`PluginInfo.recording`), `used_is` the word for its
    use, where files are only read.

    Examples
    --------
    >>> loop = FileLine(1, "2D loop", "1", "1-1", "", True, "", Path("a"))
    >>> still = FileLine(2, "still", "", "", "", False, "", Path("b"))
    >>> summed([loop, still, still, loop], "loop")
    '4 files: 2 loops used in 1 study, 2 × still.'
    >>> loose = FileLine(3, "video", "", "2", "", True, "", Path("c"))
    >>> summed([loop, loose, still], "loop")
    '3 files: 1 loop used in 1 study, 1 loop without a study used, 1 × still.'
    """
    used = [line for line in lines if line.used]
    studies = {line.study for line in used if line.study}
    loose = sum(not line.study for line in used)
    if len(used) == len(lines) == len(studies) + loose:
        return ""
    own, alone = several(len(used) - loose, recording), several(loose, recording)
    messages = [f"{own} {used_is} in {_studies(len(studies))}"] * bool(studies)
    messages += [f"{alone} without a study {used_is}"] * bool(loose)
    kinds = Counter((line.kind, bool(line.recording)) for line in lines if not line.used)
    messages += [
        f"{n} × {kind}{f' not {used_is}' if unused_recording else ''}"
        for (kind, unused_recording), n in sorted(kinds.items(), key=_in_order)
    ]
    return f"{several(len(lines), 'file')}: {', '.join(messages)}."


def write_files(path: Path, lines: Iterable[FileLine]) -> None:
    """Write one line a file, as CSV; no name of a file is in it."""
    write_cells(path, (line.cells() for line in lines))


def write_cells(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write lines that are cells already; columns beside those of each file stand behind them."""
    lines = list(rows)
    more = [name for name in (lines[0] if lines else ()) if name not in COLUMNS]
    columns = (*COLUMNS, *more)
    write_rows(path, columns, ([row[name] for name in columns] for row in lines))


def _in_order(counted: tuple[tuple[str, bool], int]) -> tuple[bool, int, str]:
    """What somebody may have to look at comes first; the rest by number."""
    (kind, unused_recording), n = counted
    return not (unused_recording or kind == "damaged"), -n, kind.lower()


def _studies(n: int) -> str:
    return "1 study" if n == 1 else f"{n} studies"


# One patient through `preprocess` and `featurize`, the way that nobody goes around.
#
# The run, `cardio predict`, `cardio data check` and the contract of plugins all call
# `make_patient`.


@dataclass(frozen=True)
class MadePatient:
    """What was made of one patient's recordings.

    `samples` is None where no recording can be used, `features` where there is no sample or none
    was asked for; `quarantined` has one row a recording that was set aside.
    """

    samples: SampleSet | None
    features: FeatureSet | None
    quarantined: tuple[Quarantined, ...]


def make_patient(
    plugin: Plugin,
    config: Any,
    ctx: Context,
    samples: SampleSet,
    own: Collection[Path],
    *,
    featurize: bool = True,
) -> MadePatient:
    """Preprocess and featurize one patient.

    The hooks get values that the core opens one by one, and a context without inputs, needs, cache
    or a folder to fill: nothing from which the cohort table, and in it the label, could be found.
    Of the files beside the recordings they may open `own`, what `Cohort.files` names. `samples` are
    the patient's rows of what `load` returned.

    Raises
    ------
    LeakageError
        If another file beside the recordings was opened.
    """
    alone = ctx.replace(
        cache=None, _out=None, _inputs=(), _option_files={}, _facts={}, _needs={}, _tested={},
        _quarantined=[],
    )  # fmt: skip
    preprocessed, features = None, None
    try:
        with only_own_files(own):
            preprocessed = call(plugin, "preprocess", alone, config, samples=sealed(samples))
            if featurize and len(preprocessed):
                features = call(plugin, "featurize", alone, config, samples=preprocessed)
    except (DataError, HookError) as error:
        # A hook that breaks on one new recording must not cost the others their answer.
        if isinstance(error, HookError) and ctx.mode == "fit":
            raise
        for recording in samples.table["recording_id"]:
            alone.replace(hook="preprocess").quarantine(str(recording), text_of(error))
    # The first reason is the recording's own; a later one may speak for the whole patient.
    rows = {row.recording_id: row for row in reversed(alone._quarantined)}
    return MadePatient(preprocessed, features, tuple(reversed(rows.values())))


def no_samples() -> SampleSet:
    """Return the samples of nobody."""
    index = pd.Index([], name="sample_id")
    return SampleSet(pd.DataFrame({name: [] for name in ID_COLUMNS}, index, dtype=object), [])


# Outer folds that are stratified by a column of the cohort table.


def stratified(cohort: Cohort, column: str) -> Cohort:
    """Return a cohort whose targets carry a column of its table as strata.

    Two tasks on the same patients share folds: the earlier one is split so that the later one,
    whose outcome it does not know, finds every class in each fold. A column of more than
    `MAX_CLASSES` numbers is parted at its median. A patient has the first known value of the
    studies.

    Raises
    ------
    ConfigError
        If the table has no such column.

    Examples
    --------
    >>> import numpy as np
    >>> from cardio_core.types.samples import SampleSet
    >>> from cardio_core.types.targets import Targets
    >>> rows = pd.DataFrame({"recording_id": ["r1", "r2"], "study_id": ["s1", "s2"],
    ...                      "patient_id": ["p1", "p2"]})
    >>> table = pd.DataFrame({"arm": ["b", None]}, index=["s1", "s2"])
    >>> views = Targets("recording", pd.DataFrame({"view": ["x", "y"]}, index=["r1", "r2"]))
    >>> cohort = Cohort(SampleSet(rows, np.zeros(2)), {}, views, table)
    >>> stratified(cohort, "arm").targets.strata.to_dict()
    {'r1': 'b', 'r2': None}
    """
    if cohort.targets is None or cohort.targets.unit not in ("recording", "study", "patient"):
        return cohort
    if cohort.table is None or column not in cohort.table.columns:
        raise ConfigError(
            f"stratify: expected the cohort table's column {column}, found none", code="missing"
        )
    words = _words(cohort.table[column])
    words.index = words.index.astype(str)
    words = words[~words.index.duplicated()]
    unit = cohort.targets.unit
    if unit != "study":
        samples = cohort.samples.table
        own = samples["study_id"].astype(str).map(words)
        keys = samples[f"{unit}_id"].astype(str)
        words = own.groupby(keys.to_numpy(), sort=False).first()
    return replace(cohort, targets=replace(cohort.targets, strata=words))


def _words(values: pd.Series) -> pd.Series:
    texts = pd.Series([cell_text(cell) for cell in values], index=values.index, dtype=object)
    if texts.nunique() <= MAX_CLASSES:
        return texts
    numbers = pd.to_numeric(texts, errors="coerce")
    high = (numbers >= numbers.median()).map({True: "high", False: "low"})
    return high.astype(object).where(numbers.notna(), None)


QUARANTINED = FileSchema("recordings that cannot be used", list[Quarantined])
FINGERPRINTS, ACQUISITION = "fingerprints.json", "acquired.json"
"""In a patient's folder of the cache: of the recordings' signals, in their order, no names."""


class UnusableCohortError(DataError):
    """Too little of a cohort can be used; carries what was quarantined, for those who list it."""

    def __init__(self, message: str, quarantined: Sequence[Quarantined]) -> None:
        super().__init__(message)
        self.quarantined = tuple(quarantined)


@dataclass(frozen=True)
class Digests:
    """SHA-256 of each recording's files: all that decide about it, and those only it may have."""

    all_files: dict[str, list[str]]
    own_files: dict[str, list[str]]


@dataclass(frozen=True)
class Prepared:
    """A cohort with its features; the table of the features carries `subject_id`.

    `quarantined` is of all hooks, `digest` of all files, `own_files` the SHA-256 of what
    `Cohort.own_files` returns, of all recordings, in order; `n_identical` counts recordings whose
    own files are all another's, too, who then is the same person. `repeated` names, for a
    recording one of whose own files was there before, the recording that had it.
    `fingerprints` are of the signals, by recording; those that hold none have none. `acquired` is
    how each was acquired (`acquired_of`). `digests` are those of each recording's files.
    """

    cohort: Cohort
    features: FeatureSet
    quarantined: tuple[Quarantined, ...]
    digest: str
    own_files: tuple[str, ...]
    n_identical: int = 0
    repeated: Mapping[str, str] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    acquired: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    digests: Digests = field(default_factory=lambda: Digests({}, {}))


@dataclass(frozen=True)
class PatientJob:
    """Everything a worker needs to make one patient's features.

    `files` are digests, `own` the files that may be opened.
    """

    plugin: str
    config: RunConfig
    ctx: Context
    samples: SampleSet
    folder: Path
    files: tuple[str, ...]
    own: tuple[Path, ...] = ()


def load_recordings(plugin: Plugin, config: RunConfig, ctx: Context) -> Cohort:
    """Call `load` and return the cohort with everything that was quarantined.

    Raises
    ------
    DataError
        If two cohort tables share a study ID.
    UnusableCohortError
        If nothing usable was found.
    ConfigError
        If a file was given beside several recordings, or a covariate says the outcome.
    """
    if len(ctx._inputs) > 1:
        CohortTable.find_all(ctx._inputs, plugin.info.paths)
    ctx = ctx.replace(_quarantined=[])
    cohort: Cohort = call(plugin, "load", ctx, config)
    if ctx.mode == "fit" and config.outcome.column is not None:
        cohort = give_outcome(cohort, config.outcome, ctx.task)
    if ctx.mode == "fit" and config.stratify is not None:
        cohort = stratified(cohort, config.stratify)
    notes = notes_on_tables(ctx._inputs, plugin.info, used=_requested_columns(config))
    if ctx.mode == "fit" and cohort.seen:  # those who ask of new recordings account for each file
        searched = summed(account(cohort, {}), plugin.info.recording, used_is="taken")
        notes = (*notes, f"Folders that the table names hold {searched}" if searched else "")
    cohort = replace(
        cohort,
        quarantined=(*cohort.quarantined, *ctx._quarantined),
        notes=(*cohort.notes, *Note.each(NoteKind.COHORT, notes)),
    )
    if not len(cohort.samples):
        gone = cohort.quarantined
        why = f"the first problem: {gone[0].reason}" if gone else "check the folder"
        where = ", ".join(path.name for path in ctx.replace(hook="load").inputs)
        raise UnusableCohortError(
            f"no usable recording in {where} ({len(gone)} quarantined); {why}",
            gone,
        )
    if ctx.strict and cohort.quarantined:
        _stop(cohort.quarantined[0])
    n_found = len(cohort.samples) + len(cohort.quarantined)
    if ctx._option_files and n_found > 1:
        raise ConfigError(
            f"--{next(iter(ctx._option_files))}: expected one recording, whose file it is, found "
            f"{n_found}; give them one at a time, or all in a cohort table"
        )
    return cohort


def load_cohort(
    plugin: Plugin, config: RunConfig, ctx: Context, cohort: Cohort | None = None
) -> tuple[Cohort, Digests]:
    """Call `load`, unless it was, and return the cohort with the digests of each recording's files.

    Raises
    ------
    DataError
        If nothing usable was found.
    ConfigError
        If a file was given beside several recordings, or a covariate says the outcome.
    LeakageError
        If an identical file stands under two patients. New patients leak nothing: each is
        answered.
    """
    if cohort is None:
        cohort = load_recordings(plugin, config, ctx)
    guard_covariates(cohort, config.covariates, ctx.task.targets)
    digests, unread = _digests(cohort)
    if unread:
        if ctx.strict:
            _stop(unread[0])
        cohort = _without(cohort, unread)
    table = cohort.samples.table
    if ctx.mode == "fit":
        subjects = dict(zip(table.index, link_subjects(table), strict=True))
        guard_duplicates(digests.own_files, subjects)
    return cohort, digests


def repeats(own_files: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return, for each recording one of whose files was there before, the one that had it.

    Examples
    --------
    >>> repeats({"1": ["a"], "2": ["b"], "3": ["a", "c"]})
    {'3': '1'}
    """
    seen: dict[str, str] = {}
    found: dict[str, str] = {}
    for recording, digests in own_files.items():
        other = next((seen[item] for item in digests if item in seen), None)
        if other is not None:
            found[recording] = other
        for entry in digests:
            seen.setdefault(entry, recording)
    return found


def _requested_columns(config: RunConfig) -> tuple[str, ...]:
    """Return the columns of the cohort's own that somebody asked for."""
    outcome = config.outcome.column
    return (*config.covariates, *((outcome,) if outcome is not None else ()))


def digests_of(files: Iterable[Path]) -> dict[Path, str]:
    """Return the SHA-256 of each of a recording's files; what is no regular file has none.

    Raises
    ------
    DataError
        In the words for a recording that cannot be read.
    """
    files = tuple(files)
    try:
        return {path: file_digest(path) for path in files if path.is_file()}
    except OSError as error:
        raise unreadable(error, files) from error


def _without(cohort: Cohort, unread: Sequence[Quarantined]) -> Cohort:
    """Return a cohort without the recordings whose files could not be read to their ends."""
    lost = {row.recording_id for row in unread}
    retained = [n for n, item in enumerate(cohort.samples.table.index) if str(item) not in lost]
    if not retained:
        raise UnusableCohortError(
            f"no usable recording ({len(unread)} quarantined); the first problem: "
            f"{unread[0].reason}", unread,
        )  # fmt: skip
    return replace(
        cohort, samples=cohort.samples.take(np.array(retained)),
        quarantined=(*cohort.quarantined, *unread),
    )  # fmt: skip


def _digests(cohort: Cohort) -> tuple[Digests, list[Quarantined]]:
    all_files, own_files, unread = {}, {}, []
    for recording in cohort.samples.table.index:
        try:
            found = digests_of(cohort.files[recording])
        except DataError as error:
            files = cohort.files[recording]
            unread.append(Quarantined(str(recording), "load", str(error), files))
            continue
        all_files[recording] = list(found.values())
        own_files[recording] = [found[p] for p in cohort.own_files(recording) if p in found]
    return Digests(all_files, own_files), unread


def prepare(
    plugin: Plugin,
    config: RunConfig,
    ctx: Context,
    executor: Executor,
    echo: Echo | None,
    cohort: Cohort | None = None,
) -> Prepared:
    """Load a cohort and make every patient's features, or find them in the cache.

    `cohort` is what `load` returned, where it was called before.
    """
    cohort, digests = load_cohort(plugin, config, ctx, cohort)
    jobs = patient_jobs(plugin, config, ctx, cohort, digests.all_files)
    todo = [job for job in jobs if not job.folder.exists()]
    number_of = {job.folder.name: number for number, job in enumerate(todo)}
    slow = Slow([list(map(str, job.samples.table.index)) for job in todo], at_once(executor))
    with Progress("features", len(todo), echo, "patients", under_way=slow) as progress:

        def done(folder: str) -> None:
            slow.done(number_of[folder])
            progress.advance()

        executor.map(make_features, todo, on_done=done)
    quarantined = [*cohort.quarantined, *set_aside(jobs)]
    guard_enough(quarantined, cohort, config, ctx)
    made = [job.folder for job in jobs if (job.folder / "blocks.json").exists()]
    parts = [load_features(folder) for folder in made]
    try:
        features = concatenate(parts)
    except ValueError as error:
        raise ContractError(
            f"plugin {plugin.info.name!r}, hook featurize: {error}; make the blocks alike"
        ) from error
    links = cohort.samples.table.assign(subject_id=link_subjects(cohort.samples.table))
    by_patient = links.drop_duplicates("patient_id").set_index("patient_id")["subject_id"]
    table = features.table.assign(subject_id=features.table["patient_id"].map(by_patient))
    if "site_id" in links.columns:
        site = links.drop_duplicates("recording_id").set_index("recording_id")["site_id"]
        table["site_id"] = table["recording_id"].map(site)
    return Prepared(
        cohort,
        FeatureSet(table, features.blocks),
        tuple(quarantined),
        digest(digests.all_files),
        tuple(sorted({item for own in digests.own_files.values() for item in own})),
        _n_identical(digests.own_files.values()),
        repeats(digests.own_files),
        {name: value for name, value in _stored(jobs, FINGERPRINTS, PRINTED).items() if value},
        _stored(jobs, ACQUISITION, ACQUIRED),
        digests,
    )


def _stored(jobs: Iterable[PatientJob], name: str, schema: FileSchema) -> dict[str, Any]:
    """Return by recording what its patient's folder of the cache keeps in a list."""
    found: dict[str, Any] = {}
    for job in jobs:
        path = job.folder / name
        if path.is_file():
            found |= dict(zip(map(str, job.samples.table.index), schema.read(path), strict=True))
    return found


def set_aside(jobs: Iterable[PatientJob]) -> list[Quarantined]:
    """Return what `preprocess` and `featurize` set aside of patients whose features are made."""
    return [row for job in jobs for row in QUARANTINED.read(job.folder / "quarantined.json")]


def guard_enough(
    quarantined: Sequence[Quarantined], cohort: Cohort, config: RunConfig, ctx: Context
) -> None:
    """Raise where a run stops because of what was set aside: anything with --strict, else much.

    Raises
    ------
    DataError
        If the run is strict and anything was.
    UnusableCohortError
        If a larger share of the recordings was than ``limits.bad_share`` allows, or all.
    """
    if ctx.strict and quarantined:
        _stop(quarantined[0])
    _check_share(quarantined, cohort, config.limits.bad_share)


def _n_identical(own_files: Iterable[Sequence[str]]) -> int:
    """Count recordings that add no file to those before them."""
    seen: set[str] = set()
    again = 0
    for own in own_files:
        again += bool(own) and set(own) <= seen
        seen |= set(own)
    return again


def make_features(job: PatientJob, device: Any = None) -> str:
    """Preprocess and featurize one patient into its folder of the cache; return that one's name."""
    plugin = opened(job.plugin)

    def fill(folder: Path) -> None:
        samples, seen = _watched(job)
        ctx = job.ctx.replace(device=device)
        made = make_patient(plugin, job.config, ctx, samples, job.own)
        if made.features is not None and len(made.features):
            save_features(folder, made.features)
        write_json(folder / "quarantined.json", [row.cells() for row in made.quarantined])
        write_json(folder / FILE_DIGESTS, list(job.files))
        known = [seen.get(place, Seen(None, {})) for place in range(len(samples))]
        prints = ["" if name.looks is None else fingerprint(name.looks) for name in known]
        write_json(folder / FINGERPRINTS, prints)
        write_json(folder / ACQUISITION, [dict(name.acquired) for name in known])

    whole_directory(job.folder, fill, keep_others=True)
    return job.folder.name


def _watched(job: PatientJob) -> tuple[SampleSet, dict[int, Seen]]:
    """Return the samples, and what each looks like once it is opened; of new patients nothing."""
    values, seen = job.samples.values, dict[int, Seen]()
    if job.ctx.mode != "fit":
        return job.samples, seen
    if not isinstance(values, np.ndarray):
        return SampleSet(job.samples.table, Watched(values, seen)), seen
    # Nothing is opened: an array stays what it is.
    return job.samples, {
        n: Seen(print_of(value), acquired_of(value)) for n, value in enumerate(values)
    }


def patient_jobs(
    plugin: Plugin, config: RunConfig, ctx: Context, cohort: Cohort, digests: dict[str, list[str]]
) -> list[PatientJob]:
    """Return one job a patient; its folder of the cache is there where it has been done before."""
    if ctx.cache is None:
        raise ValueError("features need a cache folder")
    common = {
        "plugin": plugin.info.name,
        "version": plugin.version,
        "code": package_digest(plugin.package),
        # Another scipy may filter otherwise: features of another day are then made anew.
        "packages": versions_for(plugin.distribution)["packages"],
        "task": ctx.task.source,
        "mode": ctx.mode,
        "stages": {
            stage: getattr(config, stage).model_dump(mode="json")
            for stage in ("load", "preprocess", "featurize")
        },
        "seed": ctx.seed,
    }
    own = ctx.replace(_inputs=(), protocol=None, cache=None, progress=None)
    rows_of: dict[str, list[int]] = {}
    for row, patient in enumerate(cohort.samples.table["patient_id"]):
        rows_of.setdefault(patient, []).append(row)
    jobs = []
    for patient in sorted(rows_of):
        samples = cohort.samples.take(np.array(rows_of[patient]))
        rows = samples.table.astype(str).to_dict("split")
        files = [digests[r] for r in samples.table.index]
        stated = [asdict(item) for r in samples.table.index for item in cohort.facts.get(r, ())]
        about = {"rows": rows, "files": files} | ({"facts": stated} if stated else {})
        key = digest({**common, **about})
        folder = ctx.cache / "features" / plugin.info.name / key[:32]
        made_of = tuple(sorted({item for of_recording in files for item in of_recording}))
        theirs = tuple(file for name in samples.table.index for file in cohort.files[name])
        theirs = theirs if ctx.mode == "fit" else ()  # of new patients no label is known
        jobs.append(PatientJob(plugin.info.name, config, own, samples, folder, made_of, theirs))
    return jobs


def _check_share(quarantined: Sequence[Quarantined], cohort: Cohort, limit: float) -> None:
    bad = {row.recording_id for row in quarantined}
    total = len(bad | set(cohort.samples.table.index))
    if len(bad) > limit * total or len(bad) == total:
        first = quarantined[0]
        raise UnusableCohortError(
            f"{len(bad)} of {total} recordings cannot be used (limits.bad_share is {limit:g}); "
            f"the first, {first.recording_id}: {first.reason}",
            quarantined,
        )


def _stop(row: Quarantined) -> None:
    raise DataError(f"--strict: recording {row.recording_id}: {row.reason}")
