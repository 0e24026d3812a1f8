"""Withholding what is said of recordings that a stage found unfit to be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cardio_core.types.features import verdicts_of

SAID = ("scores", "decided", "value", "set", "interval")
"""What a prediction says of its target."""


def without_verdicts(
    rows: Sequence[Mapping[str, Any]],
    table: pd.DataFrame,
    withheld: Mapping[str, Mapping[str, str]] | None = None,
) -> list[dict[str, Any]]:
    """Empty the predictions that rest on recordings without a verdict alone.

    Rows are as `cardio predict` prints them, `table` is of the feature set that they were made
    from; `withheld` says by model and id what that model says nothing of (`Predictions.withheld`;
    of a fusion what any of its members says). What is returned has `no_verdict`, the reason or
    None; where there is a reason, scores, decided class, value, set and interval are None.

    Examples
    --------
    >>> import pandas as pd
    >>> ids = {name: ["a"] for name in ("recording_id", "study_id", "patient_id")}
    >>> table = pd.DataFrame({**ids, "no_verdict": ["too slow"]}, index=["a#0"])
    >>> without_verdicts([{"id": "a", "level": "study", "decided": "yes"}], table)
    [{'id': 'a', 'level': 'study', 'decided': None, 'no_verdict': 'too slow'}]
    """
    reasons = {recording: verdict.why for recording, verdict in verdicts_of(table).items()}
    named = table.assign(sample_id=table.index)
    recordings_of = {
        level: _recordings(named, f"{level}_id") for level in {r["level"] for r in rows}
    }
    answers = []
    for row in rows:
        own = recordings_of[row["level"]].get(row["id"], {})
        found = [reasons[name] for name in own if reasons.get(name)]
        if len(found) < len(own):  # another recording could be judged, and was
            found = []
        by_model = (withheld or {}).get(str(row.get("model")), {}).get(str(row["id"]))
        found += [by_model] if by_model else []
        empty = dict.fromkeys((key for key in SAID if key in row), None) if found else {}
        answers.append({**row, **empty, "no_verdict": "; ".join(dict.fromkeys(found)) or None})
    return answers


def _recordings(table: pd.DataFrame, key: str) -> dict[Any, dict[str, None]]:
    """Return the recordings of each unit, in their order."""
    found: dict[Any, dict[str, None]] = {}
    for unit, recording in zip(table[key], table["recording_id"].astype(str), strict=True):
        found.setdefault(unit, {})[recording] = None
    return found
