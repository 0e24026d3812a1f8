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


def figures_of(
    predictions: Scored, task: Task, gaps: pd.DataFrame, tests: pd.DataFrame
) -> dict[str, canvas.Draw]:
    """Return one ROC figure a factor, and one of the gaps of the groups that differ most surely."""
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
    if len(gaps) and len(tests):
        first = _surest(gaps, tests).head(MOST_GAPS)
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
            f"{len(rows)} gaps, of the groups that differ most surely; intervals are not adjusted "
            "for their number. In colour where the audit flags the group after correction for "
            "all tests of the run. At 0 the groups are treated alike.",
        )
    return made


def _surest(gaps: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Return gaps with ``flagged``, those of the group with the smallest adjusted p first.

    Of two groups that make up everybody one is tested, and it may be the gaps' reference.
    """
    best: dict[tuple[str, ...], float] = {}
    flags = set()
    for test in tests.itertuples():
        key = (str(test.factor), str(test.model), str(test.column), str(test.group))
        best[key] = min(best.get(key, 1.0), float(test.p_adjusted))  # type: ignore[arg-type]
        flags |= {key} if test.flagged else set()
    keys = []
    for row in gaps.itertuples():
        place = (str(row.factor), str(row.model), str(row.column))
        own = [(*place, str(group)) for group in (row.group, row.reference)]
        keys.append(next((key for key in own if key in best), own[0]))
    known = gaps.assign(
        p_adjusted=[best.get(key, 1.0) for key in keys], flagged=[key in flags for key in keys]
    )
    return known.sort_values("p_adjusted", kind="stable")
