"""The cohort of PET flow maps, with known Bayes AUC and two injected biases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

import cardio_stats as stats
from cardio_core.api import write_truth
from cardio_spect_polar.polar.maps import segments_of

TRAITS = ("sex", "smoking", "hypertension", "dyslipidaemia", "diabetes")
"""1 is male for sex, and having it for the others."""

TERRITORIES = ("LAD", "RCA", "LCX")


@dataclass(frozen=True)
class Effects:
    """How risk factors change flow. Dyslipidaemia changes nothing: it is the null trait.

    Attributes
    ----------
    prevalence : mapping of str to float
        Of each factor; they are independent of one another.
    rest_mean, rest_sd : float
        Flow at rest of men, ml/min/g.
    women_add : float
        Added to the flow at rest of women, ml/min/g.
    log_mfr_mean, log_mfr_sd : float
        Natural logarithm of the global, microvascular flow reserve without risk factors.
    hypertension_log_mfr, diabetes_log_mfr : float
        Added to it.
    stenosis, smoker_stenosis : float
        Probability of a stenosis in each of three territories, without and with smoking.
    """

    prevalence: Mapping[str, float] = field(
        default_factory=lambda: {
            "sex": 0.55, "smoking": 0.35, "hypertension": 0.55, "dyslipidaemia": 0.5,
            "diabetes": 0.35,
        }
    )  # fmt: skip
    rest_mean: float = 0.9
    rest_sd: float = 0.2
    women_add: float = 0.15
    log_mfr_mean: float = float(np.log(3.0))
    log_mfr_sd: float = 0.25
    hypertension_log_mfr: float = -0.15
    diabetes_log_mfr: float = -0.4
    stenosis: float = 0.1
    smoker_stenosis: float = 0.4


@dataclass(frozen=True)
class TrueFlow:
    """Factors and flow of n patients.

    Attributes
    ----------
    traits : ndarray of int, shape (n, 5)
        In the order of `TRAITS`.
    rest : ndarray, shape (n,)
        Mean flow at rest, ml/min/g.
    log_mfr : ndarray, shape (n,)
        Logarithm of the reserve of territories without a stenosis.
    stenosed : ndarray of bool, shape (n, 3)
        In the order of `TERRITORIES`.
    severity : ndarray, shape (n, 3)
        Share of the reserve that a stenosis leaves.
    """

    traits: NDArray[np.int64]
    rest: NDArray[np.float64]
    log_mfr: NDArray[np.float64]
    stenosed: NDArray[np.bool_]
    severity: NDArray[np.float64]


def draw_flow(n_patients: int, rng: np.random.Generator) -> TrueFlow:
    """Draw risk factors, then flow.

    Examples
    --------
    >>> drawn = draw_flow(2000, np.random.default_rng(0))
    >>> women = drawn.traits[:, 0] == 0
    >>> bool(abs(drawn.rest[women].mean() - drawn.rest[~women].mean() - 0.15) < 0.03)
    True
    """
    effects = Effects()
    chance = np.array([effects.prevalence[name] for name in TRAITS])
    traits = (rng.uniform(size=(n_patients, len(TRAITS))) < chance).astype(np.int64)
    rest_mean, log_mfr_mean, p_stenosis = _flow_of(traits, effects)
    # A flow below 0.35 is scar, not rest flow of living wall.
    rest = np.maximum(rng.normal(rest_mean, effects.rest_sd), 0.35)
    log_mfr = rng.normal(log_mfr_mean, effects.log_mfr_sd)
    stenosed = rng.uniform(size=(n_patients, len(TERRITORIES))) < p_stenosis[:, None]
    severity = rng.uniform(0.45, 0.75, size=stenosed.shape)
    return TrueFlow(traits, rest, log_mfr, stenosed, severity)


def posterior(flow: TrueFlow) -> NDArray[np.float64]:
    """Return the probability of each factor given a patient's true flow, shape (n, 5).

    Notes
    -----
    Bayes' rule over all combinations of factors. The floor of the flow at rest, which one man in
    300 reaches, is left out.
    """
    effects = Effects()
    combinations = np.array(list(product((0, 1), repeat=len(TRAITS))))
    chance = np.array([effects.prevalence[name] for name in TRAITS])
    log_prior = np.log(np.where(combinations == 1, chance, 1 - chance)).sum(axis=1)
    rest_mean, log_mfr_mean, p_stenosis = _flow_of(combinations, effects)
    n_stenosed = flow.stenosed.sum(axis=1)[:, None]
    log_joint = (
        log_prior
        - (flow.rest[:, None] - rest_mean) ** 2 / (2 * effects.rest_sd**2)
        - (flow.log_mfr[:, None] - log_mfr_mean) ** 2 / (2 * effects.log_mfr_sd**2)
        + n_stenosed * np.log(p_stenosis)
        + (len(TERRITORIES) - n_stenosed) * np.log(1 - p_stenosis)
    )
    joint = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
    return np.asarray((joint / joint.sum(axis=1, keepdims=True)) @ combinations)


def _flow_of(
    traits: NDArray[np.int64], effects: Effects
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return mean flow at rest, mean log reserve and chance of a stenosis, by factors."""
    has = dict(zip(TRAITS, traits.T, strict=True))
    rest = effects.rest_mean + effects.women_add * (1 - has["sex"])
    log_mfr = (
        effects.log_mfr_mean
        + effects.hypertension_log_mfr * has["hypertension"]
        + effects.diabetes_log_mfr * has["diabetes"]
    )
    stenosis = np.where(has["smoking"] == 1, effects.smoker_stenosis, effects.stenosis)
    return rest, log_mfr, stenosis


