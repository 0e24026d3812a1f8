"""The tables of the page of an external validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cardio_core.api import Metric, Task
from cardio_stats import Estimate
from cardio_stats.words import p_value
from cardio_studies.external_numbers import COMPARED, place_of, shown

# The tables that stand open on the page of an external validation.


def beside_table(
    external: Sequence[Metric], internal: Sequence[Metric], changed: Sequence[Metric], task: Task
) -> pd.DataFrame:
    """Return the new patients' results beside the run's own, with their difference.

    One row a measure of `COMPARED` that both have; empty where the run has none of its own.
    """
    ours, theirs = _by_place(external), _by_place(internal)
    lines = []
    for metric in changed:
        place = place_of(metric, metric.estimate.name.removesuffix("_change"))
        if place not in ours or place not in theirs:
            continue
        lines.append(
            {
                "Model": task.model(str(metric.scope.model)).title,
                **({"Outcome": metric.scope.target} if len(task.targets) > 1 else {}),
                "Measure": COMPARED[place[0]]
                + (f", {metric.scope.class_name}" if metric.scope.class_name else ""),
                "External": shown(ours[place]),
                "Internal, out of fold": shown(theirs[place]),
                "External − internal": shown(metric.estimate, signed=True),
            }
        )
    return pd.DataFrame(lines)


def coverage_table(covered: Sequence[Metric], task: Task) -> pd.DataFrame:
    """Return the coverage of sets and intervals by class and by site."""
    lines = [
        {
            "Model": task.model(str(metric.scope.model)).title,
            **({"Outcome": metric.scope.target} if len(task.targets) > 1 else {}),
            "Patients": (metric.scope.subgroup or "all").removeprefix("Site: "),
            "True class": metric.scope.class_name or "any",
            "Covered": shown(metric.estimate),
            "n": metric.estimate.n,
            "p, lower than the run promised": p_value(metric.estimate.p_value),
        }
        for metric in covered
        if metric.estimate.name == "conformal_coverage"
    ]
    return pd.DataFrame(lines)


def overlap_table(counts: Mapping[str, int]) -> pd.DataFrame:
    """Return how many of the new patients were in training, by what they are known again by."""
    lines = [{"Known again by": what, "Patients left out": n} for what, n in counts.items() if n]
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


def _by_place(metrics: Sequence[Metric]) -> dict[tuple[Any, ...], Estimate]:
    return {
        place_of(metric): metric.estimate
        for metric in metrics
        if not (metric.scope.fold or metric.scope.versus or metric.scope.subgroup)
    }


# How many of the new patients are like those of training: inside, borderline, outside.

VERDICTS = {
    "inside": ("Inside", "Inside"),
    "borderline": ("Borderline", "At the edge of"),
    "outside": ("Outside", "Outside"),
}
"""By verdict: the head of its column, and what begins the words of its share."""


def words_of_shares() -> dict[str, str]:
    """Return what a reader is shown in place of the names of the shares."""
    return {
        f"{verdict}_share": f"{words} the patients of training, share"
        for verdict, (_, words) in VERDICTS.items()
    }


def applicability_table(metrics: list[Metric]) -> pd.DataFrame:
    """Return the shares as the page shows them: a row for all and for each site."""
    lines: dict[str, dict[str, Any]] = {}
    for metric in metrics:
        who = (metric.scope.subgroup or "all").removeprefix("Site: ")
        line = lines.setdefault(who, {"Patients": who, "n": metric.estimate.n})
        verdict = metric.estimate.name.removesuffix("_share")
        line[VERDICTS[verdict][0]] = shown(metric.estimate)
        if verdict == "outside":
            line["p, more outside than chance"] = p_value(metric.estimate.p_value)
    return pd.DataFrame(list(lines.values()))
