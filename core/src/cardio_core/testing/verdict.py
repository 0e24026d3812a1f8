"""A check is a function that raises; a verdict is what came of it, in one readable sentence."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio_core.errors import CardioError

Check = Callable[[Any], None]
"""Takes a `PluginCase` or a `TaskCase`. Its name is the verdict's, its docstring says why."""


class BrokenContractError(AssertionError):
    """A plugin breaks its contract; the message says what was found and what to do."""


class NotReachedError(BrokenContractError):
    """What a check needs has failed before, in the check that says why."""


class ContractWarning(UserWarning):
    """What a plugin's author should look at, though there may be a reason for it."""


@dataclass(frozen=True)
class Verdict:
    """What one check found.

    Attributes
    ----------
    name : str
        What must hold, as a sentence without its stop.
    task : str or None
        Of which task; None of the plugin as a whole.
    passed : bool
        Whether it holds.
    said : str
        One sentence: why it matters where it holds, else what was found and what to do.
    seconds : float
        How long it took.
    advised : bool
        Whether it holds, and `said` is what to look at all the same.
    """

    name: str
    task: str | None
    passed: bool
    said: str
    seconds: float
    advised: bool = False


def require(holds: object, message: str) -> None:
    """Raise BrokenContractError with the message unless something holds.

    Unlike `assert` it cannot be switched off.
    """
    if not holds:
        raise BrokenContractError(message)


def advise(message: str) -> None:
    """Warn of what may be meant; no check fails of it."""
    warnings.warn(message, ContractWarning, stacklevel=3)


def name_of(check: Check) -> str:
    """Return what a check requires, as a sentence.

    Examples
    --------
    >>> def models_hold_no_pickle(case): ...
    >>> name_of(models_hold_no_pickle)
    'Models hold no pickle'
    """
    words = check.__name__.replace("_", " ")
    return words[0].upper() + words[1:]


def judge(check: Check, case: Any, task: str | None = None) -> Verdict:
    """Run one check and say what came of it; only an interruption goes through."""
    begin = time.perf_counter()
    why = " ".join((check.__doc__ or "").split("\n\n")[0].split())
    advice = ""
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always", ContractWarning)
            check(case)
        for one in heard:
            if issubclass(one.category, ContractWarning):
                advice = str(one.message)
            else:
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        passed, said = True, advice or why
    except (BrokenContractError, CardioError) as error:
        passed, said = False, " ".join(str(error).split())
    except (Exception, SystemExit) as error:
        passed, said = False, _unexpected(error)
    took = time.perf_counter() - begin
    return Verdict(name_of(check), task, passed, said, took, advised=passed and bool(advice))


def _unexpected(error: BaseException) -> str:
    """Return what an exception says and the last line outside core and Python that it came by."""
    frames = traceback.extract_tb(error.__traceback__)
    foreign = [frame for frame in frames if not _is_ours(Path(frame.filename))]
    last = (foreign or frames)[-1]
    text = " ".join(str(error).split()) or "no message"
    return (
        f"{type(error).__name__}: {text} ({Path(last.filename).name}, line {last.lineno}, in "
        f"{last.name}); raise DataError where a recording cannot be used, else mend it"
    )


def _is_ours(file: Path) -> bool:
    """Whether a file is the core's or Python's, not a plugin's or a library's."""
    python = Path(traceback.__file__).parent
    core = Path(__file__).parents[1]
    library = file.is_relative_to(python) and not file.is_relative_to(python / "site-packages")
    return library or file.is_relative_to(core)
