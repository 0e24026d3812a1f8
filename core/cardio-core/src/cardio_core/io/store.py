"""Where derived files are kept."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.io.run_schema import FileSchema, Name
from cardio_core.types.features import FeatureBlock, FeatureSet, Pieces
from cardio_core.types.samples import ID_COLUMNS
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.files import SafeName, read_text


def cache_dir() -> Path:
    """Return the cache folder: ``CARDIO_CACHE``, else ``cardio`` in the user's cache folder.

    Raises
    ------
    ConfigError
        If the user has no home folder, and nothing says where else.
    """
    named = os.environ.get("CARDIO_CACHE")
    if named:
        return Path(named).absolute()  # workers on a cluster stand in folders of their own
    base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base) / "cardio"
    try:
        return Path.home() / ".cache" / "cardio"
    except RuntimeError:  # neither HOME nor an entry among the users
        raise ConfigError(
            "expected a home folder for derived files, found none; set CARDIO_CACHE to a folder "
            "that may be written",
            code="missing",
        ) from None


def open_cache() -> Path:
    """Return the cache folder, made where it was not, so that nobody but its owner looks into it.

    Features of patients lie in it. A folder that is there keeps the permissions that it has.

    Raises
    ------
    ConfigError
        If it cannot be made, or not be written.
    """
    folder = cache_dir()
    why = ""
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
    if why or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(
            f"{folder}: expected a folder for derived files that may be written, found one that "
            f"may not ({(why or 'read-only').lower()}); set CARDIO_CACHE to another",
            code="permission",
        )
    return folder


MOST_CACHE_GB = 50.0
"""What a cache may hold, unless ``CARDIO_CACHE_GB`` says otherwise."""

_PARTS = ("features", "synthetic", "contracts")


def most_cache_bytes() -> float:
    """Return how many bytes a cache may hold.

    Raises
    ------
    ConfigError
        If ``CARDIO_CACHE_GB`` is no number above 0.
    """
    text = os.environ.get("CARDIO_CACHE_GB") or str(MOST_CACHE_GB)
    try:
        most = float(text)
    except ValueError:
        most = 0.0
    if not 0 < most < float("inf"):
        raise ConfigError(f"CARDIO_CACHE_GB={text}: expected a number of gigabytes above 0")
    return most * 1e9


def bound_cache(cache: Path, spare_s: float = 86_400.0) -> int:
    """Delete what was made longest ago until a cache is within its bound; return the bytes.

    What was made within `spare_s` seconds stays: a command may be at work with it.
    """
    pieces = [piece for part in _PARTS for piece in _pieces(cache / part)]
    over = sum(size for _, size, _ in pieces) - most_cache_bytes()
    gone, now = 0, time.time()
    for path, size, made in sorted(pieces, key=lambda piece: piece[2]):
        if gone >= over or now - made < spare_s:
            break
        shutil.rmtree(path, ignore_errors=True)
        gone += size
    return gone


def _pieces(part: Path) -> list[tuple[Path, int, float]]:
    """Return what is made and found as a whole: its place, bytes, and when it was made."""
    if not part.is_dir():
        return []
    below = [path for path in part.iterdir() if path.is_dir() and part.name == "features"]
    places = [path for plugin in below for path in plugin.iterdir()] or list(part.iterdir())
    found = []
    for place in places:
        try:
            files = [place] if place.is_file() else [f for f in place.rglob("*") if f.is_file()]
            found.append((place, sum(f.stat().st_size for f in files), place.stat().st_mtime))
        except OSError:  # another command threw it away meanwhile
            continue
    return found


# What describes a patient's stored features.


@dataclass(frozen=True)
class About:
    """Everything of a `FeatureBlock` but its values."""

    axes: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    scale: float
    offset: float
    extents: dict[str, tuple[float, float, str]]
    titles: tuple[str, ...] | None
    listed_last: tuple[str, ...]


BLOCKS = FileSchema("what the features are", dict[Name, About])

# Feature sets on disk: plain `.npy` and JSON, no pickle, opened as memory maps.

# Cannot be a value of a table that came from text; does not end in NUL, which numpy would strip.
MISSING = "\0NA"


def save_features(folder: Path, features: FeatureSet) -> None:
    """Write one patient's features into an existing folder."""
    save_table(folder / "table.npz", features.table)
    description = {}
    for name, block in features.blocks.items():
        np.save(folder / SafeName(name, ".npy"), np.asarray(block.values), allow_pickle=False)
        description[name] = {field.name: getattr(block, field.name) for field in fields(About)}
    BLOCKS.write(folder / "blocks.json", description)


def load_features(folder: Path) -> FeatureSet:
    """Open one patient's features; values stay on disk until they are asked for."""
    blocks = {
        name: FeatureBlock(Pieces([folder / SafeName(name, ".npy")]), **vars(about))
        for name, about in _described(folder / "blocks.json").items()
    }
    return FeatureSet(load_table(folder / "table.npz"), blocks)


_BLOCKS: dict[str, dict[str, About]] = {}
"""What files say of blocks, by their text. The patients of a cohort say the same: kept once for all
of them, it is not tens of kilobytes a patient."""

_MOST_BLOCKS = 64


def _described(file: Path) -> dict[str, About]:
    text = read_text(file)
    if text not in _BLOCKS:
        if len(_BLOCKS) == _MOST_BLOCKS:
            _BLOCKS.clear()
        _BLOCKS[text] = BLOCKS.read(file)
    return _BLOCKS[text]


def save_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table of strings and numbers as `.npz`; a missing string becomes NA again."""
    arrays: dict[str, Any] = {"index": table.index.to_numpy().astype(str)}
    for column in table.columns:
        values = table[column]
        text = column in ID_COLUMNS or not pd.api.types.is_numeric_dtype(values)
        if text:
            filled = values.astype("string").fillna(MISSING)
            arrays[f"column:{column}"] = filled.to_numpy().astype(str)
        else:
            arrays[f"column:{column}"] = values.to_numpy()
    np.savez(path, **arrays)


def load_table(path: Path) -> pd.DataFrame:
    """Read a table written by `save_table`.

    Raises
    ------
    DataError
        If it is not there, or is damaged.
    """
    try:
        return _table_in(path)
    except DataError:
        raise
    except Exception as error:  # zip files and arrays fail in a dozen ways
        raise DataError.unusable(
            path.name, "a table of arrays", f"a damaged one ({type(error).__name__})",
            "put back a whole copy of the folder",
        ) from None  # fmt: skip


def _table_in(path: Path) -> pd.DataFrame:
    with np.load(path, allow_pickle=False) as arrays:
        columns = {}
        for key in arrays.files:
            if not key.startswith("column:"):
                continue
            values = arrays[key]
            if values.dtype.kind == "U":
                values = _texts(values)
            columns[key.removeprefix("column:")] = values
        index = pd.Index(arrays["index"].astype(object), name="sample_id")
    return pd.DataFrame(columns, index=index)


def _texts(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return texts as objects, equal ones as one object; None where one is missing."""
    different, which = np.unique(values, return_inverse=True)
    found = different.astype(object)
    found[different == MISSING] = None
    return found[which]
