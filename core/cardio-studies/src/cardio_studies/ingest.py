"""Predictions of any tool, brought into the form in which a run's own are evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.api import Model, Scored, Target, Task
from cardio_stats import binary_outcome, youden_threshold
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.tables import read_typed
from cardio_studies.ingest_columns import (
    KINDS,
    Columns,
    Resamples,
    classes_in,
    column_for,
    columns_of,
    is_probability,
    label_of,
    once_a_repeat,
    require_scores,
    row_numbers,
    tested_rows,
    threshold_for,
    truth_and_score,
)
from cardio_studies.ingest_columns import Question as Question

# A table's rows as a run keeps its predictions, whatever the kind of outcome.

FEWEST_NUMBERS = 3


def people(table: pd.DataFrame, patient: str | None) -> pd.Series:
    """Return whose each row is: the row's own number where no column says it."""
    if patient:
        return table[patient].map(label_of)
    return pd.Series(table.index.astype(str), table.index)


def rows_of_score(
    table: pd.DataFrame, truth: pd.Series, name: str, patient: str | None, found: Resamples
) -> pd.DataFrame:
    """Return who was predicted, in which fold, and what came true; scores are added by others.

    Parameters
    ----------
    table : DataFrame
        Rows whose score is known.
    truth : Series
        Of these rows: a class, or a number.
    name : str
        Of the score.
    patient : str or None
        Column of the patients.
    found : Resamples
    """
    who = people(table, patient)
    row = pd.Series(table.index.astype(str), table.index)
    unit = who if patient and not who.duplicated().any() else row
    again = None if found.repeat is None else found.repeat.loc[table.index]
    if once_a_repeat(table, patient, found):
        unit = who  # scores are averaged over the repeats
    fold = "all" if found.fold is None else found.fold.loc[table.index].astype(str).to_numpy()
    repeat = 0 if again is None else pd.factorize(again, sort=True)[0]
    if found.fold is not None and again is not None and len(set(again)) > 1:
        # fold 1 of another repeat tests others
        fold = again.astype(str).to_numpy() + " " + fold
    made = pd.DataFrame(dict.fromkeys(("unit_id", "sample_id", "recording_id", "study_id"), unit))
    return made.assign(
        patient_id=who, subject_id=who, level="patient", time_s=np.nan, repeat=repeat, fold=fold,
        model=name, y_true=truth.loc[table.index], predicted=None,
    )  # fmt: skip


def binary_frame(
    table: pd.DataFrame, positive: pd.Series, names: Sequence[str], patient: str | None,
    found: Resamples, target: Target,
) -> pd.DataFrame:  # fmt: skip
    """Return the rows of every score of an outcome of two values.

    Raises
    ------
    DataError
        Fewer than two rows of a class.
    """
    words = pd.Series(np.where(positive == 1, target.classes[1], target.classes[0]), table.index)
    frames = []
    for name in names:
        rows = table[table[name].notna()]
        n_events = int(positive[rows.index].sum())
        if min(n_events, len(rows) - n_events) < 2:
            raise DataError(
                f"{target.name}: expected at least 2 rows of each class with a {name}, found "
                f"{n_events} with the event and {len(rows) - n_events} without"
            )
        score = rows[name].astype(float)
        frames.append(
            rows_of_score(rows, words, name, patient, found).assign(
                **{f"score:{target.classes[0]}": 1 - score, f"score:{target.classes[1]}": score}
            )
        )
    return pd.concat(frames, ignore_index=True)


def number_frame(
    table: pd.DataFrame, names: Sequence[str], patient: str | None, found: Resamples,
    target: Target,
) -> pd.DataFrame:  # fmt: skip
    """Return the rows of every prediction of a number.

    Raises
    ------
    DataError
        Fewer than three rows, or probabilities where a number is to be predicted.
    """
    truth = table[target.name].astype(float)
    frames = []
    for name in names:
        rows = table[table[name].notna()]
        if len(rows) < FEWEST_NUMBERS:
            raise DataError(
                f"--score {name}: expected at least {FEWEST_NUMBERS} rows with a number and its "
                f"prediction, found {len(rows)}"
            )
        score = rows[name].astype(float)
        apart = truth[rows.index].min() > 1 or truth[rows.index].max() < 0
        if score.between(0, 1).all() and apart:
            raise DataError(
                f"--score {name}: expected predictions of {target.name} "
                f"({truth.min():g} to {truth.max():g}), found numbers between 0 and 1; name the "
                "column of predicted numbers, or an outcome of two values (--outcome)"
            )
        frames.append(
            rows_of_score(rows, truth, name, patient, found).assign(score=score, predicted=score)
        )
    return pd.concat(frames, ignore_index=True)


