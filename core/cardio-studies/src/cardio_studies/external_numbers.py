"""What is asked of an external validation, and the run opened to answer it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock, OutcomeBlock
from cardio_core.evaluation.aggregate import pooled, score_columns, unit_of
from cardio_core.evaluation.conformal import Conformal, nonconformity, set_sizes, share_of_patients
from cardio_core.evaluation.figures import primary_in
from cardio_core.evaluation.parts import ABOUT_DATA, noting
from cardio_core.io.run_artifact import METRICS, MetricRow
from cardio_core.io.run_schema import numbers_in, read_predictions
from cardio_core.report.results import bare_name
from cardio_core.report.terms import spelled
from cardio_core.runner.answers import Answered, Opened, open_finished
from cardio_core.runner.evaluate import open_rule
from cardio_core.runner.outcome import outcome_column
from cardio_core.runner.patients import Truth, bring_to_samples, labels_of, named_classes
from cardio_core.runner.prepare import Prepared
from cardio_core.runner.request import NOTHING_GIVEN, Given
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope
from cardio_stats import (
    Recalibrated,
    calibration_metrics,
    independent_difference,
    number_calibration,
    recalibrated_numbers,
    recalibrated_probabilities,
    regression_errors,
)
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.estimate import Estimate
from cardio_stats.figures import described
from cardio_stats.figures.curves import ModelScores, calibration_of_models
from cardio_stats.outcome import outcome_values, place_settled
from cardio_stats.proportions import lower_coverage_p
from cardio_stats.words import METRICS as METRIC_WORDS
from cardio_stats.words import number
from cardio_studies.run_writer import calibration_of


@dataclass(frozen=True)
class Asked:
    """What the user says of the new patients.

    Attributes
    ----------
    outcome : str or None
        Column of their cohort table with what really happened, where it has another name there
        than in the run's, or where the plugin does not find it by itself.
    site : str or None
        Column of the site; ``site_id`` where there is one.
    subgroups : tuple of str
        Columns whose values divide the patients.
    leave_out : bool
        Leave patients of the training out instead of refusing them.
    other_people : bool
        Equal ids are of different people.
    level, seed : float, int
        Of every interval, and of every resampling.
    event, negative, missing : str or None, tuple of str, tuple of str
        Words of that column, where they are others than the run's.
    """

    outcome: str | None = None
    site: str | None = None
    subgroups: tuple[str, ...] = ()
    leave_out: bool = False
    other_people: bool = False
    level: float = 0.95
    seed: int = 0
    event: str | None = None
    negative: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def open_for(
    run: Path,
    inputs: Sequence[Path],
    asked: Asked,
    *,
    features_in: Path,
    options: Given = NOTHING_GIVEN,
    device: str = "auto",
) -> tuple[Opened, tuple[str, ...]]:
    """Open a finished run so that it loads the new patients with their outcome.

    Returns
    -------
    Opened
    tuple of str
        What the reader has to know of the outcome.

    Raises
    ------
    ConfigError
        As `open_finished`; if an input does not exist, if `asked.outcome` is none that the task can
        be asked for, or is in no cohort table.
    DataError
        If none of the column's values is a class of the run.
    """
    for path in inputs:
        if not path.exists():
            raise ConfigError(f"--data {path}: no such file or folder")
    opened = open_finished(run, options=options, device=device, features_in=features_in)
    block = _outcome(opened, asked)
    # Folds were stratified in the run; here there are none, and the table may lack the column.
    changes: dict[str, object] = {"stratify": None, "outcome": block}
    evaluate = {"level": asked.level, "n_resamples": opened.config.evaluate.n_resamples}
    changes["evaluate"] = opened.config.evaluate.model_copy(update=evaluate)
    config = opened.config.model_copy(update=changes)
    notes = _checked(block, opened, inputs)
    return replace(opened, config=config, ctx=opened.ctx.replace(outcome=block.column)), notes


def _outcome(opened: Opened, asked: Asked) -> OutcomeBlock:
    """Return where the outcome stands in the new table, with the classes that the run settled."""
    own, task = opened.config.outcome, opened.task
    words = {"event": asked.event, "negative": asked.negative, "missing": asked.missing}
    changed = {name: value for name, value in words.items() if value}
    if asked.outcome is None and own.column is not None:
        return own.model_copy(update=changed)
    if asked.outcome is None:
        for name in changed:
            raise ConfigError(f"--{name}: expected --outcome COLUMN with it, found none")
        return own
    if own.column is None and not task.any_outcome:
        names = ", ".join(target.name for target in task.targets)
        raise ConfigError(
            f"--outcome {asked.outcome}: task {task.name!r} predicts {names} alone, and finds it "
            "in the data by itself; leave --outcome out"
        )
    [target] = task.targets
    settled = {"column": asked.outcome, "kind": target.kind, "classes": target.classes}
    return own.model_copy(update=settled | changed)


def _checked(block: OutcomeBlock, opened: Opened, inputs: Sequence[Path]) -> tuple[str, ...]:
    """Read the new outcome; return what each of its words became."""
    if block.column is None:
        return ()
    values = outcome_column(block.column, tuple(opened.plugin.info.paths), inputs)
    [target] = opened.task.targets
    if not outcome_values(values, block).notna().any():
        raise DataError(
            f"--outcome {block.column}: expected {_classes(target)}, as in the run, found no such "
            "value; name another column with --outcome"
        )
    if target.kind != "binary":
        return ()
    return (f"{block.column}, by word in the table: {place_settled(values, block).ledger()}.",)


def _classes(target: Target) -> str:
    return "numbers" if target.kind == "continuous" else " or ".join(target.classes)


def renamed(targets: pd.DataFrame, opened: Opened) -> pd.DataFrame:
    """Return a target table whose columns have the run's names, whatever the new table says."""
    column = opened.config.outcome.column
    if column is None:
        return targets
    [target] = opened.task.targets
    return targets.rename(columns={column: target.name})


