"""Predicts somebody who was never given to it."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed
from cardio_core.api import hookimpl

INFO = replace(borrowed.INFO, name="unknown_ids")


@hookimpl
def predict(features, ctx):
    """Name the recordings anew."""
    import numpy as np

    from cardio_core.api import Predictions

    ids = tuple(f"stranger{n}" for n in range(len(features)))
    return Predictions(ids, {ctx.task.targets[0].name: np.full(len(ids), 0.5)})
