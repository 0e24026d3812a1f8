"""How long patients stayed in view: weights that stand in for those whom censoring took away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats
from cardio_core.stats.survival.follow_up import FollowUp


@dataclass(frozen=True, slots=True)
class Censoring:
    """The Kaplan-Meier curve of being uncensored, and how each row moves it.

    Who has the event at the time at which others are censored is out of view before them.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        Distinct times of censoring, rising.
    hazard, at_risk : ndarray, shape (n_times,)
        Share of those still in view who are censored then, and their number.
    uncensored : ndarray, shape (n_times + 1,)
        Share never censored before each of the times, and after the last.
    """

    follow_up: FollowUp
    times: Floats
    hazard: Floats
    at_risk: Floats
    uncensored: Floats

    @classmethod
    def of(cls, follow_up: FollowUp) -> Censoring:
        """Estimate the curve."""
        time, event = follow_up.time, follow_up.event
        times, lost = np.unique(time[~event], return_counts=True)
        in_view = time.size - np.searchsorted(np.sort(time), times, side="left")
        just_had_it = np.searchsorted(np.sort(time[event]), times, side="right")
        just_had_it -= np.searchsorted(np.sort(time[event]), times, side="left")
        at_risk = (in_view - just_had_it).astype(np.float64)
        hazard = lost / at_risk
        return cls(
            follow_up, times, hazard, at_risk, np.concatenate([[1.0], np.cumprod(1 - hazard)])
        )

    def before(self, time: Floats) -> Floats:
        """Return the share uncensored just before each time."""
        return self.uncensored[np.searchsorted(self.times, time, side="left")]

    def at(self, time: float) -> float:
        """Return the share uncensored at a time.

        Raises
        ------
        DataError
            Nobody is in view any more.
        """
        share = float(self.uncensored[int(np.searchsorted(self.times, time, side="right"))])
        n_beyond = int(np.count_nonzero(self.follow_up.time > time))
        if share == 0 or n_beyond == 0:
            longest = float(self.follow_up.time.max())
            raise DataError(
                f"at {time:g}: expected patients who were followed longer, found none (the longest "
                f"time is {longest:g}); choose an earlier time"
            )
        return share

    def moved_by(self, weighed: Floats, until: Floats) -> Floats:
        """Return how each row's own censoring moves a sum of weighted terms.

        Parameters
        ----------
        weighed : ndarray, shape (n,)
            Terms that were divided by the share uncensored before `until`.
        until : ndarray, shape (n,)

        Returns
        -------
        ndarray, shape (n,)
            The influence of each row on the mean of the terms through the curve alone, by the
            martingale of its censoring.
        """
        n = weighed.size
        order = np.argsort(until)
        above = np.concatenate([[0.0], np.cumsum(weighed[order][::-1])])
        later = above[n - np.searchsorted(until[order], self.times, side="right")]
        rise = later / self.at_risk
        expected = np.concatenate([[0.0], np.cumsum(rise * self.hazard)])
        time, event = self.follow_up.time, self.follow_up.event
        # a row that is censored counts at its own time, one with the event no longer
        seen = np.where(
            event,
            np.searchsorted(self.times, time, side="left"),
            np.searchsorted(self.times, time, side="right"),
        )
        own = np.zeros(n)
        own[~event] = rise[np.searchsorted(self.times, time[~event])]
        return np.asarray(own - expected[seen])
