"""What the final models of a finished run answer to recordings that they have never seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.compute.devices import device_list
from cardio_core.compute.executors import executor_for
from cardio_core.config import RunConfig, validated
from cardio_core.context import Context
from cardio_core.evaluation.aggregate import prediction_frame, scored_members
from cardio_core.evaluation.applicability import (
    BORDERLINE,
    INSIDE,
    NOT_JUDGED,
    OUTSIDE,
    Applicability,
)
from cardio_core.evaluation.clinical_model import with_clinical_model
from cardio_core.evaluation.decision import Decision
from cardio_core.evaluation.likeness import describe
from cardio_core.evaluation.parts import noting
from cardio_core.io.hashing import file_digest
from cardio_core.io.run_artifact import RunKind
from cardio_core.io.settings_schema import settings_in
from cardio_core.registry import Plugin, resolve
from cardio_core.runner.embeddings import PredictCall, embed, hear, read_applicability
from cardio_core.runner.evaluate import write_case
from cardio_core.runner.fits import open_artifact, open_decisions
from cardio_core.runner.hook_calls import call
from cardio_core.runner.inputs import Found, find_recordings
from cardio_core.runner.manifest import finished
from cardio_core.runner.needs import open_needed
from cardio_core.runner.outcome import task_of_outcome
from cardio_core.runner.patients import clinical_of, table_of
from cardio_core.runner.prepare import Prepared, load_recordings, prepare
from cardio_core.runner.progress import Echo, Progress
from cardio_core.runner.provenance import alike
from cardio_core.runner.request import NOTHING_GIVEN, Given, with_given
from cardio_core.runner.setup import members_first, open_with_defaults
from cardio_core.runner.train import open_clinical
from cardio_core.types.features import FeatureSet
from cardio_core.types.info import Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Column, Predictions
from cardio_stats.errors import DataError

# Many patients, asked about so many at a time: what a model works on is then in memory in parts.
#
# That what a model says of one does not hang on who else is asked about is in the contract of
# every plugin.

AT_ONCE = 500
"""Patients."""


def portions(features: FeatureSet) -> list[FeatureSet]:
    """Return the features of so many patients each, all samples of one in the same."""
    patients = features.table["patient_id"].astype(str)
    number = pd.factorize(patients)[0] // AT_ONCE
    if not len(number) or number.max() == 0:
        return [features]
    return [features.view(number == item) for item in range(number.max() + 1)]


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Return what was predicted of all portions as one; those that say nothing add nothing."""
    withheld = {who: why for part in parts for who, why in part.withheld.items()}
    tables = [part for part in parts if len(part)] or list(parts[:1])
    first = tables[0]
    scores = {name: np.concatenate([part.scores[name] for part in tables]) for name in first.scores}
    return Predictions(
        ids=tuple(item for part in tables for item in part.ids),
        scores=scores,
        level=first.level,
        columns={
            name: Column(
                np.concatenate([part.columns[name].values for part in tables]), column.unit
            )
            for name, column in first.columns.items()
        },
        withheld=withheld,
    )


# That a finished run answers by what it wrote, and not by what became of its files since.

ANSWERS_BY = ("config.yaml", "conformal/", "models/final/")
"""The files of a run directory, and beginnings of their places, that an answer depends on."""


def guard_unchanged(run: Path, manifest: Mapping[str, Any]) -> None:
    """Raise unless the files that answer are those that the run wrote.

    A manifest that lists no files says nothing about them.

    Raises
    ------
    DataError
        Naming the first file that is missing, was changed, or is damaged.
    """
    for place, digest in (manifest.get("outputs") or {}).items():
        if not place.startswith(ANSWERS_BY):
            continue
        file = run / place
        found = "none" if not file.is_file() else "another content"
        if found == "none" or file_digest(file) != digest:
            raise DataError(
                f"{place}: expected the file that the run wrote, found {found}; put back a whole "
                "copy of the run, or run it again"
            )


# New patients beside those of training: who is like them, and who is not.


def judge_patients(
    applicability: Applicability,
    prepared: Prepared,
    inputs: Sequence[Path],
    vectors: Mapping[str, Mapping[str, NDArray[Any]]],
    plugin: Plugin,
    config: RunConfig,
) -> pd.DataFrame:
    """Return by patient whether he is like those whom the models were trained on, and why not.

    Parameters
    ----------
    applicability : Applicability
        Of the run.
    prepared : Prepared
        The new patients.
    inputs : sequence of Path
        What was given; a cohort table among it knows age and scanner.
    vectors : mapping of str to mapping of str to ndarray
        By model and patient, what its network makes of him.
    plugin : Plugin
    config : RunConfig

    Returns
    -------
    DataFrame
        `patient_id`, `verdict`, `reasons`, `percentile`; see `Applicability.judge`.
    """
    outcome = config.outcome.column
    table = table_of(prepared.cohort, inputs)
    patients = describe(
        prepared.features,
        replace(prepared.cohort, table=table),
        words=plugin.info.words,
        also=config.covariates,
        never=() if outcome is None else (outcome,),
    )
    return applicability.judge(patients, vectors)


