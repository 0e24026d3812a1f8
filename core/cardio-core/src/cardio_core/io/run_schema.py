"""One kind of file of a run directory: what it is for, what it holds, and how a wrong one is told.

Whoever reads a file reads it through its kind. The content comes back as dataclasses where its form
is one, else as it stands in the file, entries that this core does not know among it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from cardio_core.errors import MadeWrongError
from cardio_stats.cells import table_as_it_was
from cardio_stats.errors import Code, DataError, unusable
from cardio_stats.files import MOST_BYTES as MOST_BYTES_OF_TEXT
from cardio_stats.files import read_json
from cardio_stats.serialization import shown

LONGEST = 200
"""Characters of a name that becomes part of a path; file systems take 255 bytes."""


class Entries(BaseModel):
    """Named values of a file; more of them than are declared may stand there."""

    model_config = ConfigDict(
        extra="allow", strict=True, allow_inf_nan=False, defer_build=True, protected_namespaces=()
    )


def _name(text: str) -> str:
    if _strange(text) or any(item in text for item in "/\\"):
        raise PydanticCustomError("said", "a name without parts of a path")
    return text


def _place(text: str) -> str:
    parts = text.split("/")
    if "\\" in text or any(_strange(part) for part in parts):
        raise PydanticCustomError("said", "a place inside the folder")
    return text


def _strange(part: str) -> bool:
    return part in ("", ".", "..") or len(part) > LONGEST or not part.isprintable()


Name = Annotated[str, AfterValidator(_name)]
"""What a file or a folder is called after."""
Place = Annotated[str, AfterValidator(_place)]
"""A path relative to the folder, with slashes, that does not leave it."""
Count = Annotated[int, Field(ge=0, le=2**53)]
Seed = Annotated[int, Field(ge=0, le=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes
    ----------
    what : str
        What it holds, in words: ``"what the run was"``.
    form : type
        Its content, as pydantic reads types.
    most_bytes : int
        Beyond it nothing is read.

    Examples
    --------
    >>> class Made(Entries):
    ...     n: Count
    >>> kind = Kind("how many there were", Made)
    >>> kind.check({"n": 3, "more": "than is known"}, Path("runs/a.json"))["n"]
    3
    >>> kind.check({"n": -3}, Path("runs/a.json"))
    Traceback (most recent call last):
    cardio_stats.errors.DataError: a.json: expected a number of at least 0 ...
    """

    what: str
    form: Any
    most_bytes: int = MOST_BYTES_OF_TEXT

    @property
    def put_back(self) -> str:
        """What to do about a file that is wrong."""
        return f"the file ({self.what}) was changed or is damaged: put back a whole copy of it"

    @property
    def _built(self) -> bool:
        return is_dataclass(self.form) or any(map(is_dataclass, get_args(self.form)))

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        strict = ConfigDict(strict=True, allow_inf_nan=False)
        plain = not (isinstance(self.form, type) and issubclass(self.form, BaseModel))
        return TypeAdapter(self.form, config=strict if plain and not self._built else None)

    def read(self, path: Path) -> Any:
        """Return the content of a file of this kind.

        Raises
        ------
        DataError
            In one line: not there, no JSON, or with an entry that is missing, of another type, or
            beyond its limits.
        """
        return self.check(read_json(path, most_bytes=self.most_bytes), path)

    def read_or(self, path: Path, otherwise: Any) -> Any:
        """Return the content of a file that older runs do not have, or what stands for it."""
        return self.read(path) if path.is_file() else otherwise

    def check(self, content: Any, path: Path) -> Any:
        """Return the content of a file as this kind: of dataclasses built, else as it stands.

        Raises
        ------
        DataError
        """
        try:
            if not self._built:
                self._adapter.validate_python(content)
                return content
            # In strict mode only JSON turns lists into tuples and named values into dataclasses.
            return self._adapter.validate_json(json.dumps(content), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
        except MadeWrongError as error:  # a part that a class of ours refuses
            first = {"type": "said", "msg": f"a part as it is declared ({error})", "loc": (),
                     "input": content}  # fmt: skip
        except RecursionError:
            first = {"type": "said", "msg": "fewer levels", "loc": (), "input": content}
        expected = _expected(first)
        found = _found(first)
        raise DataError(
            f"{path.name}: expected {expected}{_where(first['loc'])}, found {found}; "
            f"{self.put_back}",
            code="damaged",
        )


_WORDS = {
    "string_type": "a text", "string_unicode": "a text", "int_type": "a whole number",
    "int_from_float": "a whole number", "float_type": "a number", "bool_type": "true or false",
    "list_type": "a list", "dict_type": "named values", "model_type": "named values",
    "model_attributes_type": "named values", "none_required": "nothing",
    "finite_number": "a finite number", "int_parsing_size": "a smaller number",
    "missing": "an entry", "tuple_type": "a list", "dataclass_type": "named values",
}  # fmt: skip


def _expected(error: Mapping[str, Any]) -> str:
    """Return what a fault of pydantic's had in mind, in words."""
    kind, limits = str(error["type"]), error.get("ctx") or {}
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "said":
        return str(error["msg"])
    if kind in ("greater_than_equal", "greater_than"):
        return f"a number {'of at least' if 'equal' in kind else 'above'} {_first(limits)}"
    if kind in ("less_than_equal", "less_than"):
        return f"a number {'of at most' if 'equal' in kind else 'below'} {_first(limits)}"
    if kind == "literal_error":
        return f"one of {limits.get('expected')}"
    if kind in ("too_short", "too_long"):
        least, most = limits.get("min_length"), limits.get("max_length")
        return f"{'at least' if kind == 'too_short' else 'at most'} {least or most} values"
    if kind == "string_pattern_mismatch":
        return "a text of another form"
    return "another value"


_ALTERNATIVES = {"str", "int", "float", "bool", "none"}
"""What pydantic puts into a place where a type is one of several."""


def _first(limits: Mapping[str, Any]) -> str:
    return next(f"{value:g}" for value in limits.values())


def _where(place: Sequence[object]) -> str:
    """Return a place as ``models[0].name``; of types that may be one or the other, none."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        elif str(part) in _ALTERNATIVES or "[" in str(part):
            continue
        else:
            text += f".{shown(part)[1:-1]}"
    text = text.removeprefix(".")
    return f" at {text}" if text else ""


def _found(error: Mapping[str, Any]) -> str:
    if error["type"] == "missing":
        return "none"
    value = error["input"]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return "a huge number" if abs(value) > 1e20 else f"{value}"
    words = {str: "another text", list: "a list", dict: "named values", type(None): "nothing"}
    word = words.get(type(value), "something else")
    return "a text" if word == "another text" and "text" not in _expected(error) else word


# A folder that somebody else may have made: nothing in it leads out of it, or on for ever.

MOST_FILES = 200_000
MOST_LEVELS = 24


def guard_folder(folder: Path) -> None:
    """Raise where a folder holds a link, a pipe or a device, or more than any run does.

    What was typed may itself be a link. Of links inside none is followed: whether it leads out of
    the folder, or round in a circle, could change between the look and the reading.

    Raises
    ------
    DataError
        In one line.
    """
    n = 0
    waiting = [(folder, 0)]
    while waiting:
        place, level = waiting.pop()
        if level > MOST_LEVELS:
            raise DataError(
                f"{folder}: expected a folder of a run, found more than {MOST_LEVELS} folders in "
                "one another; name the run itself"
            )
        try:
            with os.scandir(place) as entries:
                found = list(entries)
        except PermissionError:
            raise _not_read(folder, Path(place)) from None
        n += len(found)
        if n > MOST_FILES:
            raise DataError(
                f"{folder}: expected a folder of a run, found more than {MOST_FILES} files; name "
                "the run itself"
            )
        for entry in found:
            if entry.is_symlink():
                raise _refused(folder, entry.path, "a link", "put the file itself there")
            if entry.is_dir(follow_symlinks=False):
                waiting.append((Path(entry.path), level + 1))
            elif not entry.is_file(follow_symlinks=False):
                raise _refused(folder, entry.path, "no plain file", "take it away")


def _refused(folder: Path, path: str, found: str, do: str) -> DataError:
    name = os.path.relpath(path, folder)
    return unusable(f"{folder}", "its files alone", f"{found} at {name!r}", do)


def _not_read(folder: Path, place: Path) -> DataError:
    name = os.path.relpath(place, folder)
    return unusable(f"{folder}", "folders that may be read", f"one that may not at {name!r}",
                    "allow reading it")  # fmt: skip


# Who works on a run.


class HolderForm(Entries):
    """The process that holds a run directory."""

    process: Annotated[int, Field(gt=0, lt=2**31)]
    host: str
    space: str
    began: str
    token: str


HOLDER = Kind("who works on the run", HolderForm, most_bytes=1 << 16)

# What a run keeps for itself: recordings by digests, and what is not merged yet.

Word = Annotated[str, Field(pattern="^[a-z_][a-z0-9_]*$")]


class NoteForm(Entries):
    """A sentence, and what it is about."""

    kind: Word
    text: str
    model: str | None = None
    severity: Literal["info", "warning"] = "info"
    where: str = ""


class JudgedForm(Entries):
    """What one protocol's evaluation left."""

    metrics: list[dict[str, Any]]
    notes: list[NoteForm]


class CohortForm(Entries):
    """Ids and digests of those whom a run was made from."""

    recordings: list[str] = Field(default_factory=list)
    patients: list[str]
    subjects: list[str] = Field(default_factory=list)
    files: list[str]


class PrintsForm(Entries):
    """What recordings are known again by, without their names."""

    n_recordings: Count
    fingerprints: list[str]


class ContentForm(Entries):
    """One recording by digests."""

    patient: str
    content: str
    own: list[str]
    about: str
    labels: str


class ContentsForm(Entries):
    """Every recording and column of the table by digests."""

    recordings: dict[str, ContentForm]
    table: dict[str, str]


class QuarantinedForm(Entries):
    """A recording that could not be used."""

    recording_id: str
    hook: str
    reason: str
    code: Code = "unusable"


JUDGED = Kind("the estimates of one protocol", JudgedForm)
COHORT = Kind("whom the run was made from", CohortForm)
PRINTS = Kind("what its recordings are known by", PrintsForm)
CONTENTS = Kind("its recordings by digests", ContentsForm)
QUARANTINED = Kind("recordings that cannot be used", list[QuarantinedForm])
ACQUIRED = Kind("how the recordings of a patient were acquired", list[dict[str, float | None]])
PRINTED = Kind("what the recordings of a patient are known by", list[str | None])
FILES = Kind("files by digests", list[Digest])

# ``predictions.csv`` as it is read again: ids as they were, numbers as numbers.

WHAT = "what the models said"
NEEDED = ("protocol", "patient_id", "repeat", "fold", "model", "target", "event", "y_true", "score")
IDS = ("sample_id", "recording_id", "study_id", "level", "time_s", "predicted")
_WHOLE = ("protocol", "patient_id", "repeat", "fold", "model", "target")
_DO = f"the file ({WHAT}) was changed or is damaged: put back a whole copy of it"
MOST_BYTES = 4 << 30


def read_predictions(path: Path) -> pd.DataFrame:
    """Return the out-of-fold predictions that a run, or a fusion, keeps.

    Returns
    -------
    DataFrame
        `NEEDED` and `IDS`, and whatever else is there. One row a unit: ``event`` names the class
        whose probability is ``score``; a row a class where there are several, and NA for numbers.
        Texts, missing ones NA; ``repeat`` a whole
        number, ``score`` and ``time_s`` numbers, missing ones NaN.

    Raises
    ------
    DataError
        In one line: no table, a column that is not there, a cell of another kind.
    """
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise unusable(path.name, f"at most {MOST_BYTES >> 30} GB", "more", _DO)
    try:
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8",
            engine="c", low_memory=False,
        )  # fmt: skip
    except OSError:
        raise unusable(path.name, "a table that can be read", "none", _DO) from None
    except (ValueError, UnicodeError, MemoryError) as error:  # whatever pandas says of no table
        found = f"something else ({type(error).__name__})"
        raise unusable(path.name, "a table of predictions in UTF-8", found, _DO) from None
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise unusable(path.name, f"a column {missing[0]!r}", "none", _DO)
    table = table_as_it_was(table)
    for name in _WHOLE:
        if table[name].isna().any():
            raise unusable(path.name, f"a value in every row of {name!r}", "none in one", _DO)
    for name in IDS:
        if name not in table.columns:
            table[name] = np.nan if name == "time_s" else None
    for name in ("score", "time_s", "repeat"):
        table[name] = numbers_in(table, name, path)
    if ((table["repeat"] < 0) | (table["repeat"] % 1 != 0) | (table["repeat"] > 1e6)).any():
        raise unusable(path.name, "whole numbers in 'repeat'", "others", _DO)
    odd = ~table["fold"].str.fullmatch(r"[\w.-]{1,100}", na=False)
    if odd.any() or table["fold"].isin([".", ".."]).any():
        raise unusable(path.name, "names of folds in 'fold'", "another text", _DO)
    return table.assign(repeat=table["repeat"].astype(int))


