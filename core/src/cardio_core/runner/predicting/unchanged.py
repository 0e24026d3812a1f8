"""That a finished run answers by what it wrote, and not by what became of its files since."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cardio_core.errors import DataError
from cardio_core.io.hashing import file_digest

ANSWERS_BY = ("config.yaml", "conformal/", "models/final/")
"""The files of a run directory, and beginnings of their places, that an answer depends on."""


def guard_unchanged(run: Path, manifest: Mapping[str, Any]) -> None:
    """Raise unless the files that answer are those that the run wrote.

    A manifest that lists no files says nothing about them.

    Raises
    ------
    DataError
        Naming the first file that is missing, was changed, or is damaged.
    """
    for place, digest in (manifest.get("outputs") or {}).items():
        if not place.startswith(ANSWERS_BY):
            continue
        file = run / place
        found = "none" if not file.is_file() else "another content"
        if found == "none" or file_digest(file) != digest:
            raise DataError(
                f"{place}: expected the file that the run wrote, found {found}; put back a whole "
                "copy of the run, or run it again"
            )
