"""The samples that a model is fitted on: those with a label, and which of them are no copies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, FeatureSet, Targets

Labelled = tuple[FeatureSet, NDArray[np.int64]]


def known_labels(features: FeatureSet, targets: Targets, ctx: Context) -> Labelled:
    """Return the samples with a label, and their labels: 1 with septal flash, 0 without.

    Shifted copies of a study stay only beside its original. Where a plan splits samples, a tested
    study's copies would otherwise be trained on.
    """
    target = ctx.task.targets[0]
    y = np.asarray(targets.of(features.table, target.name), dtype=object)
    code = np.array([_code(value, target.classes) for value in y], dtype=np.float64)
    positions = np.flatnonzero(np.isfinite(code) & with_original(features))
    return features.view(positions), code[positions].astype(np.int64)


def check_classes(features: FeatureSet, labels: NDArray[np.int64], ctx: Context) -> None:
    """Raise where a class has fewer than two training studies: nothing can be learnt from that.

    Raises
    ------
    DataError
    """
    first = originals(features)
    n_with, n = int(labels[first].sum()), int(first.sum())
    if min(n_with, n - n_with) < 2:
        raise DataError(
            f"model {ctx.model}: expected two or more training studies with and without septal "
            f"flash, found {n_with} with and {n - n_with} without; take fewer folds "
            "(protocols.honest.k, inner.k=0) or more patients"
        )


def originals(features: FeatureSet) -> NDArray[np.bool_]:
    """Return which samples are no shifted copies, shape (n_samples,)."""
    if "variant" not in features.table.columns:
        return np.ones(len(features), dtype=bool)
    return np.asarray(features.table["variant"].to_numpy() == 0)


def with_original(features: FeatureSet) -> NDArray[np.bool_]:
    """Return which samples belong to a recording whose original is among them."""
    recordings = features.table["recording_id"].to_numpy(str)
    return np.asarray(np.isin(recordings, recordings[originals(features)]))


def _code(value: object, classes: tuple[str, ...]) -> float:
    if isinstance(value, str):
        return float(classes.index(value)) if value in classes else float("nan")
    return float("nan") if value is None else float(value)  # type: ignore[arg-type]
