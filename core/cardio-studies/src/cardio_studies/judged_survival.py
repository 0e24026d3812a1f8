"""Judge predictions of a time to an event, which some patients were not followed to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.api import Metric, Note, Scope, Target
from cardio_core.report import spelled
from cardio_core.runs import Echo, NoteKind, RunKind, file_digest, guard_place, write_run
from cardio_stats import (
    Estimate,
    harrell_c,
    observed_over_expected,
    require_one_row_each,
    timed_auc,
    timed_brier,
    timed_calibration,
    timed_decision_curve,
    timed_net_benefit,
    uno_c,
)
from cardio_stats.errors import ConfigError, DataError, every
from cardio_stats.figures import described
from cardio_stats.figures.curves import decision
from cardio_stats.figures.survival import risk_calibration
from cardio_stats.smooth_calibration import CalibrationCurve
from cardio_stats.survival import FollowUp, follow_up_of
from cardio_stats.survival_scores import risk_groups
from cardio_stats.tables import read_typed
from cardio_studies.ingest_columns import (
    Question,
    column_for,
    guessed_patient,
    guessed_scores,
    is_probability,
    require_scores,
    threshold_for,
)
from cardio_studies.judgement import NO_METRIC, judged_entries

TASK = "judged"


@dataclass(frozen=True)
class Horizon:
    """What is predicted of a follow-up.

    Attributes
    ----------
    time : str
        Column of the time to the event, or to the last that is known.
    status : str
        Column of 1 (event) and 0 (censored), or ``COLUMN=VALUE``.
    until : float
        The time by which the event is predicted, in the unit of `time`.
    """

    time: str
    status: str
    until: float

    @property
    def words(self) -> str:
        """The horizon with its column, which tells the unit."""
        return f"{self.until:g} ({self.time})"


@dataclass(frozen=True)
class _Judged:
    """One score of the followed patients, and whether it is a risk by the horizon."""

    name: str
    follow_up: FollowUp
    values: np.ndarray[tuple[int], np.dtype[np.float64]]
    is_risk: bool


def judge_survival(
    path: Path,
    question: Question,
    horizon: Horizon,
    out: Path,
    *,
    level: float = 0.95,
    command: Sequence[str] = (),
    echo: Echo | None = None,
) -> tuple[Path, Sequence[str]]:
    """Write the page of scores of a time to an event, judged at a horizon.

    Parameters
    ----------
    path : Path
        CSV, Parquet or xlsx: one row a patient.
    question : Question
        Scores, patient, thresholds, primary score and missing words; an outcome has no place here.
    horizon : Horizon
    out : Path
        A new or empty folder, or one that this wrote from the same table.
    level : float
        Of the intervals.
    command : sequence of str
        As typed, for the page.
    echo : callable, optional
        Takes the line on what a killed command left.

    Returns
    -------
    Path
        Of ``report.html``.
    sequence of str
        What was taken for granted.

    Raises
    ------
    ConfigError
        A column that is not there; an option that has no place here; the folder holds something
        else.
    DataError
        No follow-up as long, no events, several rows of a patient, or scores that are no numbers.
    """
    reading = read_typed(path, question.missing)
    table = reading.table
    _refuse_options(question)
    column_for(horizon.time, "--time", table)
    status = horizon.status if horizon.status in table.columns else horizon.status.split("=")[0]
    column_for(status, "--status", table)
    patient = column_for(question.patient, "--patient", table) or guessed_patient(
        table, [horizon.time, status, *question.scores]
    )
    if patient is not None:
        require_one_row_each(table, patient)
    for name in question.scores:
        column_for(name, "--score", table)
    aside = [column for column in (horizon.time, status, patient) if column]
    names = list(dict.fromkeys(question.scores)) or guessed_scores(table, aside)
    if question.primary and question.primary not in names:
        raise ConfigError(
            f"--primary {question.primary}: is none of the scores; name one of {', '.join(names)}"
        )
    every(
        lambda: follow_up_of(table, horizon.time, horizon.status),
        *(partial(require_scores, table, [name]) for name in names),
    )
    followed = follow_up_of(table, horizon.time, horizon.status)
    longest = float(followed.time.max())
    if longest <= horizon.until:
        raise DataError(
            f"--horizon {horizon.until:g}: expected a time that somebody was followed beyond, "
            f"found none (the longest is {longest:g}); choose an earlier one"
        )
    scores = [_judged(table, followed, name) for name in names]
    target = Target(status, "binary", ("no", "yes"))
    digest = file_digest(path)
    guard_place(out, RunKind.JUDGED, digest)
    primary = question.primary or names[0]
    metrics, notes = _metrics(scores, horizon, question, target, level)
    lines = [
        *([f"Taken by its name: {patient} as the patient."] if patient and not question.patient
          else []),
        *([] if question.scores else [f"Taken by their names: {', '.join(names)} as the scores."]),
        *followed.sentences("patient"),
        *(_at_hand(metric.estimate) for metric in metrics
          if metric.estimate.name == "auc_at" and metric.scope.model == primary),
        *(f"{score.name}: no risks between 0 and 1, so there is no Brier score, calibration or net "
          "benefit." for score in scores if not score.is_risk),
        *reading.notes_on([*aside, *names]),
    ]  # fmt: skip
    outcome = (
        f"{followed.label} by {horizon.words}. Who was censored before counts "
        "by the weights of those who were followed; a higher score is taken to mean an earlier "
        "event."
    )
    about = judged_entries(
        TASK, f"Predictions of {spelled(status)} by {horizon.words}", target, names,
        question.primary, outcome,
        {"path_shown": path.name, "digest": digest, "n_patients": followed.n},
    ) | {
        "left_out": f"{followed.n_dropped} rows lack a time or a status and were left out.",
    }  # fmt: skip
    with write_run(out, RunKind.JUDGED, digest, command=command, echo=echo, **about) as writer:
        page = writer.publish(
            [metric.to_dict() for metric in metrics],
            [*Note.each(NoteKind.TABLE, lines), *Note.each(NoteKind.NOT_COMPUTED, notes)],
            {}, _figures(scores, primary, horizon, level),
        )  # fmt: skip
    return page, lines


def _refuse_options(question: Question) -> None:
    """Refuse what the time to an event has no use for, rather than pass it over."""
    unused = {
        "--outcome": question.outcome, "--event": question.event, "--negative": question.negative,
        "--kind": question.kind, "--site": question.site, "--subgroup": question.subgroups,
    }  # fmt: skip
    for option, value in unused.items():
        if value:
            raise ConfigError(
                f"{option}: does not go with --time and --status, which say what happened; "
                "leave it out"
            )


def _judged(table: pd.DataFrame, followed: FollowUp, name: str) -> _Judged:
    values = table[name].to_numpy(float)[followed.rows]
    known = ~np.isnan(values)
    return _Judged(name, followed.only(known), values[known], is_probability(table[name]))


def _metrics(
    scores: Sequence[_Judged], horizon: Horizon, question: Question, target: Target, level: float
) -> tuple[list[Metric], list[str]]:
    metrics: list[Metric] = []
    notes: list[str] = []
    for score in scores:
        place = Scope(task=TASK, target=target.name, model=score.name)
        at = threshold_for(question.thresholds, score.name)
        for call in _calls(score, horizon.until, at, {"level": level, "unit": "patient"}):
            try:
                metrics += [Metric(_plainly_named(found), place) for found in call()]
            except DataError as error:
                notes.append(f"{score.name}: {error}.")
    if not metrics:
        raise DataError(NO_METRIC.format(notes[0] if notes else "nothing to compute"))
    return metrics, notes


def _calls(
    score: _Judged, until: float, threshold: float | None, about: Mapping[str, Any]
) -> Iterator[Callable[[], Sequence[Estimate]]]:
    """Yield what is computed of a score; each may be refused, and the others stand."""
    followed, values = score.follow_up, score.values
    yield lambda: [timed_auc(followed, values, until, **about)]
    yield lambda: [
        harrell_c(followed, values, **about),
        uno_c(followed, values, until=until, **about),
    ]
    if not score.is_risk:
        return
    yield lambda: timed_brier(followed, values, until, **about)
    yield lambda: [observed_over_expected(followed, values, until, **about)]
    yield lambda: _calibration(followed, values, until, about)
    if threshold is not None:
        yield lambda: [timed_net_benefit(followed, values, until, threshold, **about)]


def _calibration(
    followed: FollowUp, values: Any, until: float, about: Mapping[str, Any]
) -> list[Estimate]:
    found = timed_calibration(followed, values, until, **about)
    return [found.slope, *found.errors]


def _plainly_named(found: Estimate) -> Estimate:
    """Leave the time out of a name, as every page has one; count whom the AUC is of."""
    extra: Mapping[str, float] = found.extra
    if "n_cases" in extra:
        extra = {**extra, "n_rows": float(found.n), "n_positive": extra["n_cases"]}
    return found.replace(name=found.name.partition("[")[0], extra=extra)


def _at_hand(area: Estimate) -> str:
    extra = area.extra
    return (
        f"By {extra['time']:g}: {extra['n_cases']:.0f} with the event, {extra['n_controls']:.0f} "
        f"followed beyond, {extra['n_censored']:.0f} censored before."
    )


def _figures(
    scores: Sequence[_Judged], primary: str, horizon: Horizon, level: float
) -> dict[str, Callable[[Any], None]]:
    """Return calibration in groups and the decision curve of the primary score, if it is a risk."""
    score = next((score for score in scores if score.name == primary), scores[0])
    if not score.is_risk:
        return {}
    words = horizon.words
    made: dict[str, Callable[[Any], None]] = {}
    groups = risk_groups(score.follow_up, score.values, horizon.until, level=level)
    if groups:
        made["calibration-horizon"] = described(
            risk_calibration(groups, _curve(score, horizon, level), time=words),
            f"Calibration at {words}: {score.name}",
            "Kaplan-Meier risk against mean predicted risk, in groups of rising risk and as a "
            "smooth curve; on the dashed line a prediction is worth its face value.",
        )
    curve = timed_decision_curve(score.follow_up, score.values, horizon.until, level=level)
    if len(curve):
        made["decision-curve-horizon"] = described(
            decision(curve, level=level),
            f"Decision curve at {words}: {score.name}",
            "Net benefit of acting on the risk, from the threshold at which one would act, with "
            "Kaplan-Meier risks of those who reach it. It is of use where its line lies above both "
            "acting on everybody and acting on nobody.",
        )
    return made


def _curve(score: _Judged, horizon: Horizon, level: float) -> CalibrationCurve | None:
    try:
        return timed_calibration(score.follow_up, score.values, horizon.until, level=level).curve
    except DataError:  # why is a note: the slope says so
        return None


def horizon_of(time: str | None, status: str | None, until: float | None) -> Horizon | None:
    """Return what three options say together; None where none of them is given.

    Raises
    ------
    ConfigError
        Some of them alone, or a horizon that is no time.
    """
    typed = {"--time": time, "--status": status, "--horizon": until}
    lacking = [name for name, value in typed.items() if value is None]
    if len(lacking) == len(typed):
        return None
    if lacking or time is None or status is None or until is None:
        raise ConfigError(
            f"{', '.join(lacking)}: expected with the others of --time, --status and --horizon; a "
            "time to an event needs all three"
        )
    if not 0 < until < float("inf"):
        raise ConfigError(f"--horizon {until:g}: expected a time above 0")
    return Horizon(time, status, until)
