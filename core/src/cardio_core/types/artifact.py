"""A fitted model as a directory with a digest; never a live object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardio_core.errors import DataError
from cardio_core.types.file_names import inside
from cardio_core.types.notes import Note
from cardio_core.types.parsing.json_text import parse_json

if TYPE_CHECKING:
    from torch import nn

WEIGHTS, ESTIMATOR = "weights.safetensors", "model.skops"


@dataclass(frozen=True)
class ModelArtifact:
    """What `train` leaves behind.

    Attributes
    ----------
    path : Path
        Directory with the fitted thing: safetensors + JSON for networks, skops for scikit-learn.
    best_epoch : int or None
        1-based epoch that validation preferred; the core takes it from the inner folds and asks
        the refit for as many. None where there are no epochs.
    notes : tuple of Note
        What a reader of the report should know of this fit.
    seen : tuple of str
        People whose data the fit has seen: the core's own note, which no plugin fills in.
    """

    path: Path
    best_epoch: int | None = None
    notes: tuple[Note, ...] = ()
    seen: tuple[str, ...] = field(default=())

    def _place(self, name: str) -> Path:
        return inside(self.path, self.path / name)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file into the artifact.

        A name that holds a target or anything else from data is a `SafeName`; as with all files of
        an artifact, one that leads out of it is refused.
        """
        text = json.dumps(dict(content), indent=2, sort_keys=True)
        self._place(name).write_text(text + "\n", encoding="utf-8")

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a JSON file of the artifact.

        Raises
        ------
        DataError
            If it is no JSON object.
        """
        try:
            loaded = parse_json(self._place(name).read_text(encoding="utf-8"), finite=False)
        except (ValueError, OSError):
            loaded = None
        if not isinstance(loaded, dict):
            raise DataError(
                f"{name} of a model: expected valid JSON, found something else; put back a whole "
                "copy of the file"
            )
        return loaded

    def save_network(self, network: nn.Module, name: str = WEIGHTS) -> str:
        """Write a network's parameters and buffers as safetensors; return the file's SHA-256.

        `Context.fit` writes the weights that it kept under the default name by itself.
        """
        from cardio_core.types.weights_file import save_weights

        return save_weights(network, self._place(name))

    def load_network(self, network: nn.Module, name: str = WEIGHTS) -> None:
        """Read weights into a network in place: every one of them, and no other.

        Raises
        ------
        DataError
            If the file is missing, is no safetensors file, or belongs to another network.
        """
        from cardio_core.types.weights_file import load_weights

        load_weights(network, self._place(name))

    def save_estimator(self, estimator: Any, name: str = ESTIMATOR) -> None:
        """Write a fitted scikit-learn estimator as skops: data, no pickle, equal for equal fits.

        Functions and types of one's own in it are refused when it is read.

        Examples
        --------
        >>> import tempfile
        >>> from sklearn.linear_model import LogisticRegression
        >>> artifact = ModelArtifact(Path(tempfile.mkdtemp()))
        >>> artifact.save_estimator(LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
        >>> artifact.load_estimator().predict([[2.0]])
        array([1])
        """
        from cardio_core.types.estimator_file import save_estimator

        save_estimator(self._place(name), estimator)

    def load_estimator(self, name: str = ESTIMATOR) -> Any:
        """Read an estimator that `save_estimator` wrote.

        Raises
        ------
        DataError
            If the file is no skops file, holds a type that is not trusted, or a damaged tree.
        """
        from cardio_core.types.estimator_file import load_estimator

        return load_estimator(self._place(name))
