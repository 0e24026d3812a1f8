"""Table 2 of the paper, for this run and as printed, each model held against its own arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd

from cardio_core.api import DataError, Metric, Task
from cardio_stats import Estimate, forensics

RATES = ("accuracy", "sensitivity", "specificity")
COLUMNS = ("auc", *RATES)
TOLERANCE = 1e-9


def table_2(metrics: Sequence[Metric], task: Task) -> pd.DataFrame:
    """Set this run's models beside the published ones.

    Parameters
    ----------
    metrics : sequence of Metric
        Of the default evaluation: pooled and by fold.
    task : Task
        Whose models.

    Returns
    -------
    DataFrame
        One row a model of this run, and one a published model. ``NAME, mean ± SD`` is over the
        folds (the paper's means are repeated without their SDs), ``NAME, pooled`` is over all
        patients with its interval, and `identity` says whether accuracy is the prevalence-weighted
        mean of sensitivity and specificity.

    Raises
    ------
    DataError
        If a model of this run breaks the identity: then its rates are of different tables.
    """
    rows = []
    for model in dict.fromkeys(m.scope.model for m in metrics if m.scope.model):
        own = [m for m in metrics if m.scope.model == model and m.scope.versus is None]
        pooled = {m.estimate.name: m.estimate for m in own if m.scope.fold is None}
        if not set(RATES) <= set(pooled):
            continue
        row = {"model": task.model(str(model)).title, "paper_source": ""}
        for name in COLUMNS:
            folds = [
                m.estimate.value
                for m in own
                if m.scope.fold is not None and m.estimate.name == name
            ]
            row[f"{name}, mean ± SD"] = _mean_sd(folds)
            row[f"{name}, pooled"] = _with_interval(pooled.get(name))
        row["identity"] = _own_identity(str(model), pooled)
        rows.append(row)
    return pd.DataFrame([*rows, *published()])


def _own_identity(model: str, pooled: dict[str, Estimate]) -> str:
    """Check a model's pooled rates to rounding error of binary numbers."""
    if "base_rate" not in pooled:
        return "not checked: no base rate"
    prevalence = pooled["base_rate"].value
    accuracy, sensitivity, specificity = (pooled[name].value for name in RATES)
    gap = accuracy - prevalence * sensitivity - (1 - prevalence) * specificity
    if abs(gap) > TOLERANCE:
        raise DataError(
            f"model {model}: accuracy {accuracy:.4f} is not the mean of sensitivity "
            f"{sensitivity:.4f} and specificity {specificity:.4f} at prevalence {prevalence:.4f}; "
            "these rates are not of one table, which is a defect of the evaluation"
        )
    return "holds"


@cache
def published() -> tuple[dict[str, str], ...]:
    """Return the printed models, and what their three rates say about each other."""
    place = resources.files("cardio_ecg_transfer.published") / "published.yaml"
    with resources.as_file(place) as path:
        numbers = forensics.read_published(path)
    checks = [check for paper in numbers.papers for check in paper.checks]
    return tuple(
        {
            "model": check.name,
            "paper_source": "He et al. 2023",
            **{f"{name}, mean ± SD": str(getattr(check, name)) for name in RATES},
            "identity": f"{found.finding.verdict}: {found.statement()}",
        }
        for check, found in zip(checks, forensics.run_checks(numbers), strict=True)
    )


def _mean_sd(values: list[float]) -> str:
    if not values:
        return ""
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def _with_interval(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
