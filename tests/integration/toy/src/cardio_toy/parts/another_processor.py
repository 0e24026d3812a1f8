"""Other vector units, imitated: ``CARDIO_TEST_NOISE=SEED`` changes every score by up to 1e-7.

With ``CARDIO_TEST_NOISE=threads`` the seed is the number of threads that this process computes in:
with several, sums are taken in another order.
"""

from __future__ import annotations

import os
import sys
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
    noise = float(_n_threads() if seed == "threads" else seed)
    scores = {}
    for target in ctx.targets:
        exact = np.asarray(said.scores[target.name], dtype=float)
        noisy = exact + 1e-7 * np.sin(1e9 * exact + 1e3 * noise)
        scores[target.name] = noisy if target.kind == "continuous" else noisy.clip(0, 1)
    return replace(said, scores=said.scores | scores)


def _n_threads() -> int:
    from threadpoolctl import threadpool_info

    torch = sys.modules.get("torch")
    own = torch.get_num_threads() if torch else 1
    return max(own, *(pool["num_threads"] for pool in threadpool_info()))
