"""What a plugin's code raised, told in one line that says where."""

from __future__ import annotations

import traceback
from pathlib import Path

from cardio_core.compute.lacking import lacking
from cardio_core.errors import HookError, LackingError
from cardio_core.types.wordless import text_of


def failed(
    package: str, title: str, error: BaseException, place: Path | None = None
) -> HookError | LackingError:
    """Return the one line for what a hook raised; `title` says which hook was called.

    A full disk, and memory that ran out, are no fault of the hook; `place` is where it wrote.

    The place is the deepest frame in the plugin's package; in none, the deepest frame. The result
    pickles, whatever `error` carries. What is kept of it, in the run and with ``--debug``, repeats
    nothing that a file of the data may hold.

    Examples
    --------
    >>> try:
    ...     {"ill": 1}["sick"]
    ... except KeyError as error:
    ...     print(str(failed("cardio_ppg", "plugin 'ppg', hook train", error)).partition(" (")[0])
    plugin 'ppg', hook train: KeyError: 'sick'
    """
    if (machine := lacking(error, title, place)) is not None and not _for_reading(error):
        return machine
    kind = type(error).__name__
    kept = f"{kind}: {text_of(error)}".rstrip(": ")
    # An author needs the words of his own code; what the system says names a file of the data.
    said = kept if isinstance(error, OSError) else f"{kind}: {' '.join(str(error).split())}"
    said, at = said.rstrip(": "), place_in(package, error)
    return HookError(f"{title}: {said} ({at})", f"{title}: {kept} ({at})")


def _for_reading(error: BaseException) -> bool:
    """Whether it says no more than that a file may not be opened: by the hook's own mistake."""
    return isinstance(error, PermissionError)


def place_in(package: str, error: BaseException) -> str:
    """Return the deepest frame of an error in a package: ``"cardio_ppg/rhythm/train.py:31"``."""
    frames = [
        (str(frame.f_globals.get("__name__", "")).partition(".")[0], frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    own = [frame for frame in frames if frame[0] == package]
    top, file, line = (own or frames)[-1]
    parts = Path(file).parts
    if top in parts:
        file = "/".join(parts[len(parts) - 1 - parts[::-1].index(top) :])
    return f"{file}:{line}"
