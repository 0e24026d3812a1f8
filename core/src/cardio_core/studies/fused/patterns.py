"""Who lacks which modality, and how the fusion does among those who lack none, or some."""

from __future__ import annotations

import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.errors import DataError
from cardio_core.evaluation.pooling import pooled
from cardio_core.report.words import listed
from cardio_core.stats import auc
from cardio_core.studies.fused.joining import Joined
from cardio_core.studies.fused.members import FUSION

MOST = 5
"""Patterns that are shown as subgroups; of more, those with all modalities and the others."""


def patterns(joined: Joined) -> pd.Series:
    """Return which modalities each patient has, in words.

    Examples
    --------
    ``"ECG and echo"``, ``"ECG only"``.
    """
    return joined.has.apply(lambda row: _words([str(n) for n, has in row.items() if has]), axis=1)


def _words(labels: list[str]) -> str:
    return f"{labels[0]} only" if len(labels) == 1 else listed(labels)


def groups(joined: Joined) -> pd.DataFrame:
    """Return the patterns as groups of patients, one row a patient."""
    found = patterns(joined)
    if found.nunique() > MOST:
        complete = joined.has.all(axis=1)
        found = complete.map({True: "all of them", False: "some of them"})
    return found.rename("modalities").to_frame()


def who_has_what(joined: Joined) -> pd.DataFrame:
    """Return a row a member: who has it, who lacks it, and how often either has the event."""
    y, rows = joined.patients["y"], []
    for member in joined.members:
        has = joined.has[member.label]
        rows.append(
            {
                "member": member.title,
                "n_patients": int(has.sum()),
                "with the event": int(y[has].sum()),
                "lack it": int((~has).sum()),
                "of them with the event": int(y[~has].sum()),
            }
        )
    return pd.DataFrame(rows)


def by_pattern(joined: Joined, frame: pd.DataFrame, config: EvaluateBlock) -> pd.DataFrame:
    """Return a row a pattern: patients, events, and the area of the fusion where there is one."""
    target = joined.target
    rows = pooled(frame, target, FUSION).set_index("unit_id")
    positive = (rows["y_true"] == target.classes[1]).astype(int)
    found = []
    own = patterns(joined)
    for name, who in own.groupby(own).groups.items():
        line: dict[str, object] = {
            "modalities": name, "n_patients": len(who), "with the event": int(positive[who].sum()),
        }  # fmt: skip
        people = rows.loc[who, "subject_id"]
        try:
            area = auc(
                positive[who].to_numpy(), rows.loc[who, f"score:{target.classes[1]}"].to_numpy(),
                clusters=people.to_numpy() if people.duplicated().any() else None,
                level=config.level, unit="patient",
            )  # fmt: skip
            line |= {"auc": area.value, "auc_low": area.low, "auc_high": area.high}
        except DataError:
            line |= {"auc": None, "auc_low": None, "auc_high": None}
        found.append(line)
    return pd.DataFrame(found).sort_values("n_patients", ascending=False)
