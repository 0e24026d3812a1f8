"""Two-step transfer: first the reserve, then one risk factor; and the regression beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cardio_core.api import (
    ArrayExamples,
    Context,
    DataError,
    FeatureSet,
    ModelArtifact,
    Note,
    SafeName,
    Targets,
)
from cardio_spect_polar.flow.config import TrainBlock
from cardio_spect_polar.flow.models import N_SEGMENTS, map_of
from cardio_spect_polar.networks.flow_resnet import FlowResNet, Tail, Trunk

MIN_PER_CLASS = 2


@dataclass(frozen=True)
class Labels:
    """What is known of one factor among the training patients.

    Attributes
    ----------
    known : ndarray of int64
        Positions of the samples whose label is known.
    y : ndarray of float32
        Their labels, 1 and 0.
    """

    known: NDArray[np.int64]
    y: NDArray[np.float32]

    @property
    def learnable(self) -> bool:
        """Whether there are two patients or more with and without it."""
        n_with = int((self.y == 1).sum())
        return min(n_with, self.y.size - n_with) >= MIN_PER_CLASS

    @property
    def constant(self) -> float:
        """Probability to give where nothing can be learnt: the base rate, or one half."""
        return float(np.clip(self.y.mean(), 0.01, 0.99)) if self.y.size else 0.5

    def constant_note(self, target: str) -> str:
        """Return the note for the report where nothing can be learnt."""
        n_with = int((self.y == 1).sum())
        return (
            f"{target} is not learnt: {n_with} training patients have it, {self.y.size - n_with} "
            "do not, and the others' records do not say; everybody is given the base rate"
        )


def labels_of(features: FeatureSet, targets: Targets, target: str) -> Labels:
    """Return the known labels of one factor."""
    y = np.asarray(targets.of(features.table, target), dtype=float)
    known = np.flatnonzero(np.isfinite(y))
    return Labels(known, y[known].astype(np.float32))


@dataclass(frozen=True)
class Pictures:
    """Pictures of one map.

    Attributes
    ----------
    pictures : array-like of uint8, shape (n, 1, size, size)
        On disk until a batch asks for them.
    targets : ndarray of float32, shape (n, ...), or None
        None for new patients.
    gain : float
        Multiplies what the pictures show; full brightness stays the largest.
    """

    pictures: Any
    targets: NDArray[np.float32] | None = None
    gain: float = 1.0

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch; see `cardio_core.training`. Nothing is augmented.

        A polar map has one orientation and absolute values: turned, mirrored or brightened it
        would be another patient's.
        """
        images = torch.from_numpy(np.asarray(self.pictures[indices])).float().div_(255)
        if self.gain != 1:
            images = (images * self.gain).clamp_(max=1.0)
        made: dict[str, Any] = {"inputs": images}
        if self.targets is not None:
            made["targets"] = torch.from_numpy(self.targets[indices])
        return made


