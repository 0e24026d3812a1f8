"""Reasons without the names of files: people are named in them, and outputs must name nobody."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cardio_core.ultrasound.loops.stated import sidecar_of


def nameless(reason: str, *paths: Path) -> str:
    """Take the names of files out of a reason that goes to an output.

    Parameters
    ----------
    reason : str
        One line, ``NAME: expected ..., found ...; what to do``.
    *paths : Path
        The loop, and the files that belong to it.

    Returns
    -------
    str
        From "expected" on, or all that follows the name. Where one of the names, that of a JSON
        beside a file or that of its folder still stands in it, a sentence that says no more than
        that the loop cannot be used.

    Examples
    --------
    >>> nameless("ASHDOWN.avi: expected 8 frames, found 3; export it again", Path("ASHDOWN.avi"))
    'expected 8 frames, found 3; export it again'
    >>> nameless("cannot open ASHDOWN.avi", Path("ASHDOWN.avi"))
    'expected a loop that can be read, found another file; look at it'
    """
    names = [name for path in paths for name in (path.name, sidecar_of(path).name)]
    said = reason
    for name in names:
        said = said.removeprefix(name)
    begins = said.find("expected ")
    said = said[begins:] if begins >= 0 else said.lstrip(": ")
    names += [str(Path(os.path.realpath(path)).parent) for path in paths]
    leaks = any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said) for name in names)
    return "expected a loop that can be read, found another file; look at it" if leaks else said
