"""The folder of an external validation: its manifest, its numbers, its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.errors import LeakageError
from cardio_core.evaluation.applicability import (
    ALPHA_OUTSIDE,
    BORDERLINE,
    INSIDE,
    NOT_JUDGED,
    OUTSIDE,
)
from cardio_core.fold_assignment import link_subjects
from cardio_core.io.cohort import shown_of
from cardio_core.io.hashing import digest, file_digest
from cardio_core.io.run_artifact import RunKind, read_artifact
from cardio_core.io.run_schema import COHORT, PRINTS, Kind
from cardio_core.io.synthetic import is_synthetic
from cardio_core.report.results import bare_name
from cardio_core.report.text.answer import answer
from cardio_core.report.text.model_card import digest_of_final
from cardio_core.runner.answers import Answered, Opened
from cardio_core.runner.embeddings import read_applicability
from cardio_core.runner.fingerprints import known_again
from cardio_core.runner.manifest import first_entries, now
from cardio_core.runner.overlap import RECORDINGS
from cardio_core.runner.prepare import Prepared
from cardio_core.types.features import flag_counts
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope
from cardio_stats import proportion
from cardio_stats.estimate import Estimate
from cardio_stats.files import SafeName
from cardio_stats.proportions import lower_coverage_p
from cardio_stats.words import counted, listed, number, p_value
from cardio_studies.external_numbers import (
    COMPARED,
    EXTERNAL,
    INTERNAL,
    NAME,
    New,
    words_of_changes,
)

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
    def words(self) -> str:
        """How many are known again by what: ``2 by id, 1 by file``."""
        counts = [(sum(one in by for by in self.by.values()), one) for one in BY]
        return listed([f"{n} by {one}" for n, one in counts if n])


def training_of(run: Path, needs: list[Mapping[str, str]]) -> Training:
    """Read what a run kept of its recordings, and of those of the earlier tasks that it made."""
    folders = [run, *sorted(path.parent for path in run.glob("needs/*/manifest.json"))]
    inside = {folder.name for folder in folders[1:]}
    cohorts = [
        COHORT.read(one / "cohort.json") for one in folders if (one / "cohort.json").is_file()
    ]
    prints = [PRINTS.read(one / RECORDINGS) for one in folders if (one / RECORDINGS).is_file()]
    elsewhere = tuple(str(one["task"]) for one in needs if str(one.get("task")) not in inside)
    if not cohorts:
        known = frozenset(one for part in prints for one in part["fingerprints"])
        return Training(fingerprints=known or None, unchecked=elsewhere)
    ids = {who for one in cohorts for key in ("patients", "subjects") for who in one.get(key, ())}
    return Training(
        frozenset(map(str, ids)),
        frozenset(file for one in cohorts for file in one.get("files", ())),
        frozenset(one for part in prints for one in part["fingerprints"]) if prints else None,
        elsewhere,
    )


def _read(kind: Kind, folders: Sequence[Path], name: str) -> list[Any]:
    return [kind.read(one / name) for one in folders if (one / name).is_file()]


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
        found(names.map(lambda one: not own.isdisjoint(_digests(prepared, one))), "file")
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
        one is not None for one in (training.ids, training.digests, training.fingerprints)
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
        not_done = [one for one in not_done if one != "by id"]
    if not_done:
        why = "the run kept nothing to tell it by"
        text = f"Whether patients were in training is not checkable {listed(not_done)}: {why}."
        yield Note(NoteKind.OVERLAP_UNCHECKED, text)
    unknown = len(prepared.cohort.samples) - len(prepared.fingerprints)
    if checked["signal"] and unknown:
        text = f"{counted(unknown, 'recording')} hold no signal that could be compared."
        yield Note(NoteKind.OVERLAP, text)
    for task in training.unchecked:
        text = f"Patients of the earlier task {task} are kept in a run of their own: not checked."
        yield Note(NoteKind.OVERLAP_UNCHECKED, text)


def guard_overlap(overlap: Overlap, n_patients: int, run: str) -> None:
    """Refuse patients who were in training.

    Raises
    ------
    LeakageError
        With counts, and what they are known again by.
    """
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


# The tables that stand open on the page of an external validation.


def beside_table(
    external: Sequence[Metric], internal: Sequence[Metric], changed: Sequence[Metric], task: Task
) -> pd.DataFrame:
    """Return the new patients' results beside the run's own, with their difference.

    One row a measure of `COMPARED` that both have; empty where the run has none of its own.
    """
    ours, theirs = _by_place(external), _by_place(internal)
    lines = []
    for one in changed:
        place = _place(one, one.estimate.name.removesuffix("_change"))
        if place not in ours or place not in theirs:
            continue
        lines.append(
            {
                "Model": task.model(str(one.scope.model)).title,
                **({"Outcome": one.scope.target} if len(task.targets) > 1 else {}),
                "Measure": COMPARED[place[0]]
                + (f", {one.scope.class_name}" if one.scope.class_name else ""),
                "External": shown(ours[place]),
                "Internal, out of fold": shown(theirs[place]),
                "External − internal": shown(one.estimate, signed=True),
            }
        )
    return pd.DataFrame(lines)


def coverage_table(covered: Sequence[Metric], task: Task) -> pd.DataFrame:
    """Return the coverage of sets and intervals by class and by site."""
    lines = [
        {
            "Model": task.model(str(one.scope.model)).title,
            **({"Outcome": one.scope.target} if len(task.targets) > 1 else {}),
            "Patients": (one.scope.subgroup or "all").removeprefix("Site: "),
            "True class": one.scope.class_name or "any",
            "Covered": shown(one.estimate),
            "n": one.estimate.n,
            "p, lower than the run promised": p_value(one.estimate.p_value),
        }
        for one in covered
        if one.estimate.name == NAME
    ]
    return pd.DataFrame(lines)


def overlap_table(overlap: Overlap) -> pd.DataFrame:
    """Return how many of the new patients were in training, by what they are known again by."""
    lines = [
        {"Known again by": what, "Patients left out": sum(what in by for by in overlap.by.values())}
        for what in BY
        if any(what in by for by in overlap.by.values())
    ]
    return pd.DataFrame(lines)


def primary_first(table: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return a table model by model, the primary one first."""
    if not len(table):
        return table
    titles = list(dict.fromkeys(table["Model"]))
    named = {model.name: model.title for model in task.models}
    titles.sort(key=lambda title: title != named.get(task.primary))
    rank = table["Model"].map({title: place for place, title in enumerate(titles)})
    return table.iloc[rank.argsort(kind="stable")].reset_index(drop=True)


