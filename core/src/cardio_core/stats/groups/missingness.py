"""Which values are missing, which of them together, and whether the outcome has to do with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.classification.proportions import proportion
from cardio_core.stats.foundation.columns import column_named
from cardio_core.stats.foundation.display import BLANK, ResultTable, p_text
from cardio_core.stats.foundation.validate import Bools
from cardio_core.stats.groups.baseline_rows import Groups, groups_of
from cardio_core.stats.groups.contingency import chi2_2x2, chi2_rxc
from cardio_core.types.estimate import Estimate

MOST_PATTERNS = 10


def missing_report(
    table: pd.DataFrame,
    columns: Sequence[str] | None = None,
    *,
    target: str | None = None,
    unit: str = "row",
) -> ResultTable:
    """Count missing values by column, by pattern and by outcome.

    Parameters
    ----------
    table : DataFrame
    columns : sequence of str, optional
        All by default, but for the target.
    target : str, optional
        Column of two to 20 values; whether a value is missing is tested against it, on the rows
        where it is known.
    unit : str
        What a row is.

    Returns
    -------
    ResultTable
        A row a column with a missing value, then the patterns: the sets of columns missing
        together, the most frequent first. An estimate a column: the share missing with Wilson's
        interval and, with a target, the test.

    Raises
    ------
    DataError
        A column that is missing, no column, or a target of other than 2 to 20 values.

    Notes
    -----
    A small p says that values are not missing completely at random. A large one says nothing: what
    is missing may depend on the value itself, which no test of a table can show.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"a": [1, None, 3, None], "b": [1, None, 3, 4], "c": [1, 2, 3, 4]})
    >>> [row[:2] for row in missing_report(t).rows]
    [('a', '2 (50.0)'), ('b', '1 (25.0)'), ('Patterns', ''), ('  complete', '2 (50.0)'), \
('  a, b', '1 (25.0)'), ('  a', '1 (25.0)')]
    """
    names = [str(c) for c in table.columns if c != target] if columns is None else list(columns)
    if not names or target in names:
        raise DataError("missing: expected one or more columns besides the target; name them")
    groups = None if target is None else groups_of(table, target)
    absent = np.column_stack([column_named(table, name).isna().to_numpy(bool) for name in names])
    rows: list[tuple[str, ...]] = []
    estimates: list[Estimate] = []
    for name, gone in zip(names, absent.T, strict=True):
        if not gone.any():
            continue
        share = proportion(int(gone.sum()), gone.size, name=f"missing[{name}]", unit=unit)
        estimates.append(share)
        cells = _by_group(gone, groups)
        if groups is not None:
            tested = _tested(gone, groups, name, unit)
            estimates += [tested] if tested else []
            cells += [p_text(tested.p_value if tested else None), _label(tested)]
        rows.append((name, *_counted(gone), *cells))
    whole = [name for name, gone in zip(names, absent.T, strict=True) if not gone.any()]
    patterns, n_rarer = _patterns(absent, names, groups)
    heads: list[str] = []
    if groups is not None:
        of_groups = zip(groups.labels, groups.members, strict=True)
        heads = [*(f"{target} = {label} (n = {len(m)})" for label, m in of_groups), "p", "test"]
    return ResultTable(
        "Missing values" if target is None else f"Missing values by {target}",
        ("Column", f"all (n = {len(table)})", *heads),
        (*rows, *patterns),
        tuple(_notes(absent, whole, groups, target, n_rarer, estimates)),
        tuple(estimates),
    )


def _counted(gone: Bools) -> list[str]:
    return [f"{int(gone.sum())} ({100 * gone.mean():.1f})"]


def _by_group(gone: Bools, groups: Groups | None) -> list[str]:
    members = () if groups is None else groups.members
    return [cell for rows in members for cell in _counted(gone[rows])]


def _tested(gone: Bools, groups: Groups, name: str, unit: str) -> Estimate | None:
    """Test whether a value is missing more often in one group, if it is missing in any."""
    counts = np.array(
        [[int(gone[rows].sum()), int((~gone[rows]).sum())] for rows in groups.members]
    )
    if (counts.sum(axis=0) == 0).any():
        return None
    two = counts.shape == (2, 2)
    found = chi2_2x2(counts, yates=False, unit=unit) if two else chi2_rxc(counts, unit=unit)
    return found.replace(name=f"missing_by_group[{name}]")


def _label(tested: Estimate | None) -> str:
    return BLANK if tested is None else "Fisher" if "Fisher" in tested.method else "chi2"


def _patterns(
    absent: Bools, names: Sequence[str], groups: Groups | None
) -> tuple[list[tuple[str, ...]], int]:
    """Return a row a pattern, the complete rows first, and how many rarer patterns there are."""
    if not absent.any():
        return [], 0
    codes = pd.factorize(pd.Series(map(bytes, absent.astype(np.uint8))))[0]
    ranked = [code for code, _ in Counter(codes.tolist()).most_common()]
    kinds = {code: absent[codes == code][0] for code in ranked[: MOST_PATTERNS + 1]}
    kinds = dict(sorted(kinds.items(), key=lambda one: bool(one[1].any())))
    blank = [""] * (0 if groups is None else len(groups.labels) + 2)
    rows: list[tuple[str, ...]] = [("Patterns", "", *blank)]
    for code, kind in kinds.items():
        which = codes == code
        missing = [name for name, gone in zip(names, kind, strict=True) if gone]
        told = ", ".join(missing) if missing else "complete"
        tail = ["", ""] if groups is not None else []
        rows.append((f"  {told}", *_counted(which), *_by_group(which, groups), *tail))
    return rows, len(ranked) - len(kinds)


def _notes(
    absent: Bools, whole: Sequence[str], groups: Groups | None, target: str | None, n_rarer: int,
    estimates: Sequence[Estimate],
) -> list[str]:  # fmt: skip
    notes = [f"{int((~absent.any(axis=1)).sum())} of {len(absent)} rows have every value."]
    if n_rarer:
        notes.append(f"{n_rarer} rarer pattern{'s' if n_rarer > 1 else ''} not shown.")
    if whole:
        notes.append(f"No value missing: {', '.join(whole)}.")
    if groups is not None:
        n_tests = sum(estimate.p_value is not None for estimate in estimates)
        notes.append(
            "Tests: chi-square, Fisher's where an expected count is below 5. "
            f"{n_tests} p-values, not corrected for their number. A small p speaks against values "
            "missing completely at random; a large one for nothing."
        )
        if groups.n_dropped:
            notes.append(f"{groups.n_dropped} rows without {target} are in the first column only.")
    return notes
