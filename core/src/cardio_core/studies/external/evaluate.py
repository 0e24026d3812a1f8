"""External validation: the final models of a run on other patients, nothing fitted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from cardio_core.compute.threads import one_thread
from cardio_core.evaluation.default import default_evaluate
from cardio_core.evaluation.patients.subgroups import subgroup_metrics
from cardio_core.io.atomic import write_json
from cardio_core.io.places import open_cache
from cardio_core.runner.plugin_options import NOTHING_GIVEN, Given
from cardio_core.runner.predicting.answering import Answered, Opened, answer
from cardio_core.runner.progress import Echo
from cardio_core.studies.evaluating import calibration_of
from cardio_core.studies.external.applying import applicability_metrics, applicability_table
from cardio_core.studies.external.asking import Asked, open_for
from cardio_core.studies.external.covering import coverage_metrics
from cardio_core.studies.external.internal import EXTERNAL, INTERNAL, changes, internal_metrics
from cardio_core.studies.external.page import about, guard_new
from cardio_core.studies.external.patients import flow_of_new, groups_of, table_one_of
from cardio_core.studies.external.recalibrating import recalibrations
from cardio_core.studies.external.scoring import New, scored_of, truth_of
from cardio_core.studies.external.tables import (
    beside_table,
    coverage_table,
    overlap_table,
    primary_first,
)
from cardio_core.studies.external.training import Overlap, guard_overlap, overlap_of, training_of
from cardio_core.studies.writing import publish
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import EvaluationReport, Metric


@dataclass(frozen=True)
class Validated:
    """What came of an external validation.

    Attributes
    ----------
    page : Path
        Of ``report.html``.
    external, internal, changed : list of Metric
        Of the new patients; of the run's own, out of fold; the first less the second.
    scored : Scored
        The answers beside the truth.
    notes : tuple of Note
    """

    page: Path
    external: list[Metric]
    internal: list[Metric]
    changed: list[Metric]
    scored: Scored
    notes: tuple[Note, ...]


@one_thread()
def evaluate_run(
    run: Path,
    inputs: Sequence[Path],
    asked: Asked,
    out: Path,
    *,
    options: Given = NOTHING_GIVEN,
    device: str = "auto",
    echo: Echo | None = None,
    command: Sequence[str] = (),
) -> Validated:
    """Validate the final models of a finished run on other patients, and write the page.

    Parameters
    ----------
    run : Path
        A finished run, or an exported folder.
    inputs : sequence of Path
        A cohort table or folder with the outcome, as ``cardio run --data`` takes it.
    asked : Asked
    out : Path
        A new or empty folder.
    options : Given, optional
        Options of the plugin's task: how to read the recordings at hand.
    device : str
    echo : callable, optional
        Takes progress lines.
    command : sequence of str
        As typed, for the page.

    Returns
    -------
    Validated

    Raises
    ------
    ConfigError
        The run is unfinished, of another cardio-core or of a kind without final models; a path or a
        column does not exist; `out` holds something.
    DataError
        The data tell no outcome, or nobody is left.
    LeakageError
        Patients were in training, and `asked.leave_out` does not say to leave them out.

    Notes
    -----
    Nothing is fitted but the recalibrations, which stand in a table of their own. Features are
    kept in the cache, as those of a run are.
    """
    guard_new(out)
    opened, notes = open_for(
        run, inputs, asked, features_in=open_cache(), options=options, device=device
    )
    answered = answer(opened, inputs, echo=echo, with_targets=True)
    new = truth_of(opened, answered)
    groups, sites = groups_of(new, asked)
    kept = training_of(run, list(opened.manifest.get("needs") or []))
    overlap = overlap_of(kept, new.prepared, other_people=asked.other_people)
    if not asked.leave_out:
        n = new.prepared.cohort.samples.table["patient_id"].nunique()
        guard_overlap(overlap, int(n), run.resolve().name)
    scored = scored_of(opened, answered, new, overlap.recordings)
    said = [
        *Note.each(NoteKind.OUTCOME, notes), *answered.notes, *overlap.notes,
        *_withheld(opened, answered),
    ]  # fmt: skip
    return _write(opened, answered, new, scored, asked, out, said, inputs, command,
                  groups=groups, sites=sites, overlap=overlap)  # fmt: skip


def _write(
    opened: Opened,
    answered: Answered,
    new: New,
    scored: Scored,
    asked: Asked,
    out: Path,
    said: list[Note],
    inputs: Sequence[Path],
    command: Sequence[str],
    *,
    groups: pd.DataFrame,
    sites: pd.Series | None,
    overlap: Overlap,
) -> Validated:
    config, seed = opened.config.evaluate, asked.seed
    primary = str(opened.manifest.get("primary") or "")
    task = replace(opened.task, primary=primary)
    report: EvaluationReport = default_evaluate(scored, task, config, seed=seed)
    external = list(report.metrics)
    notes = [*said, *report.notes]
    for target in task.targets:
        if target.name in scored.frames:
            found, refused = calibration_of(scored.frames[target.name], target, task, config, seed)
            external += found
            notes += Note.each(NoteKind.NOT_COMPUTED, refused)
    covered, lacking = coverage_metrics(opened.folder, scored, task, sites, config, seed=seed)
    judged = {str(one) for frame in scored.frames.values() for one in frame["patient_id"]}
    verdicts = answered.applicability
    verdicts = verdicts[verdicts["patient_id"].astype(str).isin(judged)]
    like, unlike = applicability_metrics(opened.folder, verdicts, sites, task.name, config.level)
    told = verdicts.set_index(verdicts["patient_id"].astype(str))["verdict"]
    groups = groups.reindex(sorted(judged)).assign(applicability=told)
    within, small = subgroup_metrics(scored, task, groups, config, seed=seed)
    internal = internal_metrics(opened.folder, task, config, seed)
    whole = [*external, *(one for one in covered if not one.scope.subgroup)]
    changed = changes(whole, internal)
    beside = recalibrations(scored, task, config, seed)
    table_one, why = table_one_of(opened, new, scored)
    notes += [*lacking, *unlike, *small, *beside.notes]
    notes += Note.each(NoteKind.NOT_COMPUTED, [why])
    if not internal:
        text = "The run has no honest folds of its own here, so no change can be told."
        notes.append(Note(NoteKind.COMPARISON, text))
    rows = [one.to_dict() | {"protocol": EXTERNAL}
            for one in (*external, *covered, *changed, *like, *within)]  # fmt: skip
    rows += [one.to_dict() | {"protocol": INTERNAL} for one in internal]
    tables = dict(report.tables)
    tables |= {
        "external-beside-internal": primary_first(
            beside_table(whole, internal, changed, task), task
        ),
        "external-coverage": primary_first(coverage_table(covered, task), task),
        "external-applicability": applicability_table(like),
        "external-recalibration": primary_first(beside.table, task),
        "external-in-training": overlap_table(overlap),
    }
    further = {
        "flow": flow_of_new(opened, new, overlap, inputs),
        "overlap": {
            "left_out": len(overlap.by),
            "by": overlap.words,
            "notes": [note.to_dict() for note in overlap.notes],
            "checked": overlap.checked,
        },
    }
    entries = about(opened, answered, new, scored, inputs, out, command=command, seed=seed,
                    further=further)  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "recalibration.json", beside.rows)
    page = publish(
        out, entries, rows, {name: one for name, one in tables.items() if len(one)},
        {**report.figures, **beside.figures}, notes, table_one,
    )  # fmt: skip
    return Validated(page, [*external, *covered, *like], internal, changed, scored, tuple(notes))


def _withheld(opened: Opened, answered: Answered) -> list[Note]:
    """Say where `cardio predict` would give no verdict: here its score counts all the same."""
    return [
        Note(
            NoteKind.APPLICABILITY,
            f"{opened.task.model(name).title}: of {len(who)} that it would withhold its verdict "
            "on in practice, the score counts here.",
            model=name,
        )
        for name, who in answered.withheld.items()
        if who
    ]
