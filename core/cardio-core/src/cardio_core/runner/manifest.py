"""The manifest: what a run was, written before and after every stage."""

from __future__ import annotations

import platform
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from cardio_core.io.hashing import file_digest
from cardio_core.io.places import FILE as PLACES
from cardio_core.io.places import keep_places, shown_command
from cardio_core.io.run_artifact import (
    CLOSING,
    DONE,
    SCHEMA,
    RunKind,
    manifest_in,
    require_whole,
    words_of,
)
from cardio_core.io.run_schema import guard_folder
from cardio_core.registry.diagnostics import version_at_start
from cardio_stats.errors import ConfigError
from cardio_stats.files import read_json, write_json

PACKAGES = (
    "cardio-core", "numpy", "scipy", "pandas", "scikit-learn", "torch", "lightning", "pluggy",
    "pydantic",
)  # fmt: skip

MARK = ".shared-"
"""Begins the name of a file by which workers elsewhere know the folder, while a run is at work."""


class Manifest:
    """The run's `manifest.json`, rewritten whole at every change."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self.path = path
        self.content = content

    @classmethod
    def open(cls, run: Path, *, complete: bool = True) -> Manifest:
        """Read the manifest of an existing run.

        Where it need not be `complete`, entries that only models and fits are opened by may be
        missing: a page is made of what there is.

        Raises
        ------
        ConfigError
            If there is none, or another cardio-core made the run.
        DataError
            If it does not say what the manifest of such a folder has to.
        """
        path = run / "manifest.json"
        if not path.is_file():
            raise ConfigError(
                f"{run}: no run directory (it has no manifest.json); name that of a run"
            )
        guard_folder(run)
        content = read_json(path)
        core = version_at_start("cardio-core")
        made = _core_of(content) or core
        if core and Version(made).release[:2] != Version(core).release[:2]:
            commit = str(content.get("git_commit") or "")[:10]
            again = "run its command again (manifest.json names it), or "
            raise ConfigError(
                f"{run}: this run was made by cardio-core {made}, this is {core}; "
                f"{again if Version(made) < Version(core) else ''}open it with the cardio-core "
                f"that made it{commit and f' (commit {commit})'}"
            )
        manifest_in(content, path, complete=complete)
        return cls(path, content)

    @property
    def command(self) -> str:
        """The command in one line, as it is shared."""
        return shlex.join(words_of(self.content.get("command")))

    def update(self, **changes: Any) -> None:
        """Change some entries and write the file.

        Of a command, the places of this machine go to a file for its owner alone.
        """
        if typed := changes.get("command"):
            # Recordings are named on the command line of measure, and files after their patients.
            measured = (self.content | changes).get("kind") == RunKind.MEASURED
            changes["command"] = [] if measured else shown_command(typed)
            if changes["command"] != typed:
                keep_places(self.path.parent, command=words_of(typed))
        self.content |= changes
        write_json(self.path, self.content)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; the manifest says that it runs before it does."""
        self.update(status=f"running: {name}")
        start = time.monotonic()
        try:
            yield
        finally:
            stages = dict(self.content.get("stages", {}))
            stages[name] = round(stages.get(name, 0.0) + time.monotonic() - start, 3)
            self.update(stages=stages)

    def close(self, page: Callable[[Path], Any] | None = None, **changes: Any) -> None:
        """Write the page, record the SHA-256 of every file, and say at last that it is done.

        Manifest, log, lock and what is for the owner alone are not recorded.
        """
        self.update(status=CLOSING, finished=now(), **changes)
        run = self.path.parent
        if page is not None:
            page(run)
        skip = {"manifest.json", "log.jsonl", "running.lock", PLACES}
        files = sorted(path for path in run.rglob("*") if path.is_file() and path.name not in skip)
        files = [path for path in files if not path.name.startswith(MARK)]
        outputs = {str(path.relative_to(run)): file_digest(path) for path in files}
        self.update(status=DONE, outputs=outputs)


def finished(
    run: Path, *kinds: RunKind, honest: bool = False, fitted: bool = False
) -> dict[str, Any]:
    """Return the manifest of a finished run directory of one of these kinds; of any without.

    Parameters
    ----------
    run : Path
    *kinds : RunKind
    honest : bool
        The honest protocol must have been run.
    fitted : bool
        Of a run, a model must have been fitted.

    Raises
    ------
    ConfigError
        In one line: no run directory, another cardio-core, another kind, or not finished.
    """
    content = Manifest.open(run, complete=bool(kinds)).content
    kind = RunKind(content.get("kind") or RunKind.RUN)
    if kinds and kind not in kinds:
        wanted = "a run with final models" if RunKind.EXPORTED in kinds else "a run"
        raise ConfigError(
            f"{run}: expected {wanted}, found a folder that is {kind}; name the run itself",
            code="unsupported",
        )
    status = content.get("status")
    if status != DONE:
        raise ConfigError(
            f"{run}: this run is not finished ({status or 'no status'}); resume it first"
        )
    if kind is RunKind.FUSED and kinds:
        require_whole(content, run / "manifest.json")
    if honest and "honest" not in (content.get("protocols") or ()):
        raise ConfigError(
            f"{run}: expected a run of the honest protocol, found the paper protocol alone, whose "
            "predictions are no out-of-fold ones; run it with --protocol honest"
        )
    if fitted and not content.get("models"):
        raise ConfigError(
            f"{run}: no model of this run could be fitted, so it can predict nothing; its notes "
            "say why; run again with more patients, or with fewer folds",
            code="too_few",
        )
    return content


def first_entries(
    kind: RunKind, name: str, command: str | Sequence[str], **entries: Any
) -> dict[str, Any]:
    """Return the entries with which every directory begins, whatever it is of, and its own."""
    return {
        "schema": SCHEMA,
        "kind": kind,
        "status": "running",
        "name": name,
        "command": command if isinstance(command, str) else list(command),
        "core_version": version_at_start("cardio-core"),
        "packages": packages(),
        "git_commit": git_commit(Path(__file__).parent),
        "started": now(),
        "stages": {},
        "needs": [],
        "messages": [],
        **entries,
    }


def _core_of(content: Any) -> str:
    """Return which cardio-core made a folder; empty where that is not readable."""
    made = content.get("core_version") if isinstance(content, dict) else None
    try:
        return str(Version(made)) if isinstance(made, str) else ""
    except InvalidVersion:
        return ""


def now() -> str:
    """Return the present time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def packages() -> dict[str, str]:
    """Return the versions of the packages that decide about numbers."""
    found = {name: version for name in PACKAGES if (version := version_at_start(name))}
    return {"python": platform.python_version(), **found}


def git_commit(folder: Path) -> str | None:
    """Return the commit of the checkout that holds the code, None if it is no checkout."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"],
            capture_output=True,
            encoding="utf-8",
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
