"""One run of benchmarks/kill_study.py: how it is started, disturbed and listened to."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import shlex
import signal
import subprocess
import sys
import termios
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import kill_study_watch as watch
import numpy as np

INSIDE = Path(__file__).parent / "kill_study_inside"
# Whoever starts the study in the background hands down ignored signals.
CARDIO = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    "from cardio_core.cli.main import main; main()"
)
SIGNALS = {"SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP, "Ctrl-C": signal.SIGINT}
ENDS_S = 900.0
QUIET_S, QUIET_PROCESSOR_S, HANGS_S = 10.0, 5.0, 300.0
"""A process is left over that is there after 10 s and 5 s of processor time, or after 300 s: where
many programs are at work, seconds alone tell nothing."""

LOOKS_S = 0.1


class Run:
    """A run in a session of its own; with `terminal`, the only thing that a shell there does.

    It goes on with what lies in the folder of the case. Its cache and its temporary folder are the
    case's own, its writes are told in a file, and at the write `stop_at` its process stands still.
    """

    def __init__(
        self, place: Path, plugin: str, asked: str, *, path: Sequence[str] = (),
        stop_at: int = 0, terminal: bool = False, counted: bool = True,
    ) -> None:  # fmt: skip
        self.place, self.out = place, place / "run"
        self.mark = uuid.uuid4().hex
        self.told = place / f"told-{self.mark[:6]}"
        (place / "tmp").mkdir(exist_ok=True)
        before = filter(None, [os.environ.get("PYTHONPATH")])
        more = {
            "PYTHONPATH": os.pathsep.join([str(INSIDE), *path, *before]),
            "CARDIO_CACHE": str(place / "cache"),
            "TMPDIR": str(place / "tmp"),
        }
        # A plugin's synthetic cohort is made by the undisturbed run alone.
        counting = "" if plugin == "toy" else "features/"
        if counted:
            more |= {
                "KILL_STUDY_TOLD": str(self.told),
                "KILL_STUDY_STOP_AT": str(stop_at),
                "KILL_STUDY_PLACES": os.pathsep.join([f"{self.out}/", f"{place}/cache/{counting}"]),
            }
        words = [sys.executable, "-c", CARDIO, "run", "--plugin", plugin, *shlex.split(asked),
                 "--device", "cpu", "--executor", "local:2", "--out", str(self.out)]  # fmt: skip
        if (self.out / "manifest.json").exists() and counted:
            words.append("--resume")
        self.log = place / f"said-{self.mark[:6]}"
        self.master: int | None = None
        start = self._in_a_terminal if terminal else self._by_itself
        self.process = start(words, watch.environment(self.mark, **more))
        self.session = self.process.pid
        self.seen: set[int] = set()
        self.known: dict[str, bool] = {}
        self.disturbed_at: float | None = None
        self.hit = ""
        threading.Thread(target=self._watch, daemon=True).start()

    def _by_itself(self, words: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as said:
            return subprocess.Popen(
                words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                start_new_session=True,
            )  # fmt: skip

    def _in_a_terminal(self, words: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        self.master, inner = pty.openpty()
        process = subprocess.Popen(
            ["sh", "-c", '"$@"; exit $?', "sh", *words], env=env, stdin=inner, stdout=inner,
            stderr=inner, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(inner)
        threading.Thread(target=self._drain, args=(self.master,), daemon=True).start()
        return process

    def _drain(self, master: int) -> None:
        with contextlib.suppress(OSError), self.log.open("wb") as said:
            while content := os.read(master, 4096):
                said.write(content)

    def _watch(self) -> None:
        while self.process.poll() is None:
            self.seen |= set(self.alive())
            time.sleep(0.5)

    def alive(self) -> dict[int, str]:
        """Return its living processes, by id, with their command lines."""
        return watch.alive(self.mark, self.session, self.known)

    def main(self) -> int:
        """Return the id of the run's main process, which under a terminal is the shell's child."""
        if self.master is None:
            return self.process.pid
        found = self.alive()
        mine = [one for one, words in found.items() if "cli.main" in words and one != self.session]
        return mine[0] if mine else self.process.pid

    def workers(self) -> list[int]:
        """Return the ids of the workers."""
        found = self.alive()
        return sorted(one for one, words in found.items() if watch.is_worker(words))

    def over(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def go(self) -> None:
        """Let a process that stands still go on."""
        Path(f"{self.told}.go").touch()

    def wait(self, seconds: float) -> int | None:
        """Wait for the end; None where it did not come."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None

    def quiet(self) -> tuple[float, list[str]]:
        """Wait for all its processes to end; return how long it took, and what is left of them."""
        began = self.disturbed_at or time.monotonic()
        used: dict[int, float] = {}
        first = watch.processor_s(self.alive())
        while left := self.alive():
            used |= {one: s - first.get(one, 0.0) for one, s in watch.processor_s(left).items()}
            took = time.monotonic() - began
            if took > HANGS_S or (took > QUIET_S and sum(used.values()) > QUIET_PROCESSOR_S):
                break
            self.process.poll()
            time.sleep(LOOKS_S)
        return round(time.monotonic() - began, 2), [brief(words) for words in left.values()]

    def said(self) -> str:
        """Return what it said on stderr."""
        return self.log.read_text(encoding="utf-8", errors="replace").strip()

    def end(self) -> None:
        """Kill whatever is left of it."""
        for one in self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.process.wait()


