"""What is repeated of errors that are not ours: kind and place, and no word that a file may hold.

Python and libraries quote in their errors what they met: a header's text, a path, a cell. Such a
traceback is what people paste into a report of a bug, so it is cleaned where it is shown.
"""

from __future__ import annotations

import errno
import os
import re
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cardio_stats.errors import CardioError, DataError, RedactedError

_ABOUT_CODE = (ImportError, AttributeError, NameError, ZeroDivisionError, RecursionError)
"""Errors whose text names parts of a program."""

_LEFT_OUT = "(its text is left out: it may quote a file)"
_FRAME = re.compile(r'  File "[^"]+", line \d+, in \S+')


def text_of(error: BaseException) -> str:
    """Return what may be repeated of an error's text, in one line; empty where nothing may.

    Examples
    --------
    >>> text_of(CardioError("expected 12 leads, found 8"))
    'expected 12 leads, found 8'
    >>> text_of(FileNotFoundError(2, "No such file or directory", "MILLER.dcm"))
    'No such file or directory'
    >>> text_of(ValueError("could not convert string to float: 'MILLER'"))
    ''
    """
    if isinstance(error, RedactedError):
        return error.redacted
    if isinstance(error, OSError):
        return error.strerror or ""
    in_program = isinstance(error, SyntaxError) and Path(error.filename or "").suffix == ".py"
    if isinstance(error, (CardioError, *_ABOUT_CODE)) or in_program:
        return " ".join(str(error).split())
    return ""


def place_of(error: BaseException) -> str:
    """Return the line that raised an error, such as ``"calls.py:31"``; empty without a traceback.

    Examples
    --------
    >>> place_of(ValueError("never raised"))
    ''
    """
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def traceback_of(error: BaseException) -> str:
    """Return an error's traceback, with those of its causes, without what they quote.

    Frames and lines of the program stand as they are. What a worker process sent keeps its frames.

    Examples
    --------
    >>> try:
    ...     float("MILLER")
    ... except ValueError as caught:
    ...     print(traceback_of(caught).splitlines()[-1])
    ValueError (its text is left out: it may quote a file)
    """
    lines: list[str] = []
    if error.__cause__ is not None:
        lines = [traceback_of(error.__cause__), "", "from which followed:", ""]
    elif error.__context__ is not None and not error.__suppress_context__:
        lines = [traceback_of(error.__context__), "", "while that was answered, there came:", ""]
    if type(error).__name__ == "_RemoteTraceback":
        return "\n".join([*lines, *_frames_in(str(error))])
    if error.__traceback__ is not None:
        lines.append("Traceback (most recent call last):")
        lines += "".join(traceback.format_tb(error.__traceback__)).rstrip("\n").split("\n")
    kind, text = type(error).__name__, text_of(error)
    lines.append(f"{kind}: {text}" if text else f"{kind} {_LEFT_OUT}" if str(error) else kind)
    return "\n".join(lines)


def _frames_in(text: str) -> list[str]:
    """Return the frames of a traceback that came as text, each with its line of the program."""
    lines, after = ["Traceback of the worker:"], False
    for line in text.splitlines():
        is_frame = _FRAME.fullmatch(line) is not None
        if is_frame or (after and line.startswith("    ")):
            lines.append(line)
        after = is_frame
    return lines


# Reasons and flags without the names of files: those can hold the names of people.

_SHORTEST = 4
"""A stem below this length (MIT-BIH's 100) is no name, and may be a number of the message."""