def class_frame(
    table: pd.DataFrame, sets: Mapping[str, Mapping[str, str]], decided: Mapping[str, str],
    patient: str | None, found: Resamples, target: Target,
) -> pd.DataFrame:  # fmt: skip
    """Return the rows of every set of columns, one a class, and of columns of decided classes.

    Parameters
    ----------
    table : DataFrame
    sets : mapping of str to mapping of class to column
    decided : mapping of str to column
        What was decided, of a set where the table says it (else the class with the largest
        probability), or by itself, without any probability.
    patient, found, target
        As of `rows_of_score`.
    """
    truth = table[target.name].map(label_of)
    frames = []
    for name in [*sets, *(model for model in decided if model not in sets)]:
        columns = list(sets.get(name, {}).values())
        needed = [*columns, *([decided[name]] if name in decided else [])]
        rows = table[table[needed].notna().all(axis=1)]
        if not len(rows):
            raise DataError(f"{name}: expected rows with all of {', '.join(needed)}, found none")
        scores = (
            rows[columns].to_numpy(float)
            if columns
            else np.full((len(rows), len(target.classes)), np.nan)
        )
        predicted = (
            rows[decided[name]].map(label_of).to_numpy()
            if name in decided
            else np.asarray(target.classes, dtype=object)[scores.argmax(axis=1)]
        )
        frames.append(
            rows_of_score(rows, truth, name, patient, found).assign(
                predicted=predicted,
                **{f"score:{word}": scores[:, i] for i, word in enumerate(target.classes)},
            )
        )
    return pd.concat(frames, ignore_index=True)


GIVEN = "fixed: given"
"""Where a threshold comes from that the user named."""


def rule(
    name: str, frame: pd.DataFrame, thresholds: Sequence[str], target: Target, probability: bool
) -> tuple[float, str]:
    """Return at and above which score the event is called, and where the number comes from.

    Raises
    ------
    ConfigError
        A threshold that is no number.
    """
    own = threshold_for(thresholds, name)
    if own is not None:
        return own, GIVEN
    if probability:
        return 0.5, "fixed: one half"
    rows = frame[frame["model"] == name]
    chosen = youden_threshold(*truth_and_score(rows, target), source="these patients")
    return chosen.value, "chosen on these patients, which flatters it"


def groups_of(table: pd.DataFrame, names: Mapping[str, int], patient: str | None) -> pd.DataFrame:
    """Return site and subgroups, one row a patient.

    `names` says of each column how many groups it may form: up to so many values are words, so
    that hospital 3 is no number.
    """
    found = table[list(names)].copy()
    for name, most in names.items():
        if found[name].nunique() <= most:
            found[name] = found[name].map(label_of, na_action="ignore")
    return found.groupby(people(table, patient).to_numpy(), sort=False).first()


# The predictions.csv of a run of ours as a table with a column a model, as strangers have it.

OWN = ("protocol", "model", "target", "event", "score", "y_true", "patient_id")
"""Columns by which the predictions.csv of a run of ours is known."""

_KEY = ["patient_id", "unit", "repeat", "fold", "y_true"]
_IDS = ("sample_id", "recording_id", "study_id")


def is_own(table: pd.DataFrame) -> bool:
    """Say whether a table is the predictions.csv of a run of ours."""
    return set(OWN) <= set(table.columns)


