"""An outcome of the user's own: what a column of the cohort table holds, as targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
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
    ("nein", "ja"),
    ("nee", "ja"),
    ("nej", "ja"),
    ("non", "oui"),
    ("no", "si"),
    ("no", "sí"),
    ("não", "sim"),
)
"""Pairs of words of which everybody knows the second to be the outcome, in some languages."""


Kind = Literal["binary", "multiclass", "continuous"]


class AskedOutcome(Protocol):
    """What somebody says of a column; a run's configuration has the same fields."""

    @property
    def column(self) -> str | None:
        """Name of the column, for messages."""

    @property
    def event(self) -> str | None:
        """The word that is predicted."""

    @property
    def negative(self) -> tuple[str, ...]:
        """Words of those without the event."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Further words that mean a missing value."""

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
    event : str or None
        The word that is predicted; None leaves it to what a pair of words is known to mean.
    negative : tuple of str
        Words of those without the event. Needed where more than one word is neither the event nor
        missing.
    missing : tuple of str
        Words that mean a missing value, beyond `cells.MISSING`.
    kind : {"binary", "multiclass", "continuous"} or None
    classes : tuple of str
        A binary outcome's event last; empty of a number.
    """

    column: str | None = None
    event: str | None = None
    negative: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    kind: Kind | None = None
    classes: tuple[str, ...] = ()


Role = Literal["event", "control", "missing", "unplaced"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an outcome's column.

    Attributes
    ----------
    text : str
        In its most frequent spelling; blanks around it and capitals make no other word.
    n : int
        Rows that hold it.
    role : {"event", "control", "missing", "unplaced"}
        What it became.
    """

    text: str
    n: int
    role: Role


@dataclass(frozen=True, slots=True)
class Placed:
    """A column of two classes, word by word.

    Attributes
    ----------
    truth : Series of Int64
        1 with the event, 0 without, NA where missing.
    words : tuple of Word
        Every word of the column but blanks and `cells.MISSING`.
    """

    truth: pd.Series[Any]
    words: tuple[Word, ...]

    @property
    def event(self) -> str:
        """The word of the event, as it is spelled most often."""
        return next(word.text for word in self.words if word.role == "event")

    @property
    def classes(self) -> tuple[str, str]:
        """Names of the two classes, the event last; 0 and 1 are no and yes."""
        event = self.event
        others = [word.text for word in self.words if word.role == "control"]
        if len(others) != 1:
            return f"not {event}", event
        return ("no", "yes") if (others[0], event) == ("0", "1") else (others[0], event)

    def ledger(self) -> str:
        """Return what each word became.

        Examples
        --------
        >>> request = Outcome("died", event="ja", missing=("unbekannt",))
        >>> place_words(pd.Series(["Ja", "ja ", "nein", "unbekannt"]), request).ledger()
        "'Ja' 2 (event), 'nein' 1 (control), 'unbekannt' 1 (missing)"
        """
        return ", ".join(f"{word.text!r} {word.n} ({word.role})" for word in self.words)


def place_words(values: pd.Series[Any], request: AskedOutcome) -> Placed:
    """Say of every word of a column whether it is the event, a control, or missing.

    The event is the one that is named, or the one that everybody knows of a pair (`PAIRS`). A
    control is what `request.negative` names, or the only other word, or the event's known opposite.
    No other word becomes anything by itself.

    Parameters
    ----------
    values : Series
        The column, missing values as NA.
    request : Outcome
        What the user said of it.

    Raises
    ------
    ConfigError
        If the event is not among the words, if they leave it open, or if words are neither the
        event nor a control nor missing: all of them, with their counts, in one message.

    Examples
    --------
    >>> place_words(pd.Series(["Yes", "no", None]), Outcome("responder")).truth.tolist()
    [1, 0, <NA>]
    """
    texts = _texts(values)
    plain = _mapped(texts, _plain)
    counts = plain.value_counts()
    spelled = {_plain(text): text for text in _spelled(texts.dropna())}
    absent = {_plain(word) for word in request.missing}
    left = [word for word in spelled if word not in absent]
    event = _event_of(left, spelled, counts, request)
    named = {_alias(_plain(word), left) for word in request.negative}
    others = [word for word in left if word != event]
    if named:
        control = {word for word in others if word in named}
    else:
        known = {no for no, yes in PAIRS if yes == event} & set(others)
        control = set(others) if len(others) == 1 else known
    roles: dict[str, Role] = {
        word: "missing" if word in absent else "event" if word == event
        else "control" if word in control else "unplaced"
        for word in spelled
    }  # fmt: skip
    words = tuple(Word(spelled[word], int(counts[word]), roles[word]) for word in spelled)
    unplaced = [word for word in words if word.role == "unplaced"]
    if unplaced:
        raise ConfigError(
            f"{_where(request)}: {_counted(unplaced)} {'is' if len(unplaced) == 1 else 'are'} "
            f"neither the event ({spelled[event]!r}) nor a control; name each with --negative or "
            "--missing, or correct the table",
            code="unknown",
        )
    if not control:
        raise ConfigError(
            f"{_where(request)}: every known row holds {spelled[event]!r}, the event; add controls"
        )
    truth = plain.map({event: 1, **dict.fromkeys(control, 0)}, na_action="ignore")
    return Placed(truth.astype("Int64"), words)


