"""Predict for `crt_response`: the probability of response, or the asked outcome, of everybody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Column, Context, FeatureSet, ModelArtifact, Predictions, ScoringBlock
from cardio_ecg_transfer.response.classical import (
    KERNELS,
    kernel_vectors,
    score_estimator,
    score_rule,
    vectors_of,
)
from cardio_ecg_transfer.response.models import RECIPES, Recipe
from cardio_ecg_transfer.response.patients import all_measured, by_patient, measured, patients_of
from cardio_ecg_transfer.signal.leads.names import LIMB_LEADS, PRECORDIAL_LEADS, STANDARD_LEADS
from cardio_ecg_transfer.signal.measurements.names import TITLES


def predict(
    model: ModelArtifact, features: FeatureSet, config: ScoringBlock, ctx: Context
) -> Predictions:
    """Score the patients with the fitted model.

    The measurements stand beside the scores as named columns, for tables in `evaluate`.
    """
    recipe = RECIPES[str(ctx.model)]
    if recipe.kind == "network":
        from cardio_ecg_transfer.response.by_network import network_scores  # torch only if needed

        scores = network_scores(model, features, config, ctx)
    elif recipe.kind == "beat_network":
        from cardio_ecg_transfer.response.beat_network import beat_network_scores

        scores = beat_network_scores(model, features, config, ctx)
    elif recipe.kind == "rule":
        scores = score_rule(features, recipe)
    elif recipe.kind == "deep_features":
        from cardio_ecg_transfer.response.by_network import opened_vectors

        scores = score_estimator(model, opened_vectors(model, features, ctx), ctx)
    elif recipe.kind == "kernels":
        vectors = kernel_vectors(features, **model.read_json(KERNELS))
        scores = score_estimator(model, vectors, ctx)
    else:
        scores = score_estimator(model, vectors_of(features, recipe), ctx)
    block = features["measurements"]
    values = all_measured(features)
    columns = {
        name: Column(values[:, place], unit)
        for place, (name, unit) in enumerate(zip(block.names, block.units, strict=True))
    }
    return Predictions(
        patients_of(features),
        {ctx.task.targets[0].name: scores},
        "patient",
        columns,
        withheld(features, recipe),
    )


def withheld(features: FeatureSet, recipe: Recipe) -> dict[str, str]:
    """Return why this model is not asked, by patient; the others are left out.

    None is asked about paced ventricles: they were fitted to conducted beats. A model on a few
    measurements needs those alone. Any other looks at twelve leads, each in its place; all but
    networks need their potentials, too.
    """
    patients = patients_of(features)
    share = by_patient(features, features["paced"].in_units())[:, 0]
    paced = {
        patient: "the ventricles are paced, and this model was fitted to conducted beats"
        for patient, of_his in zip(patients, share, strict=True)
        if of_his > 0
    }
    return _unmeasured(features, recipe) | paced


def _unmeasured(features: FeatureSet, recipe: Recipe) -> dict[str, str]:
    """Say by patient what a model needs and the ECG does not give."""
    patients = patients_of(features)
    if recipe.columns:
        # Of fewer leads it is another duration, and no global one is given.
        needs = recipe.columns + (("qrs_global_ms",) if "qrs_ms" in recipe.columns else ())
        values = measured(features, needs)
        return {
            patient: f"{_listed(lacking)} cannot be measured in this ECG"
            for patient, row in zip(patients, values, strict=True)
            if (lacking := [TITLES[c] for c in np.array(needs)[np.isnan(row)]])
        }
    block = features["in_place"]
    in_place = by_patient(features, block.in_units())
    reasons = _unfit_in(
        features, in_place, "this model looks at twelve leads, and {} cannot be used"
    )
    if recipe.kind not in ("network", "deep_features"):
        known = np.isfinite(features["median_beat"].in_units()).all(axis=2)
        share = by_patient(features, np.asarray(known, np.float64))
        no_mv = "this model looks at potentials in twelve leads, and of {} none are given"
        reasons = _unfit_in(features, share, no_mv) | reasons
    return reasons


def _unfit_in(features: FeatureSet, share: NDArray[np.float64], reason: str) -> dict[str, str]:
    """Say by patient which leads none of his recordings, or not all of them, can lend.

    `share` of his recordings in which each lead is fit has the shape (n_patients, 12).
    """
    names = features["in_place"].names
    return {
        patient: reason.format(_called([n for n, own in zip(names, row, strict=True) if own < 1]))
        for patient, row in zip(patients_of(features), share, strict=True)
        if (row == 0).any()
    }


def _called(leads: list[str]) -> str:
    for name, group in (("any lead", STANDARD_LEADS), ("the limb leads", LIMB_LEADS),
                        ("V1 to V6", PRECORDIAL_LEADS)):  # fmt: skip
        if set(leads) == set(group):
            return name
    return _listed(leads)


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
