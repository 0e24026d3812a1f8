"""Folds in words."""

from __future__ import annotations

import re
from collections.abc import Iterable


def several(n: int, what: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> [several(n, "fold") for n in (1, 3)]
    ['1 fold', '3 folds']
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def fold_in_words(fold: str, folds: Iterable[str]) -> str:
    """Return which fold of how many: ``r1-f0`` means nothing to a reader.

    Examples
    --------
    >>> fold_in_words("r0-f1", ["r0-f0", "r0-f1", "r0-f2"])
    'fold 2 of 3'
    >>> fold_in_words("r1-f0", ["r0-f0", "r1-f0"])
    'repeat 2 of 2'
    >>> fold_in_words("final", ["r0-f0", "r0-f1"])
    'final model on everybody'
    """
    if fold == "final":
        return "final model on everybody"
    numbers = [match for name in folds if (match := re.fullmatch(r"r(\d+)-f(\d+)", name))]
    own = re.fullmatch(r"r(\d+)-f(\d+)", fold)
    if own is None or not numbers:
        return f"fold {fold}"
    n_repeats = len({match[1] for match in numbers})
    n_folds = len({match[2] for match in numbers})
    parts = [f"repeat {int(own[1]) + 1} of {n_repeats}"] if n_repeats > 1 else []
    if n_folds > 1:
        parts.append(f"fold {int(own[2]) + 1} of {n_folds}")
    return ", ".join(parts) or "the one fold"
