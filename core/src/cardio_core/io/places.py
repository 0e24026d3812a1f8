"""Where derived files are kept."""

from __future__ import annotations

import os
from pathlib import Path

from cardio_core.errors import ConfigError


def cache_dir() -> Path:
    """Return the cache folder: ``CARDIO_CACHE``, else ``cardio`` in the user's cache folder.

    Raises
    ------
    ConfigError
        If the user has no home folder, and nothing says where else.
    """
    named = os.environ.get("CARDIO_CACHE")
    if named:
        return Path(named).absolute()  # workers on a cluster stand in folders of their own
    base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base) / "cardio"
    try:
        return Path.home() / ".cache" / "cardio"
    except RuntimeError:  # neither HOME nor an entry among the users
        raise ConfigError(
            "expected a home folder for derived files, found none; set CARDIO_CACHE to a folder "
            "that may be written"
        ) from None


def open_cache() -> Path:
    """Return the cache folder, made where it was not, so that nobody but its owner looks into it.

    Features of patients lie in it. A folder that is there keeps the permissions that it has.

    Raises
    ------
    ConfigError
        If it cannot be made, or not be written.
    """
    folder = cache_dir()
    why = ""
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
    if why or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(
            f"{folder}: expected a folder for derived files that may be written, found one that "
            f"may not ({(why or 'read-only').lower()}); set CARDIO_CACHE to another"
        )
    return folder
