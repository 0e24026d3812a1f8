"""Predict for `crt_response`: the probability of response of every patient."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cardio_core.api import Column, Context, FeatureSet, ModelArtifact, Predictions
from cardio_spect_polar.response.fitting import FittedCodes, Regression, Ridge
from cardio_spect_polar.response.models import RECIPES
from cardio_spect_polar.response.patients import measured, patients_of, phase_maps, units_of
from cardio_spect_polar.response.train import MODEL, code_name


def predict(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score the patients with the model that the context names.

    Returns
    -------
    Predictions
        By patient. Beside the scores stand the measurements and, where the model has codes, all of
        them: ``ae_01``, ``ae_02``, ... (or ``pc_01``, ...). They belong to this fold's fit and
        mean nothing beside those of another.
    """
    recipe = RECIPES[str(ctx.model)]
    units = units_of(features)
    known = measured(features, tuple(units))
    columns = {name: Column(known[name].to_numpy(np.float64), unit) for name, unit in units.items()}
    if recipe.codes:
        codes = FittedCodes.open(model.path).codes
        values = codes.encode(phase_maps(features))
        named = {code_name(recipe, i): values[:, i] for i in range(codes.n)}
        columns |= {name: Column(value, codes.unit) for name, value in named.items()}
        known = known.join(pd.DataFrame(named, index=known.index))
    stored = model.read_json(MODEL)["regression"]
    if ctx.targets[0].kind == "binary":
        scores = Regression.from_dict(stored).probabilities(known)
    else:
        scores = Ridge.from_dict(stored).scores(known)
    by_target = {ctx.targets[0].name: scores}
    return Predictions(patients_of(features), by_target, "patient", columns)
