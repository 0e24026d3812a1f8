"""Table 2 of the paper, for this run and as printed, each model held against its own arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cardio_core import stats
from cardio_core.api import DataError, Metric, Task
from cardio_core.stats import Estimate

RATES = ("accuracy", "sensitivity", "specificity")
COLUMNS = ("auc", *RATES)
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Published:
    """One model of He et al. 2023, Table 2, on 46 responders of 71 patients."""

    title: str
    accuracy: float
    sensitivity: float
    specificity: float


PUBLISHED = (
    Published("Guideline", 0.600, 0.930, 0.038),
    Published("SVM", 0.580, 0.800, 0.333),
    Published("Random forest", 0.580, 0.910, 0.125),
    Published("ResNet-18", 0.613, 0.529, 0.710),
    Published("ResNet-50", 0.612, 0.530, 0.730),
    Published("ResNet-101", 0.629, 0.531, 0.732),
    Published("ResNet-18, transfer", 0.684, 0.600, 0.778),
    Published("ResNet-50, transfer", 0.721, 0.783, 0.792),
    Published("ResNet-101, transfer", 0.693, 0.674, 0.748),
)
PUBLISHED_PREVALENCE = 46 / 71


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
        row = {"model": task.model(str(model)).title, "source": "this run"}
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
    return pd.DataFrame([*rows, *map(_published, PUBLISHED)])


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


def _published(model: Published) -> dict[str, str]:
    found = stats.check_acc_identity(
        model.accuracy, model.sensitivity, model.specificity, PUBLISHED_PREVALENCE
    )
    if not found.feasible_pooled:
        verdict = "REFUSED: no table of patients gives these three, whatever the prevalence"
    elif not found.at_prevalence:
        implied = found.implied_prevalence
        at = "" if implied is None else f" (they imply {implied.value:.2f})"
        verdict = f"contradicts the prevalence {PUBLISHED_PREVALENCE:.3f}{at}"
    else:
        verdict = "possible"
    return {
        "model": model.title,
        "source": "He et al. 2023",
        **{f"{name}, mean ± SD": f"{getattr(model, name):.3f}" for name in RATES},
        "identity": verdict,
    }


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
