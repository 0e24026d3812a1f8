"""Digests: what was read, with which code, under which settings."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from cardio_stats.errors import DataError


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's content.

    Raises
    ------
    DataError
        If it is no regular file: a device or a pipe may never end.
    """
    if path.exists() and not path.is_file():
        raise DataError(f"expected a file, found {path.name!r}, which is none; name a regular file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(content: Any) -> str:
    """Return the SHA-256 of a JSON-ready value, independent of the order of keys."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def directory_digest(path: Path) -> str:
    """Return one digest over the names and contents of all files below a folder."""
    files = sorted(item for item in path.rglob("*") if item.is_file())
    return digest([(str(item.relative_to(path)), file_digest(item)) for item in files])


def package_digest(package: str) -> str:
    """Return a digest over a package's Python sources, so that edited code misses the cache."""

    def sources(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
        found = []
        for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if item.is_dir() and item.name != "__pycache__":
                found += sources(item, f"{prefix}{item.name}/")
            elif item.name.endswith(".py"):
                found.append((prefix + item.name, hashlib.sha256(item.read_bytes()).hexdigest()))
        return found

    return digest(sources(resources.files(package), ""))
