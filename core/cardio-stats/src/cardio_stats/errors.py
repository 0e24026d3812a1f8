"""The errors that cardio raises on purpose; each knows the exit code of the command that met it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

LONGEST, _END = 1500, 300
"""Characters of a message, and how many of them are its end: what to do."""

Code = Literal[
    "failed",  # the default of the base class
    "usage",  # a command or its configuration: the default of `ConfigError`
    "unusable",  # data: the default of `DataError`
    "plugin", "contract", "leakage", "resource",  # the defaults of the classes of these names
    "missing",  # a file, column, key, value or option that is needed
    "unknown",  # a name that nothing has
    "ambiguous",  # several fit, and one has to be named
    "duplicate",
    "out_of_range",
    "not_a_number",  # text, NaN or infinity in place of a number
    "contradiction",  # two statements or options exclude each other
    "mismatch",  # sizes, ids or digests that have to agree
    "damaged",  # cut short, or not what its format says
    "unsupported",  # valid, and not handled here
    "too_large", "too_few",
    "degenerate",  # a constant, a separation, a singular matrix: no estimate exists
    "exists", "unfinished", "locked",  # of what a command would write or go on with
    "permission", "memory", "disk", "network", "device",
    "not_installed", "version",
    "unit",
    "unsafe",  # code in a file, or a path out of its folder
]  # fmt: skip
"""The kinds of fault: what programs go by. A message may be reworded at any time."""


class CardioError(Exception):
    r"""The work failed for a reason that one line can explain.

    The message says what was expected, what was found, where, and what to do.
    The command line prints it without a traceback and exits with `exit_code`.

    Parameters
    ----------
    message : str
        One line: what was expected, what was found, where, what to do. It quotes nothing of a
        file's header, which can hold a patient's name.
    code : Code, optional
        The kind of fault, where a caller tells it from others of the class; by default the class's.

    Attributes
    ----------
    exit_code : int
        That of the command that meets it.
    code : Code
        The kind of fault: what programs go by.

    Notes
    -----
    As text it is always one line of a length that can be read: what a message quotes of a damaged
    file may hold line breaks, codes that a terminal obeys, or a cell of a million characters.

    Examples
    --------
    >>> DataError("record 100: expected 2 leads, found 1; check the header").exit_code
    3
    >>> DataError("age_y: expected a column, found none; add it", code="missing").code
    'missing'
    >>> print(DataError("expected a number, found 'a\x1b[2J\nb'; correct the cell"))
    expected a number, found 'a [2J b'; correct the cell
    """

    exit_code: int = 1
    code: Code = "failed"

    def __init__(self, message: str, *more: object, code: Code | None = None) -> None:
        super().__init__(message, *more)
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        text = str(self.args[0])
        if not text.isprintable():
            text = "".join(letter if letter.isprintable() else " " for letter in text)
            text = " ".join(text.split())
        if len(text) > LONGEST:
            text = f"{text[: LONGEST - _END]} … {text[-_END:]}"
        return text


class ConfigError(CardioError):
    """The command or its configuration is wrong; nothing was started. Exit code 2.

    Parameters are those of `CardioError`.

    Examples
    --------
    >>> error = ConfigError("train.depth: expected 1 or more, found 0; raise it")
    >>> error.exit_code, error.code
    (2, 'usage')
    """

    exit_code = 2
    code: Code = "usage"


class RedactedError(CardioError):
    """An error whose message may name files or quote them; `redacted` is for what a run records."""

    def __init__(self, message: str, redacted: str, *, code: Code | None = None) -> None:
        super().__init__(message, redacted, code=code)
        self.redacted = redacted


class ResourceError(RedactedError):
    """The machine is short of something: space on its disk, the right to write there, memory."""

    code: Code = "resource"


class DataError(CardioError):
    """The data cannot be used: one file (then it is quarantined) or the whole cohort.

    Parameters are those of `CardioError`; `unusable` words a message. The code stands where a
    recording is quarantined for the error. Exit code 3, where nothing is left to go on with.
    """

    exit_code = 3
    code: Code = "unusable"

    @classmethod
    def unusable(
        cls, name: str, expected: str, found: str, do: str, *, code: Code | None = None
    ) -> DataError:
        """Word a refusal in one line: which file, what was expected, what was found, what to do.

        Parameters
        ----------
        name : str
            The file's name without its folder.
        expected, found, do : str
            Parts of the sentence. None of them may quote free text of a header, which can hold a
            patient's name.
        code : Code, optional

        Returns
        -------
        DataError
            To be raised.

        Examples
        --------
        >>> print(DataError.unusable("a.dcm", "a frame time", "none", "state the frame rate"))
        a.dcm: expected a frame time, found none; state the frame rate
        """
        return cls(f"{name}: expected {expected}, found {found}; {do}", code=code)


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
        message = f"{len(found)} things. {'. '.join(map(str, found))}"
        raise type(found[0])(message, code=found[0].code)
