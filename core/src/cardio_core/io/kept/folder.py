"""A folder that somebody else may have made: nothing in it leads out of it, or on for ever."""

from __future__ import annotations

import os
from pathlib import Path

from cardio_core.errors import DataError, unusable

MOST_FILES = 200_000
MOST_LEVELS = 24


def guard_folder(folder: Path) -> None:
    """Raise where a folder holds a link, a pipe or a device, or more than any run does.

    What was typed may itself be a link. Of links inside none is followed: whether it leads out of
    the folder, or round in a circle, could change between the look and the reading.

    Raises
    ------
    DataError
        In one line.
    """
    n = 0
    waiting = [(folder, 0)]
    while waiting:
        place, level = waiting.pop()
        if level > MOST_LEVELS:
            raise DataError(
                f"{folder}: expected a folder of a run, found more than {MOST_LEVELS} folders in "
                "one another; name the run itself"
            )
        try:
            with os.scandir(place) as entries:
                found = list(entries)
        except PermissionError:
            raise _not_read(folder, Path(place)) from None
        n += len(found)
        if n > MOST_FILES:
            raise DataError(
                f"{folder}: expected a folder of a run, found more than {MOST_FILES} files; name "
                "the run itself"
            )
        for entry in found:
            if entry.is_symlink():
                raise _refused(folder, entry.path, "a link", "put the file itself there")
            if entry.is_dir(follow_symlinks=False):
                waiting.append((Path(entry.path), level + 1))
            elif not entry.is_file(follow_symlinks=False):
                raise _refused(folder, entry.path, "no plain file", "take it away")


def _refused(folder: Path, path: str, found: str, do: str) -> DataError:
    name = os.path.relpath(path, folder)
    return unusable(f"{folder}", "files of its own alone", f"{found} at {name!r}", do)


def _not_read(folder: Path, place: Path) -> DataError:
    name = os.path.relpath(place, folder)
    return unusable(f"{folder}", "folders that may be read", f"one that may not at {name!r}",
                    "allow reading it")  # fmt: skip
