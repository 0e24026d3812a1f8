"""Earlier tasks: found with `--from-run`, made from given data, or made on the synthetic cohort."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cardio_core.config import NeedBlock, RunConfig, sets_of
from cardio_core.errors import ConfigError, LeakageError
from cardio_core.io.hashing import digest, file_digest
from cardio_core.io.run_artifact import SPLITS, SplitRecord
from cardio_core.io.run_schema import COHORT, ROWS
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.progress import several
from cardio_core.runner.provenance import NotTheSameError
from cardio_core.runner.request import NOTHING_GIVEN, RunRequest
from cardio_core.runner.setup import Setup
from cardio_core.types.info import Need
from cardio_stats.files import whole_directory, write_json

RunFunction = Callable[[RunRequest], Path]


@dataclass(frozen=True)
class Resolved:
    """A need with the finished run, or the file, that meets it, and where it came from."""

    need: Need
    place: Path
    text: str

    @property
    def run(self) -> Path | None:
        """The run directory; None where a file of weights stands in for one."""
        return self.place if self.place.is_dir() else None

    @property
    def identity(self) -> str:
        """A digest that differs where another run or file would meet the need."""
        if self.run is None:
            return file_digest(self.place)
        manifest = Manifest.open(self.run).content
        known = [manifest["config_digest"], manifest["data"]["digest"], manifest["split_digest"]]
        ground = manifest["stands_on"]
        known += [ground["labels"], ground["table"]]
        return digest([*known, *(ground[part]["code"] for part in ("core", "plugin"))])

    def to_dict(self) -> dict[str, str]:
        """Return the entry of the manifest."""
        where = {"task": self.need.task, "from": self.place.name}
        return where | {"text": self.text, "identity": self.identity}


def plan_needs(request: RunRequest, setup: Setup) -> list[str]:
    """Say, before anything starts, how each need will be met, or that no model that is run has it.

    Raises
    ------
    ConfigError
        If `--from-run` names a task that is not needed, that no model uses or that is skipped, or a
        run of something else or one that is not finished; if a need is skipped that a model cannot
        do without; if its data do not exist.
    """
    met = [_sentence(request, need, setup.config) for need in _wanted(request, setup)]
    used = setup.task.needs_of(setup.models)
    return met + [
        f"{need.task} is not made: no model that is run uses it"
        for need in setup.task.needs
        if need not in used
    ]


def resolve_needs(request: RunRequest, setup: Setup, out: Path, run: RunFunction) -> list[Resolved]:
    """Meet every need of the models that are run with a finished run.

    A run made here lies in ``needs/TASK`` of the asking run and is resumed with it.

    Raises
    ------
    ConfigError
        As `plan_needs`; if `--from-run` names a run of something else, or one that is not finished.
    """
    return [
        Resolved(
            need,
            _run_of(request, need, setup.config, out, run),
            _sentence(request, need, setup.config),
        )
        for need in _wanted(request, setup)
    ]


def made_first(request: RunRequest, setup: Setup, out: Path) -> list[Need]:
    """Return the needs that `resolve_needs` will make a run for, or go on with one."""
    return [
        need
        for need in _wanted(request, setup)
        if need.task not in request.needs_from
        and not setup.config.needs.get(need.task, NeedBlock()).instead
        and not _is_done(_folder(out, need.task))
    ]


def _folder(out: Path, task: str) -> Path:
    return out / "needs" / task


def _is_done(folder: Path) -> bool:
    begun = (folder / "manifest.json").exists()
    return begun and Manifest.open(folder).content["status"] == "done"


def _wanted(request: RunRequest, setup: Setup) -> list[Need]:
    """Return the needs of the models that are run that the configuration does not skip."""
    task, models = setup.task, setup.models
    strangers = set(request.needs_from) - {need.task for need in task.needs}
    if strangers:
        needed = ", ".join(need.task for need in task.needs) or "no earlier task"
        raise ConfigError(
            f"--from-run {sorted(strangers)[0]}: task {task.name!r} needs {needed}; name that"
        )
    used = task.needs_of(models)
    unused = set(request.needs_from) - {need.task for need in used}
    if unused:
        raise ConfigError(
            f"--from-run {sorted(unused)[0]}: none of the models that are run "
            f"({', '.join(models)}) uses it; leave it out, or run one that does"
        )
    wanted = []
    for need in used:
        if not setup.config.needs.get(need.task, NeedBlock()).skip:
            wanted.append(need)
        elif not need.optional:
            users = ", ".join(name for name in models if name in need.models)
            who = f"of the models, {users}" if users else f"task {task.name!r}"
            raise ConfigError(
                f"needs.{need.task}.skip: {who} cannot do without it; leave that out",
                code="contradiction",
            )
        elif need.task in request.needs_from:
            raise ConfigError(
                f"--from-run {need.task}: needs.{need.task}.skip says to do without it; leave "
                "one out",
                code="contradiction",
            )
    return wanted


def guard_unchanged(begun_with: Sequence[Mapping[str, str]], needs: Sequence[Resolved]) -> None:
    """Raise if a resumed run would go on from another earlier run than it began with."""
    known = {entry["task"]: entry["identity"] for entry in begun_with}
    for resolved in needs:
        task = resolved.need.task
        if known.get(task, resolved.identity) != resolved.identity:
            raise NotTheSameError(
                f"--resume: this run began with another run or file for {task} than "
                f"{resolved.place.name}; give the one that it began with, or start a new run"
            )


def guard_other(
    resolved: Resolved, digests: set[str], patients: set[str], *, other_people: bool = False
) -> None:
    """Raise if a need of ``other`` patients shares a patient or a file with this cohort.

    `digests` are of this run's files, without the JSONs beside them. `other_people` is the user's
    word that equal ids are of different people (``needs.TASK.other_people``).
    """
    if resolved.run is None:
        return
    seen = COHORT.read(resolved.run / "cohort.json")
    same_files = digests & set(seen["files"])
    same_patients = patients & set(seen["patients"])
    task = resolved.need.task
    begin = f"task {task!r} must come from other patients, but its run {resolved.run.name} shares"
    if same_files:
        raise LeakageError(
            f"{begin} {several(len(same_files), 'file')} with this cohort; pretrain on other data"
        )
    if same_patients and not other_people:
        raise LeakageError(
            f"{begin} {several(len(same_patients), 'patient id')} with this cohort "
            f"({min(same_patients)!r}); pretrain on other data or, if equal ids are different "
            f"people here, say so with --set needs.{task}.other_people=true"
        )


def splits_to_share(
    needs: Sequence[Resolved], patients: Collection[str]
) -> dict[str, SplitRecord] | None:
    """Return the split plans by protocol that needs of the ``same`` patients prescribe, or None.

    Raises
    ------
    ConfigError
        If a file stands in for such a need.
    LeakageError
        If this cohort has patients whom the earlier run never split, or two needs differ.
    """
    shared: dict[str, SplitRecord] | None = None
    for resolved in needs:
        if resolved.need.patients != "same":
            continue
        task = resolved.need.task
        if resolved.run is None:
            raise ConfigError(
                f"needs.{task}.instead: a file cannot stand in for a task on the same patients, "
                "because nothing tells whom it was fitted on; name a run with --from-run",
                code="unsupported",
            )
        strangers = set(patients) - set(COHORT.read(resolved.run / "cohort.json")["patients"])
        if strangers:
            raise LeakageError(
                f"task {task!r} must be split like this run, but its run {resolved.run.name} "
                f"never saw {len(strangers)} of this run's patients; run it on the same data, or "
                "let this run make it"
            )
        theirs = SPLITS.read(resolved.run / "splits.json").protocols
        if shared is not None and shared != theirs:
            raise LeakageError(
                f"task {task!r} was split otherwise than the other task that this one needs; "
                "make both from one run"
            )
        shared = theirs
    return shared


def artifacts_of(resolved: Resolved, protocol: str, fold: str) -> dict[str, Path]:
    """Return the earlier task's artifacts for one fold of this task, by model; a file as ``"*"``.

    ``other`` patients hand over ``models/final``; the ``same`` patients hand fold k the model of
    their fold k, which has not seen its test patients either.
    """
    if resolved.run is None:
        return {"*": resolved.place}
    models = resolved.run / "models"
    same = resolved.need.patients == "same" and fold != "final"
    folder = models / f"{protocol}-{fold}" if same else models / "final"
    rows = Manifest.open(resolved.run).content["models"]
    found = {row: folder / row / "artifact" for row in rows}
    return {row: place for row, place in found.items() if place.is_dir()}  # in this protocol


def tested_of(resolved: Resolved, protocol: str, fold: str) -> tuple[Path, ...]:
    """Return the folders of the earlier task's first model with its test predictions.

    Of the same protocol and repeat; the final models' filter is the first repeat.
    """
    if resolved.run is None or resolved.need.patients != "same":
        return ()
    repeat = "r0" if fold == "final" else fold.partition("-")[0]
    first = Manifest.open(resolved.run).content["models"][0]
    return tuple(sorted((resolved.run / "models").glob(f"{protocol}-{repeat}-f*/{first}")))


def keep_for_new(needs: Sequence[Resolved], out: Path) -> None:
    """Copy the earlier tasks' final models into a run that new patients are put through."""
    for resolved in needs:
        place = needed_folder(out) / resolved.need.task
        if not resolved.need.for_new or resolved.run is None or place.exists():
            continue

        def copy(folder: Path, resolved: Resolved = resolved) -> None:
            rows = artifacts_of(resolved, "", "final")
            for row, artifact in rows.items():
                shutil.copytree(artifact, folder / row)
            write_json(folder / "rows.json", list(rows))

        whole_directory(place, copy)


