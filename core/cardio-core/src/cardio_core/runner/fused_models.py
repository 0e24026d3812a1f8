"""A fused model of one fold: weighed on the inner folds' predictions of what it fuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.errors import DataError, LeakageError
from cardio_core.evaluation.decision import Decision, choose, plain
from cardio_core.evaluation.fusion import (
    FUSION,
    FusionRule,
    MismatchError,
    fit_rule,
    fuse,
    side_by_side,
)
from cardio_core.io.run_schema import SEEN
from cardio_core.io.store import load_table, save_table
from cardio_core.runner.fits import FoldJob, predictions_file, write_chosen
from cardio_core.runner.patients import labels_of
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.info import Target
from cardio_core.types.notes import Note, NoteKind
from cardio_stats.files import SafeName

ON_TESTED = (
    "Fusion weights are fitted on the tested patients themselves, as published: its scores are too "
    "good."
)


def fuse_fold(job: FoldJob, folder: Path) -> None:
    """Fill the folder of a fused model, whose members of the same fold are finished.

    Raises
    ------
    LeakageError
        If a member was fitted without inner folds, or a tested patient is among those whom the
        weights are fitted on and the split plan declares no overlap.
    DataError
        If the weights cannot be fitted: one class only, too few units, no convergence, or `paper`
        without inner folds.
    MismatchError
        If the members do not speak of the same units.
    """
    members = {name: job.out.parent / name for name in job.members}
    tested = job.config.protocols[job.protocol].fusion == "tested" and job.test.size > 0
    notes: list[Note] = [Note(NoteKind.FUSION, ON_TESTED)] if tested else []
    decisions: list[Decision] = []
    artifact = ModelArtifact(folder / "artifact")
    artifact.path.mkdir(parents=True)
    for target in job.ctx.targets:
        fitted_on = _with_truth(_inner(members, target, job), target, job)
        to_test = read_frames(members, target) if job.test.size else {}
        try:
            rule, frame, own = (
                _on_tested(_with_truth(to_test, target, job), target, job)
                if tested
                else _on_inner(fitted_on, to_test, target, job)
            )
        except MismatchError as error:
            raise MismatchError(f"{job.title}, {target.name}: {error}") from error
        except DataError as error:
            raise DataError(f"{target.name}: {error}", code=error.code) from error
        notes += Note.each(NoteKind.FUSION, own)
        FUSION.write(artifact.path / fusion_file(target), rule)
        if frame is not None:
            retained = frame.drop(columns=["model", "predicted", "y_true"], errors="ignore")
            save_table(folder / predictions_file(target), retained)
        if target.kind != "continuous":
            decisions.append(_decide(rule, fitted_on, target, job))
    parts = [SEEN.read(place / "artifact" / "seen.json") for place in members.values()]
    seen = {person for part in parts for person in part["subjects"]}
    artifact.write_json("seen.json", {"subjects": sorted(seen)})
    notes = list(dict.fromkeys(notes))
    write_chosen(folder, candidate={}, epochs=None, decisions=decisions, notes=notes)


def fusion_file(target: Target) -> SafeName:
    """Return the name of the file of a fused model's weights."""
    return SafeName(f"fusion-{target.name}", ".json")


def open_fusion(folder: Path, target: Target) -> FusionRule:
    """Return the weights in the folder of a fused model."""
    rule: FusionRule = FUSION.read(folder / "artifact" / fusion_file(target))
    return rule


def apply_fusion(
    row: Path, frames: Mapping[str, pd.DataFrame], target: Target, name: str
) -> pd.DataFrame:
    """Return the fused frame of new patients: the stored weights on their members' frames."""
    rule = open_fusion(row, target)
    known = {model: frames[model] for model in rule.models}
    if not sum(len(frame) for frame in known.values()):
        return next(iter(known.values())).assign(model=name)
    return rule.apply(side_by_side(known, target, ()), target, name)


def weights_of(job: FoldJob) -> pd.DataFrame:
    """Return the weights of a finished fused model, one line a target."""
    lines = [
        open_fusion(job.out, target).to_row().assign(target=target.name)
        for target in job.ctx.targets
    ]
    table = pd.concat(lines, ignore_index=True).assign(model=job.ctx.model, fold=job.ctx.fold)
    first = ["model", "fold", "target"]
    return table[[*first, *(name for name in table.columns if name not in first)]]


def read_frames(members: Mapping[str, Path], target: Target) -> dict[str, pd.DataFrame]:
    """Return the test predictions of the members, by name."""
    return {
        name: load_table(place / predictions_file(target)).reset_index(drop=True)
        for name, place in members.items()
    }


def _inner(members: Mapping[str, Path], target: Target, job: FoldJob) -> dict[str, pd.DataFrame]:
    frames = {}
    for name, place in members.items():
        path = place / "inner" / predictions_file(target)
        if not path.is_file():
            if job.protocol == "paper" and job.config.inner.k == 0:
                # A published evaluation without inner folds has no fused model; honest keeps it.
                raise DataError(
                    "no inner folds to fit the weights on (inner.k is 0); set it to 2 or more"
                )
            do = "set inner.k to 1 or more"
            if job.ctx.task.model(name).rule:
                do = "a rule has no inner folds and cannot be fused"
            raise LeakageError(
                f"{job.title}: expected predictions of inner folds of {name} to fit the weights "
                f"on, found none; {do}"
            )
        frames[name] = load_table(path).reset_index(drop=True)
    return frames


def _with_truth(
    frames: Mapping[str, pd.DataFrame], target: Target, job: FoldJob
) -> dict[str, pd.DataFrame]:
    return {
        name: frame.assign(y_true=labels_of(frame, target, job.targets))
        for name, frame in frames.items()
    }


Fused = tuple[FusionRule, pd.DataFrame | None, Sequence[str]]


def _on_inner(
    fitted_on: Mapping[str, pd.DataFrame],
    to_test: Mapping[str, pd.DataFrame],
    target: Target,
    job: FoldJob,
) -> Fused:
    if not to_test:
        table = side_by_side(fitted_on, target, ("y_true",))
        return fit_rule(table.at(_known(table.rows)), target, "inner folds"), None, ()
    unknown = {name: frame.assign(y_true=None) for name, frame in to_test.items()}
    declared = job.overlap is not None
    fused = fuse(fitted_on, unknown, target, name=str(job.ctx.model), overlap=declared)
    if fused.rule is None:
        raise DataError("the fusion was not fitted; run its members")
    return fused.rule, fused.frame, fused.notes


def _on_tested(frames: Mapping[str, pd.DataFrame], target: Target, job: FoldJob) -> Fused:
    table = side_by_side(frames, target, ("y_true",))
    rule = fit_rule(table.at(_known(table.rows)), target, "tested patients")
    return rule, rule.apply(table, target, str(job.ctx.model)), ()


def _decide(
    rule: FusionRule, fitted_on: Mapping[str, pd.DataFrame], target: Target, job: FoldJob
) -> Decision:
    """Choose the threshold where the weights come from: seven weights leave little to overfit."""
    if job.config.protocols[job.protocol].decision == "fixed":
        return plain(target)
    frame = rule.apply(side_by_side(fitted_on, target, ("y_true",)), target, "inner")
    return choose(target, frame, frame["y_true"].to_numpy())


def _known(rows: pd.DataFrame) -> NDArray[np.bool_]:
    return np.asarray(rows["y_true"].notna(), dtype=np.bool_)
