"""Names of files and folders that are made from data: columns, models, ids, names of inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from cardio_core.errors import DataError

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
        kept = cleaned[: LONGEST - _DIGITS - 1 - len(suffix)].rstrip("-.") or "unnamed"
        return super().__new__(cls, f"{kept}-{digits}{suffix}")

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
