"""The columns of a cohort table, as data: kind, unit, allowed values and one sentence each."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

import pandas as pd

from cardio_stats.cells import cell_text, mark_of, notation_of

# One column of a cohort table, as data: kind, unit, limits, words.

Kind = Literal["text", "path", "number", "count", "flag", "code", "date"]
Use = Literal["identity", "recording", "patient", "follow-up", "reference", "method"]


@dataclass(frozen=True)
class ColumnSpec:
    """One column of the cohort table.

    Attributes
    ----------
    name : str
        In the header.
    kind : str
        What a cell is: ``count`` a whole number, ``flag`` yes or no as 1 and 0, ``code`` one of
        `allowed`, ``date`` YYYY-MM-DD, ``path`` a file, a folder or several of them with ``;``
        between.
    sentence : str
        What the column means.
    unit : str
        Empty where there is none.
    allowed : tuple of str
        The codes.
    low, high : float or None
        Numbers outside are impossible, not merely unusual.
    required : bool
        Whether every row must have a value.
    title : str
        What a table for readers calls it, without the unit.
    use : str
        ``patient`` what was known of the patient when the recording was made, and so what Table 1
        describes; ``follow-up`` what became known afterwards; ``reference`` what another
        examination says, of which outcomes are made; ``method`` how it was measured; ``identity``;
        ``recording``.
    example : str
        A cell to copy.
    aliases : mapping of str to str
        Other words for the codes, in small letters.
    """

    name: str
    kind: Kind
    sentence: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    required: bool = False
    title: str = ""
    use: Use = "patient"
    example: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def label(self) -> str:
        """The title with its unit, as a table for readers has it: ``"Age (years)"``."""
        title = self.title or title_of(self.name)
        return f"{title} ({self.unit})" if self.unit else title

    def range_words(self) -> str:
        """Return what a cell may hold, in a few words, with the unit."""
        match self.kind:
            case "path":
                return "a file, a folder, or several with ; between"
            case "flag":
                return "1 or 0 (also yes, no)"
            case "code":
                return ", ".join(self.allowed)
            case "date":
                return "YYYY-MM-DD"
            case "text":
                return "text"
        whole = "whole number" if self.kind == "count" else "number"
        whole += f" in {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            return f"{whole}, {self.low:g} to {self.high:g}"
        return whole if self.low is None else f"{whole}, {self.low:g} or more"


def title_of(name: str) -> str:
    """Return the words of a column that nobody described: no ``x_``, no underscores.

    Examples
    --------
    >>> title_of("x_nt_probnp"), title_of("Albumin")
    ('Nt probnp', 'Albumin')
    """
    words = name.removeprefix("x_").replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]


# The columns that have a meaning in every cohort table, with their words.
#
# Those of recordings are the plugins' own: `PluginInfo.paths` names them.


def lower_first(title: str) -> str:
    """Return a title as it stands within a sentence: abbreviations keep their capitals.

    Examples
    --------
    >>> lower_first("Heart rate"), lower_first("QRS duration"), lower_first("R amplitude")
    ('heart rate', 'QRS duration', 'R amplitude')
    """
    first = title.split(" ")[0]
    if len(first) < 2 or any(letter.isupper() for letter in first[1:]):
        return title
    return title[:1].lower() + title[1:]


N_SEGMENTS = 17
"""Segments of the left ventricle in the AHA model, numbered 01 to 17."""

_TABLE = "cohort_columns.csv"
"""A row a column, in the order of the documentation; of segments one stands for all."""

_SEXES = {"male": "M", "man": "M", "female": "F", "woman": "F"}


def _read() -> Iterable[tuple[str, ColumnSpec]]:
    """Yield the columns of the table, each with its group."""
    text = resources.files(__package__).joinpath(_TABLE).read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        about: dict[str, Any] = dict(row)
        group, name = about.pop("group"), about["name"]
        about["allowed"] = tuple(filter(None, about["allowed"].split("|")))
        about |= {key: float(about[key]) if about[key] else None for key in ("low", "high")}
        about["required"] = name == "patient_id"
        about["aliases"] = _SEXES if name == "sex" else {}
        numbers = range(1, N_SEGMENTS + 1) if "#" in name else (0,)
        for number in numbers:
            words = {key: about[key].replace("#", str(number)) for key in ("title", "sentence")}
            yield group, ColumnSpec(**about | words | {"name": name.replace("#", f"{number:02d}")})


_COLUMNS = tuple(_read())


def columns_of_patients() -> Iterable[ColumnSpec]:
    """Yield what is known of patients when they are recorded, in the order of a Table 1."""
    for group in ("person", "history", "response", "ecg", "imaging"):
        yield from (spec for own, spec in _COLUMNS if own == group and spec.use == "patient")


def columns_of_persons() -> Iterable[ColumnSpec]:
    """Yield what is known of a person whatever is recorded: age, sex, history and drugs."""
    for group in ("person", "history"):
        yield from (spec for own, spec in _COLUMNS if own == group)


OWN_PREFIX = "x_"
"""A cohort's own columns may start with this; they need not."""

