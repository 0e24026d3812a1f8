"""Models with a network in them: how it is fitted, started from the earlier task and used again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cardio_core.api import (
    Context,
    DataError,
    FeatureSet,
    ModelArtifact,
    Note,
    ScoringBlock,
    Target,
    Targets,
)
from cardio_ecg_transfer.networks.augment import Augmentation, augment_images
from cardio_ecg_transfer.networks.patient_net import N_LEADS, PatientNet
from cardio_ecg_transfer.networks.resnet import BeatResNet
from cardio_ecg_transfer.response.config import TrainBlock
from cardio_ecg_transfer.response.models import EARLIER, Recipe
from cardio_ecg_transfer.response.patients import outcomes

LARGEST_LOGIT = 30.0
"""Beyond it a probability is 0 or 1 in 64 bits."""


@dataclass(frozen=True)
class Head:
    """What a network's outputs mean.

    Attributes
    ----------
    kind : {"binary", "multiclass", "continuous"}
        Of the target.
    n_outputs : int
        1, or the number of classes.
    centre, spread : float
        Mean and standard deviation of a number among the training patients: the network predicts
        it standardised, so that rates and penalties mean the same in any unit.
    """

    kind: str
    n_outputs: int = 1
    centre: float = 0.0
    spread: float = 1.0

    @classmethod
    def of(cls, target: Target, outcome: NDArray[np.float32]) -> Head:
        """Return the head of a target, for these training patients."""
        if target.kind == "multiclass":
            return cls(target.kind, len(target.classes))
        if target.kind == "binary":
            return cls(target.kind)
        spread = float(outcome.std())
        return cls(target.kind, 1, float(outcome.mean()), spread if spread > 0 else 1.0)

    def scaled(self, outcome: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return outcomes as the network is to predict them."""
        return np.asarray((outcome - self.centre) / self.spread, dtype=np.float32)

    def drawing(
        self, outcome: NDArray[np.float32], positive_share: float | None
    ) -> tuple[NDArray[np.float64] | None, Callable[[Any, dict[str, Any]], torch.Tensor]]:
        """Return how often each patient is drawn, and the loss that undoes it.

        Parameters
        ----------
        outcome : ndarray, shape (n_patients,)
            Of the training patients.
        positive_share : float or None
            Share of patients with a binary outcome among those drawn; several classes are drawn
            equally. None draws as they come.

        Returns
        -------
        weights : ndarray, shape (n_patients,), or None
            None for a number.
        loss : callable
            Logits come out for the cohort's own shares, whatever was drawn (Menon et al., ICLR
            2021, arXiv 2007.07314).
        """
        if self.kind == "continuous":
            return None, lambda outputs, batch: nn.functional.mse_loss(outputs, batch["targets"])
        n_classes = max(2, self.n_outputs)
        codes = outcome.astype(np.int64)
        own = np.bincount(codes, minlength=n_classes) / len(codes)
        drawn = own if positive_share is None else self._shares(positive_share)
        shift = np.log(drawn / own)
        if self.kind == "binary":
            between = float(shift[1] - shift[0])

            def log_loss(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
                return nn.functional.binary_cross_entropy_with_logits(
                    outputs + between, batch["targets"]
                )

            return (drawn / own)[codes], log_loss
        shifts = torch.from_numpy(shift.astype(np.float32))

        def cross_entropy(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
            return nn.functional.cross_entropy(
                outputs + shifts.to(outputs), batch["targets"].to(torch.int64)
            )

        return (drawn / own)[codes], cross_entropy

    def scores(self, outputs: Any) -> NDArray[np.float64]:
        """Return the scores of a network's outputs; see `cardio_core.api.Predictions`.

        Examples
        --------
        >>> Head("binary").scores([0.0]), Head("continuous", 1, 40.0, 10.0).scores([-1.0])
        (array([0.5]), array([30.]))
        >>> Head("multiclass", 2).scores([[0.0, 0.0]])
        array([[0.5, 0.5]])
        """
        found = np.asarray(outputs, np.float64)
        if self.kind == "continuous":
            return np.asarray(found * self.spread + self.centre)
        bounded = np.clip(found, -LARGEST_LOGIT, LARGEST_LOGIT)
        if self.kind == "binary":
            return np.asarray(1 / (1 + np.exp(-bounded)))
        powers = np.exp(bounded)
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def _shares(self, positive_share: float) -> NDArray[np.float64]:
        if self.kind == "binary":
            return np.array([1 - positive_share, positive_share])
        return np.full(self.n_outputs, 1 / self.n_outputs)


NO_AUGMENTATION = Augmentation()
SIDE_BLOCKS = ("gain", "polarity")


@dataclass(frozen=True)
class Bags:
    """Patients, each with some of the beats that belong to him.

    Attributes
    ----------
    pictures : array-like of uint8, shape (n_beats, 12, height, width)
        Of all beats, on disk until a batch asks for them.
    side : ndarray of float32, shape (n_beats, 12, n_side)
    members : tuple of ndarray of int64
        For each patient, the positions of his beats.
    n_drawn : int
        Beats of a patient in one example.
    outcomes : ndarray of float32, shape (n_patients,), or None
        See `response.patients.outcomes`; None for new patients.
    augmentation : Augmentation
        Applied only where the engine gives a random generator.
    """

    pictures: Any
    side: NDArray[np.float32]
    members: tuple[NDArray[np.int64], ...]
    n_drawn: int
    outcomes: NDArray[np.float32] | None = None
    augmentation: Augmentation = NO_AUGMENTATION

    def __len__(self) -> int:
        return len(self.members)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch; see `cardio_core.training`.

        With a generator the beats are drawn at random, without it they lie evenly over the
        recording; a patient with fewer beats than are asked for shows some of them again.
        """
        beats = np.concatenate([self._beats(self.members[i], rng) for i in indices])
        shape = (len(indices), self.n_drawn)
        images = torch.from_numpy(np.asarray(self.pictures[beats])).float().div_(255)
        if rng is not None:
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            n_leads = images.shape[1]
            images = augment_images(images, self.augmentation, generator, n_leads=n_leads)
        made: dict[str, Any] = {"inputs": {"images": images.reshape(*shape, *images.shape[1:])}}
        if self.side.shape[2]:
            side = torch.from_numpy(self.side[beats])
            made["inputs"]["side"] = side.reshape(*shape, *side.shape[1:])
        if self.outcomes is not None:
            made["targets"] = torch.from_numpy(self.outcomes[indices])
        return made

    def _beats(
        self, members: NDArray[np.int64], rng: np.random.Generator | None
    ) -> NDArray[np.int64]:
        if rng is None:
            places = np.linspace(0, len(members) - 1, self.n_drawn)
            return members[np.rint(places).astype(np.int64)]
        return rng.choice(members, self.n_drawn, replace=len(members) < self.n_drawn)


def bags_of(
    features: FeatureSet,
    *,
    n_drawn: int,
    side: bool,
    outcomes: NDArray[np.float32] | None = None,
    augmentation: Augmentation = NO_AUGMENTATION,
) -> tuple[Bags, tuple[str, ...]]:
    """Gather the beats of each patient.

    Returns
    -------
    Bags
        One example a patient.
    tuple of str
        The patients, in the order of the examples and of `outcomes`.
    """
    patients = features.table["patient_id"].to_numpy(str)
    names = tuple(dict.fromkeys(patients))
    members = tuple(np.flatnonzero(patients == name) for name in names)
    side_inputs = np.zeros((len(features), features["pictures"].values.shape[1], 0), np.float32)
    if side:
        blocks = [np.asarray(features[name].in_units(), np.float32) for name in SIDE_BLOCKS]
        side_inputs = np.stack(blocks, axis=-1)
    bags = Bags(features["pictures"].values, side_inputs, members, n_drawn, outcomes, augmentation)
    return bags, names


PICTURES_AT_ONCE = 256


def fit_network(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    recipe: Recipe,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit a network; validation patients, where there are some, choose the epoch."""
    block, target = config.response, ctx.targets[0]
    outcome = outcomes(training, targets, target)
    head = Head.of(target, outcome)
    network, messages = _fresh_network(recipe, config, ctx, head.n_outputs)
    bags, _ = bags_of(
        training,
        n_drawn=block.n_beats,
        side=block.side,
        outcomes=head.scaled(outcome),
        augmentation=Augmentation(**config.augmentation.model_dump()),
    )
    checked = None
    # Where the number of epochs is set, inner folds score the last epoch, as the test will.
    if validation is not None and block.choose_epochs:
        checked, _ = bags_of(
            validation,
            n_drawn=block.n_beats_scored,
            side=block.side,
            outcomes=head.scaled(outcomes(validation, targets, target)),
        )
    weights, loss = head.drawing(outcome, block.positive_share if config.fit.draw else None)
    rate = block.body_learning_rate
    fitted = ctx.fit(
        network,
        bags,
        checked,
        plan=config.fit,
        loss=loss,
        weights=weights,
        parameter_groups=None
        if rate is None or not recipe.pretrained
        else lambda fresh: fresh.parameter_groups(rate),
    )
    _describe(config, recipe, ctx, head)
    best = fitted.best_epoch if block.choose_epochs else None
    return ModelArtifact(ctx.out, best, (*Note.each("start", messages), *fitted.notes))


def open_patient_net(model: ModelArtifact) -> PatientNet:
    """Return the fitted network in evaluation mode."""
    network = PatientNet(**model.read_json("model.json")["network"])
    model.load_network(network)
    return network.eval()


def network_scores(
    model: ModelArtifact, features: FeatureSet, config: ScoringBlock, ctx: Context
) -> NDArray[np.float64]:
    """Return each patient's scores: see `cardio_core.api.Predictions`."""
    about = model.read_json("model.json")
    bags, _ = bags_of(features, n_drawn=int(about["n_beats_scored"]), side=bool(about["side"]))
    # A patient is a bag of pictures; the batch is stated in pictures.
    batch = max(1, config.batch_size // (12 * bags.n_drawn))
    outputs = ctx.score_with(open_patient_net(model), bags, batch_size=batch)
    return Head(**about.get("head", {"kind": "binary"})).scores(outputs)


def fresh_vectors(
    training: FeatureSet, recipe: Recipe, config: TrainBlock, ctx: Context
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Keep a network as it starts; return its `deep_vectors`, and what was said of its start."""
    network, messages = _fresh_network(recipe, config, ctx)
    ModelArtifact(ctx.out).save_network(network)
    _describe(config, recipe, ctx)
    return deep_vectors(network, training, config.response.n_beats_scored, ctx), messages


def opened_vectors(model: ModelArtifact, features: FeatureSet, ctx: Context) -> NDArray[np.float64]:
    """Return the `deep_vectors` of the network that `fresh_vectors` kept."""
    n_beats = int(model.read_json("model.json")["n_beats_scored"])
    return deep_vectors(open_patient_net(model), features, n_beats, ctx)


def deep_vectors(
    network: PatientNet, features: FeatureSet, n_beats: int, ctx: Context
) -> NDArray[np.float64]:
    """Return the encoder's features, averaged over beats and kept apart by lead.

    Parameters
    ----------
    network : PatientNet
        Its encoder is used, in evaluation mode.
    features : FeatureSet
        With `pictures`.
    n_beats : int
        Beats of each patient.
    ctx : Context
        Whose device is used.

    Returns
    -------
    ndarray, shape (n_patients, n_leads * n_pooled)
        With the twelve-channel stem there is one part, not twelve.
    """
    bags, _ = bags_of(features, n_drawn=n_beats, side=False)
    vectors = ctx.score_with(
        _Averaged(network.eval()), bags, batch_size=max(1, PICTURES_AT_ONCE // (12 * n_beats))
    )
    return np.asarray(vectors, dtype=np.float64)


class _Averaged(nn.Module):
    """The encoder with the mean over beats behind it."""

    def __init__(self, network: PatientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, bags: dict[str, Any]) -> torch.Tensor:
        """Return one vector a patient."""
        pooled = self.network.pooled_pictures(bags["images"])
        n_parts = N_LEADS if self.network.stem == "shared" else 1
        n_bags, n_instances, n_pooled = pooled.shape
        by_beat = pooled.reshape(n_bags, n_instances // n_parts, n_parts * n_pooled)
        return by_beat.mean(dim=1)


def _fresh_network(
    recipe: Recipe, config: TrainBlock, ctx: Context, n_outputs: int = 1
) -> tuple[PatientNet, tuple[str, ...]]:
    """Return a network before training, and what was said of its start."""
    torch.manual_seed(ctx.seed_of("weights"))
    network = PatientNet(**network_settings(recipe, config, n_outputs))
    if not recipe.pretrained:
        return network, ()
    return network, (start_from_earlier(network.encoder, recipe, config.small_stem, ctx),)


def start_from_earlier(encoder: BeatResNet, recipe: Recipe, small_stem: bool, ctx: Context) -> str:
    """Copy the earlier task's encoder into this one, and say in one sentence what was copied.

    Raises
    ------
    DataError
        If the earlier encoder saw other pictures than this one will, or its depth or width
        differ; the message says what to run.
    """
    earlier = ctx.need(EARLIER, recipe.earlier_model)
    stands_in = earlier.path.is_file()
    if not stands_in:
        _check_pictures(earlier, small_stem)
    file = earlier.path if stands_in else earlier.path / "weights.safetensors"
    try:
        copied = ctx.load_backbone(encoder, file)
    except DataError as error:
        raise DataError(
            f"{error}; give both tasks the same depth and width (train.depth, train.width_mult, "
            f"and needs.{EARLIER}.settings.train likewise; a file of ImageNet weights has width 1)"
        ) from error
    source = f"the file {file.name}" if stands_in else f"{EARLIER}, model {recipe.earlier_model}"
    return f"encoder from {source}: {len(copied)} tensors copied"


def _check_pictures(earlier: ModelArtifact, small_stem: bool) -> None:
    """Refuse an encoder that was trained on pictures of several leads or of another kind."""
    about = earlier.read_json("model.json")
    channels, stem = about["channels"], bool(about["network"]["small_stem"])
    if channels == ["own:0"] and stem == small_stem:
        return
    raise DataError(
        f"the encoder of {EARLIER} was trained on {len(channels)} channel(s) "
        f"({', '.join(channels)}; small_stem={stem}), and this task shows it single leads of kind "
        f"own with small_stem={small_stem}; let this run make {EARLIER} "
        f"(--set needs.{EARLIER}.data=FOLDER), which sets it up alike"
    )


def network_settings(recipe: Recipe, config: TrainBlock, n_outputs: int = 1) -> dict[str, Any]:
    """Return the settings of a model's network, ready for JSON."""
    block = config.response
    return {
        "depth": recipe.depth or config.depth,
        "stem": block.stem,
        "pooling": block.pooling,
        "n_side": 2 if block.side and recipe.kind == "network" else 0,
        "width_mult": config.width_mult,
        "small_stem": config.small_stem,
        "dropout": config.dropout,
        "frozen": block.freeze if recipe.pretrained else "none",
        "n_outputs": n_outputs,
    }


def _describe(config: TrainBlock, recipe: Recipe, ctx: Context, head: Head | None = None) -> None:
    head = head or Head("binary")
    ModelArtifact(ctx.out).write_json(
        "model.json",
        {
            "network": network_settings(recipe, config, head.n_outputs),
            "head": asdict(head),
            "n_beats_scored": config.response.n_beats_scored,
            "side": config.response.side and recipe.kind == "network",
        },
    )