def without_names(text: str, files: Iterable[Path]) -> str:
    """Replace the names of a recording's files, and of the folders they lie in.

    Examples
    --------
    >>> without_names("MILLER.dcm: expected 12 leads, found 8", [Path("in/MILLER.dcm")])
    'expected 12 leads, found 8'
    >>> without_names("cannot open MILLER.dat in /in", [Path("/in/MILLER.hea")])
    'cannot open the file in its folder'
    >>> without_names("MILLER.dat: found 0.3 s, at least 2.5 s of one beat", [Path("MILLER.hea")])
    'the file: found 0.3 s, at least 2.5 s of one beat'
    >>> without_names("expected a signal, found a flat line", [Path("flat.csv")])
    'expected a signal, found a flat line'
    """
    for file in files:
        text = re.sub(rf"^\W*{re.escape(file.name)}\W*:\s*", "", text)
        text = text.replace(str(file), "the file")
        # The folder of a path relative to where the command is run is ".", which is no name.
        if file.parent != Path():
            text = re.sub(rf"(?<!\w){re.escape(str(file.parent))}(?!\w)", "its folder", text)
        text = text.replace(file.name, "the file")
        stem = file.stem
        if len(stem) >= _SHORTEST:
            # In plain small letters it is a word that the message may need, but for its suffix.
            suffix = r"(\.\w+)+" if stem.isalpha() and stem.islower() else r"(\.\w+)*"
            text = re.sub(rf"(?<!\w){re.escape(stem)}{suffix}(?!\w)", "the file", text)
        folder = file.parent.name
        # A folder in plain small letters is a word that the message may need: beats, images.
        if len(folder) >= _SHORTEST and not folder.islower():
            text = re.sub(rf"(?<!\w){re.escape(folder)}(?!\w)", "its folder", text)
    return text


# What is said of a recording that could not be read: our words, and no name of a file.

_DEEPEST = 4
_CALLERS = ("cardio_core.types.samples", "cardio_core.context")


_MEDIUM = {
    errno.EIO: "reading fails; check the disk and the connection to it",
    errno.ESTALE: "it was replaced, or its server restarted, meanwhile; run the command again",
    errno.ETIMEDOUT: "its server does not answer; check the connection",
    errno.ENAMETOOLONG: "its name or path is longer than the file system takes; shorten it",
    errno.ELOOP: "its links lead in a circle; name the file itself",
    errno.ENXIO: "it is no regular file; name a copy of it",
    errno.ENODEV: "it is no regular file; name a copy of it",
}
"""What the system says of the place, not of the file: exporting it again would not help."""


def is_of_a_recording(error: BaseException, package: str) -> bool:
    """Whether the system refused a file of the data: where it lies, or one that vanished."""
    if not isinstance(error, OSError):
        return False
    if error.errno in _MEDIUM:
        return True
    place = Path(os.fsdecode(error.filename or "")) if not isinstance(error.filename, int) else None
    own = place is None or not place.is_absolute() or package in place.parts
    return error.errno in (errno.ENOENT, errno.EACCES, errno.EPERM) and not own


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
        A `DataError`; errors of ours that are about something else are returned as they are. Of
        several files it numbers the one that is meant; a JSON beside a recording does not count.

    Examples
    --------
    >>> print(unreadable(KeyError("MILLER^JOHN"), [Path("MILLER.dcm")]))
    expected a recording that can be read, found a damaged one (KeyError); export it again
    >>> print(unreadable(DataError("MILLER.dcm: expected 12 leads, found 8"), [Path("MILLER.dcm")]))
    expected 12 leads, found 8
    >>> print(unreadable(DataError("b.csv: expected numbers"), [Path("a.csv"), Path("b.csv")]))
    file 2 of 2: expected numbers
    >>> print(unreadable(DataError("a.nii: expected time"), [Path("a.nii"), Path("a.json")]))
    expected time
    """
    files = tuple(files)
    if isinstance(error, DataError):
        text = without_names(str(error), files)
        counted = [file for file in files if file.suffix.lower() != ".json"]
        for place, file in enumerate(counted, start=1):
            if len(counted) > 1 and str(error).startswith(f"{file.name}:"):
                text = f"file {place} of {len(counted)}: {text}"
        return error if text == str(error) else DataError(text, code=error.code)
    if isinstance(error, CardioError):
        return error
    if isinstance(error, MemoryError):
        return DataError(
            "expected a recording that fits into memory, found a larger one; free memory, or "
            "export it at a lower resolution",
            code="memory",
        )
    if isinstance(error, FileNotFoundError):
        return DataError(
            "expected the recording's file, found none (FileNotFoundError); check the path",
            code="missing",
        )
    if isinstance(error, PermissionError):
        return DataError("expected a file that may be read, found one that may not; allow it",
                         code="permission")  # fmt: skip
    if isinstance(error, OSError) and error.errno in _MEDIUM:
        return DataError(
            f"expected a recording that can be read, found that {_MEDIUM[error.errno]}"
        )
    kind = type(error).__name__ + _where(error)
    return DataError(
        f"expected a recording that can be read, found a damaged one ({kind}); export it again",
        code="damaged",
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
    for item in inner:
        yield from files_in(item, depth + 1)
