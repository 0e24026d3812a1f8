"""External validation: the final models of a run on other patients, nothing fitted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.compute.processes import one_thread
from cardio_core.evaluation.clinical_model import by_patient
from cardio_core.evaluation.default import default_evaluate
from cardio_core.evaluation.patients import TableOne, describe_patients, subgroup_metrics
from cardio_core.io.run_artifact import RunKind
from cardio_core.io.store import open_cache
from cardio_core.runner.answers import Answered, Opened, answer
from cardio_core.runner.filling import filling, state_of
from cardio_core.runner.patient_flow import Entry, count_flow, found_entries, table_rows
from cardio_core.runner.patients import clinical_table, patient_labels
from cardio_core.runner.progress import Echo
from cardio_core.runner.request import NOTHING_GIVEN, Given
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import EvaluationReport, Metric
from cardio_stats.cells import table_as_it_was
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.files import write_json
from cardio_studies.external_numbers import (
    EXTERNAL,
    INTERNAL,
    Asked,
    New,
    changes,
    coverage_metrics,
    internal_metrics,
    open_for,
    recalibrations,
    scored_of,
    truth_of,
)
from cardio_studies.external_page import (
    Overlap,
    about,
    applicability_metrics,
    applicability_table,
    beside_table,
    coverage_table,
    guard_overlap,
    overlap_of,
    overlap_table,
    primary_first,
    training_of,
)
from cardio_studies.run_writer import calibration_of, publish

# The new patients: where they come from, how they compare with those of the run, who is left.

SITE = "site_id"
IN_THE_RUN = "In the run"


def groups_of(new: New, asked: Asked) -> tuple[pd.DataFrame, pd.Series | None]:
    """Return the columns that divide the patients, a row a patient, and the site of each.

    Raises
    ------
    ConfigError
        If a named column is not in the cohort table.
    """
    table = clinical_table(new.prepared.cohort)
    named = [*asked.subgroups, *([asked.site] if asked.site else [])]
    lacking = next((name for name in named if name not in table.columns), None)
    if lacking is not None:
        option = "--site" if lacking == asked.site else "--subgroup"
        columns = ", ".join(str(one) for one in table.columns if not str(one).startswith("path_"))
        raise ConfigError(
            f"{option} {lacking}: the cohort table has no such column; it has {columns}"
        )
    site = asked.site or (SITE if SITE in table.columns else None)
    wanted = list(dict.fromkeys([*asked.subgroups, *([site] if site else [])]))
    groups = by_patient(table, wanted)
    samples = new.prepared.cohort.samples.table
    if site is not None:
        return groups, groups[site].dropna().astype(str)
    if SITE in samples.columns:  # the plugin read it from the recordings
        known = samples.drop_duplicates("patient_id").set_index("patient_id")[SITE].dropna()
        sites = known.astype(str).set_axis(known.index.astype(str))
        return groups.join(sites.rename(SITE), how="outer"), sites
    return groups, None


def table_one_of(opened: Opened, new: New, scored: Scored) -> tuple[TableOne | None, str]:
    """Return Table 1 of the validated patients beside the run's own, and a note without one."""
    target = opened.task.targets[0]
    samples = new.prepared.features.table
    labels = patient_labels(new.prepared.cohort, samples, new.truth.targets, target)
    judged = {str(one) for frame in scored.frames.values() for one in frame["patient_id"]}
    patients = [one for one in dict.fromkeys(samples["patient_id"].astype(str)) if one in judged]
    try:
        made = describe_patients(
            clinical_table(new.prepared.cohort), patients, labels, target,
            covariates=opened.config.covariates,
        )  # fmt: skip
    except DataError as error:
        return None, f"Table 1 is left out: {error}"
    return _beside(made, opened.folder), ""


def _beside(made: TableOne, run: Path) -> TableOne:
    """Return the table with the run's own patients in a column, where it described them."""
    path = run / "tables" / "table1.csv"
    if not path.is_file():
        return made
    own = table_as_it_was(pd.read_csv(path, dtype=str, keep_default_na=False))
    whole = next((str(one) for one in own.columns if str(one).startswith("All")), None)
    if whole is None:
        return made
    # A level stands below its heading: both are needed to know a row again.
    known = dict(zip(_places(own["Variable"]), own[whole], strict=True))
    cells = [known.get(place, "") for place in _places(made.frame["Variable"])]
    if not any(cells):
        return made
    frame = made.frame.copy()
    size = whole.partition("(")[2]
    frame.insert(2, f"{IN_THE_RUN} ({size}" if size else IN_THE_RUN, cells)
    note = "The column of the run describes those whom its folds tested; no test compares them."
    return replace(made, frame=frame, notes=(*made.notes, note))


def _places(names: pd.Series) -> list[tuple[str, str]]:
    heading, found = "", []
    for name in names:
        indented = str(name)[:1].isspace()
        heading = heading if indented else str(name)
        found.append((heading, str(name).strip()))
    return found


def flow_of_new(
    opened: Opened, new: New, overlap: Overlap, inputs: Sequence[Path]
) -> dict[str, Any]:
    """Return the way from what was found to who was validated, as a run counts it."""
    rows = table_rows([path.resolve() for path in inputs], tuple(opened.plugin.info.paths))
    entries = found_entries(new, rows)
    for name in overlap.recordings:
        if name in entries and (entries[name].left or ("without_outcome",))[0] == "without_outcome":
            why = "in_training", f"known again: {overlap.words}"
            entries[name] = Entry(entries[name].patient, left=why)
    used = {name for name, entry in entries.items() if entry.left is None}
    table = new.prepared.features.table
    own = table[table["recording_id"].astype(str).isin(used)]
    variant = own["variant"] if "variant" in own.columns else pd.Series(0, index=own.index)
    unknown = [one for one in entries.values() if one.left and one.left[0] == "without_outcome"]
    return {
        "from_table": rows is not None,
        "stations": count_flow(entries.values()),
        "samples": int((variant == 0).sum()),
        "copies": 0,
        "unlabelled": {
            "patients": len({one.patient for one in unknown}),
            "recordings": len(unknown),
            "train": False,
        },
        "identical": new.prepared.n_identical,
        "linked": 0,
        "protocols": {},
    }


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
    state_of(out, RunKind.EXTERNAL)
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
                  groups=groups, sites=sites, overlap=overlap, echo=echo)  # fmt: skip


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
    echo: Echo | None,
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
    with filling(out, entries, echo) as manifest:
        write_json(out / "recalibration.json", beside.rows)
        page = publish(
            manifest, rows, {name: one for name, one in tables.items() if len(one)},
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
