"""Evaluate: the default, localisation, the check within timepoints, and the paper's tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import (
    Case,
    Cohort,
    Context,
    DataError,
    EvaluateBlock,
    EvaluationReport,
    Explanation,
    Metric,
    Note,
    Scope,
    Scored,
    Target,
    Targets,
    canvas,
    default_evaluate,
)
from cardio_mmode_septal_flash.drawing.results import accuracy_figure, enrichment_figure
from cardio_mmode_septal_flash.drawing.study import OF_A_FLASH, WHAT_TO_SEE, StudyCase, heat_sheet
from cardio_mmode_septal_flash.flash.models import EARLIER, is_flash
from cardio_mmode_septal_flash.localisation.tables import localisation_tables, scored_studies
from cardio_mmode_septal_flash.published.tables import (
    accuracy_rows,
    crop_against_full,
    published_table,
)
from cardio_stats import Estimate

EVERYBODY, WITHIN, ALONE = "all studies", "within a timepoint", "the timepoint alone"


def within_timepoints(
    tested: pd.DataFrame, timepoints: pd.Series[str], scope: Scope, config: EvaluateBlock, seed: int
) -> tuple[pd.DataFrame, list[Metric], list[str]]:
    """Compare the AUC over all studies with the AUCs within each timepoint.

    Parameters
    ----------
    tested : DataFrame
        Of one model, as of `evaluate.judged_studies`.
    timepoints : Series of str
        By study_id.
    scope : Scope
        Of the model.
    config : EvaluateBlock
        Level and number of resamples; patients are drawn.
    seed : int

    Returns
    -------
    DataFrame
        Columns model, among, n, n_flash, auc, low, high, method. ``within a timepoint`` is the
        share of pairs of one timepoint, one with flash and one without, that are ranked rightly.
        ``the timepoint alone`` ranks by the time, earliest first: what a network that recognises a
        pacing lead would reach.
    list of Metric
        ``auc`` with the subgroup ``timepoint: NAME``, and ``auc_within_timepoint``.
    list of str
        What could not be computed.
    """
    known = tested[tested["study_id"].isin(timepoints.index)]
    at = timepoints.reindex(known["study_id"]).to_numpy(str)
    if len(set(at)) < 2:
        return pd.DataFrame(), [], ["AUC within timepoints: the cohort has one timepoint only."]
    y, score = known["y"].to_numpy(int), known["score"].to_numpy(float)
    clusters = known["subject_id"].to_numpy(str)
    rank = {name: float(i) for i, name in enumerate(sorted(set(at), reverse=True))}
    time = np.array([rank[name] for name in at])
    everyone = np.ones(len(at), bool)
    parts = [(EVERYBODY, everyone, score)]
    parts += [(name, at == name, score) for name in sorted(set(at))]
    parts += [(ALONE, everyone, time)]
    rows, metrics, notes = [], [], []
    for among, chosen, values in parts:
        try:
            found = _auc(y[chosen], values[chosen], clusters[chosen], config)
        except DataError as error:
            notes.append(f"AUC of {scope.model}, {among}: not computed. {error}")
            continue
        rows.append(_row(scope, among, y[chosen], found))
        if among not in (EVERYBODY, ALONE):
            place = Scope(scope.protocol, scope.task, scope.target, scope.model,
                          subgroup=f"timepoint: {among}")  # fmt: skip
            metrics.append(Metric(found, place))
    try:
        pairs = stats.bootstrap(
            concordance_within, (y, score, time), patient=clusters, level=config.level,
            n_resamples=config.n_resamples, seed=seed, name="auc_within_timepoint",
        )  # fmt: skip
    except DataError as error:
        notes.append(f"AUC of {scope.model}, {WITHIN}: not computed. {error}")
    else:
        rows.insert(1, _row(scope, WITHIN, y, pairs))
        metrics.append(Metric(pairs, scope))
    return pd.DataFrame(rows), metrics, notes


def concordance_within(
    y: NDArray[np.floating], score: NDArray[np.floating], stratum: NDArray[np.floating]
) -> float:
    """Return the share of pairs of one stratum, one positive and one negative, ranked rightly.

    Ties count half; NaN without a pair.

    Examples
    --------
    >>> y, time = np.array([1, 1, 0, 0]), np.array([0, 1, 1, 1])
    >>> concordance_within(y, np.array([0.1, 0.5, 0.2, 0.5]), time)
    0.75
    """
    right, n_pairs = 0.0, 0
    for name in np.unique(stratum):
        inside = stratum == name
        gap = score[inside & (y == 1)][:, None] - score[inside & (y == 0)][None]
        right += float((gap > 0).sum() + 0.5 * (gap == 0).sum())
        n_pairs += gap.size
    return right / n_pairs if n_pairs else float("nan")


def _auc(
    y: NDArray[np.int_],
    score: NDArray[np.float64],
    clusters: NDArray[np.str_],
    config: EvaluateBlock,
) -> Estimate:
    paired = len(set(clusters)) < len(clusters)
    return stats.auc(
        y, score, patient=clusters if paired else None, level=config.level,
        unit=None if paired else "study",
    )  # fmt: skip


def _row(scope: Scope, among: str, y: NDArray[np.int_], found: Estimate) -> dict[str, object]:
    return {
        "model": scope.model, "among": among, "n": len(y), "n_flash": int(y.sum()),
        "auc": found.value, "low": found.low, "high": found.high, "method": found.method,
    }  # fmt: skip


OUTCOMES = ("true positive", "false positive", "true negative", "false negative")
NOT_JUDGED = "not judged"

RESOLUTION = (
    "A map of 8 columns cannot do better than its bound: over windows of 7 to 14 % of the RR "
    "interval one hot cell reaches a temporal IoU of .66 on average (at least .38) in the full "
    "M-mode, where a column is 12.5 % of the interval, and of .77 (at least .51) in the crop, "
    "where it is 6.25 %."
)


def evaluate(
    predictions: Scored,
    targets: Targets,
    cohort: Cohort,
    explanation: Explanation,
    config: EvaluateBlock,
    ctx: Context,
) -> EvaluationReport:
    """Add to the default: localisation, AUC within timepoints, accuracy as published.

    All of that is said of flashes alone, and of no outcome of the user's own.
    """
    report = default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
    if not is_flash(ctx):
        return report
    target = ctx.task.targets[0]
    scope = Scope(task=ctx.task.name, target=target.name)
    tested = judged_studies(predictions, target)
    mapped = explanation.tested()
    unjudged = tested["study_id"].isin(
        mapped.loc[~mapped["judged"], "study_id"] if len(mapped) else ()
    )
    tested.loc[unjudged, "outcome"] = NOT_JUDGED
    metrics, notes = list(report.metrics), list(report.notes)
    notes += _no_verdict(tested[unjudged]["study_id"].nunique(), tested["study_id"].nunique(), ctx)
    tables, figures = dict(report.tables), dict(report.figures)

    scored = scored_studies(explanation, tested)
    made, found, lines = localisation_tables(scored, scope, config, ctx.seed)
    tables |= made
    metrics += found
    notes += Note.each("localisation", lines)
    for model, maps in scored.groupby("model", sort=False) if len(scored) else ():
        figures[f"enrichment-{model}"] = canvas.described(
            enrichment_figure(maps),
            f"Where the heat lies: {_title(ctx, str(model))}",
            "Each point a study: how much more of the map's energy lies between mitral valve "
            "closure and aortic valve opening than if it lay anywhere (1, dashed; 2, dotted). The "
            "bar is the median.",
        )
    figures |= dict(_sheets(explanation.cases, tested, ctx))
    if len(scored):
        notes.append(Note("resolution", RESOLUTION))

    table, found, lines = _timepoints(tested, cohort, scope, config, ctx)
    if len(table):
        tables["within-timepoint"] = table
    metrics += found
    notes += Note.each("timepoints", lines)

    accuracy, found = accuracy_rows(tested[~unjudged], scope, config)
    metrics += found
    if ctx.task.name != EARLIER:
        tables["accuracy-beside-the-paper"] = accuracy
        figures["accuracy-beside-the-paper"] = canvas.described(
            accuracy_figure(accuracy, config.level),
            "Accuracy and the paper's",
            "Open marks are published; the intervals of both are exact. Different patients and "
            "thresholds: not a comparison.",
        )
        tables["published"] = published_table()
        notes += Note.each("crop_against_full", crop_against_full(tested[~unjudged]))
    published = {"accuracy-beside-the-paper", "published"} & tables.keys()
    return EvaluationReport(metrics, tables, figures, list(dict.fromkeys(notes)), published)


def judged_studies(predictions: Scored, target: Target) -> pd.DataFrame:
    """Return the tested studies of `Scored.tested` with an outcome each, one of `OUTCOMES`."""
    tested = predictions.tested(target)
    right = (tested["y"] == tested["decided"]).map({True: "true", False: "false"})
    return tested.assign(outcome=right + tested["decided"].map({1: " positive", 0: " negative"}))


def _no_verdict(n_unjudged: int, n: int, ctx: Context) -> list[Note]:
    if not n_unjudged:
        return []
    ctx.warn(
        "no_verdict",
        f"No verdict on {n_unjudged} of {n} studies: too few frames a second, no R peaks, or a "
        "view or a septum line that is not trusted (see the flags).",
    )
    text = (
        "Studies without a verdict count where studies are ranked and in the metrics that all "
        "tasks have; they are neither drawn nor counted in the accuracy compared with the paper's "
        "or among true positives, and cardio predict withholds its answer for such a loop."
    )
    return [Note("without_verdict", text)]


def _timepoints(
    tested: pd.DataFrame, cohort: Cohort, scope: Scope, config: EvaluateBlock, ctx: Context
) -> tuple[pd.DataFrame, list[Metric], list[str]]:
    table = cohort.samples.table
    if "timepoint" not in table.columns:
        return pd.DataFrame(), [], []
    by_study = table.drop_duplicates("study_id").set_index("study_id")["timepoint"]
    timepoints = by_study.dropna().astype(str)
    if timepoints.nunique() < 2:
        return pd.DataFrame(), [], []
    parts: list[pd.DataFrame] = []
    metrics: list[Metric] = []
    notes: list[str] = []
    for model, studies in tested.groupby("model", sort=False):
        place = Scope(task=scope.task, target=scope.target, model=str(model))
        table, found, lines = within_timepoints(studies, timepoints, place, config, ctx.seed)
        parts.append(table)
        metrics += found
        notes += lines
        _warn_of_confounding(table, ctx.replace(model=str(model)))
    return pd.concat(parts, ignore_index=True), metrics, notes


def _warn_of_confounding(table: pd.DataFrame, ctx: Context) -> None:
    """Warn where a ranking is worth less within a timepoint than over all studies."""
    if not len(table):
        return
    of = {
        str(row["among"]): (float(row["auc"]), float(row["low"]), float(row["high"]))
        for row in table.to_dict("records")
    }
    if not {EVERYBODY, WITHIN, ALONE} <= of.keys():
        return
    overall, within, (alone, low, high) = of[EVERYBODY][0], of[WITHIN][0], of[ALONE]
    # The timepoint tells the label where ranking by it, either way round, leaves chance.
    tells = low > 0.5 or high < 0.5
    if tells and overall > within:
        ctx.warn(
            "confounded_by_time",
            f"Confounded by time: ranking by the timepoint alone has an AUC of {alone:.2f}. "
            f"“{_title(ctx, str(ctx.model))}” has {overall:.2f} over all studies and {within:.2f} "
            "within a timepoint; only the latter shows what it sees of the septum.",
        )


def _sheets(
    cases: Sequence[Case], tested: pd.DataFrame, ctx: Context
) -> Iterator[tuple[str, Callable[[Figure], None]]]:
    """Yield, by model, the heat maps of its surest true and false positives and negatives."""
    by_model: dict[str, list[StudyCase]] = {}
    for case in cases:
        if isinstance(case, StudyCase) and case.tested:
            by_model.setdefault(case.model, []).append(case)
    for model, drawable in by_model.items():
        where = {
            str(row["study_id"]): (str(row["sample_id"]), case.view)
            for case in drawable
            for row in case.tested
            if case.view is not None
        }
        table = tested[tested["model"] == model]
        for outcome in OUTCOMES:
            kind = table[(table["outcome"] == outcome) & table["study_id"].isin(where)]
            surest = kind.sort_values(
                "score", ascending=outcome.endswith("negative"), kind="stable"
            )
            drawn = []
            for row in surest.head(drawable[0].n_drawn).to_dict("records"):
                sample_id, view = where[row["study_id"]]
                drawn.append((f"{outcome}, {row['score']:.2f}", view(sample_id)))
            if drawn:
                yield (
                    f"heat-maps-{model}-{outcome.replace(' ', '-')}",
                    canvas.described(
                        heat_sheet(drawn),
                        f"Heat maps of {outcome}s: {_title(ctx, model)}",
                        WHAT_TO_SEE + OF_A_FLASH,
                    ),
                )


def _title(ctx: Context, model: str) -> str:
    return ctx.task.model(model).title
