"""The measurements of one recording, read off its features: in medicine's words, with units."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from cardio_core.types.features import FeatureBlock, FeatureSet

MOST_NAMES = 60
"""A block of one axis with more names than this is a curve, not a list of measurements."""

UNITS = {"1": "", "deg": "degrees", "1/min": "per min", "uV.s": "uV s", "uV": "uV", "px": "pixels"}
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
    title, unit : str
        In medicine's words; the unit is empty for pure numbers.
    value : float or None
        The median over the recording's samples that have it; None where none has.
    quartiles : (float, float) or None
        Lower and upper, where samples differ.
    yes_no : bool
        Whether 1 means yes and 0 no.
    """

    title: str
    unit: str
    value: float | None
    quartiles: tuple[float, float] | None = None
    yes_no: bool = False

    @property
    def head(self) -> str:
        """The title with its unit, as a column's head.

        Examples
        --------
        >>> Measured("QRS duration", "ms", 112.0).head
        'QRS duration (ms)'
        """
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def text(self) -> str:
        """The value as it is written in a cell; empty where there is none."""
        if self.value is None:
            return ""
        if self.yes_no:
            return "yes" if self.value > 0.5 else "no"
        return plain(self.value)


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
        Block by block, in the order of their names; NaN counts as missing.
    """
    rows = np.arange(len(features))
    if "variant" in features.table.columns:
        rows = np.flatnonzero(features.table["variant"].to_numpy() == 0)
    made = [
        (words_of_block(name), one)
        for name, block in features.blocks.items()
        for one in _of_block(block, rows)
    ]
    heads = Counter(one.head for _, one in made)
    return [
        replace(one, title=f"{one.title}, {of_block}") if heads[one.head] > 1 else one
        for of_block, one in made
    ]


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
    for title, unit, column in zip(titles, units, values.T, strict=True):
        if not title:
            continue
        known = column[np.isfinite(column)].astype(float)
        low, middle, high = np.percentile(known, (25, 50, 75)) if known.size else [np.nan] * 3
        differs = known.size > 1 and bool(np.ptp(known) > 0)
        yes_no = title.endswith("?")
        yield Measured(
            title.removesuffix("?"),
            "" if yes_no else UNITS.get(unit, unit),
            float(middle) if known.size else None,
            (float(low), float(high)) if differs and not yes_no else None,
            yes_no,
        )
