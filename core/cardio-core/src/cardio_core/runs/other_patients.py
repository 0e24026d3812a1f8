"""The final models of a run on other patients whose outcome is known: nothing is fitted again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock, OutcomeBlock, RunConfig
from cardio_core.errors import ConfigError, DataError, LeakageError
from cardio_core.evaluation.applicability import (
    ALPHA_OUTSIDE,
    BORDERLINE,
    INSIDE,
    NOT_JUDGED,
    OUTSIDE,
)
from cardio_core.evaluation.clinical_model import by_patient
from cardio_core.evaluation.conformal import Conformal, nonconformity, set_sizes, share_of_patients
from cardio_core.evaluation.parts import noting
from cardio_core.evaluation.patients import TableOne, describe_patients
from cardio_core.fold_assignment import link_subjects
from cardio_core.io.cohort import shown_of
from cardio_core.io.hashing import file_digest
from cardio_core.io.run_schema import COHORT, PRINTS
from cardio_core.io.store import open_cache
from cardio_core.io.synthetic import is_synthetic
from cardio_core.runner.answers import Answered, Opened, answer, open_finished
from cardio_core.runner.embeddings import read_applicability
from cardio_core.runner.evaluate import missed_rows, open_rule, scored_rows
from cardio_core.runner.fingerprints import known_again
from cardio_core.runner.outcome import outcome_column
from cardio_core.runner.overlap import RECORDINGS
from cardio_core.runner.patient_flow import Entry, found_entries, summed_flow
from cardio_core.runner.patients import (
    Truth,
    bring_to_samples,
    clinical_table,
    patient_labels,
    table_rows,
)
from cardio_core.runner.prepare import Prepared
from cardio_core.runner.progress import Echo
from cardio_core.runner.request import NOTHING_GIVEN, Given
from cardio_core.types.features import flag_counts
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope
from cardio_stats import proportion
from cardio_stats.estimate import Estimate
from cardio_stats.outcome import outcome_values, place_settled
from cardio_stats.proportions import lower_coverage_p
from cardio_stats.words import counted, listed

FINAL = "final"
"""Stands where a run names its fold: one model, fitted on everybody there."""

SITE = "site_id"


@dataclass(frozen=True)
class Question:
    """What is asked of other patients: where their outcome stands, and how it is judged.

    Attributes
    ----------
    outcome : str or None
        Column of their cohort table with what really happened, where it has another name there
        than in the run's, or where the plugin does not find it by itself.
    site : str or None
        Column of the site; ``site_id`` where there is one.
    subgroups : tuple of str
        Columns whose values divide the patients.
    leave_out : bool
        Leave patients of the training out instead of refusing them.
    other_people : bool
        Equal ids are of different people.
    level, seed : float, int
        Of every interval, and of every resampling.
    event, negative, missing : str or None, tuple of str, tuple of str
        Words of that column, where they are others than the run's.
    """

    outcome: str | None = None
    site: str | None = None
    subgroups: tuple[str, ...] = ()
    leave_out: bool = False
    other_people: bool = False
    level: float = 0.95
    seed: int = 0
    event: str | None = None
    negative: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


# Who was in training: known again by id, by file and by signal, as far as a run kept them.

BY = ("id", "file", "signal")
"""What a patient of the training is known again by, in the order in which it is told."""


@dataclass(frozen=True)
class Training:
    """What a run kept of those it was made from; None where it kept nothing of a kind.

    Attributes
    ----------
    ids : frozenset of str or None
        Of patients, and of the persons behind linked ones.
    digests : frozenset of str or None
        SHA-256 of the recordings' own files.
    fingerprints : frozenset of str or None
        Of the recordings' signals.
    unchecked : tuple of str
        Earlier tasks whose patients are kept elsewhere.
    """

    ids: frozenset[str] | None = None
    digests: frozenset[str] | None = None
    fingerprints: frozenset[str] | None = None
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overlap:
    """Which of the new patients were in training.

    Attributes
    ----------
    by : dict of str to tuple of str
        By patient id, what each is known again by.
    recordings : frozenset of str
        All recordings of these patients.
    notes : tuple of Note
        What could be checked, and what could not.
    checked : bool
        Whether anything could.
    """

    by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recordings: frozenset[str] = frozenset()
    notes: tuple[Note, ...] = ()
    checked: bool = True

    @property
    def counts(self) -> dict[str, int]:
        """How many are known again, by what: id, file or signal."""
        return {item: sum(item in by for by in self.by.values()) for item in BY}

    @property
    def words(self) -> str:
        """How many are known again by what: ``2 by id, 1 by file``."""
        return listed([f"{n} by {item}" for item, n in self.counts.items() if n])


def training_of(run: Path, needs: list[Mapping[str, str]]) -> Training:
    """Read what a run kept of its recordings, and of those of the earlier tasks that it made."""
    folders = [run, *sorted(path.parent for path in run.glob("needs/*/manifest.json"))]
    inside = {folder.name for folder in folders[1:]}
    cohorts = [
        COHORT.read(folder / "cohort.json")
        for folder in folders
        if (folder / "cohort.json").is_file()
    ]
    prints = [
        PRINTS.read(folder / RECORDINGS) for folder in folders if (folder / RECORDINGS).is_file()
    ]
    elsewhere = tuple(str(item["task"]) for item in needs if str(item.get("task")) not in inside)
    if not cohorts:
        known = frozenset(item for part in prints for item in part["fingerprints"])
        return Training(fingerprints=known or None, unchecked=elsewhere)
    ids = {
        who for cohort in cohorts for key in ("patients", "subjects") for who in cohort.get(key, ())
    }
    return Training(
        frozenset(map(str, ids)),
        frozenset(file for cohort in cohorts for file in cohort.get("files", ())),
        frozenset(item for part in prints for item in part["fingerprints"]) if prints else None,
        elsewhere,
    )


def overlap_of(training: Training, prepared: Prepared, *, other_people: bool = False) -> Overlap:
    """Return which patients of a cohort a run was made from.

    Parameters
    ----------
    training : Training
    prepared : Prepared
        The new cohort; of a person with several ids all are known again with one of them.
    other_people : bool
        The user's word that equal ids are of different people: they are not looked at.
    """
    table = prepared.cohort.samples.table
    patients, persons = table["patient_id"].astype(str), link_subjects(table).astype(str)
    by: dict[str, set[str]] = {}

    def found(known: pd.Series, what: str) -> None:
        for person in persons[known.to_numpy(bool)].unique():
            by.setdefault(str(person), set()).add(what)

    names = table.index.to_series().astype(str)
    if training.ids and not other_people:
        found(patients.isin(training.ids) | persons.isin(training.ids), "id")
    if training.digests and training.digests & set(prepared.own_files):
        own = training.digests
        found(names.map(lambda name: not own.isdisjoint(_digests(prepared, name))), "file")
    if training.fingerprints:
        found(names.isin(known_again(prepared.fingerprints, training.fingerprints)), "signal")
    person_of = dict(zip(patients, persons, strict=True))
    everyone = {
        who: tuple(what for what in BY if what in by[person])
        for who, person in person_of.items()
        if person in by
    }
    recordings = frozenset(names[patients.isin(everyone)])
    checked = any(
        item is not None for item in (training.ids, training.digests, training.fingerprints)
    )
    notes = tuple(_notes(training, prepared, other_people))
    return Overlap(everyone, recordings, notes, checked)


def _digests(prepared: Prepared, recording: str) -> set[str]:
    return {file_digest(path) for path in prepared.cohort.own_files(recording) if path.is_file()}


def _notes(training: Training, prepared: Prepared, other_people: bool) -> Iterator[Note]:
    checked = {
        "id": training.ids is not None and not other_people,
        "file": training.digests is not None,
        "signal": training.fingerprints is not None,
    }
    done = [f"by {what}" for what, was in checked.items() if was]
    not_done = [f"by {what}" for what, was in checked.items() if not was]
    if done:
        text = f"Patients of the training were looked for {listed(done)}."
        yield Note(NoteKind.OVERLAP, text)
    if other_people:
        text = "Equal ids were said to be of different people (--other-people)."
        yield Note(NoteKind.OVERLAP_ON_TRUST, text)
        not_done = [item for item in not_done if item != "by id"]
    if not_done:
        why = "the run kept nothing to tell it by"
        text = f"Whether patients were in training is not checkable {listed(not_done)}: {why}."
        yield Note(NoteKind.OVERLAP_UNCHECKED, text)
    unknown = len(prepared.cohort.samples) - len(prepared.fingerprints)
    if checked["signal"] and unknown:
        text = f"{counted(unknown, 'recording')} hold no signal that could be compared."
        yield Note(NoteKind.OVERLAP, text)
    for task in training.unchecked:
        text = f"Patients of the earlier task {task} are kept in a separate run: not checked."
        yield Note(NoteKind.OVERLAP_UNCHECKED, text)


def _guard_overlap(overlap: Overlap, n_patients: int, run: str) -> None:
    """Refuse patients who were in training."""
    if not overlap.by:
        return
    only_ids = all(by == ("id",) for by in overlap.by.values())
    also = (
        " or, where equal ids are of different people, say so with --other-people"
        if only_ids
        else ""
    )
    raise LeakageError(
        f"--data: {len(overlap.by)} of {counted(n_patients, 'patient')} were in the training of "
        f"{run} (known again: {overlap.words}); leave them out with --overlap leave-out{also}"
    )


@dataclass(frozen=True)
class OtherPatients:
    """Answers of a run's final models beside what really happened to other patients.

    Attributes
    ----------
    opened : Opened
        The run: `folder`, `manifest`, `task`, `config`.
    answered : Answered
        What the models say: `applicability`, `notes`.
    prepared : Prepared
        The new patients with their features.
    truth : Truth
        Their targets under the run's names, matched to the samples where they are events.
    overlap : Overlap
        Who of them was in training.
    scored : Scored
        The answers beside the truth, without those who were in training.
    inputs : tuple of Path
    question : Question
    notes : tuple of Note
        What the reader has to know of outcome, cohort and overlap.
    """

    opened: Opened
    answered: Answered
    prepared: Prepared
    truth: Truth
    overlap: Overlap
    scored: Scored
    inputs: tuple[Path, ...]
    question: Question
    notes: tuple[Note, ...]

    @property
    def task(self) -> Task:
        """The task with the run's own primary model."""
        return replace(self.opened.task, primary=str(self.opened.manifest.get("primary") or ""))

    @property
    def config(self) -> RunConfig:
        """The run's settings, with the level that was asked for."""
        return self.opened.config

    @cached_property
    def patients(self) -> frozenset[str]:
        """The ids of those who are judged."""
        frames = self.scored.frames.values()
        return frozenset(str(item) for frame in frames for item in frame["patient_id"])

    @cached_property
    def applicability(self) -> pd.DataFrame:
        """Whether the judged are like those of training: patient_id, verdict, reasons."""
        verdicts = self.answered.applicability
        return verdicts[verdicts["patient_id"].astype(str).isin(self.patients)]

    @cached_property
    def groups(self) -> tuple[pd.DataFrame, pd.Series | None]:
        """The columns that divide the judged patients, a row a patient, and everybody's site.

        Raises
        ------
        ConfigError
            If a named column is not in the cohort table.
        """
        groups, sites = self._columns()
        verdicts = self.applicability
        by_patient_id = verdicts.set_index(verdicts["patient_id"].astype(str))["verdict"]
        return groups.reindex(sorted(self.patients)).assign(applicability=by_patient_id), sites

    def _columns(self) -> tuple[pd.DataFrame, pd.Series | None]:
        question, cohort = self.question, self.prepared.cohort
        table = clinical_table(cohort)
        named = [*question.subgroups, *([question.site] if question.site else [])]
        lacking = next((name for name in named if name not in table.columns), None)
        if lacking is not None:
            option = "--site" if lacking == question.site else "--subgroup"
            columns = [
                str(column) for column in table.columns if not str(column).startswith("path_")
            ]
            raise ConfigError(
                f"{option} {lacking}: the cohort table has no such column; it has "
                f"{', '.join(columns)}"
            )
        site = question.site or (SITE if SITE in table.columns else None)
        wanted = list(dict.fromkeys([*question.subgroups, *([site] if site else [])]))
        groups = by_patient(table, wanted)
        samples = cohort.samples.table
        if site is not None:
            return groups, groups[site].dropna().astype(str)
        if SITE in samples.columns:  # the plugin read it from the recordings
            known = samples.drop_duplicates("patient_id").set_index("patient_id")[SITE].dropna()
            sites = known.astype(str).set_axis(known.index.astype(str))
            return groups.join(sites.rename(SITE), how="outer"), sites
        return groups, None

    def table_one(self) -> TableOne:
        """Describe the judged patients.

        Raises
        ------
        DataError
            If nothing describes them.
        """
        target, cohort = self.opened.task.targets[0], self.prepared.cohort
        samples = self.prepared.features.table
        labels = patient_labels(cohort, samples, self.truth.targets, target)
        everybody = dict.fromkeys(samples["patient_id"].astype(str))
        judged = [patient for patient in everybody if patient in self.patients]
        return describe_patients(
            clinical_table(cohort), judged, labels, target, covariates=self.config.covariates
        )

    def likeness(self) -> tuple[list[Metric], list[Note]]:
        """Return the share of the judged patients who are inside, borderline and outside.

        Returns
        -------
        list of Metric
            With Wilson's interval, of all and by site; p of the share outside asks whether more are
            outside than chance brings where nothing changed (one in twenty at most).
        list of Note
            Who could not be judged, and why.
        """
        verdicts, task = self.applicability, self.task.name
        unknown = verdicts[verdicts["verdict"] == NOT_JUDGED]
        notes = [
            Note(
                NoteKind.APPLICABILITY,
                f"Applicability of {len(rows)} patient(s) is not judged: {why}.",
            )
            for why, rows in unknown.groupby("reasons", sort=False)
        ]
        known = verdicts[verdicts["verdict"] != NOT_JUDGED]
        if not len(known):
            return [], notes
        summary = read_applicability(self.opened.folder)
        n = summary.calibration.n if summary.calibration else 0
        found = [*self._shares(known, n, Scope(task=task))]
        sites = self.groups[1]
        if sites is not None:
            site = known["patient_id"].astype(str).map(sites)
            for name in sorted(site.dropna().unique()):
                here = known[(site == name).to_numpy(bool)]
                found += self._shares(here, 0, Scope(task=task, subgroup=f"Site: {name}"))
        return found, notes

    def _shares(self, known: pd.DataFrame, n: int, where: Scope) -> Iterator[Metric]:
        level = self.config.evaluate.level
        for verdict in (INSIDE, BORDERLINE, OUTSIDE):
            k = int((known["verdict"] == verdict).sum())
            share = proportion(k, len(known), name=f"{verdict}_share", unit="patient", level=level)
            if verdict == OUTSIDE and n:
                p = lower_coverage_p(len(known) - k, len(known), n, ALPHA_OUTSIDE)
                share = share.replace(p_value=p)
            yield Metric(share, where)

    def entries(self) -> dict[str, Any]:
        """Return what the manifest of a validation says of the run, the data and the way there."""
        made, cohort = self.opened.manifest, self.prepared.cohort
        device: Any = self.opened.ctx.device
        n_patients = int(cohort.samples.table["patient_id"].nunique())
        all_judged = len(self.patients) == n_patients  # of others the sentence counts too many
        copied = ("plugin", "plugin_version", "task_title", "task", "papers", "models",
                "model_titles", "baselines", "primary", "targets")  # fmt: skip
        return {
            **{name: made.get(name) for name in copied},
            "outcome_column": self.config.outcome.column,
            "outcome": (all_judged and cohort.outcome) or self._outcome_words(),
            "device": {key: getattr(device, key) for key in ("name", "reason", "precision")},
            "data": {
                **source_of(self.inputs),
                "digest": self.prepared.digest,
                "n_recordings": len(cohort.samples),
                "n_patients": n_patients,
                "n_samples": len(self.prepared.features),
                "n_judged": len(self.patients),
            },
            "quarantined": [row.cells() for row in self.prepared.quarantined],
            "excluded": {why: list(ids) for why, ids in cohort.excluded.items()},
            "flags": flag_counts(self.prepared.features.table),
            "flow": self._flow(),
            "overlap": {
                "left_out": len(self.overlap.by),
                "by": self.overlap.words,
                "notes": [note.to_dict() for note in self.overlap.notes],
                "checked": self.overlap.checked,
            },
        }

    def _outcome_words(self) -> str:
        """Say how often what was predicted happened in the judged."""
        parts = []
        for target in self.task.targets:
            frame = self.scored.frames.get(target.name)
            if frame is None or target.kind == "continuous":
                continue
            rows = frame[frame["model"] == frame["model"].iloc[0]]
            counts = rows["y_true"].value_counts()
            found = ", ".join(f"{int(counts.get(name, 0))} {name}" for name in target.classes)
            parts.append(f"{target.name}: {found}")
        return "; ".join(parts)

    def _flow(self) -> dict[str, Any]:
        """Return the way from what was found to who was validated, as a run counts it."""
        paths = tuple(self.opened.plugin.info.paths)
        rows = table_rows([path.resolve() for path in self.inputs], paths)
        entries = found_entries(self, rows)
        for name in self.overlap.recordings:
            known = entries.get(name)
            if known and (known.left or ("without_outcome",))[0] == "without_outcome":
                why = "in_training", f"known again: {self.overlap.words}"
                entries[name] = Entry(known.patient, left=why)
        return summed_flow(self, rows, entries) | {"copies": 0, "linked": 0}


