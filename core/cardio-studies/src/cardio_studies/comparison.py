"""Compare runs and tables of predictions on the patients whom all of them predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logit

from cardio_core.api import (
    EvaluateBlock,
    EvaluationReport,
    Metric,
    Model,
    Note,
    Scope,
    Scored,
    Target,
    Task,
)
from cardio_core.evaluation import pooled
from cardio_core.runs import Echo, NoteKind, RunKind, digest, file_digest, finished, guard_place
from cardio_stats import (
    Estimate,
    bootstrap_sums,
    delong_covariance,
    delong_paired,
    fit_logistic,
    likelihood_ratio_test,
    max_z_adjusted,
    paired_proportions,
)
from cardio_stats.errors import CardioError, ConfigError, DataError
from cardio_studies.ingest import Given, names_in, read_given
from cardio_studies.ingest_columns import (
    Question,
    patient_frame,
    require_one_truth,
    truth_and_score,
    truth_of_patients,
)
from cardio_studies.judgement import entries_of, settings, write_page

# Predictions of several runs or tables, brought to the patients whom all of them predicted.

FEWEST_SHARED = 10
"""Patients below whom nothing is compared."""

MOST_SCORES = 60
"""Beyond them the covariances of all pairs, and two regressions a pair, are more than is read."""


@dataclass(frozen=True)
class Source:
    """One run, or one table.

    Attributes
    ----------
    label : str
        How it is called on the page.
    predictions : Given
    by_patient : DataFrame
        One row a patient: ``y`` (0 or 1) and a column a score, the mean where a patient has
        several rows.
    """

    label: str
    predictions: Given
    by_patient: pd.DataFrame


@dataclass(frozen=True)
class Shared:
    """What sources share.

    Attributes
    ----------
    predictions : Given
        Of the shared patients, with every score of every source.
    who : DataFrame
        A row a source: patients, events, those whom another source lacks.
    digest : str
        Of all files together.
    shown : str
        Their names.
    """

    predictions: Given
    who: pd.DataFrame
    digest: str
    shown: str


def shared(paths: Sequence[str], question: Question, threshold: float | None = None) -> Shared:
    """Return what several sources say of the patients whom all of them predicted.

    Parameters
    ----------
    paths : sequence of str
        Two or more: a finished run, a judged folder's table, a CSV; ``LABEL=PATH`` names it. Of a
        run its primary model stands, unless `question` names scores.
    question : Question
    threshold : float, optional
        From which probabilities are called the event; one half by default.

    Raises
    ------
    ConfigError
        Fewer than two, more than sixty, two of one label, or an unfinished run.
    DataError
        Fewer than ten shared patients of both classes, or patients whose outcome is told
        differently.
    """
    if len(paths) < 2:
        raise ConfigError(f"compare: expected two runs or tables or more, found {len(paths)}")
    _require_few(len(paths))
    files = [_file_of(text) for text in paths]
    labels = [label for label, _ in files]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice}: two sources of this name; write NAME=PATH for one of them")
    sources = [_source(label, path, question) for label, path in files]
    everyone = [set(source.by_patient.index) for source in sources]
    both = sorted(set.intersection(*everyone))
    if len(both) < FEWEST_SHARED:
        counts = ", ".join(
            f"{source.label} {len(who)}" for source, who in zip(sources, everyone, strict=True)
        )
        raise DataError(
            f"compare: {len(both)} patients are in all sources ({counts}), fewer than "
            f"{FEWEST_SHARED}; do their patients carry the same ids?"
        )
    require_one_truth(
        {source.label: source.by_patient.loc[both, "y"] for source in sources},
        "compare predictions of one outcome (--outcome, --event)",
    )
    return Shared(
        _joined(sources, both, threshold),
        _who(sources, both),
        digest([file_digest(path) for _, path in files]),
        ", ".join(path.parent.name if path.name == "predictions.csv" else path.name
                  for _, path in files),
    )  # fmt: skip


def _require_few(n: int) -> None:
    if n > MOST_SCORES:
        pairs = n * (n - 1) // 2
        raise ConfigError(
            f"compare: {n} scores make {pairs} pairs, whose covariances take "
            f"{8e-9 * pairs**2:.3g} GB; compare at most {MOST_SCORES} at a time"
        )


def _file_of(text: str) -> tuple[str, Path]:
    label, equals, rest = text.partition("=")
    path = Path(rest if equals else text)
    if not equals:
        label = path.resolve().name if path.is_dir() else path.stem
    if not path.exists():
        raise ConfigError(f"{path}: no such run or table; name one that is there")
    if not path.is_dir():
        return label, path
    finished(path)
    if not (path / "predictions.csv").is_file():
        raise ConfigError(
            f"{path}: holds no predictions to compare; name the run itself", code="unsupported"
        )
    return label, path / "predictions.csv"


def _source(label: str, path: Path, question: Question) -> Source:
    of_run = path.name == "predictions.csv" and (path.parent / "manifest.json").is_file()
    primary = str(finished(path.parent).get("primary")) if of_run else ""
    wanted = list(question.scores)
    if wanted or primary:
        inside = names_in(path)
        wanted = [name for name in wanted or [primary] if name in inside]
        if question.scores and not wanted:
            raise ConfigError(
                f"{label}: has none of the scores {', '.join(question.scores)}; it has "
                f"{', '.join(inside[:12])}"
            )
    try:
        predictions = read_given(path, replace(question, primary=None, scores=wanted))
    except CardioError as error:
        raise type(error)(f"{label}: {error}") from None
    names = [model.name for model in predictions.task.models]
    [frame] = predictions.scored.frames.values()
    [target] = predictions.task.targets
    if target.kind != "binary":
        what = "a number" if target.kind == "continuous" else "of several classes"
        raise DataError(
            f"{label}: {target.name} is {what}; outcomes of two values are compared (--event makes "
            "one of classes); cardio judge compares predictions that stand in one table",
            code="unsupported",
        )
    score = f"score:{target.classes[1]}"
    rows = frame[frame["model"].isin(names)]
    wide = rows.pivot_table(index="patient_id", columns="model", values=score, aggfunc="mean")
    truth = truth_of_patients(label, rows["patient_id"], rows["y_true"])
    positive = (truth == target.classes[1]).astype(float)
    return Source(label, predictions, wide[names].assign(y=positive))


def _joined(sources: Sequence[Source], both: list[str], threshold: float | None) -> Given:
    """Return one table of all scores; a source of one score gives it its own name."""
    _require_few(sum(len(each.by_patient.columns) - 1 for each in sources))
    target = sources[0].predictions.task.targets[0]
    columns: dict[str, pd.Series] = {}
    sentences: list[str] = []
    for origin in sources:
        names = [name for name in origin.by_patient.columns if name != "y"]
        for name in names:
            title = origin.label if len(names) == 1 else f"{origin.label}: {name}"
            columns[title] = origin.by_patient.loc[both, name]
            if len(names) == 1 and name != origin.label:
                sentences.append(f"{origin.label} stands for its score {name}.")
    truth = sources[0].by_patient.loc[both, "y"].to_numpy()
    _require_classes(truth, target)
    words = np.where(truth == 1, target.classes[1], target.classes[0])
    frames, thresholds, given_cuts, probabilities = [], {}, {}, []
    for title, values in columns.items():
        score = values.to_numpy(float)
        probability = bool(((score >= 0) & (score <= 1)).all())
        probabilities += [title] if probability else []
        cut, source = float(np.median(score)), "the median of these patients"
        if probability and threshold is None:
            cut, source = 0.5, "fixed: one half"
        elif probability and threshold is not None:
            cut, source = float(threshold), f"given: {threshold:g}"
            given_cuts[title] = cut
        thresholds[f"{title}/{target.name}"] = source
        frames.append(
            patient_frame(
                values.index, score, target, repeat=0, fold="all", model=title, y_true=words,
                predicted=np.where(score >= cut, target.classes[1], target.classes[0]),
            )
        )  # fmt: skip
    task = Task(
        "compared", f"{len(columns)} scores of {target.outcome}, compared",
        "patient", (target,), tuple(Model(name, name) for name in columns),
        primary=next(iter(columns)),
    )  # fmt: skip
    return Given(
        task,
        Scored({target.name: pd.concat(frames, ignore_index=True)}, thresholds),
        pd.DataFrame(index=pd.Index(both)),
        tuple(probabilities),
        (*sources[0].predictions.coded, *sentences),
        len(both),
        {},
        outcome=sources[0].predictions.outcome,
        coded=sources[0].predictions.coded,
        thresholds=given_cuts,
    )


def _require_classes(truth: np.ndarray, target: Target) -> None:
    n_events = int(truth.sum())
    if min(n_events, len(truth) - n_events) < 2:
        raise DataError(
            f"compare: of {len(truth)} shared patients {n_events} have {target.outcome}; at least "
            "2 of either kind are needed"
        )


def _who(sources: Sequence[Source], both: list[str]) -> pd.DataFrame:
    """Return who is in which source, and how those left out differ in their outcome."""
    rows = []
    shared_ids = set(both)
    for source in sources:
        left = source.by_patient[~source.by_patient.index.isin(shared_ids)]
        rows.append(
            {
                "predictions": source.label,
                "patients": len(source.by_patient),
                "with the event": int(source.by_patient["y"].sum()),
                "compared": len(both),
                "not in another source": len(left),
                "of them with the event": int(left["y"].sum()),
            }
        )
    return pd.DataFrame(rows)


# Scores against each other, in pairs: areas, decisions, what one adds to another, net benefit.


def compare_pairs(
    predictions: Given, config: EvaluateBlock, threshold: float | None, seed: int
) -> tuple[EvaluationReport, dict[tuple[str, str], Estimate]]:
    """Compare every two scores on the same patients.

    Parameters
    ----------
    predictions : Given
        One row a patient and score.
    config : EvaluateBlock
    threshold : float, optional
        Probability from which one would act: net benefit is compared there.
    seed : int

    Returns
    -------
    EvaluationReport
        Shares decided rightly (McNemar), likelihood ratios (what the second adds to the first, and
        the first to the second), differences of net benefit; notes on what was not computed.
    dict of (str, str) to Estimate
        Paired differences of areas; ``extra["p_adjusted"]`` is p adjusted for all pairs (max-T).
    """
    [target] = predictions.task.targets
    [frame] = predictions.scored.frames.values()
    names = [model.name for model in predictions.task.models]
    tables = {name: pooled(frame, target, name) for name in names}
    truth, _ = truth_and_score(tables[names[0]], target)
    scores = {name: truth_and_score(rows, target)[1] for name, rows in tables.items()}
    pairs = list(combinations(names, 2))
    differences = _areas(truth, scores, pairs, config, seed)
    metrics: list[Metric] = []
    notes: list[Note] = []
    for first_name, other in pairs:
        place = Scope(
            task=predictions.task.name, target=target.name, model=first_name, versus=other
        )
        right = [
            tables[n]["predicted"].to_numpy() == tables[n]["y_true"].to_numpy()
            for n in (first_name, other)
        ]
        found = paired_proportions(right[0], right[1], level=config.level, unit="patient")
        metrics.append(Metric(found.replace(name="accuracy_difference"), place))
        for first, second in ((first_name, other), (other, first_name)):
            try:
                added = likelihood_added(truth, scores[first], scores[second])
            except DataError as error:
                text = f"What {second} adds to {first}: not computed; {error}."
                notes.append(Note(NoteKind.NOT_COMPUTED, text, model=second))
                continue
            metrics.append(
                Metric(added, Scope(task=predictions.task.name, target=target.name, model=second,
                                    versus=first))
            )  # fmt: skip
        if threshold is not None and {first_name, other} <= set(predictions.probabilities):
            gained = net_benefit_gained(
                truth, scores[first_name], scores[other], threshold, config, seed
            )
            metrics.append(Metric(gained, place))
    return EvaluationReport(metrics, notes=notes), differences


def _areas(
    truth: np.ndarray,
    scores: dict[str, np.ndarray],
    pairs: list[tuple[str, str]],
    config: EvaluateBlock,
    seed: int,
) -> dict[tuple[str, str], Estimate]:
    names = list(scores)
    found = delong_covariance(truth, *scores.values())
    contrasts = np.zeros((len(pairs), len(names)))
    for row, (first, second) in enumerate(pairs):
        contrasts[row, names.index(first)], contrasts[row, names.index(second)] = 1.0, -1.0
    covariance = contrasts @ found.covariance @ contrasts.T
    estimates = [
        delong_paired(truth, scores[a], scores[b], level=config.level, unit="patient")
        for a, b in pairs
    ]
    if len(pairs) > 1:
        moved = np.diag(covariance) > 1e-15  # two scores of one order never differ
        adjusted = np.ones(len(pairs))
        if moved.any():
            block = np.ix_(moved, moved)
            adjusted[moved] = max_z_adjusted(
                (contrasts @ found.aucs)[moved], covariance[block], seed=seed
            )
        estimates = [
            with_adjusted_p(each, float(p), len(pairs))
            for each, p in zip(estimates, adjusted, strict=True)
        ]
    return dict(zip(pairs, estimates, strict=True))


def with_adjusted_p(estimate: Estimate, p: float, n_pairs: int) -> Estimate:
    """Return a difference with its p adjusted for all pairs."""
    note = f"{estimate.note} adjusted p: for all {n_pairs} pairs (max-T)".strip()
    return estimate.replace(note=note, extra={**estimate.extra, "p_adjusted": p})


def likelihood_added(truth: np.ndarray, first: np.ndarray, second: np.ndarray) -> Estimate:
    """Return the likelihood-ratio test of adding a score to another, both as log odds."""
    table = pd.DataFrame({"y": truth, "first": _scale(first), "second": _scale(second)})
    models = [
        fit_logistic(table, "y", columns, interval="wald", method="ml", unit="patient")
        for columns in (["first"], ["first", "second"])
    ]
    return likelihood_ratio_test(models[0], models[1], unit="patient").replace(
        name="likelihood_ratio_added"
    )


def _scale(values: np.ndarray) -> np.ndarray:
    if values.min() < 0 or values.max() > 1:
        return values
    return np.asarray(logit(np.clip(values, 1e-6, 1 - 1e-6)))


def net_benefit_gained(
    truth: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    threshold: float,
    config: EvaluateBlock,
    seed: int,
) -> Estimate:
    """Return the net benefit of a score less that of another, on the same patients."""
    price = threshold / (1 - threshold)
    gains = [
        np.where(s >= threshold, np.where(truth == 1, 1.0, -price), 0.0) for s in (first, second)
    ]
    rows = np.column_stack([np.ones(len(truth)), gains[0] - gains[1]])
    [found] = bootstrap_sums(
        rows, lambda sums: (sums[..., 1] / sums[..., 0])[..., None], ["net_benefit_difference"],
        n_resamples=config.n_resamples, seed=seed, level=config.level, unit="patient",
    )  # fmt: skip
    tidy = {k: 0.0 for k in ("value", "low", "high") if abs(getattr(found, k) or 0.0) < 1e-12}
    return found.replace(
        **tidy,  # sums of a patient more here and one less there leave a rest
        method=f"{found.method}, paired, at {threshold:g}",
        threshold_source="fixed: given",
    )


def compare_sources(
    paths: Sequence[str],
    question: Question,
    out: Path,
    *,
    threshold: float | None = None,
    level: float = 0.95,
    seed: int = 0,
    command: Sequence[str] = (),
    echo: Echo | None = None,
) -> tuple[Path, pd.DataFrame]:
    """Write the page of several runs or tables, compared in pairs.

    Parameters
    ----------
    paths : sequence of str
        Finished runs, or tables of predictions; ``LABEL=PATH`` names one.
    question : Question
        Outcome, event, scores and patient, where they have to be said.
    out : Path
        A new or empty folder, or one that this wrote from the same sources.
    threshold : float, optional
        Probability from which one would act, strictly between 0 and 1.
    level : float
    seed : int
    command : sequence of str
    echo : callable, optional
        Takes the line on what a killed command left.

    Returns
    -------
    Path
        Of ``report.html``.
    DataFrame
        Who is in which source.

    Raises
    ------
    ConfigError, DataError
        In one line; see `shared`.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise ConfigError(f"--threshold {threshold:g}: expected a probability between 0 and 1")
    found = shared(paths, question, threshold)
    guard_place(out, RunKind.JUDGED, found.digest)
    config = settings(found.predictions, level)
    more, differences = compare_pairs(found.predictions, config, threshold, seed)
    about = entries_of(
        found.predictions, shown=found.shown, digest=found.digest, primary=None, seed=seed
    )
    missing = found.who["not in another source"]
    note = (
        "All sources hold the same patients."
        if not missing.any()
        else f"Compared are the {int(found.who['compared'].iloc[0])} patients whom all sources "
        "predicted; who is missing where stands in the table."
    )
    page = write_page(
        found.predictions, out, about, config=config, seed=seed, adjusted=differences,
        command=command, echo=echo,
        notes=[Note(NoteKind.TABLE, note)],
        more=replace(more, tables={"who-is-where": found.who}),
    )  # fmt: skip
    return page, found.who
