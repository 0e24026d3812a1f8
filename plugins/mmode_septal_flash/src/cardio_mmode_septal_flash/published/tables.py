"""A run beside Saiz-Vivo et al. 2023, and the paper's own arithmetic."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pandas as pd

import cardio_stats as stats
from cardio_core.api import EvaluateBlock, Metric, Scope
from cardio_stats import Estimate, forensics

PAPER = "Saiz-Vivo 2023"
PUBLISHED = {"full M-mode": (24, 29), "cropped M-mode": (29, 29)}
"""Right answers and test sequences of Table 1."""


def accuracy_rows(
    tested: pd.DataFrame, scope: Scope, config: EvaluateBlock
) -> tuple[pd.DataFrame, list[Metric]]:
    """Return every model's accuracy with Clopper and Pearson's interval beside the paper's.

    Returns
    -------
    DataFrame
        Columns who, k, n, accuracy, low, high; the paper's two come first.
    list of Metric
        ``accuracy_exact`` of each model.
    """
    rows = [
        _row(f"{PAPER}, {what}", stats.proportion(k, n, method="clopper-pearson",
                                                  level=config.level), k)
        for what, (k, n) in PUBLISHED.items()
    ]  # fmt: skip
    metrics = []
    for model, studies in tested.groupby("model", sort=False):
        k = int((studies["y"] == studies["decided"]).sum())
        found = stats.proportion(
            k, len(studies), method="clopper-pearson", level=config.level, name="accuracy_exact",
            unit="study",
        )  # fmt: skip
        paired = studies["subject_id"].duplicated().any()
        if paired:
            found = found.replace(
                n_patients=int(studies["subject_id"].nunique()),
                note="as if the studies of one patient were independent, as published; accuracy "
                "has an interval that draws patients",
            )
        rows.append(_row(str(model), found, k))
        metrics.append(Metric(found, Scope(task=scope.task, target=scope.target, model=str(model))))
    return pd.DataFrame(rows), metrics


def _row(who: str, found: Estimate, k: int) -> dict[str, Any]:
    return {"who": who, "k": k, "n": found.n, "accuracy": found.value, "low": found.low,
            "high": found.high}  # fmt: skip


def crop_against_full(tested: pd.DataFrame) -> list[str]:
    """Return a sentence on whether the crop is right more often, by McNemar's exact test."""
    right = {
        str(model): (studies["y"] == studies["decided"]).astype(int).set_axis(studies["study_id"])
        for model, studies in tested.groupby("model", sort=False)
    }
    if not {"densenet", "densenet_crop"} <= right.keys():
        return []
    both = pd.concat(
        [right["densenet_crop"], right["densenet"]], axis=1, keys=["crop", "full"], join="inner"
    )
    found = stats.paired_proportions(both["crop"], both["full"], unit="study")
    only_crop, only_full = int(found.extra["b"]), int(found.extra["c"])
    return [
        f"Of {found.n} studies the crop alone is right in {only_crop} and the full M-mode alone in "
        f"{only_full}: McNemar's exact p {_p(found.p_value)}. In {PAPER} it is 5 against 0, "
        f"p {_p(stats.mcnemar(5, 0).p_value)}."
    ]


def _p(value: float | None) -> str:
    return "is unknown" if value is None else "< .0001" if value < 1e-4 else f"= {value:.4f}"


def published_table() -> pd.DataFrame:
    """Return what the paper's numbers show when they are recomputed.

    Returns
    -------
    DataFrame
        Columns where, name, verdict, finding.
    """
    place = resources.files(__package__) / "published.yaml"
    with resources.as_file(place) as path:
        findings = forensics.run_checks(forensics.read_published(path))
    return pd.DataFrame(
        [
            {"where": finding.where, "name": finding.name, "verdict": finding.finding.verdict,
             "finding": finding.statement()}
            for finding in findings
        ]
    )  # fmt: skip
