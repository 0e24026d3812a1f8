"""What a row looks at and how: read off its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from cardio_core.api import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardio_core.api import Context, FeatureSet, Targets

Kind = Literal["resnet", "logistic"]


def kind_of(ctx: Context) -> Kind:
    """Return whether the row is a network or a regression."""
    return "resnet" if str(ctx.model).startswith("resnet") else "logistic"


def map_of(ctx: Context) -> str:
    """Return the map that the row looks at: rest, stress or reserve."""
    return str(ctx.model).rpartition("_")[2]


def out_of(ctx: Context) -> Path:
    """Return the directory that `train` fills."""
    if ctx.out is None:
        raise ValueError("training needs a directory to fill")
    return ctx.out


def known_labels(
    features: FeatureSet, targets: Targets, target: str, ctx: Context
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return positions and labels (1, 0) of the samples whose label is known.

    Raises
    ------
    DataError
        If a class has fewer than two patients: nothing can be learnt from that.
    """
    y = np.asarray(targets.of(features.table, target), dtype=float)
    known = np.flatnonzero(np.isfinite(y))
    n_with = int((y[known] == 1).sum())
    if min(n_with, known.size - n_with) < 2:
        raise DataError(
            f"row {ctx.model}, {target}: expected two or more training patients with and without "
            f"it, found {n_with} with and {known.size - n_with} without; take fewer folds "
            "(protocols.honest.k, inner.k=0) or more patients"
        )
    return known, y[known].astype(np.float32)
