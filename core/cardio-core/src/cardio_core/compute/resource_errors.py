"""What a machine lacks: room on the disk, the right to write, memory. Told in one line each."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from cardio_stats.errors import Code, DataError, ResourceError

_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "it grew over the size that files may have here (ulimit -f)",
    errno.EROFS: "the place is read-only",
}
_NOT_ALLOWED = {
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
}
_UNREADABLE = {
    errno.ENAMETOOLONG: "a name or path is longer than this file system takes; use a shorter one",
    errno.ELOOP: "links lead in a circle; name the file itself",
    errno.EIO: "reading fails (input/output error); check the disk and the connection to it",
    errno.ESTALE: "a file was replaced, or its server restarted; run the command again",
}
_WITHIN_TEXT = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]|(No space left on device)")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_MEMORY_TEXTS = ("out of memory", "can't allocate memory", "cannot allocate memory")
OUT_OF_MEMORY = (
    "use fewer processes (--executor local:1) or smaller batches (a --set of the plugin, which "
    "cardio plugins info lists), or leave out the largest recordings"
)


def resource_error(
    error: BaseException, doing: str = "", place: Path | None = None
) -> ResourceError | None:
    """Return what an error says of the machine, or None where it is about something else.

    Parameters
    ----------
    error : BaseException
        As it was raised, by whatever library.
    doing : str
        What was under way, ``"honest r0-f1 ridge"``.
    place : Path, optional
        Where files were written, if the error does not tell; in and above it, files are named.

    Examples
    --------
    >>> print(resource_error(MemoryError(), "honest r0-f1 ridge"))
    honest r0-f1 ridge: out of memory; use fewer processes (--executor local:1) or ...
    >>> resource_error(ValueError("no number")) is None
    True
    """
    if isinstance(error, ResourceError):
        return error
    if is_out_of_memory(error):
        text = f"{doing}: " if doing else ""
        text += f"out of memory; {OUT_OF_MEMORY}"
        return ResourceError(text, text, code="memory")
    if isinstance(error, RuntimeError) and "shared memory" in str(error):
        return without_shared_memory(error)
    if is_dead_worker(error):
        return dead_worker(error)
    number = _number_of(error)
    if number not in _DISK and not (number in _NOT_ALLOWED and isinstance(error, OSError)):
        return None
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)
    path = Path(os.fsdecode(name)) if isinstance(name, str | bytes) else None
    where = path or place
    redacted = (f"{doing}: " if doing else "") + (
        "a file cannot be written" if number in _DISK else "a file cannot be opened"
    )
    text = redacted.replace("a file", str(path)) if path and _ours(error, path, place) else redacted
    why = {**_DISK, **_NOT_ALLOWED}[number]
    free = _free(where) if number in _FULL else ""
    do = "free some space" if number in _FULL else "allow it"
    tail = f": {why}{free}; {do} or name another place"
    code: Code = "disk" if number in _DISK else "permission"
    return ResourceError(text + tail, redacted + tail, code=code)


def _ours(error: BaseException, path: Path, place: Path | None) -> bool:
    """Whether a file is one that was being written: a recording may bear a person's name."""
    if getattr(error, "written", False) or not isinstance(error, PermissionError):
        return True
    return place is not None and (path.is_relative_to(place) or place.is_relative_to(path))


def place_error(error: BaseException) -> DataError | None:
    """Return what an error says of a place that was named, or None where it is about another thing.

    Examples
    --------
    >>> print(place_error(OSError(errno.ENAMETOOLONG, "File name too long")))
    a name or path is longer than this file system takes; use a shorter one
    >>> place_error(ValueError("no number")) is None
    True
    """
    why = _UNREADABLE.get(error.errno or 0) if isinstance(error, OSError) else None
    return DataError(why) if why else None


