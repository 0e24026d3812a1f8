"""What a fusion adds: to the clinical model, to the guideline, and to each member alone.

Everything is of out-of-fold scores on the patients whom both models scored; nothing is of patients
whom a weight was fitted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.errors import DataError
from cardio_core.evaluation.parts import noting
from cardio_core.evaluation.pooling import pooled
from cardio_core.stats import (
    bootstrap_sums,
    delong_covariance,
    max_z_adjusted,
    reclassification_index,
)
from cardio_core.stats.classification.decision_analysis import net_benefit
from cardio_core.studies.fused.members import BOTH, CLINICAL, FUSION, GUIDELINE, MEAN
from cardio_core.studies.pairs import likelihood_added
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Target
from cardio_core.types.notes import Note
from cardio_core.types.report import Metric, Scope

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Probabilities from which one would act, at which net benefit is tabulated."""
CLIP = 1e-6


@dataclass
class Added:
    """Metrics with `versus`, tables, and notes on what was not computed."""

    metrics: list[Metric] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def added_value(
    frame: pd.DataFrame, target: Target, titles: Mapping[str, str], config: EvaluateBlock, seed: int
) -> Added:
    """Say what fusing adds to each other model.

    Parameters
    ----------
    frame : DataFrame
        Out-of-fold rows of every model.
    target : Target
    titles : mapping of str to str
        Of the models.
    config : EvaluateBlock
    seed : int

    Returns
    -------
    Added
        Likelihood ratio of adding the fused score to the other, differences of the mean log score
        and of the Brier score, NRI and IDI with their warning; tables ``incremental`` and
        ``net-benefit``.
    """
    found = Added()
    tables = {
        str(name): pooled(frame, target, str(name)).set_index("unit_id")
        for name in frame["model"].unique()
    }
    lines = []
    for base in tables:
        if base in (FUSION, BOTH, MEAN):
            continue
        with_base = BOTH if base == CLINICAL else FUSION
        made = _pair(found, tables, base, with_base, target, config, seed)
        lines.append(_line(titles[base], titles[with_base], made))
    found.tables["incremental"] = pd.DataFrame(lines)
    found.tables["net-benefit"] = _net_benefit(found, tables, titles, target, config, seed)
    return found


def _pair(
    found: Added,
    tables: Mapping[str, pd.DataFrame],
    base: str,
    fused: str,
    target: Target,
    config: EvaluateBlock,
    seed: int,
) -> dict[str, Estimate]:
    """Compare a fused model with another on the patients of both (and of the bare fusion)."""
    score = f"score:{target.classes[1]}"
    both = tables[base].index.intersection(tables[fused].index).intersection(tables[FUSION].index)
    truth = (tables[base].loc[both, "y_true"] == target.classes[1]).to_numpy(int)
    p = {name: tables[name].loc[both, score].to_numpy(float) for name in {base, fused, FUSION}}
    about = f"What {fused} adds to {base}:"
    made: dict[str, Estimate] = {}
    with noting(found.notes, f"{about} no likelihood ratio;"):
        made["likelihood_ratio_added"] = _likelihood(truth, p[base], p[FUSION])
    if base != GUIDELINE:  # a yes or no is no probability
        with noting(found.notes, f"{about} no difference of scores;"):
            for one in _differences(truth, p[base], p[fused], config, seed):
                made[one.name] = one
        with noting(found.notes, f"{about} no reclassification;"):
            indices = reclassification_index(
                truth, p[base], p[fused], level=config.level, unit="patient"
            )
            made |= {name: indices[name] for name in ("nri", "idi")}
    place = Scope(task="fused", target=target.name, model=fused, versus=base)
    found.metrics += [Metric(one, place) for one in made.values()]
    return made


def _likelihood(truth: np.ndarray, base: np.ndarray, fused: np.ndarray) -> Estimate:
    """Return the likelihood-ratio test of the fused log odds beside the other model's."""
    made = likelihood_added(truth, base, fused)
    return made.replace(
        method=f"{made.method}, on out-of-fold scores as log odds",
        note="Both scores are out of fold; the two coefficients that join them are not.",
    )


def _differences(
    truth: np.ndarray, base: np.ndarray, fused: np.ndarray, config: EvaluateBlock, seed: int
) -> list[Estimate]:
    """Return how much better the fused probabilities tell the outcome, patient by patient."""
    rows = [np.ones(len(truth))]
    for one, sign in ((fused, 1.0), (base, -1.0)):
        sure = np.clip(one, CLIP, 1 - CLIP)
        rows += [
            sign * np.where(truth == 1, np.log(sure), np.log(1 - sure)),
            sign * (one - truth) ** 2,
        ]
    parts = np.column_stack([rows[0], rows[1] + rows[3], rows[2] + rows[4]])
    made = bootstrap_sums(
        parts,
        lambda sums: np.stack([sums[..., 1] / sums[..., 0], sums[..., 2] / sums[..., 0]], axis=-1),
        ["log_score_difference", "brier_difference"],
        n_resamples=config.n_resamples, seed=seed, level=config.level, unit="patient",
    )  # fmt: skip
    return [one.replace(method=f"{one.method}, paired, out of fold") for one in made]