def needed_folder(run: Path) -> Path:
    """Return where a run keeps the final models of the tasks that it needs for new patients."""
    return run / "models" / "needed"


def open_needed(run: Path) -> dict[str, dict[str, Path]]:
    """Return what `keep_for_new` stored: artifacts by task and model."""
    return {
        task.name: {row: task / row for row in ROWS.read(task / "rows.json")}
        for task in sorted(needed_folder(run).glob("*"))
    }


def _run_of(
    request: RunRequest, need: Need, config: RunConfig, out: Path, run: RunFunction
) -> Path:
    if need.task in request.needs_from:
        return _checked(request.needs_from[need.task], request.plugin, need.task)
    block = config.needs.get(need.task, NeedBlock())
    if block.instead:
        return _file(Path(block.instead), need.task)
    data = (Path(block.data),) if block.data else ()
    own = request.data if need.patients == "same" and not data else data
    folder = _folder(out, need.task)
    if _is_done(folder):
        return folder
    typed = (*request.sets, *request.given.sets)
    sets = tuple(text for text in typed if _is_shared(text)) if need.patients == "same" else ()
    if need.patients == "same" and config.outcome.column is not None:
        # This run takes the folds, and each needs its share of every class.
        sets += tuple(sets_of({"stratify": config.outcome.column}))
    inner_request = replace(
        request,
        task=need.task,
        data=own,
        sets=(*sets_of(block.settings), *sets),
        needs_from={},
        out=folder,
        protocol="honest" if need.patients == "other" else request.protocol,
        resume=(folder / "manifest.json").exists(),
        for_need=True,
        # What is asked of this task is not asked of the earlier one.
        outcome=None,
        event=None,
        negative=(),
        missing=(),
        primary=None,
        given=NOTHING_GIVEN,
        covariates=(),
        same_as=None,
    )
    try:
        return run(inner_request)
    except ConfigError as error:  # said of what the user typed for the earlier task
        raise type(error)(f"needs.{need.task}: {error}") from error


