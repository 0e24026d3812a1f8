"""What is wrong with a text, in a few words that a message can hold."""

from __future__ import annotations

MOST_LEVELS = 64
"""Of brackets in brackets: no file of ours has ten."""


class MalformedError(ValueError):
    """The text is none of its kind; the message says where, or by what, in a few words."""


def shown(name: object, most: int = 40) -> str:
    r"""Return a name of a file's as a message may print it: on one line, and not for ever.

    Examples
    --------
    >>> shown("seed"), shown("a" * 50, 10), shown("a\nb")
    ("'seed'", "'aaaaaaaaaa...'", "'a b'")
    """
    text = "".join(one if one.isprintable() else " " for one in str(name))
    return f"'{text[:most]}{'...' if len(text) > most else ''}'"
