"""One input: a valid file, damaged as its name alone decides, and what its reader says of it."""

from __future__ import annotations

import logging
import shutil
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from cardio_core.errors import HookError, PluginError
from cardio_stats.errors import CardioError

from .changes.kinds import damaged

CANARY = "Quasimodo"
"""Stands in every valid file where a patient's name would, and in the names of the files."""

_LONGEST = 20_000


@dataclass(frozen=True)
class Seed:
    """A valid input: files that lie together, and the one of them that is damaged.

    `kind` is a key of `changes.kinds.KINDS`.
    """

    files: Mapping[str, bytes]
    target: str
    kind: str


@dataclass(frozen=True)
class Reader:
    """What is fuzzed.

    Attributes
    ----------
    name : str
    title : str
        What it reads, for the table.
    seeds : callable
        Makes the valid inputs, in an empty folder; called once a process.
    read : callable
        Takes the folder in which a case lies and the damaged file; returns what was said of what
        could not be used, nothing where all could. A refusal may be raised, too.
    says_names : bool
        Whether its messages may quote the file: its name is what a user typed, its text is
        configuration.
    cost : int
        How much longer a case takes than that of a text file; the study gives it fewer.
    valid : bool
        Whether what is not damaged is accepted; not where the valid file is a part of something.
    """

    name: str
    title: str
    seeds: Callable[[Path], Sequence[Seed]]
    read: Callable[[Path, Path], Sequence[str]]
    says_names: bool = False
    cost: int = 1
    valid: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of one input.

    `kind` is accepted, refused or other; `what` names the exception and its place, or what is wrong
    with a message, so that like findings are one.
    """

    reader: str
    seed: int
    index: int
    kind: str
    what: str = ""
    detail: str = ""
    cpu_s: float = 0.0
    grown_mb: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.reader}/{self.seed}/{self.index}"

    def cells(self) -> dict[str, Any]:
        return asdict(self)


def lay(reader: str, seeds: Sequence[Seed], seed: int, index: int, folder: Path) -> Path:
    """Write the files of a case into an empty folder; return the damaged one."""
    rng = Random(f"{reader}/{seed}/{index}")
    chosen = rng.choice(seeds)
    alike = [one.files[one.target] for one in seeds if one.kind == chosen.kind]
    made = damaged(chosen.files[chosen.target], chosen.kind, alike, rng)
    for name, content in chosen.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name != chosen.target:
            path.write_bytes(content)
        elif made is None:
            path.mkdir()
        else:
            path.write_bytes(made)
    return folder / chosen.target


def judged(reader: Reader, seed: int, index: int, folder: Path, file: Path) -> Outcome:
    """Read a case and say what came of it; nothing that is raised gets out but a stop."""
    heard = _Heard()
    kind, what, detail = "accepted", "", ""
    said: Sequence[str] = ()
    logging.getLogger().addHandler(heard)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            said = reader.read(folder, file)
            kind = "refused" if said else "accepted"
    except (HookError, PluginError) as error:
        kind, what, detail = "other", _where(error.__cause__ or error), _traced(error)
    except CardioError as error:
        kind, said = "refused", (str(error),)
        if _is_memory(error):
            kind, what, detail = "other", "MemoryError " + _where(error), _traced(error)
    except (Exception, SystemExit) as error:
        kind, what, detail = "other", _where(error), _traced(error)
    finally:
        logging.getLogger().removeHandler(heard)
    if kind != "other":
        heard.lines += [str(one.message) for one in warned]
        typed = reader.says_names or file.is_dir()
        wrong = _wrong_with(said, heard.lines, typed)
        if wrong:
            kind, what = "other", wrong
            detail = "\n".join((*map(str, said), *heard.lines))[:_LONGEST]
    return Outcome(reader.name, seed, index, kind, what, detail)


def attempt(reader: Reader, seeds: Sequence[Seed], seed: int, index: int, place: Path) -> Outcome:
    """Make one case in an empty folder below `place`, read it, and take the folder away."""
    folder = place / f"{index}"
    folder.mkdir()
    try:
        file = lay(reader.name, seeds, seed, index, folder)
        return judged(reader, seed, index, folder, file)
    except Exception as error:  # of the engine itself: it must be seen, and cost one input
        what = f"not made: {_where(error)}"
        return Outcome(reader.name, seed, index, "other", what, _traced(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wrong_with(said: Sequence[str], heard: Sequence[str], typed: bool) -> str:
    """Say what no message may be; `typed` lets it quote the file, which a user named himself."""
    for line in said:
        if ", hook " in line:
            return "a fault of a hook: " + line.rpartition("(")[2].partition(")")[0]
        if not line.strip():
            return "a refusal without a reason"
        if len(line.splitlines()) != 1 or line != line.strip():
            return "a message of several lines"
        if not line.strip("\n").isprintable():
            return "a message that cannot be printed"
        if len(line) > 2000:
            return "a message that is too long to be read"
    if not typed and any(CANARY.lower() in one.lower() for one in (*said, *heard)):
        return (
            "a name in a message" if any(CANARY in one for one in said) else "a name in a warning"
        )
    return ""


def _is_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _where(error: BaseException) -> str:
    if type(error).__name__ == "AnsweredError":
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if "/cardio_" in one.filename]
    last = (ours or list(frames) or [None])[-1]
    place = f" at {Path(last.filename).name}:{last.lineno}" if last is not None else ""
    return type(error).__name__ + place


def _traced(error: BaseException) -> str:
    if type(error).__name__ == "AnsweredError":
        return str(error.args[1])[-_LONGEST:]
    return "".join(traceback.format_exception(error))[-_LONGEST:]


class _Heard(logging.Handler):
    """Keeps what is logged as a warning and goes to standard error, where nobody else listens."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None:
            if any(one is not self for one in logger.handlers):
                return
            logger = logger.parent
        self.lines.append(record.getMessage())
