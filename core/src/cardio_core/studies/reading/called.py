"""How columns and cells are called: their words, and whether one is called by another."""

from __future__ import annotations

import re

NUMBERED = re.compile(r"^X(?=\d+$)")
"""R puts an X before a name that is a number."""


def parts(name: object) -> list[str]:
    """Return the words and numbers of a name, in small letters.

    Examples
    --------
    >>> parts(".pred_Class 1")
    ['pred', 'class', '1']
    """
    return re.findall(r"[^\W_]+", str(name).lower())


def speaks_of(name: str, value: str) -> bool:
    """Say whether a column is called by a value of the outcome, as ``.pred_yes`` and ``X1`` are.

    Examples
    --------
    >>> speaks_of(".pred_yes", "yes"), speaks_of("X1", "1"), speaks_of("age", "1")
    (True, True, False)
    """
    words, said = parts(NUMBERED.sub("", name)), parts(value)
    same = {"1": ["true"], "0": ["false"], "true": ["1"], "false": ["0"]}.get(value.lower())
    return any(one and words[-len(one) :] == one for one in (said, same))


def label_of(value: object) -> str:
    """Return how a cell is called: whole numbers with all their digits, patients' above all.

    Examples
    --------
    >>> label_of(12345678), label_of(12345678.0), label_of(0.5), label_of("007")
    ('12345678', '12345678', '0.5', '007')
    """
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)
