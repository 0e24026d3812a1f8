"""Code and packages by which a run's numbers came about."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from cardio_core.compute.devices import cpu_count, processor_name
from cardio_core.compute.executors import Executor
from cardio_core.io.hashing import package_digest
from cardio_core.registry import Plugin
from cardio_core.registry.diagnostics import requirements, version_at_start
from cardio_core.runner.manifest import MARK, git_commit
from cardio_core.runner.request import RunRequest
from cardio_core.runner.setup import Setup, open_with_defaults
from cardio_stats.errors import CardioError, Code, ConfigError

CORE = "cardio-core"

ASIDE = frozenset(
    {
        "click", "pluggy", "pydantic", "pyyaml", "matplotlib", "jinja2", "joblib", "packaging",
        "rich", "defusedxml", "safetensors", "skops",
    }
)  # fmt: skip
"""Packages that talk, draw, schedule or store: no number is computed or read by them."""


def code_of(plugin: Plugin) -> dict[str, Any]:
    """Return versions, digests of the sources and commits of the core and of a plugin."""
    return {
        "core": {
            "version": version_at_start(CORE),
            "code": package_digest("cardio_core"),
            "commit": git_commit(Path(__file__).parent),
        },
        "plugin": {
            "name": plugin.info.name,
            "version": plugin.version,
            "code": package_digest(plugin.package),
            "commit": _commit_of(plugin),
        },
    }


def versions_for(distribution: str) -> dict[str, dict[str, str]]:
    """Return the versions of what the core and a plugin's distribution require themselves.

    Returns
    -------
    dict
        ``packages`` compute or read, ``aside`` do neither. What is not installed is in neither.

    Examples
    --------
    >>> found = versions_for("cardio-core")
    >>> "numpy" in found["packages"], "click" in found["aside"]
    (True, True)
    """
    names = {
        requirement.name for name in (CORE, distribution) for requirement in requirements(name)
    } - {CORE}
    found: dict[str, dict[str, str]] = {"packages": {}, "aside": {}}
    for name in sorted(names, key=str.lower):
        if version := version_at_start(name):
            found["aside" if name.lower() in ASIDE else "packages"][name] = version
    return found


def machine() -> dict[str, Any]:
    """Return what is known of this machine that may move a number's last digits.

    Each process computes in one thread (`cardio_core.compute.processes`).
    """
    return {
        "system": platform.system(),
        "processor": processor_name(),
        "cores": cpu_count(),
        "threads_a_process": int(os.environ.get("OMP_NUM_THREADS") or 1),
    }


def _commit_of(plugin: Plugin) -> str | None:
    file = plugin.module.__file__
    return git_commit(Path(file).parent) if file else None


# What a run stands on, as its manifest keeps it under ``stands_on``.


def ground_of(request: RunRequest, setup: Setup) -> dict[str, Any]:
    """Return all of it that is known before the data are read."""
    device = setup.devices[0]
    return {
        **code_of(setup.plugin),
        "python": platform.python_version(),
        **versions_for(setup.plugin.distribution),
        "device": {"kind": device.kind, "name": device.name, "precision": device.precision},
        "machine": machine(),
        "executor": request.executor,
    }


# What a run stood on then, beside what it would stand on now: what differs, in words.

Kind = Literal["data", "settings", "code", "packages", "device", "machine"]

UNNAMED = "own:"
"""Begins the key of a column that is kept without its name."""

_SHOWN = 3
_SAME_CODE = "the sources of {} differ (version {} both times)"


class NotTheSameError(ConfigError):
    """A run would go on as another; nothing of it was touched."""

    code: Code = "mismatch"


@dataclass(frozen=True)
class Difference:
    """One thing that differs.

    Attributes
    ----------
    kind : {"data", "settings", "code", "packages", "device", "machine"}
    words : str
        A clause: ``"numpy is 2.4.6, was 2.3.1"``.
    tolerated : bool
        Whether a run goes on all the same: no number hangs on it, or its last digits at most.
    """

    kind: Kind
    words: str
    tolerated: bool = False


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Return what differs in code, packages, device and machine; the gravest first.

    Parameters
    ----------
    then, now : mapping
        Entries ``stands_on`` of manifests.
    """
    found = [*_code(then, now), *_packages(then, now)]
    for part, key, title, tolerated in _PLACES:
        before, after = then[part][key], now[part][key]
        if before != after and not any(item.kind == part for item in found):
            found.append(Difference(part, f"the {title} is {after}, was {before}", tolerated))
    return sorted(found, key=lambda item: item.tolerated)


_PLACES: tuple[tuple[Kind, str, str, bool], ...] = (
    ("device", "kind", "device", False),
    ("device", "precision", "precision", False),
    ("device", "name", "device", True),
    ("machine", "system", "system", True),
    ("machine", "processor", "processor", True),
)
"""Where numbers were computed: of a part the first that differs is said."""


