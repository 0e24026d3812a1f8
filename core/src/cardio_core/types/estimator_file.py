"""scikit-learn estimators as skops files: data with an explicit list of types, never a pickle."""

from __future__ import annotations

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
