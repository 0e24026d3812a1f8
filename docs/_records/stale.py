"""Records whose code changed after they were measured."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from . import record

COMMIT = re.compile(r"\b[0-9a-f]{7,40}\b")


def unmarked(names: Iterable[str] | None = None, root: Path = record.ROOT) -> list[str]:
    """Return, in a line each, the records that a person has to look at.

    A record is listed when what it depends on changed after its commit (after the one at which it
    was shown to be unchanged) and it is not marked as stale. Whether a change alters a number no
    program knows: mark it ``stale`` (why), or ``unchanged`` (commit, and how that was shown).
    """
    found = []
    for name in record.names() if names is None else names:
        one = record.read(name)
        raw = one.raw
        if one.stale or "quoted" in raw:
            continue
        told = str(raw.get("unchanged", {}).get("commit") or raw.get("commit", ""))
        since = COMMIT.search(told)
        if raw.get("depends") is None or since is None:
            found.append(f"{name}: says neither what it depends on nor at which commit, nor stale")
            continue
        # An empty list says that the numbers hang on no code; git would take it for all of it.
        changed = changes(since[0], raw["depends"], root) if raw["depends"] else []
        if changed is None:
            found.append(f"{name}: {since[0]} is no commit of this history")
        elif changed:
            found.append(f"{name}: {len(changed)} commits since {since[0]}, last: {changed[0]}")
    return found


def commits(name: str) -> set[str]:
    """Return the commits that a record says it was measured at, or was still so at."""
    raw = record.read(name).raw
    told = f"{raw.get('commit', '')} {raw.get('unchanged', {}).get('commit', '')}"
    return set(COMMIT.findall(told))


def changes(commit: str, paths: list[str], root: Path = record.ROOT) -> list[str] | None:
    """Return the commits after one that touch some paths, newest first; None: it is not there."""
    done = subprocess.run(
        ["git", "log", "--format=%h %s", f"{commit}..HEAD", "--", *paths],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return None if done.returncode else done.stdout.splitlines()