def without_shared_memory(error: BaseException) -> ResourceError:
    """Return what is said where processes cannot share memory: no semaphore, no array.

    Examples
    --------
    >>> print(without_shared_memory(OSError(28, "No space left on device")))
    several processes cannot work here: /dev/shm is full, too small or may not be written (No ...
    """
    why = getattr(error, "strerror", None) or type(error).__name__
    text = (
        f"several processes cannot work here: /dev/shm is full, too small or may not be written "
        f"({why}); enlarge it (docker run --shm-size=1g), or use one process (--executor local:1)"
    )
    return ResourceError(text, text, code="memory")


def is_dead_worker(error: BaseException) -> bool:
    """Say whether an engine reports that one of its processes ended by itself."""
    # Named rather than caught: importing joblib or Dask only to compare types would be slow.
    return type(error).__name__ in ("TerminatedWorkerError", "KilledWorker")


def dead_worker(error: BaseException, at: str = "") -> ResourceError:
    """Return what is said of a process that died; `at` says over what, behind a comma.

    Examples
    --------
    >>> print(dead_worker(RuntimeError("codes {SIGKILL(-9)}")))
    a worker died (out of memory is the usual cause): exit code SIGKILL(-9); use fewer ...
    """
    codes = re.search(r"\{.*\}", str(error))
    detail = f": exit code {codes[0].strip('{}')}" if codes else ""
    text = f"a worker died (out of memory is the usual cause){detail}{at}; {OUT_OF_MEMORY}"
    return ResourceError(text, text, code="memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an exception means that memory ran out, on a GPU or in main memory."""
    if isinstance(error, MemoryError):
        return True
    # torch.OutOfMemoryError is a RuntimeError; torch's CPU allocator raises a plain one, and so
    # does a batch-making worker process, which wraps the text of the original.
    text = str(error).lower()
    return (isinstance(error, OSError) and error.errno == errno.ENOMEM) or (
        isinstance(error, RuntimeError)
        and (
            type(error).__name__ == "OutOfMemoryError"
            or any(words in text for words in _MEMORY_TEXTS)
        )
    )


def _number_of(error: BaseException) -> int:
    """Return the system's number of an error, also where a library put it into a text."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _WITHIN_TEXT.search(str(error))
    if found is None:
        return 0
    return errno.ENOSPC if found[3] else int(found[1] or found[2])


def _free(path: Path | None) -> str:
    """Return ``" (0.3 of 250 GB free)"``, empty where it cannot be asked."""
    here = (path or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        try:
            disk = shutil.disk_usage(folder)
        except OSError:
            continue
        unit, size = ("GB", 1e9) if disk.total >= 1e9 else ("MB", 1e6)
        return f" ({disk.free / size:.3g} of {disk.total / size:.3g} {unit} free)"
    return ""


# What to type for a package that is missing: a checkout has folders, a wheel has names.

CORE = "cardio-core"


def from_folder() -> bool:
    """Return whether the core was installed from a folder, and so from a checkout.

    The record of an installation from a wheel names an archive; that from an index is absent.
    Where the core was not installed at all, its sources lie in a checkout.
    """
    try:
        record = distribution(CORE).read_text("direct_url.json")
        return record is not None and "dir_info" in json.loads(record)
    except PackageNotFoundError:
        return True
    except (ValueError, TypeError, OSError):
        return False


def core_named(extra: str = "") -> str:
    """Return what pip calls the core with an extra.

    The name alone is safe because it is only said where the core is there: pip then takes what the
    extra asks for, and leaves the core as it is.
    """
    brackets = f"[{extra}]" if extra else ""
    return f"./core/{CORE}{brackets}" if from_folder() else f"{CORE}{brackets}"


def install_extra(extra: str) -> str:
    """Return the command that brings an extra of the core, and where it is typed."""
    where = " in the cardio checkout" if from_folder() else ""
    return f'pip install "{core_named(extra)}"{where}'


def install_plugin(name: str = "NAME") -> str:
    """Return the command that brings a plugin.

    Without a checkout it is the plugin's wheel: no distribution of this project is published, and
    the bare name of one that is not there could be anybody's.
    """
    return f"pip install ./plugins/{name}" if from_folder() else f"pip install cardio_{name}-*.whl"
