"""The files of a folder that are no loops: none is copied, and each is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_KINDS = {
    "PDF": (".pdf",),
    "picture": (".png", ".gif", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"),
    "text": (".txt", ".log", ".md", ".rtf", ".doc", ".docx", ".html", ".htm", ".xml"),
    "table": (".csv", ".tsv", ".xls", ".xlsx", ".ods", ".parquet"),
    "archive": (".zip", ".tar", ".gz", ".7z", ".rar", ".iso"),
    "facts beside a loop": (".json",),
}
"""A suffix of another kind may be a part of a name, and is not repeated."""


def passed_over(source: Path, loops: Iterable[Path]) -> list[tuple[Path, str]]:
    """Return every file of a folder that is no loop, in the order of paths, and what it is.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("letter.pdf", "DICOMDIR", ".thumbs", "of.Doe", "a.npy"):
    ...     _ = (root / name).write_bytes(b"")
    >>> for path, kind in passed_over(root, [root / "a.npy"]):
    ...     print(path.name, "is", kind)
    .thumbs is hidden file
    DICOMDIR is DICOMDIR
    letter.pdf is PDF
    of.Doe is other
    """
    if not source.is_dir():
        return []
    known = set(loops)
    others = (path for path in sorted(source.rglob("*")) if path.is_file() and path not in known)
    return [(path, _kind(path, source)) for path in others]


def counted(others: Sequence[tuple[Path, str]]) -> list[dict[str, Any]]:
    """Count files by what they are; no name is told."""
    found = Counter(kind for _, kind in others)
    return [{"kind": kind, "n": n} for kind, n in sorted(found.items())]


def _kind(path: Path, root: Path) -> str:
    if any(part.startswith(".") for part in path.relative_to(root).parts):
        return "hidden file"
    if path.name == "DICOMDIR":
        return "DICOMDIR"
    return kind_by_suffix(path)


def kind_by_suffix(path: Path) -> str:
    """Return what a file that is no loop is called, by the end of its name; else ``other``."""
    suffix = path.suffix.lower()
    return next((kind for kind, suffixes in _KINDS.items() if suffix in suffixes), "other")
