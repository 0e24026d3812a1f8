"""The clinical cohort table, by patient and by study, as far as it may be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.context import Context
from cardio_core.hookspecs import hookimpl
from cardio_core.io.cohort import at_baseline
from cardio_core.io.cohort_columns import COLUMNS, FILES_PREFIX, lower_first, own_column, title_of
from cardio_core.io.cohort_table import near
from cardio_core.io.run_schema import FileSchema
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.features import FeatureBlock, FeatureSet
from cardio_core.types.info import Model, Target, Task, Unit
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Level, Predictions
from cardio_core.types.targets import KEY_OF_UNIT, Targets
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.files import SafeName
from cardio_stats.tables import as_known


def by_patient(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return columns of a cohort table with one row a patient: of the first study that knows them.

    Studies from before the treatment come first; of patients who have none of those, the others
    are taken.

    Parameters
    ----------
    table : DataFrame
        As `read_cohort_table` returns it.
    columns : iterable of str
        Those that it lacks are left out.

    Examples
    --------
    >>> table = pd.DataFrame({"patient_id": ["a", "a", "b"], "age_y": [None, 61.0, 50.0]})
    >>> by_patient(table, ["age_y", "sex"]).to_dict()
    {'age_y': {'a': 61.0, 'b': 50.0}}
    """
    named = [name for name in columns if name in table.columns]
    before = at_baseline(table)
    known = set(table.loc[before, "patient_id"])
    rows = table[before | ~table["patient_id"].isin(known)]
    patients = rows["patient_id"].astype(str).rename("patient_id")
    return rows[named].groupby(patients.to_numpy(), sort=False).first()


def of_samples(table: pd.DataFrame, samples: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return columns of a cohort table aligned with a sample table, NA where nothing is known.

    A sample has the value of its study; where that study has none, its patient's.

    Examples
    --------
    >>> table = pd.DataFrame({"patient_id": ["a", "b"], "age_y": [61.0, 50.0]}, index=["s", "t"])
    >>> samples = pd.DataFrame({"study_id": ["s", "u"], "patient_id": ["a", "b"]})
    >>> of_samples(table, samples, ["age_y"])["age_y"].tolist()
    [61.0, 50.0]
    """
    named = [name for name in columns if name in table.columns]
    studies = table[~table.index.duplicated()]
    own = studies[named].reindex(samples["study_id"]).set_axis(samples.index)
    patients = by_patient(table, named).reindex(samples["patient_id"].astype(str))
    return own.where(own.notna(), patients.set_axis(samples.index))


# Covariates that the user names: which columns can be some, and the model that they make.

NAME = "covariates"
"""The core's own model of the clinical variables that the user named."""

_WHY_NOT = {
    "identity": "it says who or when, not how the patient is",
    "recording": "it names files",
    "follow-up": "it is known only at follow-up, as the outcome is",
}


def with_clinical_model(task: Task, names: Sequence[str]) -> Task:
    """Return a task with the clinical model of some columns behind its own models.

    Raises
    ------
    ConfigError
        If the task predicts beats or other samples, or has a model of that name.
    """
    if not names:
        return task
    if task.unit in ("event", "sample"):
        raise ConfigError(
            f"--covariates {names[0]}: task {task.name!r} predicts every {task.unit}, and a "
            "patient's covariates tell none from another; leave it out"
        )
    if any(model.name == NAME for model in task.models):
        raise ConfigError(
            f"--covariates {names[0]}: task {task.name!r} has a model {NAME!r}; leave it out"
        )
    shown = ", ".join(map(in_a_sentence, names))
    model = Model(
        NAME,
        f"Clinical variables: {shown}",
        baseline=True,
        partial=True,
        kinds=("binary", "multiclass", "continuous"),
        covariates=tuple(names),
    )
    return replace(task, models=(*task.models, model))


def in_a_sentence(name: str) -> str:
    """Return the words of a column within a sentence: small, but for NYHA, QRS and their like.

    Examples
    --------
    >>> in_a_sentence("age_y"), in_a_sentence("sex")
    ('age', 'sex')
    """
    title = COLUMNS[name].title if name in COLUMNS else title_of(name)
    title = "Sex" if name == "sex" else title
    return lower_first(title)


def check_covariates(
    names: Sequence[str], table: pd.DataFrame, where: str, *, outcome: str | None, task: Task
) -> None:
    """Refuse columns that are no covariates.

    Parameters
    ----------
    names : sequence of str
        What the user named.
    table : DataFrame
        The cohort table.
    where : str
        Its name.
    outcome : str or None
        The column that is predicted, where the user chose one.
    task : Task
        Whose `outcome_columns` say of what its own outcome is made.

    Raises
    ------
    ConfigError
        One sentence: which column, and why it is none.
    """
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"--covariates {twice}: named twice; name it once")
    for name in names:
        why = _why_not(name, table, where, outcome, task.outcome_columns)
        if why:
            raise ConfigError(f"--covariates {name}: {why}")