def answer_others(
    run: Path,
    inputs: Sequence[Path],
    question: Question,
    *,
    label: str = "",
    options: Given | None = None,
    device: str = "auto",
    executor: str = "local:1",
    echo: Echo | None = None,
) -> OtherPatients:
    """Let the final models of a finished run answer for other patients with a known outcome.

    Parameters
    ----------
    run : Path
        A finished run, or an exported folder.
    inputs : sequence of Path
        A cohort table or folder with the outcome, as ``cardio run --data`` takes it.
    question : Question
    label : str
        What the run is called where patients were in its training.
    options : Given, optional
        Options of the plugin's task: how to read the recordings at hand.
    device, executor : str
        As for `cardio run`.
    echo : callable, optional
        Takes progress lines.

    Raises
    ------
    ConfigError
        The run is unfinished, of another cardio-core or of a kind without final models; a path does
        not exist; the outcome is none that the task can be asked for, or is in no cohort table.
    DataError
        The data tell no outcome, or nobody is left.
    LeakageError
        Patients were in training, and `question.leave_out` does not say to leave them out.
    """
    for path in inputs:
        if not path.exists():
            raise ConfigError(
                f"--data {path}: no such file or folder; check the path", code="missing"
            )
    opened = open_finished(
        run,
        options=options or NOTHING_GIVEN,
        device=device,
        executor=executor,
        features_in=open_cache(),
    )
    block = _outcome(opened, question)
    own = opened.config.evaluate.model_copy(update={"level": question.level})
    # Folds were stratified in the run; here there are none, and the table may lack the column.
    changes = {"stratify": None, "outcome": block, "evaluate": own}
    opened = replace(
        opened, config=opened.config.model_copy(update=changes),
        ctx=opened.ctx.replace(outcome=block.column),
    )  # fmt: skip
    coding = _checked(block, opened, inputs)
    answered = answer(opened, inputs, echo=echo, with_targets=True)
    truth = _truth_of(opened, answered.prepared)
    training = training_of(run, list(opened.manifest.get("needs") or []))
    overlap = overlap_of(training, answered.prepared, other_people=question.other_people)
    if not question.leave_out:
        n = answered.prepared.cohort.samples.table["patient_id"].nunique()
        _guard_overlap(overlap, int(n), label or run.resolve().name)
    scored = _scored_of(opened, answered, truth, overlap.recordings)
    notes = (*Note.each(NoteKind.OUTCOME, coding), *answered.notes, *overlap.notes)
    return OtherPatients(
        opened, answered, answered.prepared, truth, overlap, scored, tuple(inputs), question, notes
    )


