"""Which files of a finished run leave it: a list of what `predict` opens, and nothing else."""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cardio_core.api import Task
from cardio_core.runs import FinalModels, looking_into
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.files import write_json

# Whether a fitted model is made of its patients' rows: support vectors, neighbours, sorted values.
#
# Of scikit-learn's estimators those that keep sums only (coefficients, means, splits of trees) are
# listed; whatever is not listed counts as made of rows until somebody has looked.

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
        with looking_into(path):
            found = _in_file(path, counts)
        if found:
            return f"{path.name} holds {found}"
    return ""


def _in_file(path: Path, counts: Collection[int]) -> str:
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
    elif isinstance(value, list) and value and all(isinstance(item, list) for item in value):
        yield name, (len(value), len(value[0]))


KINDS = frozenset({".safetensors", ".json", ".skops", ".npz"})
"""Files of an artifact that can be looked into."""
STAYS = frozenset({"seen.json", "history.csv"})
"""The core's own files in an artifact: who was seen, and the course of the training."""
FEW = 5
"""Counts below this are not told."""


@dataclass(frozen=True)
class Chosen:
    """Which of a run's final models are exported.

    Attributes
    ----------
    models : tuple of str
        In the run's order.
    primary : str
    left_out : dict of str to str
        Why the others stay.
    """

    models: tuple[str, ...]
    primary: str
    left_out: dict[str, str]


def choose(
    run: Path,
    manifest: Mapping[str, Any],
    task: Task,
    names: Sequence[str],
) -> Chosen:
    """Say which models can leave, and why the others cannot.

    Raises
    ------
    ConfigError
        If there is no final model, an asked one is not there, or the primary one or an asked one
        is made of patients' rows.
    """
    finals = FinalModels(run)
    there = [name for name in manifest["models"] if finals.artifact(name).path.is_dir()]
    if not there:
        raise ConfigError(f"{run}: expected final models in models/final, found none to export")
    strange = [name for name in names if name not in there]
    if strange:
        raise ConfigError(
            f"--model {strange[0]}: no final model of {run} has this name; it has "
            f"{', '.join(there)}"
        )
    wanted = [name for name in there if not names or name in names]
    members = {fused for name in wanted for fused in task.model(name).fuses if fused in there}
    wanted = [name for name in there if name in {*wanted, *members}]
    made_of = {name: why for name in wanted if (why := _made_of_rows(finals, name, task))}
    first = names[0] if names else str(manifest.get("primary") or wanted[0])
    primary = first if first in wanted else wanted[0]
    barred = next((name for name in (primary, *names) if name in made_of), None)
    if barred is not None:
        free = [name for name in wanted if name not in made_of]
        other = f"export another (--model {free[0]})" if free else "train another model"
        which = "the primary model" if barred == primary and not names else "the model"
        raise ConfigError(
            f"{run}: {which} {barred} is made of patients' rows ({made_of[barred]}) and would take "
            f"them along; {other}",
            code="leakage",
        )
    return Chosen(tuple(name for name in wanted if name not in made_of), primary, made_of)


def copy_models(run: Path, out: Path, chosen: Chosen, task: Task) -> None:
    """Write the files of the chosen models, what they need of earlier tasks, and their rules.

    Raises
    ------
    ConfigError
        If an artifact holds a file of a kind that cannot be looked into.
    """
    finals, exported = FinalModels(run), FinalModels(out)
    for name in chosen.models:
        own, to = finals.artifact(name).path, exported.artifact(name).path
        _copy_artifact(own, to)
        # How many were seen, in the place of who.
        write_json(
            to / "seen.json",
            {"subjects": [], "n_subjects": finals.n_seen(own) or 0, "told": False},
        )
        finals.copy_chosen(exported, name, task.targets_of(name), FEW)
    used = {need.task for need in task.needs_of(chosen.models)}
    for earlier, rows in finals.needed.items():
        if earlier in used:
            place = exported.write_needed(earlier, list(rows))
            for row, artifact in rows.items():
                _copy_artifact(artifact, place / row)
    exported.write_ranges(finals.ranges)


def _made_of_rows(finals: FinalModels, name: str, task: Task) -> str:
    """Say what of a model, its members or its earlier tasks is made of patients' rows."""
    for member in task.model(name).fuses:
        there = finals.artifact(member).path.is_dir()
        if there and (why := _made_of_rows(finals, member, task)):
            return f"it fuses {member}: {why}"
    used = {need.task for need in task.needs_of([name])}
    for earlier, rows in finals.needed.items():
        for row, artifact in rows.items():
            if earlier in used and (why := rows_in(artifact, _sizes(finals, artifact))):
                return f"it needs {row} of {earlier}: {why}"
    artifact = finals.artifact(name).path
    return rows_in(artifact, _sizes(finals, artifact))


def _sizes(finals: FinalModels, artifact: Path) -> set[int]:
    n = finals.n_seen(artifact)
    return set() if n is None else {n}


