"""Train for `crt_response`: each model in its own way, on the same patients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Targets
from cardio_ecg_transfer.response.classical import fit_classifier, vectors_of
from cardio_ecg_transfer.response.config import TrainBlock
from cardio_ecg_transfer.response.models import RECIPES
from cardio_ecg_transfer.response.patients import responders


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model that the context names and leave it in its directory."""
    recipe = RECIPES[str(ctx.model)]
    response = responders(training, targets, ctx.task.targets[0].name)
    if recipe.kind == "rule":
        artifact = ModelArtifact(ctx.out)
        artifact.write_json("rule.json", {"columns": list(recipe.columns)})
        return artifact
    _check_classes(response, ctx)
    if recipe.kind == "network":
        from cardio_ecg_transfer.response.by_network import fit_network  # torch only where needed

        return fit_network(training, validation, targets, recipe, config, ctx)
    notes: tuple[str, ...] = ()
    if recipe.kind == "deep_features":
        from cardio_ecg_transfer.response.by_network import fresh_vectors

        vectors, notes = fresh_vectors(training, recipe, config, ctx)
    else:
        vectors = vectors_of(training, recipe)
    fitted = fit_classifier(vectors, response, recipe, config.classical, ctx)
    return ModelArtifact(fitted.path, None, notes)


def _check_classes(response: NDArray[np.float32], ctx: Context) -> None:
    n_with = int((response == 1).sum())
    if min(n_with, len(response) - n_with) < 2:
        raise DataError(
            f"model {ctx.model}: expected two or more training patients with and without the "
            f"outcome, found {n_with} with and {len(response) - n_with} without; take fewer folds "
            "(protocols.honest.k, inner.k=0) or more patients"
        )
