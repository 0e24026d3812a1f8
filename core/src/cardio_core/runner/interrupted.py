"""Ctrl-C: what is finished, and the command that goes on from there."""

from __future__ import annotations

import shlex
from pathlib import Path

from cardio_core.runner.progress.look import Stage
from cardio_core.runner.request import RunRequest


class Interrupted(KeyboardInterrupt):
    """The user stopped a run; the message says how to go on."""


def how_to_go_on(
    request: RunRequest, out: Path, last: Stage | None, stopped: str = "Interrupted"
) -> str:
    """Return the one line that a stopped run ends with.

    `last` is the stage that was counted last; None where nothing was. `stopped` says what happened,
    if nothing else does. A run that has no directory yet begins again.

    Examples
    --------
    >>> asked = RunRequest("toy", command="cardio run --plugin toy")
    >>> how_to_go_on(asked, Path("runs/not-begun"), None)
    'Interrupted before anything was finished. Begin again with: cardio run --plugin toy'
    """
    command = request.command or "the same call"
    if not (out / "manifest.json").is_file():
        before = f"{stopped} before anything was finished. " if stopped else ""
        return f"{before}Begin again with: {command}"
    if request.out is None:
        command += f" --out {shlex.quote(str(out))}"
    if not request.resume:
        command += " --resume"
    kept = f"Finished and kept: {last.what}, {last.counted()}." if last and last.done else ""
    return " ".join(filter(None, (stopped and f"{stopped}.", kept, f"Go on with: {command}")))
