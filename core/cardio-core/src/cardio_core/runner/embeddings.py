"""What a fitted network makes of each patient, and how far those it has not seen lie off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.context import Context
from cardio_core.evaluation.applicability import APPLICABILITY as RANGES
from cardio_core.evaluation.applicability import Applicability
from cardio_core.evaluation.likeness import SPACE, Space, describe
from cardio_core.io.run_schema import APART
from cardio_core.registry import Plugin
from cardio_core.runner.fits import FINAL, FoldJob
from cardio_core.runner.hook_calls import call
from cardio_core.runner.protocols import ProtocolData, Session
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.features import FeatureSet
from cardio_core.types.predictions import Predictions
from cardio_core.types.targets import KEY_OF_UNIT

Floats = NDArray[np.float64]
Positions = NDArray[Any]

SPACE_FILE, APART_FILE = "space.json", "apart.json"
"""In a model's folder: the summary of the final network; in a fold's, the tested's distances."""

_PATIENTS_AT_MOST = 200
"""So many training patients say what a network makes of them."""

_ALONE_AT_MOST = 40
"""So many are asked alone, where the rows of a network do not tell whose they are."""

_SAME = 1e-3


@dataclass(frozen=True)
class PredictCall:
    """What the hook `predict` is asked: by whom, with which settings, about which features."""

    plugin: Plugin
    config: Any
    ctx: Context
    model: ModelArtifact
    features: FeatureSet

    def about(self, rows: Positions) -> PredictCall:
        """Return the same question about some of the rows."""
        return replace(self, features=self.features.view(rows))


def keep_distances(
    job: FoldJob,
    plugin: Plugin,
    config: Any,
    ctx: Context,
    artifact: ModelArtifact,
    folder: Path,
    train: Positions,
    test: Positions,
) -> None:
    """Write how far a fold's tested patients lie from its training, or of the final fit its space.

    Nothing is written for a model without a network.
    """
    chosen = _some_patients(job.features.table, train)
    request = PredictCall(plugin, config, ctx, artifact, job.features)
    vectors = embed(request.about(chosen))
    if len(vectors) < 2:
        return
    space = Space.fit(np.array(list(vectors.values()), float))
    if space is None:
        return
    if job.ctx.fold == FINAL:
        SPACE.write(folder / SPACE_FILE, space)
    elif test.size and (tested := embed(request.about(test))):
        found = space.distances(np.array(list(tested.values()), float))
        APART.write(folder / APART_FILE, dict(zip(tested, found, strict=True)))


