"""Starting the processes that share a fit, listening to them, and ending them together."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from cardio_core.compute.threads import ENVIRONMENT
from cardio_core.errors import CardioError
from cardio_core.training.attempt import Job
from cardio_core.training.callbacks import COLUMNS, Kept
from cardio_core.training.memory import BatchSize
from cardio_core.training.team.rank import START

_EXPLAINS_S = 2.0
"""What one process ends with is often the death of another: so long the others are heard."""

# On one machine nobody else need reach them; gloo else asks for the address of the host's name.
_LOOPBACK = {"linux": "lo", "darwin": "lo0"}


def attempt_together(job: Job, batch: BatchSize) -> Kept | None:
    """Train on the job's device and its others; return None where memory ran out on any.

    The network here stays as it is: the weights are in the file that is kept.

    Raises
    ------
    CardioError
        If the loss stops being finite, a process dies, or the job cannot be sent to one.
    Exception
        What failed first in any of them, with its traceback as a note.
    """
    kept = None
    meeting = Path(tempfile.mkdtemp(prefix="cardio-"))
    team = Team(1 + len(job.device.others))
    try:
        team.start(replace(job, progress=None, tracker=None), batch, meeting / "meeting")
        kept = team.listen(job)
    finally:
        team.end()
        shutil.rmtree(meeting, ignore_errors=True)
        if job.tracker is not None:
            job.tracker.close(done=kept is not None)
    if kept is None:
        team.explain()
    return kept


class Team:
    """So many processes, of which none outlives `end`."""

    def __init__(self, world: int) -> None:
        self.world = world
        self.processes: list[subprocess.Popen[bytes]] = []
        self._failed: list[tuple[int, str, Any]] = []

    def start(self, job: Job, batch: BatchSize, meeting: Path) -> None:
        """Start all with their share of the job."""
        from joblib.externals.loky.backend import reduction

        try:
            sent = reduction.dumps((job, batch))
        except Exception as error:
            raise CardioError(
                f"the fit cannot be shared by {self.world} devices: its network, examples or loss "
                f"cannot be sent to another process ({type(error).__name__}: {error}); "
                "use --devices 1"
            ) from error
        environment = os.environ | ENVIRONMENT | {"TORCH_CPP_LOG_LEVEL": "ERROR"}
        if sys.platform in _LOOPBACK:
            environment |= {"GLOO_SOCKET_IFNAME": _LOOPBACK[sys.platform]}
        for rank in range(self.world):
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", START, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Lightning asks it who it is, and then starts no others.
                env=environment | {"LOCAL_RANK": str(rank)},
                start_new_session=True,  # so that it ends with those who make its batches
            )
            self.processes.append(process)
        for rank, process in enumerate(self.processes):
            assert process.stdin is not None  # noqa: S101  asked for above
            with (
                contextlib.suppress(BrokenPipeError),  # `listen` finds that it died
                Connection(os.dup(process.stdin.fileno()), readable=False) as channel,
            ):
                channel.send((sys.path, rank, self.world, str(meeting)))
                channel.send_bytes(sent)

    def listen(self, job: Job) -> Kept | None:
        """Pass on what is told, until the first has finished, or for a while after one failed."""
        speaking: dict[Any, int] = {}
        for rank, process in enumerate(self.processes):
            assert process.stdout is not None  # noqa: S101  asked for in `start`
            speaking[Connection(os.dup(process.stdout.fileno()), writable=False)] = rank
        channels = list(speaking)
        until: float | None = None
        try:
            while speaking and (until is None or time.monotonic() < until):
                left = None if until is None else max(0.0, until - time.monotonic())
                for channel in wait(list(speaking), left):
                    rank, word, value = speaking[channel], *_heard(channel)
                    if word == "epoch":
                        _pass_on(job, *value)
                        continue
                    if word == "kept" and rank == 0 and value is not None:
                        return value  # type: ignore[no-any-return]
                    del speaking[channel]
                    if word != "kept" or value is None:
                        self._failed.append((rank, word, value))
                        until = until or time.monotonic() + _EXPLAINS_S
        finally:
            for channel in channels:
                channel.close()
        return None

    def explain(self) -> None:
        """Return if memory ran out on any; raise what else ended the first and so the others."""
        if any(word == "kept" for _, word, _ in self._failed):
            return
        for rank, word, _ in self._failed:
            if word == "died":
                raise CardioError(
                    f"training on {self.world} devices: process {rank + 1} of {self.world} died "
                    f"(exit code {self.processes[rank].returncode}; out of memory is the usual "
                    "cause); use smaller batches or --devices 1"
                )
        raise self._failed[0][2]

    def end(self) -> None:
        """Kill what still runs, those who make batches included."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()


def _heard(channel: Any) -> tuple[str, Any]:
    try:
        word, value = channel.recv()
    except (EOFError, OSError):
        return "died", None
    return word, value


def _pass_on(job: Job, news: tuple[Any, ...], row: dict[str, Any]) -> None:
    """Tell what watches the fit of an epoch."""
    if job.tracker is not None:
        job.tracker.log(news[0], {name: row[name] for name in COLUMNS[1:]})
    if job.progress is not None:
        job.progress(*news)