def settings_differ(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Return the settings of two resolved configurations that differ.

    Examples
    --------
    >>> [item.words for item in settings_differ({"inner": {"k": 1}}, {"inner": {"k": 3}})]
    ['inner.k is 3, was 1']
    """
    before, after = dict(_flat(then)), dict(_flat(now))
    names = [*before, *(name for name in after if name not in before)]
    return [
        Difference("settings", f"{name} is {_shown(after, name)}, was {_shown(before, name)}")
        for name in names
        if before.get(name, _MISSING) != after.get(name, _MISSING)
    ]


def data_differ(
    then: Mapping[str, Any], now: Mapping[str, Any],
    detail_then: Mapping[str, Any], detail_now: Mapping[str, Any],
) -> list[Difference]:  # fmt: skip
    """Return what differs in the data.

    Parameters
    ----------
    then, now : mapping
        ``recordings``, ``labels`` and ``table``: one digest each.
    detail_then, detail_now : mapping
        What `contents.json` holds.
    """
    before, after = detail_then["recordings"], detail_now["recordings"]
    shared = [name for name in before if name in after]
    words = []
    if gone := [name for name in before if name not in after]:
        words.append(f"{_counted(gone, len(before))} not there any more")
    if new := [name for name in after if name not in before]:
        words.append(f"{_counted(new, len(after))} new")
    for key, what in _PARTS.items():
        if other := [name for name in shared if before[name][key] != after[name][key]]:
            words.append(f"{what} of {_counted(other, len(before))} differ")
    columns = {**detail_then["table"], **detail_now["table"]}
    other = [
        name for name in columns
        if detail_then["table"].get(name) != detail_now["table"].get(name)
    ]  # fmt: skip
    if other:
        n_own = sum(name.startswith(UNNAMED) for name in other)
        named = [name for name in other if not name.startswith(UNNAMED)]
        named += [f"{n_own} of the columns that nothing reads"] if n_own else []
        words.append(f"the cohort table differs in {_listed(named)}")
    if not words and then["labels"] != now["labels"]:
        words.append("labels of people without a recording, or what is not scored, differ")
    return [Difference("data", word) for word in words]


_MISSING = object()
_PARTS = {
    "content": "the files",
    "patient": "the patients",
    "about": "what is known",
    "labels": "the labels",
}


def _code(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    titles = {"core": "cardio-core", "plugin": f"plugin {now['plugin']['name']}"}
    for part, title in titles.items():
        before, after = then[part], now[part]
        if before["version"] != after["version"]:
            yield Difference("code", f"{title} is {after['version']}, was {before['version']}")
        elif before["code"] != after["code"]:
            yield Difference("code", _SAME_CODE.format(title, after["version"]))


def _packages(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    if then["python"] != now["python"]:
        minor = [text.split(".")[:2] for text in (then["python"], now["python"])]
        words = f"Python is {now['python']}, was {then['python']}"
        yield Difference("packages", words, tolerated=minor[0] == minor[1])
    for part in ("packages", "aside"):
        after = now[part]
        for name, version in then[part].items():
            # What nothing requires any more decides about nothing; what lacks opens no plugin.
            if after.get(name, version) != version:
                words = f"{name} is {after[name]}, was {version}"
                yield Difference("packages", words, tolerated=part == "aside")


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _shown(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name, _MISSING)
    return "not set" if value is _MISSING or value is None else str(value)


def _counted(names: list[str], n: int) -> str:
    return f"{len(names)} of {n} recordings ({_listed(names)})"


def _listed(names: list[str]) -> str:
    more = ", ..." if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


# Workers on other machines: the same code and packages, the same files under the same paths.

_SHARE = (
    "put the data, --out and the cache (CARDIO_CACHE) where all machines see them under one path"
)


@dataclass(frozen=True)
class Here:
    """What a worker elsewhere must have, as it is here.

    Attributes
    ----------
    plugin : str
    packages : tuple of (str, str, str)
        Of what decides about numbers name, version and, of ours, the digest of the sources.
    marks : tuple of (str, str)
        Files with a word that nobody could guess, and the word.
    inputs : tuple of (str, int)
        What is read, and how large it is: bytes of a file, entries of a folder.
    """

    plugin: str
    packages: tuple[tuple[str, str, str], ...]
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
            _installed(plugin),
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
    found = {name: (version, code) for name, version, code in _installed(plugin)}
    for name, version, code in here.packages:
        theirs, their_code = found.get(name, ("missing", ""))
        if theirs != version:
            return f"{name} is {theirs} there and {version} here; install the same version"
        if their_code != code:
            return f"{name} {version} has other code there than here; install the same checkout"
    for file, word in here.marks:
        mark = Path(file)
        if not mark.is_file() or mark.read_text(encoding="utf-8") != word:
            return f"the folder {mark.parent} is not the one that this machine has there; {_SHARE}"
    for name, size in here.inputs:
        if _size(Path(name)) != size:
            return f"{name} is not there, or is another than here; {_SHARE}"
    return ""


def _installed(plugin: Plugin) -> tuple[tuple[str, str, str], ...]:
    known = versions_for(plugin.distribution)["packages"]
    return (
        (CORE, version_at_start(CORE), package_digest("cardio_core")),
        (plugin.distribution, plugin.version, package_digest(plugin.package)),
        ("python", platform.python_version(), ""),
        *((name, version, "") for name, version in sorted(known.items())),
    )


def _size(path: Path) -> int:
    """Return the bytes of a file or the entries of a folder; -1 where there is neither."""
    try:
        return sum(1 for _ in path.iterdir()) if path.is_dir() else path.stat().st_size
    except OSError:
        return -1
