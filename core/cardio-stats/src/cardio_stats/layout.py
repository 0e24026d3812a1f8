"""How the user says the tables of a command are laid out: the sheet, and what words stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from cardio_stats.errors import ConfigError


@dataclass(frozen=True)
class Layout:
    """What the user says of the tables that a command reads.

    Attributes
    ----------
    sheet : str or None
        Of a workbook; not needed where it has one.
    words : tuple of (str, str, str)
        Column, word of the table, and what it stands for: ``("sex", "männlich", "male")``.
    """

    sheet: str | None = None
    words: tuple[tuple[str, str, str], ...] = ()


def words_of(maps: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """Read ``COLUMN:WORD=WORD`` as typed.

    Raises
    ------
    ConfigError
        A text of another form.

    Examples
    --------
    >>> words_of(["sex:männlich=male"])
    (('sex', 'männlich', 'male'),)
    """
    words = []
    for text in maps:
        column, colon, rest = text.partition(":")
        word, equals, meaning = rest.partition("=")
        if not (column and colon and word and equals):
            raise ConfigError(f"--map {text}: expected COLUMN:WORD=WORD, such as sex:männlich=male")
        words.append((column.strip(), " ".join(word.split()), meaning.strip()))
    return tuple(words)


_PLAIN = Layout()

LAYOUT: ContextVar[Layout] = ContextVar("layout", default=_PLAIN)
"""Of every table that is read; a command sets it from its options."""


@contextmanager
def laid_out(layout: Layout) -> Iterator[None]:
    """Read tables as the user says they are laid out."""
    token = LAYOUT.set(layout)
    try:
        yield
    finally:
        LAYOUT.reset(token)
