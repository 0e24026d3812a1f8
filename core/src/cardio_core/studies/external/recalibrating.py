"""What recalibration on these very patients would change: beside the validation, never in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.parts import ABOUT_DATA
from cardio_core.evaluation.pictures import primary_in
from cardio_core.evaluation.pooling import pooled, unit_of
from cardio_core.report.figures import described
from cardio_core.report.figures.many_models import ModelScores, calibration_of_models
from cardio_core.report.spelling import spelled
from cardio_core.report.words import METRICS, number
from cardio_core.stats import (
    Recalibrated,
    brier_scores,
    calibration_metrics,
    number_calibration,
    recalibrated_numbers,
    recalibrated_probabilities,
    regression_errors,
)
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored

NONE = "none"
VERSIONS = {NONE: "As it is", "in the large": "Recalibrated in the large",
            "slope": "Intercept and slope"}  # fmt: skip
"""Recalibrations in their order, as the heads of their columns."""

MEASURES = ("calibration_in_the_large", "calibration_slope", "ece", "brier", "scaled_brier",
            "mean_error", "mae")  # fmt: skip
OF_ALL = "Coefficients, of all patients"

FITTED = (
    "As it is: the validation. The other columns are recalibrated on these very patients, each "
    "patient with coefficients of nine other tenths of them (cross-fitted): they tell what a "
    "recalibration here would bring, and are no validation of the model."
)


@dataclass
class Beside:
    """What recalibration would change.

    Attributes
    ----------
    rows : list of dict
        Every number with all digits, and the recalibration that it is under.
    table : DataFrame
        Model, measure, and a column a recalibration.
    figures : dict of str to callable
        Calibration of the primary model under each.
    notes : list of Note
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    figures: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def recalibrations(scored: Scored, task: Task, config: EvaluateBlock, seed: int) -> Beside:
    """Return every model's calibration as it is, recalibrated in the large, and by slope too.

    Of targets with several classes nothing is recalibrated.
    """
    made, lines = Beside(), list[dict[str, str]]()
    for target in task.targets:
        frame = scored.frames.get(target.name)
        if frame is None or target.kind == "multiclass":
            continue
        models = [str(name) for name in frame["model"].unique()]
        primary = primary_in(task, models)
        for model in models:
            rows = pooled(frame, target, model)
            versions = _versions(rows, target, model, task, made, seed)
            if len(versions) == 1:
                continue
            found = {how: _judged(rows, values, target, config, seed)
                     for how, values in versions.items()}  # fmt: skip
            lines += _lines(task.model(model).title, found, made, target, model)
            if model == primary and target.kind == "binary":
                made.figures[f"recalibration-{target.name}"] = _figure(
                    rows, versions, target, task, config
                )
    if lines:
        made.table = pd.DataFrame(lines).fillna("")
        made.notes.append(Note(NoteKind.RECALIBRATION, FITTED))
    return made


def _versions(
    rows: pd.DataFrame, target: Target, model: str, task: Task, made: Beside, seed: int
) -> dict[str, Any]:
    """Return the predictions under each recalibration that the data allow."""
    truth, score = _columns(rows, target)
    versions: dict[str, Any] = {NONE: score}
    refit: Callable[..., Recalibrated] = (
        recalibrated_numbers if target.kind == "continuous" else recalibrated_probabilities
    )
    for how in list(VERSIONS)[1:]:
        try:
            found = refit(truth, score, how=how, clusters=Scored.clusters_of(rows), seed=seed)
        except ABOUT_DATA as error:
            text = f"{task.model(model).title}, recalibration by {how}: {error}."
            made.notes.append(Note(NoteKind.NOT_COMPUTED, text, model=model))
            continue
        versions[how] = found.values
        made.rows.append(
            {
                "target": target.name, "model": model, "recalibration": how,
                "intercept": found.intercept, "slope": found.slope,
                "fitted_on": "all of these patients; the numbers of this recalibration are "
                f"cross-fitted in {found.parts} parts",
            }
        )  # fmt: skip
    return versions


def _columns(rows: pd.DataFrame, target: Target) -> tuple[Any, Any]:
    if target.kind == "continuous":
        return rows["y_true"].to_numpy(float), rows["score"].to_numpy(float)
    positive = target.classes[1]
    return (rows["y_true"] == positive).to_numpy(int), rows[f"score:{positive}"].to_numpy(float)


def _judged(
    rows: pd.DataFrame, values: Any, target: Target, config: EvaluateBlock, seed: int
) -> dict[str, Estimate]:
    truth, _ = _columns(rows, target)
    clusters = Scored.clusters_of(rows)
    about: dict[str, Any] = {
        "clusters": clusters, "n_resamples": config.n_resamples, "seed": seed,
        "level": config.level, "unit": "patient" if clusters is None else None,
    }  # fmt: skip
    if target.kind == "continuous":
        errors = regression_errors(truth, values, **about)
        found = [errors["mae"]]
        if np.ptp(values) > 0:
            found += number_calibration(truth, values, **about)
    else:
        known = calibration_metrics(truth, values, **about).estimates
        found = [*known, *brier_scores(truth, values, **about)]
    by_name = {one.name: one for one in found}
    return {name: by_name[name] for name in MEASURES if name in by_name}


def _lines(
    title: str,
    found: dict[str, dict[str, Estimate]],
    made: Beside,
    target: Target,
    model: str,
) -> list[dict[str, str]]:
    lines = []
    for measure in found[NONE]:
        line = {"Model": title, "Measure": METRICS.get(measure, spelled(measure).capitalize())}
        for how, estimates in found.items():
            if measure not in estimates:
                continue
            one = estimates[measure]
            line[VERSIONS[how]] = _shown(one)
            place = {"target": target.name, "model": model, "recalibration": how}
            made.rows.append(place | one.to_dict())
        lines.append(line)
    own = {
        row["recalibration"]: row for row in made.rows
        if "intercept" in row and (row["target"], row["model"]) == (target.name, model)
    }  # fmt: skip
    line = {"Model": title, "Measure": OF_ALL}
    for how, row in own.items():
        slope = f", slope {number(row['slope'])}" if how == "slope" else ""
        line[VERSIONS[how]] = f"intercept {number(row['intercept'])}{slope}"
    return [*lines, line]


def _shown(one: Estimate) -> str:
    value = number(one.value)
    if one.low is None or one.high is None:
        return value
    return f"{value} ({number(one.low)} to {number(one.high)})"


def _figure(
    rows: pd.DataFrame, versions: dict[str, Any], target: Target, task: Task, config: EvaluateBlock
) -> Callable[[Any], None]:
    truth, _ = _columns(rows, target)
    words = spelled(target.outcome)
    lines = [
        ModelScores(VERSIONS[how], truth.astype(bool), np.asarray(values, float),
                    "primary" if how == NONE else "model")
        for how, values in versions.items()
    ]  # fmt: skip
    model = task.model(str(rows["model"].iloc[0])).title
    draw = calibration_of_models(
        lines, positive=words, level=config.level, unit=unit_of(rows, task.unit)
    )
    return described(draw, f"Recalibration: {words}, {model}", FITTED)
