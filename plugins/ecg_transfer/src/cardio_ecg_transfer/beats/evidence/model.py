"""Fit the experts, and join what they say to the probabilities of AAMI's classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Targets
from cardio_ecg_transfer.beats.config import EvidenceBlock
from cardio_ecg_transfer.beats.epoch_draw import drawing_weights
from cardio_ecg_transfer.beats.evidence.experts import EXPERTS, Expert, chosen_columns, direction
from cardio_ecg_transfer.beats.evidence.trees import Trees, read_trees, trees_of
from cardio_ecg_transfer.signal.ectopy.planted import planted_rhythm
from cardio_ecg_transfer.signal.ectopy.timing import timing

BLOCK = "evidence"
SETTINGS = "model.json"
NEVER = 1e-6
"""Score of a class that this model does not call."""

SURE = 0.95
"""Score of Q where a detection lies in noise: a rule has no probability."""

_PATIENT_POWER = 0.5


def fit_evidence(
    training: FeatureSet, targets: Targets, config: EvidenceBlock, ctx: Context
) -> ModelArtifact:
    """Fit one set of boosted trees an expert, and write them with their settings.

    An expert one of whose sides has no beat in training is left out: it says no to all.
    """
    target = ctx.task.targets[0]
    label = targets.of(training.table, target.name).astype(str)
    patient = training.table["patient_id"].to_numpy(str)
    block = training[BLOCK]
    values, names = np.asarray(block.values, np.float64), block.names
    planted = _planted(names, config, ctx)
    fitted = []
    artifact = ModelArtifact(ctx.out)
    for name, expert in EXPERTS.items():
        parts = [_rows(expert, values, label, patient, config, ctx.rng(f"{name} beats"))]
        if not parts[0][1].any() or parts[0][1].all():
            continue
        if expert.planted and planted is not None:
            parts.append(_rows(expert, *planted, config, ctx.rng(f"{name} planted")))
        shares = (1 - config.planted_share, config.planted_share) if len(parts) > 1 else (1.0,)
        seed = ctx.seed_of(f"{name} trees")
        _fit(expert, names, parts, shares, config, seed).write(artifact.path / f"{name}.npz")
        fitted.append(name)
    artifact.write_json(
        SETTINGS,
        {
            "columns": list(names),
            "experts": fitted,
            "classes": list(target.classes),
            "shifts": {"S": config.shift_s, "V": config.shift_v},
            "reject_noise": config.reject_noise,
        },
    )
    return artifact


def score_evidence(model: ModelArtifact, features: FeatureSet) -> NDArray[np.float64]:
    """Return the probabilities of N, S, V, F and Q, shape (n_beats, 5)."""
    block = features[BLOCK]
    return scores_of(model, np.asarray(block.values, np.float64), block.names)


def scores_of(
    model: ModelArtifact, values: NDArray[np.float64], names: Sequence[str]
) -> NDArray[np.float64]:
    """Return the probabilities for rows of evidence.

    Raises
    ------
    DataError
        If the columns are not those that the model was fitted on (other leads, say).
    """
    about = model.read_json(SETTINGS)
    if list(names) != about["columns"]:
        raise DataError(
            f"expected the {len(about['columns'])} columns of evidence that the model was fitted "
            f"on, found {len(names)}; give recordings with as many leads (preprocess.leads)"
        )
    shift = about["shifts"]
    logits = {}
    for name, expert in EXPERTS.items():
        if name not in about["experts"]:
            logits[name] = np.full(len(values), -12.0)
            continue
        chosen = chosen_columns(names, expert.columns)
        trees = read_trees(model.path / f"{name}.npz", len(chosen))
        logits[name] = trees.logit(values[:, chosen])
    early = np.minimum(logits["rhythm"], logits["rhythm_and_p"])
    p_s = _logistic(early - shift["S"])
    p_v = _logistic(logits["ventricular"] - shift["V"])
    never = np.full(len(values), NEVER)
    scores = np.stack([(1 - p_v) * (1 - p_s), (1 - p_v) * p_s, p_v, never, never], axis=1)
    if about["reject_noise"]:
        lost = values[:, list(names).index("unreadable")] > 0.5
        scores[lost] *= 1 - SURE
        scores[lost, 4] = SURE
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


Rows = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]


def _rows(
    expert: Expert,
    values: NDArray[np.float64],
    label: NDArray[np.str_],
    patient: NDArray[np.str_],
    config: EvidenceBlock,
    rng: np.random.Generator,
) -> Rows:
    """Return the rows that an expert learns from, which are yes, and their weights (sum 1)."""
    used = np.isin(label, expert.yes + expert.no)
    used &= (label != "N") | (rng.random(len(label)) < config.normal_share)
    yes = np.isin(label[used], expert.yes)
    if not yes.any() or yes.all():
        return values[used], yes, np.ones(len(yes))
    shares = (1 - expert.share, expert.share)
    weights = drawing_weights(
        yes.astype(np.int64), patient[used], shares, patient_power=_PATIENT_POWER
    )
    return values[used], yes, weights


def _planted(
    names: Sequence[str], config: EvidenceBlock, ctx: Context
) -> tuple[NDArray[np.float64], NDArray[np.str_], NDArray[np.str_]] | None:
    """Return the timing of planted rhythms; whatever else is measured of a beat is missing."""
    if not config.n_planted:
        return None
    rng = ctx.rng("planted rhythms")
    values, labels, rhythms = [], [], []
    for number in range(config.n_planted):
        made = planted_rhythm(rng)
        when = timing(made.times_s, made.own)
        missing = np.full(len(made.label), np.nan)
        values.append(np.stack([when.get(name, missing) for name in names], axis=1))
        labels.append(made.label)
        rhythms.append(np.full(len(made.label), f"planted {number}"))
    return np.concatenate(values), np.concatenate(labels), np.concatenate(rhythms)


def _fit(
    expert: Expert,
    names: Sequence[str],
    parts: Sequence[Rows],
    shares: Sequence[float],
    config: EvidenceBlock,
    seed: int,
) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier

    chosen = chosen_columns(names, expert.columns)
    weights = np.concatenate(
        [share * part[2] / part[2].sum() for share, part in zip(shares, parts, strict=True)]
    )
    machine = HistGradientBoostingClassifier(
        max_iter=config.n_trees,
        learning_rate=config.learning_rate,
        max_leaf_nodes=config.n_leaves,
        min_samples_leaf=config.min_leaf,
        l2_regularization=config.penalty,
        max_features=0.4,
        max_bins=64,
        early_stopping=False,
        monotonic_cst=[direction(names[place]) for place in chosen],
        random_state=seed,
    )
    machine.fit(
        np.concatenate([part[0] for part in parts])[:, chosen],
        np.concatenate([part[1] for part in parts]),
        sample_weight=weights * len(weights),
    )
    return trees_of(machine)


def _logistic(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -30, 30))))
