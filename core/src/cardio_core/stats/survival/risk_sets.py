"""Who was at risk at each event: Cox's partial likelihood with Efron's ties, and its derivatives.

One event of d at the same time takes its place among those at risk less l/d of the d, for l from 0
to d - 1 (Efron, J Am Stat Assoc 1977;72:557). Each such place is a slot here, in order of time. No
sum over risk sets is formed term by term: what each person adds to all slots is one weight, so the
information costs a product of two matrices, also with 100,000 rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cardio_core.stats.foundation.validate import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class RiskSets:
    """The order of times and events, which no coefficient changes.

    Attributes
    ----------
    order : ndarray of int, shape (n,)
        Rows by falling time.
    event : ndarray of bool, shape (n,)
        In the rows' own order, as all below.
    times : ndarray, shape (n_times,)
        Distinct times of events, rising.
    last_at_risk : ndarray of int, shape (n_times,)
        Position in `order` of the last who is at risk at each of them.
    slot_time : ndarray of int, shape (n_events,)
        Which of `times` a slot belongs to.
    share : ndarray, shape (n_events,)
        Its l/d.
    reached : ndarray of int, shape (n,)
        How many of `times` a row has lived to.
    """

    order: Ints
    event: Bools
    times: Floats
    last_at_risk: Ints
    slot_time: Ints
    share: Floats
    reached: Ints

    @classmethod
    def of(cls, time: Floats, event: Bools) -> RiskSets:
        """Sort times and events, shape (n,)."""
        order = np.argsort(-time, kind="stable")
        times, deaths = np.unique(time[event], return_counts=True)
        last = np.searchsorted(-time[order], -times, side="right") - 1
        slot_time = np.repeat(np.arange(times.size), deaths)
        first = np.repeat(np.cumsum(deaths) - deaths, deaths)
        share = (np.arange(slot_time.size) - first) / deaths[slot_time]
        reached = np.searchsorted(times, time, side="right")
        return cls(order, event, times, last, slot_time, share, reached)

    def per_slot(self, values: Floats) -> Floats:
        """Add `values`, shape (n, k), over those at risk in each slot, shape (n_events, k)."""
        at_risk = np.cumsum(values[self.order], axis=0)[self.last_at_risk]
        return at_risk[self.slot_time] - self.share[:, np.newaxis] * self.of_events(values)

    def of_events(self, values: Floats) -> Floats:
        """Add `values`, shape (n, k), over the events at each slot's time, shape (n_events, k)."""
        own = np.zeros((self.times.size, values.shape[1]))
        np.add.at(own, self.reached[self.event] - 1, values[self.event])
        return own[self.slot_time]

    def per_row(self, slots: Floats) -> Floats:
        """Add `slots`, shape (n_events,), over those in which each row is at risk, shape (n,)."""
        total = np.bincount(self.slot_time, slots, self.times.size)
        removed = np.bincount(self.slot_time, slots * self.share, self.times.size)
        added = np.concatenate([[0.0], np.cumsum(total)])[self.reached]
        added[self.event] -= removed[self.reached[self.event] - 1]
        return added


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The partial likelihood at one vector of coefficients.

    Attributes
    ----------
    value : float
        Its logarithm.
    hazard : ndarray, shape (n,)
        exp of each row's linear predictor.
    in_slot : ndarray, shape (n_events,)
        The hazard at risk in each slot.
    means : ndarray, shape (n_events, n_terms)
        Mean of the columns among those at risk, weighted by their hazard.
    """

    sets: RiskSets
    matrix: Floats
    value: float
    hazard: Floats
    in_slot: Floats
    means: Floats

    @classmethod
    def at(cls, sets: RiskSets, matrix: Floats, beta: Floats) -> Likelihood:
        """Evaluate it for columns of shape (n, n_terms)."""
        predictor = matrix @ beta
        hazard = np.exp(predictor)
        weighted = np.column_stack([hazard, matrix * hazard[:, np.newaxis]])
        sums = sets.per_slot(weighted)
        in_slot = sums[:, 0]
        value = float(predictor[sets.event].sum() - np.log(in_slot).sum())
        return cls(sets, matrix, value, hazard, in_slot, sums[:, 1:] / in_slot[:, np.newaxis])

    def score(self, weights: Floats | float = 1.0) -> Floats:
        """Return Σ weight · (column of the event - mean at risk), shape (n_terms,).

        `weights`, shape (n_events,), have one value a time.
        """
        per_slot = np.broadcast_to(np.asarray(weights, dtype=np.float64), self.in_slot.shape)
        at_time = np.zeros(self.sets.times.size)
        at_time[self.sets.slot_time] = per_slot
        events = self.sets.event
        own = at_time[self.sets.reached[events] - 1] @ self.matrix[events]
        return np.asarray(own - per_slot @ self.means)

    def information(self, weights: Floats | float = 1.0) -> Floats:
        """Return Σ weight · covariance of the columns at risk, shape (n_terms, n_terms)."""
        per_slot = np.broadcast_to(np.asarray(weights, dtype=np.float64), self.in_slot.shape)
        per_row = self.hazard * self.sets.per_row(per_slot / self.in_slot)
        squares = (self.matrix * per_row[:, np.newaxis]).T @ self.matrix
        return np.asarray(squares - (self.means * per_slot[:, np.newaxis]).T @ self.means)

    def cumulative_hazard(self, time: float) -> float:
        """Return the hazard of a row of zeros, added up to `time`."""
        until = self.sets.times[self.sets.slot_time] <= time
        return float(np.sum(1 / self.in_slot[until]))
