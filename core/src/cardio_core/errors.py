"""The errors that cardio raises on purpose; each knows the exit code of the command that met it."""

from __future__ import annotations


class CardioError(Exception):
    """The work failed for a reason that one line can explain.

    The message says what was expected, what was found, where, and what to do.
    The command line prints it without a traceback and exits with `exit_code`.

    Examples
    --------
    >>> DataError("record 100: expected 2 leads, found 1; check the header").exit_code
    3
    """

    exit_code: int = 1


class ConfigError(CardioError):
    """The command or its configuration is wrong; nothing was started."""

    exit_code = 2


class PluginError(CardioError):
    """A plugin is not installed, cannot be imported, or wants another API."""

    exit_code = 2


class ContractError(CardioError):
    """A plugin's hook returned something that its contract forbids."""

    exit_code = 1


class DataError(CardioError):
    """The data cannot be used: one file (then it is quarantined) or the whole cohort."""

    exit_code = 3

    @classmethod


unusable = DataError.unusable
