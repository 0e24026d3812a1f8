"""The synthetic cohort of the toy: bumps whose height tells who is ill, with a known Bayes AUC.

Severity is normal with standard deviation 1 and a mean that differs by `effect` between the ill
and the healthy, so the best possible AUC is Phi(effect / sqrt(2)): 0.921 for an effect of 2, 0.5
for 0. Height is a rising function of severity.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

RATE_HZ = 25.0
DURATION_S = 6.0
NOISE_MV = 0.03
WIDTH_S = {"narrow": 0.05, "wide": 0.12, "inverted": 0.05}
LINKED = (0, 23)
SHARES = {"narrow": 0.6, "wide": 0.25, "inverted": 0.15}


def synthesize(
    out: Path,
    *,
    task: str,
    n_patients: int | None = None,
    seed: int = 0,
    effect: float = 2.0,
    patients: pd.DataFrame | None = None,
) -> None:
    """Write a cohort.

    Parameters
    ----------
    out : Path
        An existing, empty folder.
    task : str
        ``"beats"`` has patients of its own; the other tasks share theirs.
    n_patients : int, optional
        Default 24. Every third patient has two recordings; numbers 0 and 23 are one person.
    seed : int
        Same seed, same files.
    effect : float
        Difference in severity between the ill and the healthy; 0 is the null.
    patients : DataFrame, optional
        Who is recorded, as `cardio data synth --patients TABLE` hands it over: severity is their
        ``effect``, and noise grows with their ``shift``.
    """
    first = "B" if task == "beats" else "C"
    rng = np.random.default_rng([seed, ord(first)])
    rows, events = [], []
    n = (n_patients or 24) if patients is None else len(patients)
    for place in range(n):
        number, patient, noise_mv = place, f"{first}{place:02d}", NOISE_MV
        ill = number % 2
        if patients is None:
            severity = rng.normal(effect * (ill - 0.5))
        else:
            given = patients.iloc[place]
            number, patient, ill = int(given["number"]), given["patient_id"], int(given["outcome"])
            rng, severity = np.random.default_rng([seed, number]), given["effect"]
            noise_mv *= 3.0 ** given["shift"]
        names = [f"{patient}r{k}" for k in range(2 if number % 3 == 0 else 1)]
        for name in names:
            values, beats = _recording(rng, np.exp(0.15 * severity), noise_mv)
            lines = [f"rate_hz={RATE_HZ:g}", *(f"{value:.4f}" for value in values)]
            (out / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
            events += [(name, time_s, shape) for time_s, shape in beats]
        rows.append(
            {
                "patient_id": patient,
                "study_id": f"{patient}s",
                "subject_link": f"{first}twice" if number in LINKED else "",
                "path_ecg": ";".join(f"{name}.csv" for name in names),
                "x_ill": ill,
                "x_severity": round(severity, 4),
            }
        )
    pd.DataFrame(rows).to_csv(out / "cohort.csv", index=False)
    columns = ["recording_id", "time_s", "shape"]
    pd.DataFrame(events, columns=columns).to_csv(out / "beats.csv", index=False)


def _recording(
    rng: np.random.Generator, height_mv: float, noise_mv: float
) -> tuple[np.ndarray, list[tuple[float, str]]]:
    times = np.arange(0, DURATION_S, 1 / RATE_HZ)
    values = rng.normal(0, noise_mv, len(times))
    beats = []
    for centre in np.arange(0.6, DURATION_S - 0.6, 0.8) + rng.uniform(-0.05, 0.05):
        shape = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        sign = -1 if shape == "inverted" else 1
        values += sign * height_mv * np.exp(-(((times - centre) / WIDTH_S[shape]) ** 2) / 2)
        beats.append((round(float(centre), 3), shape))
    # An annotated beat that is too small to be found: it counts as missed.
    beats.append((round(DURATION_S - 0.1, 3), "narrow"))
    return values, beats
