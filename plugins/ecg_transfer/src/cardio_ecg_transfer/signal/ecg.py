"""A recording as it is read, and what a check found in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ecg:
    """One recording in physical units.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        Potentials in millivolt; NaN where the recording has no valid sample.
    rate_hz : float
        Sampling rate.
    leads : tuple of str
        Names in the usual spelling: I, II, III, aVR, aVL, aVF, V1 to V6, MLII, vx ...
    flags : tuple of str
        What a reader should know: ``"III derived"``, ``"lead I inverted"``.
    derived : frozenset of str
        Leads that were not recorded, but computed from others.
    """

    signal_mv: NDArray[np.float32]
    rate_hz: float
    leads: tuple[str, ...]
    flags: tuple[str, ...] = field(default=())
    derived: frozenset[str] = frozenset()

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return float(self.signal_mv.shape[1] / self.rate_hz)


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
    return frozenset(lead for finding in findings if finding.unfit in why for lead in finding.leads)
