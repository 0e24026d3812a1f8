"""Atrial flutter, sinus tachycardia and fibrillation, made of real sinus ECGs.

A real recording gives its QRS and T, its P wave and its morphology; what is drawn is the atrial
activity, the conduction and the noise. Flutter waves are loops of the heart's vector with up to
three harmonics, sawteeth, or the recording's own P wave at a fast cycle, of 60 to 250 µV. T waves
shorten with the square root of RR. Sinus tachycardia keeps the P wave, which then runs into T.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import interp1d
from scipy.ndimage import gaussian_filter1d

from cardio_ecg_transfer.signal.delineation.limits import Limits
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.synthetic.noise import DOWER, twelve_leads

RATE_HZ = 360.0
N_SAMPLES = 3600
CONDUCTION = {"2": 0.45, "3": 0.1, "4": 0.17, "2 or 4": 0.14, "varying": 0.14}


@dataclass(frozen=True)
class Heart:
    """What a real recording gives: QRS and T without P, where it begins, its P wave, in mV."""

    qrst_mv: np.ndarray
    on_ms: float
    qrs_ms: float
    p_mv: np.ndarray
    pr_ms: float
    rr_s: float

    @classmethod
    def of(cls, beat: MedianBeat, limits: Limits) -> Heart:
        """Take a median beat apart; it has a P and a T wave."""
        p_wave, t_wave, qrs = limits.p_wave, limits.t_wave, limits.qrs
        assert p_wave is not None and t_wave is not None
        rows = beat.signal_mv.astype(np.float64)
        on, off = beat.index(qrs.on_ms - 6.0), beat.index(qrs.off_ms)
        end = min(beat.index(t_wave.off_ms + 20.0), rows.shape[1] - 1)
        rows -= rows[:, on - 3 : on + 1].mean(axis=1, keepdims=True)
        qrst = rows[:, on : end + 1].copy()
        qrst[:, off - on :] -= qrst[:, -1:] * np.linspace(0.0, 1.0, end - off + 1)
        first, last = (
            beat.index(p_wave.on_ms - 12.0),
            beat.index(min(p_wave.off_ms + 12.0, qrs.on_ms - 4.0)),
        )
        wave = rows[:, first : last + 1]
        wave = wave - np.linspace(wave[:, 0], wave[:, -1], wave.shape[1], axis=1)
        place = np.arange(wave.shape[1])
        wave *= np.minimum(1.0, np.minimum(place, place[::-1]) / 4.0)
        return cls(
            qrst, (on - beat.r_index) / RATE_HZ * 1000, qrs.qrs_ms + 12.0, wave,
            qrs.on_ms - p_wave.on_ms, beat.rr_s,
        )  # fmt: skip

    def ventricles(self, r_s: np.ndarray) -> np.ndarray:
        """Draw QRS and T at these times, (12, N_SAMPLES)."""
        shorter = np.clip(np.sqrt(np.median(np.diff(r_s)) / self.rr_s), 0.5, 1.3)
        n_qrs = round(self.qrs_ms * RATE_HZ / 1000)
        qrs, rest = self.qrst_mv[:, :n_qrs], self.qrst_mv[:, n_qrs:]
        n_rest = max(8, round(rest.shape[1] * shorter))
        along = interp1d(np.linspace(0, 1, rest.shape[1]), rest, axis=1)
        wave = np.concatenate([qrs, along(np.linspace(0, 1, n_rest))], axis=1)
        return _at(wave, r_s + self.on_ms / 1000)


def _at(wave_mv: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    made = np.zeros((len(wave_mv), N_SAMPLES))
    for first in np.rint(times_s * RATE_HZ).astype(int):
        low, high = max(0, first), min(N_SAMPLES, first + wave_mv.shape[1])
        if high > low:
            made[:, low:high] += wave_mv[:, low - first : high - first]
    return made


def _noise(rng: np.random.Generator) -> np.ndarray:
    """Muscle of 3 to 30 µV, slower noise, and 5 to 50 µV of wander."""
    size = np.exp(rng.uniform(np.log(0.003), np.log(0.03)))
    wander = np.exp(rng.uniform(np.log(0.005), np.log(0.05)))
    made = np.zeros((8, N_SAMPLES))
    for width, share in ((1.2, size), (7.0, size * rng.uniform(0.2, 1.0)), (30.0, wander)):
        smooth = gaussian_filter1d(rng.normal(size=made.shape), width, axis=1)
        made += share * smooth / smooth.std()
    return twelve_leads(made)


def _waves(rng: np.random.Generator, *, sawtooth: bool) -> Callable[[np.ndarray], np.ndarray]:
    """Draw a loop or a sawtooth; return twelve leads by its phase."""
    if sawtooth:
        rise, width, lag = rng.uniform(0.12, 0.4), rng.uniform(0.02, 0.08), rng.uniform(-0.2, 0.2)
        feet = rng.normal(size=3)
        feet[1] = rng.choice([-1, 1]) * (2 * abs(feet[1]) + 1)
        aside = rng.normal(size=3) * 0.5
        grid = np.linspace(0, 1, 200, endpoint=False)
        teeth = np.where(grid < rise, grid / rise, 1 - (grid - rise) / (1 - rise))
        teeth = gaussian_filter1d(teeth, width * 200, mode="wrap") - 0.5
        bump = np.exp(-0.5 * ((grid - 0.5) / 0.08) ** 2)

        def vector(phase: np.ndarray) -> np.ndarray:
            main = np.interp(phase % 1, grid, teeth, period=1)
            other = np.interp((phase + lag) % 1, grid, bump, period=1)
            return np.outer(feet, main) + np.outer(aside, other)

    else:
        shares = (1.0, rng.uniform(0.1, 0.8), rng.uniform(0.0, 0.4))
        ways = rng.normal(size=(3, 2, 3))
        ways[:, :, 1] *= 2  # towards the feet

        def vector(phase: np.ndarray) -> np.ndarray:
            turns = [2 * np.pi * (n + 1) * phase for n in range(3)]
            return np.asarray(
                sum(
                    share * (np.outer(way[0], np.cos(turn)) + np.outer(way[1], np.sin(turn)))
                    for share, way, turn in zip(shares, ways, turns, strict=True)
                )
            )

    span = np.ptp(DOWER @ vector(np.linspace(0, 1, 100)), axis=1)
    size_mv = np.exp(rng.uniform(np.log(0.06), np.log(0.25)))
    scale = size_mv / max(0.7 * span.max(), span[1], 1e-6)
    return lambda phase: twelve_leads(scale * (DOWER @ vector(phase)))


def flutter(heart: Heart, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, object]]:
    """Draw flutter or atrial tachycardia, and say how it conducts."""
    own_p = rng.random() < 0.2
    cycle_s = rng.uniform(0.2, 0.4) if own_p else rng.uniform(0.17, 0.33)
    way = str(rng.choice(list(CONDUCTION), p=list(CONDUCTION.values())))
    if way == "2" and cycle_s < 0.2:
        way = "3"
    r_s, late = [rng.uniform(0.2, 0.2 + cycle_s)], 0.0
    while r_s[-1] < N_SAMPLES / RATE_HZ + 1:
        varying = rng.choice([2, 3, 4, 5], p=[0.4, 0.25, 0.25, 0.1])
        times = int(rng.choice([2, 4]) if way == "2 or 4" else varying if len(way) > 1 else way)
        jitter = rng.normal(0.0, 0.004 if len(way) == 1 else 0.012)
        r_s.append(r_s[-1] + times * cycle_s + jitter - late)
        late = jitter
    r = np.array(r_s)
    lag = rng.uniform(0, 1)
    made = heart.ventricles(r) + _noise(rng)
    if own_p:
        times_s = np.arange(r[0] + (lag - 12) * cycle_s, N_SAMPLES / RATE_HZ, cycle_s)
        made += rng.uniform(0.7, 1.3) * _at(heart.p_mv, times_s)
    else:
        phase = (np.arange(N_SAMPLES) / RATE_HZ - r[0]) / cycle_s + lag
        made += _waves(rng, sawtooth=rng.random() < 0.45)(phase)
    return made, {"cycle_ms": 1000 * cycle_s, "conduction": way}


def tachycardia(heart: Heart, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, object]]:
    """Draw sinus rhythm, mostly at 97 to 167 a minute, with the recording's own P wave."""
    rr_s = rng.uniform(0.36, 0.62) if rng.random() < 0.7 else rng.uniform(0.6, 1.0)
    pr_s = heart.pr_ms / 1000 * np.clip(rr_s / heart.rr_s, 0.5, 1.0) ** 0.2
    pr_s += rng.uniform(0, 0.08) if rng.random() < 0.2 else 0.0
    breath, phase = rng.uniform(0.0, 0.03), rng.uniform(0, 6)
    r_s = [rng.uniform(0.1, 0.5)]
    while r_s[-1] < N_SAMPLES / RATE_HZ + 1:
        breathing = 1 + breath * np.sin(1.6 * r_s[-1] + phase)
        r_s.append(r_s[-1] + rr_s * breathing + rng.normal(0, 0.003))
    r = np.array(r_s)
    made = heart.ventricles(r) + _at(heart.p_mv, r + heart.on_ms / 1000 - pr_s) + _noise(rng)
    return made, {"rate_bpm": 60 / rr_s}


