"""A cohort's own columns: what kind of thing they hold, found out from their cells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from cardio_core.io.tables.cells import cell_text
from cardio_core.io.tables.notation import mark_of, notation_of

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
    lowered = {one.lower() for one in classes}
    if len(classes) == 2 and lowered & YES and lowered & NO:
        return OwnColumn("yes or no", tuple(sorted(classes, key=lambda one: one.lower() in YES)))
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
            [math.nan if pd.isna(one) else numbers[one] for one in texts], dtype="float64"
        )
    counts = texts.value_counts()
    usual: dict[str, str] = {}
    for word in counts.index:
        usual.setdefault(str(word).casefold(), str(word))
    return texts.map(lambda one: usual[one.casefold()], na_action="ignore").astype("string")
