"""The synthetic cohort: children and adolescents heard at four sites, some with a murmur.

Known truth of every recording: heart rate, S1-S2 interval, what is heard and how loud. Those of
a diseased heart are the label; innocent murmurs, soft and low in early systole, are confounders. It
lacks what real ones have besides: third and fourth sounds, clicks, arrhythmia, crying, two murmurs
in one patient, and physicians who disagree.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import wavfile

from cardio_core.api import synthetic_folder, write_truth
from cardio_heart_sounds.synthetic.heart import KINDS, SITES, Murmur, beats, draw_rate, render
from cardio_heart_sounds.synthetic.surroundings import MAKES, record


@dataclass(frozen=True)
class Difficulty:
    """Loudness of a murmur and of the surroundings in dB, and the share of innocent murmurs."""

    murmur_db: float
    noise_db: float
    innocent: float


DIFFICULTIES = {
    "easy": Difficulty(6.0, -6.0, 0.1),
    "medium": Difficulty(-4.0, 2.0, 0.35),
    "hard": Difficulty(-24.0, 10.0, 0.5),
}


def synthesize(
    out: Path, *, task: str, n_patients: int | None = None, seed: int = 0,
    difficulty: str | None = None,
) -> None:  # fmt: skip
    """Write sounds, ``cohort.csv`` and ``truth.json``; the same seed writes the same files."""
    chosen = difficulty or "medium"
    folder = synthetic_folder(
        out, n_patients, task=(task, ("murmur",)), difficulty=(chosen, DIFFICULTIES)
    )
    how, rows = DIFFICULTIES[chosen], []
    truth: dict[str, object] = {}
    for number in range(n_patients or 60):
        rng = np.random.default_rng([seed, number])
        age_y, ill = round(rng.uniform(4, 18)), number % 5 < 2
        rate_per_min = draw_rate(age_y, rng)
        murmur = None
        if ill or rng.uniform() < how.innocent:
            murmur = Murmur.draw(KINDS if ill else ("innocent",), how.murmur_db, rng)
        names = []
        for site in SITES[: rng.integers(2, 5)]:
            make = MAKES[rng.integers(len(MAKES))]
            beat = beats(rate_per_min, rng.uniform(10, 17), rng)
            sound = record(render(beat, site, murmur, make.rate_hz, rng), make, how.noise_db, rng)
            names.append(f"P{number:03d}_{site}.wav")
            wavfile.write(folder / names[-1], make.rate_hz, sound)
            truth[names[-1]] = beat.truth()
        of_murmur = {"murmur": "absent"} if murmur is None else murmur.truth()
        truth[f"P{number:03d}"] = of_murmur
        rows.append({"patient_id": f"P{number:03d}", "path_pcg": ";".join(names),
                     "age_y": age_y, "murmur": ("absent", "present")[ill]})  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "cohort.csv", index=False)
    about = {"kind": "heart sounds", "seed": seed, "difficulty": chosen, "of": truth}
    write_truth(folder / "truth.json", about)
