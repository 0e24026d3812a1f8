"""Files and folders that are either whole or not there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cardio_core.errors import DataError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file name beside `path`; rename it to `path` on success.

    A process killed inside leaves `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write strict JSON (no NaN), indented, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_text(path: Path) -> str:
    """Read a text file.

    Raises
    ------
    DataError
        If it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path.name}: expected text in UTF-8, found another byte in line {line}; put back a "
            "whole copy of the file"
        ) from None


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    DataError
        If it is no JSON, or is nested too deeply.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}"
    except (ValueError, RecursionError) as error:
        where = "a number too long" if isinstance(error, ValueError) else "too many levels"
    raise DataError(
        f"{path.name}: expected valid JSON, found something else ({where}); put back a whole copy "
        "of the file"
    )


def whole_directory(path: Path, fill: Callable[[Path], Any]) -> Any:
    """Fill a folder under a temporary name and rename it: it exists only when it is complete.

    An unfinished leftover of an earlier attempt is thrown away. `fill` is called with the temporary
    folder; what it returned is returned.
    """
    temporary = path.with_name(f"{path.name}.partial-{os.getpid()}")
    for leftover in path.parent.glob(f"{path.name}.partial-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        result = fill(temporary)
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return result
