"""A table as statistics need it: numbers as numbers, words as words, and what was taken so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.errors import ConfigError, DataError
from cardio_core.io.tables.cells import MISSING
from cardio_core.io.tables.notation import Mark, Notation, mark_of, notation_of
from cardio_core.io.tables.raw import RawTable, read_raw
from cardio_core.io.tables.sentinels import sentinels_of

Ints = NDArray[np.int64]
DOUBTS = "doubts"
"""Key of the attribute of a table that says why a column cannot be read, by the column's name."""


@dataclass
class Reading:
    """A table and what was taken for granted when it was read.

    Attributes
    ----------
    table : DataFrame
        Numbers as ``int64`` or ``float64``, all else as text with None where it is missing. Its
        ``attrs["doubts"]`` says of some columns, by name, why they cannot be read.
    notes : list of str
        Of the whole file.
    of_columns : dict of str to list of str
        Notes by column, for those who use the column.
    missing : dict of str to dict of str to int
        By column, how often each word was taken as missing. Empty cells are not among them.
    """

    table: pd.DataFrame
    notes: list[str]
    of_columns: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)

    def notes_on(self, used: Collection[str]) -> list[str]:
        """Return what somebody who uses these columns has to know, a sentence each."""
        words: dict[str, int] = {}
        where = [name for name in self.missing if name in used]
        for name in where:
            for word, count in self.missing[name].items():
                words[word] = words.get(word, 0) + count
        notes = list(self.notes)
        if words:
            notes.append(missing_note(words, where))
        together: dict[str, list[str]] = {}
        for name in (name for name in self.of_columns if name in used):
            for note in self.of_columns[name]:
                together.setdefault(note, []).append(name)
        return [*notes, *(f"{_listed(names)}: {note}." for note, names in together.items())]


def read_typed(path: Path, missing: Sequence[str] = ()) -> Reading:
    r"""Read a table for statistics.

    Parameters
    ----------
    path : Path
        CSV or Parquet; see :func:`~cardio_core.io.tables.raw.read_raw`.
    missing : sequence of str
        Further words that mean a missing value, or ``COLUMN=WORD`` for one column only.

    Raises
    ------
    DataError
        No table, or rows that are longer than the header.
    ConfigError
        A column in `missing` that is not there, or a word that occurs nowhere.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cohort.csv"
    >>> _ = file.write_text("id;nyha;lvef\n007;None;35,5\n012;II;n/a\n", encoding="utf-16")
    >>> made = read_typed(file)
    >>> made.table["nyha"].tolist(), made.table["lvef"].tolist(), made.table["id"].tolist()
    (['None', 'II'], [35.5, nan], ['007', '012'])
    >>> made.notes_on(["nyha", "lvef"])
    ["Taken as missing: 'n/a' once (lvef).", 'lvef: read with decimal commas.']
    """
    raw = read_raw(path, lenient=True)
    if raw.problems:
        more = f"; and {len(raw.problems) - 1} more rows" if len(raw.problems) > 1 else ""
        raise DataError(f"{path.name}, {raw.problems[0].line()}{more}")
    cells = raw.cells
    if not len(cells):
        raise DataError(f"{path.name}: expected rows below the header, found none")
    cells.columns = pd.Index([str(name).strip() for name in cells.columns], dtype=object)
    extra = _by_column(missing, list(cells.columns))
    made = Reading(pd.DataFrame(), list(raw.notes))
    columns: list[pd.Series] = []
    notations: dict[int, tuple[Notation, Ints, list[str]]] = {}
    for place, name in enumerate(cells.columns):
        column, words = cells.iloc[:, place], extra.get(name, ())
        if pd.api.types.is_bool_dtype(column) or not _is_text(column):
            columns.append(_without(column, words, made, name))
            continue
        codes, different = _known(column, words, made, name)
        notations[place] = notation_of(different), codes, different
        columns.append(column)
    evidence = _evidence(raw, [one for one, _, _ in notations.values()])
    doubts: dict[str, str] = {}
    for place, (notation, codes, different) in notations.items():
        name = str(cells.columns[place])
        columns[place] = _typed(notation, codes, different, evidence, made, doubts, name)
    table = pd.concat([one.reset_index(drop=True) for one in columns], axis=1)
    table.columns = cells.columns
    table.attrs[DOUBTS] = doubts
    _require_used(missing, made)
    for name in dict.fromkeys(cells.columns):
        values = table[name]
        if isinstance(values, pd.Series) and pd.api.types.is_numeric_dtype(values):
            made.of_columns.setdefault(name, []).extend(sentinels_of(values.to_numpy(float)))
    made.table = table
    return made


def _is_text(column: pd.Series) -> bool:
    return pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)


