"""scikit-learn estimators as skops files: data with an explicit list of types, never a pickle."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from cardio_core.errors import DataError
from cardio_core.types.unpacking.fitting import require_fitting

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
        return [_numbered(one, ids) for one in node]
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
    for field in array.dtype.names:
        clean[field] = array[field]
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
            "fit the model again, or write it with ModelArtifact.save_estimator"
        ) from error
    except Exception as error:
        raise DataError(
            f"{path.name}: expected a skops file, found one that cannot be read "
            f"({type(error).__name__}); fit the model again"
        ) from error
    for tree in _trees(estimator):
        _check_tree(tree, path.name)
    return estimator


def _trees(estimator: Any) -> list[Any]:
    """Return every decision tree inside an estimator, however deep."""
    found: list[Any] = []
    waiting, seen = [estimator], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if type(one).__name__ == "Tree" and hasattr(one, "children_left"):
            found.append(one)
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, np.ndarray) and one.dtype == object:
            waiting += one.ravel().tolist()
        elif isinstance(one, dict):
            waiting += one.values()
        elif type(one).__module__.startswith("sklearn."):
            waiting += vars(one).values() if hasattr(one, "__dict__") else []
    return found


def _check_tree(tree: Any, name: str) -> None:
    inner = tree.children_left != -1
    for children in (tree.children_left, tree.children_right):
        if np.any((children[inner] <= 0) | (children[inner] >= tree.node_count)):
            raise DataError(f"{name}: a tree points outside itself; the file is damaged")
    features = tree.feature[inner]
    if np.any((features < 0) | (features >= tree.n_features)):
        raise DataError(f"{name}: a tree asks for a feature that it does not have; it is damaged")
