"""A recording as a small text table, for data from anywhere else.

The first line names the sampling rate, the second the leads with their unit in square brackets
(mV or another unit of potential, each column its own), then one line a sample. An empty cell or
``NaN`` is a missing sample. UTF-8, comma, decimal point::

    # rate_hz=500
    I [mV],II [mV],V1 [uV]
    0.012,0.020,-35
    0.013,,-36
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.api import DataError
from cardio_ecg_transfer.readers.checks import MV_PER_UNIT, require_rate, require_size, too_large
from cardio_ecg_transfer.signal.ecg import Ecg

_RATE_LINE = re.compile(r"#\s*rate_hz\s*=\s*(?P<rate>[0-9.eE+-]+)\s*")
_COLUMN = re.compile(r"\s*(?P<lead>[^\[\]]+?)\s*\[(?P<unit>[^\[\]]+)\]\s*")
_MAX_BYTES_A_VALUE = 32  # a double printed in full has 24 characters
_MAX_LINE = 10_000


def read_csv(path: Path, max_values: int) -> Ecg:
    """Read a table of samples; the format is in the module's first lines.

    Parameters
    ----------
    path : Path
        The file.
    max_values : int
        Limit on leads × samples; a file larger than they could need is not parsed.

    Returns
    -------
    Ecg
        In mV, missing cells NaN.

    Raises
    ------
    DataError
        No rate line, a column without lead or unit, a cell that is no number, a line
        with too many or too few cells, a table that is too large.
    """
    n_bytes = path.stat().st_size
    if n_bytes > max_values * _MAX_BYTES_A_VALUE:
        raise too_large(path.name, max_values, f"{n_bytes} bytes")
    rate_hz, leads, factors = _read_head(path)
    table = _read_cells(path, len(leads))
    require_size(path.name, len(leads), len(table), max_values)
    signal_mv = np.ascontiguousarray(table.T * factors[:, None], dtype=np.float32)
    return Ecg(signal_mv, rate_hz, leads)


def _read_head(path: Path) -> tuple[float, tuple[str, ...], np.ndarray]:
    """Read the rate, the lead names and what one unit of each column is in mV."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first, second = file.readline(_MAX_LINE), file.readline(_MAX_LINE)
    matched = _RATE_LINE.fullmatch(first.strip())
    if not matched:
        raise DataError.unusable(
            path.name,
            "a sampling rate in the first line",
            "none",
            "write '# rate_hz=500' as its first line",
        )
    try:
        rate_hz = float(matched["rate"])
    except ValueError:
        rate_hz = float("nan")
    require_rate(path.name, rate_hz)
    leads, factors = [], []
    for index, title in enumerate(second.rstrip("\r\n").split(",")):
        column = _COLUMN.fullmatch(title)
        if not column or column["unit"].strip() not in MV_PER_UNIT:
            raise DataError.unusable(
                path.name,
                "columns titled by lead and unit, as 'II [mV]'",
                f"another title over column {index + 1}",
                "correct the second line",
            )
        leads.append(column["lead"])
        factors.append(MV_PER_UNIT[column["unit"].strip()])
    return rate_hz, tuple(leads), np.array(factors)


def _read_cells(path: Path, n_leads: int) -> np.ndarray:
    """Read the samples, shape (n_samples, n_leads), float64."""
    try:
        table = pd.read_csv(
            path,
            skiprows=2,
            header=None,
            dtype=np.float64,
            encoding="utf-8-sig",
            na_values=["", "NaN", "nan"],
            keep_default_na=False,
            skip_blank_lines=False,
            index_col=False,
        )
    except pd.errors.EmptyDataError:
        return np.empty((0, n_leads))
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError):
        table = None
    # pandas refuses a line that is too long and fills up one that is too short: with the first
    # line right, the commas add up only if every line is.
    if (
        table is None
        or table.shape[1] != n_leads
        or _count_commas(path) != (n_leads - 1) * (len(table) + 1)
    ):
        raise DataError.unusable(
            path.name,
            f"{n_leads} numbers in every line after the second",
            "text, or another number of cells",
            "export the table again",
        )
    return table.to_numpy()


def _count_commas(path: Path) -> int:
    """Count the commas of the whole file, the title line's included, block by block."""
    with path.open("rb") as file:
        return sum(block.count(b",") for block in iter(lambda: file.read(1 << 20), b""))