def _event_of(
    left: Sequence[str], spelled: Mapping[str, str], counts: pd.Series[int], request: AskedOutcome
) -> str:
    """Return the plain word of the event."""
    words = [Word(spelled[word], int(counts[word]), "unplaced") for word in left]
    if request.event is not None:
        event = _alias(_plain(request.event), left)
        if event not in left:
            raise ConfigError(
                f"{_where(request)}: the event {request.event!r} does not occur; found "
                f"{_counted(words)}; name the event with --event",
                code="unknown",
            )
        return event
    pairs = {pair for pair in PAIRS if set(pair) <= set(left)}
    if len(pairs) == 1:
        ((_, event),) = pairs
        return event
    raise ConfigError(
        f"{_where(request)}: its values are {_counted(words)}; name the one that is predicted, "
        f"--event {spelled[left[-1]] if left else 'VALUE'}",
        code="ambiguous",
    )


def _alias(word: str, left: Sequence[str]) -> str:
    """Return yes, no, true or false as a column of 0 and 1 has it; any other word as it is."""
    if word in left or not set(left) <= {"0", "1"}:
        return word
    return {"yes": "1", "true": "1", "no": "0", "false": "0"}.get(word, word)


def _where(request: AskedOutcome) -> str:
    return f"--outcome {request.column}"


def _counted(words: Sequence[Word]) -> str:
    """Return words with their rows; of many, which may be names or free text, how many alone."""
    if len(words) > MAX_CLASSES:
        return f"{len(words)} different words"
    return ", ".join(f"{word.text!r} in {word.n} row{'s'[: word.n != 1]}" for word in words)


def settle_outcome(values: pd.Series[Any], request: AskedOutcome) -> Outcome:
    """Say what a column holds: two classes and which of them is predicted, several, or a number.

    Parameters
    ----------
    values : Series
        The column, missing values as NA.
    request : Outcome
        What the user said of it. What was not said, the values decide: two different values are
        binary, words several classes, other numbers a number.

    Returns
    -------
    Outcome
        With `kind`, and with `classes` unless it is a number.

    Raises
    ------
    ConfigError
        As `place_words`; if nothing, or only one value, is known; if there are more than
        `MAX_CLASSES` words; if a few whole numbers, or words with a known pair among them, leave
        open what they are.

    Examples
    --------
    >>> settle_outcome(pd.Series(["yes", "no", None]), Outcome("responder")).classes
    ('no', 'yes')
    >>> request = Outcome("arm", event="CRT-P", negative=("CRT-D", "none"))
    >>> settle_outcome(pd.Series(["CRT-P", "CRT-D", "none"]), request).classes
    ('not CRT-P', 'CRT-P')
    >>> settle_outcome(pd.Series([31.0, 24.5, 40.0]), Outcome("lvef")).kind
    'continuous'
    """
    texts = _texts(values).dropna()
    absent = {_plain(word) for word in request.missing}
    texts = texts[[_plain(text) not in absent for text in texts]]
    found = _spelled(texts)
    where = _where(request)
    if len(found) < 2:
        what = "no value" if not found else "the same value in every row"
        raise ConfigError(f"{where}: expected two or more different values, found {what}")
    named = request.event is not None or bool(request.negative)
    if named and request.kind not in (None, "binary"):
        raise ConfigError(
            f"{where}: --event makes it binary, outcome.kind says {request.kind}; leave one out"
        )
    kind: Kind = request.kind or ("binary" if named else _kind(found, texts, where))
    classes = tuple(found)
    if kind == "continuous":
        _require_numbers(found, where)
        classes = ()
    elif kind == "binary":
        classes = place_words(values, request).classes
    elif len(found) > MAX_CLASSES:
        raise ConfigError(
            f"{where}: expected a number or at most {MAX_CLASSES} different words, found "
            f"{len(found)} in {len(texts)} rows; group them in the table, or name one with --event"
        )
    return Outcome(request.column, request.event, request.negative, request.missing, kind, classes)


def outcome_values(values: pd.Series[Any], settled: AskedOutcome) -> pd.Series[Any]:
    """Return a column as targets: 1, 0 or NA of a binary outcome, names of classes, or numbers.

    Raises
    ------
    ConfigError
        As `place_words`; if words are none of several classes.

    Examples
    --------
    >>> settled = Outcome("r", "2", ("1", "3"), kind="binary", classes=("not 2", "2"))
    >>> outcome_values(pd.Series([1.0, 2.0, None, 3.0]), settled).tolist()
    [0, 1, <NA>, 0]
    """
    if settled.kind == "binary":
        return place_settled(values, settled).truth
    texts = _texts(values)
    if settled.kind == "continuous":
        return pd.to_numeric(texts, errors="coerce").astype("float64")
    known = {_plain(name): name for name in settled.classes}
    absent = {_plain(word) for word in settled.missing}
    plain = _mapped(texts, _plain)
    strange = texts[plain.notna() & ~plain.isin([*known, *absent])]
    if len(strange):
        counts = strange.value_counts()
        words = [Word(str(text), int(n), "unplaced") for text, n in counts.items()]
        raise ConfigError(
            f"{_where(settled)}: {_counted(words)} {'is' if len(words) == 1 else 'are'} none of "
            f"the classes {', '.join(settled.classes)}; name each with --missing, or correct the "
            "table"
        )
    return plain.map(known, na_action="ignore")


