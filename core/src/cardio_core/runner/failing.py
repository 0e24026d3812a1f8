"""What a plugin's code raised, told in one line that says where."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from cardio_core.compute.lacking import lacking
from cardio_core.errors import HookError, LackingError
from cardio_core.types.features import FeatureSet
from cardio_core.types.wordless import text_of

_MOST_NAMES, _MOST_NAMED = 60, 6
"""Columns of a block that is looked at, and of those with NaN that are named."""


def failed(
    package: str,
    title: str,
    error: BaseException,
    place: Path | None = None,
    given: Mapping[str, Any] = MappingProxyType({}),
) -> HookError | LackingError:
    """Return the one line for what a hook raised; `title` says which hook was called.

    Where it is about NaN, the line names the columns that hold any of the features among `given`,
    the hook's arguments: a library knows no names.

    A full disk, and memory that ran out, are no fault of the hook; `place` is where it wrote.

    The place is the deepest frame in the plugin's package; in none, the deepest frame. The result
    pickles, whatever `error` carries. What is kept of it, in the run and with ``--debug``, repeats
    nothing that a file of the data may hold.

    Examples
    --------
    >>> try:
    ...     {"ill": 1}["sick"]
    ... except KeyError as error:
    ...     print(str(failed("cardio_ppg", "plugin 'ppg', hook train", error)).partition(" (")[0])
    plugin 'ppg', hook train: KeyError: 'sick'
    """
    if (machine := lacking(error, title, place)) is not None and not _for_reading(error):
        return machine
    kind = type(error).__name__
    kept = f"{kind}: {text_of(error)}".rstrip(": ")
    # An author needs the words of his own code; what the system says names a file of the data.
    said = kept if isinstance(error, OSError) else f"{kind}: {' '.join(str(error).split())}"
    said, at = said.rstrip(": "), place_in(package, error)
    where = _nan_in(given.values()) if "NaN" in said else ""
    return HookError(f"{title}: {said}{where} ({at})", f"{title}: {kept} ({at})")


def _nan_in(given: Iterable[Any]) -> str:
    """Return which measurements of the features lack values: ``"; NaN in a.rate (3 of 40)"``."""
    found: dict[str, str] = {}
    for features in (one for one in given if isinstance(one, FeatureSet)):
        for name, block in features.blocks.items():
            numbers = np.dtype(block.values.dtype).kind == "f"
            if not numbers or len(block.axes) != 1 or len(block.names) > _MOST_NAMES:
                continue  # pictures and curves are large, and no column of theirs is a measurement
            lost = np.isnan(block.in_units()).sum(axis=0)
            for column, n in zip(block.names, lost, strict=True):
                if n:
                    found.setdefault(f"{name}.{column}", f"{n} of {len(features)}")
    named = [f"{column} ({share})" for column, share in list(found.items())[:_MOST_NAMED]]
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return f"; NaN in {', '.join(named)}{more}" if named else ""


def _for_reading(error: BaseException) -> bool:
    """Whether it says no more than that a file may not be opened: by the hook's own mistake."""
    return isinstance(error, PermissionError)


def place_in(package: str, error: BaseException) -> str:
    """Return the deepest frame of an error in a package: ``"cardio_ppg/rhythm/train.py:31"``."""
    frames = [
        (str(frame.f_globals.get("__name__", "")).partition(".")[0], frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    own = [frame for frame in frames if frame[0] == package]
    top, file, line = (own or frames)[-1]
    parts = Path(file).parts
    if top in parts:
        file = "/".join(parts[len(parts) - 1 - parts[::-1].index(top) :])
    return f"{file}:{line}"
