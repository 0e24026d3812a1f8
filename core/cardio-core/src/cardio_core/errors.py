"""Errors of plugins, hooks and splits; `cardio_stats.errors` holds those that tables can cause."""

from __future__ import annotations

from cardio_stats.errors import CardioError as CardioError
from cardio_stats.errors import Code as Code
from cardio_stats.errors import ConfigError as ConfigError
from cardio_stats.errors import DataError as DataError
from cardio_stats.errors import RedactedError as RedactedError
from cardio_stats.errors import ResourceError as ResourceError
from cardio_stats.errors import unusable as unusable


class PluginError(CardioError):
    """A plugin is not installed, cannot be imported, or requires another cardio-core."""

    exit_code = 2
    code: Code = "plugin"


class ContractError(CardioError):
    """A plugin's hook returned something that its contract forbids."""

    code: Code = "contract"


class MadeWrongError(ContractError):
    """A hook gave one of the core's classes parts that do not fit together.

    The same for every recording, so nobody else is tried. The text counts and quotes no value.
    """


class HookError(RedactedError, ContractError):
    """A plugin's hook failed by itself: what it raised, and where.

    `redacted` is without what a file of the data may hold, for what a run records and ``--debug``
    shows.
    """


class NothingUsableError(DataError):
    """A folder was understood, and nothing in it is a recording; its files are not asked singly."""


class LeakageError(CardioError):
    """A patient would be, or was, on both sides of a split that does not declare it."""

    code: Code = "leakage"
