"""The measurements of one recording, read off its features: in medicine's words, with units."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cardio_core.types.features import NO_YES, Difference, FeatureBlock, FeatureSet
from cardio_stats.cells import as_they_were, write_rows

MOST_NAMES = 60
"""A block of one axis with more names than this is a curve, not a list of measurements."""

UNITS = {"1": "", "deg": "degrees", "1/min": "per min", "uV.s": "µV·s", "uV": "µV", "px": "pixels"}
"""Units as they are written out; any other stays as it is."""

_ENDS = frozenset(
    [
        "ms",
        "s",
        "min",
        "bpm",
        "hz",
        "mm",
        "cm",
        "mm2",
        "ml",
        "l",
        "mv",
        "uv",
        "uvs",
        "deg",
        "pct",
        "px",
        "kg",
        "m2",
        "y",
        "mmhg",
        "bar",
        "g",
    ],
)
"""Last parts of names that repeat the unit."""

_SPELLED = {
    "qrs": "QRS", "pr": "PR", "rr": "RR", "ecg": "ECG", "la": "LA",
    "lvesv": "LV end-systolic volume",
    "lv": "LV", "rv": "RV", "lvef": "LVEF", "lvedv": "LV end-diastolic volume", "ef": "EF",
    "qt": "QT", "qtc": "QTc", "p": "P", "t": "T", "r": "R",
    "lbbb": "LBBB", "rbbb": "RBBB", "mvc": "mitral valve closure", "avo": "aortic valve opening",
    "psd": "phase SD", "pbw": "phase bandwidth", "n": "number of",
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One measurement of one recording.

    Attributes
    ----------
    name : str
        What programs call it: the feature's, with its block's before it where two share one.
    title, unit : str
        In medicine's words; the unit is empty for pure numbers.
    value : float or None
        The median over the recording's samples that have it; None where none has.
    quartiles : (float, float) or None
        Lower and upper, where samples differ.
    yes_no : bool
        Whether 1 means yes and 0 no.
    listed_last : bool
        Whether it stands behind all others.
    levels : tuple of str
        What value 0, 1, ... stands for, where it is a code; the commonest of the samples counts.
    difference : Difference or None
        What it is the difference of, by the name of that measurement.
    """

    name: str
    title: str
    unit: str
    value: float | None
    quartiles: tuple[float, float] | None = None
    yes_no: bool = False
    listed_last: bool = False
    levels: tuple[str, ...] = ()
    difference: Difference | None = None

    @property
    def column(self) -> Column:
        """What its column is."""
        values = "text" if self.levels else "yes/no" if self.yes_no else "number"
        return Column(self.name, self.title, self.unit, values, self.difference)

    @property
    def has_order(self) -> bool:
        """Whether values lie between others, so that a median and quartiles mean something."""
        return not (self.yes_no or self.levels)

    @property
    def text(self) -> str:
        """The value as it is written in a cell; empty where there is none."""
        if self.value is None:
            return ""
        if self.levels:
            return self.levels[int(self.value)]
        if self.yes_no:
            return "yes" if self.value > 0.5 else "no"
        return plain(self.value)


@dataclass(frozen=True)
class Column:
    """A column of ``measurements.csv``: a name for programs, and what it is called and holds.

    Attributes
    ----------
    name, title, unit : str
        As in `Measured`.
    values : {"number", "yes/no", "text"}
        What its cells hold.
    difference : Difference or None
        What its cells are differences of, by the name of that column.
    """

    name: str
    title: str
    unit: str = ""
    values: str = "text"
    difference: Difference | None = None

    @property
    def head(self) -> str:
        """The title with its unit, as a reader sees it.

        Examples
        --------
        >>> Column("qrs_ms", "QRS duration", "ms", "number").head
        'QRS duration (ms)'
        """
        return f"{self.title} ({self.unit})" if self.unit else self.title


