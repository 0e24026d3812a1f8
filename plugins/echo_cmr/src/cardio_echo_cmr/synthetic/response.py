"""A response to treatment, drawn: the stand-in for an outcome of somebody's own.

Patients whose walls move well respond more often. How many segments have a wall motion abnormality
decides, through a logistic function whose slope sets the Bayes AUC.
"""

from __future__ import annotations

import numpy as np

from cardio_echo_cmr.synthetic.findings import Findings

_LOGISTIC = {
    "clear": (2.5, -1.6), "medium": (1.5, -0.9), "subtle": (1.5, -0.9), "impossible": (0.0, 0.0),
}  # fmt: skip
"""Intercept and slope a segment, found on 6,000 patients: half of them respond, and the Bayes AUC
of many patients is .95, .86, .86 and .50."""


def response_probability(findings: Findings, difficulty: str) -> float:
    """Return how probable it is that a patient responds.

    Examples
    --------
    >>> from cardio_echo_cmr.synthetic.findings import draw_findings
    >>> found = draw_findings(np.random.default_rng(1))
    >>> len(found.wma), round(response_probability(found, "medium"), 2)
    (0, 0.82)
    """
    intercept, slope = _LOGISTIC[difficulty]
    return float(1.0 / (1.0 + np.exp(-(intercept + slope * len(findings.wma)))))


def draw_response(rng: np.random.Generator, probability: float) -> bool:
    """Draw whether a patient responds."""
    return bool(rng.uniform() < probability)
