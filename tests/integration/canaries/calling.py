"""Calls commands in this process, and searches all that they wrote anywhere."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from cardio_core.io.places import FILE as PRIVATE
from cardio_core.testing import call_cardio
from cardio_core.testing.searching import Canaries

from .pictures import MarkFinder
from .words import EVERYTHING, PLACE_OF

CANARIES = Canaries(EVERYTHING.values())
DONE, REFUSED, EITHER = (0,), (1, 2, 3), (0, 1, 2, 3)
"""How a command may end: having done its work, in a line that says why not, or one of both."""

MARK = "mark in the corner"


@dataclass(frozen=True)
class Answer:
    """What came of one command.

    Attributes
    ----------
    command : str
        Its name in the table.
    kind : str
        Kind of file or cohort that it was given.
    exit_code : int
    hits : tuple of str
        ``"header: name in stderr"``: what stands where it must not.
    wrong : str
        How it ended otherwise than it was meant to: then it shows nothing. Empty where it did not.
    typed : tuple of str
        Planted names that the user typed and was told on the terminal: no hits.
    searched : int
        How many files.
    said : str
        Standard output and error.
    """

    command: str
    kind: str
    exit_code: int
    hits: tuple[str, ...]
    wrong: str = ""
    typed: tuple[str, ...] = ()
    searched: int = 0
    said: str = field(default="", repr=False)


class Watched:
    """A home, a cache and a temporary folder of its own, searched after every command.

    Parameters
    ----------
    place : Path
        An existing, empty folder: `out` in it is for outputs.
    marks : bool
        Whether to look for the mark in pictures, too.
    """

    def __init__(self, place: Path, *, marks: bool = False) -> None:
        self.place, self.out = place, place / "out"
        self._seen: dict[Path, tuple[int, int]] = {}
        self._marks = MarkFinder() if marks else None
        self._drawn: set[str] = set()
        for name in ("out", "home", "cache", "tmp"):
            (place / name).mkdir()

    @contextlib.contextmanager
    def here(self) -> Iterator[None]:
        """Let this process, and those that it starts, write there alone."""
        places = {
            "HOME": "home", "XDG_CACHE_HOME": "home", "CARDIO_CACHE": "cache", "TMPDIR": "tmp",
        }  # fmt: skip
        with mock.patch.dict(os.environ, {key: str(self.place / to) for key, to in places.items()}):
            tempfile.tempdir = None
            try:
                yield
            finally:
                tempfile.tempdir = None

    def call(
        self,
        command: str,
        kind: str,
        *words: Any,
        folder: Path,
        shown: frozenset[str] = frozenset(),
        ends: tuple[int, ...] = DONE,
        never: tuple[str, ...] = (),
        asked_for: frozenset[str] = frozenset(),
        mark_shown: bool = False,
    ) -> Answer:
        """Call ``cardio`` and search.

        Parameters
        ----------
        command, kind : str
            Row and column of the table.
        *words : object
            As typed, behind ``cardio``.
        folder : Path
            Where it is typed.
        shown : frozenset of str
            Planted words that this command is there to show on the terminal.
        ends : tuple of int
            Exit codes, of which one is meant.
        never : tuple of str
            Further words that may be in no file that it writes.
        asked_for : frozenset of str
            Planted words that this command is there to write into the file that was named.
        mark_shown : bool
            Whether it is there to show pictures as they were.
        """
        with self.here(), self._pictures(), _descriptors(self.place / "tmp") as low:
            said = call_cardio(*words, folder=folder)
        texts = {"stdout": said.stdout, "stderr": said.stderr, "descriptors": low[0]}
        texts["pictures"] = "\n".join(self._drawn)
        self._drawn.clear()
        typed = CANARIES.in_text(" ".join(map(str, words)))
        hits, told = [], set()
        for where, text in texts.items():
            for word in sorted(CANARIES.in_text(text)):
                if where != "pictures" and word in typed | shown:
                    told.add(PLACE_OF[word])
                else:
                    hits.append(f"{PLACE_OF[word]} in {where}")
        n, found = self._written(never, asked_for, mark_shown)
        plain = " ".join((said.stdout + said.stderr + low[0]).split("\n")[-12:])
        wrong = "" if said.exit_code in ends else f"ended with {said.exit_code}, not {ends}"
        if any(line.startswith("Unexpected ") for line in said.stderr.splitlines()):
            wrong = "ended in an error that nobody foresaw"
        return Answer(
            command, kind, said.exit_code, (*hits, *found), wrong, tuple(sorted(told)), n, plain
        )

    def _written(
        self, never: tuple[str, ...], asked_for: frozenset[str], mark_shown: bool
    ) -> tuple[int, list[str]]:
        """Search what is new or changed since the last command."""
        hits, n = [], 0
        more = Canaries(never) if never else None
        for path in sorted(self.place.rglob("*")):
            stand = path.lstat()
            mark = stand.st_mtime_ns, stand.st_size
            if self._seen.get(path) == mark and not path.is_dir():
                continue
            self._seen[path] = mark
            if path.name == PRIVATE and stand.st_mode & 0o077 == 0:
                continue  # for its owner alone: it keeps what was typed
            n += path.is_file()
            where = str(path.relative_to(self.place))
            hits += [
                f"{PLACE_OF[hit.word]} in {hit.place}"
                for hit in CANARIES.in_file(path, where)
                if hit.word not in asked_for
            ]
            hits += (
                [f"{hit.word} in {hit.place}" for hit in more.in_file(path, where)] if more else []
            )
            if self._marks and path.is_file() and not mark_shown:
                hits += [f"{MARK} in {where}"] * self._marks.in_file(path)
        return n, hits

    @contextlib.contextmanager
    def _pictures(self) -> Iterator[None]:
        """Listen to every text that is drawn: a PNG holds it as pixels."""
        from matplotlib.text import Text

        drawn, before = self._drawn, Text.draw

        def draw(text: Any, *arguments: Any, **options: Any) -> Any:
            drawn.add(text.get_text())
            return before(text, *arguments, **options)

        with mock.patch.object(Text, "draw", draw):
            yield


@contextlib.contextmanager
def _descriptors(place: Path) -> Iterator[list[str]]:
    """Catch what libraries write past Python to the descriptors 1 and 2."""
    heard: list[str] = []
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file, warnings.catch_warnings():
        warnings.simplefilter("default")
        kept = os.dup(1), os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield heard
        finally:
            for descriptor, old in zip((1, 2), kept, strict=True):
                os.dup2(old, descriptor)
                os.close(old)
            file.seek(0)
            heard.append(file.read().decode("utf-8", "replace"))