COLUMNS = {
    value.name: value
    for value in (
        Column("id", "Recording, or study"),
        Column("patient", "Patient"),
        Column("recordings", "Recordings that a study stands on", "", "number"),
        Column("samples", "Samples that the numbers stand on", "", "number"),
        Column("flags", "What a reader should know"),
        Column("reason", "Why it was not measured"),
        Column("sheet", "File of the sheet"),
    )
}
"""Of the columns of ``measurements.csv`` those that are no measurements."""


def columns_file(table: Path) -> Path:
    """Return the file that says what the columns of a table of measurements are.

    Examples
    --------
    >>> columns_file(Path("out/measurements.csv")).name
    'measurements_columns.csv'
    """
    return table.with_name(f"{table.stem}_columns{table.suffix}")


def write_columns(table: Path, columns: Iterable[Column]) -> None:
    """Write the file beside a table that says what each column is."""
    none = Difference("", "")
    write_rows(
        columns_file(table),
        ("column", "title", "unit", "values", "difference_of", "late", "early"),
        (
            [one.name, one.title, one.unit, one.values, differs.of, differs.late, differs.early]
            for one, differs in ((column, column.difference or none) for column in columns)
        ),
    )


def read_columns(table: Path) -> list[Column]:
    """Return what stands beside a table, in the order of its columns."""
    with columns_file(table).open(encoding="utf-8", newline="") as file:
        rows = [as_they_were(row) for row in csv.DictReader(file)]
    return [
        Column(
            row["column"], row["title"], row["unit"], row["values"],
            Difference(row["late"], row["early"], row["difference_of"]) if row["late"] else None,
        )
        for row in rows
    ]  # fmt: skip


def short(text: str) -> str:
    """Return a cell as it is read by eye: three digits.

    Examples
    --------
    >>> short("71.19"), short("158.1"), short("1234"), short("yes")
    ('71.2', '158', '1234', 'yes')
    """
    try:
        value = float(text)
    except ValueError:
        return text
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def plain(value: float) -> str:
    """Return a number with four digits, as spreadsheets and programs read it.

    Examples
    --------
    >>> plain(112.04), plain(0.123456789), plain(-0.0), plain(123456.7)
    ('112', '0.1235', '0', '123457')
    """
    text = f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
    return "0" if text == "-0" else text


def measured_of(features: FeatureSet) -> list[Measured]:
    """Return every measurement of one recording.

    Parameters
    ----------
    features : FeatureSet
        Its samples; of their variants the original counts.

    Returns
    -------
    list of Measured
        Block by block, in the order of their names, but for those that are listed last; NaN counts
        as missing.
    """
    rows = np.arange(len(features))
    if "variant" in features.table.columns:
        rows = np.flatnonzero(features.table["variant"].to_numpy() == 0)
    made = [
        (name, item) for name, block in features.blocks.items() for item in _of_block(block, rows)
    ]
    heads = Counter(item.column.head for _, item in made)
    names = Counter([*COLUMNS, *(item.name for _, item in made)])
    unlike = [
        replace(
            item,
            title=item.title
            if heads[item.column.head] == 1
            else f"{item.title}, {words_of_block(block)}",
            name=item.name if names[item.name] == 1 else f"{machine_name(block)}_{item.name}",
        )
        for block, item in made
    ]
    renamed = {item.name: new.name for (_, item), new in zip(made, unlike, strict=True)}
    of_columns = [
        replace(item, difference=replace(differs, of=renamed.get(machine_name(differs.of), "")))
        if (differs := item.difference)
        else item
        for item in unlike
    ]
    return sorted(of_columns, key=lambda item: item.listed_last)


