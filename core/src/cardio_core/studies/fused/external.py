"""External validation of a fusion: each member answers on the new patients, nothing is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.compute.threads import one_thread
from cardio_core.config import EvaluateBlock
from cardio_core.errors import DataError
from cardio_core.evaluation.default import default_evaluate
from cardio_core.evaluation.patients.subgroups import subgroup_metrics
from cardio_core.io.atomic import write_json
from cardio_core.io.cohort_rows import shown_of
from cardio_core.io.hashing import digest
from cardio_core.io.places import open_cache
from cardio_core.io.run_artifact import RunKind
from cardio_core.io.truth_file import is_synthetic
from cardio_core.report.told.card import digest_of_final
from cardio_core.report.words import listed
from cardio_core.runner.manifest import first_entries
from cardio_core.runner.predicting.answering import answer
from cardio_core.runner.progress import Echo
from cardio_core.studies.evaluating import calibration_of
from cardio_core.studies.external.asking import Asked, open_for
from cardio_core.studies.external.covering import coverage_metrics
from cardio_core.studies.external.internal import (
    EXTERNAL,
    INTERNAL,
    changes,
    internal_metrics,
    words_of_changes,
)
from cardio_core.studies.external.page import guard_new
from cardio_core.studies.external.recalibrating import recalibrations
from cardio_core.studies.external.scoring import FINAL, scored_of, truth_of
from cardio_core.studies.external.tables import beside_table, coverage_table, primary_first
from cardio_core.studies.external.training import guard_overlap, overlap_of, training_of
from cardio_core.studies.fused.clinical import score_new
from cardio_core.studies.fused.members import BOTH, CLINICAL, FUSION
from cardio_core.studies.fused.predict import fused_frames, split_inputs
from cardio_core.studies.fused.scores import one_a_patient
from cardio_core.studies.fused.standing import FusedRun, MemberRun, open_fused
from cardio_core.studies.writing import publish
from cardio_core.types.info import Model, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored

RESAMPLES = 2000


@one_thread()
def evaluate_fused(
    run: Path,
    inputs: Sequence[str],
    asked: Asked,
    out: Path,
    *,
    device: str = "auto",
    echo: Echo | None = None,
    command: Sequence[str] = (),
) -> Path:
    """Validate a fusion on other patients, and write the page.

    Parameters
    ----------
    run : Path
        What `cardio fuse` wrote.
    inputs : sequence of str
        ``LABEL=PATH`` for each modality that there is: a cohort table with the outcome; and
        ``clinical=TABLE`` where the fusion has a clinical model.
    asked : Asked
        Site and subgroups are not asked of a fusion: its groups are who has which modality.
    out : Path
        A new or empty folder.
    device, echo, command
        As for a run.

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    ConfigError, DataError, LeakageError
        As for a run, of each member; patients whose outcome is told differently.
    """
    guard_new(out)
    fused = open_fused(run)
    given = split_inputs(inputs, [*fused.members, *([CLINICAL] if BOTH in fused.rules else [])])
    scores: dict[str, pd.Series] = {}
    truth: dict[str, pd.Series] = {}
    notes: list[Note] = []
    left: dict[str, Any] = {"left_out": 0, "by": "", "notes": [], "checked": True}
    for label, paths in given.items():
        if label == CLINICAL:
            scores[label] = score_new(run, paths, fused.manifest["covariates"], fused.target)
            continue
        rows, said = _member(fused.members[label], paths, asked, device, echo, left)
        scores[label], truth[label] = rows["score"], rows["y"]
        notes += [replace(one, text=f"{label}: {one.text}") for one in said]
    y = _one_truth(truth)
    known = {label: one[one.index.isin(y.index)] for label, one in scores.items()}
    scored = _scored(fused, known, y)
    has = pd.DataFrame({name: y.index.isin(known[name].index) for name in truth}, index=y.index)
    return _write(fused, scored, has, asked, out, notes, given, left, command)


def _member(
    member: MemberRun,
    paths: Sequence[Path],
    asked: Asked,
    device: str,
    echo: Echo | None,
    left: dict[str, Any],
) -> tuple[pd.DataFrame, list[Note]]:
    """Return score and outcome by patient of one member, and what the reader has to know."""
    opened, notes = open_for(member.run, paths, asked, features_in=open_cache(), device=device)
    answered = answer(opened, paths, echo=echo, with_targets=True)
    new = truth_of(opened, answered)
    kept = training_of(member.run, list(opened.manifest.get("needs") or []))
    overlap = overlap_of(kept, new.prepared, other_people=asked.other_people)
    if not asked.leave_out:
        n = new.prepared.cohort.samples.table["patient_id"].nunique()
        guard_overlap(overlap, int(n), member.label)
    left["left_out"] += len(overlap.by)
    left["checked"] = left["checked"] and overlap.checked
    if overlap.words:
        left["by"] = listed([*filter(None, [left["by"]]), f"{member.label}: {overlap.words}"])
    scored = scored_of(opened, answered, new, overlap.recordings)
    frame = scored.frames[member.target]
    frame = frame[(frame["model"] == member.model) & frame["y_true"].notna()]
    rows = pd.DataFrame(
        {"patient_id": frame["patient_id"].astype(str),
         "score": frame[f"score:{member.event}"].astype(float),
         "y": (frame["y_true"] == member.event).astype(int)}
    )  # fmt: skip
    of_patient = rows.groupby("patient_id")["y"]
    mixed = of_patient.min() != of_patient.max()
    if mixed.any():
        raise DataError(
            f"{member.label}: {int(mixed.sum())} patients have both outcomes; give one a patient"
        )
    once = one_a_patient(rows, ["patient_id"]).set_index("patient_id")
    return once, [*Note.each(NoteKind.OUTCOME, notes), *answered.notes, *overlap.notes]


def _one_truth(truth: dict[str, pd.Series]) -> pd.Series:
    """Return the outcome by patient.

    Raises
    ------
    DataError
        No modality, or members that tell another outcome of the same patient.
    """
    if not truth:
        raise DataError("--data: expected NAME=PATH of a modality at least, found none")
    rows = pd.concat(truth.values())
    of_patient = rows.groupby(level=0)
    differ = of_patient.min() != of_patient.max()
    if differ.any():
        raise DataError(
            f"--data: {int(differ.sum())} patients have another outcome in one modality than in "
            "another; correct the tables"
        )
    if len(truth) > 1 and not rows.index.has_duplicates:
        counts = ", ".join(f"{label} {len(one)}" for label, one in truth.items())
        raise DataError(
            f"--data: none of the patients ({counts}) is in two modalities; do they carry the same "
            "ids?"
        )
    y: pd.Series = rows[~rows.index.duplicated()].sort_index()
    return y


def _scored(fused: FusedRun, scores: dict[str, pd.Series], y: pd.Series) -> Scored:
    target = fused.target
    words = np.asarray(target.classes, dtype=object)
    parts, sources = [], {}
    for name, frame in fused_frames(fused, scores).items():
        decision = fused.decision(name)
        threshold = decision.threshold if decision else 0.5
        sources[f"{name}/{target.name}"] = decision.source if decision else "fixed: one half"
        high = (frame[f"score:{target.classes[1]}"] >= threshold).to_numpy(int)
        parts.append(
            frame.assign(
                sample_id=None, model=name, repeat=0, fold=FINAL, predicted=words[high],
                y_true=words[y.loc[frame["unit_id"]].to_numpy(int)],
            )
        )  # fmt: skip
    return Scored({target.name: pd.concat(parts, ignore_index=True)}, sources)


def _write(
    fused: FusedRun,
    scored: Scored,
    has: pd.DataFrame,
    asked: Asked,
    out: Path,
    said: list[Note],
    given: dict[str, list[Path]],
    left: dict[str, Any],
    command: Sequence[str],
) -> Path:
    manifest, target, seed = fused.manifest, fused.target, asked.seed
    frame = scored.frames[target.name]
    names = list(frame["model"].unique())
    titles = manifest["model_titles"]
    baselines = [name for name in manifest["baselines"] if name in names]
    task = Task(
        "fused", manifest["task_title"], "patient", (target,),
        tuple(Model(one, titles[one], baseline=one in baselines, partial=True) for one in names),
        primary=FUSION,
    )  # fmt: skip
    config = EvaluateBlock(level=asked.level, n_resamples=RESAMPLES)
    report = default_evaluate(scored, task, config, seed=seed)
    calibrated, refused = calibration_of(frame, target, task, config, seed)
    external = [*report.metrics, *calibrated]
    own = replace(scored, frames={target.name: frame[frame["model"].isin([FUSION, BOTH])]})
    covered, lacking = coverage_metrics(fused.folder, own, task, None, config, seed=seed)
    patterns = has.apply(
        lambda row: " and ".join(n for n, there in row.items() if there), axis=1
    ).rename("modalities")  # fmt: skip
    within, small = subgroup_metrics(scored, task, patterns.to_frame(), config, seed=seed)
    internal = [
        one for one in internal_metrics(fused.folder, task, config, seed)
        if one.scope.model in names
    ]  # fmt: skip
    whole = [*external, *covered]
    changed = changes(whole, internal)
    beside = recalibrations(scored, task, config, seed)
    rows = [one.to_dict() | {"protocol": EXTERNAL}
            for one in (*external, *covered, *changed, *within)]  # fmt: skip
    rows += [one.to_dict() | {"protocol": INTERNAL} for one in internal]
    counts = patterns.value_counts().rename_axis("modalities").reset_index(name="n_patients")
    tables = {
        **report.tables,
        "external-beside-internal": primary_first(
            beside_table(whole, internal, changed, task), task
        ),
        "external-coverage": primary_first(coverage_table(covered, task), task),
        "external-recalibration": primary_first(beside.table, task),
        "external-modalities": counts,
    }
    refusals = Note.each(NoteKind.NOT_COMPUTED, refused)
    notes = [*said, *report.notes, *refusals, *lacking, *small, *beside.notes]
    paths = [path for group in given.values() for path in group]
    about = _about(fused, scored, paths, out, left, command, seed, names, len(has))
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "recalibration.json", beside.rows)
    return publish(
        out, about, rows, {name: one for name, one in tables.items() if len(one)},
        {**report.figures, **beside.figures}, notes,
    )  # fmt: skip


def _about(
    fused: FusedRun,
    scored: Scored,
    paths: Sequence[Path],
    out: Path,
    left: dict[str, Any],
    command: Sequence[str],
    seed: int,
    names: Sequence[str],
    n: int,
) -> dict[str, Any]:
    made, target = fused.manifest, fused.target
    y = scored.frames[target.name].drop_duplicates("patient_id")["y_true"].value_counts()
    kept = ("task", "task_title", "papers", "model_titles", "primary", "targets", "outcome_column")
    entries = {
        **{name: made.get(name) for name in kept},
        "models": list(names), "baselines": [one for one in made["baselines"] if one in names],
        "outcome": ", ".join(f"{int(y.get(one, 0))} {one}" for one in target.classes),
        "words": {**(made.get("words") or {}), **words_of_changes()},
        "protocols": [EXTERNAL, INTERNAL],
        "evaluated": {
            "run": fused.folder.resolve().name, "kind": "fused",
            "final_models": digest_of_final(fused.folder), "config": made.get("config_digest"),
            "data": made["data"].get("digest"), "source": made["data"].get("source"),
            "n_patients": made["data"].get("n_patients"), "core_version": made.get("core_version"),
        },
        "seed": seed,
        "data": {
            "source": "synthetic" if any(map(is_synthetic, paths)) else "real",
            "path_shown": shown_of(paths),
            "digest": digest([str(path) for path in paths]), "n_patients": n, "n_judged": n,
        },
        "quarantined": [], "excluded": {}, "flags": {}, "overlap": left,
    }  # fmt: skip
    return first_entries(RunKind.EXTERNAL, out.name, command, **entries)
