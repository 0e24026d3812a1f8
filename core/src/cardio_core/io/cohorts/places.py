"""The files behind a cell of a path column, and what a wrong path may have meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from cardio_core.errors import DataError


def existing_paths(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files behind one cell of a path column; a folder stands for the files in it.

    They are in the order of the cell; the files of a folder by name, hidden ones left out.

    Raises
    ------
    DataError
        If a path does not exist, or a folder is empty. The message carries the file's name.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                item for item in path.iterdir() if item.is_file() and item.name[0] != "."
            )
            if not inside:
                raise DataError(
                    f"folder {path.name}: expected files, found none; fill it or drop it"
                )
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise DataError(f"{path.name}: no such file; {what_to_do(path)}")
    return tuple(found)


def what_to_do(path: Path) -> str:
    """Say what a path that does not exist may have meant."""
    other = re.search(r"(?:^|/)[A-Za-z]:", str(path))
    if other is not None:
        return "it is a path of another computer; write it relative to the table's folder"
    here = path.parent
    while not here.is_dir() and here != here.parent:
        here = here.parent
    if here != path.parent:
        missing = path.relative_to(here).parts[0]
        near = _nearest(missing, here)
        meant = f"did you mean {near}?" if near else (
            "relative paths are looked for beside the cohort table"
        )  # fmt: skip
        return f"there is no folder {missing} in {here.name or here}; {meant}"
    near = _nearest(path.name, here)
    if near:
        return f"did you mean {near}?"
    return "relative paths are looked for beside the cohort table"


def _nearest(name: str, folder: Path) -> str:
    """Return the entry of a folder whose name is nearest, or nothing."""
    try:
        names = [item.name for item in folder.iterdir() if item.name[0] != "."]
    except OSError:
        return ""
    lowered = {one.lower(): one for one in names}
    same = lowered.get(name.lower()) or next(
        (one for one in sorted(names) if Path(one).stem.lower() == Path(name).stem.lower()), None
    )
    if same:
        return same
    found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.8)
    return lowered[found[0]] if found else ""