def numbers_in(table: pd.DataFrame, name: str, path: Path) -> pd.Series:
    """Return a column as numbers, missing ones NaN.

    Raises
    ------
    DataError
        Naming the first line where there is no number.
    """
    column = table[name]
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = (numbers.isna() & column.notna()) | np.isinf(numbers.astype(float))
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0]) + 2
        raise unusable(f"{path.name}, line {row}", f"a number in {name!r}", "none", _DO)
    return numbers.astype(float)


# What stands beside a fitted model: whom it saw, what was chosen, how it answers.

Spread = Annotated[float, Field(ge=0)]


def _as_many(what: str, *lists: Sequence[Any]) -> None:
    if len({len(item) for item in lists}) > 1:
        raise PydanticCustomError("said", f"as many {what} everywhere")


class DecisionForm(Entries):
    """How a target is decided."""

    target: str
    offsets: list[float]
    source: str


class ChosenForm(Entries):
    """What was chosen for a fit."""

    candidate: dict[str, Any]
    epochs: Count | None
    decisions: list[DecisionForm]
    notes: list[NoteForm]


class MadeForForm(Entries):
    """The split that a fit was made for."""

    split: Digest


class SeenForm(Entries):
    """The persons that a model was fitted on."""

    subjects: list[str]


class UnfittedForm(Entries):
    """Why there is no fit."""

    reason: str


