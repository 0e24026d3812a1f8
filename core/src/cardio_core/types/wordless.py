"""What is repeated of errors that are not ours: kind and place, and no word that a file may hold.

Python and libraries quote in their errors what they met: a header's text, a path, a cell. Such a
traceback is what people paste into a report of a bug, so it is cleaned where it is shown.
"""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from cardio_core.errors import CardioError, HookError, LackingError

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
    if isinstance(error, HookError | LackingError):
        return error.kept
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
    kind, said = type(error).__name__, text_of(error)
    lines.append(f"{kind}: {said}" if said else f"{kind} {_LEFT_OUT}" if str(error) else kind)
    return "\n".join(lines)


def _frames_in(text: str) -> list[str]:
    """Return the frames of a traceback that came as text, each with its line of the program."""
    kept, after = ["Traceback of the worker:"], False
    for line in text.splitlines():
        is_frame = _FRAME.fullmatch(line) is not None
        if is_frame or (after and line.startswith("    ")):
            kept.append(line)
        after = is_frame
    return kept
