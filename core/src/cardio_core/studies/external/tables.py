"""The tables that stand open on the page of an external validation."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cardio_core.report.results import bare_name
from cardio_core.report.words import number, p_value
from cardio_core.studies.external.covering import NAME
from cardio_core.studies.external.internal import COMPARED
from cardio_core.studies.external.training import BY, Overlap
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Task
from cardio_core.types.report import Metric


def beside_table(
    external: Sequence[Metric], internal: Sequence[Metric], changed: Sequence[Metric], task: Task
) -> pd.DataFrame:
    """Return the new patients' results beside the run's own, with their difference.

    One row a measure of `COMPARED` that both have; empty where the run has none of its own.
    """
    ours, theirs = _by_place(external), _by_place(internal)
    lines = []
    for one in changed:
        place = _place(one, one.estimate.name.removesuffix("_change"))
        if place not in ours or place not in theirs:
            continue
        lines.append(
            {
                "Model": task.model(str(one.scope.model)).title,
                **({"Outcome": one.scope.target} if len(task.targets) > 1 else {}),
                "Measure": COMPARED[place[0]]
                + (f", {one.scope.class_name}" if one.scope.class_name else ""),
                "External": shown(ours[place]),
                "Internal, out of fold": shown(theirs[place]),
                "External − internal": shown(one.estimate, signed=True),
            }
        )
    return pd.DataFrame(lines)


def coverage_table(covered: Sequence[Metric], task: Task) -> pd.DataFrame:
    """Return the coverage of sets and intervals by class and by site."""
    lines = [
        {
            "Model": task.model(str(one.scope.model)).title,
            **({"Outcome": one.scope.target} if len(task.targets) > 1 else {}),
            "Patients": (one.scope.subgroup or "all").removeprefix("Site: "),
            "True class": one.scope.class_name or "any",
            "Covered": shown(one.estimate),
            "n": one.estimate.n,
            "p, lower than the run promised": p_value(one.estimate.p_value),
        }
        for one in covered
        if one.estimate.name == NAME
    ]
    return pd.DataFrame(lines)


def overlap_table(overlap: Overlap) -> pd.DataFrame:
    """Return how many of the new patients were in training, by what they are known again by."""
    lines = [
        {"Known again by": what, "Patients left out": sum(what in by for by in overlap.by.values())}
        for what in BY
        if any(what in by for by in overlap.by.values())
    ]
    return pd.DataFrame(lines)


def primary_first(table: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return a table model by model, the primary one first."""
    if not len(table):
        return table
    titles = list(dict.fromkeys(table["Model"]))
    named = {model.name: model.title for model in task.models}
    titles.sort(key=lambda title: title != named.get(task.primary))
    rank = table["Model"].map({title: place for place, title in enumerate(titles)})
    return table.iloc[rank.argsort(kind="stable")].reset_index(drop=True)


def shown(one: Estimate, *, signed: bool = False) -> str:
    """Return an estimate with its interval, as it is printed."""
    value = number(one.value, signed=signed)
    if one.low is None or one.high is None:
        return value
    low, high = number(one.low, signed=signed), number(one.high, signed=signed)
    return f"{value} ({low} to {high})"


def _place(metric: Metric, name: str) -> tuple[str, str | None, str | None, str | None]:
    bare = bare_name(name, metric.scope.class_name)
    return bare, metric.scope.target, metric.scope.model, metric.scope.class_name


def _by_place(metrics: Sequence[Metric]) -> dict[tuple[str, str | None, str | None, str | None],
                                                 Estimate]:  # fmt: skip
    return {
        _place(one, one.estimate.name): one.estimate
        for one in metrics
        if not (one.scope.fold or one.scope.versus or one.scope.subgroup)
    }
