"""A recording as a text table, as people and their programs write it.

Lines of titles, then a line a sample. Commas, semicolons, tabs or one column alone; with a
delimiter other than the comma, decimals may have a comma. A title is a lead's name by any usual
spelling, with its unit in brackets or behind a blank or underscore; units may stand in a line of
their own, too. A first column of times gives the sampling rate and is held against it; one of
running numbers is left out. Lines in front may name the rate, the unit and the lead. An empty cell
or ``NaN`` is a missing sample. What the file does not say, the caller does::

    # rate_hz=500                  time_s;I (mV);V1 (µV)         Sample Rate,512 hertz
    I [mV],II [mV],V1 [uV]         0,000;0,012;-35            Unit,µV
    0.012,0.020,-35                0,002;0,013;-36            Lead,Lead I
    0.013,,-36
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_ecg_transfer.readers.checks import (
    MV_PER_UNIT,
    SAME_RATE,
    require_rate,
    require_size,
    too_large,
)
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.names import is_lead_name

_MAX_BYTES_A_VALUE = 32  # a double printed in full has 24 characters
_MAX_LINE = 10_000
_MAX_HEAD = 40
_MISSING = ("", "NaN", "nan")

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?|[+-]?inf", re.ASCII)
_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)", re.ASCII)
_UNITS = {
    **{unit.lower(): unit for unit in MV_PER_UNIT},
    **{"millivolt": "mV", "millivolts": "mV", "microvolt": "uV", "microvolts": "uV"},
    **{"volt": "V", "volts": "V"},
}
_TITLED = re.compile(
    r"(?P<name>.+?)\s*(?:\[(?P<square>[^\[\]]+)\]|\((?P<round>[^()]+)\)|[\s_](?P<behind>[^\s_]+))"
)
_TIMES = {"time", "t", "times", "zeit", "elapsed time", "timestamp", "seconds", "temps", "tiempo"}
_TIME_UNITS = {
    **dict.fromkeys(("s", "sec", "seconds", "hh:mm:ss.mmm", "mm:ss.mmm"), 1.0),
    **dict.fromkeys(("ms", "msec", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs"), 1e-6),
}
_COUNTS = {"", "index", "idx", "sample", "samples", "sample #", "sample number", "n", "no", "nr"}
_LEAD_WORD = re.compile(r"(ableitung|abl|brustwand|d[ée]rivation|derivaci[oó]n)[\s._:-]*", re.I)
_CHEST = re.compile(r"c([1-6])", re.I | re.ASCII)
_ANY_LEAD = {"ecg", "ekg", "signal", "voltage", "value", "amplitude"}
_RATE_KEYS = {
    *("rate_hz", "rate", "fs", "sample rate", "sampling rate", "sampling frequency"),
    *("sampling_rate", "sample_rate", "sampling_frequency", "frequency", "abtastrate"),
}
_UNIT_KEYS = {"unit", "units", "einheit"}
_LEAD_KEYS = {"lead", "ableitung"}
_AGAIN = "export the table again"


@dataclass(frozen=True)
class _Layout:
    """What stands in front of the samples.

    `skip` lines, then samples in cells parted by `delimiter`, their titles being `titles`, one a
    column, with the line of units below them, if any, in `units`. `stated` holds the pairs of
    lines in front, by lower-case key.
    """

    skip: int
    delimiter: str
    decimal: str
    titles: tuple[str, ...]
    units: tuple[str, ...]
    stated: dict[str, str]


@dataclass(frozen=True)
class _Columns:
    """Where the leads stand, in which unit, and what the first column counts, if it is none."""

    leads: tuple[str, ...]
    units: tuple[str | None, ...]
    at: tuple[int, ...]
    time_unit_s: float | None
    counted: bool


def read_csv(
    path: Path, max_values: int, *, rate_hz: float | None = None, unit: str | None = None
) -> Ecg:
    """Read a table of samples; the format is in the module's first lines.

    Parameters
    ----------
    path : Path
        The file, UTF-8 or Latin-1.
    max_values : int
        Limit on leads × samples; a file larger than they could need is not parsed.
    rate_hz : float, optional
        For a table that tells no rate.
    unit : str, optional
        For a table that tells no unit.

    Returns
    -------
    Ecg
        In mV, missing cells NaN.

    Raises
    ------
    DataError
        No rate or unit, neither in the file nor given, or two that differ; times that are not
        evenly spaced; a title that is no lead's; a cell that is no number; a line with too many or
        too few cells; a table that is too large.
    """
    n_bytes = path.stat().st_size
    if n_bytes > max_values * _MAX_BYTES_A_VALUE:
        raise too_large(path.name, max_values, f"{n_bytes} bytes")
    layout = _layout_of(path)
    columns = _columns_of(layout, path.name)
    factors = _factors(columns.units, layout, unit, path.name)
    timed = columns.time_unit_s is not None
    rate = _first_rate(layout, rate_hz, path.name) if not timed else math.nan
    table, times = _read_cells(path, layout, timed)
    require_size(path.name, len(columns.leads), len(table), max_values)
    if columns.time_unit_s is not None:
        rate = _rate_of_times(times * columns.time_unit_s, path.name)
        stated = _stated_rate(layout, path.name)
        if stated is not None and not math.isclose(rate, stated, rel_tol=SAME_RATE):
            raise DataError.unusable(
                path.name,
                f"times that are {stated:g} Hz apart, as its first lines say",
                f"{rate:g} Hz",
                "correct one of them",
            )
    require_rate(path.name, rate)
    if columns.counted:
        _require_counting(table[:, 0], path.name)
    signal_mv = table[:, list(columns.at)].T * factors[:, None]
    return Ecg(np.ascontiguousarray(signal_mv, dtype=np.float32), rate, columns.leads)


# What stands in front


def _layout_of(path: Path) -> _Layout:
    """Find the first line of samples, and read what is in front of it."""
    lines = _head(path)
    first = next((n for n, line in enumerate(lines) if _is_data(line)), len(lines))
    sample = lines[first] if first < len(lines) else ""
    delimiter = next((item for item in ";\t," if item in sample), ",")
    statements, rest = _pairs([line for line in lines[:first] if line.strip()])
    units: tuple[str, ...] = ()
    if len(rest) > 1 and _is_unit_line(_cells(rest[-1], delimiter)):
        units = _cells(rest.pop(), delimiter)
    titles = _cells(rest[-1], delimiter) if rest else ()
    lead = next((statements[key] for key in _LEAD_KEYS if key in statements), None)
    if lead is not None and not titles:
        titles = (lead,)
    commas = any("," in line for line in lines[first:])
    decimal = "," if delimiter != "," and commas else "."
    if delimiter == "," and len(titles) == 1 and sample.count(",") == 1:
        delimiter, decimal = ";", ","  # one column with decimal commas
    return _Layout(first, delimiter, decimal, titles, units, statements)


def _head(path: Path) -> list[str]:
    with path.open("rb") as file:
        raw = [file.readline(_MAX_LINE) for _ in range(_MAX_HEAD)]
    try:
        return [line.decode("utf-8-sig").rstrip("\r\n") for line in raw if line]
    except UnicodeDecodeError:
        return [line.decode("latin-1").rstrip("\r\n") for line in raw if line]


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    return tuple(cell.strip().strip("'\"").strip() for cell in line.split(delimiter))


def _is_data(line: str) -> bool:
    """Whether a line is one of samples: numbers, times of the clock and empty cells."""
    if not line.strip():
        return False
    cells = re.split(r"[;\t]", line) if re.search(r"[;\t]", line) else line.split(",")
    cells = [cell.strip().strip("'\"") for cell in cells]
    numbers = [bool(_NUMBER.fullmatch(cell)) for cell in cells]
    clock = bool(_CLOCK.fullmatch(cells[0]))
    missing = [cell in _MISSING for cell in cells]
    return all(
        number or empty or (n == 0 and clock)
        for n, (number, empty) in enumerate(zip(numbers, missing, strict=True))
    ) and (any(numbers) or clock or "NaN" in line or "nan" in line)


def _is_unit_line(cells: tuple[str, ...]) -> bool:
    return all(cell.lower() in _UNITS or cell.lower() in _TIME_UNITS for cell in cells)


def _pairs(front: list[str]) -> tuple[dict[str, str], list[str]]:
    """Part the lines in front into what they say by name, and the last of the others.

    A comment, or a line of a name and a value, may say something; other lines in front of such a
    line, who was recorded for example, go by unread.
    """
    statements: dict[str, str] = {}
    rest: list[str] = []
    for line in front:
        bare = line.lstrip("#%/ \t")
        is_comment = bare != line.lstrip()
        key, _, value = re.sub(r"[,;:\t]", "=", bare, count=1).partition("=")
        key, value = key.strip(" '\"").lower(), value.strip(" '\",;\t")
        if key in _RATE_KEYS | _UNIT_KEYS | _LEAD_KEYS and not _also_titles(value):
            statements[key] = value
            rest = rest if is_comment else []
        elif not is_comment:
            rest.append(line)
    return statements, rest


def _also_titles(value: str) -> bool:
    """Whether what follows a key holds more cells: then the line is one of titles."""
    return bool(re.search(r"[;\t,]\s*\S", value))


def _columns_of(layout: _Layout, name: str) -> _Columns:
    """Tell the leads among the columns, and what the first column is."""
    titles = layout.titles
    if not titles:
        raise DataError.unusable(
            name, "a line of titles that names the leads", "none", "write one, as 'I [mV],II [mV]'"
        )
    units = layout.units or ("",) * len(titles)
    first, given = _name_and_unit(titles[0])
    unit = (given or units[0]).lower()
    if not unit and first.lower() in _TIME_UNITS:
        unit = first.lower()  # "sec" alone
    time_unit_s, counted, start = None, False, 0
    if first.lower() in _TIMES or (unit in _TIME_UNITS and not is_lead_name(first)):
        if unit and unit not in _TIME_UNITS:
            raise _no_lead(name, 1)
        time_unit_s, start = _TIME_UNITS.get(unit, 1.0), 1
    elif first.lower() in _COUNTS and len(titles) > 1:
        counted, start = True, 1
    leads: list[str] = []
    found: list[str | None] = []
    for at, title in enumerate(titles[start:], start):
        lead, own = _name_and_unit(title)
        lead = _lead_of(lead)
        own = own or (units[at] if at < len(units) else "")
        known = _UNITS.get(own.lower()) if own else None
        alone = len(titles) - start == 1 and lead.lower() in _ANY_LEAD
        if not lead or (own and known is None) or not (known or is_lead_name(lead) or alone):
            raise _no_lead(name, at + 1)
        leads.append(lead)
        found.append(known)
    if not leads:
        raise _no_lead(name, 1)
    at_columns = tuple(range(start, len(titles)))
    if time_unit_s is not None:
        at_columns = tuple(at - 1 for at in at_columns)
    return _Columns(tuple(leads), tuple(found), at_columns, time_unit_s, counted)


def _lead_of(title: str) -> str:
    """Return a title without the word for a lead, and an IEC chest lead (C1) by its usual name."""
    bare = _LEAD_WORD.sub("", title, count=1)
    chest = _CHEST.fullmatch(bare)
    bare = f"V{chest[1]}" if chest else bare
    return bare if is_lead_name(bare) else title


def _no_lead(name: str, column: int) -> DataError:
    return DataError.unusable(
        name,
        "columns titled by lead, with a unit of potential or none, as 'II [mV]'",
        f"another title over column {column}",
        "correct the titles, or take the column out",
    )


def _name_and_unit(title: str) -> tuple[str, str]:
    """Part a title; a unit that is not in brackets counts only where it is one."""
    matched = _TITLED.fullmatch(title)
    if matched is None:
        return title, ""
    behind = matched["behind"]
    if behind is not None:
        known = behind.lower() in _UNITS or behind.lower() in _TIME_UNITS
        return (matched["name"], behind) if known else (title, "")
    within = (matched["square"] or matched["round"]).strip()
    if matched["square"] is None and is_lead_name(title) and within.lower() not in _UNITS:
        return title, ""  # a remark: "I (Einthoven)"
    return matched["name"], within


def _factors(
    units: tuple[str | None, ...], layout: _Layout, given: str | None, name: str
) -> NDArray[np.float64]:
    """Return what one unit of each column is in mV."""
    stated = next((layout.stated[key] for key in _UNIT_KEYS if key in layout.stated), None)
    common = None
    if stated is not None:
        common = _UNITS.get(stated.lower())
        if common is None:
            raise DataError.unusable(
                name, "a unit of potential in its first lines", "another", "correct it"
            )
    if given is not None:
        scales = {MV_PER_UNIT[item] for item in (*units, common) if item is not None}
        if scales - {MV_PER_UNIT[given]}:
            raise DataError.unusable(
                name, f"samples in {given}, as given", "another unit in the file",
                "leave the unit out, or give the file's",
            )  # fmt: skip
    resolved = [unit or common or given for unit in units]
    if None in resolved:
        raise DataError.unusable(
            name,
            "a unit in the titles, as 'II [mV]'",
            "none",
            "write it there, or give --unit mV or uV",
        )
    return np.array([MV_PER_UNIT[str(entry)] for entry in resolved])


def _stated_rate(layout: _Layout, name: str) -> float | None:
    """Return the rate that the lines in front name, with or without Hz behind it."""
    for key in _RATE_KEYS & layout.stated.keys():
        matched = re.fullmatch(r"([0-9.eE+-]+)\s*(hz|hertz)?", layout.stated[key], re.IGNORECASE)
        try:
            rate = float(matched[1]) if matched else math.nan
        except ValueError:
            rate = math.nan
        require_rate(name, rate)
        return rate
    return None


def _first_rate(layout: _Layout, given: float | None, name: str) -> float:
    stated = _stated_rate(layout, name)
    if stated is None and given is None:
        raise DataError.unusable(
            name,
            "a sampling rate or a column of times",
            "neither",
            "write '# rate_hz=500' as its first line, or give --rate-hz 500",
        )
    rate = stated if stated is not None else float(given or math.nan)
    require_rate(name, rate)
    return rate


# The samples


def _read_cells(
    path: Path, layout: _Layout, timed: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read the samples, shape (n_samples, n_columns without times), and the times as written."""
    n_columns = len(layout.titles)
    wrong = DataError.unusable(
        path.name,
        f"{n_columns} numbers in every line below the titles",
        "text, or another number of cells",
        _AGAIN,
    )
    try:
        table = pd.read_csv(
            path,
            sep=layout.delimiter,
            decimal=layout.decimal,
            skiprows=layout.skip,
            header=None,
            dtype={0: str, **dict.fromkeys(range(1, n_columns), np.float64)}
            if timed
            else np.float64,
            encoding="latin-1",
            quotechar="'" if _has_single_quotes(path, layout.skip) else '"',
            na_values=list(_MISSING),
            keep_default_na=False,
            skip_blank_lines=False,
            index_col=False,
        )
    except pd.errors.EmptyDataError:
        return np.empty((0, n_columns - timed)), np.empty(0)
    except (ValueError, pd.errors.ParserError):
        raise wrong from None
    # pandas refuses a line that is too long and fills up one that is too short: with the first
    # line right, the delimiters add up only if every line is.
    n_found = _count(path, layout.delimiter, layout.skip)
    if table.shape[1] != n_columns or n_found != (n_columns - 1) * len(table):
        raise wrong
    if not timed:
        return table.to_numpy(np.float64), np.empty(0)
    try:
        times = _seconds(table[0], layout.decimal)
    except ValueError:
        raise wrong from None
    return table.drop(columns=0).to_numpy(np.float64), times


