"""A run on a Dask cluster of which one worker is killed midway, beside the same run on one process.

    python benchmarks/cluster.py --out cluster --plugin ecg_transfer --store

Starts `dask scheduler` and two `dask worker` on this machine, each worker in its own folder,
and runs the same command with `--executor local:1` and with `--executor dask:ADDRESS`. When a third
of the fits is there, one worker gets SIGKILL. Whether metrics and predictions are the same, byte
for byte, is stored for docs/clusters.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

ROOT = Path(__file__).parents[1]
STORED = ROOT / "docs" / "results" / "cluster.json"
PAGE = ROOT / "docs" / "clusters.md"
BEGIN = "<!-- cluster: made by python benchmarks/cluster.py --store; change that, not this -->"
END = "<!-- end of cluster -->"
MORE = {
    "ecg_transfer": "--config smoke --protocol honest --set models=[forest,qrs_duration,scratch]",
}
"""What each plugin's run is told; the smallest that has all kinds of work."""

SAME = ("metrics.json", "predictions.csv", "splits.json")
_STARTS_WITHIN_S = 180.0


Process = subprocess.Popen[bytes]


@contextmanager
def cluster(folder: Path, n_workers: int = 2) -> Iterator[tuple[str, list[Process]]]:
    """Start a scheduler and workers on the loopback interface; yield its address and all.

    Each worker stands in its own folder, as on another machine, and has one thread.
    """
    dask = str(Path(sys.executable).with_name("dask"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    processes = [_start(folder / "scheduler", dask, "scheduler", "--port", str(port))]
    try:
        _wait_for(port)
        for number in range(n_workers):
            processes.append(
                _start(folder / f"worker{number}", dask, "worker", address, "--nthreads", "1")
            )
        yield address, processes
    finally:
        for process in reversed(processes):
            kill(process)


def _start(folder: Path, *words: str) -> Process:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "said.txt").open("wb") as said:
        return subprocess.Popen(
            [*words, "--no-dashboard", "--host", "127.0.0.1"],
            cwd=folder, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip


def _wait_for(port: int) -> None:
    until = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < until:
        with socket.socket() as asked:
            if not asked.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    raise SystemExit("the scheduler did not start; see said.txt in its folder")


def kill(process: Process) -> None:
    """Kill a process and the one that it watches (-9), as a lost machine would go."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Killing:
    """Kills a process once so many fits of a run are there; says how many there were.

    Parameters
    ----------
    process : Popen
    run : Path
        The run's folder.
    after : int
        Fits.
    """

    def __init__(self, process: Process, run: Path, after: int) -> None:
        self.n_fits = -1
        self._process, self._run, self._after = process, run, after
        self._over = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            n_fits = len(list(self._run.glob("models/*/*/chosen.json")))
            if n_fits >= self._after:
                self.n_fits = n_fits
                kill(self._process)
                return

    def __enter__(self) -> Killing:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()


def cardio(words: str, folder: Path) -> float:
    """Run a command in a folder and return its seconds.

    Raises
    ------
    SystemExit
        If it fails.
    """
    print(f"$ cardio {words}", flush=True)
    began = time.perf_counter()
    with (folder / "said.txt").open("w", encoding="utf-8") as said:
        done = subprocess.run(
            [sys.executable, "-c", "from cardio_core.cli.main import main; main()",
             *shlex.split(words)],
            cwd=folder, stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"cardio {words}: exit code {done.returncode}; {folder}/said.txt says why")
    return time.perf_counter() - began


def differing(one: Path, other: Path) -> list[str]:
    """Return the files of two runs that are not the same, byte for byte."""
    return [name for name in SAME if (one / name).read_bytes() != (other / name).read_bytes()]


def study(folder: Path, plugin: str) -> dict[str, Any]:
    """Run both ways and compare."""
    folder.mkdir(parents=True, exist_ok=True)
    words = f"run --plugin {plugin} {MORE[plugin]}"
    if not (folder / "local" / "report.html").exists():
        cardio(f"{words} --executor local:1 --out local", folder)
    fits = list((folder / "local").glob("models/*/*/chosen.json"))
    with cluster(folder / "machines") as (address, processes):
        run = folder / "dask"
        with Killing(processes[1], run, len(fits) // 3) as killing:
            cardio(f"{words} --executor dask:{address} --out dask", folder)
        survived = [process.poll() is None for process in processes]
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"]
    return {
        "plugin": plugin,
        "command": f"cardio {words} --executor dask:ADDRESS",
        "fits": len(fits),
        "killed_after_fits": killing.n_fits,
        "workers_left": sum(survived[1:]),
        "differing": differing(folder / "local", run),
        "n_estimates": len(json.loads((run / "metrics.json").read_text(encoding="utf-8"))),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip(),
        "machine": f"{platform.system()}, {os.cpu_count()} cores",
    }


def text_of(found: dict[str, Any]) -> str:
    """Return what docs/clusters.md states of the study."""
    same = not found["differing"]
    equal = "equal, byte for byte," if same else f"not equal ({', '.join(found['differing'])})"
    return (
        f"{BEGIN}\n\nIn a test, {found['plugin']} ran with two workers; after "
        f"{found['killed_after_fits']} of {found['fits']} fits one worker was killed and the other "
        f"finished. Metrics ({found['n_estimates']} estimates), predictions and splits are {equal} "
        f"to those of `--executor local:1` ({found['date']}, commit {found['commit']}).\n\n{END}"
    )


def write_page(found: dict[str, Any]) -> None:
    """Put the study between the page's marks."""
    text = PAGE.read_text(encoding="utf-8")
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    PAGE.write_text(text[:begin] + text_of(found) + text[end:], encoding="utf-8")


def main(words: Sequence[str] | None = None) -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plugin", choices=tuple(MORE), default=next(iter(MORE)))
    parser.add_argument("--store", action="store_true", help="Keep it for docs/clusters.md.")
    asked = parser.parse_args(words)
    found = study(asked.out.resolve(), asked.plugin)
    print(json.dumps(found, indent=1))
    if asked.store:
        STORED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        write_page(found)


if __name__ == "__main__":
    main()
