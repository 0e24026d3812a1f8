"""Patients as the training engine takes them: a few beats each, in twelve leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.api import FeatureSet
from cardio_ecg_transfer.networks.augment import Augmentation, augment_images

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
    beside = np.zeros((len(features), features["pictures"].values.shape[1], 0), np.float32)
    if side:
        blocks = [np.asarray(features[name].in_units(), np.float32) for name in SIDE_BLOCKS]
        beside = np.stack(blocks, axis=-1)
    bags = Bags(features["pictures"].values, beside, members, n_drawn, outcomes, augmentation)
    return bags, names