FILES_PREFIX = "path_"
"""A column that starts with this names files, whichever plugin reads them."""

COLUMNS: dict[str, ColumnSpec] = {column.name: column for _, column in _COLUMNS}
"""Every column that a stage of cardio may read, by name, in the order of the documentation."""


def label_of(name: str) -> str:
    """Return what a table for readers calls a column, with its unit.

    Examples
    --------
    >>> label_of("age_y"), label_of("x_nt_probnp")
    ('Age (years)', 'Nt probnp')
    """
    return COLUMNS[name].label if name in COLUMNS else title_of(name)


# A cohort's own columns: what kind of thing they hold, found out from their cells.

OwnKind = Literal["number", "yes or no", "two words", "several words", "date", "text", "empty"]

YES = frozenset({"yes", "y", "true", "1", "ja", "oui", "si", "positive", "present"})
NO = frozenset({"no", "n", "false", "0", "nein", "non", "negative", "absent"})
MOST_WORDS = 20
"""A column of more different words names things; it does not group patients."""


@dataclass(frozen=True)
class OwnColumn:
    """What a column of a cohort's own turned out to hold.

    `classes` are the different values of a column of words, or of yes and no, in order: no first.
    """

    kind: OwnKind
    classes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """``"two words (mild, severe)"``."""
        shown = ", ".join(self.classes[:6]) + (", ..." if len(self.classes) > 6 else "")
        return f"{self.kind} ({shown})" if shown and self.kind != "text" else self.kind


def own_column(values: pd.Series) -> OwnColumn:
    """Find out what a column holds.

    Parameters
    ----------
    values : Series
        As a read cohort table has it: numbers, or text; NA is missing.

    Examples
    --------
    >>> own_column(pd.Series(["no", "yes", None])).words
    'yes or no (no, yes)'
    >>> own_column(pd.Series(["mild", "severe"])).kind, own_column(pd.Series([1.5, 2])).kind
    ('two words', 'number')
    """
    known = values.dropna()
    if not len(known):
        return OwnColumn("empty")
    if pd.api.types.is_numeric_dtype(values):
        numbers = known.astype(float)
        if set(numbers.unique()) <= {0.0, 1.0} and numbers.nunique() == 2:
            return OwnColumn("yes or no", ("0", "1"))
        return OwnColumn("number")
    texts = known.astype(str)
    if texts.str.fullmatch(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?").all():
        return OwnColumn("date")
    classes = sorted(texts.unique())
    lowered = {label.lower() for label in classes}
    if len(classes) == 2 and lowered & YES and lowered & NO:
        return OwnColumn(
            "yes or no", tuple(sorted(classes, key=lambda label: label.lower() in YES))
        )
    if len(classes) <= 2:
        return OwnColumn("two words", tuple(classes))
    if len(classes) <= MOST_WORDS and len(classes) < len(texts):
        return OwnColumn("several words", tuple(classes))
    return OwnColumn("text")


def read_own(cells: pd.Series, *, decimal_comma: bool = False) -> pd.Series:
    """Return a cohort's own column: numbers where every cell is one, else text.

    Words that differ only in large and small letters are one word, spelt as it stands most often.
    """
    texts = pd.Series([cell_text(cell) for cell in cells], dtype="string")
    different = [str(text) for text in texts.dropna().unique()]
    notation = notation_of(different)
    # A leading zero belongs to a code (a ward, a postal code), not to a number.
    mark = mark_of(notation, different, "," if decimal_comma else ".")
    if mark is not None and not notation.code:
        numbers = notation.numbers(mark)
        return pd.Series(
            [math.nan if pd.isna(item) else numbers[item] for item in texts], dtype="float64"
        )
    counts = texts.value_counts()
    usual: dict[str, str] = {}
    for word in counts.index:
        usual.setdefault(str(word).casefold(), str(word))
    return texts.map(lambda item: usual[item.casefold()], na_action="ignore").astype("string")
