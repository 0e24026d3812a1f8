"""Where things lie on this machine: kept beside a result for its owner alone, in no shared file."""

from __future__ import annotations

import os
import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from cardio_core.io.run_artifact import words_of
from cardio_core.io.run_schema import Entries, FileSchema
from cardio_stats.files import write_json

FILE = "places.json"
"""In a run directory: the command as it was typed, and in which folder. Nobody else may read it."""

OWNER_ALONE = 0o600
_UP = 2
"""Folders that a shown path may climb: further up lie home folders and their owners' names."""

_ABSOLUTE = re.compile(r"(?<![\w.:/\\)\]~-])(?:~[\w.-]*|[A-Za-z]:)?[/\\](?:[^/\\\s'\",;]+[/\\])+")


class Places(Entries):
    """What stands in the file."""

    command: list[str] | None = None
    folder: str | None = None
    members: dict[str, str] | None = None


PLACES = FileSchema("where things lie on this machine", Places, most_bytes=1 << 20)


def keep_places(run: Path, **more: Any) -> None:
    """Keep places of this machine in a folder, readable for its owner alone."""
    path = run / FILE
    known = PLACES.read_or(path, {})
    write_json(path, {**known, "folder": str(Path.cwd()), **more}, mode=OWNER_ALONE)


def stored_places(run: Path) -> Mapping[str, Any]:
    """Return what is kept in a folder; nothing where the file did not come along."""
    return dict(PLACES.read_or(run / FILE, {}))


def typed_command(run: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Return the words of the command that made a folder, with the places of then where known.

    Raises
    ------
    DataError
        If the file or the command is damaged.
    """
    return list(stored_places(run).get("command") or words_of(manifest.get("command")))


def shown_command(command: str | Sequence[str]) -> str | list[str]:
    """Return a command as it is shared: of a path that tells where it lies, the last part.

    Examples
    --------
    >>> shown_command("cardio run --data /srv/ada/crt/cohort.csv --set a.b=/srv/x/y")
    'cardio run --data cohort.csv --set a.b=y'
    >>> shown_command(["cardio", "judge", "tables/p.csv", "--out=../../../ada/x"])
    ['cardio', 'judge', 'tables/p.csv', '--out=x']
    """
    words = [_shown(word) for word in words_of(command)]
    return shlex.join(words) if isinstance(command, str) else words


def _shown(word: str) -> str:
    head, equals, path = word.rpartition("=")
    return f"{head}{equals}{shown_path(path)}"


def shown_path(path: str) -> str:
    r"""Return a path, or its last part alone where it tells where it lies, or of whom it is.

    Examples
    --------
    >>> shown_path("data/cohort.csv"), shown_path("/srv/cohort.csv"), shown_path(r'C:\a\b')
    ('data/cohort.csv', 'cohort.csv', 'b')
    """
    pure = PureWindowsPath(path) if "\\" in path or path[1:2] == ":" else PurePosixPath(path)
    parts = {part.casefold() for part in pure.parts[:-1]}
    tells = pure.is_absolute() or path.startswith("~") or pure.parts.count("..") > _UP
    return pure.name if tells or parts & _own_names() else path


def without_places(text: str) -> str:
    """Return a text in which each absolute path is its last part alone.

    Examples
    --------
    >>> without_places("Report: /srv/ada/run/report.html; 80 beats/min, see https://x.org/a/b")
    'Report: report.html; 80 beats/min, see https://x.org/a/b'
    """
    return _ABSOLUTE.sub("", text)


def _own_names() -> set[str]:
    """Return what nobody else need know: who works here, and on which machine."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or os.environ.get("USERNAME") or ""
    return {name.casefold() for name in (user, platform.node()) if name}