def embed(
    request: PredictCall, before: tuple[Floats | None, Predictions] | None = None
) -> dict[str, Floats]:
    """Return by patient the mean of what a model's network makes of his samples.

    Hooks may order what they score as they like: where a patient asked alone gives something else,
    each is asked alone. Empty where no network of the training engine predicts.

    Parameters
    ----------
    request : PredictCall
        The model and the features that it is asked about.
    before : tuple, optional
        What `hear` returned of them, where it was asked already.
    """
    table = request.features.table
    patients = table["patient_id"].astype(str).to_numpy()
    everybody = list(dict.fromkeys(patients))
    rows, predictions = before or hear(request)
    if rows is None:
        return {}
    if len(everybody) == 1:
        return {everybody[0]: rows.mean(axis=0)}
    whose = _whose(len(rows), table, predictions)
    if whose is not None:
        places = pd.Series(whose).groupby(whose).indices
        found = {who: rows[places[who]].mean(axis=0) for who in everybody if who in places}
        if all(
            _alike(_alone(request, patients == who), found.get(who))
            for who in (everybody[0], everybody[-1])
        ):
            return found
    # A model is opened anew each time: of many, some are enough to tell where they lie.
    made = {
        who: _alone(request, patients == who)
        for who in everybody[:: -(-len(everybody) // _ALONE_AT_MOST)]
    }
    return {who: vector for who, vector in made.items() if vector is not None}


def hear(request: PredictCall) -> tuple[Floats | None, Predictions]:
    """Let a model predict; return what its network made of the samples, and what it said."""
    from cardio_core.training.embedding import overhearing

    with overhearing() as heard:
        predictions: Predictions = call(
            request.plugin, "predict", request.ctx, request.config,
            model=request.model, features=request.features,
        )  # fmt: skip
    rows = heard.last(len(request.features.table), len(predictions.ids))
    return (None if rows is None or not len(rows) else np.asarray(rows, float)), predictions


def _alone(request: PredictCall, mask: NDArray[np.bool_]) -> Floats | None:
    rows, _ = hear(request.about(np.flatnonzero(mask)))
    return None if rows is None else np.asarray(rows.mean(axis=0))


def _whose(n: int, table: pd.DataFrame, predictions: Predictions) -> NDArray[Any] | None:
    """Return the patient of each row that a network made; None where that is not plain."""
    if n == len(table):
        return table["patient_id"].astype(str).to_numpy()
    if n != len(predictions.ids):
        return None
    if predictions.level == "sample":
        return table.loc[list(predictions.ids), "patient_id"].astype(str).to_numpy()
    key = KEY_OF_UNIT[predictions.level]
    by_id = table.drop_duplicates(key).set_index(table.drop_duplicates(key)[key].astype(str))
    return by_id.loc[[str(item) for item in predictions.ids], "patient_id"].astype(str).to_numpy()


def _alike(item: Floats | None, other: Floats | None) -> bool:
    if item is None or other is None:
        return item is None and other is None
    return item.shape == other.shape and bool(
        np.abs(item - other).max() <= _SAME * max(1.0, float(np.abs(item).max()))
    )


def _some_patients(table: pd.DataFrame, positions: Positions) -> Positions:
    """Return the positions of at most 200 patients, the same ones every time."""
    own = table["patient_id"].astype(str).to_numpy()[positions]
    patients = np.array(sorted(set(own)), dtype=object)
    if len(patients) <= _PATIENTS_AT_MOST:
        return positions
    chosen = np.random.default_rng(0).choice(patients, _PATIENTS_AT_MOST, replace=False)
    return np.asarray(positions[np.isin(own, chosen)])


# After the last fit: what is kept of the training patients to tell who is like them.

APPLICABILITY = Path("models") / FINAL / "applicability.json"
"""In a run or an exported folder."""


def keep_applicability(session: Session, data: ProtocolData, jobs: Sequence[FoldJob]) -> None:
    """Write the summaries of those whom the final models are fitted on, beside these models."""
    final = [job for job in jobs if job.ctx.fold == FINAL]
    if not final:
        return
    features = data.prepared.features.view(final[0].train)
    config = data.config
    patients = describe(
        features,
        data.prepared.cohort,
        words=session.setup.plugin.info.words,
        also=config.covariates,
        never=[value for value in (config.outcome.column,) if value is not None],
    )
    spaces = {
        str(job.ctx.model): space
        for job in final
        if job.embeds and (space := SPACE.read_or(job.out / SPACE_FILE, None)) is not None
    }
    left_out: dict[str, dict[str, float]] = {}
    for job in jobs:
        if job.embeds and job.ctx.fold != FINAL:
            # Of several repeats the first counts: a mean of several would vary less than one.
            known = left_out.setdefault(str(job.ctx.model), {})
            left_out[str(job.ctx.model)] = APART.read_or(job.out / APART_FILE, {}) | known
    whose = features.table.assign(patient=features.table["patient_id"].astype(str))
    subjects = whose.drop_duplicates("patient").set_index("patient")["subject_id"].astype(str)
    made = Applicability.fit(
        patients,
        list(subjects.loc[list(patients.values.index)]),
        spaces=spaces,
        left_out=left_out,
        titles={name: session.setup.task.model(name).title for name in spaces},
    )
    RANGES.write(session.out / APPLICABILITY, made)


def read_applicability(folder: Path) -> Applicability:
    """Return the summaries of a run or an exported folder."""
    found: Applicability = RANGES.read(folder / APPLICABILITY)
    return found
