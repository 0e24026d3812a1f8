"""Where derived files are kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """Return the cache folder: ``CARDIO_CACHE``, else ``cardio`` in the user's cache folder."""
    named = os.environ.get("CARDIO_CACHE")
    if named:
        return Path(named).absolute()  # workers on a cluster stand in folders of their own
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cardio"


def open_cache() -> Path:
    """Return the cache folder, made where it was not, so that nobody but its owner looks into it.

    Features of patients lie in it. A folder that is there keeps the permissions that it has.
    """
    folder = cache_dir()
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    return folder
