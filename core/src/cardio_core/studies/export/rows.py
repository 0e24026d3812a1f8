"""Whether a fitted model is made of its patients' rows: support vectors, neighbours, sorted values.

Of scikit-learn's estimators those that keep sums only (coefficients, means, splits of trees) are
listed; whatever is not listed counts as made of rows until somebody has looked.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cardio_core.studies.export.damaged import looking_into
from cardio_core.types.unpacking.fitting import require_fitting

MADE_OF_ROWS = {
    **dict.fromkeys(("SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM"), "support vectors"),
    **dict.fromkeys(
        ("KNeighborsClassifier", "KNeighborsRegressor", "RadiusNeighborsClassifier",
         "RadiusNeighborsRegressor", "NearestNeighbors", "KNeighborsTransformer", "KNNImputer",
         "LocalOutlierFactor", "KDTree", "BallTree", "KernelDensity"), "neighbours"),
    **dict.fromkeys(
        ("GaussianProcessClassifier", "GaussianProcessRegressor", "KernelRidge", "KernelPCA",
         "Nystroem"), "a kernel between patients"),
    **dict.fromkeys(
        ("LabelPropagation", "LabelSpreading", "DBSCAN", "AffinityPropagation"), "labelled rows"),
    "QuantileTransformer": "sorted values", "IsotonicRegression": "sorted scores",
}  # fmt: skip
"""What these keep of the training patients, by name of the type."""

SUMS_ONLY = frozenset(
    """
    Pipeline FeatureUnion ColumnTransformer TransformedTargetRegressor FunctionTransformer
    StandardScaler RobustScaler Normalizer SimpleImputer MissingIndicator PolynomialFeatures
    OneHotEncoder OrdinalEncoder LabelEncoder LabelBinarizer VarianceThreshold SelectKBest
    PCA TruncatedSVD LinearDiscriminantAnalysis GaussianNB
    LogisticRegression LinearRegression Ridge RidgeClassifier Lasso ElasticNet LinearSVC LinearSVR
    SGDClassifier SGDRegressor Perceptron PoissonRegressor GammaRegressor
    MLPClassifier MLPRegressor
    DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor Tree
    RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor
    GradientBoostingClassifier GradientBoostingRegressor DummyClassifier DummyRegressor
    VotingClassifier VotingRegressor StackingClassifier StackingRegressor
    CalibratedClassifierCV _CalibratedClassifier _SigmoidCalibration
    """.split()  # noqa: SIM905
)
"""Types that keep sums over patients and no patient."""

_INTERNAL = ("sklearn._loss", "sklearn.utils", "sklearn.ensemble._gb_losses")
_ONE_A_PATIENT = {
    "oob_decision_function_": "out-of-bag predictions", "oob_prediction_": "out-of-bag predictions",
    "inlier_mask_": "a mark of each patient", "outliers_": "a mark of each patient",
    "labels_": "a label of each patient", "_sample_weight": "a weight of each patient",
    "embedding_": "a place of each patient",
}  # fmt: skip
_PARAMETER = re.compile(r"(weight|bias|running_mean|running_var|num_batches_tracked)\d*$")
_FEWEST = 5


def rows_in(folder: Path, sizes: Collection[int] = ()) -> str:
    """Say what of an artifact is made of its training patients' rows; empty where nothing is.

    Parameters
    ----------
    folder : Path
        The artifact.
    sizes : collection of int
        How many patients, recordings and samples it was fitted on: a table of as many rows is taken
        for theirs. Weights of a network's layers are not looked at.
    """
    counts = {size for size in sizes if size >= _FEWEST}
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        with looking_into(path.name):
            found = _in_file(path, counts)
        if found:
            return f"{path.name} holds {found}"
    return ""


def _in_file(path: Path, counts: Collection[int]) -> str:
    require_fitting([path])
    if path.suffix == ".skops":
        with zipfile.ZipFile(path) as archive:
            return _in_estimator(json.loads(archive.read("schema.json")))
    for name, shape in _tables(path):
        if shape[0] in counts:
            return f"a table of {shape[0]} rows, one a patient or recording ({name})"
    return ""


def _in_estimator(schema: Any) -> str:
    types = sorted(set(_types(schema)))
    for _, kind in types:
        if kind in MADE_OF_ROWS:
            return f"{MADE_OF_ROWS[kind]} ({kind})"
    for module, kind in types:
        looked_at = kind in SUMS_ONLY or module.startswith(_INTERNAL)
        if module.startswith("sklearn") and not looked_at:
            return f"{kind}, of which is not known whether it keeps patients' rows"
    for name in _attributes(schema):
        if name in _ONE_A_PATIENT:
            return f"{_ONE_A_PATIENT[name]} ({name})"
    return ""


def _types(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        # What is named but not there (a class that a later fit would take) holds nothing.
        if "__class__" in node and node.get("__loader__") != "TypeNode":
            yield str(node.get("__module__")), str(node["__class__"])
        for value in node.values():
            yield from _types(value)
    elif isinstance(node, list):
        for value in node:
            yield from _types(value)


def _attributes(node: Any) -> Iterator[str]:
    """Yield the names of attributes that are not None."""
    if isinstance(node, dict):
        for key, value in node.items():
            if not (isinstance(value, dict) and value.get("content") == "null"):
                yield key
            yield from _attributes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _attributes(value)


def _tables(path: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the names and shapes of what has two axes or more."""
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                shape = np.load(io.BytesIO(archive.read(name)), allow_pickle=False).shape
                if len(shape) > 1:
                    yield name.removesuffix(".npy"), shape
    elif path.suffix == ".safetensors":
        from safetensors import safe_open

        with safe_open(str(path), framework="np") as file:
            for name in file.keys():  # noqa: SIM118
                shape = tuple(file.get_slice(name).get_shape())
                if len(shape) > 1 and not _PARAMETER.search(name):
                    yield name, shape
    elif path.suffix == ".json":
        yield from _lists("", json.loads(path.read_text(encoding="utf-8")))


def _lists(name: str, value: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lists(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, list) and value and all(isinstance(one, list) for one in value):
        yield name, (len(value), len(value[0]))