def as_wide(
    table: pd.DataFrame,
    outcome: str | None,
    event: str | None,
    kind: str | None,
    sentences: list[str],
) -> tuple[pd.DataFrame, str, str | None, str, list[str]]:
    """Return a table with a column a model, or a model and class.

    The honest protocol is taken where it ran, and the first target unless `outcome` names one.

    Returns
    -------
    DataFrame
        Columns patient_id, repeat, fold, the target's name and the scores.
    str
        The target.
    str or None
        The event, of a target of two classes or where `event` says it.
    str
        The kind: binary, classes or number.
    list of str
        The models: names of columns, or of sets of columns ``MODEL_CLASS``.

    Raises
    ------
    ConfigError
        An event that is no class of the target.
    DataError
        No prediction of that target.
    """
    protocols = list(dict.fromkeys(table["protocol"]))
    protocol = "honest" if "honest" in protocols else protocols[0]
    rows = table[table["protocol"] == protocol]
    target = str(outcome if outcome in set(rows["target"]) else rows["target"].iloc[0])
    rows = rows[rows["target"] == target].dropna(subset=["score"])
    # Classes that are numbers are read as numbers, with a missing one among them as 1.0.
    words = {name: rows[name].map(label_of, na_action="ignore") for name in ("event", "y_true")}
    scored = list(dict.fromkeys(words["event"].dropna()))
    models = [str(name) for name in dict.fromkeys(rows["model"])]
    sentences.append(f"A predictions.csv of cardio: protocol {protocol}, target {target}.")
    if not scored:
        if event is not None:
            raise ConfigError(
                f"--event {event}: {target} is a number and has no classes; leave --event out"
            )
        wide = _pivoted(rows, "model")
        return wide.rename(columns={"y_true": target}), target, None, "number", models
    if len(scored) > 1 and (kind == "classes" or event is None):
        named = rows.assign(column=rows["model"].astype(str) + "_" + words["event"])
        wide = _pivoted(named, "column")
        return wide.rename(columns={"y_true": target}), target, None, "classes", models
    # Of two classes one is scored; what the other is called only the truth says.
    rows = rows.assign(**words)
    classes = list(dict.fromkeys([*scored, *rows["y_true"].dropna()]))
    chosen = event or scored[0]
    if chosen not in classes:
        raise DataError(
            f"{target}: has the classes {', '.join(classes)}; say with --event which one is judged "
            "against the rest"
        )
    if len(scored) == 1 and chosen != scored[0]:
        rows = rows.assign(event=chosen, score=1 - rows["score"].astype(float))
    wide = _pivoted(rows[rows["event"] == chosen], "model")
    truth = wide["y_true"]
    other = f"not {chosen}" if len(classes) != 2 else next(c for c in classes if c != chosen)
    wide[target] = truth.where(truth.isna() | (truth == chosen), other)
    sentences.append(f"Judged is the class {chosen}.")
    return wide.drop(columns="y_true"), target, chosen, "binary", models


def _pivoted(rows: pd.DataFrame, columns: str) -> pd.DataFrame:
    # Ids finer than the level of a prediction are empty: a patient's has none of a sample.
    unit = rows["patient_id"].astype(object)
    for name in reversed([name for name in _IDS if name in rows.columns]):
        unit = rows[name].astype(object).where(rows[name].notna(), unit)
    by_place = rows.assign(unit=unit).groupby([*_KEY, columns], dropna=False, sort=False)["score"]
    # pivot_table would make every combination of patient, unit and fold
    wide = by_place.first().unstack(columns).reset_index().drop(columns="unit")  # noqa: PD010
    wide.columns.name = None
    return wide


# Per-case results of nnU-Net, which hold no outcome and no score.

_KEYS = ('"metric_per_case"', '"foreground_mean"')
_HEAD = 1_000_000
"""Characters that are looked at: the keys stand at both ends of a summary."""


def refuse_overlaps(path: Path) -> None:
    """Refuse nnU-Net's summary.json, and say what of it can be judged.

    Raises
    ------
    DataError
    """
    if path.suffix.lower() != ".json" or not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(_HEAD)
    if any(key in text for key in _KEYS):
        raise DataError(
            f"{path.name}: expected predictions and an outcome, found nnU-Net's overlaps (Dice) "
            "of each case; its volumes can be judged: write a CSV with a row a case, n_ref of the "
            "reference and n_pred of the prediction, and take --outcome n_ref --score n_pred"
        )


"""Begins what is said where a word decided which value counts."""

MOST_GROUPS, MOST_SITES = 5, 30
"""Values of a subgroup's column, and of the sites', that form groups."""