def place_settled(values: pd.Series[Any], settled: AskedOutcome) -> Placed:
    """Place the words of a column by an outcome that was settled on this one or on another.

    A column of fewer words than that, of new patients or of some of the old, may lack a class.
    """
    negative, positive = settled.classes
    texts = _texts(values)
    plain = _mapped(texts, _plain)
    absent = {_plain(word) for word in settled.missing}
    left = [word for word in plain.dropna().unique() if word not in absent]
    event = _alias(_plain(settled.event or positive), left)
    others = [word for word in left if word != event]
    controls = settled.negative or (negative,)
    if not settled.negative and event != _plain(positive) and len(others) == 1:
        controls = (others[0],)  # the two words of another table
    roles: dict[str, Role] = dict.fromkeys(absent, "missing")
    roles |= dict.fromkeys((_alias(_plain(word), left) for word in controls), "control")
    roles[event] = "event"
    counts = plain.value_counts()
    words = tuple(
        Word(text, int(counts[_plain(text)]), roles.get(_plain(text), "unplaced"))
        for text in _spelled(texts.dropna())
    )
    unplaced = [word for word in words if word.role == "unplaced"]
    if unplaced:
        raise ConfigError(
            f"{_where(settled)}: {_counted(unplaced)} {'is' if len(unplaced) == 1 else 'are'} "
            f"neither the event ({settled.event or positive!r}) nor a control "
            f"({', '.join(map(repr, controls))}); name the event with --event, and each other word "
            "with --negative or --missing"
        )
    codes = {word: int(role == "event") for word, role in roles.items() if role != "missing"}
    return Placed(plain.map(codes, na_action="ignore").astype("Int64"), words)


def _texts(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return each cell as text, None where it is missing."""
    return _mapped(values, cell_text)


def _mapped(values: pd.Series[Any], change: Callable[[Any], str | None]) -> pd.Series[Any]:
    """Change every known cell; each different one is looked at once."""
    codes, different = pd.factorize(values)
    changed = np.array([*(change(item) for item in different), None], dtype=object)
    return pd.Series(changed[codes], index=values.index, dtype=object)


def _kind(found: Sequence[str], texts: pd.Series[Any], where: str) -> Kind:
    """Return what the values are, where they leave no doubt."""
    if len(found) == 2:
        return "binary"
    plain = {_plain(text) for text in found}
    counts = texts.map(_plain).value_counts()
    words = [Word(text, int(counts[_plain(text)]), "unplaced") for text in found]
    numbers = all(map(_is_number, found))
    if numbers and (
        len(found) > MAX_CLASSES or not all(float(text).is_integer() for text in found)
    ):
        return "continuous"
    if numbers:
        raise ConfigError(
            f"{where}: {_counted(words)} may be codes or a number; name the event with --event and "
            "the others with --negative and --missing, or say outcome.kind=continuous or "
            "outcome.kind=multiclass"
        )
    if any(set(pair) <= plain for pair in PAIRS):
        raise ConfigError(
            f"{where}: its values are {_counted(words)}; two of them are an outcome: name the "
            "event with --event and the others with --negative and --missing, or say "
            "outcome.kind=multiclass"
        )
    return "multiclass"


def _require_numbers(found: Sequence[str], where: str) -> None:
    n_words = sum(not _is_number(text) for text in found)
    if n_words:
        raise ConfigError(
            f"{where}: outcome.kind=continuous expects numbers, found {n_words} different words; "
            "correct them, or leave outcome.kind out"
        )


def _spelled(texts: pd.Series[Any]) -> list[str]:
    """Return the different values in order, each in its most frequent spelling."""
    ranked = sorted(texts.value_counts().items(), key=lambda item: (-item[1], str(item[0])))
    spelled: dict[str, str] = {}
    for text, _ in ranked:
        spelled.setdefault(_plain(str(text)), str(text))
    return sorted(spelled.values(), key=_order)


def _plain(text: str) -> str:
    """Return a word as it is compared: without blanks around it, in small letters, 1.0 as 1."""
    plain = " ".join(text.split()).casefold()
    return f"{float(plain):.15g}" if _is_number(plain) else plain


def words_in(values: pd.Series[Any]) -> tuple[str, ...]:
    """Return the different words of a column as they are compared: no capitals, no blanks.

    Examples
    --------
    >>> words_in(pd.Series(["Ja ", "ja", "NEIN", None]))
    ('ja', 'nein')
    """
    texts = _texts(values).dropna()
    return tuple(_plain(text) for text in _spelled(texts))


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
