"""Train for `crt_response`: codes of the map where a model has them, a screen, a regression."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd

from cardio_core.api import Context, FeatureSet, ModelArtifact, Note, Target, Targets
from cardio_spect_polar.response.config import TrainBlock
from cardio_spect_polar.response.fitting import (
    FittedCodes,
    Floats,
    Regression,
    Ridge,
    Screen,
    fit_codes,
    fit_regression,
    fit_ridge,
    screen_codes,
    univariable_p,
)
from cardio_spect_polar.response.models import RECIPES, Recipe
from cardio_spect_polar.response.patients import measured, outcomes, patients_of, phase_maps

MODEL, SCREEN = "model.json", "screen.json"


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model that the context names and leave it in its directory.

    The autoencoder sees every training patient, labelled or not; the screen and the regression see
    the labelled ones.
    """
    recipe = RECIPES[str(ctx.model)]
    target = ctx.targets[0]
    outcome = outcomes(training, targets, target)
    labelled = np.isfinite(outcome)
    known = outcome[labelled]
    table = fixed_columns(training, recipe, config).loc[labelled]
    notes: list[Note] = []
    if config.regression.screen_covariates and recipe.clinical:
        table, note = _screened(table, known, recipe, config, target)
        notes.append(Note("screened", note))
    artifact = ModelArtifact(ctx.out)
    best_epoch = None
    if recipe.codes:
        maps = phase_maps(training)
        held = None if validation is None else phase_maps(validation)
        fitted = fit_codes(recipe.codes, maps, held, config.autoencoder, ctx)
        fitted.save(artifact.path)
        codes = fitted.codes.encode(maps[labelled])
        screen = screen_codes(
            codes, known, _candidates(fitted), config.screen, seed=ctx.seed_of("screen"),
            kind=target.kind,
        )  # fmt: skip
        artifact.write_json(
            SCREEN,
            {
                "entered": list(screen.entered),
                "passed": screen.passed,
                "tested": screen.table.to_dict("list"),
            },
        )
        entered = pd.DataFrame(
            {code_name(recipe, i): codes[:, i] for i in screen.entered}, index=table.index
        )
        table = table.join(entered)
        best_epoch = fitted.best_epoch
        notes += Note.each("codes", [*fitted.notes, _codes_note(fitted, screen, config)])
    regression: Regression | Ridge
    if target.kind == "binary":
        regression = fit_regression(table, known, config.regression)
    else:
        regression = fit_ridge(table, known, target, config.regression.ridge_c)
    if regression.left_out:
        reasons = ", ".join(f"{name} ({why})" for name, why in regression.left_out.items())
        notes.append(Note("regression", f"left out of the regression: {reasons}."))
    artifact.write_json(MODEL, {"regression": asdict(regression)})
    return ModelArtifact(artifact.path, best_epoch, tuple(notes))


def fixed_columns(features: FeatureSet, recipe: Recipe, config: TrainBlock) -> pd.DataFrame:
    """Return what enters a model's regression without being learnt, one row a patient."""
    names = [*(config.covariates if recipe.clinical else ()), *recipe.indices, *recipe.columns]
    patients_of(features)
    return measured(features, tuple(dict.fromkeys(names)))


def code_name(recipe: Recipe, number: int) -> str:
    """Return the name of a model's code in tables, counted from 1 as the paper does.

    Examples
    --------
    >>> code_name(RECIPES["autoencoder"], 29), code_name(RECIPES["pca"], 0)
    ('ae_30', 'pc_01')
    """
    return f"{'ae' if recipe.codes == 'autoencoder' else 'pc'}_{number + 1:02d}"


def _candidates(fitted: FittedCodes) -> tuple[int, ...]:
    """Return the codes to be screened: the stable ones, or the most stable where none is."""
    if fitted.stable or not fitted.mean_r:
        return fitted.stable
    return (int(np.argmax(fitted.mean_r)),)


def _screened(
    table: pd.DataFrame, outcome: Floats, recipe: Recipe, config: TrainBlock, target: Target
) -> tuple[pd.DataFrame, str]:
    """Keep the covariates whose univariable p is small, or the best one; indices stay."""
    kept_anyway = [name for name in (*recipe.indices, *recipe.columns) if name in table]
    p_values = {}
    for name in config.covariates:
        if name in kept_anyway or table[name].nunique(dropna=True) < 2:
            continue
        p = univariable_p(table[name].to_numpy(np.float64), outcome, target.kind)
        if p is not None:
            p_values[name] = p
    small = [name for name, p in p_values.items() if p < config.screen.alpha]
    if not small and p_values:
        small = [min(p_values, key=lambda name: p_values[name])]
    note = (
        f"of {len(p_values)} covariates, those with a univariable p below "
        f"{config.screen.alpha:g} (or the best) entered: {', '.join(small) or 'none'}."
    )
    return table[[*small, *kept_anyway]], note


def _codes_note(fitted: FittedCodes, screen: Screen, config: TrainBlock) -> str:
    """Say how many codes there were, were stable, were tested and entered."""
    parts = [f"{fitted.codes.n} codes"]
    if fitted.mean_r:
        parts.append(
            f"{len(fitted.stable)} stable over {config.autoencoder.n_seeds} seeds (mean |r| at "
            f"least {config.autoencoder.min_stability:g})"
        )
    threshold = {"max_t": "max-T p", "bh": "q", "p": "p"}[config.screen.by]
    parts.append(
        f"{screen.passed} of {len(screen.table)} tested have {threshold} below "
        f"{config.screen.alpha:g}"
    )
    forced = len(screen.entered) - screen.passed
    if forced > 0:
        parts.append(f"{forced} entered as the best all the same")
    return ", ".join(parts) + "."
