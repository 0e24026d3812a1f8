"""What an evaluation gathers while it runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from cardio_core.types.estimate import Estimate
from cardio_core.types.report import Metric, Scope


@dataclass
class Parts:
    """The growing pieces of an `EvaluationReport`."""

    notes: list[str]
    metrics: list[Metric] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Callable[[Any], None]] = field(default_factory=dict)

    def add(self, estimates: Iterable[Estimate], scope: Scope, source: str | None = None) -> None:
        """Add estimates in their place; `source` names where the threshold came from."""
        for estimate in map(_with_finite_limits, estimates):
            stated = estimate if source is None else estimate.replace(threshold_source=source)
            self.metrics.append(Metric(stated, scope))

    def add_class(
        self, by_class: dict[str, Estimate], scope: Scope, name: str, source: str
    ) -> None:
        """Add the estimates of one class under their short names."""
        for short, estimate in by_class.items():
            self.add([estimate.replace(name=short)], replace(scope, class_name=name), source)


def _with_finite_limits(estimate: Estimate) -> Estimate:
    """Drop an interval that too few units left undefined, and say so."""
    limits = (estimate.low, estimate.high)
    if all(limit is None or math.isfinite(limit) for limit in limits):
        return estimate
    note = f"{estimate.note} too few units for an interval".strip()
    return estimate.replace(low=None, high=None, level=None, note=note)
