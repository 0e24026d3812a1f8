"""Reasons and flags without the names of files: those can hold the names of people."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

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
