"""Predictions evaluated as a run's are; what needs probabilities only where there are some."""

from __future__ import annotations

from dataclasses import replace

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.default import default_evaluate
from cardio_core.evaluation.parts import Parts
from cardio_core.evaluation.pictures import add_figures
from cardio_core.evaluation.pooling import pooled
from cardio_core.stats import calibration_metrics
from cardio_core.studies.given import Given
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
    calibrated, notes = _calibrated(given, config, seed)
    return replace(
        report, metrics=[*metrics, *calibrated], figures=figures, notes=[*report.notes, *notes]
    )


def _calibrated(given: Given, config: EvaluateBlock, seed: int) -> tuple[list[Metric], list[str]]:
    """Return calibration in the large, slope and error of every score that is a probability."""
    [(name, frame)] = given.scored.frames.items()
    [target] = given.task.targets
    metrics: list[Metric] = []
    notes: list[str] = []
    for model in given.probabilities:
        rows = pooled(frame, target, model)
        clusters = Scored.clusters_of(rows)
        found = calibration_metrics(
            (rows["y_true"] == target.classes[1]).to_numpy(int),
            rows[f"score:{target.classes[1]}"].to_numpy(float),
            clusters=clusters, n_resamples=config.n_resamples, seed=seed, level=config.level,
            unit="patient" if clusters is None else None,
        )  # fmt: skip
        place = Scope(task=given.task.name, target=name, model=model)
        metrics += [Metric(one, place) for one in found.estimates if one.name != "brier"]
        notes += [f"{model}: {metric}: {why}." for metric, why in found.refused.items()]
    return metrics, notes