class Found(Protocol):
    """Where what is found of a kill goes."""

    kind: str
    exit_code: int | None
    said: str
    ended_s: float | None
    processes_left: list[str]
    problems: list[str]


def asked_to_end(run: Run, kind: str, worker: int | None = None, *, group: bool = False) -> None:
    """Disturb a run in one way."""
    run.seen |= set(run.alive())
    run.hit = watch.stage_of(run.out)
    if kind in SIGNALS:
        send = os.killpg if group else os.kill
        send(run.process.pid, SIGNALS[kind])
    elif kind == "terminal lost":
        os.kill(run.process.pid, signal.SIGKILL)
        assert run.master is not None
        os.close(run.master)
    else:
        os.kill(worker or run.main(), signal.SIGKILL)
    run.disturbed_at = time.monotonic()
    run.go()


def disturb(
    run: Run, made: Found, rng: np.random.Generator, start: Callable[..., Run]
) -> None:  # fmt: skip
    """Disturb a run, and check what it says of it and how it ends."""
    if made.kind == "two at once":
        _second_run(run, made, start)
        return
    worker = None
    if made.kind == "worker killed":
        worker = int(rng.choice(run.workers()))
    asked_to_end(run, made.kind, worker, group=made.kind == "Ctrl-C" or bool(rng.integers(2)))
    made.ended_s, made.processes_left = run.quiet()
    made.exit_code = run.process.poll()
    if run.hit == "done":
        made.problems.append("it was over before it was disturbed")
    made.said = shown(run)
    lines = made.said.splitlines()
    expected: dict[str, Any] = {"worker killed": 1}
    expected |= {name: 128 + number for name, number in SIGNALS.items()}
    if made.kind in expected:
        early = -SIGNALS[made.kind] if made.kind in SIGNALS else None
        if made.exit_code == early and not lines:
            return  # before the command line had begun: nothing to say, nothing to keep
        if made.kind == "worker killed" and made.exit_code == 0 and not lines:
            return  # the run had nothing more for it to do, and ended as if nothing had been
        if made.exit_code != expected[made.kind] or len(lines) != 1:
            made.problems.append(f"exit code {made.exit_code}, {len(lines)} lines")


def _second_run(run: Run, made: Found, start: Callable[..., Run]) -> None:
    """Start a second run into the same folder: one of two is refused, the other ends well."""
    second = start(counted=False)
    second.wait(ENDS_S)
    run.go()
    run.wait(ENDS_S)
    run.seen |= second.seen
    codes = sorted((run.process.returncode, second.process.returncode))
    refused = second if second.process.returncode else run
    made.exit_code, made.said = refused.process.returncode, shown(refused)
    if codes != [0, 2] or len(made.said.splitlines()) != 1:
        made.problems.append(f"exit codes {codes}, {len(made.said.splitlines())} lines")


def brief(words: str) -> str:
    """Return what kind of process a command line is of, without a path of this machine."""
    for name in ("resource_tracker", "popen_loky", "cli.main"):
        if name in words:
            return name
    return Path(words.partition(" ")[0]).name


def shown(run: Run) -> str:
    """Return what a run said, with the folder of the case as FOLDER; of a terminal nothing."""
    if run.master is not None:
        return ""
    return run.said().replace(str(run.place), "FOLDER").replace(sys.prefix, "PYTHON")[-600:]
