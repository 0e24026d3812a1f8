"""One kind of file of a run directory: what it is for, what it holds, and how a wrong one is told.

Whoever reads a file reads it through its kind. The content comes back as dataclasses where its form
is one, else as it stands in the file, entries that this core does not know among it. A class that
is kept in a file declares that kind next to itself.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import core_schema

from cardio_core.errors import DataError, MadeWrongError, unusable
from cardio_stats.cells import table_as_it_was
from cardio_stats.files import MOST_BYTES as MOST_BYTES_OF_TEXT
from cardio_stats.files import read_json, write_json
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
        raise ValueError("should be a name without parts of a path")
    return text


def _place(text: str) -> str:
    parts = text.split("/")
    if "\\" in text or any(_strange(part) for part in parts):
        raise ValueError("should be a place inside the folder")
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
_HEX = r"^[0-9a-f]{1,64}$"
Digest = Annotated[str, Field(pattern=_HEX)]


@dataclass(frozen=True)
class _Lists:
    """An array that a file holds as lists of finite numbers."""

    form: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._array, handler(self.form))

    def _array(self, rows: list[Any]) -> NDArray[np.float64]:
        if self.form == list[Number]:
            return np.array(rows, float)
        if len({len(row) for row in rows}) > 1:
            raise ValueError("should have rows of one length")
        return np.array(rows, float).reshape(len(rows), len(rows[0]) if rows else 0)


Vector = Annotated[NDArray[np.float64], _Lists(list[Number])]
Matrix = Annotated[NDArray[np.float64], _Lists(list[list[Number]])]


def plain(value: Any, digits: int | None = None) -> Any:
    """Return a dataclass, and whatever is in it, as JSON has it; infinite numbers are null.

    Examples
    --------
    >>> plain({"a": np.array([1 / 3, 1e6 / 3]), "b": (float("inf"), 1)}, digits=6)
    {'a': [0.333333, 333333.0], 'b': [None, 1]}
    """
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name), digits) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item, digits) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item, digits) for item in value]
    if isinstance(value, float):
        finite = math.isfinite(value)
        return (value if digits is None else float(f"{value:.{digits}g}")) if finite else None
    return value


@dataclass(frozen=True)
class FileSchema:
    """What one kind of file holds, and how much of it is read.

    Attributes
    ----------
    what : str
        What it holds, in words: ``"what the run was"``.
    form : type
        Its content, as pydantic reads types.
    most_bytes : int
        Beyond it nothing is read.
    digits : int or None
        Of the numbers that are written; None writes all.

    Examples
    --------
    >>> class Made(Entries):
    ...     n: Count
    >>> schema = FileSchema("how many there were", Made)
    >>> schema.check({"n": 3, "more": "than is known"}, Path("runs/a.json"))["n"]
    3
    >>> schema.check({"n": -3}, Path("runs/a.json"))
    Traceback (most recent call last):
    cardio_stats.errors.DataError: a.json: expected n to be greater than or equal to 0, found ...
    """

    what: str
    form: Any
    most_bytes: int = MOST_BYTES_OF_TEXT
    digits: int | None = None

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

    def write(self, path: Path, content: Any) -> None:
        """Write what `read` returns."""
        write_json(path, plain(content, self.digits))

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
            expected = _expected(first)
        except MadeWrongError as error:  # a part that a class of ours refuses
            expected = f"parts as they are declared, found others ({error})"
        raise DataError(f"{path.name}: expected {expected}; {self.put_back}", code="damaged")


_ALTERNATIVES = {"str", "int", "float", "bool", "none"}
"""What pydantic puts into a place where a type is one of several."""

_SHOULD_BE = {
    "list_type": "a list", "tuple_type": "a list", "dict_type": "named values",
    "model_type": "named values", "dataclass_type": "named values", "int_type": "a whole number",
    _HEX: "a digest in hex digits", "string_pattern_mismatch": "a text of another form",
}  # fmt: skip
"""By pattern or pydantic's name of a fault, whose own words name types of Python or JSON."""


def _expected(error: Mapping[str, Any]) -> str:
    """Return what a fault of pydantic's says should be, as ``models[0] to be a valid string``."""
    parts = [part for part in error["loc"] if str(part) not in _ALTERNATIVES]
    parts = [f"[{p}]" if isinstance(p, int) else f".{shown(p)[1:-1]}" for p in parts
             if isinstance(p, int) or "[" not in p]  # fmt: skip
    where = "".join(parts).removeprefix(".")
    if error["type"] == "missing":
        return f"an entry at {where}, found none"
    should = error["msg"].partition(" should ")[2]
    expected = _SHOULD_BE.get(error.get("ctx", {}).get("pattern")) or _SHOULD_BE.get(error["type"])
    should = f"be {expected}" if expected else should
    return f"{where or 'the content'} to {should}, found {kind_of(error['input'])}"


_KINDS = {str: "a text", list: "a list", dict: "named values", type(None): "nothing"}


def kind_of(value: Any) -> str:
    """Return what kind of value something is, for messages; numbers as they are."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return "a huge number" if abs(value) > 1e20 else f"{value}"
    return _KINDS.get(type(value), "something else")


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


# What a run keeps for itself: recordings by digests, and what is not merged yet.


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


COHORT = FileSchema("whom the run was made from", CohortForm)
PRINTS = FileSchema("what its recordings are known by", PrintsForm)
CONTENTS = FileSchema("its recordings by digests", ContentsForm)
ACQUIRED = FileSchema(
    "how the recordings of a patient were acquired", list[dict[str, float | None]]
)
PRINTED = FileSchema("what the recordings of a patient are known by", list[str | None])
FILES = FileSchema("files by digests", list[Digest])

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


class MadeForForm(Entries):
    """The split that a fit was made for."""

    split: Digest


class SeenForm(Entries):
    """The persons that a model was fitted on."""

    subjects: list[str]


class UnfittedForm(Entries):
    """Why there is no fit."""

    reason: str


MADE_FOR = FileSchema("what a fit was made for", MadeForForm, most_bytes=1 << 20)
SEEN = FileSchema("whom a model was fitted on", SeenForm)
UNFITTED = FileSchema("why there is no fit", UnfittedForm, most_bytes=1 << 20)
APART = FileSchema("how far a fold's patients lie off", dict[str, float], digits=6)
ROWS = FileSchema("models of an earlier task", list[Name], most_bytes=1 << 20)
NAMES = FileSchema("models without a fit", list[str] | dict[str, Any], most_bytes=16 << 20)
