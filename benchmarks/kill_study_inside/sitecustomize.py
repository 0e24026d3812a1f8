"""Count the writes of a run's processes, and stop at a chosen one, so that it can be killed there.

First on ``PYTHONPATH`` of a run that benchmarks/kill_study.py starts; its workers read it, too.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

WIDTH = 256
LONGEST_S = 60.0
TOLD = os.environ.get("KILL_STUDY_TOLD", "")
"""A file of lines of `WIDTH` bytes, one a write of any process: seconds, process, what, which."""

STOP_AT = int(os.environ.get("KILL_STUDY_STOP_AT", "0"))
PLACES = tuple(filter(None, os.environ.get("KILL_STUDY_PLACES", "").split(os.pathsep)))
_WRITING = os.O_WRONLY | os.O_RDWR


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, _, flags = arguments
        if not isinstance(flags, int) or not flags & _WRITING:
            return
    elif event == "os.rename":
        path = arguments[0]
    else:
        return
    try:
        path = os.fsdecode(path)
    except TypeError:  # a descriptor that is open already
        return
    if path.startswith(PLACES):
        _tell(event, path)


def _tell(event: str, path: str) -> None:
    line = f"{time.time():.3f}\t{os.getpid()}\t{event}\t{path}".encode()[: WIDTH - 1]
    place = os.open(TOLD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(place, line.ljust(WIDTH - 1) + b"\n")
    number = os.lseek(place, 0, os.SEEK_CUR) // WIDTH
    os.close(place)
    if number == STOP_AT:
        Path(f"{TOLD}.here").touch()
        until = time.monotonic() + LONGEST_S
        while not Path(f"{TOLD}.go").exists() and time.monotonic() < until:
            time.sleep(0.01)


if TOLD:
    sys.addaudithook(_heard)
