"""A heart as a stethoscope would hear it in silence: S1, S2 and what lies between them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

SITES = ("AV", "MV", "TV", "PV")
KINDS = ("ejection", "holosystolic", "early diastolic")
LOUDEST = {"ejection": "AV", "holosystolic": "MV", "early diastolic": "AV", "innocent": "TV"}
GRADES = (0.04, 0.08, 0.15, 0.3)
"""Level of a murmur of grade 1 to 4 where it is loudest; S1 is 1."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Beats:
    """Times of S1, S1-S2 intervals and splits of S2 in s, each (n_beats,), and the duration."""

    first_s: Floats
    systole_s: Floats
    split_s: Floats
    duration_s: float

    def truth(self) -> dict[str, float]:
        """Return heart rate and S1-S2 interval as `cardio measure` names them."""
        return {
            "rate_per_min": float(60 / np.median(np.diff(self.first_s))),
            "s1_s2_ms": float(1000 * np.median(self.systole_s)),
        }


def draw_rate(age_y: float, rng: np.random.Generator) -> float:
    """Draw the heart rate of a child at rest, which is slower with age, per minute."""
    return float(np.clip(118 - 3 * age_y + rng.normal(0, 9), 52, 122))


def beats(rate_per_min: float, duration_s: float, rng: np.random.Generator) -> Beats:
    """Draw beats about this rate: quicker, and S2 split wider, while the child breathes in."""
    beat_s = 60 / (rate_per_min * rng.uniform(0.96, 1.04))
    breath_hz, phase = rng.uniform(0.2, 0.4), rng.uniform(0, 2 * np.pi)
    swing, jitter = rng.uniform(0, 0.06), rng.uniform(0.005, 0.02)
    times_s = [rng.uniform(0, beat_s)]
    while times_s[-1] < duration_s - beat_s:
        breath = np.sin(2 * np.pi * breath_hz * times_s[-1] + phase)
        times_s.append(times_s[-1] + beat_s * (1 - swing * breath + jitter * rng.normal()))
    first_s = np.array(times_s)
    systole_s = np.full(len(first_s), rng.normal(0.3, 0.012) * np.sqrt(beat_s))
    split_s = 0.025 + 0.02 * np.sin(2 * np.pi * breath_hz * first_s + phase)
    return Beats(first_s, systole_s, split_s * rng.uniform(0.5, 1.3), duration_s)


@dataclass(frozen=True)
class Murmur:
    """A murmur: when, how loud (S1 is 1), its pitch, and how fast it fades from site to site."""

    kind: str
    grade: int
    level: float
    pitch_hz: float
    fading: float

    @classmethod
    def draw(cls, kinds: tuple[str, ...], gain_db: float, rng: np.random.Generator) -> "Murmur":
        """Draw one; an innocent one is soft, low and heard in one place."""
        kind = kinds[rng.integers(len(kinds))]
        innocent = kind == "innocent"
        grade = int(rng.integers(1, 3 if innocent else 5))
        pitch_hz = rng.uniform(90, 150) if innocent else rng.uniform(130, 350)
        level = GRADES[grade - 1] * 10 ** (gain_db / 20)
        return cls(kind, grade, level, pitch_hz, rng.uniform(0.2, 0.5 if innocent else 0.8))

    def truth(self) -> dict[str, Any]:
        """Return what is known of it."""
        return {"murmur": self.kind, "grade": self.grade, "level": self.level,
                "pitch_hz": self.pitch_hz, "loudest": LOUDEST[self.kind]}  # fmt: skip

    def course(self, beat: Beats, number: int, times_s: Floats) -> Floats:
        """Return its loudness, 0 to 1, at times of one beat."""
        start_s, end_s = beat.first_s[number], beat.first_s[number] + beat.systole_s[number]
        if self.kind == "early diastolic":
            since = (times_s - end_s - 0.03) / (0.5 * beat.systole_s[number])
            return np.where(since > 0, np.exp(-since), 0.0)
        share = (times_s - start_s - 0.04) / (end_s - start_s - 0.05)
        if self.kind == "holosystolic":
            return np.asarray(((share > 0) & (share < 1)).astype(float))
        middle = 0.35 if self.kind == "innocent" else 0.5
        return np.asarray(np.maximum(0, 1 - np.abs(share - middle) / middle))


def render(
    beat: Beats, site: str, murmur: Murmur | None, rate_hz: int, rng: np.random.Generator
) -> Floats:
    """Return the sound at a site; S1 is about 1 where it is loudest."""
    times_s = np.arange(int(beat.duration_s * rate_hz)) / rate_hz
    sound = np.zeros(len(times_s))
    base = site in ("AV", "PV")
    levels = rng.uniform(0.5, 0.9), rng.uniform(0.6, 1.0)
    s1, s2 = levels if base else levels[::-1]
    pitch_hz = rng.uniform(35, 60, 4)
    m1_t1_s = rng.uniform(0.01, 0.03)
    course = np.zeros(len(times_s))
    for number, first_s in enumerate(beat.first_s):
        second_s = first_s + beat.systole_s[number]
        strength = rng.uniform(0.85, 1.15)
        for at_s, level, hz, fading_s in (
            (first_s, s1, pitch_hz[0], 0.03), (first_s + m1_t1_s, 0.6 * s1, pitch_hz[1] + 30, 0.02),
            (second_s, s2, pitch_hz[2] + 20, 0.02),
            (second_s + beat.split_s[number], 0.5 * s2, pitch_hz[3] + 40, 0.015),
        ):  # fmt: skip
            part = slice(max(0, int(at_s * rate_hz)), int((at_s + 0.2) * rate_hz))
            since_s = times_s[part] - at_s
            swell = np.minimum(1, since_s / 0.008) * np.exp(-since_s / fading_s)
            sound[part] += strength * level * swell * np.sin(2 * np.pi * hz * since_s)
        if murmur is not None:
            part = slice(int(first_s * rate_hz), int((first_s + 1.2) * rate_hz))
            course[part] = np.maximum(course[part], murmur.course(beat, number, times_s[part]))
    if murmur is None:
        return sound
    limits_hz = (
        0.75 * murmur.pitch_hz,
        (1.15 if murmur.kind == "innocent" else 1.6) * murmur.pitch_hz,
    )
    hiss = sosfilt(
        butter(2, limits_hz, "bandpass", fs=rate_hz, output="sos"), rng.normal(size=len(sound))
    )
    away = abs(SITES.index(site) - SITES.index(LOUDEST[murmur.kind]))
    return np.asarray(sound + murmur.level * murmur.fading**away * course * hiss / hiss.std())
