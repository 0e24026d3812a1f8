"""Feature sets on disk: plain `.npy` and JSON, no pickle, opened as memory maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.io.atomic import read_text, write_json
from cardio_core.io.kept.features import BLOCKS
from cardio_core.types.features import FeatureBlock, FeatureSet, Pieces
from cardio_core.types.file_names import SafeName
from cardio_core.types.samples import ID_COLUMNS

# Cannot be a value of a table that came from text; does not end in NUL, which numpy would strip.
MISSING = "\0NA"


def save_features(folder: Path, features: FeatureSet) -> None:
    """Write one patient's features into an existing folder."""
    save_table(folder / "table.npz", features.table)
    description = {}
    for name, block in features.blocks.items():
        np.save(folder / SafeName(name, ".npy"), np.asarray(block.values), allow_pickle=False)
        description[name] = {
            "axes": block.axes,
            "names": block.names,
            "units": block.units,
            "scale": block.scale,
            "offset": block.offset,
            "extents": dict(block.extents),
            "titles": block.titles,
        }
    write_json(folder / "blocks.json", description)


def load_features(folder: Path) -> FeatureSet:
    """Open one patient's features; values stay on disk until they are asked for."""
    blocks = {
        name: FeatureBlock(Pieces([folder / SafeName(name, ".npy")]), *about)
        for name, about in _described(folder / "blocks.json").items()
    }
    return FeatureSet(load_table(folder / "table.npz"), blocks)


_About = tuple[Any, ...]
_SAID: dict[str, dict[str, _About]] = {}
"""What files say of blocks, by their text. The patients of a cohort say the same: kept once for all
of them, it is not tens of kilobytes a patient."""

_MOST_SAID = 64


def _described(file: Path) -> dict[str, _About]:
    """Return everything of each block but its values, in the order of `FeatureBlock`."""
    text = read_text(file)
    if text not in _SAID:
        if len(_SAID) == _MOST_SAID:
            _SAID.clear()
        _SAID[text] = {
            name: (
                tuple(about["axes"]),
                tuple(about["names"]),
                tuple(about["units"]),
                about["scale"],
                about["offset"],
                {axis: tuple(extent) for axis, extent in about["extents"].items()},
                None if about.get("titles") is None else tuple(about["titles"]),
            )
            for name, about in BLOCKS.read(file).items()
        }
    return _SAID[text]


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