def entries(judged: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what was judged as JSON has it: a percentile that nobody knows is None."""
    return [
        {
            "patient_id": row["patient_id"],
            "verdict": row["verdict"],
            "reasons": row["reasons"],
            "percentile": None if pd.isna(row["percentile"]) else round(row["percentile"], 1),
        }
        for row in judged.to_dict("records")
    ]


def with_applicability(
    cells: Sequence[Mapping[str, str]], judged: pd.DataFrame, table: pd.DataFrame
) -> list[dict[str, str]]:
    """Add to each file's cells what was judged of its patient; empty where it has none.

    `table` is that of the features, which knows whose each recording is.
    """
    verdicts = dict(zip(judged["patient_id"], judged["verdict"], strict=True))
    reasons = dict(zip(judged["patient_id"], judged["reasons"], strict=True))
    whose = dict(
        zip(table["recording_id"].astype(str), table["patient_id"].astype(str), strict=True)
    )
    made = []
    for row in cells:
        patient = whose.get(row["recording"], "")
        own = {"applicability": verdicts.get(patient, ""), "because": reasons.get(patient, "")}
        made.append({**row, **own})
    return made


def texts_of_patients(judged: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return applicability in words: one sentence for all who are like those of training.

    Examples
    --------
    >>> like = {"patient_id": "a", "verdict": "inside", "reasons": ""}
    >>> fast = {"patient_id": "b", "verdict": "outside", "reasons": "heart rate 180 per min"}
    >>> for line in texts_of_patients([like, fast]):
    ...     print(line)
    Applicability: 1 of 2 patients is like those of training (inside).
      b: outside: heart rate 180 per min.
    >>> texts_of_patients([fast])
    ['Applicability: outside, not like the patients of training: heart rate 180 per min.']
    """
    if not judged:
        return []
    verdicts = [str(item["verdict"]) for item in judged]
    reasons = {str(item["reasons"]) for item in judged}
    if set(verdicts) == {NOT_JUDGED} and len(reasons) == 1:
        return [f"Applicability: not judged: {reasons.pop()}."]
    if len(judged) == 1:
        return [f"Applicability: {_ALONE[verdicts[0]]}{_because(judged[0])}."]
    n = verdicts.count(INSIDE)
    verb = "is" if n == 1 else "are"
    lines = [
        f"Applicability: {n} of {len(judged)} patients {verb} like those of training (inside)."
    ]
    others = [item for item in judged if item["verdict"] != INSIDE]
    lines += [f"  {item['patient_id']}: {item['verdict']}{_because(item)}." for item in others]
    return lines


_ALONE = {
    INSIDE: "inside, like the patients of training",
    BORDERLINE: "borderline, at the edge of the patients of training",
    OUTSIDE: "outside, not like the patients of training",
    NOT_JUDGED: NOT_JUDGED,
}


def _because(item: Mapping[str, Any]) -> str:
    return f": {item['reasons']}" if item["reasons"] else ""


_LACKING = "no recording has what this model works on"
_UNTOLD = "not known here; a cohort table can give them"

Frames = dict[str, dict[str, pd.DataFrame]]
"""By target and model."""


@dataclass(frozen=True)
class Opened:
    """A finished run, opened to answer: with its plugin, its task and what it was run with.

    `config` and `ctx` are those of the first protocol, whose models `models/final` are.
    """

    folder: Path
    manifest: Mapping[str, Any]
    plugin: Plugin
    task: Task
    config: RunConfig
    ctx: Context
    messages: tuple[str, ...] = ()
    executor: str = "local:1"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that answer, those that fuse others behind the others."""
        return members_first(self.task, self.manifest["models"])


@dataclass
class Answered:
    """What every final model says of some recordings.

    Attributes
    ----------
    found, prepared : Found or None, Prepared
        The recordings and their features; `found` is None where targets were asked for.
    frames : dict of str to dict of str to DataFrame
        By target and model, one row a unit: `unit_id`, `recording_id`, `study_id`, `patient_id`,
        `subject_id`, `level`, `time_s`, and the score columns of the target.
    members : dict of str to dict of str to DataFrame
        By target and model, the samples' own scores that the frames are made of.
    decisions : dict of str to dict of str to Decision
        By target and model, where the run chose a threshold or a rule.
    withheld : dict of str to mapping
        By model, of whom it says nothing, and why.
    measured : dict of str to dict
        By id and name: value and unit of what stands beside the scores.
    explained : list of dict
    notes : list of Note
    applicability : DataFrame, one row a patient
        `patient_id`, `verdict` (inside, borderline, outside, not judged), `reasons` (text) and
        `percentile`: see `cardio_core.evaluation.applicability`.
    vectors : dict of str to dict of str to ndarray
        By model and patient, what its network makes of him, where that is compared with training.
    """

    prepared: Prepared
    found: Found | None = None
    frames: Frames = field(default_factory=dict)
    members: Frames = field(default_factory=dict)
    decisions: dict[str, dict[str, Decision]] = field(default_factory=dict)
    withheld: dict[str, Mapping[str, str]] = field(default_factory=dict)
    measured: dict[str, dict[str, Any]] = field(default_factory=dict)
    explained: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    applicability: pd.DataFrame = field(default_factory=pd.DataFrame)
    vectors: dict[str, dict[str, Any]] = field(default_factory=dict)


def settled(
    run: Path, manifest: Mapping[str, Any], options: Given = NOTHING_GIVEN
) -> tuple[Plugin, Task, RunConfig]:
    """Return the plugin, the task and the settings that a finished run was made with."""
    plugin = open_with_defaults(manifest["plugin"], imports=False)
    task = plugin.info.task(manifest["task"])
    model: Any = resolve(plugin.info.config_of(task))
    config: RunConfig = with_given(validated(model, settings_in(run), "config.yaml"), options)
    return plugin, task_of_outcome(with_clinical_model(task, config.covariates), config), config


def open_finished(
    run: Path,
    *,
    options: Given = NOTHING_GIVEN,
    device: str = "auto",
    executor: str = "local:1",
    features_in: Path,
) -> Opened:
    """Open a finished run to let its final models answer.

    Parameters
    ----------
    run : Path
    options : Given, optional
        What was said with options of the task: how to read the recordings at hand.
    device, executor : str
        As for `cardio run`.
    features_in : Path
        Folder that features are kept in.

    Raises
    ------
    ConfigError
        If the run is not finished or has no model, or an option's value is none of its setting.
    DataError
        If a file that it answers by is not the one that the run wrote.
    """
    manifest = finished(run, RunKind.RUN, RunKind.EXPORTED, fitted=True)
    guard_unchanged(run, manifest)
    plugin, task, config = settled(run, manifest, options)
    protocol = manifest["protocols"][0]
    config = config.for_protocol(protocol)
    # One good recording among many bad ones is still worth its answer.
    limits = config.limits.model_copy(update={"bad_share": 1.0})
    config = config.model_copy(update={"limits": limits})
    ctx = Context(
        task,
        mode="predict",
        outcome=config.outcome.column,
        protocol=protocol,
        seed=manifest["seed"],
        device=device_list(device, 1, manifest["device"]["precision"])[0],
        cache=features_in,
        _option_files=options.files,
        _facts=options.facts,
    )
    return Opened(run, manifest, plugin, task, config, ctx, options.sentence("Read"), executor)


def answer(
    opened: Opened,
    inputs: Sequence[Path],
    *,
    echo: Echo | None = None,
    explain_in: Path | None = None,
    with_targets: bool = False,
) -> Answered:
    """Let every final model of a run answer.

    Parameters
    ----------
    opened : Opened
    inputs : sequence of Path
        Recordings, folders or a cohort table, as `load` of the plugin takes them.
    echo : callable, optional
        Takes progress lines.
    explain_in : Path, optional
        Folder where each model explains what it predicts; nothing is explained without. Fusions,
        and models that have nothing to score by, explain nothing.
    with_targets : bool
        Load the inputs as a run loads its data: with their targets, and with the ids of their
        cohort table. `Answered.prepared.cohort.targets` has them.

    Raises
    ------
    UnusableCohortError
        If no recording can be used; carries what was quarantined.
    LeakageError
        With targets: if an identical file stands under two patients.
    """
    plugin, config, task = opened.plugin, opened.config, opened.task
    found: Found | None = None
    if with_targets:
        places = tuple(path.resolve() for path in inputs)
        ctx = opened.ctx.replace(mode="fit", _inputs=places)
        cohort = load_recordings(plugin, config, ctx)
    else:
        ctx, found = opened.ctx, find_recordings(plugin, config, opened.ctx, inputs)
        cohort = found.cohort
    n_patients = cohort.samples.table["patient_id"].nunique()
    folders = (ctx.cache,) if ctx.cache else ()
    with (
        executor_for(opened.executor, n_patients) as executor,
        alike(executor, plugin, folders=folders, inputs=tuple(inputs)),
    ):
        made = Answered(prepare(plugin, config, ctx, executor, echo, cohort), found)
    made.notes += [*Note.each(NoteKind.COHORT, opened.messages), *made.prepared.cohort.notes]
    cohort, features = made.prepared.cohort, made.prepared.features
    clinical = clinical_of(config.covariates, cohort, features, tuple(inputs))
    for target in task.targets:
        made.frames[target.name], made.members[target.name] = {}, {}
        made.decisions[target.name] = {}
    stored = read_applicability(opened.folder)
    with Progress("predicting", len(opened.models), echo, "models") as progress:
        for name in progress.over(opened.models):
            if task.model(name).fuses:
                _fuse(opened, made, name)
            else:
                _ask(opened, made, name, clinical, explain_in, stored)
            if not any(len(by_model.get(name, ())) for by_model in made.frames.values()):
                missing = _UNTOLD if task.model(name).covariates else _LACKING
                text = f"{task.model(name).title}: {missing}."
                made.notes.append(Note(NoteKind.NOT_COMPUTED, text, model=name))
            folder = _folder(opened, name)
            for key, decision in open_decisions(folder, task.targets).items():
                made.decisions[key][name] = decision
    made.applicability = judge_patients(stored, made.prepared, inputs, made.vectors, plugin, config)
    return made


def _folder(opened: Opened, name: str) -> Path:
    return opened.folder / "models" / "final" / name


def _fuse(opened: Opened, made: Answered, name: str) -> None:
    """Let the core's own rule fuse what the models of the run said."""
    from cardio_core.runner.fused_models import apply_fusion

    for target in opened.ctx.replace(model=name).targets:
        frames = made.frames[target.name]
        frames[name] = apply_fusion(_folder(opened, name), frames, target, name)
    parts = [made.withheld.get(item, {}) for item in opened.task.model(name).fuses]
    made.withheld[name] = {who: why for part in parts for who, why in part.items()}


def _ask(
    opened: Opened,
    made: Answered,
    name: str,
    clinical: Any,
    explain_in: Path | None,
    applicability: Applicability,
) -> None:
    """Let one model predict, and explain where that is asked for."""
    plugin, config, task = opened.plugin, opened.config, opened.task
    used = {need.task for need in task.needs_of([name])}
    needs = {
        item: retained for item, retained in open_needed(opened.folder).items() if item in used
    }
    place = opened.ctx.replace(model=name, fold="final", _needs=needs)
    by_core = task.model(name).core_owned
    features = clinical if by_core and clinical is not None else made.prepared.features
    model = open_artifact(_folder(opened, name))
    owner, entry = open_clinical() if by_core else plugin, list[Predictions]()
    for part in portions(features) if explain_in is None else [features]:
        request = PredictCall(owner, config, place, model, part)
        before = hear(request)
        if name in applicability.networks:
            made.vectors.setdefault(name, {}).update(embed(request, before))
        entry.append(before[1])
    predictions = joined(entry)
    _measure(made.measured, predictions)
    made.withheld[name] = predictions.withheld
    table = made.prepared.features.table
    for target in place.targets:
        made.frames[target.name][name] = prediction_frame(predictions, table, target, task.unit)
        made.members[target.name][name] = scored_members(predictions, table, target, task.unit)
    scored = any(len(made.frames[target.name][name]) for target in place.targets)
    explains = not by_core and plugin.implements("explain", task)
    if explain_in is not None and explains and scored:
        with noting(made.notes, f"No explanation of {task.model(name).title}:"):
            explanation = call(plugin, "explain", place, config, model=model, features=features,
                               predictions=predictions)  # fmt: skip
            made.explained += [
                write_case(
                    explain_in, f"{name}-{case.sample_id}",
                    replace(case, model=name, fold="final"), str(opened.ctx.protocol),
                )
                for case in explanation.cases
            ]  # fmt: skip


def _measure(measured: dict[str, dict[str, Any]], predictions: Predictions) -> None:
    """Add what stands beside the scores, by id and name; the first model's counts."""
    for name, column in predictions.columns.items():
        for who, value in zip(predictions.ids, np.asarray(column.values, float), strict=True):
            if np.isfinite(value):
                known = {"value": round(float(value), 6), "unit": column.unit}
                measured.setdefault(str(who), {}).setdefault(name, known)
