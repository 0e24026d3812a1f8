"""Explain: what spoke for septal flash, or another outcome, in every tested study, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from cardio_core.api import Context, Explanation, FeatureSet, ModelArtifact, Predictions, Target
from cardio_mmode_septal_flash.drawing.study import (
    OF_A_FLASH,
    WHAT_TO_SEE,
    StudyCase,
    StudyView,
    heat_sheet,
)
from cardio_mmode_septal_flash.flash.config import ExplainBlock
from cardio_mmode_septal_flash.flash.models import is_flash, model_of
from cardio_mmode_septal_flash.flash.network import open_network, pictures_for
from cardio_mmode_septal_flash.localisation import measures
from cardio_mmode_septal_flash.localisation.tables import Place, places_of, scores_of
from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet
from cardio_mmode_septal_flash.networks.heat_maps import Pictures, maps_of

NO_VERDICT = "no verdict; septum, M-mode and map are shown to be checked"


def chosen_studies(
    scores: NDArray[np.float64], judged: NDArray[np.bool_], n_cases: int, target: Target
) -> dict[int, str]:
    """Return the studies that a network is surest of, for and against, by their positions.

    Chosen without looking at the label. Of a number they are the highest and the lowest, of more
    than two classes those of the highest probability of any.

    Parameters
    ----------
    scores : ndarray, shape (n,) or (n, n_classes)
        Probabilities of the second class, numbers, or probabilities of all classes.
    judged : ndarray of bool, shape (n,)
        Studies that can be judged; no other is drawn.
    n_cases : int
        For, and as many against.
    target : Target
        What is predicted.

    Examples
    --------
    >>> flash = Target("septal_flash", "binary", ("no", "yes"))
    >>> chosen_studies(np.array([0.2, 0.9, 0.5]), np.ones(3, bool), 1, flash)
    {1: 'surest for', 0: 'against'}
    >>> ml = Target("x_lvesv_change", "continuous", unit="ml")
    >>> chosen_studies(np.array([2.0, -31.0]), np.ones(2, bool), 1, ml)
    {0: 'highest', 1: 'lowest'}
    """
    several = scores.ndim == 2
    sureness = scores.max(axis=1) if several else scores
    ranked = np.argsort(sureness, kind="stable")
    ranked = ranked[judged[ranked]]
    n = min(n_cases, len(ranked) // 2)
    high, low = ("highest", "lowest") if target.kind == "continuous" else ("surest for", "against")
    named = dict.fromkeys(ranked[::-1][: 2 * n_cases if several else n], high)
    if not several:
        named |= dict.fromkeys(ranked[:n], low)
    return {int(i): word for i, word in named.items()}


def answer(score: NDArray[np.float64], target: Target) -> str:
    """Return what is predicted of a study, and the number.

    Examples
    --------
    >>> answer(np.array([0.1, 0.9]), Target("grade", "multiclass", ("a", "b")))
    'grade b, probability 0.90'
    """
    if target.kind == "continuous":
        return f"{target.outcome} {float(score):.3g} {target.unit or ''}".rstrip()
    if target.kind == "multiclass":
        place = int(np.argmax(score))
        return f"{target.outcome} {target.classes[place]}, probability {score[place]:.2f}"
    return f"{target.outcome}, probability {float(score):.2f}"


RULE = (
    "every tested study's map is scored (table localisation-studies); drawn are, of every fold, "
    "those that can be judged and that the network is surest of, for and against, chosen without "
    "looking at the label"
)
SUREST = (
    "of every fold those studies that can be judged and that the network is surest of, for and "
    "against (of a number the highest and the lowest), chosen without looking at the outcome"
)
RANDOM, CENTRE = "random_weights", "centre_prior"

_N_PRIOR = 64


def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: ExplainBlock,
    ctx: Context,
) -> Explanation:
    """Map the evidence in all tested studies of a fold, and draw a few.

    Returns
    -------
    Explanation
        Cases with the heat map (``heat``, 0 to 1, at its own resolution) and its localisation
        scores; the first carries those of the whole fold, and of the controls: maps of networks
        with random weights, and a bump in the middle. Of new recordings all are drawn, without
        controls. Regressions explain themselves. Where another outcome than a flash is predicted
        nothing says when and where it should be seen: maps are drawn, and not scored.
    """
    if model_of(ctx).kind != "network":
        return Explanation()
    pictures = pictures_for(model, features, ctx)
    places = places_of(features, model_of(ctx).cycle_share)
    network = open_network(model)
    heats: dict[str, NDArray[Any]] = {
        method: maps_of(network, pictures, method) for method in config.methods
    }
    first = heats[config.methods[0]]

    def view(sample_id: str) -> StudyView:
        i = int(features.table.index.get_loc(sample_id))  # type: ignore[arg-type]
        with_maps: dict[str, NDArray[Any]] = {method: heats[method][i] for method in config.methods}
        return _view(features, i, with_maps, places[i], ctx)

    # New recordings have nothing that a control could be compared over.
    new = ctx.mode == "predict"
    scored, judged = _scores(features, predictions, ctx), _judged(features)
    target = ctx.targets[0]
    drawn = (
        dict.fromkeys(range(len(features)), "")
        if new
        else chosen_studies(scored, judged, config.n_cases, target)
    )
    titles = {i: answer(scored[i], target) if judged[i] else NO_VERDICT for i in drawn}
    if not is_flash(ctx):
        return Explanation(tuple(_drawn_cases(features, drawn, titles, first, view)), SUREST)
    threshold = float(model.read_json("model.json")["iou_threshold"])
    controls = {} if new else _controls(first, network, pictures, config, ctx)
    studies = _all_scores(features, heats | controls, places, threshold)
    with_maps = _drawn_cases(features, drawn, titles, first, view, WHAT_TO_SEE + OF_A_FLASH)
    cases = [
        replace(case, scores=_known(scores_of(first[i], places[i], threshold)))
        for i, case in zip(drawn, with_maps, strict=True)
    ]
    whole: dict[str, Any] = {"tested": studies, "view": view, "n_drawn": config.n_cases}
    if cases:
        cases[0] = replace(cases[0], **whole)
    elif len(features):
        sample_id = str(features.table.index[0])
        cases = [StudyCase(sample_id, "Heat map", arrays={"heat": first[0]}, **whole)]
    return Explanation(tuple(cases), RULE)


def _drawn_cases(
    features: FeatureSet,
    drawn: Mapping[int, str],
    titles: Mapping[int, str],
    heats: NDArray[Any],
    view: Callable[[str], StudyView],
    caption: str = WHAT_TO_SEE,
) -> Iterator[StudyCase]:
    for i, group in drawn.items():
        sample_id = str(features.table.index[i])
        title = f"{group}: {titles[i]}" if group else titles[i]
        yield StudyCase(
            sample_id=sample_id,
            title=title[:1].upper() + title[1:],
            caption=caption,
            group=group,
            arrays={"heat": heats[i]},
            draw=heat_sheet([("Septum and line", view(sample_id))]),
        )


def _known(scores: Mapping[str, float]) -> dict[str, float]:
    return {name: score for name, score in scores.items() if np.isfinite(score)}


def random_network(like: FlashDenseNet, seed: int) -> FlashDenseNet:
    """Return a network of the same shape which has learnt nothing.

    Examples
    --------
    >>> made = random_network(FlashDenseNet(width_mult=0.125), 0)
    >>> made.width_mult, made.training
    (0.125, False)
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = FlashDenseNet(
            like.classifier.out_features, stem=like.stem, width_mult=like.width_mult
        )
    return made.eval()


