"""Which files may be opened while a patient's features are made: the recordings' own."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cardio_core.errors import LeakageError


@dataclass(frozen=True)
class _Watch:
    own: frozenset[str]
    folders: frozenset[str]
    refused: list[str] = field(default_factory=list)


_WATCH: ContextVar[_Watch | None] = ContextVar("watch", default=None)


@contextmanager
def only_own_files(own: Collection[Path]) -> Iterator[None]:
    """Refuse to open a file that lies beside a patient's recordings and is none of them.

    A label may stand in such a file. Files elsewhere, those of libraries among them, are nobody's
    business; what a compiled library opens by itself is not seen, and the check of the contract
    that works on copies in empty folders is there for it.

    Parameters
    ----------
    own : collection of Path
        What `Cohort.files` names for the patient's recordings; with none, nothing is watched.

    Raises
    ------
    LeakageError
        Even where the hook swallowed the first refusal.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("a.csv", "cohort.csv"):
    ...         _ = Path(folder, name).write_text("1")
    ...     with only_own_files([Path(folder, "a.csv")]):
    ...         _ = Path(folder, "a.csv").read_text()
    ...         _ = Path(folder, "cohort.csv").read_text()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    cardio_core.errors.LeakageError: cohort.csv was opened while features were made, ...
    """
    files = frozenset(os.path.realpath(item) for item in own)
    if not files:
        yield
        return
    _listen()
    watch = _Watch(files, frozenset(map(os.path.dirname, files)))
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)
        if watch.refused:
            raise _refusal(watch.refused[0])


@cache
def _listen() -> None:
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or (watch := _WATCH.get()) is None:
        return
    path, _, flags = arguments
    if not isinstance(path, str | bytes | os.PathLike):
        return
    real = os.path.realpath(os.fsdecode(path))
    is_neighbour = os.path.dirname(real) in watch.folders and real not in watch.own  # noqa: PTH120
    if is_neighbour and not flags & os.O_DIRECTORY and not flags & (os.O_WRONLY | os.O_RDWR):
        watch.refused.append(real)
        raise _refusal(real)


def _refusal(path: str) -> LeakageError:
    return LeakageError(
        f"{os.path.basename(path)} was opened while features were made, and belongs to none of the "  # noqa: PTH119
        "patient's recordings: a label may stand in it; name in Cohort.files what a recording needs"
    )
