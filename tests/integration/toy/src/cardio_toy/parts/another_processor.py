"""Other vector units, imitated: ``CARDIO_TEST_NOISE=SEED`` changes every score by up to 1e-7."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from cardio_core.api import Context, Predictions


def on_another_processor(said: Predictions, ctx: Context) -> Predictions:
    """Return the scores as another processor might have them.

    As on a processor, the same arithmetic gives the same digits: the noise is a function of the
    score, so scores that were equal stay equal, whoever computes them, in whatever company.
    """
    seed = os.environ.get("CARDIO_TEST_NOISE")
    if not seed:
        return said
    scores = {}
    for target in ctx.targets:
        exact = np.asarray(said.scores[target.name], dtype=float)
        noisy = exact + 1e-7 * np.sin(1e9 * exact + 1e3 * float(seed))
        scores[target.name] = noisy if target.kind == "continuous" else noisy.clip(0, 1)
    return replace(said, scores=said.scores | scores)
