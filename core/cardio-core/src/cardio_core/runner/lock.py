"""One run a folder: a lock that says who works there, and that dies with its process."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread

from cardio_stats.errors import Code, ConfigError, DataError
from cardio_stats.files import write_text

FILE = "running.lock"
BEAT_S = 5.0
SILENT_S = 120.0
"""A run on another machine that gave no sign for so long is taken for dead."""


class AnotherRunError(ConfigError):
    """Another run works in the folder; nothing there was touched."""

    code: Code = "locked"


@dataclass(frozen=True)
class Holder:
    """The process that holds a folder.

    Attributes
    ----------
    process : int
        Its id.
    host : str
        A digest of the machine's name.
    space : str
        Of process ids: containers on one machine each have their own. Empty where there is none.
    began : str
        When the process began, as its system counts: an id is given again to others. Empty where
        the system does not tell.
    token : str
        Of this lock alone.
    """

    process: int
    host: str
    space: str
    began: str
    token: str


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold a run directory, which is made where it is not, until the block ends.

    A thread gives a sign of life every few seconds (the file's time).

    Raises
    ------
    AnotherRunError
        If a living process holds it. The lock of a dead one is taken over.
    """
    new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    path = out / FILE
    own = _me()
    _take(path, own, out)
    ended = Event()
    beat = Thread(target=_beat, args=(path, ended), name="heartbeat", daemon=True)
    beat.start()
    try:
        yield
    finally:
        ended.set()
        beat.join()
        if _read(path) == own:
            with suppress(OSError):  # read-only by now; the lock of a dead process is taken over
                path.unlink(missing_ok=True)
        if new:
            with suppress(OSError):
                out.rmdir()  # where nothing came into it


def guard_free(out: Path) -> None:
    """Raise where a living run works in a folder.

    Raises
    ------
    AnotherRunError
        In one line: which process, where, and when it was last seen.
    """
    path = out / FILE
    holder = _read(path)
    if holder is not None and _lives(holder, _age_s(path)):
        raise AnotherRunError(_message(out, holder, _age_s(path)))


def _take(path: Path, own: Holder, out: Path) -> None:
    with _alone(out):  # of several that find the lock of a dead one, one takes it
        guard_free(out)
        write_text(path, json.dumps(asdict(own)) + "\n")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others who ask for a folder's lock waiting; the system ends it with the process."""
    try:
        import fcntl
    except ImportError:  # not on this system
        yield
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without it: two must meet within milliseconds
            fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def _beat(path: Path, ended: Event) -> None:
    while not ended.wait(BEAT_S):
        with suppress(OSError):
            os.utime(path)


def _read(path: Path) -> Holder | None:
    if not path.is_file():
        return None
    # Where there is no lock, nothing heavy is needed.
    from cardio_core.io.run_schema import FileSchema

    try:
        holder: Holder = FileSchema("who works on the run", Holder, most_bytes=1 << 16).read(path)
    except (OSError, DataError):
        return None
    return holder if 0 < holder.process < 2**31 else None


def _age_s(path: Path) -> float:
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return 0.0


def _lives(holder: Holder, age_s: float) -> bool:
    if (holder.host, holder.space) != (_host(), _space()) or os.name != "posix":
        return age_s < SILENT_S
    try:
        os.kill(holder.process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    began = _began(holder.process)
    return not (began and holder.began) or began == holder.began


def _me() -> Holder:
    return Holder(os.getpid(), _host(), _space(), _began(os.getpid()), uuid.uuid4().hex)


def _host() -> str:
    """Return a digest of this machine's name, which is nobody else's business."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _began(process: int) -> str:
    """Return when a process of this machine began; empty where the system does not tell."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    # The name, in brackets, may hold anything; the 22nd field is the 20th behind it.
    return f"{boot[:8]}-{text.rpartition(')')[2].split()[19]}"


def _message(out: Path, holder: Holder, age_s: float) -> str:
    where = "" if holder.host == _host() else " on another machine"
    return (
        f"--out {out}: another run, process {holder.process}{where}, works in it, last seen "
        f"{age_s:.0f} s ago; wait for it or choose another --out (if it is none, delete "
        f"{out / FILE})"
    )