# What the run itself said of its own patients, out of fold: beside which the new ones stand.

INTERNAL, EXTERNAL = "internal", "external"
HONEST = "honest"

COMPARED = {
    "auc": "AUC", "macro_f1": "Macro F1", "brier": "Brier score",
    "calibration_in_the_large": "Calibration in the large",
    "calibration_slope": "Calibration slope",
    "sensitivity": "Sensitivity", "specificity": "Specificity",
    "mae": "Mean absolute error", "r2": "R²", "pearson_r2": "Squared correlation r²",
    "mean_error": "Mean error",
    "conformal_coverage": "Coverage of prediction sets",
}  # fmt: skip
"""Measures whose change from the run's folds to the new patients is told, in words."""

_FIELDS = tuple(field.name for field in fields(Estimate))


def internal_metrics(run: Path, task: Task, config: EvaluateBlock, seed: int) -> list[Metric]:
    """Return the run's own pooled results under the honest protocol, with their calibration.

    Empty where it has none: an exported folder, or a run of the published protocol alone.
    """
    path = run / "metrics.json"
    rows = METRICS.read_or(path, ())
    found = [
        Metric(_estimate(row), _scope(row))
        for row in rows
        if row.protocol == HONEST and row.pooled and not row.versus and not row.subgroup
    ]  # fmt: skip
    known = {(one.estimate.name, one.scope.model, one.scope.target) for one in found}
    for target in task.targets:
        frame = _out_of_fold(run / "predictions.csv", target)
        if frame is None:
            continue
        metrics, _ = calibration_of(frame, target, task, config, seed)
        found += [
            one for one in metrics
            if (one.estimate.name, one.scope.model, one.scope.target) not in known
        ]  # fmt: skip
    return found


def changes(external: list[Metric], internal: list[Metric]) -> list[Metric]:
    """Return every compared measure, external less internal, with an interval.

    The patients are others, so the two are independent. Areas of single classes, and rates of
    them, are compared by class.
    """
    before = {_place(one): one.estimate for one in internal}
    found = []
    for metric in external:
        name, scope = _bare(metric), metric.scope
        outside = scope.fold or scope.versus or scope.subgroup
        if name not in COMPARED or outside or _place(metric) not in before:
            continue
        try:
            made = independent_difference(
                metric.estimate, before[_place(metric)], name=f"{name}_change"
            )
        except DataError:  # one of them has no interval, so nothing can be told of the difference
            continue
        note = f"{metric.estimate.n} here, {before[_place(metric)].n} in the run's folds."
        found.append(Metric(made.replace(note=note), scope))
    return found


