"""The figures of a target: all of its models together, under one protocol.

Names stay the same from run to run: ``roc-TARGET``, ``calibration-TARGET`` and
``decision-curve-TARGET`` of a binary target; ``classes-TARGET-MODEL`` of one with several classes;
``agreement-TARGET`` of a number, and ``agreement-TARGET-MODEL`` of further models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.aggregate import pooled, score_columns, unit_of
from cardio_core.evaluation.parts import Parts, noting
from cardio_core.report.terms import capital, spelled
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope
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
    drawing = _Drawing(parts, frame, target, task, config)
    with noting(parts.notes, f"Figures of {spelled(target.name)} are left out:"):
        drawing.draw()


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


@dataclass(frozen=True)
class _Drawing:
    """The figures of one target, into `parts`."""

    parts: Parts
    frame: pd.DataFrame
    target: Target
    task: Task
    config: EvaluateBlock

    def draw(self) -> None:
        models = [str(name) for name in self.frame["model"].unique()]
        first = primary_in(self.task, models)
        if self.target.kind == "binary":
            self._binary(models, first)
        elif self.target.kind == "multiclass":
            for model in models:
                self._classes(model)
        else:
            for model in [first, *(name for name in models if name != first)][:MOST_DRAWN]:
                self._agreement(model, "" if model == first else f"-{model}")

    def _binary(self, models: list[str], primary: str) -> None:
        target, task = self.target, self.task
        found: dict[str, ModelScores] = {}
        for model in models:
            rows = self._known(model)
            positive = (rows["y_true"] == target.classes[1]).to_numpy(bool)
            if positive.all() or not positive.any():
                continue
            found[model] = ModelScores(
                task.model(model).title,
                positive,
                rows[f"score:{target.classes[1]}"].to_numpy(float),
                _group(task.model(model), primary),
                self._area(model),
            )
        if not found:
            return
        words = spelled(target.outcome)
        self._roc(found, primary, words)
        smooth = {name: item for name, item in found.items() if not task.model(name).rule}
        chosen = _chosen(smooth or found, task, primary)
        few = [self._smoothed(found[model], model) for model in chosen]
        picked = _picked(smooth, task, chosen)
        if any(np.ptp(item.score) > 0 for item in few):
            level, unit = self.config.level, unit_of(task)
            self.parts.figures[f"calibration-{target.name}"] = described(
                calibration_of_models(few, positive=words, level=level, unit=unit),
                f"Calibration: {words}",
                "Observed share against predicted probability, in groups and as a smooth curve; on "
                f"the dashed line a prediction is worth its face value. Below each, how many "
                f"were predicted what: those with the event upwards.{picked}",
            )
        self.parts.figures[f"decision-curve-{target.name}"] = described(
            decision_curves(few, positive=words),
            f"Decision curve: {words}",
            "Net benefit of acting on a model, from the probability at which one would act. A "
            "model is of use where its line lies above both acting on everybody and acting on "
            f"nobody.{picked}",
        )

    def _smoothed(self, scores: ModelScores, model: str) -> ModelScores:
        """Return a model with its smooth calibration curve, where its scores allow one."""
        try:
            curve = calibration_curve(scores.positive, scores.score, **self._about(model))
        except DataError:
            return scores
        return replace(scores, curve=curve)

    def _roc(self, found: dict[str, ModelScores], primary: str, words: str) -> None:
        chosen = _chosen(found, self.task, primary)
        shown = {model: found[model] for model in chosen}
        if primary in shown:
            entry = shown[primary]
            with noting(self.parts.notes, f"The ROC curve of {entry.title} has no band:"):
                n = min(N_IN_BAND, self.config.n_resamples)
                positive, about = entry.positive.astype(int), self._about(primary)
                band = roc_band(positive, entry.score, **about, n_resamples=n)
                shown[primary] = replace(entry, band=band)
        simple = any(item.group == "baseline" for item in shown.values())
        picked = _picked(found, self.task, chosen)
        self.parts.figures[f"roc-{self.target.name}"] = described(
            roc(list(shown.values()), level=level_words(self.config.level)),
            f"ROC curves: {words}",
            "Each on the units it predicted; the dashed diagonal is chance. The broad line is "
            f"{found[primary].title if primary in found else 'the first'}, with the band of its "
            f"sensitivity{'; baselines are grey' if simple else ''}.{picked}",
        )

    def _classes(self, model: str) -> None:
        confusion = self.parts.tables.get(f"confusion-{model}")
        if confusion is None:
            return
        rows = pooled(self.frame, self.target, model)
        known = rows[rows["unit_id"].notna() & rows["y_true"].notna()]
        curves = []
        for name in self.target.classes:
            positive = (known["y_true"] == name).to_numpy(bool)
            scores = known[f"score:{name}"].to_numpy(float)
            both = positive.any() and not positive.all()
            if name not in self.target.unscored and both and not np.isnan(scores).all():
                area = self._area(model, name)
                curves.append(ModelScores(name, positive, scores, area=area))
        self.parts.figures[f"classes-{self.target.name}-{model}"] = described(
            classes_figure(confusion, curves, unit=unit_of(self.task)),
            f"Each class: {self.task.model(model).title}",
            "Above, reference against prediction, shaded by the share of the row. Below, how each "
            "class is separated from all others.",
        )

    def _agreement(self, model: str, suffix: str) -> None:
        rows, name = self._known(model), self.target.name
        truth, score = (rows[column].to_numpy(float) for column in ("y_true", "score"))
        self.parts.figures[f"agreement-{name}{suffix}"] = described(
            agreement_figure(truth, score, unit=self.target.unit, **self._about(model)),
            f"{capital(spelled(name))}, predicted and measured: {self.task.model(model).title}",
            "Above, predicted against measured; on the dashed line both are the same. Below, the "
            "difference against the mean of both, with bias and limits of agreement and their "
            "intervals.",
        )

    def _known(self, model: str) -> pd.DataFrame:
        rows = pooled(self.frame, self.target, model)
        return rows[rows[["y_true", "unit_id", score_columns(self.target)[-1]]].notna().all(axis=1)]

    def _about(self, model: str) -> dict[str, Any]:
        return {"patient": Scored.clusters_of(self._known(model)), "level": self.config.level}

    def _area(self, model: str, class_name: str | None = None) -> Estimate | None:
        place = Scope(task=self.task.name, target=self.target.name, model=model)
        place = replace(place, class_name=class_name)
        return next(
            (
                metric.estimate
                for metric in self.parts.metrics
                if metric.estimate.name == "auc" and replace(metric.scope, protocol=None) == place
            ),
            None,
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


def _group(model: Model, primary: str) -> Group:
    if model.name == primary:
        return "primary"
    return "baseline" if model.baseline else "model"
