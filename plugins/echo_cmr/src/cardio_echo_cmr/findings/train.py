"""Train: the video network of one view, the classifier of views, or a baseline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Note, Target, Targets
from cardio_echo_cmr.clips import ClipForm, is_usable, middle_starts
from cardio_echo_cmr.findings.baseline import N_LEAST, OF_KIND, counts_of, fit_baseline
from cardio_echo_cmr.findings.config import TrainBlock
from cardio_echo_cmr.findings.models import codes_of, recipe_of
from cardio_echo_cmr.findings.seen_views import counted, views_of

if TYPE_CHECKING:
    from cardio_echo_cmr.networks.examples import Clips, Grey

Labelled = tuple[FeatureSet, NDArray[np.float64]]

PAPER = {
    "width_mult": 1.0, "choose_epochs": True, "epochs": 50, "batch_size": 10,
    "learning_rate": 1e-3, "optimizer": "adamw", "weight_decay": 0.01, "schedule": "none",
    "patience": 10,
}  # fmt: skip
"""How the paper's networks were trained, by the names of `TrainBlock` and its plan."""


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model that the context names and leave it in its directory."""
    recipe = recipe_of(ctx)
    training = some_patients(training, targets, config.max_patients, ctx)
    if recipe.kind == "view":
        from cardio_echo_cmr.findings.view_classifier import train_view

        return train_view(training, validation, targets, config, ctx)
    if recipe.kind == "regression":
        return fit_baseline(training, targets, config.logistic_c, ctx)
    videos, note = own_videos(training, targets, config, ctx)
    _check(videos[1], ctx.targets[0], note, ctx)
    checked: Labelled | None = None
    if validation is not None and config.choose_epochs:
        checked, _ = own_videos(validation, targets, config, ctx)
    return _train_network(
        videos, checked if checked and len(checked[0]) else None, note, config, ctx
    )


def some_patients(
    features: FeatureSet, targets: Targets, n_patients: int | None, ctx: Context
) -> FeatureSet:
    """Return the samples of some patients, the same for all models of a fold.

    Parameters
    ----------
    features : FeatureSet
        Of the training patients.
    targets : Targets
        The task's first target is spread among the chosen as among all.
    n_patients : int or None
        How many; None, or more than there are, takes all. Fewer patients are always among more:
        a curve never changes its patients, it only adds some.
    ctx : Context
        Seed and fold.
    """
    patients = features.table["patient_id"].to_numpy(str)
    names, owner = np.unique(patients, return_inverse=True)
    if n_patients is None or n_patients >= len(names):
        return features
    codes = codes_of(features, targets, ctx.task.targets[0])
    stratum = np.full(len(names), -1.0)
    np.maximum.at(stratum, owner, np.nan_to_num(codes, nan=-1.0))
    rng = ctx.replace(model=None).rng("fewer patients")
    turn = np.empty(len(names))
    for value in np.unique(stratum):
        of_value = rng.permutation(np.flatnonzero(stratum == value))
        # Places between 0 and 1: at any cut each stratum has given its share.
        turn[of_value] = (np.arange(of_value.size) + 0.5) / of_value.size
    chosen = np.argsort(turn, kind="stable")[:n_patients]
    return features.view(np.flatnonzero(np.isin(owner, chosen)))


def own_videos(
    features: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context
) -> tuple[Labelled, str]:
    """Return the model's own videos with their labels, and a sentence on the others.

    A video is the model's own if it shows its view, the form of the clips can use it, and the label
    of the view's own segments is known.
    """
    views = views_of(features, ctx, least_probability=config.min_view_probability)
    codes = codes_of(features, targets, ctx.targets[0])
    of_view = views == recipe_of(ctx).view
    usable = of_view & is_usable(_form(config), np.asarray(features["times"].values))
    known = np.flatnonzero(usable & np.isfinite(codes))
    note = (
        f"Views of {len(features)} training videos: {counted(views)}. Fitted on {known.size} of "
        f"view {recipe_of(ctx).view.upper()}: {int((of_view & ~usable).sum())} are too short and "
        f"{int(usable.sum()) - known.size} have no label."
    )
    return (features.view(known), codes[known]), note


def _train_network(
    fitted_on: Labelled, checked: Labelled | None, note: str, config: TrainBlock, ctx: Context
) -> ModelArtifact:
    # torch only where needed
    from cardio_echo_cmr.networks import clip_network
    from cardio_echo_cmr.networks.examples import grey_of

    training, codes = fitted_on
    target = ctx.targets[0]
    form, grey = _form(config), grey_of(training)
    scale = None
    if target.kind == "continuous":  # mean and SD; 1 where all values are the same
        scale = (float(codes.mean()), float(codes.std()) or 1.0)
    several = target.kind == "multiclass"
    network, start = clip_network.fresh_network(
        config.width_mult,
        config.weights,
        ctx.seed_of("weights"),
        len(target.classes) if several else 1,
    )
    if start is None:
        ctx.warn("not_pretrained", clip_network.SCRATCH)
    score, notes = _score(target, scale, checked)
    done = ctx.fit(
        network,
        _clips(fitted_on, form, grey, scale),
        None if checked is None else _clips(checked, form, grey, scale),
        plan=config.fit,
        loss=clip_network.LOSSES[target.kind],
        score=score,
    )
    artifact = ModelArtifact(ctx.out)
    clip_network.write_about(
        artifact,
        width_mult=config.width_mult,
        n_outputs=network.n_outputs,
        form=form,
        grey=grey,
        side=int(training["video"].values.shape[-1]),
        view=recipe_of(ctx).view,
        least_view=config.min_view_probability,
        target=target.name,
        scale=scale,
    )
    best = done.best_epoch if checked is not None else None
    unlike = unlike_the_paper(config) if ctx.protocol == "paper" else ()
    return ModelArtifact(
        artifact.path,
        best,
        (*Note.each("fitted_on", [start or "", note, *unlike, *notes]), *done.notes),
    )


def unlike_the_paper(config: TrainBlock) -> tuple[str, ...]:
    """Return a sentence on what of the training is not the paper's: nothing if all of it is.

    Examples
    --------
    >>> from cardio_echo_cmr.findings.config import TrainBlock
    >>> plan = {"epochs": 50, "batch_size": 5, "accumulate": 2, "optimizer": "adamw",
    ...         "learning_rate": 1e-3, "weight_decay": 0.01, "schedule": "none", "patience": 10}
    >>> unlike_the_paper(TrainBlock(fit=plan))
    ()
    >>> unlike_the_paper(TrainBlock(fit=plan | {"epochs": 8}, width_mult=0.5))
    ("Not the paper's training: width_mult 0.5 (1.0), epochs 8 (50).",)
    """
    settings = (
        config.fit.model_dump() | config.model_dump() | {"batch_size": config.fit.effective_batch}
    )
    other = [
        f"{name} {settings[name]} ({value})"
        for name, value in PAPER.items()
        if settings[name] != value
    ]
    return (f"Not the paper's training: {', '.join(other)}.",) if other else ()


def area(logits: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Return the area under the ROC curve, which chooses the epoch of a binary target."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(wanted, logits))


def minus_absolute_error(values: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Return minus the mean absolute error, which chooses the epoch of a continuous target."""
    return -float(np.abs(values - wanted).mean())


