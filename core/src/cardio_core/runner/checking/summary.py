"""Who is in a cohort: patients with and without outcome, by class, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cardio_core.evaluation.patients.clinical import by_patient
from cardio_core.io.cohort_schema import COLUMNS, label_of
from cardio_core.runner.progress.words import several
from cardio_core.types.info import Target, Task

EVENTS_A_PREDICTOR = 10
"""Patients of the rarer class that a rule of thumb asks for each predictor of a regression."""


def outcome_summary(labels: pd.Series | None, patients: Sequence[str], target: Target) -> Any:
    """Count patients with and without outcome, and by class; None where patients have none."""
    if labels is None:
        return None
    known = labels[labels.index.isin(set(patients))]
    about: dict[str, Any] = {
        "target": target.name,
        "n_with": len(known),
        "n_without": len(patients) - len(known),
    }
    if target.kind == "continuous":
        numbers = known.astype(float)
        if len(numbers):
            quartiles = numbers.quantile([0, 0.5, 1])
            about["range"] = [float(value) for value in quartiles]
        return about | {"n_predictors": len(known) // (2 * EVENTS_A_PREDICTOR)}
    counts = {str(name): int((known == name).sum()) for name in target.classes}
    rarest = min(counts.values(), default=0)
    return about | {"by_class": counts, "n_predictors": rarest // EVENTS_A_PREDICTOR}


def missing_covariates(
    table: pd.DataFrame | None, patients: Sequence[str], task: Task, asked: Sequence[str]
) -> list[dict[str, Any]]:
    """Count the patients who lack each covariate: those asked for, read by the task, or known."""
    if table is None:
        return []
    read = [name for name, why in task.columns.items() if "outcome" not in why]
    named = [*asked, *read, *(str(name) for name in table.columns)]
    chosen = [
        name
        for name in dict.fromkeys(named)
        if name in asked or (name in COLUMNS and COLUMNS[name].use == "patient")
    ]
    known = by_patient(table, chosen).reindex(list(patients))
    counts = []
    for name in chosen:
        absent = name not in known.columns
        n = len(patients) if absent else int(known[name].isna().sum())
        if n:
            row = {"column": name, "label": label_of(name), "n_missing": n, "absent": absent}
            counts.append(row | {"read_for": task.columns.get(name, "")})
    return counts


def sentences(answer: Mapping[str, Any]) -> list[str]:
    """Return the summary in words, a sentence a line."""
    n_bad = answer["n_recordings"] - answer["n_usable"]
    lines = [
        f"{answer['n_usable']} of {answer['n_recordings']} recordings can be used by "
        f"{answer['plugin']} {answer['task']}: {several(answer['n_patients'], 'patient')}, "
        f"{several(answer['n_samples'], 'sample')}" + (f"; {n_bad} cannot." if n_bad else ".")
    ]
    outcome = answer["outcome"]
    if answer["no_outcome"]:
        if answer["n_usable"]:
            lines.append(f"To be measured, they need no outcome: {answer['to_measure']}")
        lines.append(f"cardio run needs one, and none is known: {answer['no_outcome']}.")
        if answer["n_usable"] and answer["to_table"]:
            lines.append(f"A table to write it into: {answer['to_table']}")
    if outcome is None:
        return lines
    name = outcome["target"]
    lines.append(
        f"Outcome {name}: known of {outcome['n_with']} patients, missing of {outcome['n_without']}"
        + (", who are not tested." if outcome["n_without"] else ".")
    )
    if "by_class" in outcome:
        shown = ", ".join(f"{n} {one}" for one, n in outcome["by_class"].items())
        lines.append(f"By class: {shown}.")
    elif "range" in outcome:
        low, middle, high = outcome["range"]
        lines.append(f"From {low:g} to {high:g}, median {middle:g}.")
    n = outcome["n_predictors"]
    few = "no clinical predictor" if not n else f"about {n} clinical predictor{'s' * (n > 1)}"
    rule = (
        f"{EVENTS_A_PREDICTOR} patients of the rarer class for each"
        if "by_class" in outcome
        else f"{2 * EVENTS_A_PREDICTOR} patients for each"
    )
    lines.append(f"Enough for {few} in a regression (rule of thumb: {rule}).")
    return lines
