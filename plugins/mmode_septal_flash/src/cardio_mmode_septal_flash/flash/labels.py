"""The samples that a model is fitted on: those with a label, and which of them are no copies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, FeatureSet, Targets

Labelled = tuple[FeatureSet, NDArray[np.float64]]


def known_labels(features: FeatureSet, targets: Targets, ctx: Context) -> Labelled:
    """Return the samples with a label, and their labels.

    A label is the place of its class (1 with septal flash, 0 without), or a number where the
    outcome is one. Shifted copies of a study stay only beside its original. Where a plan splits
    samples, a tested study's copies would otherwise be trained on.
    """
    target = ctx.targets[0]
    y = np.asarray(targets.of(features.table, target.name), dtype=object)
    code = np.array([_code(value, target.classes) for value in y], dtype=np.float64)
    positions = np.flatnonzero(np.isfinite(code) & with_original(features))
    return features.view(positions), code[positions]


def check_labels(features: FeatureSet, labels: NDArray[np.float64], ctx: Context) -> None:
    """Raise where there is nothing to learn from.

    Fewer than two training studies of either of two classes, of two classes where there are more,
    or fewer than two different numbers.

    Raises
    ------
    DataError
    """
    target, known = ctx.targets[0], labels[originals(features)]
    help_ = "take fewer folds (protocols.honest.k, inner.k=0) or more patients"
    if target.kind == "continuous":
        if np.unique(known).size < 2:
            raise DataError(
                f"model {ctx.model}: expected two or more values of {target.name} among the "
                f"training studies, found {np.unique(known).size}; {help_}"
            )
        return
    counts = [int((known == place).sum()) for place in range(len(target.classes))]
    n_least = 2 if target.kind == "multiclass" else len(counts)
    if sum(n >= 2 for n in counts) < n_least:
        found = ", ".join(f"{name} {n}" for name, n in zip(target.classes, counts, strict=True))
        classes = "two classes" if target.kind == "multiclass" else "each class"
        raise DataError(
            f"model {ctx.model}: expected two or more training studies of {classes} of "
            f"{target.name.replace('_', ' ')}, found {found}; {help_}"
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


def scale_of(labels: NDArray[np.float64], ctx: Context) -> tuple[float, float] | None:
    """Return mean and SD of a number to be learnt; None for classes. An SD of 0 counts as 1."""
    if ctx.targets[0].kind != "continuous":
        return None
    return float(labels.mean()), float(labels.std()) or 1.0


def _code(value: object, classes: tuple[str, ...]) -> float:
    if isinstance(value, str):
        return float(classes.index(value)) if value in classes else float("nan")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # None, and pandas' own NA
        return float("nan")
