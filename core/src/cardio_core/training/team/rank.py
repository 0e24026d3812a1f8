"""The life of one process that shares a fit with others."""

from __future__ import annotations

import os
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cardio_core.compute.stopping import leave_stopping_to_the_run
from cardio_core.compute.threads import keep_to_one_thread
from cardio_core.compute.worker import that_travels

START = "from cardio_core.training.team.rank import main; main()"


def main() -> None:
    """Read a share of a fit from standard input, do it, and tell on standard output how it went."""
    leave_stopping_to_the_run(int(sys.argv[1]))
    channel = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)  # whatever is printed is no message
    said: list[str] = []

    def tell(word: str, value: Any) -> None:
        if said:
            return  # the rest follows from what has ended it
        if word == "failed":
            word, value = _failure(value)
        if word != "epoch":
            said.append(word)
        channel.send((word, value))

    try:
        tell("kept", _work(tell))
    except BaseException as error:
        tell("failed", error)
    channel.close()
    os._exit(0)  # taking leave of each other can take longer than the fit


def _work(tell: Any) -> Any:
    with Connection(os.dup(0), writable=False) as channel:
        path, rank, world, meeting = channel.recv()
        sys.path[:] = path
        keep_to_one_thread()
        job, batch = channel.recv()
    from cardio_core.training.attempt import attempt
    from cardio_core.training.team.member import Member

    return attempt(job, batch, Member(rank, world, Path(meeting), tell))


def _failure(error: BaseException) -> tuple[str, Any]:
    from cardio_core.compute.lacking import is_out_of_memory

    if is_out_of_memory(error):
        return "kept", None
    found = that_travels(error if isinstance(error, Exception) else RuntimeError(repr(error)))
    found.add_note("".join(traceback.format_exception(error)))  # for --debug
    return "failed", found
