"""What a network is trained on: anything that gathers batches, and the plain case of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Batch = dict[str, Any]


class Examples(Protocol):
    """What a network is trained on or run over: anything with a length that gathers batches.

    Examples
    --------
    Signals with noise that is drawn anew in training:

    >>> import torch
    >>> class Noisy:
    ...     def __init__(self, signals, classes):
    ...         self.signals, self.classes = signals, classes
    ...
    ...     def __len__(self):
    ...         return len(self.signals)
    ...
    ...     def batch(self, indices, rng):
    ...         chosen = self.signals[indices]
    ...         if rng is not None:
    ...             chosen = chosen + rng.normal(0.0, 0.1, chosen.shape)
    ...         inputs = torch.from_numpy(chosen.astype(np.float32))
    ...         return {"inputs": inputs, "targets": torch.from_numpy(self.classes[indices])}
    >>> noisy = Noisy(np.zeros((4, 12, 500)), np.array([0, 1, 1, 0]))
    >>> noisy.batch(np.array([3, 1]), None)["targets"].tolist()
    [0, 1]
    """

    def __len__(self) -> int:
        """Return the number of examples."""
        ...

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> Batch:
        """Return some examples as tensors.

        Parameters
        ----------
        indices : ndarray of int64, shape (n,)
            Which examples, between 0 and the length; may repeat.
        rng : numpy.random.Generator or None
            Source of random augmentation in training; None asks for none.

        Returns
        -------
        dict
            ``"inputs"`` and ``"targets"``, each a tensor of shape (n, ...) or a dict of them, on
            the CPU; further entries reach the loss, and what of them has the length n is one an
            example. Without targets to give (new patients),
            ``"targets"`` may be absent.
        """
        ...


@dataclass(frozen=True)
class ArrayExamples:
    """Examples that lie in arrays, in memory or behind the cache, with no augmentation.

    Attributes
    ----------
    inputs : array-like of shape (n, ...), or mapping of str to such arrays
        What the network is given, as float32: one tensor, or a dict of them under these names.
        ``features["beats"].values`` will do, and is read a batch at a time.
    targets : ndarray, shape (n, ...), or None
        Class numbers as integers, or numbers as floats; None for new patients.

    Examples
    --------
    >>> examples = ArrayExamples(np.eye(3), np.array([0, 1, 1]))
    >>> batch = examples.batch(np.array([2, 0]), None)
    >>> tuple(batch["inputs"].shape), batch["targets"].tolist()
    ((2, 3), [1, 0])
    """

    inputs: Any
    targets: NDArray[Any] | None = None

    def __len__(self) -> int:
        first = next(iter(self.inputs.values())) if self._named else self.inputs
        return len(first)

    @property
    def _named(self) -> bool:
        return isinstance(self.inputs, Mapping)

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None) -> Batch:
        """Return some examples as tensors; see `Examples.batch`."""
        import torch

        def tensor(values: Any) -> Any:
            return torch.from_numpy(np.asarray(values[indices], dtype=np.float32))

        inputs = {k: tensor(v) for k, v in self.inputs.items()} if self._named else None
        made: Batch = {"inputs": inputs or tensor(self.inputs)}
        if self.targets is not None:
            wanted = np.asarray(self.targets)[indices]
            floats = np.issubdtype(wanted.dtype, np.floating)
            made["targets"] = torch.from_numpy(wanted.astype(np.float32 if floats else np.int64))
        return made