def fibrillation(heart: Heart, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, object]]:
    """Draw waves whose cycle and size wander, and RR intervals without order."""
    cycle_s, jitter = rng.uniform(0.12, 0.23), rng.uniform(0.08, 0.3)
    n_waves = round(2 * N_SAMPLES / RATE_HZ / cycle_s)
    edges = np.r_[0, np.cumsum(cycle_s * np.exp(jitter * rng.normal(size=n_waves)))]
    phase = np.interp(np.arange(N_SAMPLES) / RATE_HZ, edges, np.arange(edges.size))
    size = np.exp(gaussian_filter1d(rng.normal(size=N_SAMPLES), 60) * rng.uniform(2, 8))
    rr_s, scatter = rng.uniform(0.4, 1.0), rng.uniform(0.1, 0.25)
    n_beats = round(1.5 * N_SAMPLES / RATE_HZ / 0.3)
    waits = np.maximum(0.3, rr_s * np.exp(scatter * rng.normal(size=n_beats)))
    r = rng.uniform(0.1, 0.5) + np.cumsum(waits)
    r = r[r < N_SAMPLES / RATE_HZ + 1]
    waves = _waves(rng, sawtooth=rng.random() < 0.45)(phase)
    return heart.ventricles(r) + size * waves + _noise(rng), {"cycle_ms": 1000 * cycle_s}


DRAWN = {"flutter": flutter, "tachycardia": tachycardia, "fibrillation": fibrillation}
