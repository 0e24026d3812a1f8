"""Tables of `crt_response`: patients, their measurements and scores, checks, and codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import Case, Context, DataError, Metric, Scope, Scored, Target
from cardio_spect_polar.published.he_2022 import OUTCOME, Added
from cardio_spect_polar.response.config import EvaluateBlock
from cardio_spect_polar.response.models import RECIPES

CODE = r"^(ae|pc)_\d+$"
"""Names of codes, which belong to one fit."""
OWN_COLUMNS = ("unit_id", "model", "fold")


def patient_table(predictions: Scored, target: Target) -> pd.DataFrame:
    """Return outcome and measurements of the tested patients, one row each.

    Returns
    -------
    DataFrame, indexed by patient_id
        ``response`` (1, 0), then every measurement that is known of anybody. No codes.
    """
    truth = truth_of(predictions, target)
    if predictions.columns is None:
        return truth.to_frame()
    once = predictions.columns.drop_duplicates("unit_id").set_index("unit_id")
    kept = [
        name
        for name in once.columns
        if name not in OWN_COLUMNS and not pd.Series([name]).str.match(CODE).item()
    ]
    table = once[kept].reindex(truth.index)
    return truth.to_frame().join(table.loc[:, table.notna().any()])


def truth_of(predictions: Scored, target: Target) -> pd.Series:
    """Return 1 for responders and 0 for the others, by patient."""
    frame = predictions.frames[target.name].dropna(subset=["y_true"])
    named = frame.drop_duplicates("patient_id").set_index("patient_id")["y_true"]
    return (named == target.classes[1]).astype(int).rename(OUTCOME)


def codes_of(predictions: Scored, model: str) -> pd.DataFrame | None:
    """Return the codes of a model that was fitted once, by patient; None where several folds were.

    Codes of different fits share names and nothing else, so they are never put in one column.
    """
    columns = predictions.columns
    if columns is None or not RECIPES[model].codes:
        return None
    codes = columns[columns["model"] == model]
    if len(set(codes["fold"])) != 1:
        return None
    found = codes.set_index("unit_id").filter(regex=CODE).dropna(axis=1, how="all")
    prefix = "ae" if RECIPES[model].codes == "autoencoder" else "pc"
    return found[[name for name in found.columns if name.startswith(prefix)]]


def scores_of(predictions: Scored, target: Target) -> pd.DataFrame:
    """Return each model's score of each patient as log odds, averaged over repeats.

    Returns
    -------
    DataFrame, indexed by patient_id
        One column a model. Under a plan with folds these are out of fold.
    """
    frame = predictions.frames[target.name].dropna(subset=["y_true"])
    column = f"score:{target.classes[1]}"
    probability = frame[column].clip(1e-6, 1 - 1e-6)
    logit = np.log(probability / (1 - probability))
    table = frame.assign(logit=logit).pivot_table(
        index="patient_id", columns="model", values="logit", aggfunc="mean"
    )
    return table[list(dict.fromkeys(frame["model"]))]


def measurement_names(table: pd.DataFrame) -> list[str]:
    """Return the measurements of a patient table."""
    return [str(name) for name in table.columns if name != OUTCOME]


MOVED = (("psd_deg", "phase SD"), ("pbw_deg", "bandwidth"))
WHERE = (("in", "one slice nearer to the apex"), ("out", "one slice further from the apex"))


def calibration_parts(
    predictions: Scored, table: pd.DataFrame, config: EvaluateBlock, ctx: Context
) -> Added:
    """Return how far each model's out-of-fold probabilities can be taken at their word.

    Returns
    -------
    Added
        Metrics, and the table ``calibration``: a row a model, with calibration in
        the large, slope, expected calibration error and Brier scores, each with its interval.
    """
    added = Added()
    target = ctx.task.targets[0]
    scores = scores_of(predictions, target)
    truth = table[OUTCOME].reindex(scores.index)
    rows = []
    for model in scores.columns:
        probability = 1 / (1 + np.exp(-scores[model]))
        try:
            found = stats.calibration_metrics(
                truth, probability, n_resamples=config.n_resamples,
                seed=ctx.seed_of("calibration"), level=config.level, unit="patient",
            )  # fmt: skip
        except DataError as error:
            added.notes.append(f"Calibration of {model} is left out: {error}")
            continue
        scope = Scope(task=ctx.task.name, target=target.name, model=str(model))
        # The default evaluation has the Brier score already.
        added.metrics += [Metric(e, scope) for e in found.estimates if e.name != "brier"]
        row: dict[str, object] = {"model": model}
        for estimate in found.estimates:
            row[estimate.name] = estimate.value
            row[f"{estimate.name}_low"] = estimate.low
            row[f"{estimate.name}_high"] = estimate.high
        rows.append(row)
    if rows:
        added.tables["calibration"] = pd.DataFrame(rows)
    return added


def base_parts(table: pd.DataFrame) -> Added:
    """Return what moving the base of the ventricle by one slice does to phase SD and bandwidth.

    Parameters
    ----------
    table : DataFrame
        One row a patient, with columns such as ``psd_deg`` and ``psd_deg_base_in``.

    Returns
    -------
    Added
        Table ``base-sensitivity`` in degrees: mean and SD of the change, its mean size, the
        largest, and r with the value as it was; empty where nothing was moved.

    Notes
    -----
    Nucl Med Commun 2008;29:374: with a manual instead of an automatic base the repeatability of
    phase SD in normal hearts improved from 12.0 to 1.2 degrees, of bandwidth from 33.7 to 3.6.
    """
    added = Added()
    rows = []
    for name, title in MOVED:
        for where, words in WHERE:
            moved = f"{name}_base_{where}"
            if moved not in table or name not in table:
                continue
            both = table[[name, moved]].dropna()
            if len(both) < 2:
                continue
            change = both[moved] - both[name]
            rows.append(
                {"index": title, "base": words, "mean_change_deg": change.mean(),
                 "sd_deg": change.std(), "mean_size_deg": change.abs().mean(),
                 "largest_deg": change.abs().max(), "r": both[name].corr(both[moved]),
                 "n": len(both)}
            )  # fmt: skip
    if rows:
        added.tables["base-sensitivity"] = pd.DataFrame(rows)
        worst = max(rows, key=lambda row: row["mean_size_deg"])
        added.notes.append(
            f"Moving the base by one slice changes {worst['index']} by "
            f"{worst['mean_size_deg']:.1f} degrees on average (base {worst['base']}); differences "
            "between patients of that size are differences of where the base was put."
        )
    return added


SEGMENT = "segment:"


def code_tables(cases: Sequence[Case]) -> Added:
    """Return stability, screening and segments of the codes of every fold.

    Parameters
    ----------
    cases : sequence of Case
        Of `explain`; the first of a fold and model holds what was found for all codes.

    Returns
    -------
    Added
        ``stability``: a row a fold and model; ``screening``: a row a code that was tested in some
        fold; ``code-segments``: how much later each AHA segment contracts along each code that
        entered. The number of a code has meaning inside its fold only.
    """
    added = Added()
    stability, screening, segments = [], [], []
    for case in cases:
        place: dict[str, Any] = {"model": case.model, "fold": case.fold}
        if "all_code" in case.arrays:
            if "all_mean_r" in case.arrays:
                stability.append(place | _stability(case.arrays))
            names = [n for n in ("code", "r", "p", "p_max_t", "q") if f"all_{n}" in case.arrays]
            columns = {name: case.arrays[f"all_{name}"] for name in names}
            tested = pd.DataFrame(columns).assign(**place)
            screening.append(tested.assign(code=tested["code"].astype(int) + 1))
        found = {
            name.removeprefix(SEGMENT): value
            for name, value in case.scores.items()
            if name.startswith(SEGMENT)
        }
        if found:
            segments.append(
                place | {"code": int(case.scores["code"]), "r": case.scores["r"]} | found
            )
    if stability:
        added.tables["stability"] = pd.DataFrame(stability)
    if screening:
        rows = pd.concat(screening, ignore_index=True)
        added.tables["screening"] = rows[["model", "fold", *rows.columns.difference(
            ["model", "fold"], sort=False)]]  # fmt: skip
    if segments:
        added.tables["code-segments"] = pd.DataFrame(segments)
    return added


def _stability(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Say how many codes are found again from other weights, and whether their space is."""
    mean_r = arrays["all_mean_r"]
    return {
        "n_codes": len(mean_r),
        "n_stable": len(arrays["all_stable"]),
        "median_r": float(np.median(mean_r)),
        "least_r": float(mean_r.min()),
        "first_r": float(mean_r[0]),
        "subspace_r": float(arrays["subspace_r"][0]),
    }