class ConformalForm(Entries):
    """A calibrated rule; of too few patients its quantile is null."""

    alpha: float = Field(gt=0, lt=1)
    quantile: Spread | None
    n_patients: Count
    n_dropped: Count
    method: str
    target: str
    kind: Literal["binary", "multiclass", "continuous"]
    classes: list[str] = Field(default_factory=list)
    class_quantiles: list[Spread | None] = Field(default_factory=list)
    class_patients: list[Count] = Field(default_factory=list)

    @model_validator(mode="after")
    def _of_each_class(self) -> Self:
        for own in (self.class_quantiles, self.class_patients):
            if own:
                _as_many("classes", own, self.classes)
        if (self.kind == "continuous") != (not self.classes):
            raise PydanticCustomError("said", "classes of what has classes, and of nothing else")
        return self


class FusionForm(Entries):
    """The weights of a fusion."""

    models: list[Name] = Field(min_length=1)
    intercept: float
    weights: list[float]
    method: str
    n_rows: Count
    n_patients: Count
    n_events: Count | None
    filled: list[float] = Field(default_factory=list)

    @model_validator(mode="after")
    def _of_each_model(self) -> Self:
        _as_many("weights as terms", self.weights, [*self.models, *self.models])
        if self.filled:
            _as_many("models", self.filled, self.models)
        return self


