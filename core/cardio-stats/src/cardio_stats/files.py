"""Files and folders that are either whole or not there, and what killed processes leave of them."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cardio_stats.errors import DataError, unusable
from cardio_stats.serialization import MalformedError, parse_json

# Names of files and folders that are made from data: columns, models, ids, names of inputs.

LONGEST = 80
"""Characters of a name: file systems take 255 bytes, and a file in the making has a longer name."""

DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL"} | {f"{port}{n}" for port in ("COM", "LPT") for n in range(10)}
)
"""Names that Windows keeps for itself, whatever follows their first dot."""

_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_ELSE = re.compile(r"[^A-Za-z0-9_.-]+")
_MARK = re.compile(r"-[0-9a-f]{8}$")
_SUFFIX = re.compile(r"(\.[a-z0-9]{1,12}){0,2}")
_DIGITS = 8


class SafeName(str):
    """A name of one file or folder that leads nowhere else, on any file system.

    It holds letters, digits, ``-``, ``_`` and ``.``, at most 80 of them; it begins with no dot,
    ends with none, and is no name that Windows reserves. A text that is such a name already stays
    as it is. Any other is cleaned and shortened, and gets eight digits of its SHA-256, so that two
    texts have two names. There is no other way to make one: what asks for a `SafeName` need not
    check it.

    Parameters
    ----------
    text : str
        Anything: the name of a column, say.
    suffix : str
        The ending of the file, ``".svg"``; none for a folder.
    marked : bool
        Add the digits in any case: for names that differ only in upper and lower case, which are
        one name on Windows and macOS.

    Raises
    ------
    ValueError
        If `suffix` is no ending of a file. It comes from code, never from data.

    Examples
    --------
    >>> SafeName("honest-roc-outcome", ".svg")
    'honest-roc-outcome.svg'
    >>> SafeName("../../etc/passwd", ".svg")
    'etc-passwd-3754d6cb.svg'
    """

    __slots__ = ()

    def __new__(cls, text: str, suffix: str = "", *, marked: bool = False) -> SafeName:
        """Return `text` and `suffix` as they are where that is safe, else cleaned and marked."""
        if not _SUFFIX.fullmatch(suffix):
            raise ValueError(f"expected the ending of a file, found {suffix!r}")
        whole = f"{text}{suffix}"
        if _is_safe(whole) and text and not marked:
            return super().__new__(cls, whole)
        digits = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
        cleaned = re.sub(r"[.-]{2,}", "-", _ELSE.sub("-", text)).strip("-.")
        if _reserved(cleaned):
            cleaned = f"x-{cleaned}"
        retained = cleaned[: LONGEST - _DIGITS - 1 - len(suffix)].rstrip("-.") or "unnamed"
        return super().__new__(cls, f"{retained}-{digits}{suffix}")

    @classmethod
    def of_all(cls, texts: Iterable[str], suffix: str = "") -> dict[str, SafeName]:
        """Return a name for each of the texts; no two are equal where case does not count.

        Examples
        --------
        >>> SafeName.of_all(["7", "a/b", "A1", "a1"])
        {'7': '7', 'a/b': 'a-b-c14cddc0', 'A1': 'A1-16a36e86', 'a1': 'a1-f55ff16f'}
        """
        made = {text: cls(text, suffix) for text in texts}
        seen: dict[str, int] = {}
        for name in made.values():
            seen[name.lower()] = seen.get(name.lower(), 0) + 1
        return {
            text: cls(text, suffix, marked=seen[name.lower()] > 1) for text, name in made.items()
        }


def inside(root: Path, path: Path) -> Path:
    """Return `path`; it lies in `root`, also after links are followed.

    Raises
    ------
    DataError
        If it lies elsewhere, or is `root` itself.
    """
    try:
        place, home = path.resolve(), root.resolve()
    except (OSError, RuntimeError):  # a circle of links
        place = home = root
    if place == home or not place.is_relative_to(home):
        raise DataError(
            f"{path.name[:LONGEST]!r}: expected a file inside {root.name or root}, found a name or "
            "a link that leads elsewhere; remove the link"
        )
    return path


def without_mark(stem: str) -> str:
    """Return the name of a file for a title: without the digits that tell it from others.

    Examples
    --------
    >>> without_mark(SafeName("by-class-my model"))
    'by-class-my-model'
    """
    return _MARK.sub("", stem)


def _is_safe(name: str) -> bool:
    plain = len(name) <= LONGEST and _SAFE.fullmatch(name) is not None
    return plain and not name.endswith(".") and not _reserved(name)


def _reserved(name: str) -> bool:
    return name.partition(".")[0].upper() in DEVICES


MOST_BYTES = 256 << 20
"""Of a text that is read at once: more is no file of ours."""

_NAME = re.compile(
    r"^\..+\.(?P<file>(?:[0-9a-f]{6}-)?\d+)\.tmp$|.\.partial-(?P<folder>(?:[0-9a-f]{6}-)?\d+)$"
)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file name beside `path`; rename it to `path` on success.

    A process killed inside leaves `path` as it was.

    Raises
    ------
    DataError
        If a folder stands there.
    OSError
        As the system has it, of `path`.
    """
    temporary = temporary_file(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except IsADirectoryError:
        raise DataError(
            f"{path.name}: expected a file or nothing, found a folder; move it away", code="exists"
        ) from None
    except OSError as error:
        _name(error, path, temporary)
        raise
    finally:
        with suppress(OSError):  # read-only by now: what was wrong says more
            temporary.unlink(missing_ok=True)


def _name(error: OSError, path: Path, temporary: Path) -> None:
    """Let an error of the system name the file that was to be written, not the temporary one."""
    if error.errno is not None:
        place = str(error.filename2 or error.filename or path)  # a copy names both ends
        error.filename, error.filename2 = place.replace(str(temporary), str(path)), None
        error.written = True  # type: ignore[attr-defined]  # ours to name; a recording is not


_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Halves of characters that stand for no byte of a path."""


def file_in(root: Path, folder: str, name: SafeName) -> Path:
    """Return the place of a file whose name comes from data; its folder is made.

    Parameters
    ----------
    root : Path
        What the command may write into: a run directory, say.
    folder : str
        Of `root`; its name comes from code.
    name : SafeName

    Raises
    ------
    DataError
        If the place lies outside `root` once links are followed.
    """
    path = inside(root, root / folder / name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_text(path: Path, text: str, *, mode: int | None = None) -> None:
    """Write a text file whole or not at all; `mode` says who may read it, where not the umask does.

    Names of files can hold bytes that are no text: their numbers are written.
    """
    with replacing(path) as temporary:
        if mode is not None:
            temporary.touch(mode)
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, content: Any, *, mode: int | None = None) -> None:
    """Write strict JSON (no NaN), indented, whole or not at all.

    A path that was typed where the locale knows no letters but ASCII arrives in halves of
    characters; they are put together again, and bytes that are no text are marked as such.
    """
    text = json.dumps(content, indent=2, allow_nan=False)
    if "\\ud" in text:
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
        whole = _NO_BYTE.sub("\ufffd", text).encode("utf-8", "surrogateescape")
        text = whole.decode("utf-8", "replace")
    write_text(path, text + "\n", mode=mode)


def read_text(path: Path, *, most_bytes: int = MOST_BYTES) -> str:
    """Read a text file.

    Raises
    ------
    DataError
        If it is not there, is no plain file, holds more than `most_bytes`, or is not UTF-8.
    """
    content = _content(path, most_bytes)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path.name}: expected text in UTF-8, found another byte in line {line}; put back a "
            "whole copy of the file",
            code="damaged",
        ) from None


def _content(path: Path, most_bytes: int) -> bytes:
    expected, do = "a file that can be read", "put back a whole copy of the folder"
    if not path.exists():
        raise unusable(path.name, expected, "none", do, code="missing")
    if not path.is_file():  # a pipe would be waited for until somebody writes into it
        raise unusable(
            path.name, expected, "something that is no plain file", do, code="unsupported"
        )
    if path.stat().st_size > most_bytes:
        most = f"at most {most_bytes / 1e6:.0f} MB"
        raise unusable(path.name, most, f"{path.stat().st_size / 1e6:.0f} MB", do, code="too_large")
    try:
        return path.read_bytes()
    except PermissionError:
        raise unusable(
            path.name, expected, "one that may not be", "allow reading it", code="permission"
        ) from None


def read_json(path: Path, *, most_bytes: int = MOST_BYTES) -> Any:
    """Read a JSON file.

    Raises
    ------
    DataError
        As `read_text`; or if it is no JSON, names an entry twice, is nested too deeply, or holds
        what is no number.
    """
    try:
        return parse_json(read_text(path, most_bytes=most_bytes))
    except MalformedError as error:
        raise DataError(
            f"{path.name}: expected valid JSON, found something else ({error}); put back a whole "
            "copy of the file",
            code="damaged",
        ) from None


def whole_directory(path: Path, fill: Callable[[Path], Any], *, keep_others: bool = False) -> Any:
    """Fill a folder under a temporary name and rename it: it exists only when it is complete.

    What killed processes left of it is thrown away, unless others make the like beside it.

    Parameters
    ----------
    path : Path
    fill : callable
        Called with the temporary folder; what it returned is returned.
    keep_others : bool
        Where another process made the folder meanwhile, that one stays: both hold the same, and
        somebody may read it already. Else it is replaced.
    """
    temporary = temporary_folder(path)
    if not keep_others:  # else they are many, and to list all for each would be slow: `sweep_cache`
        for leftover in leftovers(path.parent.glob(f"{glob.escape(path.name)}.partial-*")):
            shutil.rmtree(leftover, ignore_errors=True)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        result = fill(temporary)
        if path.exists() and not keep_others:
            shutil.rmtree(path)
        try:
            temporary.replace(path)
        except OSError as error:
            if not keep_others or error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            shutil.rmtree(temporary, ignore_errors=True)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            _name(error, path, temporary)
        raise
    return result


def temporary_file(path: Path) -> Path:
    """Return the name beside `path` under which this process writes it."""
    return path.with_name(f".{path.name}.{_place()}-{os.getpid()}.tmp")


def temporary_folder(path: Path) -> Path:
    """Return the name beside `path` under which this process fills it."""
    return path.with_name(f"{path.name}.partial-{_place()}-{os.getpid()}")


def leftovers(names: Iterator[Path], *, also_of_living: bool = False) -> Iterator[Path]:
    """Return those of some paths that a process left unfinished when it was killed.

    What a process of another machine or container writes cannot be told from what it left there,
    and is passed over.

    Parameters
    ----------
    names : iterator of Path
    also_of_living : bool
        Take all that is unfinished: nobody else may write there.

    Examples
    --------
    >>> list(leftovers(iter([Path("run/.metrics.json.0a1b2c-12.tmp")]), also_of_living=True))
    [PosixPath('run/.metrics.json.0a1b2c-12.tmp')]
    >>> list(leftovers(iter([temporary_file(Path("metrics.json"))])))
    []
    """
    for path in names:
        found = _NAME.search(path.name)
        if found and (also_of_living or _died(found["file"] or found["folder"])):
            yield path


def sweep_run(run: Path) -> None:
    """Delete everything unfinished in a run directory that this process holds."""
    _delete(leftovers(run.rglob("*"), also_of_living=True))


def sweep_cache(folder: Path) -> None:
    """Delete what killed processes left in a cache; others may be at work there."""
    for depth in ("*", "*/*", "*/*/*"):
        _delete(leftovers(folder.glob(depth)))


def _delete(paths: Iterator[Path]) -> None:
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def _died(owner: str) -> bool:
    place, _, process = owner.rpartition("-")
    if place != _place() or os.name != "posix":
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


@cache
def _place() -> str:
    """Return a short name of this machine and its space of process ids: containers share ids."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:6]