def _by_column(missing: Sequence[str], names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the further words of each column, in small letters."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())
    for word in missing:
        column, equals, own = word.partition("=")
        if equals and column not in found:
            raise ConfigError(
                f"--missing {word}: no column {column!r}; expected WORD or COLUMN=WORD"
            )
        for name in [column] if equals else names:
            found[name] = (*found[name], (own if equals else word).strip().casefold())
    return found


def _says(text: str, words: Collection[str]) -> bool:
    """Say whether a cell is one of these words; 999 is also 999.0 and 999,0."""
    if text.casefold() in words:
        return True
    value = _as_number(text) if words else None
    return value is not None and any(value == _as_number(word) for word in words)


def _as_number(word: str) -> float | None:
    try:
        return float(word.replace(",", "."))
    except ValueError:
        return None


def _known(
    column: pd.Series, words: Collection[str], made: Reading, name: str
) -> tuple[Ints, list[str]]:
    """Return the code of each row's text, -1 where it is missing, and the different texts."""
    given, texts = pd.factorize(column)
    stripped = pd.Index([str(text).strip() for text in texts], dtype=object)
    absent = np.array(
        [text.casefold() in MISSING or _says(text, words) for text in stripped], dtype=bool
    )
    counts = np.bincount(given[given >= 0], minlength=len(texts))
    for text, count in zip(stripped[absent], counts[absent], strict=True):
        if text:
            of_this = made.missing.setdefault(name, {})
            of_this[text] = of_this.get(text, 0) + int(count)
    again, different = pd.factorize(stripped[~absent])
    to = np.full(len(texts) + 1, -1, dtype=np.int64)  # the last is for missing cells of Parquet
    to[:-1][~absent] = again
    return to[given], [str(text) for text in different]


def _without(column: pd.Series, words: Collection[str], made: Reading, name: str) -> pd.Series:
    """Return a column of Parquet's own numbers without those that mean missing."""
    column = column.rename(name)
    for word in words:
        number = _as_number(word)
        hit = (column == number).fillna(False).to_numpy(bool) if number is not None else None
        if hit is not None and hit.any():
            made.missing.setdefault(name, {})[word] = int(hit.sum())
            column = column.astype("float64").mask(hit)
    return column


def _require_used(missing: Sequence[str], made: Reading) -> None:
    """Refuse a word that occurs nowhere: it is misspelt, and nobody would know."""
    for given in missing:
        column, equals, own = given.partition("=")
        word = (own if equals else given).strip()
        found = [made.missing.get(column, {})] if equals else list(made.missing.values())
        if not any(_says(text, [word.casefold()]) for texts in found for text in texts):
            raise ConfigError(f"--missing {given}: no cell says so; look at how it is written")


def _evidence(raw: RawTable, notations: Iterable[Notation]) -> Mark | None:
    """Say what a comma before three digits is in this table, as 1,234 can be two numbers.

    Columns that can be read in one way only tell it, or else what separates the columns: Excel
    writes semicolons where decimals have commas. None where they contradict each other.
    """
    certain = {mark for one in notations if len(one.marks) == 1 for mark in one.marks}
    if not certain:
        usual: dict[str, Mark] = {",": ".", ";": ","}
        return usual.get(raw.separator)
    (mark,) = certain if len(certain) == 1 else (None,)
    return None if mark == "." and raw.separator == ";" else mark


def _typed(
    notation: Notation, codes: Ints, different: Sequence[str], evidence: Mark | None,
    made: Reading, doubts: dict[str, str], name: str,
) -> pd.Series:  # fmt: skip
    """Return a column as numbers where every known cell is one, else as text."""
    said = made.of_columns.setdefault(name, [])
    if {text.casefold() for text in different} in ({"true", "false"}, {"true"}, {"false"}):
        return _taken([float(text.casefold() == "true") for text in different], codes)
    text = pd.Series(np.array([*different, None], dtype=object)[codes], dtype=object)
    if not different or not notation.marks or notation.code:
        if notation.code and notation.marks:
            said.append("kept as written, with leading zeros and all digits")
        return text
    mark = mark_of(notation, different, evidence)
    if mark is None:
        found = next(cell for cell in different if "," in cell or "." in cell)
        doubts[name] = (
            f"expected one way to write numbers, found {found!r}, which can be two numbers here; "
            "write it without a mark of thousands"
        )
        return text
    numbers = notation.numbers(mark)
    if any("," in cell for cell in different):
        said.append(
            "read with decimal commas" if mark == "," else "commas taken as marks of thousands"
        )
    if notation.percent:
        said.append("percent signs left out (35 % is 35)")
    if notation.apostrophe:
        said.append("leading apostrophes left out")
    return _taken([numbers[cell] for cell in different], codes)


def _taken(numbers: Sequence[float], codes: Ints) -> pd.Series:
    values = np.array([*numbers, np.nan])[codes]
    if not np.isnan(values).any() and (np.abs(values) < 2**53).all() and (values % 1 == 0).all():
        return pd.Series(values.astype(np.int64))
    return pd.Series(values)


def missing_note(words: Mapping[str, int], columns: Sequence[str]) -> str:
    """Say which words were taken as missing, how often, and in which columns.

    Examples
    --------
    >>> missing_note({"NA": 12, ".": 1}, ["qrs_ms"])
    "Taken as missing: 'NA' 12 times, '.' once (qrs_ms)."
    """
    listed = ", ".join(f"{word!r} {_times(count)}" for word, count in words.items())
    return f"Taken as missing: {listed} ({_listed(columns)})."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _listed(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