def fit_regressions(
    training: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context
) -> ModelArtifact:
    """Fit one regression for every risk factor; missing segments become the training median."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    artifact = ModelArtifact(ctx.out)
    vectors = vectors_of(training, map_of(ctx), config.global_mean)
    notes, constants = list[Note](), {}
    for target in ctx.task.targets:
        labels = labels_of(training, targets, target.name)
        if not labels.learnable:
            constants[target.name] = labels.constant
            notes.append(Note("not_fitted", labels.constant_note(target.name)))
            continue
        estimator = make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=config.logistic_c, max_iter=2000),
        )
        estimator.fit(vectors[labels.known], labels.y.astype(np.int64))
        artifact.save_estimator(estimator, SafeName(target.name, ".skops"))
    artifact.write_json(
        "model.json",
        {"map": map_of(ctx), "global_mean": config.global_mean, "constants": constants},
    )
    return ModelArtifact(artifact.path, None, tuple(notes))


def score_logistic(
    artifact: ModelArtifact, features: FeatureSet, ctx: Context, *, gain: float = 1.0
) -> dict[str, NDArray[np.float64]]:
    """Return the probability of each factor, by target, shape (n_samples,).

    Parameters
    ----------
    artifact, features, ctx
        What scores whom.
    gain : float
        Multiplies the segments.
    """
    about = artifact.read_json("model.json")
    vectors = gain * vectors_of(features, str(about["map"]), bool(about["global_mean"]))
    constants, scores = about["constants"], {}
    for target in ctx.task.targets:
        if target.name in constants:
            scores[target.name] = np.full(len(vectors), constants[target.name])
            continue
        estimator = artifact.load_estimator(SafeName(target.name, ".skops"))
        scores[target.name] = np.asarray(estimator.predict_proba(vectors)[:, 1], np.float64)
    return scores


def vectors_of(features: FeatureSet, name: str, global_mean: bool) -> NDArray[np.float64]:
    """Return the segments of one map, with their mean or without, shape (n_samples, 18 or 17)."""
    values = np.asarray(features[f"segments_{name}"].in_units(), np.float64)
    return values if global_mean else values[:, :N_SEGMENTS]


N_OUTPUTS = N_SEGMENTS + 1
SEGMENTS = tuple(f"mfr_{n:02d}" for n in range(1, N_SEGMENTS + 1))


def train_step_one(
    training: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context
) -> ModelArtifact:
    """Fit one network to 17 reserves (Huber) and impaired reserve (log loss) together.

    Its head starts at the training patients' means, so that it only learns what differs.
    """
    torch.manual_seed(ctx.seed_of("weights"))
    y = np.column_stack(
        [np.asarray(targets.of(training.table, n), float) for n in (*SEGMENTS, "impaired")]
    ).astype(np.float32)
    settings: dict[str, Any] = {"width_mult": config.width_mult, "small_stem": config.small_stem}
    network = FlowResNet(N_OUTPUTS, **settings)
    notes: tuple[Note, ...] = ()
    if config.weights is not None:
        notes = (Note("start", _start_from_file(network, Path(config.weights), config, ctx)),)
    start_at_means(network.fc, y)
    fitted = ctx.fit(
        network,
        Pictures(training[f"picture_{map_of(ctx)}"].values, y),
        None,
        plan=config.fit,
        loss=two_part_loss(config.huber_delta, config.impaired_weight),
    )
    artifact = ModelArtifact(ctx.out, None, (*notes, *fitted.notes))
    artifact.write_json("model.json", {"network": settings, "map": map_of(ctx)} | seen_in(training))
    return artifact


def open_step_one(artifact: ModelArtifact) -> FlowResNet:
    """Return the fitted network of step one in evaluation mode."""
    network = FlowResNet(N_OUTPUTS, **artifact.read_json("model.json")["network"])
    artifact.load_network(network)
    return network.eval()


def two_part_loss(
    delta: float, impaired_weight: float
) -> Callable[[torch.Tensor, dict[str, Any]], torch.Tensor]:
    """Return the mean Huber loss of known segments plus the weighted log loss of impaired reserve.

    Targets are shape (n, 18): 17 reserves and impaired, NaN where unknown.

    Examples
    --------
    >>> loss = two_part_loss(0.5, 1.0)
    >>> truth = torch.full((1, 18), float("nan"))
    >>> truth[0, 0] = 3.0
    >>> loss(torch.full((1, 18), 2.0), {"targets": truth}).item()  # .5 (1 - .25)
    0.375
    """

    def loss(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
        truth = batch["targets"]
        known = torch.isfinite(truth)
        safe = torch.where(known, truth, outputs.detach())
        huber = functional.huber_loss(
            outputs[:, :N_SEGMENTS], safe[:, :N_SEGMENTS], delta=delta, reduction="sum"
        ) / known[:, :N_SEGMENTS].sum().clamp_min(1)
        with_label = known[:, N_SEGMENTS]
        impaired = functional.binary_cross_entropy_with_logits(
            outputs[with_label, N_SEGMENTS], truth[with_label, N_SEGMENTS], reduction="sum"
        ) / with_label.sum().clamp_min(1)
        return huber + impaired_weight * impaired

    return loss


def start_at_means(head: torch.nn.Linear, y: NDArray[np.float32]) -> None:
    """Let a new head predict the training means: reserves, and the log odds of impaired."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(y)
        means = np.where(known, y, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    share = float(np.clip(means[N_SEGMENTS], 0.01, 0.99))
    means[N_SEGMENTS] = np.log(share / (1 - share))
    with torch.no_grad():
        head.bias.copy_(torch.from_numpy(means.astype(np.float32)))
        head.weight.mul_(0.1)


def _start_from_file(network: FlowResNet, file: Path, config: TrainBlock, ctx: Context) -> str:
    if config.width_mult != 1:
        raise DataError(
            f"train.weights={file.name}: published weights have width 1, and "
            f"train.width_mult is {config.width_mult:g}; set it to 1 or leave the file out"
        )
    if not file.is_file():
        raise DataError(f"train.weights: {file.name}: no such file; give a local safetensors file")
    copied = ctx.load_backbone(network, file)
    return f"step one started from the file {file.name}: {len(copied)} tensors"


def seen_in(training: FeatureSet) -> dict[str, Any]:
    """Return size (pixels) and unit of the pictures that a network was trained on."""
    block = training.blocks["picture_rest"]
    return {"size": int(block.values.shape[-1]), "unit": block.units[0]}


TRUNK = "trunk.safetensors"
LARGEST_LOGIT = 30.0


def train_step_two(
    training: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context
) -> ModelArtifact:
    """Tune a tail for every risk factor, from that fold's network of step one.

    Within the inner folds the network of step one is that of the outer fold. It has seen maps of
    inner validation patients, never their risk factors, and nobody who is tested.
    """
    earlier = ctx.need("mfr", str(ctx.model))
    about = earlier.read_json("model.json")
    _check_pictures(about, training, ctx)
    artifact = ModelArtifact(ctx.out)
    trunk = Trunk(open_step_one(earlier))
    artifact.save_network(trunk, TRUNK)
    maps = _maps_of(trunk, training, map_of(ctx), ctx, config.fit.batch_size)
    notes: list[Note] = []
    constants: dict[str, float] = {}
    for target in ctx.task.targets:
        labels = labels_of(training, targets, target.name)
        if not labels.learnable:
            constants[target.name] = labels.constant
            notes.append(Note("not_fitted", labels.constant_note(target.name)))
            continue
        prevalence = float(labels.y.mean())
        tail = _fresh_tail(earlier, prevalence, ctx, target.name)
        rate = config.body_learning_rate
        fitted = ctx.inside(target.name).fit(
            tail,
            ArrayExamples(maps[labels.known], labels.y),
            None,
            plan=config.fit,
            loss=balanced_loss(prevalence),
            parameter_groups=None if rate is None else methodcaller("parameter_groups", rate),
        )
        notes += fitted.notes
    artifact.write_json(
        "model.json", {"network": about["network"], "map": map_of(ctx), "constants": constants}
    )
    return ModelArtifact(artifact.path, None, tuple(dict.fromkeys(notes)))


def open_step_two(artifact: ModelArtifact, target: str) -> tuple[Trunk, Tail]:
    """Return the trunk and one factor's tail in evaluation mode."""
    settings = artifact.read_json("model.json")["network"]
    return _open_trunk(artifact, settings), _open_tail(artifact, settings, target)


def score_step_two(
    artifact: ModelArtifact,
    features: FeatureSet,
    ctx: Context,
    batch_size: int,
    *,
    gain: float = 1.0,
) -> dict[str, NDArray[np.float64]]:
    """Return the probability of each factor, by target, shape (n_samples,).

    Parameters
    ----------
    artifact, features, ctx, batch_size
        What scores whom, where.
    gain : float
        Multiplies what the pictures show.
    """
    about = artifact.read_json("model.json")
    settings, constants = about["network"], about["constants"]
    trunk = _open_trunk(artifact, settings)
    maps = _maps_of(trunk, features, map_of(ctx), ctx, batch_size, gain)
    scores = {}
    for target in ctx.task.targets:
        if target.name in constants:
            scores[target.name] = np.full(len(maps), constants[target.name])
            continue
        tail = _open_tail(artifact, settings, target.name)
        logits = ctx.score_with(tail, ArrayExamples(maps), batch_size=batch_size)
        scores[target.name] = to_probability(logits)
    return scores


def to_probability(logits: Any) -> NDArray[np.float64]:
    """Return probabilities of logits, never quite 0 or 1."""
    bounded = np.clip(np.asarray(logits, np.float64), -LARGEST_LOGIT, LARGEST_LOGIT)
    return np.asarray(1 / (1 + np.exp(-bounded)))


def balanced_loss(prevalence: float) -> Callable[[torch.Tensor, dict[str, Any]], torch.Tensor]:
    """Return the log loss with classes weighted alike, for logits of the cohort's prevalence.

    Weights that balance the classes move the best logit by the log odds of the prevalence. The
    loss sees the moved logit, so that what the network gives stays calibrated for the cohort.

    Examples
    --------
    >>> y = torch.tensor([1.0, 0.0, 0.0, 0.0])
    >>> logits = torch.full((4,), float(np.log(1 / 3)), requires_grad=True)
    >>> balanced_loss(0.25)(logits, {"targets": y}).backward()
    >>> bool(logits.grad.sum().abs() < 1e-7)  # the cohort's log odds is where it is smallest
    True
    """
    shift = float(np.log((1 - prevalence) / prevalence))

    def loss(logits: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
        y = batch["targets"]
        weight = torch.where(y == 1, 0.5 / prevalence, 0.5 / (1 - prevalence))
        return functional.binary_cross_entropy_with_logits(logits + shift, y, weight=weight)

    return loss


def _fresh_tail(earlier: ModelArtifact, prevalence: float, ctx: Context, target: str) -> Tail:
    torch.manual_seed(ctx.seed_of(f"head {target}"))
    tail = Tail(open_step_one(earlier))
    with torch.no_grad():
        tail.fc.weight.mul_(0.1)
        tail.fc.bias.fill_(float(np.log(prevalence / (1 - prevalence))))
    return tail


def _open_trunk(artifact: ModelArtifact, settings: dict[str, Any]) -> Trunk:
    trunk = Trunk(FlowResNet(N_OUTPUTS, **settings))
    artifact.load_network(trunk, TRUNK)
    return trunk.eval()


def _open_tail(artifact: ModelArtifact, settings: dict[str, Any], target: str) -> Tail:
    tail = Tail(FlowResNet(N_OUTPUTS, **settings))
    artifact.load_network(tail, f"{SafeName(target)}/weights.safetensors")
    return tail.eval()


def _maps_of(
    trunk: Trunk, features: FeatureSet, name: str, ctx: Context, batch_size: int, gain: float = 1.0
) -> NDArray[np.float32]:
    pictures = Pictures(features[f"picture_{name}"].values, gain=gain)
    return np.asarray(ctx.score_with(trunk, pictures, batch_size=batch_size), np.float32)


def _check_pictures(about: dict[str, Any], training: FeatureSet, ctx: Context) -> None:
    """Refuse a network of step one that was trained on pictures of another size or scaling."""
    own = seen_in(training)
    if own != {key: about[key] for key in own}:
        raise DataError(
            f"model {ctx.model}: step one saw pictures of {about['size']} pixels in "
            f"{about['unit']}, and this step would show it {own['size']} in {own['unit']}; give "
            "both tasks the same featurize block (needs.mfr.settings.featurize)"
        )