def words_of_changes() -> dict[str, str]:
    """Return what a reader is shown in place of the names of changes."""
    return {f"{name}_change": f"{words}, external − internal" for name, words in COMPARED.items()}


def _bare(metric: Metric) -> str:
    return bare_name(metric.estimate.name, metric.scope.class_name)


def _place(metric: Metric) -> tuple[Any, ...]:
    return _bare(metric), metric.scope.target, metric.scope.model, metric.scope.class_name


def _estimate(row: MetricRow) -> Estimate:
    return Estimate(
        **{name: one for name in _FIELDS if (one := getattr(row, name)) not in (None, "")}
    )


def _scope(row: MetricRow) -> Scope:
    return Scope(
        task=row.task or None, target=row.target or None, model=row.model or None,
        class_name=row.class_name or None,
    )  # fmt: skip


def _out_of_fold(path: Path, target: Target) -> pd.DataFrame | None:
    """Return a run's out-of-fold predictions of one target as frames hold them."""
    if not path.is_file() or target.kind == "multiclass":
        return None
    rows = read_predictions(path)
    rows = rows[(rows["protocol"] == HONEST) & (rows["target"] == target.name)]
    if target.kind == "binary":
        rows = rows[rows["event"] == target.classes[1]]
    else:
        rows = rows.assign(y_true=numbers_in(rows, "y_true", path))
    rows = rows[rows["y_true"].notna() & rows["score"].notna()]
    if not len(rows):
        return None
    level = rows["level"].iloc[0]
    key = "sample_id" if level in ("sample", "event") else f"{level}_id"
    score = f"score:{target.classes[1]}" if target.kind == "binary" else "score"
    return rows.assign(
        unit_id=rows[key], subject_id=rows["patient_id"], **{score: rows["score"]}
    ).reset_index(drop=True)


# Answers of the final models beside what really happened, as every evaluation takes them.

FINAL = "final"
"""Stands where a run names its fold: one model, fitted on everybody there."""


@dataclass(frozen=True)
class New:
    """The new patients with their features and their truth.

    `truth` has the targets under the run's names, matched to the samples where they are events.
    """

    prepared: Prepared
    truth: Truth


def truth_of(opened: Opened, answered: Answered) -> New:
    """Return the new patients with their truth.

    Raises
    ------
    DataError
        If the data tell no outcome, or that of nobody.
    """
    prepared = answered.prepared
    targets = prepared.cohort.targets
    names = [target.name for target in opened.task.targets]
    if targets is None:
        raise DataError(
            f"--data: expected {', '.join(names)} of each patient, found no outcome; name its "
            "column with --outcome, or use cardio predict"
        )
    targets = replace(targets, table=renamed(targets.table, opened))
    lacking = [name for name in names if name not in targets.table.columns]
    if len(lacking) == len(names):
        raise DataError(f"--data: expected {', '.join(names)}, found no such outcome")
    table = targets.table.reindex(columns=[*targets.table.columns, *lacking])
    truth = bring_to_samples(replace(targets, table=table), prepared.features.table, opened.task)
    samples = prepared.features.table
    known = [pd.notna(truth.targets.of(samples, name)).any() for name in names]
    if not any(known) and not len(truth.missed):
        raise DataError(
            f"--data: {', '.join(names)} is known of none of the patients whose recordings can be "
            "used; check the ids in the table, or use cardio predict"
        )
    return New(prepared, truth)


def scored_of(opened: Opened, answered: Answered, new: New, apart: Collection[str]) -> Scored:
    """Return every final model's answers beside the truth, `apart` of some recordings' patients.

    Raises
    ------
    DataError
        If nobody is left.
    """
    samples = new.prepared.features.table
    gone = set(samples.loc[samples["recording_id"].astype(str).isin(apart), "patient_id"])
    ignored = set(samples.index[new.truth.ignored])
    frames: dict[str, pd.DataFrame] = {}
    for target in opened.task.targets:
        parts = []
        for model, frame in answered.frames[target.name].items():
            own = frame[~frame["patient_id"].isin(gone)]
            own = own[~own["sample_id"].isin(ignored)] if ignored else own
            parts.append(_one(opened, answered, own.reset_index(drop=True), target, model, new))
            parts.append(_missed(target, model, new, gone))
        kept = [part for part in parts if len(part)]
        if kept:
            frames[target.name] = pd.concat(kept, ignore_index=True)
    if not any(frame["y_true"].notna().any() for frame in frames.values()):
        left = f", {len(gone)} of them left out because they were in training" if gone else ""
        raise DataError(
            f"--data: no patient is left to validate on (of {samples['patient_id'].nunique()} with "
            f"a usable recording{left}); bring patients with a known outcome"
        )
    sources = {
        f"{model}/{name}": decision.source
        for name, by_model in answered.decisions.items()
        for model, decision in by_model.items()
    }
    return Scored(frames, sources)


