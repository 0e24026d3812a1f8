"""The errors that cardio raises on purpose; each knows the exit code of the command that met it."""

from __future__ import annotations

from collections.abc import Callable

_LONGEST, _END = 1500, 300
"""Characters of a message, and how many of them are its end: what to do."""


class CardioError(Exception):
    r"""The work failed for a reason that one line can explain.

    The message says what was expected, what was found, where, and what to do.
    The command line prints it without a traceback and exits with `exit_code`.

    As text it is always one line of a length that can be read: what a message quotes of a damaged
    file may hold line breaks, codes that a terminal obeys, or a cell of a million characters.

    Examples
    --------
    >>> DataError("record 100: expected 2 leads, found 1; check the header").exit_code
    3
    >>> print(DataError("expected a number, found 'a\x1b[2J\nb'; correct the cell"))
    expected a number, found 'a [2J b'; correct the cell
    """

    exit_code: int = 1

    def __str__(self) -> str:
        said = super().__str__()
        if not said.isprintable():
            said = "".join(one if one.isprintable() else " " for one in said)
            said = " ".join(said.split())
        if len(said) > _LONGEST:
            said = f"{said[: _LONGEST - _END]} … {said[-_END:]}"
        return said


class ConfigError(CardioError):
    """The command or its configuration is wrong; nothing was started.

    Parameters
    ----------
    message : str
        One line: what was expected, what was found, where, what to do. It quotes nothing of a
        file's header, which can hold a patient's name.

    Attributes
    ----------
    exit_code : int
        That of the command: 2.

    Examples
    --------
    >>> ConfigError("train.depth: expected 1 or more, found 0; raise it").exit_code
    2
    """

    exit_code = 2


class LackingError(CardioError):
    """The machine lacks something: room on its disk, the right to write there, memory.

    Both texts are one line; `kept` is without the names of files, for what a run keeps.
    """

    def __init__(self, said: str, kept: str) -> None:
        super().__init__(said, kept)
        self.kept = kept

    def __str__(self) -> str:
        return str(self.args[0])


class DataError(CardioError):
    """The data cannot be used: one file (then it is quarantined) or the whole cohort.

    Parameters
    ----------
    message : str
        One line, as that of `ConfigError`; `unusable` words it.
    reason : str
        An `ExclusionReason`, what programs go by where one recording is set aside for it.

    Attributes
    ----------
    exit_code : int
        That of the command where nothing is left to go on with: 3.
    reason : str
    """

    exit_code = 3

    def __init__(self, message: str, *, reason: str = "unusable") -> None:
        super().__init__(message)
        self.reason = reason

    @classmethod
    def unusable(cls, name: str, expected: str, found: str, do: str) -> DataError:
        """Word a refusal in one line: which file, what was expected, what was found, what to do.

        Parameters
        ----------
        name : str
            The file's name without its folder.
        expected, found, do : str
            Parts of the sentence. None of them may quote free text of a header, which can hold a
            patient's name.

        Returns
        -------
        DataError
            To be raised.

        Examples
        --------
        >>> print(DataError.unusable("a.dcm", "a frame time", "none", "state the frame rate"))
        a.dcm: expected a frame time, found none; state the frame rate
        """
        return cls(f"{name}: expected {expected}, found {found}; {do}")


unusable = DataError.unusable


def every(*checks: Callable[[], object]) -> None:
    """Do all checks, and refuse with all that they found, so that nothing is mended one by one.

    Parameters
    ----------
    *checks : callable
        Each raises a `ConfigError` or a `DataError`, or nothing.

    Raises
    ------
    CardioError
        The one that was found, or all of them in one message.

    Examples
    --------
    >>> def of_age() -> None:
    ...     raise DataError("age: expected numbers, found text; correct it")
    >>> def of_sex() -> None:
    ...     raise DataError("sex: expected M or F, found 'x'; correct it")
    >>> every(of_age, of_sex)
    Traceback (most recent call last):
    cardio_stats.errors.DataError: 2 things. age: expected numbers, found text; correct it. sex: ...
    """
    found: list[CardioError] = []
    for check in checks:
        try:
            check()
        except (ConfigError, DataError) as error:
            if str(error) not in map(str, found):
                found.append(error)
    if len(found) == 1:
        raise found[0]
    if found:
        raise type(found[0])(f"{len(found)} things. {'. '.join(map(str, found))}")
