"""A folder that a command fills: held while it is at work, and whole once its manifest says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cardio_core.compute.resource_errors import resource_error
from cardio_core.io.places import FILE as PLACES
from cardio_core.io.places import without_places
from cardio_core.io.run_artifact import DONE, RunKind
from cardio_core.runner.lock import FILE as LOCK
from cardio_core.runner.lock import guard_free, locked
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.progress import Echo
from cardio_core.types.redaction import place_of, text_of
from cardio_stats.errors import CardioError, ConfigError
from cardio_stats.files import leftovers, sweep_run

MANIFEST = "manifest.json"

OURS = frozenset(
    {
        "cohort.json", "config.yaml", "metrics.json", "model_card.md", "model_card.json",
        PLACES, "predictions.csv", "recalibration.json", "report.html", "splits.json", "conformal",
        "explanations", "figures", "models", "onnx", "tables",
    }
)  # fmt: skip
"""What the commands that begin anew write into their folders, beside the manifest."""


@contextmanager
def filling(
    out: Path, first: Mapping[str, Any], echo: Echo | None = None, *,
    again: bool = False, resumes: bool = False, others: bool = False,
) -> Iterator[Manifest]:  # fmt: skip
    """Hold a folder until it is filled.

    What a killed command left there is thrown away, or kept to go on with. Where the block ends
    with an error, nothing stays of what cannot be gone on with. The block ends with
    `Manifest.close`: until then no reader takes the folder for whole.

    Parameters
    ----------
    out : Path
        Made where it is not there.
    first : mapping
        Entries of the manifest; ``kind`` and ``identity`` say of what the folder is.
    echo : callable, optional
        Takes the line that says what is done with what was there.
    again : bool
        Write over what is finished.
    resumes : bool
        Go on with what is there, be it finished, and leave what another can go on with.
    others : bool
        Files of others may lie there.

    Raises
    ------
    ConfigError
        If the folder holds anything else, may not be written, or another command works in it.
    """
    kind, identity = RunKind(first["kind"]), str(first["identity"])
    with locked(out):
        state = state_of(out, kind, identity, again=again or resumes, others=others, held=True)
        sweep_run(out)
        manifest = Manifest(out / MANIFEST, {})
        if resumes and state:
            manifest = Manifest.open(out)
            same = {name: first[name] for name in ("command", "packages", "git_commit")}
            manifest.update(status="running", error=None, error_code=None, **same)
        else:
            manifest.update(**{**first, "command": []})
            _clear(out, resumes)
            manifest.update(command=first.get("command", []))
        if state not in ("", DONE) and echo is not None:
            do = "goes on where that stopped" if resumes else "begins anew"
            echo(f"--out {out}: an earlier command ended before it was done ({state}); this {do}.")
        try:
            yield manifest
        except BaseException as error:
            with suppress(OSError):  # of a full disk, the first error says more than the second
                if resumes:
                    stopped = isinstance(error, KeyboardInterrupt)
                    state = "interrupted" if stopped else "failed"
                    manifest.update(status=state, **failure(error))
                else:
                    _clear(out, resumes)
                    manifest.path.unlink()
            raise


def state_of(
    out: Path, kind: RunKind, identity: str | None = None, *, again: bool = False,
    others: bool = False, held: bool = False,
) -> str:  # fmt: skip
    """Return how far an earlier command of this kind came in a folder; empty where none began.

    Without `identity`, a folder of anything of this kind will do: what it is of is not known yet.
    `again` and `others` as for `filling`; `held` where this process holds the folder.

    Raises
    ------
    ConfigError
        If the folder holds anything else, may not be written, or another command works in it.
    """
    above = next(value for value in (out, *out.absolute().parents) if value.exists())
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: is a file; name a folder")
    if not above.is_dir():
        raise ConfigError(f"--out {out}: cannot be made, {above.name} is a file; name a folder")
    if not os.access(above, os.W_OK):
        raise ConfigError(f"--out {out}: nothing may be written there; name another folder")
    if not held:
        guard_free(out)
    there = set(out.iterdir()) if out.is_dir() else set()
    there -= {out / LOCK, *leftovers(iter(there), also_of_living=True)}
    if not there or (others and out / MANIFEST not in there):
        return ""
    if out / MANIFEST in there:
        content = Manifest.open(out, complete=False).content
        state = str(content.get("status") or "running")
        same = content.get("kind") == kind and identity in (None, content.get("identity"))
        if same and (again or state != DONE):
            return state
    raise ConfigError(f"--out {out}: holds something else; name a new folder", code="exists")


def _clear(out: Path, resumes: bool) -> None:
    if resumes:  # nothing is there, or others' files
        return
    for path in map(out.joinpath, sorted(OURS)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def failure(error: BaseException) -> dict[str, str | None]:
    """Return what the manifest records of an error: nothing that a file may hold, and its code."""
    error = resource_error(error) or error
    code = error.code if isinstance(error, CardioError) else None
    return {"error": without_places(_worded(error)), "error_code": code}


def _worded(error: BaseException) -> str:
    text = text_of(error)
    if isinstance(error, CardioError):
        return text
    if isinstance(error, KeyboardInterrupt):  # our words on how to go on
        return str(error)
    kind = type(error).__name__
    return f"{kind}: {text}" if text else f"{kind} at {place_of(error)}"