def _one(
    opened: Opened, answered: Answered, frame: pd.DataFrame, target: Target, model: str, new: New
) -> pd.DataFrame:
    decision = answered.decisions.get(target.name, {}).get(model)
    predicted = decision.apply(frame, target) if decision else frame["score"].to_numpy()
    known = frame.assign(
        y_true=labels_of(frame, target, new.truth.targets),
        predicted=predicted, repeat=0, fold=FINAL, model=model,
    )  # fmt: skip
    # A beat that matches no true one is a false detection; a patient without outcome is nobody.
    return known if opened.task.unit == "event" else known[known["y_true"].notna()]


def _missed(target: Target, model: str, new: New, gone: Collection[str]) -> pd.DataFrame:
    """Return true events that no sample matches: they have a class, and no score."""
    if not len(new.truth.missed):
        return pd.DataFrame()
    who = new.prepared.features.table.drop_duplicates("recording_id")
    ids = ["recording_id", "study_id", "patient_id", "subject_id"]
    here = new.truth.missed.merge(who[ids], on="recording_id")
    here = here[~here["patient_id"].isin(list(gone))]
    kept: pd.DataFrame = here[[*ids, "time_s"]].assign(
        level="event", y_true=named_classes(here[target.name].to_numpy(), target),
        predicted=None, unit_id=None, sample_id=None, repeat=0, fold=FINAL, model=model,
        **dict.fromkeys(score_columns(target), np.nan),
    )  # fmt: skip
    return kept


# Whether the run's prediction sets and intervals hold what they promise, in new patients.

NAME = "conformal_coverage"


def coverage_metrics(
    run: Path,
    scored: Scored,
    task: Task,
    sites: pd.Series | None,
    config: EvaluateBlock,
    *,
    seed: int = 0,
) -> tuple[list[Metric], list[Note]]:
    """Return how many patients' sets or intervals hold the truth: of all, by class, by site.

    Parameters
    ----------
    run : Path
        Whose rules are applied as they are.
    scored : Scored
        Of the new patients.
    task : Task
    sites : Series or None
        Site by patient.
    config : EvaluateBlock
    seed : int

    Returns
    -------
    list of Metric
        ``conformal_coverage`` with Wilson's interval, one patient each; p tests whether it is lower
        than the calibration patients of the run allow. Sizes of sets.
    list of Note
        Models without a rule.
    """
    metrics: list[Metric] = []
    notes: list[Note] = []
    for target in task.targets:
        frame = scored.frames.get(target.name)
        if frame is None:
            continue
        for model in frame["model"].unique():
            rule = open_rule(run, str(model), target.name)
            where = Scope(task=task.name, target=target.name, model=str(model))
            if rule is None:
                text = (
                    f"{task.model(str(model)).title}: the run calibrated no prediction sets for "
                    f"{target.name}, so their coverage cannot be validated."
                )
                notes.append(Note(NoteKind.PREDICTION_SETS, text, model=str(model)))
                continue
            own = frame[frame["model"] == model]
            with noting(notes, f"Coverage of {target.name} of {model}: not computed."):
                metrics += list(_covered(rule, own, target, where, sites, config.level))
                for one in set_sizes(rule, own, target, config.level, config.n_resamples, seed):
                    metrics.append(Metric(one, where))
    return metrics, notes


