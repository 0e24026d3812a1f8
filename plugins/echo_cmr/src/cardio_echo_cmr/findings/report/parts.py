"""What the evaluation of this plugin gathers while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cardio_core.api import Cohort, Context, Metric, Scope, Scored, Targets
from cardio_core.stats import Estimate
from cardio_echo_cmr.findings.config import EvaluateBlock


@dataclass
class Parts:
    """What the evaluation adds to the default, and what it is made of."""

    predictions: Scored
    targets: Targets
    cohort: Cohort
    config: EvaluateBlock
    ctx: Context
    metrics: list[Metric] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def people(self) -> dict[str, str]:
        """The person behind each tested patient id; a person may have several."""
        frames = self.predictions.frames.values()
        pairs = (frame[["patient_id", "subject_id"]].dropna().astype(str) for frame in frames)
        return {patient: person for table in pairs for patient, person in table.to_numpy()}

    def scope(self, target: str, model: str) -> Scope:
        """Return the place of a model's estimates."""
        return Scope(task=self.ctx.task.name, target=target, model=model)

    def add(self, estimates: Iterable[Estimate], scope: Scope) -> None:
        """Add estimates in their place."""
        self.metrics += [Metric(one, scope) for one in estimates]

    def say(self, target: str, model: str, sentences: Iterable[str]) -> None:
        """Add sentences on one model."""
        self.notes += [f"{target} of {model}: {text}" for text in sentences]

    def append(self, name: str, made: pd.DataFrame) -> None:
        """Add rows to a table."""
        given = self.tables.get(name)
        self.tables[name] = made if given is None else pd.concat([given, made], ignore_index=True)
