"""What an evaluation gathers while it runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.aggregate import unit_of
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

if TYPE_CHECKING:
    from cardio_stats.class_tables import PerClassTable

ABOUT_DATA = (DataError, np.linalg.LinAlgError)
"""What says that the data do not allow something, rather than that the program is wrong."""


@contextmanager
def noting(
    notes: list[Note], what: str, *, model: str | None = None, strict: bool = False
) -> Iterator[None]:
    """Turn what the data do not allow into a note with its reason, so that the rest goes on.

    `notes` gets the note, which begins with what is then missing and may be of one `model`;
    `strict` raises instead.

    Examples
    --------
    >>> notes: list[Note] = []
    >>> with noting(notes, "Table 1 is left out:"):
    ...     raise DataError("expected two groups, found one")
    >>> print(*notes)
    Table 1 is left out: expected two groups, found one
    """
    try:
        yield
    except ABOUT_DATA as error:
        if strict:
            raise
        notes.append(Note(NoteKind.NOT_COMPUTED, f"{what} {error}", model=model))


@dataclass
class Parts:
    """The growing pieces of an `EvaluationReport`."""

    notes: list[Note]
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


@dataclass(frozen=True)
class Request:
    """What is to be reported of one model, in which place, and how; `source` is its threshold's."""

    target: Target
    task: Task
    scope: Scope
    source: str
    config: EvaluateBlock
    seed: int

    def by_formula(self, rows: pd.DataFrame) -> dict[str, Any]:
        """Return what an estimate of rows needs whose variance has a formula."""
        clusters = Scored.clusters_of(rows)
        unit = unit_of(self.task) if clusters is None else None
        return {"patient": clusters, "level": self.config.level, "unit": unit}

    def resampled(self, rows: pd.DataFrame) -> dict[str, Any]:
        """Return what an estimate of rows needs that is resampled, whole patients together."""
        about = self.by_formula(rows)
        drawn = {"n_resamples": self.config.n_resamples, "seed": self.seed}
        return about | drawn | {"unit": about["unit"] or "patient"}


def class_table(rows: pd.DataFrame, average_over: Sequence[str], request: Request) -> PerClassTable:
    """Return sensitivity, precision and F1 of each class and their means, by patient."""
    from cardio_stats import per_class_table  # a prediction computes no metric

    return per_class_table(
        rows["y_true"], rows["predicted"], request.target.classes, average_over=average_over,
        record=Scored.clusters_of(rows), patient=rows["subject_id"], cluster_unit="patient",
        n_resamples=request.config.n_resamples, seed=request.seed, level=request.config.level,
        unit=unit_of(request.task),
    )  # fmt: skip


def _with_finite_limits(estimate: Estimate) -> Estimate:
    """Drop an interval that too few units left undefined, and say so."""
    limits = (estimate.low, estimate.high)
    if all(limit is None or math.isfinite(limit) for limit in limits):
        return estimate
    note = f"{estimate.note} too few units for an interval".strip()
    return estimate.replace(low=None, high=None, level=None, note=note)