def _line(base: str, fused: str, made: Mapping[str, Estimate]) -> dict[str, object]:
    line: dict[str, object] = {"model": fused, "beyond": base}
    ratio = made.get("likelihood_ratio_added")
    if ratio is not None:
        line |= {"n_patients": ratio.n, "n_events": int(ratio.extra["n_events"]),
                 "likelihood_ratio_added": ratio.value, "p": ratio.p_value}  # fmt: skip
    for name in ("log_score_difference", "brier_difference"):
        if name in made:
            one = made[name]
            line |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    return line


def _net_benefit(
    found: Added,
    tables: Mapping[str, pd.DataFrame],
    titles: Mapping[str, str],
    target: Target,
    config: EvaluateBlock,
    seed: int,
) -> pd.DataFrame:
    """Tabulate net benefit of the fusion less that of each other model, on the patients of both."""
    score = f"score:{target.classes[1]}"
    lines = []
    for base, table in tables.items():
        if base in (FUSION, BOTH):
            continue
        both = table.index.intersection(tables[FUSION].index)
        truth = (table.loc[both, "y_true"] == target.classes[1]).to_numpy(int)
        p = {n: tables[n].loc[both, score].to_numpy(float) for n in (FUSION, base)}
        for threshold in THRESHOLDS:
            gains = {
                n: np.where(one >= threshold,
                            np.where(truth == 1, 1.0, -threshold / (1 - threshold)), 0.0)
                for n, one in p.items()
            }  # fmt: skip
            rows = np.column_stack([np.ones(len(truth)), gains[FUSION] - gains[base]])
            with noting(found.notes, f"Net benefit against {base} at {threshold:g}:"):
                [made] = bootstrap_sums(
                    rows, lambda sums: (sums[..., 1] / sums[..., 0])[..., None],
                    ["net_benefit_difference"],
                    n_resamples=config.n_resamples, seed=seed, level=config.level, unit="patient",
                )  # fmt: skip
                own = {
                    n: net_benefit(truth, one, threshold, unit="patient").value
                    for n, one in p.items()
                }
                lines.append(
                    {"threshold": threshold, "against": titles[base], "n_patients": len(both),
                     "net_benefit_fusion": own[FUSION], "net_benefit_other": own[base],
                     "difference": round(made.value, 9), "low": _digits(made.low),
                     "high": _digits(made.high)}
                )  # fmt: skip
    return pd.DataFrame(lines)


def _digits(limit: float | None) -> float | None:
    """Return a limit without what is lost in rounding: a difference of nothing is 0."""
    return None if limit is None else round(limit, 9)


def adjusted_pairs(
    frame: pd.DataFrame, target: Target, *, seed: int
) -> dict[tuple[str, str], float]:
    """Return p of every paired difference of two areas, adjusted for all pairs (max-T).

    A pair is of the patients whom both models scored, so pairs are of different patients. What each
    person adds to each difference (DeLong's placements) tells how the differences go together.
    """
    score = f"score:{target.classes[1]}"
    names = [str(name) for name in frame["model"].unique()]
    tables = {name: pooled(frame, target, name).set_index("unit_id") for name in names}
    pairs: list[tuple[str, str]] = []
    values: list[float] = []
    influence: list[pd.Series] = []
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            both = tables[one].index.intersection(tables[other].index)
            truth = (tables[one].loc[both, "y_true"] == target.classes[1]).to_numpy(int)
            try:
                made = delong_covariance(
                    truth, *(tables[name].loc[both, score].to_numpy(float) for name in (one, other))
                )
            except DataError:
                continue
            people = tables[one].loc[both, "subject_id"].to_numpy()
            own = pd.Series(made.influence[0] - made.influence[1], people).groupby(level=0).sum()
            if float((own**2).sum()) > 1e-15:
                pairs.append((one, other))
                values.append(float(made.aucs[0] - made.aucs[1]))
                influence.append(own)
    if len(pairs) < 2:
        return {}
    wide = pd.concat(influence, axis=1).fillna(0.0).to_numpy()
    adjusted = max_z_adjusted(values, wide.T @ wide, seed=seed)
    return {pair: float(p) for pair, p in zip(pairs, adjusted, strict=True)}
