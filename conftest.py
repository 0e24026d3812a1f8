"""What every test process is given: one thread a library, all the time that it takes, rules."""

import os
import sys
import threading
from typing import get_args

import pytest
from hypothesis import HealthCheck, settings

from cardio_core.errors import ContractError, PluginError
from cardio_stats.errors import LONGEST, CardioError, Code

# The tests' networks are small, and cores may be shared.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No property fails because the machine is slow.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def nothing_is_said_later():
    """No display outlives its command: it would speak into whatever comes next."""
    yield
    if any(one.name == "progress" for one in threading.enumerate()):
        pytest.fail("a display was not closed")


RAISED: list[CardioError] = []
"""Errors that the sources made during a test; tests make some that are no sentence."""

_make = CardioError.__init__


def _remember(error, *args, code=None):
    _make(error, *args, code=code)
    path = sys._getframe(1).f_code.co_filename
    if "/src/cardio_" in path and "/src/cardio_studies/" not in path:
        RAISED.append(error)


CardioError.__init__ = _remember


def fault_of(error):
    """Return what is wrong with an error's message or code, empty where nothing is."""
    message = error.args[0]
    if error.code not in get_args(Code):
        return "an unknown code"
    if "\n" in message or len(message) > LONGEST:
        return f"not one line of at most {LONGEST} characters"
    # "expected X, found Y" says what to give; of a plugin's faults what it raised is quoted.
    quoted = isinstance(error, ContractError | PluginError)
    if not quoted and not (";" in message or "expected" in message):
        return "nothing to do: neither what was expected, nor a clause behind a semicolon"
    return ""


@pytest.fixture(autouse=True)
def every_message_is_one_line_that_says_what_to_do():
    """Hold every error that a test meets to the rules of messages."""
    RAISED.clear()
    yield
    faults = {f"{fault}: {error.args[0]}" for error in RAISED if (fault := fault_of(error))}
    if faults:
        pytest.fail("\n".join(sorted(faults)))
