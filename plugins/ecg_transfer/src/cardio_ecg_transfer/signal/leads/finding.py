"""What a check found in a recording, and which leads it leaves unfit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unfit = Literal["signal", "place", "potential", "unit", "paced"]


@dataclass(frozen=True)
class Finding:
    """One thing that a reader should know of a recording.

    Attributes
    ----------
    text : str
        In words, with what to do.
    leads : tuple of str
        Leads of which nothing is said any more; empty where the finding is for caution alone.
    unfit : {"signal", "place", "potential", "unit", "paced"}
        Why: there is no heart in them, and no interval rests on them either; they are not what
        their names say, so that intervals over all leads still hold; their size is wrong, so that
        times and shapes hold; or all sizes are, by the same factor, so that axes hold, too;
        or the ventricles are paced, so that intervals hold and no sign of conduction does.
    """

    text: str
    leads: tuple[str, ...] = ()
    unfit: Unfit = "place"


def unfit_leads(findings: tuple[Finding, ...], *why: Unfit) -> frozenset[str]:
    """Return the leads that are unfit for one of these reasons.

    Examples
    --------
    >>> sorted(unfit_leads((Finding("V3 flat", ("V3",), "signal"), Finding("noise")), "signal"))
    ['V3']
    """
    return frozenset(lead for one in findings if one.unfit in why for lead in one.leads)
