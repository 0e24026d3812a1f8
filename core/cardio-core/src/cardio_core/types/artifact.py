"""A fitted model as a directory with a digest; never a live object."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cardio_core.types.limits import require_fitting, require_weights
from cardio_core.types.notes import Note
from cardio_stats.errors import DataError
from cardio_stats.files import inside
from cardio_stats.serialization import parse_json

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
                "copy of the file",
                code="damaged",
            )
        return loaded

    def save_network(self, network: nn.Module, name: str = WEIGHTS) -> str:
        """Write a network's parameters and buffers as safetensors; return the file's SHA-256.

        `Context.fit` writes the weights that it kept under the default name by itself.
        """
        return save_weights(network, self._place(name))

    def load_network(self, network: nn.Module, name: str = WEIGHTS) -> None:
        """Read weights into a network in place: every one of them, and no other.

        Raises
        ------
        DataError
            If the file is missing, is no safetensors file, or belongs to another network.
        """
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
        save_estimator(self._place(name), estimator)

    def load_estimator(self, name: str = ESTIMATOR) -> Any:
        """Read an estimator that `save_estimator` wrote.

        Raises
        ------
        DataError
            If the file is no skops file, holds a type that is not trusted, or a damaged tree.
        """
        return load_estimator(self._place(name))


# scikit-learn estimators as skops files: data with an explicit list of types, never a pickle.

TRUSTED = (
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.tree._tree.Tree",
)
"""Types beyond those that skops trusts by itself. Trees are checked after they are read."""


_SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest day that a zip file knows."""


def save_estimator(path: Path, estimator: Any) -> None:
    """Write an estimator; equal ones, fitted in the same way, give equal bytes.

    skops numbers what it writes by where it lay in memory, and notes the time of day: its own files
    of one model differ from process to process.
    """
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as made:
        members = {name: made.read(name) for name in made.namelist()}
    schema = json.loads(members.pop(_SCHEMA))
    ids: dict[str, str] = {}
    schema = _numbered(schema, ids)
    renamed = {ids.get(Path(name).stem, "") + Path(name).suffix: name for name in members}
    with zipfile.ZipFile(path, "w") as file:
        for new, name in sorted(renamed.items()):
            file.writestr(zipfile.ZipInfo(new, _EPOCH), _without_chance(name, members[name]))
        file.writestr(zipfile.ZipInfo(_SCHEMA, _EPOCH), json.dumps(schema, indent=2))


def _numbered(node: Any, ids: dict[str, str]) -> Any:
    """Return a part of a schema with ids and names of files by their order in it."""
    if isinstance(node, list):
        return [_numbered(item, ids) for item in node]
    if not isinstance(node, dict):
        return node
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__" and isinstance(value, int):
            made[key] = int(ids.setdefault(str(value), str(len(ids))))
        elif key == "file" and isinstance(value, str):
            stem, dot, kind = value.partition(".")
            made[key] = ids.setdefault(stem, str(len(ids))) + dot + kind
        else:
            made[key] = _numbered(value, ids)
    return made


def _without_chance(name: str, content: bytes) -> bytes:
    """Return an array's file without what lay between the fields of its records in memory."""
    array = np.load(io.BytesIO(content), allow_pickle=False) if name.endswith(".npy") else None
    if array is None or array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, array.dtype)
    for column in array.dtype.names:
        clean[column] = array[column]
    file = io.BytesIO()
    np.save(file, clean, allow_pickle=False)
    return file.getvalue()


def load_estimator(path: Path) -> Any:
    """Read an estimator that `ModelArtifact.save_estimator` wrote.

    Raises
    ------
    DataError
        If the file is no skops file, holds a type that is not on the list, or a tree whose nodes
        point outside it (scikit-learn follows them without checking).
    """
    require_fitting([path])
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        estimator = skops.io.load(path, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        found = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
        raise DataError(
            f"{path.name}: expected an estimator of known types, found {', '.join(found)}; "
            "fit the model again, or write it with ModelArtifact.save_estimator",
            code="unsafe",
        ) from error
    except Exception as error:
        raise DataError(
            f"{path.name}: expected a skops file, found one that cannot be read "
            f"({type(error).__name__}); fit the model again",
            code="damaged",
        ) from error
    for tree in _trees(estimator):
        _check_tree(tree, path.name)
    return estimator


def _trees(estimator: Any) -> list[Any]:
    """Return every decision tree inside an estimator, however deep."""
    found: list[Any] = []
    waiting, seen = [estimator], set()
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if type(item).__name__ == "Tree" and hasattr(item, "children_left"):
            found.append(item)
        elif isinstance(item, list | tuple):
            waiting += item
        elif isinstance(item, np.ndarray) and item.dtype == object:
            waiting += item.ravel().tolist()
        elif isinstance(item, dict):
            waiting += item.values()
        elif type(item).__module__.startswith("sklearn."):
            waiting += vars(item).values() if hasattr(item, "__dict__") else []
    return found


def _check_tree(tree: Any, name: str) -> None:
    inner = tree.children_left != -1
    for children in (tree.children_left, tree.children_right):
        if np.any((children[inner] <= 0) | (children[inner] >= tree.node_count)):
            raise DataError(
                f"{name}: a tree points outside itself; the file is damaged", code="damaged"
            )
    features = tree.feature[inner]
    if np.any((features < 0) | (features >= tree.n_features)):
        raise DataError(
            f"{name}: a tree asks for a feature that it does not have; it is damaged",
            code="damaged",
        )


# Weights of networks as safetensors files: data that cannot run code.

_N_NAMED = 3


def save_weights(network: nn.Module, path: Path) -> str:
    """Write all parameters and buffers of a network, whole or not at all; return the SHA-256.

    The network may be on any device, in any memory layout; tied weights are stored once.
    """
    from safetensors.torch import save_model

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        save_model(network, str(temporary))
        digest = weights_digest(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return digest


def load_weights(network: nn.Module, path: Path) -> None:
    """Read the weights of a network in place, every one of them and no other.

    Raises
    ------
    DataError
        If the file is missing, is no safetensors file, or does not fit.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    if not path.is_file():
        raise DataError(
            f"weights: expected a safetensors file at {path}, found none", code="missing"
        )
    require_weights(path)
    try:
        load_model(network, str(path))
    except SafetensorError as error:
        raise DataError(
            f"weights {path}: expected a safetensors file, found something else ({error})",
            code="damaged",
        ) from error
    except RuntimeError as error:
        raise DataError(
            f"weights {path}: do not fit {type(network).__name__}: {_misfit(network, path)}; "
            "they belong to another network or configuration"
        ) from error


def weights_digest(path: Path) -> str:
    """Return the SHA-256 of a weights file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _misfit(network: nn.Module, path: Path) -> str:
    """Say which weights are missing, unexpected or of another shape."""
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        stored = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    other = [
        f"{name} {wanted[name]} expected, {stored[name]} found"
        for name in wanted.keys() & stored.keys()
        if wanted[name] != stored[name]
    ]
    kinds = {
        "missing": sorted(wanted.keys() - stored.keys()),
        "unexpected": sorted(stored.keys() - wanted.keys()),
        "of another shape": sorted(other),
    }
    return "; ".join(
        f"{len(names)} {kind} ({', '.join(names[:_N_NAMED])}{', …' * (len(names) > _N_NAMED)})"
        for kind, names in kinds.items()
        if names
    )
