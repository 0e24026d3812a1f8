"""The figures of `risk_factor`: ROC curves by map, and what the audit found."""

from __future__ import annotations

import pandas as pd

from cardio_core.api import Scored, Task, canvas
from cardio_spect_polar.audit.simulations import area
from cardio_spect_polar.drawing.flow_curves import gap_forest, roc_by_map
from cardio_spect_polar.flow.evaluation.tested import tested_patients
from cardio_spect_polar.flow.models import MAPS

MOST_GAPS = 20


def figures_of(predictions: Scored, task: Task, gaps: pd.DataFrame) -> dict[str, canvas.Draw]:
    """Return one ROC figure a factor and one of the audit's largest gaps."""
    made: dict[str, canvas.Draw] = {}
    for target in task.targets:
        curves: dict[str, dict[str, tuple[pd.Series[int], pd.Series[float], str]]] = {}
        for name in MAPS:
            for kind in ("resnet", "logistic"):
                tested = tested_patients(predictions, target, f"{kind}_{name}")
                if tested["y"].nunique() == 2:
                    y, score = tested["y"], tested["score"]
                    curves.setdefault(name, {})[kind] = (y, score, f"{area(y, score):.2f}")
        if curves:
            made[f"network-versus-logistic-{target.name}"] = roc_by_map(curves, title=target.name)
    if len(gaps):
        first = gaps.sort_values("p_holm", kind="stable").head(MOST_GAPS)
        rows = [
            {
                "label": f"{row.factor}, {row.model}: {row.metric}, {row.column} "
                f"{row.group} - {row.reference}",
                "gap": row.gap, "low": row.low, "high": row.high, "flagged": row.flagged,
            }
            for row in first.itertuples()
        ]  # fmt: skip
        made["audit-gaps"] = gap_forest(rows, title="Surest gaps of the audit; flagged in colour")
    return made
