"""Rhythms made by code, whose premature beats are known: what 22 records are too few to teach.

Records that live on atrial premature beats, bigeminy, runs and pauses, and fibrillation in which an
early beat means nothing, are rare in MIT-BIH's training records: two fibrillate, and in none are
premature beats the rule. Here they are drawn in equal shares over wide ranges of rates and ratios.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KINDS = {
    "sinus": 0.10, "single": 0.15, "bigeminy": 0.10, "runs": 0.15, "mostly_premature": 0.15,
    "ventricular": 0.10, "fibrillation": 0.13, "fibrillation_ventricular": 0.05, "block": 0.07,
}  # fmt: skip
"""Shares of the kinds of rhythm."""

_SHORTEST_S = 0.27
_PERIOD_S = 90.0


@dataclass(frozen=True)
class Planted:
    """One rhythm.

    Attributes
    ----------
    times_s : ndarray, shape (n_beats,)
    label : ndarray of str, shape (n_beats,)
        N, S, V, or ``-`` for a detection without a beat.
    own : ndarray of bool, shape (n_beats,)
        Whether the complex looks like the patient's own: not where V or -, rarely wrong.
    """

    times_s: NDArray[np.float64]
    label: NDArray[np.str_]
    own: NDArray[np.bool_]


class _Rhythm:
    """Draws beat after beat."""

    def __init__(self, kind: str, rng: np.random.Generator) -> None:
        self.kind, self.rng = kind, rng
        self.fibrillates = kind.startswith("fibrillation")
        self.base_s = rng.uniform(0.55, 1.25)
        self.breath = rng.uniform(0.0, 0.10), rng.uniform(0.15, 0.35), rng.uniform(0.0, 6.28)
        self.drift = rng.uniform(0.0, 0.08), rng.uniform(0.0, 6.28)
        self.scatter = rng.uniform(0.12, 0.30) if self.fibrillates else rng.uniform(0.003, 0.025)
        self.coupling = rng.uniform(0.45, 0.85), rng.uniform(0.01, 0.08)
        self.pause = rng.uniform(0.98, 1.3)
        self.share = float(np.exp(rng.uniform(np.log(0.005), np.log(0.3))))
        self.run = rng.uniform(0.4, 0.85), float(np.exp(rng.uniform(np.log(2), np.log(60))))
        if kind == "runs":
            self.share = rng.uniform(0.003, 0.05)
        if kind == "mostly_premature":
            self.run = rng.uniform(0.4, 0.75), rng.uniform(1.0, 8.0)
            self.pause, self.share = rng.uniform(1.0, 1.8), rng.uniform(0.4, 1.0)
        self.period = int(rng.integers(1, 4))
        self.dropped = int(rng.integers(3, 7))
        usual = rng.uniform(0.0, 0.06) if rng.random() < 0.4 else 0.0
        self.ventricular = rng.uniform(0.02, 0.35) if kind.endswith("ventricular") else usual
        self.times: list[float] = []
        self.labels: list[str] = []
        self.now_s, self.owed, self.left, self.run_ratio, self.since = 0.0, 1.0, 0, 1.0, 0

    def step(self) -> None:
        """Draw one beat."""
        rng, sinus_s = self.rng, self._sinus_s()
        rested = self.owed == 1.0
        if self.left > 0:
            self.left -= 1
            self._premature(self.base_s * self.run_ratio * (1 + 0.02 * rng.normal()))
        elif self._starts(rested):
            if self.kind in {"runs", "mostly_premature"}:
                self.left = int(rng.geometric(1 / self.run[1])) - 1
                self.run_ratio = self.run[0] * (1 + 0.05 * rng.normal())
            middle, spread = self.coupling
            self._premature(sinus_s * float(np.clip(middle + spread * rng.normal(), 0.35, 0.9)))
        elif rested and self.labels[-1:] not in ([], ["V"]) and rng.random() < self.ventricular:
            early = float(np.clip(rng.normal(0.62, 0.06), 0.4, 0.9))
            self._add(sinus_s * early, "V")
            # One in five is interpolated: the next sinus beat comes in its time.
            self.owed = 2.0 - early if rng.random() < 0.8 else 1.0 - early + 1e-9
        else:
            scatter = 0.03 * rng.normal() if not rested else 0.0
            wait_s, self.owed = sinus_s * self.owed * (1 + scatter), 1.0
            self._add(wait_s, "N")
            self.since += 1

    def _starts(self, rested: bool) -> bool:
        if self.kind in {"single", "runs"}:
            return bool(rested and self.rng.random() < self.share)
        if self.kind == "mostly_premature":
            return self.labels[-1:] not in ([], ["S"]) and bool(self.rng.random() < self.share)
        return self.kind == "bigeminy" and self.since >= self.period and self.rng.random() < 0.95

    def _sinus_s(self) -> float:
        rng, base_s = self.rng, self.base_s
        if self.fibrillates:
            return max(0.28, base_s * float(np.exp(self.scatter * rng.normal())))
        depth, per_s, phase = self.breath
        slow, slow_phase = self.drift
        turn = 2 * np.pi * self.now_s
        base_s *= 1 + depth * np.sin(per_s * turn + phase)
        base_s *= 1 + slow * np.sin(turn / _PERIOD_S + slow_phase) + self.scatter * rng.normal()
        if self.kind == "block":
            place = len(self.times) % self.dropped
            base_s *= 1 - 0.02 * place
            base_s *= rng.uniform(1.4, 2.0) if place == 0 else 1.0
        return float(max(0.28, base_s))

    def _premature(self, wait_s: float) -> None:
        self._add(wait_s, "S")
        self.since, self.owed = 0, 1.0 if self.left else self.pause

    def _add(self, wait_s: float, label: str) -> None:
        self.now_s += max(_SHORTEST_S, wait_s)
        self.times.append(self.now_s)
        self.labels.append(label)


def planted_rhythm(
    rng: np.random.Generator, n_beats: int = 400, kind: str | None = None
) -> Planted:
    """Draw one rhythm; in one of four, noise adds a few detections.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    n_beats : int
        How many beats.
    kind : str, optional
        One of `KINDS`; drawn by its share by default.

    Examples
    --------
    >>> made = planted_rhythm(np.random.default_rng(0), 50, "bigeminy")
    >>> sorted(set(made.label.tolist()) - {"-", "V"})
    ['N', 'S']
    """
    if kind is None:
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    rhythm = _Rhythm(kind, rng)
    for _ in range(n_beats):
        rhythm.step()
    times_s, label = np.array(rhythm.times), np.array(rhythm.labels)
    own = (label != "V") ^ (rng.random(n_beats) < 0.01)
    if rng.random() < 0.25:
        extra = rng.uniform(times_s[0], times_s[-1], int(rng.integers(1, 12)))
        order = np.argsort(np.append(times_s, extra))
        times_s = np.append(times_s, extra)[order]
        label = np.append(label, np.full(extra.size, "-"))[order]
        own = np.append(own, np.zeros(extra.size, bool))[order]
        kept = np.append(True, np.diff(times_s) > 0.25)
        times_s, label, own = times_s[kept], label[kept], own[kept]
    return Planted(times_s, label, own)