def _why_not(
    name: str, table: pd.DataFrame, where: str, outcome: str | None, made_of: Sequence[str]
) -> str:
    if name not in table.columns:
        columns = [str(column) for column in table.columns]
        spelt = as_known(name, columns)
        meant = spelt if spelt != name else near(name, columns)
        hint = f"did you mean {meant}?" if meant else f"it has {', '.join(columns)}"
        return f"{where} has no such column; {hint}"
    if name == outcome:
        return "it is the outcome (--outcome) and cannot predict itself; leave it out"
    if name.startswith(FILES_PREFIX):
        return f"{_WHY_NOT['recording']}; leave it out"
    column = COLUMNS.get(name)
    if column is not None:
        why = _WHY_NOT.get(column.use, "")
        if not why and column.use == "reference" and outcome is None and name in made_of:
            why = "the outcome of this task is made of it"
        if why:
            return f"{why}; leave it out"
        if column.kind not in ("text", "date", "path"):
            return "" if table[name].notna().any() else f"{where} has no value in it; leave it out"
    found = own_column(table[name])
    if found.kind == "empty":
        return f"{where} has no value in it; leave it out"
    if found.kind == "date":
        return "it holds dates, which tell when and not how; give the days between two of them"
    if found.kind == "text":
        return (
            "it holds a different text in nearly every row; group the values, or correct the "
            "cells that are no numbers"
        )
    return ""


# Clinical variables as numbers for a linear model, settled on the training patients alone.

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Number:
    """A column of numbers: missing ones are the training median, marked where training had any."""

    name: str
    median: float
    mean: float
    sd: float
    marks_missing: bool

    def encode(self, values: Sequence[Any]) -> list[Floats]:
        """Return the standardised column and, where it is kept, the mark of missing values."""
        numbers = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy(float)
        missing = np.isnan(numbers)
        filled = (np.where(missing, self.median, numbers) - self.mean) / self.sd
        return [filled, missing.astype(float)] if self.marks_missing else [filled]


@dataclass(frozen=True)
class Words:
    """A column of words: one 0 or 1 a level of the training patients; others are none of them."""

    name: str
    levels: tuple[str, ...]
    marks_missing: bool

    def encode(self, values: Sequence[Any]) -> list[Floats]:
        """Return one column a level and, where it is kept, the mark of missing values."""
        texts = pd.Series(values, dtype=object)
        missing = texts.isna().to_numpy()
        # A missing value has no truth of its own: compared with a level it would raise.
        words = texts.map(str).mask(missing, None).to_numpy(object)
        columns = [np.asarray(words == level, dtype=float) for level in self.levels]
        return [*columns, missing.astype(float)] if self.marks_missing else columns


@dataclass(frozen=True)
class Encoding:
    """How each clinical variable becomes numbers."""

    columns: tuple[Number | Words, ...]

    def encode(self, table: pd.DataFrame) -> Floats:
        """Return the design matrix, shape (n_patients, n_terms)."""
        return np.column_stack(
            [term for column in self.columns for term in column.encode(table[column.name].tolist())]
        )


ENCODING = FileSchema("how clinical variables become numbers", Encoding)


def fit_encoding(table: pd.DataFrame) -> Encoding:
    """Settle how the columns of the training patients become numbers.

    Parameters
    ----------
    table : DataFrame of object
        One row a patient; a column is of numbers where every known value is one, else of words.
        Columns of one value, or of none, are left out.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [50, 60, None], "arm": ["on", "off", "on"], "x": [1, 1, 1]})
    >>> made = fit_encoding(table)
    >>> [item.name for item in made.columns], made.encode(table).shape
    (['age', 'arm'], (3, 3))
    """
    columns: list[Number | Words] = []
    for name in table.columns:
        values = table[name].astype(object)
        known = values.dropna()
        missing = bool(values.isna().any())
        if known.nunique() < 2:
            continue
        numbers = pd.to_numeric(known, errors="coerce")
        if numbers.notna().all():
            filled = pd.to_numeric(values, errors="coerce").fillna(float(numbers.median()))
            sd = float(filled.std(ddof=0)) or 1.0
            columns.append(
                Number(str(name), float(numbers.median()), float(filled.mean()), sd, missing)
            )
            continue
        levels = tuple(sorted(known.astype(str).unique()))
        retained = levels[1:] if len(levels) == 2 else levels
        columns.append(Words(str(name), retained, missing))
    return Encoding(tuple(columns))


