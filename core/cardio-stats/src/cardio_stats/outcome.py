"""An outcome of the user's own: what a column of the cohort table holds, as targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import pandas as pd

from cardio_stats.cells import cell_text
from cardio_stats.errors import ConfigError

MAX_CLASSES = 10
"""More different words than this are no classes, but names or free text."""

PAIRS = (
    ("no", "yes"),
    ("0", "1"),
    ("false", "true"),
    ("n", "y"),
    ("negative", "positive"),
    ("absent", "present"),
    ("control", "case"),
    ("alive", "dead"),
    ("nonresponder", "responder"),
    ("non-responder", "responder"),
)
"""Pairs of words of which everybody knows the second to be the outcome."""


Kind = Literal["binary", "multiclass", "continuous"]


class AskedOutcome(Protocol):
    """What somebody says of a column; a run's configuration has the same four fields."""

    @property
    def column(self) -> str | None:
        """Name of the column, for messages."""

    @property
    def positive(self) -> str | None:
        """The value that is predicted, against all others."""

    @property
    def kind(self) -> Kind | None:
        """What the column is; None lets its values say."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes, a binary outcome's positive one last; empty lets its values say."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A column as an outcome.

    Attributes
    ----------
    column : str or None
        Its name, for messages.
    positive : str or None
        The value that is predicted, against all others.
    kind : {"binary", "multiclass", "continuous"} or None
    classes : tuple of str
        A binary outcome's positive one last; empty of a number.
    """

    column: str | None = None
    positive: str | None = None
    kind: Kind | None = None
    classes: tuple[str, ...] = ()


def settle_outcome(values: pd.Series[Any], asked: AskedOutcome) -> Outcome:
    """Say what a column holds: two classes and which of them is predicted, several, or a number.

    Parameters
    ----------
    values : Series
        The column, missing values as NA.
    asked : Outcome
        What the user said of it. What was not said, the values decide: two different values are
        binary, words several classes, other numbers a number.

    Returns
    -------
    Outcome
        With `kind`, and with `classes` unless it is a number.

    Raises
    ------
    ConfigError
        If nothing, or only one value, is known; if two words leave open which is predicted; if
        `positive` is none of the values; if there are more than `MAX_CLASSES` words.

    Examples
    --------
    >>> settle_outcome(pd.Series(["yes", "no", None]), Outcome("responder")).classes
    ('no', 'yes')
    >>> asked = Outcome("arm", positive="CRT-P")
    >>> settle_outcome(pd.Series(["CRT-P", "CRT-D", "none"]), asked).classes
    ('not CRT-P', 'CRT-P')
    >>> settle_outcome(pd.Series([31.0, 24.5, 40.0]), Outcome("lvef")).kind
    'continuous'
    """
    texts = pd.Series([cell_text(cell) for cell in values], dtype=object).dropna()
    found = _spelled(texts)
    where = f"--outcome {asked.column}"
    if len(found) < 2:
        what = "no value" if not found else "the same value in every row"
        raise ConfigError(f"{where}: expected two or more different values, found {what}")
    if asked.positive is not None and asked.kind not in (None, "binary"):
        raise ConfigError(
            f"{where}: --positive makes it binary, outcome.kind says {asked.kind}; leave one out"
        )
    kind: Kind = asked.kind or _kind(found, asked)
    classes = tuple(found)
    if kind == "continuous":
        _require_numbers(found, where)
        classes = ()
    elif kind == "binary":
        classes = _two(found, asked, where)
    elif len(found) > MAX_CLASSES:
        raise ConfigError(
            f"{where}: expected a number or at most {MAX_CLASSES} different words, found "
            f"{len(found)} in {len(texts)} rows; group them in the table, or name one with "
            "--positive"
        )
    return Outcome(asked.column, asked.positive, kind, classes)


def outcome_values(values: pd.Series[Any], settled: AskedOutcome) -> pd.Series[Any]:
    """Return a column as targets: 1, 0 or NA of a binary outcome, names of classes, or numbers.

    A value that is none of the classes is missing; `settle_outcome` on the same column leaves none.

    Examples
    --------
    >>> settled = Outcome("r", kind="binary", classes=("not 2", "2"), positive="2")
    >>> outcome_values(pd.Series([1.0, 2.0, None, 3.0]), settled).tolist()
    [0, 1, <NA>, 0]
    """
    texts = pd.Series([cell_text(cell) for cell in values], index=values.index, dtype=object)
    if settled.kind == "continuous":
        return pd.to_numeric(texts, errors="coerce").astype("float64")
    plain = [None if text is None else _plain(text) for text in texts]
    if settled.kind == "multiclass":
        known = {_plain(name): name for name in settled.classes}
        named = [None if text is None else known.get(text) for text in plain]
        return pd.Series(named, index=values.index, dtype=object)
    negative, positive = map(_plain, settled.classes)
    if settled.positive is not None:
        truth = [None if text is None else int(text == positive) for text in plain]
    else:  # 0 and 1 are shown as no and yes
        truth = [{negative: 0, positive: 1, "0": 0, "1": 1}.get(str(text)) for text in plain]
    return pd.Series(truth, index=values.index, dtype="Int64")


def _kind(found: Sequence[str], asked: AskedOutcome) -> Kind:
    if asked.positive is not None or len(found) == 2:
        return "binary"
    return "continuous" if all(map(_is_number, found)) else "multiclass"


def _two(found: Sequence[str], asked: AskedOutcome, where: str) -> tuple[str, str]:
    """Return the names of the two classes, the predicted one last."""
    shown = ", ".join(found) if len(found) <= MAX_CLASSES else f"of {len(found)} kinds"
    if asked.positive is not None:
        same = next((text for text in found if _plain(text) == _plain(asked.positive)), None)
        if same is None:
            raise ConfigError(
                f"--positive {asked.positive}: expected a value of {asked.column}, whose values "
                f"are {shown}"
            )
        others = [text for text in found if text != same]
        return (others[0] if len(others) == 1 else f"not {same}"), same
    known = known_pair(found)
    if known is not None:
        return ("no", "yes") if _plain(known[1]) == "1" else known
    raise ConfigError(
        f"{where}: its values are {shown}; say which is predicted, --positive {found[-1]}"
    )


def known_pair(found: Sequence[str]) -> tuple[str, str] | None:
    """Return two words with the one that counts last, where everybody knows which that is.

    Examples
    --------
    >>> known_pair(["Yes", "No"]), known_pair(["mild", "severe"])
    (('No', 'Yes'), None)
    """
    plain = {_plain(text): text for text in found}
    for negative, positive in PAIRS:
        if set(plain) == {negative, positive} and len(found) == 2:
            return plain[negative], plain[positive]
    return None


def _require_numbers(found: Sequence[str], where: str) -> None:
    n_words = sum(not _is_number(text) for text in found)
    if n_words:
        raise ConfigError(
            f"{where}: outcome.kind=continuous expects numbers, found {n_words} different words; "
            "correct them, or leave outcome.kind out"
        )


def _spelled(texts: pd.Series[Any]) -> list[str]:
    """Return the different values in order, each in its most frequent spelling."""
    ranked = sorted(texts.value_counts().items(), key=lambda one: (-one[1], str(one[0])))
    spelled: dict[str, str] = {}
    for text, _ in ranked:
        spelled.setdefault(_plain(str(text)), str(text))
    return sorted(spelled.values(), key=_order)


def _plain(text: str) -> str:
    return text.strip().casefold()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _order(text: str) -> tuple[bool, float, str]:
    """Numbers first and by size, then words by the alphabet."""
    number = _is_number(text)
    return (not number, float(text) if number else 0.0, text)
