"""Workers on other machines: the same code and packages, the same files under the same paths."""

from __future__ import annotations

import platform
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from cardio_core.compute.executors import Executor
from cardio_core.errors import CardioError
from cardio_core.io.hashing import package_digest
from cardio_core.registry import Plugin
from cardio_core.runner.manifest import MARK
from cardio_core.runner.setup import open_with_defaults
from cardio_core.runner.standing.versions import CORE, versions_for

_SHARE = (
    "put the data, --out and the cache (CARDIO_CACHE) where all machines see them under one path"
)


@dataclass(frozen=True)
class Here:
    """What a worker elsewhere must have, as it is here.

    Attributes
    ----------
    plugin : str
    code : tuple of (str, str, str)
        Of each distribution of ours its name, version and digest of its sources.
    packages : tuple of (str, str)
        What else decides about numbers, and its version.
    marks : tuple of (str, str)
        Files with a word that nobody could guess, and the word.
    inputs : tuple of (str, int)
        What is read, and how large it is: bytes of a file, entries of a folder.
    """

    plugin: str
    code: tuple[tuple[str, str, str], ...]
    packages: tuple[tuple[str, str], ...]
    marks: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, int], ...]


@contextmanager
def alike(
    executor: Executor, plugin: Plugin, *, folders: Iterable[Path], inputs: Sequence[Path]
) -> Iterator[None]:
    """Check, and go on checking, that workers elsewhere are what this process is.

    Parameters
    ----------
    executor : Executor
        One whose workers are processes of this machine is asked nothing.
    plugin : Plugin
        What they need besides the core.
    folders : iterable of Path
        Where they write; each is marked with a small file for as long as this lasts.
    inputs : sequence of Path
        What they read.

    Raises
    ------
    ConfigError
        Which names the worker and what it lacks.
    """
    if not executor.remote:
        yield
        return
    marks = []
    try:
        for folder in folders:
            mark, word = folder.absolute() / f"{MARK}{secrets.token_hex(4)}", secrets.token_hex(8)
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(word, encoding="utf-8")
            marks.append((str(mark), word))
        here = Here(
            plugin.info.name,
            _code(plugin),
            _packages(plugin),
            tuple(marks),
            tuple((str(path.absolute()), _size(path)) for path in inputs),
        )
        with executor.requiring(partial(lacks, here)):
            yield
    finally:
        for name, _ in marks:
            with suppress(OSError):
                Path(name).unlink()


def lacks(here: Here) -> str:
    """Return what this process lacks of what another has, in words; empty where nothing."""
    try:
        plugin = open_with_defaults(here.plugin)
    except CardioError as error:
        return f"{error} (in the environment of the worker)"
    found = {name: (version, code) for name, version, code in _code(plugin)}
    for name, version, code in here.code:
        theirs, their_code = found.get(name, ("none", ""))
        if theirs != version:
            return f"{name} is {theirs} there and {version} here; install the same version"
        if their_code != code:
            return f"{name} {version} has other code there than here; install the same checkout"
    packages = dict(_packages(plugin))
    for name, version in here.packages:
        if packages.get(name) != version:
            there = packages.get(name, "missing")
            return f"{name} is {there} there and {version} here; install the same version"
    for file, word in here.marks:
        mark = Path(file)
        if not mark.is_file() or mark.read_text(encoding="utf-8") != word:
            return f"the folder {mark.parent} is not the one that this machine has there; {_SHARE}"
    for name, size in here.inputs:
        if _size(Path(name)) != size:
            return f"{name} is not there, or is another than here; {_SHARE}"
    return ""


def _code(plugin: Plugin) -> tuple[tuple[str, str, str], ...]:
    return (
        (CORE, metadata.version(CORE), package_digest("cardio_core")),
        (plugin.distribution, plugin.version, package_digest(plugin.package)),
    )


def _packages(plugin: Plugin) -> tuple[tuple[str, str], ...]:
    known = versions_for(plugin.distribution)["packages"]
    return (("python", platform.python_version()), *sorted(known.items()))


def _size(path: Path) -> int:
    """Return the bytes of a file or the entries of a folder; -1 where there is neither."""
    try:
        return sum(1 for _ in path.iterdir()) if path.is_dir() else path.stat().st_size
    except OSError:
        return -1
