"""Which views every tested study has, and what the fusion makes of those that it lacks."""

from __future__ import annotations

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import Cohort, DataError, EvaluateBlock, Scored, Target
from cardio_echo_cmr.views.names import VIEWS

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
        own = frame[frame["model"].isin((view, f"{view}_value")) & frame[score].notna()]
        found[view] = found.index.isin(own["study_id"].astype(str))
    present = found[run].to_numpy(bool)
    found["views"] = ["+".join(np.array(run)[row]) or NO_VIEW for row in present]
    return found.join(loops)


def _tested(predictions: Scored, samples: pd.DataFrame) -> pd.DataFrame:
    """Return the loops of the studies that any network was asked about, with a score or without."""
    if predictions.columns is None:
        return samples
    asked = predictions.columns["unit_id"].astype(str).str.partition("#")[0]
    tested = samples.loc[samples["recording_id"].astype(str).isin(asked), "study_id"]
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