def source_of(inputs: Sequence[Path]) -> dict[str, str]:
    """Return whether recordings are real, and what outputs call them."""
    source = "synthetic" if any(map(is_synthetic, inputs)) else "real"
    return {"source": source, "path_shown": shown_of(inputs)}


def _outcome(opened: Opened, question: Question) -> OutcomeBlock:
    """Return where the outcome stands in the new table, with the classes that the run settled."""
    own, task = opened.config.outcome, opened.task
    words = {"event": question.event, "negative": question.negative, "missing": question.missing}
    changed = {name: value for name, value in words.items() if value}
    if question.outcome is None and own.column is not None:
        return own.model_copy(update=changed)
    if question.outcome is None:
        for name in changed:
            raise ConfigError(f"--{name}: expected --outcome COLUMN with it, found none")
        return own
    if own.column is None and not task.any_outcome:
        names = ", ".join(target.name for target in task.targets)
        raise ConfigError(
            f"--outcome {question.outcome}: task {task.name!r} predicts {names} alone, and finds "
            "it in the data by itself; leave --outcome out"
        )
    [target] = task.targets
    settled = {"column": question.outcome, "kind": target.kind, "classes": target.classes}
    return own.model_copy(update=settled | changed)


def _checked(block: OutcomeBlock, opened: Opened, inputs: Sequence[Path]) -> tuple[str, ...]:
    """Read the new outcome; return what each of its words became."""
    if block.column is None:
        return ()
    values = outcome_column(block.column, tuple(opened.plugin.info.paths), inputs)
    [target] = opened.task.targets
    if not outcome_values(values, block).notna().any():
        raise DataError(
            f"--outcome {block.column}: expected {_classes(target)}, as in the run, found no such "
            "value; name another column with --outcome"
        )
    if target.kind != "binary":
        return ()
    return (f"{block.column}, by word in the table: {place_settled(values, block).ledger()}.",)


