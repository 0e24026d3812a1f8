"""Predictions evaluated as a run's are; what needs probabilities only where there are some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.errors import DataError
from cardio_core.evaluation.default import default_evaluate
from cardio_core.evaluation.parts import Parts
from cardio_core.evaluation.pictures import add_figures
from cardio_core.evaluation.pooling import pooled
from cardio_core.stats import calibration_metrics, number_calibration
from cardio_core.studies.given import Given
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import EvaluationReport, Metric, Scope

_OF_PROBABILITIES = ("calibration-", "decision-curve-")


def evaluated(given: Given, config: EvaluateBlock, seed: int) -> EvaluationReport:
    """Evaluate as a run is; what needs probabilities only for scores that are some."""
    task, scored = given.task, given.scored
    report = default_evaluate(scored, task, config, seed=seed)
    if task.targets[0].kind != "binary":
        return report
    figures, metrics = dict(report.figures), list(report.metrics)
    if len(given.probabilities) < len(task.models):
        metrics = [
            one for one in metrics
            if one.estimate.name != "brier" or one.scope.model in given.probabilities
        ]  # fmt: skip
        figures = {
            name: draw for name, draw in figures.items() if not name.startswith(_OF_PROBABILITIES)
        }
        if given.probabilities:
            [frame] = scored.frames.values()
            fit = frame[frame["model"].isin(given.probabilities)].reset_index(drop=True)
            among = replace(
                task, models=tuple(m for m in task.models if m.name in given.probabilities),
                primary=task.primary if task.primary in given.probabilities else "",
            )  # fmt: skip
            own = Parts([], list(report.metrics))
            add_figures(own, fit, task.targets[0], among, config)
            figures |= {
                name: draw for name, draw in own.figures.items()
                if name.startswith(_OF_PROBABILITIES)
            }  # fmt: skip
    calibrated, refused = _calibrated(given, config, seed)
    notes = [*report.notes, *Note.each(NoteKind.NOT_COMPUTED, refused)]
    return replace(
        report,
        metrics=[*metrics, *calibrated],
        figures=figures,
        notes=notes,
    )


def _calibrated(given: Given, config: EvaluateBlock, seed: int) -> tuple[list[Metric], list[str]]:
    [(_, frame)] = given.scored.frames.items()
    [target] = given.task.targets
    return calibration_of(frame, target, given.task, config, seed, given.probabilities)


def calibration_of(
    frame: pd.DataFrame,
    target: Target,
    task: Task,
    config: EvaluateBlock,
    seed: int,
    models: Sequence[str] | None = None,
) -> tuple[list[Metric], list[str]]:
    """Return calibration in the large, slope and error of every score that is a probability.

    Parameters
    ----------
    frame : DataFrame
        Predictions of the target by all models, see `Scored.frames`.
    target : Target
        Binary, or a number, whose mean error and slope are given; of several classes nothing is.
    task : Task
    config : EvaluateBlock
    seed : int
    models : sequence of str, optional
        Those whose scores are probabilities; all of them.

    Returns
    -------
    list of Metric
    list of str
        What could not be computed, and why.
    """
    metrics: list[Metric] = []
    notes: list[str] = []
    named = frame["model"].unique() if models is None else models
    for model in map(str, named) if target.kind != "multiclass" else ():
        rows = pooled(frame, target, model)
        clusters = Scored.clusters_of(rows)
        about: dict[str, Any] = {
            "clusters": clusters, "n_resamples": config.n_resamples, "seed": seed,
            "level": config.level, "unit": "patient" if clusters is None else None,
        }  # fmt: skip
        place = Scope(task=task.name, target=target.name, model=model)
        truth = rows["y_true"]
        if target.kind == "continuous":
            scores = truth.to_numpy(float), rows["score"].to_numpy(float)
            try:
                found = number_calibration(*scores, **about)
            except DataError as error:
                notes.append(f"{model}: calibration: {error}.")
                continue
            metrics += [Metric(one, place) for one in found]
            continue
        of = (truth == target.classes[1]).to_numpy(int)
        made = calibration_metrics(of, rows[f"score:{target.classes[1]}"].to_numpy(float), **about)
        metrics += [Metric(one, place) for one in made.estimates if one.name != "brier"]
        notes += [f"{model}: {metric}: {why}." for metric, why in made.refused.items()]
    return metrics, notes
