"""The model on what is measured of each beat: experts on rhythm, P wave, shape and noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Targets, canvas
from cardio_ecg_transfer.beats.config import EvidenceBlock
from cardio_ecg_transfer.beats.epoch_draw import drawing_weights
from cardio_ecg_transfer.signal.ectopy.evidence import timing
from cardio_ecg_transfer.signal.ectopy.planted import planted_rhythm

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIELDS = ("value", "feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "is_leaf")


@dataclass(frozen=True)
class Trees:
    """A sum of trees, whose logistic function is a probability.

    Attributes
    ----------
    nodes : dict of str to ndarray, shape (n_nodes,)
        `FIELDS` of all trees, one after another; ``left`` and ``right`` count from the tree's root.
    starts : ndarray of int64, shape (n_trees + 1,)
        Where each tree begins.
    baseline : float
        What is added to their sum.
    """

    nodes: dict[str, NDArray[Any]]
    starts: NDArray[np.int64]
    baseline: float

    def logit(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the sum for rows (n, n_features); a NaN goes where its training put it."""
        total = np.full(len(values), self.baseline)
        rows = np.arange(len(values))
        nodes = self.nodes
        for first in self.starts[:-1]:
            at = np.full(len(values), first)
            while not nodes["is_leaf"][at].all():
                value = values[rows, nodes["feature_idx"][at]]
                below = value <= nodes["num_threshold"][at]
                left = np.where(np.isnan(value), nodes["missing_go_to_left"][at], below)
                step = first + np.where(left.astype(bool), nodes["left"][at], nodes["right"][at])
                at = np.where(nodes["is_leaf"][at], at, step)
            total += nodes["value"][at]
        return total

    def write(self, path: Path) -> None:
        """Write them as arrays without objects."""
        with path.open("wb") as file:
            arrays: dict[str, Any] = {"starts": self.starts, "baseline": np.array(self.baseline)}
            np.savez_compressed(file, allow_pickle=False, **arrays, **self.nodes)


def trees_of(fitted: Any) -> Trees:
    """Return the trees of a fitted binary HistGradientBoostingClassifier."""
    each = [stage[0].nodes for stage in fitted._predictors]
    starts = np.cumsum([0, *(len(entry) for entry in each)]).astype(np.int64)
    nodes = {name: np.concatenate([item[name] for item in each]) for name in FIELDS}
    return Trees(nodes, starts, float(np.ravel(fitted._baseline_prediction)[0]))


def read_trees(path: Path, n_features: int) -> Trees:
    """Read trees that `Trees.write` wrote.

    Raises
    ------
    DataError
        If the file is none of these, or a node points outside its tree or back.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            nodes = {name: file[name] for name in FIELDS}
            starts, baseline = file["starts"].astype(np.int64), float(file["baseline"])
    except (OSError, KeyError, ValueError) as error:
        raise DataError(
            f"{path.name}: expected boosted trees, found a file that cannot be read "
            f"({type(error).__name__}); fit the model again"
        ) from error
    own = np.arange(len(nodes["left"])) - np.repeat(starts[:-1], np.diff(starts))
    size = np.repeat(np.diff(starts), np.diff(starts))
    inner = nodes["is_leaf"] == 0
    for side in ("left", "right"):
        to = nodes[side].astype(np.int64)
        if (inner & ((to <= own) | (to >= size))).any():
            raise DataError(
                f"{path.name}: expected trees whose nodes lead on, found one that leads outside "
                "its tree or back; fit the model again"
            )
    if (inner & (nodes["feature_idx"] >= n_features)).any():
        raise DataError(
            f"{path.name}: expected trees on {n_features} columns, found one on more; "
            "fit the model again"
        )
    return Trees(nodes, starts, baseline)


RHYTHM = (
    "rr_to_near", "rr_to_near_long", "rr_to_far_long", "rr_to_mean", "rr_to_median", "rr_to_q95",
    "rr_to_last", "rr_to_last5", "rr_to_last8", "rr_to_next8", "rr_to_next", "pair_to_near",
    "next_to_near", "previous_rr_to_near", "following_next_to_near", "change", "unlike",
    "since_own", "previous_foreign", "next_foreign",
)  # fmt: skip
P_WAVE = ("p_cosine", "p_cosine_z", "p_distance_z", "hidden_z", "p_strength")
WHEN = ("rr_to_near", "rr_to_next", "pair_to_near", "rr_to_median", "change")
P_BRIEF = ("p_cosine_here", "p_cosine_z")
SHAPE = (
    "own_cosine", "own_distance", "own_distance_z", "group_cosine", "group_share",
    "group_own_cosine", "width", "width_to_own", "w90", "w90_beyond_own", "cosine", "size",
    "height", "slope", "skew", "skew_beyond_own", "half_width", "half_width_beyond_own",
    "foreign_cosine", "mix", "mix_left", "mix_gain", "t_cosine", "t_size", "shift_s",
    "group_rr_to_near", "group_pair_to_near", "group_rr_to_next", "group_p_cosine_z",
    "group_width",
)  # fmt: skip
NOISE = (
    "hiss", "hiss_least", "hiss_near", "loud", "loud_least", "restless", "restless_least",
    "restless_near", "drift", "rare_near",
)  # fmt: skip
PARTS = {
    "timing": RHYTHM,
    "P wave": (*P_WAVE, "p_cosine_here"),
    "shape": SHAPE,
    "noise": (*NOISE, "unreadable"),
}
"""What the columns are about, for the explanation."""

_FALLING = ("unlike", "p_cosine", "p_cosine_z", "p_cosine_here", "own_cosine", "group_own_cosine")
_RISING = ("p_distance_z", "width", "group_width")


@dataclass(frozen=True)
class Expert:
    """One question, put to boosted trees.

    Attributes
    ----------
    columns : tuple of str
        What it sees; a name stands for that column in every lead.
    yes, no : tuple of str
        Classes that it tells apart; beats of others are left out.
    share : float
        Share of ``yes`` in its training.
    planted : bool
        Whether it learns from planted rhythms, too.
    """

    columns: tuple[str, ...]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    share: float
    planted: bool = False


EXPERTS = {
    "rhythm": Expert(RHYTHM, ("S",), ("N",), 0.25, planted=True),
    "rhythm_and_p": Expert((*RHYTHM, *P_WAVE), ("S",), ("N",), 0.25, planted=True),
    "ventricular": Expert((*SHAPE, *WHEN, *P_BRIEF, *NOISE), ("V",), ("N", "S"), 0.35),
}
"""A beat is supraventricular where timing alone and timing with P wave both say so. Fusion beats
teach nothing and are never called: 373 of the 415 in DS1 are one man's, and what was learnt of them
found none of the others' (cross-validation by record)."""