def _classes(target: Target) -> str:
    return "numbers" if target.kind == "continuous" else " or ".join(target.classes)


def _truth_of(opened: Opened, prepared: Prepared) -> Truth:
    """Return the new patients' targets under the run's names, matched to their samples.

    Raises
    ------
    DataError
        If the data tell no outcome, or that of nobody.
    """
    targets, column = prepared.cohort.targets, opened.config.outcome.column
    names = [target.name for target in opened.task.targets]
    if targets is None:
        raise DataError(
            f"--data: expected {', '.join(names)} of each patient, found no outcome; name its "
            "column with --outcome, or use cardio predict"
        )
    table = targets.table if column is None else targets.table.rename(columns={column: names[0]})
    lacking = [name for name in names if name not in table.columns]
    if len(lacking) == len(names):
        raise DataError(f"--data: expected {', '.join(names)}, found no such outcome")
    table = table.reindex(columns=[*table.columns, *lacking])
    samples = prepared.features.table
    truth = bring_to_samples(replace(targets, table=table), samples, opened.task)
    known = [pd.notna(truth.targets.of(samples, name)).any() for name in names]
    if not any(known) and not len(truth.missed):
        raise DataError(
            f"--data: {', '.join(names)} is known of none of the patients whose recordings can be "
            "used; check the ids in the table, or use cardio predict"
        )
    return truth