def _covered(
    rule: Conformal,
    frame: pd.DataFrame,
    target: Target,
    where: Scope,
    sites: pd.Series | None,
    level: float,
) -> Iterator[Metric]:
    scored = nonconformity(frame, target)
    rows = scored.rows
    rows = rows.assign(covered=rows["score"].to_numpy() <= rule.limits[rows["code"].to_numpy()])
    yield Metric(_share(rows, level, rule, None, target), where)
    classes = target.classes if target.kind != "continuous" else ()
    for code, name in enumerate(classes):
        own = rows[rows["code"] == code]
        if len(own) and name not in rule.always_held:
            found = _share(own, level, rule, code, target)
            yield Metric(found, _at(where, class_name=name))
    if sites is None:
        return
    site = scored.known["patient_id"].astype(str).map(sites).to_numpy()
    for one in sorted({str(name) for name in site if pd.notna(name)}):
        here = rows[site == one]
        yield Metric(_share(here, level, rule, None, target, by_site=True),
                     _at(where, subgroup=f"Site: {one}"))  # fmt: skip
        for code, name in enumerate(classes):
            own = here[here["code"] == code]
            if len(own) and name not in rule.always_held:
                found = _share(own, level, rule, code, target, by_site=True)
                yield Metric(found, _at(where, class_name=name, subgroup=f"Site: {one}"))


def _at(where: Scope, *, class_name: str | None = None, subgroup: str | None = None) -> Scope:
    return Scope(task=where.task, target=where.target, model=where.model, class_name=class_name,
                 subgroup=subgroup)  # fmt: skip


def _share(
    rows: pd.DataFrame,
    level: float,
    rule: Conformal,
    code: int | None,
    target: Target,
    *,
    by_site: bool = False,
) -> Estimate:
    """Return the share of patients who are covered; p against what the run promised."""
    promised = f"{100 * (1 - rule.alpha):g} %"
    what = "intervals" if target.kind == "continuous" else "sets"
    found = share_of_patients(
        NAME, rows, level, f"Wilson; {promised} {what} as the run calibrated them",
        "A patient is covered when every one of the rows is.",
    )  # fmt: skip
    # All classes together are a mixture, whose promise is that of each class.
    n = rule.class_patients[code] if rule.by_class and code is not None else rule.n_patients
    if by_site or (rule.by_class and code is None):
        return found
    p = lower_coverage_p(int(np.floor(found.extra["k"])), found.n, n, rule.alpha)
    return found.replace(p_value=p)


# What recalibration on these very patients would change: beside the validation, never in it.

NONE = "none"
VERSIONS = {NONE: "As it is", "in the large": "Recalibrated in the large",
            "slope": "Intercept and slope"}  # fmt: skip
"""Recalibrations in their order, as the heads of their columns."""

MEASURES = ("calibration_in_the_large", "calibration_slope", "ece", "brier", "scaled_brier",
            "mean_error", "mae")  # fmt: skip
OF_ALL = "Coefficients, of all patients"

FITTED = (
    "As it is: the validation. The other columns are recalibrated on these very patients, each "
    "patient with coefficients of nine other tenths of them (cross-fitted): they tell what a "
    "recalibration here would bring, and are no validation of the model."
)


