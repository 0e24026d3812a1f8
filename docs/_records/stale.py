"""Records that changed code, packages or data made stale.

``dependence.json`` keeps what each measurement went through, as tokens under the records that share
them: a digest and a name for a definition of the sources, ``numpy==2.4.6`` for a package, ``file``
or ``data`` with a name and a digest. A record is current as long as all its tokens are still found.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from . import record
from .definitions import Definition, Sources

_FILES = ("core", "plugins", "docs/forensics")
_KINDS = {".yaml", ".json", ".safetensors"}
_DATA = re.compile(r"\$CARDIO_DATA/(\w+)")
_NO_NUMBERS = {
    "click",
    "jinja2",
    "markupsafe",
    "matplotlib",
    "packaging",
    "pluggy",
    "pytest",
    "rich",
}
"""Packages whose versions alter no number."""


class Index:
    """What each measurement went through."""

    def __init__(self) -> None:
        self._path = record.ROOT / "docs" / "_records" / "dependence.json"
        self.tokens: dict[str, list[str]] = {}
        if self._path.is_file():
            for names, tokens in json.loads(self._path.read_text(encoding="utf-8")).items():
                for name in names.split():
                    self.tokens.setdefault(name, []).extend(tokens)

    def write(self) -> None:
        """Store it, the tokens of the same records together."""
        by_token: dict[str, list[str]] = {}
        for name, tokens in sorted(self.tokens.items()):
            for token in set(tokens):
                by_token.setdefault(token, []).append(name)
        groups: dict[str, list[str]] = {}
        for token, names in sorted(by_token.items()):
            groups.setdefault(" ".join(names), []).append(token)
        text = json.dumps(dict(sorted(groups.items())), ensure_ascii=False, indent=0)
        self._path.write_text(text + "\n", encoding="utf-8")


class Now:
    """The sources, packages and files as they are."""

    @cached_property
    def _sources(self) -> Sources:
        return Sources(record.ROOT)

    @cached_property
    def _packages(self) -> dict[str, str]:
        """Pinned packages by their plain names; they may differ from those installed here."""
        lines = (record.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        pinned = [line.split("==") for line in lines if "==" in line]
        return {_plain(name): version for name, version in pinned}

    @cached_property
    def _files(self) -> set[str]:
        return {
            _file_token(path)
            for folder in _FILES
            for path in (record.ROOT / folder).rglob("*")
            if path.suffix in _KINDS and "build" not in path.parts
        }

    def found(self, token: str) -> bool:
        """Return whether what a token stands for is still so."""
        kind, _, rest = token.partition(" ")
        if kind == "file":
            return token in self._files
        if kind == "data":
            here = _data_token(rest.partition(" ")[0])
            return here is None or here == token
        if "==" in token:
            name, _, version = token.partition("==")
            return self._packages.get(name) == version
        return kind in self._sources.digests

    def gone_through(self, name: str, raw: dict[str, Any], before: Iterable[str] = ()) -> list[str]:
        """Return the tokens of all that a record's measurement goes through.

        Parameters
        ----------
        name : str
            Of the record.
        raw : dict
            What the record's file holds.
        before : iterable of str
            Tokens of the last time. An entry that is no longer there is made up for by those of
            the definitions that are.

        Raises
        ------
        ValueError
            The record names no entry, or one that is not there.
        """
        entries, lacking = list(raw.get("entries", [])), []
        commands = raw.get("command", [])
        commands = [commands] if isinstance(commands, str) else commands
        for words in (command.split() for command in commands):
            paths = [word.partition("::")[0] for word in words]
            entries += [path for path in paths if path.endswith(".py")]
            entries += [after for word, after in pairwise(words)
                        if word == "-m" and "." in after]  # fmt: skip
        found: list[Definition] = []
        tokens = {token for one in commands for each in _DATA.findall(one)
                  if (token := _data_token(each))}  # fmt: skip
        for entry in dict.fromkeys(entries):
            path = record.ROOT / entry
            if path.suffix in _KINDS and path.is_file():
                tokens.add(_file_token(path))
            elif inside := self._sources.entry(entry):
                found += inside
            else:
                lacking.append(entry)
        if lacking:
            found += [one for token in before
                      if (one := self._sources.digests.get(token.partition(" ")[0]))]  # fmt: skip
        if (lacking and not before) or not (found or tokens or "entries" in raw):
            raise ValueError(
                f"{name}: no such entry: {', '.join(lacking)}" if lacking else
                f"{name}: names nothing that it went through; add entries"
            )  # fmt: skip
        reached = self._sources.reached(found)
        tokens |= {f"{one.digest} {_shown(one)}" for one in reached}
        homes = _homes()
        for root in {package for one in reached for package in one.packages}:
            for home in map(_plain, homes.get(root, ())):
                if home in self._packages and home not in _NO_NUMBERS:
                    tokens.add(f"{home}=={self._packages[home]}")
        return sorted(tokens)


@cache
def _homes() -> Mapping[str, list[str]]:
    """Return the distributions that a package may come from."""
    return metadata.packages_distributions()


def changed(now: Now, index: Index, names: Iterable[str]) -> dict[str, list[str]]:
    """Return what is no longer found of each record that is not as it was.

    A record of which nothing is known maps to an empty list; those marked or quoted are left out.
    """
    found = {}
    for name in names:
        one = record.read(name)
        if one.stale or "quoted" in one.raw:
            continue
        missing = [token for token in index.tokens.get(name, ()) if not now.found(token)]
        if missing or (name not in index.tokens and one.raw.get("entries") != []):
            found[name] = missing
    return found


def in_words(missing: list[str]) -> str:
    """Return in a line what is no longer found."""
    if not missing:
        return "nobody knows what it went through; see CONTRIBUTING.md"
    names = sorted({token if "==" in token else token.split()[1] for token in missing})
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"changed since: {', '.join(names[:6])}{more}"


def _shown(one: Definition) -> str:
    return one.names[0] if one.names else one.module.rpartition(".")[2]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _file_token(path: Path) -> str:
    """Return the token of a file; of YAML and JSON, its content alone counts."""
    content = path.read_bytes()
    if path.suffix == ".yaml":
        content = json.dumps(yaml.safe_load(content), default=str, sort_keys=True).encode()
    elif path.suffix == ".json":
        content = json.dumps(json.loads(content), sort_keys=True).encode()
    return f"file {path.name} {hashlib.sha256(content).hexdigest()[:8]}"


def _data_token(name: str) -> str | None:
    """Return the token of a folder of recordings, by names and sizes; None: it is not here."""
    folder = Path(os.environ.get("CARDIO_DATA", ""), name)
    if "CARDIO_DATA" not in os.environ or not folder.is_dir():
        return None
    listed = sorted((str(path.relative_to(folder)), path.stat().st_size)
                    for path in folder.rglob("*") if path.is_file())  # fmt: skip
    return f"data {name} {hashlib.sha256(repr(listed).encode()).hexdigest()[:8]}"