def chosen_columns(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the positions of the wanted columns; ``size`` stands for ``size:0`` and ``size:1``.

    Examples
    --------
    >>> chosen_columns(["size:0", "size:1", "width"], ["width", "size"])
    [0, 1, 2]
    """
    return [place for place, name in enumerate(names) if name.partition(":")[0] in wanted]


def direction(name: str) -> int:
    """Return -1 where more of it may only speak against an ectopic beat, 1 for, 0 either way."""
    if name.startswith("rr_to_") or name in _FALLING:
        return -1
    return int(name in _RISING)


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


WHAT_TO_SEE = (
    "Each bar is how much the log odds of {what} fall where that part of what was measured is "
    "replaced by the recording's usual one (the median of its beats called normal): to the right "
    "what spoke for it, to the left what spoke against it. Parts overlap, so bars need not add up."
)
"""Caption of a case; `what` is the beat as it was called."""


def parts_of(
    model: ModelArtifact,
    features: FeatureSet,
    scores: NDArray[np.floating],
    chosen: NDArray[np.intp],
) -> list[dict[str, float]]:
    """Return, for each chosen beat, what each part of its evidence adds to its class's log odds.

    Parameters
    ----------
    model : ModelArtifact
        The model `evidence`.
    features : FeatureSet
        With the block `evidence`.
    scores : ndarray, shape (n_beats, n_classes)
        As predicted.
    chosen : ndarray of int, shape (n_chosen,)
        Positions of the beats.

    Returns
    -------
    list of dict
        By the names of `PARTS`.
    """
    block = features[BLOCK]
    names = block.names
    values = np.asarray(block.values, np.float64)
    recording = features.table["recording_id"].to_numpy(str)
    called = scores.argmax(axis=1)
    found = []
    for position in chosen:
        here = recording == recording[position]
        normal = here & (called == 0)
        usual = np.median(values[normal if normal.any() else here], axis=0)
        rows = np.repeat(values[position][None], len(PARTS) + 1, axis=0)
        for row, part in enumerate(PARTS.values(), start=1):
            columns = chosen_columns(names, part)
            rows[row, columns] = usual[columns]
        made = np.clip(scores_of(model, rows, names)[:, called[position]], 1e-6, 1 - 1e-6)
        odds = np.log(made / (1 - made))
        found.append(
            {name: float(odds[0] - odd) for name, odd in zip(PARTS, odds[1:], strict=True)}
        )
    return found


def bars(parts: dict[str, float]) -> Callable[[Figure], None]:
    """Return a function that draws the parts as bars, the first on top."""

    def draw(figure: Figure) -> None:
        figure.set_size_inches(5.2, 2.4)
        axes = figure.subplots()
        values = list(parts.values())[::-1]
        axes.barh(list(parts)[::-1], values, color=canvas.BLUE, height=0.6)
        axes.axvline(0, color=canvas.INK, linewidth=0.8)
        reach = 1.15 * max(1.0, *(abs(value) for value in values))
        axes.set_xlim(-reach, reach)
        canvas.bare_axes(axes, x="log odds added to the class called")

    return draw
