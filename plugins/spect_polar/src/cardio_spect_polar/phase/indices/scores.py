"""Summed perfusion scores of the seventeen segments, by the normal limits that a user brings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

N_SEGMENTS = 17


class SegmentLimit(Protocol):
    """Below which perfusion a segment has which score; see `summed_score`."""

    @property
    def segment(self) -> int:
        """1 to 17."""

    @property
    def state(self) -> Literal["rest", "stress", "any"]:
        """At which it holds."""

    @property
    def sex(self) -> Literal["men", "women", "any"]:
        """Of whom."""

    @property
    def cutoffs_pct(self) -> tuple[float, float, float, float]:
        """Perfusion below which the score is 1, 2, 3 and 4."""


def summed_score(
    perfusion_pct: NDArray[np.floating],
    limits: Sequence[SegmentLimit],
    *,
    at_stress: float,
    male: float,
) -> float:
    """Add up the scores of the segments, 0 (normal) to 4 (absent) each.

    Parameters
    ----------
    perfusion_pct : ndarray, shape (17,)
        Of each AHA segment, in percent of the study's best wall; NaN where unknown.
    limits : sequence of SegmentLimit
        Those of the study's own state and the patient's own sex come before those of any.
    at_stress, male : float
        1 or 0; NaN where that is not known, and then only limits of any state or sex serve.

    Returns
    -------
    float
        0 to 68; NaN where a segment has no perfusion or no limit.

    Examples
    --------
    >>> from collections import namedtuple
    >>> Limit = namedtuple("Limit", "segment state sex cutoffs_pct")
    >>> limits = [Limit(n, "any", "any", (70.0, 60.0, 50.0, 10.0)) for n in range(1, 18)]
    >>> perfusion = np.full(17, 85.0)
    >>> perfusion[3], perfusion[9] = 65.0, 40.0
    >>> summed_score(perfusion, limits, at_stress=1.0, male=float("nan"))
    4.0
    >>> summed_score(perfusion, limits[1:], at_stress=1.0, male=float("nan"))
    nan
    """
    state = {1.0: "stress", 0.0: "rest"}.get(at_stress)
    sex = {1.0: "men", 0.0: "women"}.get(male)
    total = 0.0
    for segment, perfusion in enumerate(np.asarray(perfusion_pct, np.float64), start=1):
        own = [
            limit
            for limit in limits
            if limit.segment == segment
            and limit.state in (state, "any")
            and limit.sex in (sex, "any")
        ]
        if not own or not np.isfinite(perfusion):
            return float("nan")
        chosen = max(own, key=lambda limit: (limit.state != "any", limit.sex != "any"))
        total += sum(perfusion < cutoff for cutoff in chosen.cutoffs_pct)
    return float(total)