def _copy_artifact(source: Path, to: Path) -> None:
    to.mkdir(parents=True)
    for path in _leaving(source):
        place = to / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def _leaving(artifact: Path) -> Iterator[Path]:
    for path in sorted(artifact.rglob("*")):
        if not path.is_file() or path.name in STAYS:
            continue
        if path.suffix not in KINDS:
            raise ConfigError(
                f"{path.parent.parent.name}: its artifact holds {path.name}, expected "
                f"{', '.join(sorted(KINDS))} alone; a file of another kind cannot be looked into "
                "for patients, leave the model out (--model)"
            )
        yield path


# Every name by which a run knows its patients, and the search for them in what is to leave it.

_WORD = re.compile(r"[^\W_]+(?:[._-][^\W_]+)*")
_SHORT, _WORDY, _NUMBER = 3, 5, 5


@dataclass(frozen=True)
class Names:
    """Names of patients, recordings and files of a run.

    Attributes
    ----------
    ids : frozenset of str
        All of them.
    distinct : frozenset of str
        Those that no other text is likely to hold by chance: with letters and digits, of five
        digits or more, or a capitalised word of five letters or more.
    """

    ids: frozenset[str]
    distinct: frozenset[str]

    def search(self, path: Path) -> int:
        """Return how many of the names a file holds in its texts."""
        found: set[str] = set()
        odd = {name for name in self.distinct if not _WORD.fullmatch(name)}
        for text in texts_of(path):
            found |= self.distinct & words_in(text)
            found |= {name for name in odd if name in text}
        return len(found)


def names_of(run: Path) -> Names:
    """Collect every name that a run wrote down, of the runs that it made first included.

    Words that the plugin itself publishes (of its configurations, say) are told apart by the
    caller: see `without`.
    """
    found = FinalModels(run).names_written()
    # What each name is made of, too: the person of "C01r0.csv;C02r0.csv" is in its parts.
    parts = {part for name in found for part in re.split(r"[;/\\|^ ]", name)}
    distinct = frozenset(name for name in found | parts if _is_distinct(name))
    return Names(frozenset(found), distinct)


def without(names: Names, texts: Iterable[str]) -> Names:
    """Return the names less the words of texts that name no patient (a plugin's own)."""
    own = {word for text in texts for word in words_in(text)}
    return Names(names.ids, names.distinct - own)


def words_in(text: str) -> set[str]:
    """Return the words of a text: whole ones, and what they are made of at hyphens and dots.

    Examples
    --------
    >>> sorted(words_in("fold r0-f3 of P_017.csv"))
    ['017', '017.csv', 'P', 'P_017', 'P_017.csv', 'csv', 'f3', 'fold', 'of', 'r0', 'r0-f3']
    """
    found: set[str] = set()
    for match in _WORD.finditer(text):
        whole = match.group()
        if whole in found:
            continue
        pieces = re.split(r"([._-])", whole)
        starts = range(0, len(pieces), 2)
        found |= {
            "".join(pieces[first : last + 1])
            for first in starts
            for last in starts
            if last >= first
        }
    return found


def _is_distinct(name: str) -> bool:
    if len(name) < _SHORT or name != name.strip():
        return False
    digits, letters = any(map(str.isdigit, name)), any(map(str.isalpha, name))
    if digits:
        return letters or len(name) >= _NUMBER
    return len(name) >= _WORDY and name[0].isupper()


def texts_of(path: Path) -> Iterator[str]:
    """Yield every text in a file of an exported folder, unpacked and decoded.

    Raises
    ------
    ConfigError
        If the file is of a kind that cannot be looked into.
    DataError
        If it is damaged.
    """
    yield path.name
    with looking_into(path):
        yield from _texts(path.name, path.read_bytes())


def _texts(name: str, content: bytes) -> Iterator[str]:
    suffix = Path(name).suffix
    if suffix in (".json", ".yaml", ".md"):
        text = content.decode("utf-8")
        yield text
        if suffix == ".json":
            yield from _strings(json.loads(text))  # escaped letters, decoded
    elif suffix == ".safetensors":
        (length,) = struct.unpack("<Q", content[:8])
        yield from _strings(json.loads(content[8 : 8 + length]))
    elif suffix in (".skops", ".npz"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield member
                yield from _texts(member, archive.read(member))
    elif suffix == ".npy":
        yield from _array(name, content)
    elif suffix == ".onnx":
        yield from (found.decode("ascii") for found in re.findall(rb"[\x20-\x7e]{6,}", content))
    else:
        raise ConfigError(
            f"{name}: a file of this kind cannot be looked into for patients; take it out of the "
            "artifact"
        )


def _array(name: str, content: bytes) -> Iterator[str]:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except ValueError as error:
        raise DataError(
            f"{name}: expected an array of numbers or texts, found Python objects; it stays here"
        ) from error
    fields = [array[column] for column in array.dtype.names] if array.dtype.names else [array]
    for field in fields:
        if field.dtype.kind in "US":
            text = field.astype(str) if field.dtype.kind == "U" else np.char.decode(field, "latin1")
            yield from text.ravel().tolist()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