@dataclass(frozen=True)
class Given:
    """Predictions beside the truth.

    Attributes
    ----------
    task : Task
        One target, binary, of several classes or a number; a model for each score.
    scored : Scored
        One row a prediction whose outcome and score are known.
    groups : DataFrame
        Site and subgroups, one row a patient.
    probabilities : tuple of str
        Scores of a binary target that are probabilities: only they are calibrated, and have a net
        benefit.
    assumed : tuple of str
        What was taken for granted, a sentence each.
    n_rows : int
        Of the table.
    lacking : mapping of str to int
        By column, rows that were left out because it is missing.
    may_divide : mapping of str to int
        How many values each column of `groups` may have to form groups.
    outcome : str
        How the outcome was coded, in one sentence.
    coded : tuple of str
        Those of `assumed` that say how the outcome was coded.
    thresholds : mapping of str to float
        By score, where the user gave one.
    """

    task: Task
    scored: Scored
    groups: pd.DataFrame
    probabilities: tuple[str, ...]
    assumed: tuple[str, ...]
    n_rows: int
    lacking: Mapping[str, int]
    may_divide: Mapping[str, int] = field(default_factory=dict)
    outcome: str = ""
    coded: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)


def read_given(path: Path, question: Question) -> Given:
    """Read a CSV or Parquet of predictions.

    Raises
    ------
    ConfigError
        A column that is not there or cannot be guessed, or a threshold that is no number.
    DataError
        No such table; an outcome that fits no kind; fewer than two patients of a class.
    """
    refuse_overlaps(path)
    made = read_typed(path, question.missing)
    table = made.table
    sentences: list[str] = []
    if is_own(table):
        table, column, event, kind, models = as_wide(
            table, question.outcome, question.event, question.kind, sentences
        )
        question = replace(
            question, outcome=column, event=event, scores=list(question.scores) or models,
            missing=(), patient="patient_id", kind=kind,
        )  # fmt: skip
    numbering = row_numbers(table)
    if numbering:
        table = table.drop(columns=numbering)
        sentences.append("A first column that only numbers the rows is not used.")
    table = tested_rows(table, sentences)
    found = columns_of(table, question, sentences)
    require_scores(table, [c for c in found.read if c not in found.decided.values()])
    divide = dict.fromkeys(question.subgroups, MOST_GROUPS)
    divide |= {found.site: MOST_SITES} if found.site else {}
    known = table[found.patient].notna() if found.patient else pd.Series(True, table.index)
    known &= table[found.outcome].notna()
    if found.kind == "binary":
        target, frame, probabilities, sources, cuts, coding = _binary(
            table[known], found, question, sentences
        )
    else:
        target, frame, coding = _other(table[known], found, question, sentences)
        probabilities, sources, cuts = (), {}, {}
    lacking = {
        n: int(table[n].isna().sum())
        for n in (found.outcome, *found.read, *([found.patient] if found.patient else []))
    }
    primary = question.primary or ""
    if primary and primary not in found.scores:
        column_for(primary, "--primary", table)
        raise ConfigError(
            f"--primary {primary}: is none of the scores; name one of {', '.join(found.scores)}"
        )
    averaged = once_a_repeat(table[known], found.patient, found.resamples)
    rows_of = table.loc[known, found.patient] if found.patient else None
    several = rows_of is not None and not averaged and rows_of.duplicated().any()
    task = Task(
        name="judged",
        title=f"Predictions of {found.outcome}",
        unit="sample" if several else "patient",
        targets=(target,),
        models=tuple(Model(name, name) for name in found.scores),
        primary=primary or found.scores[0],
    )
    used = [found.outcome, *found.read, *divide, *([found.patient] if found.patient else [])]
    return Given(
        task,
        Scored({found.outcome: frame}, sources),
        groups_of(table[known], divide, found.patient),
        probabilities,
        (*sentences, *found.resamples.sentences, *made.notes_on(used)),
        len(table),
        {name: count for name, count in lacking.items() if count},
        divide,
        coding.outcome,
        coding.sentences(),
        cuts,
    )


@dataclass(frozen=True)
class _Coding:
    """How the outcome was coded, and by which meaning of its values the event was found."""

    outcome: str
    by_meaning: str = ""

    def sentences(self) -> tuple[str, ...]:
        return (*([self.by_meaning] if self.by_meaning else []), f"Outcome: {self.outcome}")


