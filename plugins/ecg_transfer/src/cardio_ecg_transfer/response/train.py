"""Train for `crt_response`: each model in its own way, on the same patients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Note, Target, Targets
from cardio_ecg_transfer.response.classical import (
    KERNELS,
    fit_estimator,
    kernel_vectors,
    vectors_of,
)
from cardio_ecg_transfer.response.config import TrainBlock
from cardio_ecg_transfer.response.models import RECIPES
from cardio_ecg_transfer.response.patients import outcomes, people_of


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model that the context names and leave it in its directory."""
    recipe = RECIPES[str(ctx.model)]
    target = ctx.targets[0]
    outcome = outcomes(training, targets, target)
    if recipe.kind == "rule":
        artifact = ModelArtifact(ctx.out)
        artifact.write_json("rule.json", {"columns": list(recipe.columns)})
        return artifact
    _check_classes(outcome, target, ctx)
    if recipe.kind == "network":
        from cardio_ecg_transfer.response.by_network import fit_network  # torch only where needed

        return fit_network(training, validation, targets, recipe, config, ctx)
    if recipe.kind == "beat_network":
        from cardio_ecg_transfer.response.beat_network import fit_beat_network

        return fit_beat_network(training, validation, targets, config, ctx)
    notes: tuple[str, ...] = ()
    if recipe.kind == "deep_features":
        from cardio_ecg_transfer.response.by_network import fresh_vectors

        vectors, notes = fresh_vectors(training, recipe, config, ctx)
    elif recipe.kind == "kernels":
        # The run's seed, not the fold's: all folds look through the same kernels.
        drawn = {"n_kernels": config.classical.n_kernels, "seed": ctx.seed}
        ModelArtifact(ctx.out).write_json(KERNELS, drawn)
        vectors = kernel_vectors(training, **drawn)
    else:
        vectors = vectors_of(training, recipe)
    fitted = fit_estimator(vectors, outcome, people_of(training), recipe, config.classical, ctx)
    return ModelArtifact(fitted.path, None, Note.each("start", notes))


def _check_classes(outcome: NDArray[np.float32], target: Target, ctx: Context) -> None:
    if target.kind == "continuous":
        return
    counts = {name: int((outcome == code).sum()) for code, name in enumerate(target.classes)}
    if min(counts.values()) < 2:
        found = ", ".join(f"{n} {name}" for name, n in counts.items())
        raise DataError(
            f"model {ctx.model}: expected two or more training patients of each class, found "
            f"{found}; take fewer folds (protocols.honest.k, inner.k=0) or more patients"
        )
