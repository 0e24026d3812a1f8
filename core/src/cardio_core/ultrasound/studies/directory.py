"""The files that a DICOMDIR names (PS3.3 F.3: directory records with a referenced file)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

_MOST_BYTES = 64_000_000


def referenced(directory: Path) -> Iterator[tuple[str, ...]]:
    """Yield the parts of every path; nothing where the directory cannot be read.

    Names that lead out of its folder are left out.
    """
    try:
        import pydicom

        if directory.stat().st_size > _MOST_BYTES:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(directory, specific_tags=["DirectoryRecordSequence"])
            found = [
                item.get("ReferencedFileID") for item in dataset.get("DirectoryRecordSequence", ())
            ]
    except Exception:  # whatever a damaged directory provokes: its files are found without it
        return
    for name in found:
        if name is None or name == "":
            continue
        parts = tuple(str(part) for part in ([name] if isinstance(name, str) else name))
        if not any(part in ("", ".", "..") or "/" in part for part in parts):
            yield parts