@dataclass
class Beside:
    """What recalibration would change.

    Attributes
    ----------
    rows : list of dict
        Every number with all digits, and the recalibration that it is under.
    table : DataFrame
        Model, measure, and a column a recalibration.
    figures : dict of str to callable
        Calibration of the primary model under each.
    notes : list of Note
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    figures: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def recalibrations(scored: Scored, task: Task, config: EvaluateBlock, seed: int) -> Beside:
    """Return every model's calibration as it is, recalibrated in the large, and by slope too.

    Of targets with several classes nothing is recalibrated.
    """
    made, lines = Beside(), list[dict[str, str]]()
    for target in task.targets:
        frame = scored.frames.get(target.name)
        if frame is None or target.kind == "multiclass":
            continue
        models = [str(name) for name in frame["model"].unique()]
        primary = primary_in(task, models)
        for model in models:
            rows = pooled(frame, target, model)
            versions = _versions(rows, target, model, task, made, seed)
            if len(versions) == 1:
                continue
            found = {how: _judged(rows, values, target, config, seed)
                     for how, values in versions.items()}  # fmt: skip
            lines += _lines(task.model(model).title, found, made, target, model)
            if model == primary and target.kind == "binary":
                made.figures[f"recalibration-{target.name}"] = _figure(
                    rows, versions, target, task, config
                )
    if lines:
        made.table = pd.DataFrame(lines).fillna("")
        made.notes.append(Note(NoteKind.RECALIBRATION, FITTED))
    return made


def _versions(
    rows: pd.DataFrame, target: Target, model: str, task: Task, made: Beside, seed: int
) -> dict[str, Any]:
    """Return the predictions under each recalibration that the data allow."""
    truth, score = _columns(rows, target)
    versions: dict[str, Any] = {NONE: score}
    refit: Callable[..., Recalibrated] = (
        recalibrated_numbers if target.kind == "continuous" else recalibrated_probabilities
    )
    for how in list(VERSIONS)[1:]:
        try:
            found = refit(truth, score, how=how, patient=Scored.clusters_of(rows), seed=seed)
        except ABOUT_DATA as error:
            text = f"{task.model(model).title}, recalibration by {how}: {error}."
            made.notes.append(Note(NoteKind.NOT_COMPUTED, text, model=model))
            continue
        versions[how] = found.values
        made.rows.append(
            {
                "target": target.name, "model": model, "recalibration": how,
                "intercept": found.intercept, "slope": found.slope,
                "fitted_on": "all of these patients; the numbers of this recalibration are "
                f"cross-fitted in {found.parts} parts",
            }
        )  # fmt: skip
    return versions


def _columns(rows: pd.DataFrame, target: Target) -> tuple[Any, Any]:
    if target.kind == "continuous":
        return rows["y_true"].to_numpy(float), rows["score"].to_numpy(float)
    positive = target.classes[1]
    return (rows["y_true"] == positive).to_numpy(int), rows[f"score:{positive}"].to_numpy(float)


def _judged(
    rows: pd.DataFrame, values: Any, target: Target, config: EvaluateBlock, seed: int
) -> dict[str, Estimate]:
    truth, _ = _columns(rows, target)
    clusters = Scored.clusters_of(rows)
    about: dict[str, Any] = {
        "patient": clusters, "n_resamples": config.n_resamples, "seed": seed,
        "level": config.level, "unit": "patient" if clusters is None else None,
    }  # fmt: skip
    if target.kind == "continuous":
        errors = regression_errors(truth, values, **about)
        found = [errors["mae"]]
        if np.ptp(values) > 0:
            found += number_calibration(truth, values, **about)
    else:
        found = calibration_metrics(truth, values, **about).estimates
    by_name = {one.name: one for one in found}
    return {name: by_name[name] for name in MEASURES if name in by_name}


def _lines(
    title: str,
    found: dict[str, dict[str, Estimate]],
    made: Beside,
    target: Target,
    model: str,
) -> list[dict[str, str]]:
    lines = []
    for measure in found[NONE]:
        line = {
            "Model": title,
            "Measure": METRIC_WORDS.get(measure, spelled(measure).capitalize()),
        }
        for how, estimates in found.items():
            if measure not in estimates:
                continue
            one = estimates[measure]
            line[VERSIONS[how]] = _shown(one)
            place = {"target": target.name, "model": model, "recalibration": how}
            made.rows.append(place | one.to_dict())
        lines.append(line)
    own = {
        row["recalibration"]: row for row in made.rows
        if "intercept" in row and (row["target"], row["model"]) == (target.name, model)
    }  # fmt: skip
    line = {"Model": title, "Measure": OF_ALL}
    for how, row in own.items():
        slope = f", slope {number(row['slope'])}" if how == "slope" else ""
        line[VERSIONS[how]] = f"intercept {number(row['intercept'])}{slope}"
    return [*lines, line]


def _shown(one: Estimate) -> str:
    value = number(one.value)
    if one.low is None or one.high is None:
        return value
    return f"{value} ({number(one.low)} to {number(one.high)})"


def _figure(
    rows: pd.DataFrame, versions: dict[str, Any], target: Target, task: Task, config: EvaluateBlock
) -> Callable[[Any], None]:
    truth, _ = _columns(rows, target)
    words = spelled(target.outcome)
    lines = [
        ModelScores(VERSIONS[how], truth.astype(bool), np.asarray(values, float),
                    "primary" if how == NONE else "model")
        for how, values in versions.items()
    ]  # fmt: skip
    model = task.model(str(rows["model"].iloc[0])).title
    draw = calibration_of_models(
        lines, positive=words, level=config.level, unit=unit_of(rows, task.unit)
    )
    return described(draw, f"Recalibration: {words}, {model}", FITTED)