def _controls(
    first: NDArray[np.float32],
    network: FlashDenseNet,
    pictures: Pictures,
    config: ExplainBlock,
    ctx: Context,
) -> dict[str, NDArray[Any]]:
    """Return maps that no label has touched, by name, each shape (n, rows', columns')."""
    bump = measures.centre_prior(_N_PRIOR, _N_PRIOR)
    made: dict[str, NDArray[Any]] = {CENTRE: np.repeat(bump[None], len(first), axis=0)}
    for number in range(config.n_random):
        other = random_network(network, ctx.seed_of(f"random weights {number}"))
        made[f"{RANDOM}:{number}"] = maps_of(other, pictures, config.methods[0])
    return made


def _all_scores(
    features: FeatureSet,
    heats: Mapping[str, NDArray[np.floating[Any]]],
    places: list[Place],
    threshold: float,
) -> tuple[dict[str, Any], ...]:
    table = features.table
    drawn = next(iter(heats.values()))
    judged = _judged(features)
    rows = []
    for method, maps in heats.items():
        for i, (heat, place) in enumerate(zip(maps, places, strict=True)):
            row = {
                "sample_id": str(table.index[i]),
                "study_id": str(table["study_id"].iloc[i]),
                "patient_id": str(table["patient_id"].iloc[i]),
                "method": method.partition(":")[0],
                "judged": bool(judged[i]),
                **scores_of(heat, place, threshold),
                "threshold": threshold,
                "n_cells": heat.shape[1],
            }
            if method.startswith(RANDOM):
                row["correlation"] = measures.correlation(heat, drawn[i])
            rows.append(row)
    return tuple(rows)


def _view(
    features: FeatureSet,
    i: int,
    heats: Mapping[str, NDArray[np.floating[Any]]],
    place: Place,
    ctx: Context,
) -> StudyView:
    def value(name: str) -> NDArray[Any]:
        return np.asarray(features[name].values[[i]][0])

    return StudyView(
        frame=value("frame"),
        septum_px=value("septum"),
        line_px=value("line"),
        picture=value(model_of(ctx).picture),
        heats=heats,
        duration_ms=place.window.duration_ms,
        top_mm=place.top_mm,
        bottom_mm=place.bottom_mm,
        mvc_ms=place.window.begin_ms,
        avo_ms=place.window.end_ms,
        from_r=not place.by_motion,
    )


def _scores(features: FeatureSet, predictions: Predictions, ctx: Context) -> NDArray[np.float64]:
    """Return what was predicted of every sample, by whatever unit it was tested."""
    names = features.table.index if predictions.level == "sample" else features.table["study_id"]
    scores = np.asarray(predictions.scores[ctx.targets[0].name], np.float64)
    of = dict(zip(predictions.ids, scores, strict=True))
    return np.array([of[str(name)] for name in names])


def _judged(features: FeatureSet) -> NDArray[np.bool_]:
    """Return which samples can be judged."""
    judged = pd.Series("", index=features.table.index)
    reasons = features.table.get("no_verdict", judged).fillna("").astype(str)
    return np.array([not why for why in reasons], dtype=bool)