# The core's own model of clinical variables: ridge regression, logistic or linear, as two hooks.
#
# It is a baseline that any recording-based model has to beat: what the referral letter says
# already.

BLOCK = "covariates"
PENALTY = 1.0
"""Of the squared coefficients of standardised variables; declared, not chosen."""

Array = np.ndarray[Any, Any]


def clinical_features(samples: pd.DataFrame, values: pd.DataFrame) -> FeatureSet:
    """Return clinical variables in the place of features: one row a sample of a sample table."""
    block = FeatureBlock(
        values.astype(object).to_numpy(object), (BLOCK,), tuple(map(str, values.columns)), ("1",)
    )
    return FeatureSet(samples, {BLOCK: block})


@hookimpl
def train(training: FeatureSet, targets: Targets, ctx: Context) -> ModelArtifact:
    """Fit one ridge regression a target, on patients of whom any variable is known.

    Raises
    ------
    DataError
        If fewer than two classes or values are left, or no variable differs between patients.
    """
    artifact = ModelArtifact(ctx.out)
    units = _units(training, targets.unit)
    for target in ctx.targets:
        y = targets.of(training.table.iloc[units["position"]], target.name)
        known = pd.notna(y) & units["known"].to_numpy(bool)
        rows, truth = units[known], np.asarray(y)[known]
        encoding = fit_encoding(_values(training, rows["position"]))
        if not encoding.columns:
            raise DataError(
                "no clinical variable differs between the training patients; leave this model out",
                code="degenerate",
            )
        design = encoding.encode(_values(training, rows["position"]))
        ENCODING.write(ctx.out / _encoding_file(target), encoding)
        if target.kind == "binary":
            artifact.write_json(
                SafeName(f"weights-{target.name}", ".json"), _weights(design, truth, target)
            )
        else:
            artifact.save_estimator(_fitted(design, truth, target), SafeName(target.name, ".skops"))
    text = (
        f"ridge regression with penalty {PENALTY:g} on standardised variables; a missing value "
        "is the median of the training patients, and marked."
    )
    return ModelArtifact(ctx.out, notes=(Note(NoteKind.FIT, text),))