def shown(one: Estimate, *, signed: bool = False) -> str:
    """Return an estimate with its interval, as it is printed."""
    value = number(one.value, signed=signed)
    if one.low is None or one.high is None:
        return value
    low, high = number(one.low, signed=signed), number(one.high, signed=signed)
    return f"{value} ({low} to {high})"


def _place(metric: Metric, name: str) -> tuple[str, str | None, str | None, str | None]:
    bare = bare_name(name, metric.scope.class_name)
    return bare, metric.scope.target, metric.scope.model, metric.scope.class_name


def _by_place(metrics: Sequence[Metric]) -> dict[tuple[str, str | None, str | None, str | None],
                                                 Estimate]:  # fmt: skip
    return {
        _place(one, one.estimate.name): one.estimate
        for one in metrics
        if not (one.scope.fold or one.scope.versus or one.scope.subgroup)
    }


# How many of the new patients are like those of training: inside, borderline, outside.

VERDICTS = {INSIDE: "Inside", BORDERLINE: "Borderline", OUTSIDE: "Outside"}
SHARE = "{verdict}_share"


def applicability_metrics(
    run: Path, judged: pd.DataFrame, sites: pd.Series | None, task: str, level: float
) -> tuple[list[Metric], list[Note]]:
    """Return the share of the judged patients who are inside, borderline and outside.

    Parameters
    ----------
    run : Path
        Whose summaries of training decided.
    judged : DataFrame
        `patient_id` and `verdict` of the validated patients.
    sites : Series or None
        Site by patient.
    task : str
    level : float

    Returns
    -------
    list of Metric
        With Wilson's interval, of all and by site; p of the share outside asks whether more are
        outside than chance brings where nothing changed (one in twenty at most).
    list of Note
        Who could not be judged, and why.
    """
    known = judged[judged["verdict"] != NOT_JUDGED]
    notes = []
    unknown = judged[judged["verdict"] == NOT_JUDGED]
    for why, rows in unknown.groupby("reasons", sort=False):
        text = f"Applicability of {len(rows)} patient(s) is not judged: {why}."
        notes.append(Note(NoteKind.APPLICABILITY, text))
    if not len(known):
        return [], notes
    kept = read_applicability(run)
    n = kept.calibration.n if kept is not None and kept.calibration is not None else 0
    found = list(_shares(known, n, Scope(task=task), level))
    if sites is not None:
        site = known["patient_id"].astype(str).map(sites)
        for one in sorted(site.dropna().unique()):
            here = known[(site == one).to_numpy(bool)]
            found += _shares(here, 0, Scope(task=task, subgroup=f"Site: {one}"), level)
    return found, notes


def _shares(known: pd.DataFrame, n: int, where: Scope, level: float) -> Iterator[Metric]:
    for verdict in VERDICTS:
        k = int((known["verdict"] == verdict).sum())
        name = SHARE.format(verdict=verdict)
        one = proportion(k, len(known), name=name, unit="patient", level=level)
        if verdict == OUTSIDE and n:
            p = lower_coverage_p(len(known) - k, len(known), n, ALPHA_OUTSIDE)
            one = one.replace(p_value=p)
        yield Metric(one, where)