Floats = NDArray[np.float64]

N_RINGS, N_ANGLES = 24, 72

SEGMENTS_OF_TERRITORY = {
    "LAD": (1, 2, 7, 8, 13, 14, 17),
    "RCA": (3, 4, 9, 10, 15),
    "LCX": (5, 6, 11, 12, 16),
}
"""Cerqueira et al., Circulation 2002;105:539, figure 5."""


@dataclass(frozen=True)
class Scanner:
    """How a scanner turns flow into a map.

    Attributes
    ----------
    gain : float
        Of every flow; a scanner that reads 15 % too high has 1.15. Reserve does not change.
    counts_per_flow : float
        Counts of a pixel per ml/min/g: 100 give 10 % noise at a flow of 1.
    blur_rings, blur_angles : float
        SD of the spill-over between neighbours, in rings and in angles.
    apex_recovery : float
        Share of the flow recovered at the thin apex.
    """

    gain: float = 1.0
    counts_per_flow: float = 60.0
    blur_rings: float = 1.0
    blur_angles: float = 2.0
    apex_recovery: float = 0.85


def grid_places() -> tuple[Floats, Floats]:
    """Return arc (0 at the apex, 1 at the base) and angle (degrees) of every pixel of the grid.

    Examples
    --------
    >>> arc, angle_deg = grid_places()
    >>> arc.shape, float(arc[-1, 0]), float(angle_deg[0, -1])
    ((24, 72), 0.9791666666666666, 355.0)
    """
    arc = (np.arange(N_RINGS) + 0.5) / N_RINGS
    angle_deg = np.arange(N_ANGLES) * 360.0 / N_ANGLES
    grid = np.meshgrid(arc, angle_deg, indexing="ij")
    return grid[0], grid[1]


def true_maps(flow: TrueFlow, patient: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return one patient's flow at rest and at stress, shape (24, 72), ml/min/g, noise-free.

    Rest and stress share their texture, whose mean is 1, so that the mean flow is the drawn one.
    """
    arc, angle_deg = grid_places()
    texture = np.ones_like(arc)
    for order in (1, 2):
        size, at_deg = rng.normal(0, 0.04), rng.uniform(0, 360)
        texture += size * np.cos(np.radians(order * (angle_deg - at_deg)))
    texture /= texture.mean()
    segments = segments_of(arc, angle_deg)
    reserve = np.full(arc.shape, np.exp(flow.log_mfr[patient]))
    for place, name in enumerate(TERRITORIES):
        if flow.stenosed[patient, place]:
            inside = np.isin(segments, SEGMENTS_OF_TERRITORY[name])
            reserve[inside] *= flow.severity[patient, place]
    rest = flow.rest[patient] * texture
    return rest, rest * reserve


def measured(flow: Floats, scanner: Scanner, rng: np.random.Generator) -> Floats:
    """Return a map as the scanner gives it, ml/min/g, never negative."""
    arc, _ = grid_places()
    recovery = 1 - (1 - scanner.apex_recovery) * np.clip(1 - arc / 0.3, 0, 1)
    counts = rng.poisson(_blurred(flow * recovery, scanner) * scanner.counts_per_flow)
    # The reconstruction filter smooths noise as much as the wall.
    return scanner.gain * _blurred(counts / scanner.counts_per_flow, scanner)


def _blurred(values: Floats, scanner: Scanner) -> Floats:
    along_rings = gaussian_filter1d(values, scanner.blur_rings, axis=0, mode="nearest")
    made: Floats = gaussian_filter1d(along_rings, scanner.blur_angles, axis=1, mode="wrap")
    return made


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
        patient_rng = np.random.default_rng([seed, n_patients, number])
        person |= _write_maps(
            folder, person["patient_id"], number, flow, Scanner(gain), patient_rng
        )
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
