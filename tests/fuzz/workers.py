"""Many inputs in forked processes: a crash, a hang and memory that grows cost one input."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .cases import Outcome, Reader, Seed, attempt

CPU_S = 20.0
"""Processor time that one input may take."""

WALL_S = 600.0
"""Time on the clock after which an input hangs, however busy the machine is."""

MEMORY_BYTES = 2 << 30
"""Address space that one process may gain over what it had when it was forked."""

BATCH = 200
"""Inputs of one process: what they leave behind goes with it."""

_TICK_S = os.sysconf("SC_CLK_TCK")


def fuzz(
    reader: Reader,
    seeds: Sequence[Seed],
    seed: int,
    numbers: Sequence[int],
    place: Path,
    take: Callable[[Outcome], None],
) -> None:
    """Read the inputs of these numbers, and hand over what came of each."""
    waiting = list(numbers)
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        done = _one_process(reader, seeds, seed, batch, place, take)
        waiting = batch[done:] + waiting


def _one_process(
    reader: Reader,
    seeds: Sequence[Seed],
    seed: int,
    numbers: Sequence[int],
    place: Path,
    take: Callable[[Outcome], None],
) -> int:
    """Return how many inputs were read before the process ended, the one that ended it included."""
    hears, says = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(hears)
        _work(reader, seeds, seed, numbers, place, says)
    os.close(says)
    began, cpu = time.monotonic(), _cpu_s(child)
    n_done, rest, why = 0, b"", ""
    while True:
        ready, _, _ = select.select([hears], [], [], 1.0)
        if ready:
            block = os.read(hears, 1 << 20)
            if not block:
                break
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                take(Outcome(**json.loads(line)))
                n_done += 1
                began, cpu = time.monotonic(), _cpu_s(child)
        elif _cpu_s(child) - cpu > CPU_S or time.monotonic() - began > WALL_S:
            why = f"longer than {CPU_S:g} s"
            os.kill(child, signal.SIGKILL)
    os.close(hears)
    _, status = os.waitpid(child, 0)
    if n_done == len(numbers):
        return n_done
    if not why:
        stop = os.waitstatus_to_exitcode(status)
        why = f"the process ended: {signal.Signals(-stop).name if stop < 0 else stop}"
    took_s = CPU_S if why.startswith("longer") else 0.0
    take(Outcome(reader.name, seed, numbers[n_done], "other", why, why, took_s))
    return n_done + 1


def _work(
    reader: Reader,
    seeds: Sequence[Seed],
    seed: int,
    numbers: Sequence[int],
    place: Path,
    says: int,
) -> None:
    """Read inputs one after the other; does not return."""
    code = 1
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        allowed = _status("VmSize") + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for number in numbers:
            _forget_peak()
            before, start = _status("VmRSS"), time.process_time()
            outcome = attempt(reader, seeds, seed, number, place)
            cells = outcome.cells() | {
                "cpu_s": round(time.process_time() - start, 4),
                "grown_mb": round(max(_status("VmHWM") - before, 0) / 1e6, 1),
            }
            line = json.dumps(cells).encode() + b"\n"
            while line:
                line = line[os.write(says, line) :]
        code = 0
    finally:
        os._exit(code)


def _forget_peak() -> None:
    """Let the kernel count the largest resident memory anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _status(field: str) -> int:
    with open("/proc/self/status") as file:  # noqa: PTH123  thousands of times
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0


def _cpu_s(process: int) -> float:
    try:
        cells = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(cells[11]) + int(cells[12])) / _TICK_S
