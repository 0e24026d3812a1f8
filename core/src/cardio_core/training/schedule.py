"""The course of the learning rate."""

from __future__ import annotations

import math
from typing import Literal

# Smith and Topin, "Super-convergence" (2018), with the shares that torch's OneCycleLR defaults to.
_RISE, _START, _END = 0.3, 1 / 25, 1 / 25e4


def learning_rate_factor(
    schedule: Literal["none", "cosine", "onecycle"], step: int, n_steps: int, n_warmup: int = 0
) -> float:
    """Return the share of the peak learning rate at one optimizer step.

    Constant; half a cosine from 1 to 0; or a cosine rise over the first 30 % and a fall, over
    `n_steps`. `step` is the number of steps already taken; beyond `n_steps` the last value is kept.
    `n_warmup` steps of linear warm-up are for ``"none"`` and ``"cosine"``.

    Examples
    --------
    >>> [round(learning_rate_factor("cosine", step, 4), 2) for step in range(5)]
    [1.0, 0.85, 0.5, 0.15, 0.0]
    """
    if schedule == "onecycle":
        last, top = max(n_steps - 1, 1), _RISE * n_steps - 1
        if step <= top and top > 0:
            return _cosine(_START, 1.0, step / top)
        return _cosine(1.0, _END, min((step - top) / (last - top), 1.0))
    if step < n_warmup:
        return (step + 1) / (n_warmup + 1)
    if schedule == "cosine":
        return _cosine(1.0, 0.0, min((step - n_warmup) / max(n_steps - n_warmup, 1), 1.0))
    return 1.0


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
