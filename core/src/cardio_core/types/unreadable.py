"""What is said of a recording that could not be read: our words, and no name of a file."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cardio_core.errors import CardioError, DataError
from cardio_core.types.nameless import without_names

_DEEPEST = 4
_CALLERS = ("cardio_core.types.samples", "cardio_core.context")


def unreadable(error: Exception, files: Iterable[Path]) -> CardioError:
    """Return the error that sets a recording aside.

    Parameters
    ----------
    error : Exception
        Whatever reading it raised. The text of errors that are not ours is not repeated: it may
        quote a header, and with it a patient.
    files : iterable of Path
        The recording's.

    Returns
    -------
    CardioError
        A `DataError`; errors of ours that are about something else are returned as they are.

    Examples
    --------
    >>> print(unreadable(KeyError("MILLER^JOHN"), [Path("MILLER.dcm")]))
    expected a recording that can be read, found a damaged one (KeyError); export it again
    >>> print(unreadable(DataError("MILLER.dcm: expected 12 leads, found 8"), [Path("MILLER.dcm")]))
    expected 12 leads, found 8
    >>> print(unreadable(DataError("b.csv: expected numbers"), [Path("a.csv"), Path("b.csv")]))
    file 2 of 2: expected numbers
    """
    files = tuple(files)
    if isinstance(error, DataError):
        said = without_names(str(error), files)
        for place, file in enumerate(files, start=1):
            if len(files) > 1 and str(error).startswith(f"{file.name}:"):
                said = f"file {place} of {len(files)}: {said}"
        return error if said == str(error) else DataError(said, reason=error.reason)
    if isinstance(error, CardioError):
        return error
    if isinstance(error, MemoryError):
        return DataError(
            "expected a recording that fits into memory, found a larger one; free memory, or "
            "export it at a lower resolution"
        )
    if isinstance(error, FileNotFoundError):
        return DataError(
            "expected the recording's file, found none (FileNotFoundError); check the path"
        )
    if isinstance(error, PermissionError):
        return DataError("expected a file that may be read, found one that may not; allow it")
    kind = type(error).__name__ + _where(error)
    return DataError(
        f"expected a recording that can be read, found a damaged one ({kind}); export it again"
    )


def _where(error: Exception) -> str:
    """Return the place in a plugin, or in the core, that met it: an author's own mistake, maybe."""
    ours = [
        f" at {Path(frame.f_code.co_filename).name}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__", "")).startswith("cardio_")
        and frame.f_globals.get("__name__") not in _CALLERS
    ]
    return ours[-1] if ours else ""


def files_in(source: Any, depth: int = 0) -> Iterator[Path]:
    """Yield the paths that what an opener takes holds: itself, or in fields, items and values.

    Examples
    --------
    >>> [path.name for path in files_in({"rest": Path("a.npy"), "more": (Path("b.json"), 3)})]
    ['a.npy', 'b.json']
    """
    if isinstance(source, Path):
        yield source
        return
    if depth == _DEEPEST or isinstance(source, str | bytes):
        return
    if isinstance(source, dict):
        inner: Iterable[Any] = source.values()
    elif isinstance(source, list | tuple):
        inner = source
    else:
        inner = vars(source).values() if hasattr(source, "__dict__") else ()
    for one in inner:
        yield from files_in(one, depth + 1)