def _score(
    target: Target, scale: tuple[float, float] | None, checked: Labelled | None
) -> tuple[Callable[..., float] | None, tuple[str, ...]]:
    """Return what chooses the epoch, and what is to be said of it."""
    if scale is not None:
        return minus_absolute_error, ()
    if target.kind == "multiclass":
        return None, ()
    if checked is not None and np.unique(checked[1]).size < 2:
        return None, (
            f"The loss chose the epoch: the {checked[1].size} validation videos have one class of "
            f"{target.name}.",
        )
    return area, ()


def _form(config: TrainBlock) -> ClipForm:
    return ClipForm(config.clip, config.n_frames, config.period, config.pad)


def _clips(
    labelled: Labelled, form: ClipForm, grey: Grey, scale: tuple[float, float] | None
) -> Clips:
    """Return one clip a video; in training its start is drawn anew each time."""
    from cardio_echo_cmr.networks.examples import clips_of

    features, codes = labelled
    wanted = codes if scale is None else (codes - scale[0]) / scale[1]
    starts = middle_starts(form, np.asarray(features["times"].values))
    return clips_of(features, form, grey, starts, wanted.astype(np.float32))


def _check(codes: NDArray[np.float64], target: Target, note: str, ctx: Context) -> None:
    """Raise where there is nothing to learn from."""
    counts = counts_of(codes, target)
    if min(counts) < N_LEAST[target.kind]:
        kind = OF_KIND[target.kind]
        raise DataError(
            f"model {ctx.model}: expected {N_LEAST[target.kind]} or more training videos of its "
            f"view {kind}with a label, found {' and '.join(map(str, counts))} "
            f"({note.partition('. ')[0]}); take fewer folds or more patients, or a plan that tests "
            "every patient for the task view"
        )
