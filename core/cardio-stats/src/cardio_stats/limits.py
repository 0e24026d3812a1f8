"""The limits that hold for every file that is unpacked, and how a refusal is worded."""

from __future__ import annotations

import math
import os

from cardio_stats.errors import ConfigError, DataError

VARIABLE = "CARDIO_LARGEST_GB"
_DEFAULT_GB = 4.0

MAX_RATIO = 200
"""Signals, pictures, tables and weights are stored in a half to a hundredth of their size."""

HARMLESS_BYTES = 64_000_000
"""What unpacks to no more than this may be packed as tightly as it likes."""

MAX_FRAME_PIXELS = 2**24
"""Pixels of one frame; a loop is decoded frame by frame, so this bounds the memory."""

MAX_MEMBERS = 10_000
"""Files in one archive: a forest of 500 trees has 2,000."""


def largest_bytes() -> int:
    """Return how large a file may be, and what it unpacks to.

    It is 4 GB, or what the environment variable ``CARDIO_LARGEST_GB`` says.

    Raises
    ------
    ConfigError
        If the variable is no number above 0.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return int(_DEFAULT_GB * 1e9)
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = math.nan
    if not 0 < gigabytes < math.inf:
        raise ConfigError(f"{VARIABLE}: expected gigabytes above 0, as 8, found {text!r}; unset it")
    return int(gigabytes * 1e9)


def most_unpacked(n_packed: int) -> int:
    """Return to how many bytes a file of so many may unpack.

    Examples
    --------
    >>> most_unpacked(1_000), most_unpacked(1_000_000), most_unpacked(3_000_000_000)
    (64000000, 200000000, 4000000000)
    """
    return min(largest_bytes(), max(HARMLESS_BYTES, MAX_RATIO * n_packed))


def require_unpacked(name: str, n_packed: int, n_unpacked: int, *, at_least: bool = False) -> None:
    """Refuse a file that unpacks to too much.

    Parameters
    ----------
    name : str
        The file's.
    n_packed, n_unpacked : int
        Bytes.
    at_least : bool
        Whether unpacking was given up there.

    Raises
    ------
    DataError
        More than `largest_bytes`, or than `MAX_RATIO` times the file.

    Examples
    --------
    >>> require_unpacked("a.npz", 1_000_000, 5_000_000)
    >>> require_unpacked("a.npz", 1_000_000, 1_000_000_000)
    Traceback (most recent call last):
    cardio_stats.errors.DataError: a.npz: expected content of at most 200 times the file's size, \
found 1000 times (1 GB); save it again uncompressed
    """
    largest = largest_bytes()
    more = "more than " if at_least else ""
    if n_unpacked > largest:
        raise too_large(name, "unpacked", f"{more}{_sized(n_unpacked)}")
    if n_unpacked > most_unpacked(n_packed):
        raise DataError.unusable(
            name,
            f"content of at most {MAX_RATIO} times the file's size",
            f"{more}{n_unpacked / max(n_packed, 1):.0f} times ({_sized(n_unpacked)})",
            "save it again uncompressed",
        )


def too_large(name: str, state: str, found: str) -> DataError:
    """Word the refusal of more than `largest_bytes`."""
    return DataError.unusable(
        name,
        f"at most {largest_bytes() / 1e9:g} GB {state}",
        found,
        f"cut it into smaller ones, or raise the limit with {VARIABLE}=GIGABYTES",
    )


def _sized(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.3g} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.3g} MB"