@hookimpl
def predict(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score each unit of the task; NaN where none of its variables is known."""
    level: Level = "patient" if ctx.task.unit == "patient" else (
        "study" if ctx.task.unit == "study" else "recording"
    )  # fmt: skip
    units = _units(features, level)
    known = units["known"].to_numpy(bool)
    values = _values(features, units["position"])
    scores = {}
    for target in ctx.targets:
        encoding = ENCODING.read(model.path / _encoding_file(target))
        wide = target.kind == "multiclass"
        found = np.full((len(units), len(target.classes)) if wide else len(units), np.nan)
        if known.any():
            found[known] = _scores(model, encoding.encode(values[known]), target)
        scores[target.name] = found
    return Predictions(tuple(units.index.astype(str)), scores, level)


def _encoding_file(target: Target) -> SafeName:
    return SafeName(f"encoding-{target.name}", ".json")


def _units(features: FeatureSet, unit: Unit | Level) -> pd.DataFrame:
    """Return one row a unit: where its first sample stands, and whether anything is known of it."""
    table = features.table
    keys = table[KEY_OF_UNIT[unit]].astype(str).to_numpy()
    values = np.asarray(features[BLOCK].values[:], dtype=object)
    any_known = ~pd.isna(values).all(axis=1)
    rows = pd.DataFrame({"position": np.arange(len(table)), "known": any_known}, index=keys)
    return rows[~rows.index.duplicated()]


def _values(features: FeatureSet, positions: pd.Series) -> pd.DataFrame:
    block = features[BLOCK]
    chosen = np.asarray(block.values[positions.to_numpy()], dtype=object)
    return pd.DataFrame(chosen, columns=list(block.names), dtype=object)


def _fitted(design: Array, truth: Array, target: Target) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    if target.kind == "continuous":
        if len(np.unique(truth.astype(float))) < 2:
            raise DataError("expected two or more different values to fit clinical variables on")
        return Ridge(alpha=PENALTY).fit(design, truth.astype(float))
    return LogisticRegression(C=1 / PENALTY, max_iter=2000).fit(design, _codes(truth, target))


def _weights(design: Array, truth: Array, target: Target) -> dict[str, Any]:
    """Maximise the likelihood of the second class less the ridge, which spares the intercept."""
    from cardio_stats._numerics.intervals import maximise

    full = np.column_stack([design, np.ones(len(design))])
    ridge = np.append(np.full(design.shape[1], PENALTY), 0.0)
    beta, _ = maximise(full, _codes(truth, target).astype(float), ridge=ridge)
    return {"intercept": float(beta[-1]), "coefficients": beta[:-1].tolist()}


def _codes(truth: Array, target: Target) -> Array:
    codes = np.array([_code(item, target) for item in truth])
    if len(np.unique(codes)) < 2:
        raise DataError(
            "expected two or more classes to fit clinical variables on, found one",
            code="degenerate",
        )
    return codes


def _code(value: Any, target: Target) -> int:
    """Return the place of a class; a binary target may be given as 0 and 1."""
    return target.classes.index(value) if value in target.classes else int(value)


def _scores(model: ModelArtifact, design: Array, target: Target) -> Array:
    if target.kind == "binary":
        stored = model.read_json(SafeName(f"weights-{target.name}", ".json"))
        log_odds = stored["intercept"] + design @ np.array(stored["coefficients"])
        return np.asarray(0.5 * (1 + np.tanh(log_odds / 2)))
    estimator = model.load_estimator(SafeName(target.name, ".skops"))
    if target.kind == "continuous":
        return np.asarray(estimator.predict(design), dtype=float)
    found = np.zeros((len(design), len(target.classes)))
    found[:, estimator.classes_.astype(int)] = estimator.predict_proba(design)
    return found


# Whether a column of the cohort table says the outcome itself.


def tells_the_outcome(values: pd.Series, labels: pd.Series) -> bool:
    """Return whether a column and an outcome say the same of every patient whom both know.

    Parameters
    ----------
    values : Series
        A column of the cohort table by patient.
    labels : Series
        The outcome by patient: names of classes, or numbers.

    Returns
    -------
    bool
        Whether every value goes with one class and every class with one value, or two columns of
        numbers are equal. Fewer than two different values tell nothing.

    Examples
    --------
    >>> labels = pd.Series(["no", "yes", "no"], index=list("abc"))
    >>> tells_the_outcome(pd.Series([0, 1, 0], index=list("abc")), labels)
    True
    >>> tells_the_outcome(pd.Series([0, 1, 1], index=list("abc")), labels)
    False
    """
    pairs = pd.DataFrame({"value": values.reindex(labels.index), "label": labels}).dropna()
    if pairs["value"].nunique() < 2 or pairs["label"].nunique() < 2:
        return False
    if all(pd.api.types.is_numeric_dtype(column) for column in (values, labels)):
        numbers = pairs.astype(float)
        if numbers["label"].nunique() > 2:
            return bool(np.allclose(numbers["value"], numbers["label"]))
    together = pairs.astype(str).drop_duplicates()
    return len(together) == together["value"].nunique() == together["label"].nunique()


# The model by itself, for patients in a table rather than a run's cohort.

_NAME = "clinical"


def fit_clinical(
    values: pd.DataFrame, y: pd.Series, target: Target, folder: Path, fold: str
) -> ModelArtifact:
    """Fit the clinical model on some patients, as a run does, into a folder.

    `values` has a row a patient and `y` (0 or 1) the same index.
    """
    out = folder / "artifact"
    out.mkdir(parents=True)
    words = y.map(dict(enumerate(target.classes))).rename(target.name).to_frame()
    ctx = Context(_alone(target), model=_NAME, fold=fold, protocol="honest", _out=out)
    made = train(_of_patients(values), Targets("patient", words), ctx)
    made.write_json("seen.json", {"subjects": sorted(values.index.astype(str))})
    return made


def score_clinical(artifact: ModelArtifact, values: pd.DataFrame, target: Target) -> pd.Series:
    """Return the probability of the event by patient, NaN of whom no variable is known."""
    ctx = Context(_alone(target), model=_NAME, protocol="honest")
    found = predict(artifact, _of_patients(values), ctx)
    return pd.Series(found.scores[target.name], list(found.ids)).reindex(values.index)


def _alone(target: Target) -> Task:
    return Task("fused", "", "patient", (target,), (Model(_NAME, "Clinical variables"),))


def _of_patients(values: pd.DataFrame) -> FeatureSet:
    ids = values.index.astype(str)
    table = pd.DataFrame(
        dict.fromkeys(("recording_id", "study_id", "patient_id", "subject_id"), ids)
    ).set_axis(pd.Index(ids, name="sample_id"))
    return clinical_features(table, values.set_axis(table.index))