def _binary(
    table: pd.DataFrame, found: Columns, question: Question, sentences: list[str]
) -> tuple[Target, pd.DataFrame, tuple[str, ...], dict[str, str], dict[str, float], _Coding]:
    """Return target, rows, what is a probability, thresholds' sources, those given, and coding."""
    outcome = found.outcome
    truth, placed = binary_outcome(table, outcome, question.event, question.negative)
    event = placed.event
    coding = _Coding(
        f"{outcome}, of which {event} counts as the event. A higher score is taken to mean that "
        "the event is more likely.",
        f"Taken by its meaning: {event} of {outcome} as the event; --event takes the other one."
        if question.event is None and event != "1"
        else "",
    )
    sentences += [*coding.sentences(), f"{outcome}, by word: {placed.ledger()}."]
    classes = placed.classes
    target = Target(outcome, "binary", classes)
    frame = binary_frame(
        table, pd.Series(truth, table.index), found.scores, found.patient, found.resamples, target
    )
    probabilities = tuple(name for name in found.scores if is_probability(table[name]))
    sources, cuts = {}, {}
    for name in found.scores:
        cut, source = rule(name, frame, question.thresholds, target, name in probabilities)
        sources[f"{name}/{outcome}"] = source
        if source == GIVEN:
            cuts[name] = cut
        rows = frame["model"] == name
        high = frame.loc[rows, f"score:{classes[1]}"] >= cut
        frame.loc[rows, "predicted"] = np.where(high, classes[1], classes[0])
    sentences += [text for name in found.scores for text in _beyond_one(name, table[name])]
    if left := [name for name in found.scores if name not in probabilities]:
        sentences.append(
            f"{', '.join(left)}: no probabilities between 0 and 1, so there is no calibration, "
            "Brier score or net benefit."
        )
    return target, frame, probabilities, sources, cuts, coding


def _beyond_one(name: str, values: pd.Series) -> list[str]:
    """Say what a column is that would be a probability but for a few rows, or for a percent sign.

    Examples
    --------
    >>> _beyond_one("risk", pd.Series([0.1, 0.4, 0.9, 0.2, 7.0]))
    ['risk: 1 row above 1 (row 5 of the table), so it is no probability; correct or leave it out.']
    """
    known = values.dropna()
    above = known[known > 1]
    if not len(above) or known.min() < 0:
        return []
    if len(above) <= 0.2 * len(known):
        rows = ", ".join(str(int(at) + 1) for at in above.index[:3])
        more = f" and {len(above) - 3} more" if len(above) > 3 else ""
        return [
            f"{name}: {len(above)} row{'s'[: len(above) != 1]} above 1 (row {rows}{more} of the "
            "table), so it is no probability; correct or leave it out."
        ]
    if known.max() <= 100 and known.max() > 20:
        return [
            f"{name}: between 0 and {known.max():g}; if these are percent, divide them by 100, and "
            "calibration and net benefit are judged, too."
        ]
    return []


def _other(
    table: pd.DataFrame, found: Columns, question: Question, sentences: list[str]
) -> tuple[Target, pd.DataFrame, _Coding]:
    """Return target, rows and coding of a number, or of several classes."""
    outcome = found.outcome
    if question.thresholds:
        raise ConfigError(
            f"--threshold {question.thresholds[0]}: {outcome} is "
            f"{'a number' if found.kind == 'number' else 'of several classes'}; a threshold goes "
            "with an outcome of two values"
        )
    if found.kind == "number":
        if not pd.api.types.is_numeric_dtype(table[outcome]):
            raise DataError(
                f"column {outcome!r}: --kind number expects numbers, found text; leave --kind out"
            )
        coding = _Coding(f"{outcome}, a number; predictions are taken to be in its unit.")
        sentences += coding.sentences()
        target = Target(outcome, KINDS["number"])  # type: ignore[arg-type]
        frame = number_frame(table, found.scores, found.patient, found.resamples, target)
        return target, frame, coding
    classes = classes_in(table[outcome])
    coding = _Coding(f"{outcome}, of the classes {', '.join(classes)}.")
    sentences += coding.sentences()
    target = Target(outcome, KINDS["classes"], classes)  # type: ignore[arg-type]
    for name, own in found.of_classes.items():
        total = table[list(own.values())].sum(axis=1, min_count=len(own)).dropna()
        if len(total) and not np.allclose(total, 1, atol=0.02):
            sentences.append(
                f"{name}: its columns do not add up to 1; they are ranked as they are."
            )
        if name not in found.decided:
            sentences.append(f"{name}: decided is the class whose column is the largest.")
    frame = class_frame(
        table, found.of_classes, found.decided, found.patient, found.resamples, target
    )
    return target, frame, coding


def names_in(path: Path) -> list[str]:
    """Return what a table can be asked for: the models of a run of ours, else its columns."""
    table = read_typed(path).table
    if is_own(table):
        return [str(name) for name in table["model"].unique()]
    return [str(name) for name in table.columns]
