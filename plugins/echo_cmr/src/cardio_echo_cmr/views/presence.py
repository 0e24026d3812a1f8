"""Which views a study has, and whether loops were given their right view."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import Cohort, DataError, EvaluateBlock, Scored, Target
from cardio_echo_cmr.views.names import LEAST_PROBABILITY, UNKNOWN, VIEWS
from cardio_stats import Estimate


def named_views(
    predictions: Scored, target: Target, *, least: float = LEAST_PROBABILITY
) -> pd.DataFrame:
    """Return the view that every tested loop is given, or ``unknown``.

    Parameters
    ----------
    predictions : Scored
    target : Target
        Multiclass.
    least : float
        Probability that the likeliest view must reach.

    Returns
    -------
    DataFrame
        Columns model, unit_id, subject_id, y_true, named, and probability, that of the likeliest
        view. Probabilities are averaged over repeats.
    """
    frame = predictions.frames[target.name]
    known = frame[frame["y_true"].notna() & frame["unit_id"].notna()]
    columns = [f"score:{name}" for name in target.classes]
    by = known.groupby(["model", "unit_id"], sort=False)
    rows = by.agg({"subject_id": "first", "y_true": "first", **dict.fromkeys(columns, "mean")})
    scores = rows[columns].to_numpy(float)
    best = scores.max(axis=1)
    names = np.array(target.classes, dtype=object)[scores.argmax(axis=1)]
    # A mean of probabilities carries rounding: exactly the least is enough.
    enough = best >= least - 1e-9
    rows = rows.assign(named=np.where(enough, names, UNKNOWN), probability=best)
    return rows.drop(columns=columns).reset_index()


def confusion(rows: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """Return loops by true view (rows) and given view (columns, ``unknown`` last)."""
    counts = pd.crosstab(rows["y_true"], rows["named"])
    table = counts.reindex(index=list(classes), columns=[*classes, UNKNOWN], fill_value=0)
    table.index.name, table.columns.name = "true view", None
    return table


def by_view(rows: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """Return of every view how many loops are named rightly, wrongly, and not at all.

    Returns
    -------
    DataFrame
        Columns view, n, n_right, n_wrong, n_unknown, right (share of all, those unknown counted as
        wrong), unknown (share), and ppv, the share of loops given this name that deserve it; NaN
        where there is nothing to divide by.
    """
    counts = confusion(rows, classes).to_numpy(int)
    made = []
    for position, name in enumerate(classes):
        n, right = int(counts[position].sum()), int(counts[position, position])
        n_unknown, n_named = int(counts[position, -1]), int(counts[:, position].sum())
        made.append(
            {
                "view": name, "n": n, "n_right": right, "n_wrong": n - right - n_unknown,
                "n_unknown": n_unknown, "right": right / n if n else np.nan,
                "unknown": n_unknown / n if n else np.nan,
                "ppv": right / n_named if n_named else np.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(made)


def view_accuracy(rows: pd.DataFrame, config: EvaluateBlock, seed: int) -> list[Estimate]:
    """Return accuracy with the unknown counted as wrong, the share unknown, and that of the rest.

    Parameters
    ----------
    rows : DataFrame
        As of :func:`named_views`, of one model.
    config : EvaluateBlock
    seed : int

    Returns
    -------
    list of Estimate
        ``accuracy_with_unknown``, ``unknown_share`` and, where a loop has a name,
        ``accuracy_of_named``. Whole patients are drawn; where every loop is alike, which no
        resample can change, the interval is Clopper and Pearson's over patients.
    """
    right = (rows["named"] == rows["y_true"]).to_numpy(float)
    named = (rows["named"] != UNKNOWN).to_numpy(float)
    requests = {
        "accuracy_with_unknown": (right, np.ones_like(right)),
        "unknown_share": (1 - named, np.ones_like(right)),
    }
    if named.any():
        requests["accuracy_of_named"] = (right, named)
    return [_share(rows, hit, of, name, config, seed) for name, (hit, of) in requests.items()]


def _share(
    rows: pd.DataFrame,
    hit: np.ndarray[Any, Any],
    of: np.ndarray[Any, Any],
    name: str,
    config: EvaluateBlock,
    seed: int,
) -> Estimate:
    counted = of > 0
    value = float(hit[counted].mean())
    clusters = Scored.clusters_of(rows)
    if value in (0.0, 1.0):
        n = rows.loc[counted, "subject_id"].nunique()
        alike: Estimate = stats.proportion(
            int(value) * n, n, method="clopper-pearson", level=config.level, name=name,
            unit="patient",
        )  # fmt: skip
        return alike.replace(note="all loops are alike; n counts patients")
    drawn: list[Estimate] = stats.bootstrap_sums(
        np.column_stack([hit, of]), _ratio, (name,), patient=clusters,
        n_resamples=config.n_resamples, seed=seed, level=config.level,
        unit="recording" if clusters is None else "patient",
    )  # fmt: skip
    return drawn[0]


def _ratio(sums: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., :1] / sums[..., 1:]


NO_VIEW = "none"


def views_of_studies(predictions: Scored, target: Target, cohort: Cohort) -> pd.DataFrame:
    """Return which views of every tested study were scored.

    Parameters
    ----------
    predictions : Scored
    target : Target
        One that every view's model predicts.
    cohort : Cohort
        Names all studies and their loops. Those of which no loop was tested, as in a protocol that
        tests a tenth, are left out; where the predictions do not say, all are taken for tested.

    Returns
    -------
    DataFrame, indexed by study_id
        A column a view of which a model (``a4c``, ``a4c_value``) was run, True where it scored the
        study; ``views``, their names joined by ``+``; and n_loops. Studies that no view scored are
        kept: their loops have an unknown view, another one, or could not be used.
    """
    frame = predictions.frames[target.name]
    table = _tested(predictions, cohort.samples.table)
    loops = table.groupby(table["study_id"].astype(str), sort=False).size().rename("n_loops")
    found = pd.DataFrame(index=loops.index)
    score = f"score:{target.classes[-1]}" if target.classes else "score"
    run = [view for view in VIEWS if frame["model"].isin((view, f"{view}_value")).any()]
    for view in run:
        scored = frame[frame["model"].isin((view, f"{view}_value")) & frame[score].notna()]
        found[view] = found.index.isin(scored["study_id"].astype(str))
    present = found[run].to_numpy(bool)
    found["views"] = ["+".join(np.array(run)[row]) or NO_VIEW for row in present]
    return found.join(loops)


def _tested(predictions: Scored, samples: pd.DataFrame) -> pd.DataFrame:
    """Return the loops of the studies that any network was asked about, with a score or without."""
    if predictions.columns is None:
        return samples
    units = predictions.columns["unit_id"].astype(str).str.partition("#")[0]
    tested = samples.loc[samples["recording_id"].astype(str).isin(units), "study_id"]
    return samples[samples["study_id"].isin(tested)]


def views_table(
    views: pd.DataFrame, predictions: Scored, target: Target, config: EvaluateBlock
) -> pd.DataFrame:
    """Return how many studies have each combination of views, and the fused model's AUC among them.

    Parameters
    ----------
    views : DataFrame
        As of :func:`views_of_studies`.
    predictions : Scored
    target : Target
    config : EvaluateBlock

    Returns
    -------
    DataFrame
        Columns views, n_studies, share and, for binary targets with a fused model, n_tested,
        n_positive, auc, low and high; NaN where a combination is too rare.
    """
    named = views["views"].map(_in_words)
    counts = named.value_counts()
    rows = pd.DataFrame(
        {"views": counts.index, "n_studies": counts.to_numpy(), "share": counts / counts.sum()}
    ).reset_index(drop=True)
    if target.kind != "binary":
        return rows
    fused = predictions.tested(target)
    fused = fused[fused["model"] == "fused"]
    if fused.empty:
        return rows
    of = fused["study_id"].map(named)
    return rows.join(pd.DataFrame([_area(fused[of == name], config) for name in rows["views"]]))


def _in_words(views: str) -> str:
    return views if views == NO_VIEW else views.upper().replace("+", " + ")


def _area(rows: pd.DataFrame, config: EvaluateBlock) -> dict[str, float]:
    made: dict[str, float] = {"n_tested": len(rows), "n_positive": int(rows["y"].sum())}
    try:
        found = stats.auc(
            rows["y"], rows["score"], patient=Scored.clusters_of(rows), level=config.level
        )
    except DataError:
        return made | dict.fromkeys(("auc", "low", "high"), np.nan)
    low, high = (np.nan if limit is None else limit for limit in (found.low, found.high))
    return made | {"auc": found.value, "low": low, "high": high}


def missing_sentence(views: pd.DataFrame) -> str:
    """Say how many studies lack each view, and how many have none."""
    n = len(views)
    run = [view for view in VIEWS if view in views.columns]
    lacking = ", ".join(f"{view.upper()} {int((~views[view]).sum())}" for view in run)
    none = int((views["views"] == NO_VIEW).sum())
    return (
        f"Studies without a usable loop of a view: {lacking} of {n}; {none} have none of them "
        "(unknown or other views, colour Doppler, or unusable files)."
    )