def with_words(features: FeatureSet, words: Mapping[str, str]) -> FeatureSet:
    """Give blocks without titles those of `PluginInfo.words`, whose unit in brackets is dropped.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({n: ["a"] for n in ("recording_id", "study_id", "patient_id")})
    >>> block = FeatureBlock(np.ones((1, 2)), ("name",), ("psd_deg", "fit"), ("deg", "1"))
    >>> made = with_words(FeatureSet(table, {"phase": block}), {"psd_deg": "Phase SD (°)"})
    >>> made["phase"].titles
    ('Phase SD', 'Fit')
    """
    blocks = {
        name: replace(block, titles=tuple(_bare(words.get(n)) or title_of(n) for n in block.names))
        if block.titles is None and is_listed(block) and set(words) & set(block.names)
        else block
        for name, block in features.blocks.items()
    }
    return replace(features, blocks=blocks)


def _bare(title: str | None) -> str:
    return re.sub(r"\s*\([^()]*\)$", "", title or "")


def n_samples_of(features: FeatureSet) -> int:
    """Return on how many samples the measurements stand: those that are no shifted copies."""
    table = features.table
    return int((table["variant"] == 0).sum()) if "variant" in table.columns else len(table)


def title_of(name: str) -> str:
    """Return the words of a feature's name: its unit left out, abbreviations spelled.

    Examples
    --------
    >>> title_of("qrs_ms"), title_of("heart_rate_bpm"), title_of("lvedv_spect_ml")
    ('QRS', 'Heart rate', 'LV end-diastolic volume spect')
    """
    parts = re.split(r"[_\s]+", name.strip())
    while len(parts) > 1 and parts[-1].lower() in _ENDS:
        parts.pop()
    words = " ".join(_SPELLED.get(part.lower(), part) for part in parts)
    return words[:1].upper() + words[1:]


def words_of_block(name: str) -> str:
    """Return a block's name as words.

    Examples
    --------
    >>> words_of_block("segment_phase")
    'segment phase'
    """
    return name.replace("_", " ")


def machine_name(name: str) -> str:
    """Return a feature's name as a column's, which needs no quotes in any language.

    Examples
    --------
    >>> machine_name("qrs_ms"), machine_name("S/N ratio, V1")
    ('qrs_ms', 's_n_ratio_v1')
    """
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_") or "unnamed"


def is_listed(block: FeatureBlock) -> bool:
    """Whether a block's numbers are measurements: one axis, no scale along it, not marked off."""
    if block.titles is not None:
        return bool(block.titles)
    return (
        len(block.axes) == 1
        and not block.extents
        and block.values.shape[1] == len(block.names) <= MOST_NAMES
    )


def _of_block(block: FeatureBlock, rows: np.ndarray) -> Iterator[Measured]:
    if not is_listed(block):
        return
    values = block.in_units(rows)
    units = block.units * len(block.names) if len(block.units) == 1 else block.units
    titles = block.titles or tuple(title_of(name) for name in block.names)
    for name, title, unit, column in zip(block.names, titles, units, values.T, strict=True):
        if not title:
            continue
        levels = block.levels.get(name, ())
        yes_no = levels == NO_YES
        made = Measured(
            machine_name(name),
            title,
            "" if levels else UNITS.get(unit, unit),
            None,
            None,
            yes_no,
            name in block.listed_last,
            () if yes_no else levels,
            block.differences.get(name),
        )
        yield of_several(made, [float(value) for value in column if np.isfinite(value)])


def of_several(measured: Measured, known: Sequence[float]) -> Measured:
    """Return a measurement with the median and quartiles of several; of codes the commonest.

    Examples
    --------
    >>> of_several(Measured("p_mm", "Peak", "mm", None), [1.0, 2.0, 6.0]).quartiles
    (1.5, 4.0)
    >>> coded = Measured("rhythm", "Rhythm", "", None, levels=("sinus", "paced"))
    >>> of_several(coded, [1.0, 0.0, 1.0]).text
    'paced'
    """
    if not known:
        return replace(measured, value=None, quartiles=None)
    if measured.levels:
        return replace(measured, value=Counter(sorted(known)).most_common(1)[0][0], quartiles=None)
    low, middle, high = (float(value) for value in np.percentile(known, (25, 50, 75)))
    differs = min(known) < max(known) and measured.has_order
    return replace(measured, value=middle, quartiles=(low, high) if differs else None)
