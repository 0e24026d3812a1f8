"""truth.json: what is known about a synthetic cohort, beside its recordings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike


_NAME = "truth.json"


def rounded(values: ArrayLike) -> Any:
    """Round to six decimals: a float, or a list with None for NaN.

    Examples
    --------
    >>> rounded(1 / 3), rounded([0.1, float("nan")])
    (0.333333, [0.1, None])
    """
    array = np.round(np.asarray(values, dtype=float), 6)
    if array.ndim == 0:
        return None if np.isnan(array) else float(array)
    return [None if np.isnan(value) else float(value) for value in array]


def is_twin(path: Path) -> bool:
    """Tell whether a folder, or a cohort table in it, was made by code: its truth lies beside it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as made:
    ...     before = is_twin(Path(made))
    ...     write_truth(Path(made) / "truth.json", {"kind": "beats", "seed": 0})
    ...     before, is_twin(Path(made)), is_twin(Path(made) / "cohort.csv")
    (False, True, True)
    """
    beside = (path if path.is_dir() else path.parent) / _NAME
    try:
        truth = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(truth, dict) and {"kind", "seed"} <= set(truth)


def write_truth(path: Path, truth: dict[str, Any]) -> None:
    """Write the truth as JSON, the same bytes for the same truth."""
    path.write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n", encoding="utf-8")
