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

RANGES: dict[str, tuple[float, float]] = {
    "sinus_s": (0.55, 1.25),  # RR: 48 to 109 a minute
    "breath_depth": (0.0, 0.10),  # of RR
    "breath_hz": (0.15, 0.35),
    "drift_depth": (0.0, 0.08),
    "phase": (0.0, 6.28),
    "fibrillation_scatter": (0.12, 0.30),  # SD of the logarithm of RR
    "sinus_scatter": (0.003, 0.025),
    "coupling": (0.45, 0.85),  # of a premature beat, over the sinus interval
    "coupling_scatter": (0.01, 0.08),
    "pause": (0.98, 1.3),  # behind it
    "run_share": (0.003, 0.05),  # of the beats begin one
    "run_rr": (0.4, 0.85),  # within one
    "long_run_rr": (0.4, 0.75),  # where most beats are premature
    "long_run_beats": (1.0, 8.0),
    "long_run_pause": (1.0, 1.8),
    "long_run_share": (0.4, 1.0),
    "few_ventricular": (0.0, 0.06),  # share, in two rhythms of five
    "ventricular": (0.02, 0.35),
    "dropped_rr": (1.4, 2.0),  # the pause of a second-degree block
}
"""What is drawn evenly: set by hand, and wide, with the records of DS1 in view."""

LOG_RANGES = {"premature_share": (0.005, 0.3), "run_beats": (2.0, 60.0)}
"""What is drawn evenly by its logarithm."""

_SHORTEST_S, _SHORTEST_SINUS_S = 0.27, 0.28  # 220 a minute
_PERIOD_S = 90.0  # of the slow drift
_FEW_VENTRICULAR = 0.4  # of the rhythms
_VENTRICULAR = (0.62, 0.06)  # coupling and its SD
_INTERPOLATED = 0.2  # of the ventricular beats: the sinus beat behind comes in its time
_LIMITS = (0.35, 0.9)  # of a coupling
_VENTRICULAR_LIMITS = (0.4, 0.9)
_REST_SCATTER, _RUN_SCATTER, _RUN_DRIFT = 0.03, 0.02, 0.05
_BIGEMINAL = 0.95  # of the beats that could be premature are
_LONGEST_PERIOD = 4  # of bigeminy, trigeminy
_DROPPED_BEATS, _SHORTENING = (3, 7), 0.02  # of Wenckebach's block
_WRONG_SHAPE = 0.01  # of the beats are taken for another kind
_NOISY, _MOST_NOISE, _REFRACTORY_S = 0.25, 12, 0.25


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

        def drawn(name: str) -> float:
            return float(rng.uniform(*RANGES[name]))

        def drawn_by_logarithm(name: str) -> float:
            return float(np.exp(rng.uniform(*np.log(LOG_RANGES[name]))))

        self.base_s = drawn("sinus_s")
        self.breath = drawn("breath_depth"), drawn("breath_hz"), drawn("phase")
        self.drift = drawn("drift_depth"), drawn("phase")
        self.scatter = drawn("fibrillation_scatter" if self.fibrillates else "sinus_scatter")
        self.coupling = drawn("coupling"), drawn("coupling_scatter")
        self.pause = drawn("pause")
        self.share = drawn_by_logarithm("premature_share")
        self.run = drawn("run_rr"), drawn_by_logarithm("run_beats")
        if kind == "runs":
            self.share = drawn("run_share")
        if kind == "mostly_premature":
            self.run = drawn("long_run_rr"), drawn("long_run_beats")
            self.pause, self.share = drawn("long_run_pause"), drawn("long_run_share")
        self.period = int(rng.integers(1, _LONGEST_PERIOD))
        self.dropped = int(rng.integers(*_DROPPED_BEATS))
        usual = drawn("few_ventricular") if rng.random() < _FEW_VENTRICULAR else 0.0
        self.ventricular = drawn("ventricular") if kind.endswith("ventricular") else usual
        self.times: list[float] = []
        self.labels: list[str] = []
        self.now_s, self.owed, self.left, self.run_ratio, self.since = 0.0, 1.0, 0, 1.0, 0

    def step(self) -> None:
        """Draw one beat."""
        rng, sinus_s = self.rng, self._sinus_s()
        rested = self.owed == 1.0
        if self.left > 0:
            self.left -= 1
            self._premature(self.base_s * self.run_ratio * (1 + _RUN_SCATTER * rng.normal()))
        elif self._starts(rested):
            if self.kind in {"runs", "mostly_premature"}:
                self.left = int(rng.geometric(1 / self.run[1])) - 1
                self.run_ratio = self.run[0] * (1 + _RUN_DRIFT * rng.normal())
            middle, spread = self.coupling
            self._premature(sinus_s * float(np.clip(middle + spread * rng.normal(), *_LIMITS)))
        elif rested and self.labels[-1:] not in ([], ["V"]) and rng.random() < self.ventricular:
            early = float(np.clip(rng.normal(*_VENTRICULAR), *_VENTRICULAR_LIMITS))
            self._add(sinus_s * early, "V")
            interpolated = rng.random() >= 1 - _INTERPOLATED
            self.owed = 1.0 - early + 1e-9 if interpolated else 2.0 - early
        else:
            scatter = _REST_SCATTER * rng.normal() if not rested else 0.0
            wait_s, self.owed = sinus_s * self.owed * (1 + scatter), 1.0
            self._add(wait_s, "N")
            self.since += 1

    def _starts(self, rested: bool) -> bool:
        if self.kind in {"single", "runs"}:
            return bool(rested and self.rng.random() < self.share)
        if self.kind == "mostly_premature":
            return self.labels[-1:] not in ([], ["S"]) and bool(self.rng.random() < self.share)
        return (
            self.kind == "bigeminy" and self.since >= self.period and self.rng.random() < _BIGEMINAL
        )

    def _sinus_s(self) -> float:
        rng, base_s = self.rng, self.base_s
        if self.fibrillates:
            return max(_SHORTEST_SINUS_S, base_s * float(np.exp(self.scatter * rng.normal())))
        depth, per_s, phase = self.breath
        slow, slow_phase = self.drift
        turn = 2 * np.pi * self.now_s
        base_s *= 1 + depth * np.sin(per_s * turn + phase)
        base_s *= 1 + slow * np.sin(turn / _PERIOD_S + slow_phase) + self.scatter * rng.normal()
        if self.kind == "block":
            place = len(self.times) % self.dropped
            base_s *= 1 - _SHORTENING * place
            base_s *= rng.uniform(*RANGES["dropped_rr"]) if place == 0 else 1.0
        return float(max(_SHORTEST_SINUS_S, base_s))

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
    own = (label != "V") ^ (rng.random(n_beats) < _WRONG_SHAPE)
    if rng.random() < _NOISY:
        extra = rng.uniform(times_s[0], times_s[-1], int(rng.integers(1, _MOST_NOISE)))
        order = np.argsort(np.append(times_s, extra))
        times_s = np.append(times_s, extra)[order]
        label = np.append(label, np.full(extra.size, "-"))[order]
        own = np.append(own, np.zeros(extra.size, bool))[order]
        kept = np.append(True, np.diff(times_s) > _REFRACTORY_S)
        times_s, label, own = times_s[kept], label[kept], own[kept]
    return Planted(times_s, label, own)
