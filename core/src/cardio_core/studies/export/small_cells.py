"""Table 1 for strangers: no count below five, and none that the others would give away."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from cardio_core.studies.export.parts import FEW

HIDDEN = f"hidden (< {FEW})"
_OF_GROUP = re.compile(r"\(n = (\d+)\)$")
_COUNTED = re.compile(r"^(\d+) \(([\d.]+)\)")
_KNOWN = re.compile(r"\s*\[(\d+)\]$")
_TESTS = ("p", "Test", "SMD")


@dataclass(frozen=True)
class Hidden:
    """A table without small counts, and how many of its variables lost theirs."""

    frame: pd.DataFrame
    n_hidden: int
    undivided: bool


def without_small_cells(table: pd.DataFrame) -> Hidden:
    """Return Table 1 as it may be shown to anybody.

    Parameters
    ----------
    table : DataFrame of str
        As a run prints it: `Variable`, a column for all and one a group with its n in the head,
        perhaps `Missing`, `p` and `Test`. Levels of a variable stand below it, indented.

    Returns
    -------
    Hidden
        A variable with a count of 1 to 4 in any group, or as many who lack it, is hidden whole,
        its p too: what is left would give the count away. A group of fewer than five patients is
        not shown at all, nor are the others beside it. Numbers of missing values of 1 to 4 are
        said to be below five.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "Variable": ["Male sex, n (%)", "Age, mean ± SD"],
    ...     "All (n = 20)": ["18 (90.0)", "60.1 ± 9.0"],
    ...     "no (n = 10)": ["10 (100.0)", "61.0 ± 8.0"],
    ...     "yes (n = 10)": ["8 (80.0)", "59.2 ± 9.9"], "p": ["0.47", "0.66"]})
    >>> without_small_cells(table).frame.iloc[:, 1].tolist()
    ['hidden (< 5)', '60.1 ± 9.0']
    """
    frame = table.fillna("").astype(str).reset_index(drop=True)
    sizes = {
        name: int(match.group(1)) for name in frame.columns if (match := _OF_GROUP.search(name))
    }
    undivided = any(n < FEW for n in list(sizes.values())[1:])
    if undivided:
        gone = [name for name in [*list(sizes)[1:], *_TESTS] if name in frame.columns]
        frame = frame.drop(columns=gone)
        sizes = dict(list(sizes.items())[:1])
    blocks: list[list[int]] = []
    for position, name in enumerate(frame["Variable"]):
        if name.startswith(" ") and blocks:
            blocks[-1].append(position)
        else:
            blocks.append([position])
    n_hidden = 0
    for block in blocks:
        if _is_small(frame.iloc[block], sizes):
            n_hidden += 1
            frame.loc[block, list(sizes)] = HIDDEN
            frame.loc[block, [name for name in _TESTS if name in frame.columns]] = ""
    return Hidden(_without_small_missing(frame, list(sizes)), n_hidden, undivided)


def _is_small(rows: pd.DataFrame, sizes: dict[str, int]) -> bool:
    for name, n_all in sizes.items():
        for cell in rows[name]:
            known = _KNOWN.search(cell)
            n = int(known.group(1)) if known else n_all
            if 0 < n < FEW:
                return True
            counted = _COUNTED.match(cell)
            if counted and (0 < int(counted.group(1)) < FEW or 0 < n - int(counted.group(1)) < FEW):
                return True
    return False


def _without_small_missing(frame: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    if "Missing" not in frame.columns:
        return frame
    few = frame["Missing"].str.fullmatch(r"[1-4]")
    shown = frame.copy()
    shown.loc[few, "Missing"] = f"< {FEW}"
    for name in groups:
        shown.loc[few, name] = shown.loc[few, name].str.replace(_KNOWN, "", regex=True)
    return shown
