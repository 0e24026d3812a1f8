"""The videos of explained cases: in the page itself where they are small."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

LARGEST_BYTES = 300_000
"""Larger videos stay in their files: a page of two dozen must still open."""

_EBML = bytes.fromhex("1a45dfa3")


@dataclass(frozen=True)
class Video:
    """One video of a page; `source` is empty where `problem` says why."""

    title: str
    file: str
    source: str
    problem: str = ""


def video_in(run: Path, path: Path, title: str) -> Video:
    """Return a run's video as a page holds it.

    Nothing outside the run is read; the file must be WebM, `title` is what a screen reader says.
    The result has a ``data:`` address, so that the page needs no other file.
    """
    if not path.resolve().is_relative_to(run.resolve()):
        return Video(title, path.name, "", "the video lies outside the run")
    name = path.relative_to(run).as_posix()
    try:
        n_bytes = path.stat().st_size
        if n_bytes > LARGEST_BYTES:
            return Video(title, name, "", f"{n_bytes / 1000:.0f} kB, not put into this page")
        content = path.read_bytes()
    except OSError:
        return Video(title, name, "", "the file cannot be read")
    if not content.startswith(_EBML):
        return Video(title, name, "", "no WebM file")
    return Video(title, name, "data:video/webm;base64," + base64.b64encode(content).decode("ascii"))
