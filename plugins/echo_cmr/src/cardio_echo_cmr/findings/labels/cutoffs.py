"""Raised or not: T1, T2 and ECV against the cut-off of the scanner that measured them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import ConfigError
from cardio_echo_cmr.findings.config import LoadBlock, ScannerCutoffsBlock
from cardio_echo_cmr.findings.tasks import MAPPED

_EXACT = 1e-9
"""Relative rounding within which a value is its cut-off."""


def mapped_labels(
    table: pd.DataFrame, finding: str, config: LoadBlock
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return whether a measured finding is raised, and its value.

    Parameters
    ----------
    table : DataFrame
        A cohort table with the finding's column, and `field_T` and `scanner_vendor` where the
        configuration has cut-offs for them.
    finding : {"t1", "t2", "ecv"}
    config : LoadBlock
        The cut-offs.

    Returns
    -------
    DataFrame
        Indexed like the table, columns ``t1_high`` (1 from the cut-off on, itself included; 0; NaN
        where not measured) and ``t1_ms``, say.
    tuple of str
        Notes: how many values are the cut-off itself, and what each cut-off was used for.

    Raises
    ------
    ConfigError
        The table has no such column.
    """
    name, unit = MAPPED[finding]
    if name not in table.columns:
        raise ConfigError(
            f"{finding}: expected a column {name} in the cohort table, found none; add the CMR's "
            "measurement"
        )
    value = table[name].to_numpy(float, na_value=np.nan)
    cut = cutoffs_of(table, name, config)
    exact = np.isclose(value, cut, rtol=_EXACT, atol=0.0)
    high = np.where(np.isnan(value), np.nan, ((value > cut) | exact).astype(float))
    labels = pd.DataFrame({f"{finding}_high": high, name: value}, index=table.index)
    return labels, _notes(finding, unit, value, cut, int(exact.sum()))


def cutoffs_of(table: pd.DataFrame, name: str, config: LoadBlock) -> NDArray[np.float64]:
    """Return the cut-off that holds for each study.

    The first of `scanner_cutoffs` that matches the study's field strength (within .01 T) and maker
    (upper and lower case alike) and gives a value holds; else the general one.

    Examples
    --------
    >>> from cardio_echo_cmr.findings.config import LoadBlock
    >>> config = LoadBlock(scanner_cutoffs=({"field_T": 3.0, "t1_ms": 1230.0},))
    >>> cutoffs_of(pd.DataFrame({"field_T": [1.5, 3.0, None]}), "t1_ms", config).tolist()
    [1060.0, 1230.0, 1060.0]
    """
    cut = np.full(len(table), float(getattr(config.cutoffs, name)))
    open_ = np.ones(len(table), bool)
    for rule in config.scanner_cutoffs:
        own = getattr(rule, name)
        if own is None:
            continue
        match = open_ & _matches(table, rule)
        cut[match] = own
        open_ &= ~match
    return cut


def _matches(table: pd.DataFrame, rule: ScannerCutoffsBlock) -> NDArray[np.bool_]:
    match = np.ones(len(table), bool)
    if rule.field_T is not None:
        field = table.reindex(columns=["field_T"])["field_T"].to_numpy(float, na_value=np.nan)
        match &= np.abs(field - rule.field_T) <= 0.01
    if rule.vendor is not None:
        maker = table.reindex(columns=["scanner_vendor"])["scanner_vendor"].astype("string")
        match &= maker.str.strip().str.lower().eq(rule.vendor.strip().lower()).fillna(False)
    return match


def _notes(
    finding: str, unit: str, value: NDArray[np.float64], cut: NDArray[np.float64], n_exact: int
) -> tuple[str, ...]:
    measured = ~np.isnan(value)
    used = ", ".join(
        f"{level:g} {unit} for {int((cut[measured] == level).sum())}"
        for level in np.unique(cut[measured])
    )
    return (
        f"{finding.upper()} counts as raised from its cut-off on ({used} studies); {n_exact} of "
        f"{int(measured.sum())} are exactly at it, raised by the published table (≥) and not by "
        "its text (>).",
    )
