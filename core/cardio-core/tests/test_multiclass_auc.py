"""The area of each class against the rest counts what was predicted, not rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.default import _one_against_rest
from cardio_core.evaluation.parts import Parts, Request
from cardio_core.types.info import Target, Task
from cardio_core.types.report import Scope


@pytest.mark.parametrize(("people", "unit"), [(12, "patient"), (12, "study"), (6, "patient")])
def test_the_unit_is_the_patient_where_one_has_several_studies(people: int, unit: str) -> None:
    n = 12
    subjects = [f"p{k % people}" for k in range(n)]
    frame = pd.DataFrame(
        {
            "y_true": ["a", "b", "c"] * 4,
            "score:a": np.linspace(0, 1, n)[::-1],
            "subject_id": subjects,
            "patient_id": subjects,
        }
    )
    parts = Parts([])
    block = Target("block", "multiclass", ("a", "b", "c"))
    task = Task("t", "T", "study" if unit == "study" else "patient", (block,), ())
    scope = Scope("honest", "t", "block", "net")
    request = Request(block, task, scope, "none", EvaluateBlock(), 0)
    _one_against_rest(parts, frame, "a", request)
    (metric,) = parts.metrics
    assert metric.estimate.unit == unit
