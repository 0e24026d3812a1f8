"""What the training patients were like, for the card: from the summaries that predict goes by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cardio_core.evaluation.applicability.described import NAMES
from cardio_core.report.words import listed, number
from cardio_core.runner.fitting.applicable import APPLICABILITY

MOST_LINES = 30
_NORMAL_90 = 1.2815515655446004
"""The summaries hold the 10th and the 90th percentile as standard deviations of a normal one."""

HEAD = ("Measured", "Unit", "Median", "10th to 90th percentile")


def sentences_of(stored: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Say whether and by what predict tells who is like the training patients."""
    if stored is None:
        return ("The run holds no summary by which new recordings could be called inside or "
                "outside what the models were trained on.",)  # fmt: skip
    if stored.get("why_not"):
        return (f"New patients are not judged: {stored['why_not']}.",)
    said = [
        "`cardio predict` says of each new patient whether he is inside, borderline or outside "
        f"what the models were trained on, by {APPLICABILITY.as_posix()}."
    ]
    for column, names in (stored.get("names") or {}).items():
        if names:
            said.append(f"Trained on {NAMES.get(column, column)}: {listed(list(map(str, names)))}.")
    return tuple(said)


def table_of(stored: Mapping[str, Any] | None) -> tuple[tuple[str, ...], ...]:
    """Return the columns that new patients are compared in, clinical ones first, with a head."""
    likeness = (stored or {}).get("likeness") or {}
    about = (stored or {}).get("about") or {}
    names = list(likeness.get("columns") or ())
    if not names:
        return ()
    order = {"clinical": 0, "measured": 1, "input": 2}
    rows = []
    for position, name in enumerate(names):
        own = about.get(name) or {}
        middle, below, above = (float(likeness[key][position]) for key in _SIDES)
        low, high = middle - _NORMAL_90 * below, middle + _NORMAL_90 * above
        line = (str(own.get("title") or name), str(own.get("unit") or ""), number(middle),
                f"{number(low)} to {number(high)}")  # fmt: skip
        rows.append((order.get(str(own.get("kind")), 3), position, line))
    return (HEAD, *(line for _, _, line in sorted(rows)[:MOST_LINES]))


_SIDES = ("middle", "below", "above")
