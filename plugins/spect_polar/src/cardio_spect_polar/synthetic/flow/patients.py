"""People with risk factors, the myocardial flow that follows from them, and what flow can tell.

Risk factors come first and flow follows, so the probability of each factor given the true flow is
Bayes' rule over the 32 combinations of five factors, and with it the AUC that no model of the maps
can exceed is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

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


def draw_flow(
    n_patients: int, rng: np.random.Generator, effects: Effects | None = None
) -> TrueFlow:
    """Draw risk factors, then flow.

    Examples
    --------
    >>> drawn = draw_flow(2000, np.random.default_rng(0))
    >>> women = drawn.traits[:, 0] == 0
    >>> bool(abs(drawn.rest[women].mean() - drawn.rest[~women].mean() - 0.15) < 0.03)
    True
    """
    effects = effects or Effects()
    chance = np.array([effects.prevalence[name] for name in TRAITS])
    traits = (rng.uniform(size=(n_patients, len(TRAITS))) < chance).astype(np.int64)
    rest_mean, log_mfr_mean, p_stenosis = _flow_of(traits, effects)
    # A flow below 0.35 is scar, not rest flow of living wall.
    rest = np.maximum(rng.normal(rest_mean, effects.rest_sd), 0.35)
    log_mfr = rng.normal(log_mfr_mean, effects.log_mfr_sd)
    stenosed = rng.uniform(size=(n_patients, len(TERRITORIES))) < p_stenosis[:, None]
    severity = rng.uniform(0.45, 0.75, size=stenosed.shape)
    return TrueFlow(traits, rest, log_mfr, stenosed, severity)


def posterior(flow: TrueFlow, effects: Effects | None = None) -> NDArray[np.float64]:
    """Return the probability of each factor given a patient's true flow, shape (n, 5).

    Notes
    -----
    Bayes' rule over all combinations of factors. The floor of the flow at rest, which one man in
    300 reaches, is left out.
    """
    effects = effects or Effects()
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
