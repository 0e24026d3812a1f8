"""A cohort with PET flow maps, known Bayes AUC, and two injected biases that an audit must find."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import write_truth
from cardio_spect_polar.synthetic.flow.maps import Scanner, measured, true_maps
from cardio_spect_polar.synthetic.flow.patients import (
    TERRITORIES,
    TRAITS,
    TrueFlow,
    draw_flow,
    posterior,
)

N_PATIENTS = 240
GROUPS = {"A": 0.5, "B": 0.35, "C": 0.15}
"""Values of `race_ethnicity` with their shares; they have no effect on flow."""
SITES = ("north", "south")
SCANNERS = ("one", "two")
COLUMN_OF = {"smoking": "smoking", "hypertension": "htn", "dyslipidaemia": "dyslipidaemia",
             "diabetes": "dm"}  # fmt: skip


@dataclass(frozen=True)
class Injected:
    """The biases of a cohort; zero and one leave them out.

    Attributes
    ----------
    label_noise : float
        Probability that diabetes is recorded wrongly in group B of `race_ethnicity`.
    scanner_gain : float
        What scanner two reads for a flow of one.
    """

    label_noise: float = 0.4
    scanner_gain: float = 1.25

    @classmethod
    def none(cls) -> Injected:
        """Return a cohort's lack of biases."""
        return cls(0.0, 1.0)


def write_flow_cohort(
    folder: Path, n_patients: int = N_PATIENTS, seed: int = 0, *, injected: Injected | None = None
) -> None:
    """Write maps/*, cohort.csv and truth.json.

    Parameters
    ----------
    folder : Path
        Must exist.
    n_patients : int
        How many.
    seed : int
        The only source of chance.
    injected : Injected, optional
        Biases; by default both.

    Notes
    -----
    ``bayes_auc`` of the truth is for the recorded traits (those with noise in their labels
    included), from the true flow and the patient's group; ``bayes_auc_of_true_traits`` is without
    noise in the labels. No model of the maps alone can rank better on average.
    """
    injected = injected or Injected()
    rng = np.random.default_rng([seed, n_patients])
    flow = draw_flow(n_patients, rng)
    people = [_person(number, flow.traits[number], rng) for number in range(n_patients)]
    noisy = np.array([person["race_ethnicity"] == "B" for person in people])
    wrong = noisy & (rng.uniform(size=n_patients) < injected.label_noise)
    recorded = flow.traits.copy()
    recorded[wrong, TRAITS.index("diabetes")] ^= 1
    (folder / "maps").mkdir()
    for number, person in enumerate(people):
        gain = injected.scanner_gain if person["scanner_id"] == "two" else 1.0
        own = np.random.default_rng([seed, n_patients, number])
        person |= _write_maps(folder, person["patient_id"], number, flow, Scanner(gain), own)
        person["sex"] = "FM"[recorded[number, 0]]
        person |= {c: int(recorded[number, TRAITS.index(t)]) for t, c in COLUMN_OF.items()}
    table = pd.DataFrame(people, dtype=object)
    table.to_csv(folder / "cohort.csv", index=False, lineterminator="\n")
    _write_truth(folder, seed, people, flow, noisy, wrong, injected)


def _person(number: int, traits: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Any]:
    """Draw what does not change flow; the columns of the cohort table."""
    return {
        "patient_id": f"f{number + 1:04d}",
        "timepoint": "baseline",
        "site_id": str(rng.choice(SITES, p=[0.6, 0.4])),
        "scanner_id": str(rng.choice(SCANNERS, p=[0.6, 0.4])),
        "race_ethnicity": str(rng.choice(list(GROUPS), p=list(GROUPS.values()))),
        "age_y": round(float(np.clip(rng.normal(66, 10), 30, 92)), 1),
        "bmi": round(float(np.clip(rng.normal(29, 5), 17, 55)), 1),
        "sex": "FM"[traits[0]],
    }


def _write_maps(
    folder: Path,
    patient_id: str,
    number: int,
    flow: TrueFlow,
    scanner: Scanner,
    rng: np.random.Generator,
) -> dict[str, str]:
    """Write rest and stress, as CSV and NPY in turn; every fourth patient brings his reserve."""
    rest, stress = (measured(part, scanner, rng) for part in true_maps(flow, number, rng))
    maps = {"rest": rest, "stress": stress}
    if number % 4 == 0:
        maps["reserve"] = stress / np.maximum(rest, 1e-6)
    paths = {"path_polarmap_rest": "", "path_polarmap_stress": "", "path_polarmap_reserve": ""}
    for name, values in maps.items():
        suffix = "csv" if number % 2 else "npy"
        file = folder / "maps" / f"{patient_id}-{name}.{suffix}"
        if suffix == "npy":
            np.save(file, values.astype(np.float32))
        else:
            np.savetxt(file, values, delimiter=",", fmt="%.4f", encoding="utf-8")
        paths[f"path_polarmap_{name}"] = f"maps/{file.name}"
    return paths


def _write_truth(
    folder: Path,
    seed: int,
    people: list[dict[str, Any]],
    flow: TrueFlow,
    noisy: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    injected: Injected,
) -> None:
    true = posterior(flow)
    seen = true.copy()
    place, q = TRAITS.index("diabetes"), injected.label_noise
    seen[noisy, place] = true[noisy, place] * (1 - q) + (1 - true[noisy, place]) * q
    write_truth(
        folder / "truth.json",
        {
            "kind": "flow",
            "seed": seed,
            "bayes_auc": _areas(seen),
            "bayes_auc_of_true_traits": _areas(true),
            "bayes_auc_of": "all patients, from their true flow and, for recorded traits, group",
            "injected": {
                "label_noise": {"trait": "diabetes", "column": "race_ethnicity", "group": "B",
                                "probability": q},
                "scanner_shift": {"column": "scanner_id", "group": "two",
                                  "gain": injected.scanner_gain},
            },
            "patients": {
                person["patient_id"]: {
                    "rest_ml_min_g": flow.rest[i],
                    "mfr_without_stenosis": np.exp(flow.log_mfr[i]),
                    "stenosed": [t for t, has in zip(TERRITORIES, flow.stenosed[i], strict=True)
                                 if has],
                    "traits": dict(zip(TRAITS, flow.traits[i].tolist(), strict=True)),
                    "probability": dict(zip(TRAITS, true[i], strict=True)),
                    "diabetes_recorded_wrongly": bool(wrong[i]),
                }
                for i, person in enumerate(people)
            },
        },
    )  # fmt: skip


def _areas(probability: NDArray[np.float64]) -> dict[str, float | None]:
    return {
        name: stats.stated_bayes_auc(probability[:, place]) for place, name in enumerate(TRAITS)
    }
