"""The figures of `risk_factor`: ROC curves by map, and what the audit found."""

from __future__ import annotations

import pandas as pd

from cardio_core.api import Scored, Task, canvas
from cardio_spect_polar.audit.simulations import area
from cardio_spect_polar.drawing.flow_curves import gap_forest, roc_by_map
from cardio_spect_polar.drawing.words import worded
from cardio_spect_polar.flow.evaluation.tested import tested_patients
from cardio_spect_polar.flow.models import MAPS

MOST_GAPS = 20
_METRICS = {
    "auc": "AUC", "tpr": "Sensitivity", "fpr": "False-positive rate",
    "observed_minus_predicted": "Observed − predicted",
}  # fmt: skip


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
            made[f"network-versus-logistic-{target.name}"] = canvas.described(
                roc_by_map(curves),
                f"Network beside regression, map by map: {worded(target.outcome)}",
                "A panel a map, with the AUC of the network and of the regression on the same "
                "map; the dashed diagonal is chance.",
            )
    if len(gaps):
        first = gaps.sort_values("p_holm", kind="stable").head(MOST_GAPS)
        rows = [
            {
                "label": f"{_METRICS.get(str(row.metric), worded(str(row.metric)))} for "
                f"{worded(str(row.factor))}, {task.model(str(row.model)).title}: "
                f"{worded(str(row.column))} {row.group} − {row.reference}",
                "gap": row.gap, "low": row.low, "high": row.high, "flagged": row.flagged,
            }
            for row in first.itertuples()
        ]  # fmt: skip
        made["audit-gaps"] = canvas.described(
            gap_forest(rows),
            "Differences between groups",
            f"The {len(rows)} surest of the audit, with intervals; in colour where the p-value, "
            "adjusted for all of them, is small. At 0 the groups are treated alike.",
        )
    return made