def _scored_of(opened: Opened, answered: Answered, truth: Truth, apart: Collection[str]) -> Scored:
    """Return every final model's answers beside the truth, `apart` of some recordings' patients.

    Raises
    ------
    DataError
        If nobody is left.
    """
    samples = answered.prepared.features.table
    gone = set(samples.loc[samples["recording_id"].astype(str).isin(apart), "patient_id"])
    here = samples[~samples["patient_id"].isin(gone)]
    of_events = opened.task.unit == "event"
    ignored = set(samples.index[truth.ignored])
    frames: dict[str, pd.DataFrame] = {}
    for target in opened.task.targets:
        parts = []
        for model, frame in answered.frames[target.name].items():
            own = frame[~frame["patient_id"].isin(gone)]
            own = own[~own["sample_id"].isin(ignored)] if ignored else own
            decision = answered.decisions.get(target.name, {}).get(model)
            about = {"repeat": 0, "fold": FINAL, "model": model}
            rows = scored_rows(own.reset_index(drop=True), decision, target, truth, **about)
            # A beat that matches no true one is a false detection; a patient without outcome is
            # nobody.
            parts.append(rows if of_events else rows[rows["y_true"].notna()])
            parts.append(missed_rows(here, target, truth, **about))
        filled = [part for part in parts if len(part)]
        if filled:
            frames[target.name] = pd.concat(filled, ignore_index=True)
    if not any(frame["y_true"].notna().any() for frame in frames.values()):
        left = f", {len(gone)} of them left out because they were in training" if gone else ""
        raise DataError(
            f"--data: no patient is left to validate on (of {samples['patient_id'].nunique()} with "
            f"a usable recording{left}); bring patients with a known outcome"
        )
    sources = {
        f"{model}/{name}": decision.source
        for name, by_model in answered.decisions.items()
        for model, decision in by_model.items()
    }
    return Scored(frames, sources)