def _count(path: Path, delimiter: str, skip: int) -> int:
    """Count the delimiters behind the lines in front, block by block."""
    with path.open("rb") as file:
        for _ in range(skip):
            file.readline()
        return sum(
            block.count(delimiter.encode()) for block in iter(lambda: file.read(1 << 20), b"")
        )


def _has_single_quotes(path: Path, skip: int) -> bool:
    with path.open("rb") as file:
        for _ in range(skip):
            file.readline()
        return file.read(1) == b"'"


def _seconds(cells: pd.Series, decimal: str) -> NDArray[np.float64]:
    """Return times, as numbers or as the clock's h:m:s."""
    text = cells.str.strip()
    if decimal == ",":
        text = text.str.replace(",", ".", regex=False)
    if not text.str.contains(":", regex=False).any():
        return text.to_numpy(np.float64)
    parts = text.str.split(":", expand=True).to_numpy(object)
    seconds = np.zeros(len(parts))
    for column in parts.T:  # a cell with fewer parts ends in None
        seconds = np.where(pd.isna(column), seconds, 60.0 * seconds + _as_float(column))
    return seconds


def _as_float(column: NDArray[np.object_]) -> NDArray[np.float64]:
    return np.where(pd.isna(column), "nan", column).astype(np.float64)


def _rate_of_times(times_s: NDArray[np.float64], name: str) -> float:
    """Return the rate of evenly spaced times, a whole one where the printed digits allow it.

    Raises
    ------
    DataError
        If a time is missing, or more than half a step away from where it should be.
    """
    n = times_s.size
    span_s = float(times_s[-1] - times_s[0]) if n > 1 else 0.0
    if not (np.isfinite(times_s).all() and span_s > 0):
        raise DataError.unusable(
            name, "a column of times that increase", "another", "correct the times"
        )
    rate = (n - 1) / span_s
    # Printed digits move the first and the last time by part of a step: that is no other rate.
    if abs(rate - round(rate)) * span_s < 0.5:
        rate = float(round(rate))
    off = times_s - times_s[0] - np.arange(n) / rate
    steps = np.diff(times_s)
    if np.abs(off).max() > 0.75 / rate or np.abs(steps * rate - 1).max() > 0.75:
        raise DataError.unusable(
            name,
            f"times that are evenly spaced, {1000 / rate:.4g} ms apart",
            f"gaps or other steps, from {1000 * steps.min():.4g} to {1000 * steps.max():.4g} ms",
            "export without gaps, or each stretch as a file",
        )
    return rate


def _require_counting(column: NDArray[np.float64], name: str) -> None:
    if not (np.diff(column) == 1).all():
        raise DataError.unusable(
            name,
            "running numbers in the first column, as its title says",
            "others",
            "export without gaps, or title the column",
        )