def _is_shared(typed: str) -> bool:
    """Whether a setting is meant for an earlier task on the same patients: it lends its folds."""
    name = typed.partition("=")[0]
    of_folds = name.startswith("protocols.") and ".overrides" not in name
    return of_folds or name.startswith(("load.", "inner.", "n_synth", "difficulty"))


def _checked(path: Path, plugin: str, task: str) -> Path:
    try:
        content = Manifest.open(path).content
    except ConfigError as error:
        raise ConfigError(f"--from-run {task}={error}") from None
    if (content["plugin"], content["task"]) != (plugin, task):
        raise ConfigError(
            f"--from-run {task}={path}: this run is {content['plugin']} {content['task']}, "
            f"expected {plugin} {task}",
            code="mismatch",
        )
    if content.get("kind", "run") == "exported":
        raise ConfigError(
            f"--from-run {task}={path}: this folder was exported and does not tell whom it was "
            "fitted on, so nothing shows that no patient is shared; name the run itself",
            code="unsupported",
        )
    if content["status"] != "done":
        raise ConfigError(
            f"--from-run {task}={path}: this run is not finished; resume it first",
            code="unfinished",
        )
    return path


def _file(path: Path, task: str) -> Path:
    if not path.is_file():
        raise ConfigError(f"needs.{task}.instead: {path}: no such file; check the path")
    return path.resolve()


def _sentence(request: RunRequest, need: Need, config: RunConfig) -> str:
    block = config.needs.get(need.task, NeedBlock())
    if need.task in request.needs_from:
        run = _checked(request.needs_from[need.task], request.plugin, need.task)
        return f"{need.task} comes from the run {run.name}"
    if block.instead:
        file = _file(Path(block.instead), need.task)
        return f"{file.name} stands in for {need.task} (sha256 {file_digest(file)[:12]})"
    if block.data:
        if not Path(block.data).exists():
            raise ConfigError(
                f"needs.{need.task}.data: {block.data}: no such file or folder; check the path",
                code="missing",
            )
        return f"{need.task} is made first, on {Path(block.data).name}"
    if need.patients == "same":
        return f"{need.task} is made first, on the same patients and folds"
    return (
        f"{need.task} is made first, on its synthetic cohort; --from-run {need.task}=RUN or "
        f"--set needs.{need.task}.data=PATH takes another"
    )
