"""Train: the network on M-modes, or a regression on the septum's motion, on the same studies."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureSet, ModelArtifact, Note, Targets
from cardio_mmode_septal_flash.flash.config import TrainBlock
from cardio_mmode_septal_flash.flash.labels import Labelled, check_labels, known_labels, originals
from cardio_mmode_septal_flash.flash.models import model_of
from cardio_mmode_septal_flash.flash.regression import fit_regression

HELD_BACK = 0.2
"""Share of the training patients by which one of several fits is chosen."""

AUGMENTED = (
    "Shifted copies validate the network with the originals ({n_copies} pictures of {n} studies),"
    " as published: pictures of one study are counted as if they were independent."
)


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model that the context names and leave it in its directory."""
    known, labels = known_labels(training, targets, ctx)
    check_labels(known, labels, ctx)
    if model_of(ctx).kind != "network":
        first = np.flatnonzero(originals(known))
        return fit_regression(known.view(first), labels[first], config.logistic_c, ctx)
    if not config.shifts:
        first = np.flatnonzero(originals(known))
        known, labels = known.view(first), labels[first]
    if config.draws > 1:
        return _best_draw(known, labels, config, ctx)
    checked: Labelled | None = None
    notes: tuple[str, ...] = ()
    if config.validation_share > 0:
        known, labels, checked, notes = _own_validation(known, labels, config, ctx)
    elif validation is not None and config.choose_epochs:
        checked = known_labels(validation, targets, ctx)
    from cardio_mmode_septal_flash.flash.network import fit_network  # torch only where needed

    return fit_network((known, labels), checked, notes, config, ctx)


def _best_draw(
    known: FeatureSet, labels: NDArray[np.float64], config: TrainBlock, ctx: Context
) -> ModelArtifact:
    """Fit several times and keep the fit with the least loss on patients held back from all.

    In some draws of weights and order the flash of a whole M-mode is hardly learnt; the loss on
    training patients, which can be learnt by heart, does not tell these from others.
    """
    from cardio_mmode_septal_flash.flash.network import fit_network, loss_on

    patients = known.table["patient_id"].to_numpy(str)
    names = np.unique(patients)
    n_held = max(1, round(HELD_BACK * names.size))
    apart = np.isin(patients, ctx.rng("held-back patients").choice(names, n_held, replace=False))
    fitted, held = np.flatnonzero(~apart), np.flatnonzero(apart & originals(known))
    tried = []
    for n in range(config.draws):
        inside = ctx.inside(f"draw-{n}")
        drawn = inside.replace(seed=ctx.seed_of(f"draw {n}"))
        artifact = fit_network((known.view(fitted), labels[fitted]), None, (), config, drawn)
        tried.append((loss_on(artifact, (known.view(held), labels[held]), drawn), n, artifact))
    _, best, artifact = min(tried, key=lambda item: item[:2])
    for path in artifact.path.iterdir():
        path.rename(ctx.out / path.name)
    for _, _, other in tried:
        shutil.rmtree(other.path)
    losses = ", ".join(f"{loss:.3f}" for loss, _, _ in tried)
    note = Note("draws", f"Of {config.draws} fits (loss on {n_held} patients held back from them: "
                f"{losses}), number {best + 1} is kept.")  # fmt: skip
    return replace(artifact, path=ctx.out, notes=(*artifact.notes, note))


def _own_validation(
    known: FeatureSet, labels: NDArray[np.float64], config: TrainBlock, ctx: Context
) -> tuple[FeatureSet, NDArray[np.float64], Labelled, tuple[str, ...]]:
    """Set a share of the studies aside, whoever they belong to, with all their shifted copies."""
    rng = ctx.rng("validation studies")
    studies = known.table["study_id"].to_numpy(str)
    # A class gives its share; numbers are all of one kind.
    kind = labels if ctx.targets[0].classes else np.zeros_like(labels)
    aside: list[str] = []
    for label in np.unique(kind):
        of_label = np.unique(studies[kind == label])
        n_aside = max(1, round(config.validation_share * of_label.size))
        aside += rng.choice(of_label, n_aside, replace=False).tolist()
    apart = np.isin(studies, aside)
    fit, check = np.flatnonzero(~apart), np.flatnonzero(apart)
    note = AUGMENTED.format(n_copies=check.size, n=len(aside))
    return known.view(fit), labels[fit], (known.view(check), labels[check]), (note,)