# Whether the run's prediction sets and intervals hold what they promise, in new patients.

NAME = "conformal_coverage"


def coverage_metrics(
    run: Path,
    scored: Scored,
    task: Task,
    sites: pd.Series | None,
    config: EvaluateBlock,
    *,
    seed: int = 0,
) -> tuple[list[Metric], list[Note]]:
    """Return how many patients' sets or intervals hold the truth: of all, by class, by site.

    Parameters
    ----------
    run : Path
        Whose rules are applied as they are.
    scored : Scored
        Of the new patients.
    task : Task
    sites : Series or None
        Site by patient.
    config : EvaluateBlock
    seed : int

    Returns
    -------
    list of Metric
        ``conformal_coverage`` with Wilson's interval, one patient each; p tests whether it is lower
        than the calibration patients of the run allow. Sizes of sets.
    list of Note
        Models without a rule.
    """
    metrics: list[Metric] = []
    notes: list[Note] = []
    for target in task.targets:
        frame = scored.frames.get(target.name)
        if frame is None:
            continue
        for model in frame["model"].unique():
            rule = open_rule(run, str(model), target.name)
            where = Scope(task=task.name, target=target.name, model=str(model))
            if rule is None:
                text = (
                    f"{task.model(str(model)).title}: the run calibrated no prediction sets for "
                    f"{target.name}, so their coverage cannot be validated."
                )
                notes.append(Note(NoteKind.PREDICTION_SETS, text, model=str(model)))
                continue
            own = frame[frame["model"] == model]
            with noting(notes, f"Coverage of {target.name} of {model}: not computed."):
                metrics += list(_covered(rule, own, target, where, sites, config.level))
                for size in set_sizes(rule, own, target, config, seed):
                    metrics.append(Metric(size, where))
    return metrics, notes


