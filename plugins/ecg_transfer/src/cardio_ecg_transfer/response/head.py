"""The end of a patient's network: what it is trained on and what its outputs mean, by kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cardio_core.api import Target

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
