"""The figures of a target: all of its models together, under one protocol.

Names stay the same from run to run: ``roc-TARGET``, ``calibration-TARGET`` and
``decision-curve-TARGET`` of a binary target; ``classes-TARGET-MODEL`` of one with several classes;
``agreement-TARGET`` of a number, and ``agreement-TARGET-MODEL`` of further models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.aggregate import pooled, unit_of
from cardio_core.evaluation.parts import Parts, noting
from cardio_core.report.terms import capital, spelled
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric
from cardio_stats import calibration_curve
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.figures import described
from cardio_stats.figures.agreement import agreement_figure
from cardio_stats.figures.canvas import Draw
from cardio_stats.figures.classes import classes_figure
from cardio_stats.figures.curves import (
    ModelScores,
    calibration_of_models,
    decision_curves,
    roc,
)
from cardio_stats.figures.forests import Group
from cardio_stats.roc_curves import roc_band
from cardio_stats.words import level_words

N_IN_BAND = 1000
MOST_DRAWN = 4
"""Models in one figure: more lines cannot be told apart, more panels are too small to read."""


def add_figures(
    parts: Parts, frame: pd.DataFrame, target: Target, task: Task, config: EvaluateBlock
) -> None:
    """Add the figures of a target whose metrics are in `parts` already.

    Parameters
    ----------
    parts : Parts
        Changed in place; its metrics hold the areas that stand in the keys.
    frame : DataFrame
        Predictions of the target by all models, see `Scored.frames`.
    target : Target
    task : Task
        Its `primary` model is drawn first; where it is empty or was not run, the first model that
        is no baseline.
    config : EvaluateBlock
        Level of the intervals.
    """
    models = [str(name) for name in frame["model"].unique()]
    with noting(parts.notes, f"Figures of {spelled(target.name)} are left out:"):
        if target.kind == "binary":
            _binary(parts, frame, target, task, config, models)
        elif target.kind == "multiclass":
            for model in models:
                _classes(parts, frame, target, task, model)
        else:
            first = primary_in(task, models)
            for model in [first, *(name for name in models if name != first)][:MOST_DRAWN]:
                name = f"agreement-{target.name}" + ("" if model == first else f"-{model}")
                _agreement(parts, frame, target, task, config, model, name)


def figures_of(
    frame: pd.DataFrame,
    target: Target,
    task: Task,
    config: EvaluateBlock,
    metrics: Iterable[Metric],
) -> dict[str, Draw]:
    """Return the figures of a target, by name; `metrics` hold the areas that stand in the keys."""
    parts = Parts([], list(metrics))
    add_figures(parts, frame, target, task, config)
    return parts.figures


def primary_in(task: Task, models: list[str]) -> str:
    """Return the model that is drawn first, of those that are there."""
    if task.primary in models:
        return task.primary
    own = [name for name in models if not task.model(name).baseline]
    return (own or models)[0]


def _binary(
    parts: Parts,
    frame: pd.DataFrame,
    target: Target,
    task: Task,
    config: EvaluateBlock,
    models: list[str],
) -> None:
    primary = primary_in(task, models)
    found: dict[str, ModelScores] = {}
    for model in models:
        rows = _known(frame, target, model)
        positive = (rows["y_true"] == target.classes[1]).to_numpy(bool)
        if positive.all() or not positive.any():
            continue
        found[model] = ModelScores(
            task.model(model).title,
            positive,
            rows[f"score:{target.classes[1]}"].to_numpy(float),
            _group(task.model(model), primary),
            _area(parts, target, model),
        )
    if not found:
        return
    words = spelled(target.outcome)
    _roc(parts, found, primary, frame, target, task, config, words)
    smooth = {name: item for name, item in found.items() if not task.model(name).rule}
    chosen = _chosen(smooth or found, task, primary)
    few = [_smoothed(found[model], _known(frame, target, model), config) for model in chosen]
    picked = _picked(smooth, task, chosen)
    if any(np.ptp(item.score) > 0 for item in few):
        unit = unit_of(frame, task.unit)
        parts.figures[f"calibration-{target.name}"] = described(
            calibration_of_models(few, positive=words, level=config.level, unit=unit),
            f"Calibration: {words}",
            "Observed share against predicted probability, in groups and as a smooth curve; on the "
            f"dashed line a prediction is worth its face value. Below each, how many "
            f"were predicted what: those with the event upwards.{picked}",
        )
    parts.figures[f"decision-curve-{target.name}"] = described(
        decision_curves(few, positive=words),
        f"Decision curve: {words}",
        "Net benefit of acting on a model, from the probability at which one would act. A model "
        "is of use where its line lies above both acting on everybody and acting on nobody."
        f"{picked}",
    )


def _smoothed(model_scores: ModelScores, rows: pd.DataFrame, config: EvaluateBlock) -> ModelScores:
    """Return a model with its smooth calibration curve, where its scores allow one."""
    try:
        curve = calibration_curve(
            model_scores.positive,
            model_scores.score,
            patient=Scored.clusters_of(rows),
            level=config.level,
        )
    except DataError:
        return model_scores
    return replace(model_scores, curve=curve)


def _roc(
    parts: Parts,
    found: dict[str, ModelScores],
    primary: str,
    frame: pd.DataFrame,
    target: Target,
    task: Task,
    config: EvaluateBlock,
    words: str,
) -> None:
    chosen = _chosen(found, task, primary)
    shown = {model: found[model] for model in chosen}
    if primary in shown:
        rows = _known(frame, target, primary)
        entry = shown[primary]
        with noting(parts.notes, f"The ROC curve of {entry.title} has no band:"):
            band = roc_band(
                entry.positive.astype(int),
                entry.score,
                patient=Scored.clusters_of(rows),
                level=config.level,
                n_resamples=min(N_IN_BAND, config.n_resamples),
            )
            shown[primary] = replace(entry, band=band)
    simple = any(item.group == "baseline" for item in shown.values())
    parts.figures[f"roc-{target.name}"] = described(
        roc(list(shown.values()), level=level_words(config.level)),
        f"ROC curves: {words}",
        "Each on the units it predicted; the dashed diagonal is chance. The broad line is "
        f"{found[primary].title if primary in found else 'the first'}, with the band of its "
        f"sensitivity{'; baselines are grey' if simple else ''}.{_picked(found, task, chosen)}",
    )


def _chosen(there: dict[str, ModelScores], task: Task, primary: str) -> list[str]:
    """Return who is drawn, `MOST_DRAWN` at most.

    The primary model, the best baseline and a fusion come first, as far as they are there, then
    the others in their order.
    """
    areas = {
        name: item.area.value
        for name, item in there.items()
        if item.group == "baseline" and item.area is not None
    }
    chosen = [primary] if primary in there else list(there)[:1]
    chosen += [max(areas, key=lambda name: areas[name])] if areas else []
    chosen += [name for name in there if task.model(name).fuses and name not in chosen][:1]
    return list(dict.fromkeys([*chosen, *there]))[:MOST_DRAWN]


def _picked(there: Iterable[str], task: Task, chosen: list[str]) -> str:
    """Say how many of those `there` are not drawn, and which baseline was picked to be."""
    there = list(there)
    left = [name for name in there if name not in chosen]
    if not left:
        return ""
    text = f" {len(left)} more {'is' if len(left) == 1 else 'are'} not drawn."
    simple = [name for name in chosen[1:] if task.model(name).baseline]
    if simple and any(task.model(name).baseline for name in left):
        rules = [model.name for model in task.models if model.baseline and model.rule]
        which = "baseline with its own probabilities" if set(rules) - set(there) else "baseline"
        title = task.model(simple[0]).title
        text += f" {title} is the {which} that has the largest AUC, picked afterwards."
    return text


def _classes(parts: Parts, frame: pd.DataFrame, target: Target, task: Task, model: str) -> None:
    confusion = parts.tables.get(f"confusion-{model}")
    if confusion is None:
        return
    rows = pooled(frame, target, model)
    known = rows[rows["unit_id"].notna() & rows["y_true"].notna()]
    curves = []
    for name in target.classes:
        positive = (known["y_true"] == name).to_numpy(bool)
        unknown = bool(known[f"score:{name}"].isna().all())
        if name in target.unscored or positive.all() or not positive.any() or unknown:
            continue
        area = _area(parts, target, model, name)
        curves.append(
            ModelScores(name, positive, known[f"score:{name}"].to_numpy(float), area=area)
        )
    title = task.model(model).title
    parts.figures[f"classes-{target.name}-{model}"] = described(
        classes_figure(confusion, curves, unit=unit_of(frame, task.unit)),
        f"Each class: {title}",
        "Above, reference against prediction, shaded by the share of the row. Below, how each "
        "class is separated from all others.",
    )


def _agreement(
    parts: Parts,
    frame: pd.DataFrame,
    target: Target,
    task: Task,
    config: EvaluateBlock,
    model: str,
    file: str,
) -> None:
    rows = _known(frame, target, model)
    name = capital(spelled(target.name))
    draw = agreement_figure(
        rows["y_true"].to_numpy(float),
        rows["score"].to_numpy(float),
        patient=Scored.clusters_of(rows),
        unit=target.unit,
        level=config.level,
    )
    parts.figures[file] = described(
        draw,
        f"{name}, predicted and measured: {task.model(model).title}",
        "Above, predicted against measured; on the dashed line both are the same. Below, the "
        "difference against the mean of both, with bias and limits of agreement and their "
        "intervals.",
    )


def _known(frame: pd.DataFrame, target: Target, model: str) -> pd.DataFrame:
    rows = pooled(frame, target, model)
    score = f"score:{target.classes[1]}" if target.kind == "binary" else "score"
    return rows[rows[["y_true", "unit_id", score]].notna().all(axis=1)]


def _group(model: Model, primary: str) -> Group:
    if model.name == primary:
        return "primary"
    return "baseline" if model.baseline else "model"


def _area(
    parts: Parts, target: Target, model: str, class_name: str | None = None
) -> Estimate | None:
    for metric in parts.metrics:
        scope = metric.scope
        place = (metric.estimate.name, scope.target, scope.model, scope.class_name)
        inside = (scope.fold, scope.versus, scope.subgroup) == (None, None, None)
        if inside and place == ("auc", target.name, model, class_name):
            return metric.estimate
    return None