def words_of_shares() -> dict[str, str]:
    """Return what a reader is shown in place of the names of the shares."""
    return {
        SHARE.format(verdict=verdict): f"{words} the patients of training, share"
        for verdict, words in (
            (INSIDE, "Inside"), (BORDERLINE, "At the edge of"), (OUTSIDE, "Outside"),
        )
    }  # fmt: skip


def applicability_table(metrics: list[Metric]) -> pd.DataFrame:
    """Return the shares as the page shows them: a row for all and for each site."""
    lines: dict[str, dict[str, Any]] = {}
    for metric in metrics:
        who = (metric.scope.subgroup or "all").removeprefix("Site: ")
        line = lines.setdefault(who, {"Patients": who, "n": metric.estimate.n})
        verdict = metric.estimate.name.removesuffix("_share")
        line[VERDICTS[verdict]] = shown(metric.estimate)
        if verdict == OUTSIDE:
            line["p, more outside than chance"] = p_value(metric.estimate.p_value)
    return pd.DataFrame(list(lines.values()))


def default_out(run: Path) -> Path:
    """Return a folder named after the run and the time."""
    stamp = now().replace(":", "").replace("-", "")[:15]
    return Path("runs") / SafeName(f"{run.resolve().name}-external-{stamp}")


def about(
    opened: Opened,
    answered: Answered,
    new: New,
    scored: Scored,
    inputs: Sequence[Path],
    out: Path,
    *,
    command: Sequence[str],
    seed: int,
    further: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the entries of the manifest: what was validated, on whom, by which code."""
    run, made = opened.folder, opened.manifest
    cohort = answered.prepared.cohort
    device: Any = opened.ctx.device
    real = not any(map(is_synthetic, inputs))
    judged = {str(one) for frame in scored.frames.values() for one in frame["patient_id"]}
    n_patients = int(cohort.samples.table["patient_id"].nunique())
    all_judged = len(judged) == n_patients  # of others the plugin's sentence counts too many
    kept = ("plugin", "plugin_version", "task", "task_title", "papers", "models", "model_titles",
            "baselines", "primary", "targets")  # fmt: skip
    entries = {
        **{name: made.get(name) for name in kept},
        "outcome_column": opened.config.outcome.column,
        "outcome": _outcome(opened.task.targets, scored, cohort.outcome if all_judged else ""),
        "words": {**(made.get("words") or {}), **words_of_changes(), **words_of_shares()},
        "protocols": [EXTERNAL, INTERNAL],
        "evaluated": {
            "run": run.resolve().name, "kind": made.get("kind", "run"),
            "final_models": digest_of_final(run), "config": made.get("config_digest"),
            "data": (made.get("data") or {}).get("digest"),
            "source": (made.get("data") or {}).get("source"),
            "n_patients": (made.get("data") or {}).get("n_patients"),
            "core_version": made.get("core_version"),
        },
        "seed": seed,
        "device": {key: getattr(device, key) for key in ("name", "reason", "precision")},
        "data": {
            "source": "real" if real else "synthetic",
            "path_shown": shown_of(inputs),
            "digest": answered.prepared.digest,
            "n_recordings": len(cohort.samples),
            "n_patients": n_patients,
            "n_samples": len(answered.prepared.features), "n_judged": len(judged),
        },
        "quarantined": [row.cells() for row in answered.prepared.quarantined],
        "excluded": {why: list(ids) for why, ids in cohort.excluded.items()},
        "flags": flag_counts(answered.prepared.features.table),
        **further,
    }  # fmt: skip
    entries["identity"] = digest([entries["evaluated"], entries["data"]["digest"]])
    return first_entries(RunKind.EXTERNAL, out.name, command, **entries)


def _outcome(targets: Sequence[Target], scored: Scored, said: str) -> str:
    """Say how often what was predicted happened, as the plugin says it, or in the judged."""
    if said:
        return said
    parts = []
    for target in targets:
        frame = scored.frames.get(target.name)
        if frame is None or target.kind == "continuous":
            continue
        rows = frame[frame["model"] == frame["model"].iloc[0]]
        counts = rows["y_true"].value_counts()
        found = ", ".join(f"{int(counts.get(one, 0))} {one}" for one in target.classes)
        parts.append(f"{target.name}: {found}")
    return "; ".join(parts)


# The answer of an external validation in the terminal: the sentences at the head of its page.


def told(out: Path) -> list[str]:
    """Return what was asked, what was found, and what stands in its way."""
    said = answer(read_artifact(out))
    return [said.asked, *said.found, *(f"- {one}" for one in (*said.warnings, *said.more))]
