"""The fitted network of views, read once a process. Needs the training extra."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from cardio_core.ultrasound.views.network import ViewNetwork

WEIGHTS = Path(__file__).parent / "view_network.safetensors"
CALIBRATION = WEIGHTS.with_suffix(".json")


@dataclass(frozen=True, eq=False)
class FittedViews:
    """A network with what it takes to name a view.

    Attributes
    ----------
    network : ViewNetwork
        In evaluation mode.
    views : tuple of str
        Its classes.
    temperature : float
        Logits are divided by it.
    least_probability : float
        What the likeliest view must reach to be named.
    """

    network: ViewNetwork
    views: tuple[str, ...]
    temperature: float
    least_probability: float

    def probabilities(self, pictures: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probability of every view, from the mean logits of a loop's pictures.

        Parameters
        ----------
        pictures : ndarray, shape (n_frames, 64, 64)

        Returns
        -------
        ndarray, shape (n_views,)
        """
        with torch.inference_mode():
            logits = self.network(torch.from_numpy(pictures)).double().mean(dim=0)
            found: NDArray[np.float64] = (logits / self.temperature).softmax(dim=0).numpy()
        return found


@cache
def fitted_views() -> FittedViews:
    """Return the network that the package carries.

    Examples
    --------
    >>> fitted_views().views[:2], fitted_views() is fitted_views()
    (('a4c', 'a2c'), True)
    """
    said = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    views = tuple(said["views"])
    network = ViewNetwork(len(views))
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value
         for name, value in load_file(WEIGHTS).items()}
    )  # fmt: skip
    return FittedViews(
        network.eval(), views, float(said["temperature"]), float(said["least_probability"])
    )