def _covered(
    rule: Conformal,
    frame: pd.DataFrame,
    target: Target,
    where: Scope,
    sites: pd.Series | None,
    level: float,
) -> Iterator[Metric]:
    scored = nonconformity(frame, target)
    rows = scored.rows
    rows = rows.assign(covered=rows["score"].to_numpy() <= rule.limits[rows["code"].to_numpy()])
    groups: dict[str | None, pd.DataFrame] = {None: rows}
    if sites is not None:
        site = scored.known["patient_id"].astype(str).map(sites).to_numpy()
        names = sorted({str(name) for name in site if pd.notna(name)})
        groups |= {f"Site: {name}": rows[site == name] for name in names}
    classes: dict[int | None, str | None] = {None: None}
    if target.kind != "continuous":
        classes |= dict(enumerate(target.classes))
    for subgroup, here in groups.items():
        for code, name in classes.items():
            own = here if code is None else here[here["code"] == code]
            if len(own) and name not in rule.always_held:
                found = _share(own, level, rule, code, target, by_site=subgroup is not None)
                yield Metric(found, replace(where, class_name=name, subgroup=subgroup))


def _share(
    rows: pd.DataFrame,
    level: float,
    rule: Conformal,
    code: int | None,
    target: Target,
    *,
    by_site: bool = False,
) -> Estimate:
    """Return the share of patients who are covered; p against what the run promised."""
    promised = f"{100 * (1 - rule.alpha):g} %"
    what = "intervals" if target.kind == "continuous" else "sets"
    found = share_of_patients(
        NAME, rows, level, f"Wilson; {promised} {what} as the run calibrated them",
        "A patient is covered when every one of the rows is.",
    )  # fmt: skip
    # All classes together are a mixture, whose promise is that of each class.
    n = rule.class_patients[code] if rule.by_class and code is not None else rule.n_patients
    if by_site or (rule.by_class and code is None):
        return found
    p = lower_coverage_p(int(np.floor(found.extra["k"])), found.n, n, rule.alpha)
    return found.replace(p_value=p)