class AboutForm(Entries):
    """What a measured column is."""

    title: str
    unit: str
    kind: Literal["measured", "input", "clinical"]


class LikenessForm(Entries):
    """How the columns of training patients lie."""

    columns: list[str]
    together: list[Count]
    middle: list[float]
    below: list[float]
    above: list[float]
    low: list[float]
    high: list[float]
    known: list[float]
    covariance: list[list[float]]

    @model_validator(mode="after")
    def _of_each_column(self) -> Self:
        own = (self.middle, self.below, self.above, self.low, self.high, self.known)
        _as_many("columns", self.columns, *own)
        _as_many("columns", self.together, self.covariance)
        for row in self.covariance:
            _as_many("columns", self.together, row)
        if any(place >= len(self.columns) for place in self.together):
            raise PydanticCustomError("said", "columns that are there")
        return self


class SpaceForm(Entries):
    """How the vectors of a network lie."""

    mean: list[float] = Field(min_length=1)
    axes: list[list[float]]
    variances: list[float]
    beside: float

    @model_validator(mode="after")
    def _of_each_axis(self) -> Self:
        _as_many("axes", self.axes, self.variances)
        for axis in self.axes:
            _as_many("dimensions", axis, self.mean)
        return self


class NetworkForm(SpaceForm):
    """How the vectors of one model's network lie."""

    title: str


class CalibrationForm(Entries):
    """What distance how many of the training patients exceed."""

    middle: dict[str, float]
    spread: dict[str, float]
    borderline: float
    outside: float
    grid: list[float]
    n: Count


class ApplicabilityForm(Entries):
    """Summaries of the training patients, by which a new one is like them or not."""

    n_patients: Count
    about: dict[str, AboutForm]
    likeness: LikenessForm
    names: dict[str, list[str]]
    networks: dict[str, NetworkForm]
    calibration: CalibrationForm | None
    why_not: str

    @model_validator(mode="after")
    def _of_known_columns(self) -> Self:
        if set(self.likeness.columns) - set(self.about):
            raise PydanticCustomError("said", "words for every column")
        return self


CHOSEN = Kind("what was chosen for a fit", ChosenForm, most_bytes=16 << 20)
MADE_FOR = Kind("what a fit was made for", MadeForForm, most_bytes=1 << 20)
SEEN = Kind("whom a model was fitted on", SeenForm)
UNFITTED = Kind("why there is no fit", UnfittedForm, most_bytes=1 << 20)
CONFORMAL = Kind("a rule for prediction sets", ConformalForm, most_bytes=1 << 20)
FUSION = Kind("the weights of a fusion", FusionForm, most_bytes=1 << 20)
APPLICABILITY = Kind("what the patients of training were like", ApplicabilityForm)
SPACE = Kind("how a network sees the patients of training", SpaceForm)
APART = Kind("how far a fold's patients lie off", dict[str, float])
ROWS = Kind("models of an earlier task", list[Name], most_bytes=1 << 20)
NAMES = Kind("models without a fit", list[str] | dict[str, Any], most_bytes=16 << 20)
