"""What a user says of a table of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """What the user says of a table of predictions; what is None or empty is guessed, and said.

    Attributes
    ----------
    outcome, event : str or None
        Column of what happened, and which of its two values counts.
    scores : sequence of str
        Columns of scores, the first of which leads unless `primary` says another; of several
        classes what a set of columns shares (``rf`` of ``rf_A``, ``rf_B``, ``rf_C``).
    patient, site : str or None
    subgroups : sequence of str
    thresholds : sequence of str
        ``"0.3"`` for every score, ``"risk=0.3"`` for one.
    primary : str or None
        The score that was declared beforehand as the one that answers.
    missing : sequence of str
        Further words that mean a missing value.
    kind : {"binary", "classes", "number"} or None
        Of the outcome.
    """

    outcome: str | None = None
    event: str | None = None
    scores: Sequence[str] = ()
    patient: str | None = None
    site: str | None = None
    subgroups: Sequence[str] = ()
    thresholds: Sequence[str] = ()
    primary: str | None = None
    missing: Sequence[str] = ()
    kind: str | None = None
