"""How far a patient lies from others in measured columns: one by one, and all together."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.evaluation.clinical_model import by_patient
from cardio_core.io.cohort_columns import COLUMNS, columns_of_patients, title_of
from cardio_core.io.run_schema import Count, FileSchema, Matrix, Number, Vector
from cardio_core.report.measurements import UNITS, is_listed, with_words, words_of_block
from cardio_core.report.measurements import title_of as title_of_name
from cardio_core.types.features import FeatureBlock, FeatureSet
from cardio_core.types.samples import Cohort

Floats = NDArray[np.float64]

LEAST_KNOWN = 0.5
"""A column that fewer of the patients have says too little."""

MOST_COLUMNS = 300
"""The covariance of more columns is not estimated; those that most patients have are taken."""

_NORMAL_90 = 1.2815515655446004
_NORMAL_97 = 1.959963984540054
"""The 90th and the 97.5th percentile of the standard normal distribution."""

_LEAST_SIDE = 0.25
"""Least scale of one side of a column, as a share of the mean of both."""

_FARTHEST = 20.0
"""In scales: in the distance of all columns together, what lies farther is as far."""

_WINSOR = 3.0
"""In scales: training patients farther out do not stretch the covariance."""


@dataclass(frozen=True)
class Likeness:
    """Robust scales of columns and their shrunk covariance; no patient's own values.

    Attributes
    ----------
    columns : tuple of str
    middle, below, above : ndarray, shape (n_columns,)
        Median, and how far the 10th and the 90th percentile lie from it, or the 2.5th and the
        97.5th if that is more, as the standard deviation of a normal distribution. Two sides,
        because many measurements are skewed.
    low, high : ndarray, shape (n_columns,)
        The 1st and the 99th percentile, for words.
    known : ndarray, shape (n_columns,)
        Share of the patients who have the column.
    together : tuple of int
        Positions of the columns that are judged together, too.
    covariance : ndarray, shape (n_together, n_together)
        Of the scaled columns, shrunk as Ledoit and Wolf have it.
    """

    columns: tuple[str, ...]
    middle: Vector
    below: Vector
    above: Vector
    low: Vector
    high: Vector
    known: Vector
    together: tuple[Count, ...]
    covariance: Matrix

    @classmethod
    def fit(cls, values: pd.DataFrame, together: Mapping[str, bool]) -> Likeness:
        """Summarise patients.

        Parameters
        ----------
        values : DataFrame, one row a patient
            Numbers, NaN where unknown. Columns that few patients have, or in which most are the
            same, are left out.
        together : mapping of str to bool
            Whether a column is judged together with the others, not only by itself.
        """
        retained = [name for name in values.columns if _varies(values[name].to_numpy(float))]
        if len(retained) > MOST_COLUMNS:
            share = values[retained].notna().mean().sort_values(ascending=False, kind="stable")
            retained = [name for name in retained if name in set(share.index[:MOST_COLUMNS])]
        table = values[retained].to_numpy(float)
        item = (1, 2.5, 10, 50, 90, 97.5, 99)
        percentiles = np.nanpercentile(table, item, axis=0) if retained else np.empty((7, 0), float)
        low, least, tenth, middle, ninetieth, most, high = percentiles
        # Far tails have the scale of their own end: what is rare in training is rare, not strange.
        below = np.maximum((middle - tenth) / _NORMAL_90, (middle - least) / _NORMAL_97)
        above = np.maximum((ninetieth - middle) / _NORMAL_90, (most - middle) / _NORMAL_97)
        mean = (below + above) / 2
        below, above = np.maximum(below, _LEAST_SIDE * mean), np.maximum(above, _LEAST_SIDE * mean)
        places = tuple(place for place, name in enumerate(retained) if together[name])
        scaled = np.clip(_scaled(table, middle, below, above), -_WINSOR, _WINSOR)
        scaled = np.nan_to_num(scaled[:, list(places)], nan=0.0)
        known = np.isfinite(table).mean(axis=0) if len(table) else np.zeros(len(retained))
        return cls(tuple(retained), middle, below, above, low, high, known, places, _shrunk(scaled))

    def scaled(self, values: pd.DataFrame) -> Floats:
        """Return how many scales each value lies off the middle; NaN where it is unknown."""
        table = values.reindex(columns=list(self.columns)).to_numpy(float)
        return _scaled(table, self.middle, self.below, self.above)

    def farthest(self, values: pd.DataFrame, among: Container[str]) -> Floats:
        """Return by patient how far the most unusual of some columns lies off; NaN of none."""
        places = [place for place, name in enumerate(self.columns) if name in among]
        scaled = np.abs(self.scaled(values)[:, places])
        found = np.where(np.isnan(scaled), -1.0, scaled).max(axis=1, initial=-1.0)
        return np.where(found < 0, np.nan, found)

    def distances(self, values: pd.DataFrame) -> Floats:
        """Return by patient the Mahalanobis distance over what is known of him, by its dimension.

        NaN where nothing is known.
        """
        scaled = np.clip(self.scaled(values)[:, list(self.together)], -_FARTHEST, _FARTHEST)
        known = np.isfinite(scaled)
        found = np.full(len(scaled), np.nan)
        patterns, whose = np.unique(known, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            here, rows = np.flatnonzero(pattern), np.flatnonzero(whose.ravel() == number)
            if here.size:
                off = scaled[np.ix_(rows, here)]
                part = self.covariance[np.ix_(here, here)]
                squares = (off * np.linalg.solve(part, off.T).T).sum(axis=1)
                found[rows] = np.sqrt(squares / here.size)
        return found

    def unusual(self, row: Floats) -> Floats:
        """Return by column how far it lies off what the other columns let expect, in its scale.

        `row` is one patient's of `scaled`; columns that are not judged together are NaN.
        """
        found = np.full(len(self.columns), np.nan)
        here = [place for place in self.together if np.isfinite(row[place])]
        if here:
            inside = [self.together.index(place) for place in here]
            inverse = np.linalg.inv(self.covariance[np.ix_(inside, inside)])
            found[here] = (inverse @ row[here]) / np.sqrt(np.diag(inverse))
        return found

    def __post_init__(self) -> None:
        own = (self.middle, self.below, self.above, self.low, self.high, self.known)
        if {len(array) for array in own} != {len(self.columns)}:
            raise ValueError("should have as many columns everywhere")
        if self.covariance.shape != (len(self.together),) * 2:
            raise ValueError("should have a covariance of the columns that are judged together")
        if any(place >= len(self.columns) for place in self.together):
            raise ValueError("should have columns that are there")


def _varies(column: Floats) -> bool:
    """Whether enough patients have a column, and the middle four fifths of them differ."""
    known = column[np.isfinite(column)]
    if known.size < max(2.0, LEAST_KNOWN * column.size):
        return False
    tenth, ninetieth = np.percentile(known, (10, 90))
    return bool(ninetieth - tenth > 1e-9 * max(1.0, abs(float(ninetieth))))


def _scaled(table: Floats, middle: Floats, below: Floats, above: Floats) -> Floats:
    off = table - middle
    with np.errstate(invalid="ignore"):
        return np.asarray(off / np.where(off < 0, below, above), float)


def _shrunk(scaled: Floats) -> Floats:
    """Return the covariance of columns around 0, shrunk; of few patients it is nearly round.

    The weight of the round part is that of Ledoit and Wolf (2004).
    """
    from sklearn.covariance import ledoit_wolf

    n, p = scaled.shape
    if not p or n < 2:
        return np.eye(p)
    return np.asarray(ledoit_wolf(scaled, assume_centered=True)[0], float)


# How far a patient lies from others in what a network makes of him before its last layer.

MOST_AXES = 8
PATIENTS_AN_AXIS = 10


@dataclass(frozen=True)
class Space:
    """The principal axes of patients' vectors; no patient's own vector.

    Attributes
    ----------
    mean : ndarray, shape (n_dimensions,)
    axes : ndarray, shape (n_axes, n_dimensions)
        Of length 1, at right angles; at most one for ten patients, and at most eight.
    variances : ndarray, shape (n_axes,)
    residual : float
        Mean square of what lies beside the axes.
    title : str
        Of the model whose network it is, where it is kept with others.
    """

    mean: Vector
    axes: Matrix
    variances: Vector
    residual: Number
    title: str = ""

    def __post_init__(self) -> None:
        if self.axes.shape != (len(self.variances), len(self.mean)) or not self.mean.size:
            raise ValueError("should have a variance of each axis, of the dimensions of its mean")

    @classmethod
    def fit(cls, vectors: Floats) -> Space | None:
        """Summarise vectors, shape (n_patients, n_dimensions); None where they do not vary."""
        n, _ = vectors.shape
        if n < 2:
            return None
        mean = vectors.mean(axis=0)
        _, lengths, axes = np.linalg.svd(vectors - mean, full_matrices=False)
        variances = lengths**2 / (n - 1)
        real = variances > 1e-10 * max(float(variances.sum()), 1e-12)
        n_axes = min(MOST_AXES, max(1, n // PATIENTS_AN_AXIS), int(real.sum()))
        if not n_axes:
            return None
        return cls(mean, axes[:n_axes], variances[:n_axes], float(variances[n_axes:].sum()))

    def distances(self, vectors: Floats) -> Floats:
        """Return the root mean square of standard deviations off the mean, by vector.

        What lies beside the axes counts as one axis more.
        """
        off = np.asarray(vectors, float) - self.mean
        along = off @ self.axes.T
        rest = np.maximum((off**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        squares = [*(along**2 / self.variances).T]
        if self.residual > 1e-10 * float(self.variances.sum()):
            squares.append(rest / self.residual)
        return np.asarray(np.sqrt(np.mean(squares, axis=0)), float)


SPACE = FileSchema("how a network sees the patients of training", Space, digits=6)


# How good a picture or a curve is, whatever it shows: level, contrast, noise.

QUALITIES = {"level": "mean level", "contrast": "contrast", "noise": "noise"}
"""What is measured of it, in words."""

LEAST_VALUES = 16
"""A block of fewer values a sample is no picture."""

_LEAST_AXIS = 8


def qualities_of(values: NDArray[Any]) -> tuple[float, float, float]:
    """Return mean, standard deviation and noise of one picture or curve.

    Noise is the standard deviation that white noise would have for the mean absolute second
    difference along the last axis that is long enough, so that what changes slowly does not count.
    NaN where too few values are known.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> slope = np.linspace(0, 9, 4000).reshape(4, 1000)
    >>> mean, contrast, noise = qualities_of(slope + 0.1 * rng.normal(size=slope.shape))
    >>> round(mean, 1), round(noise, 2)
    (4.5, 0.1)
    """
    array = np.asarray(values, float)
    known = array[np.isfinite(array)]
    if known.size < LEAST_VALUES:
        return (float("nan"),) * 3
    long = [axis for axis, length in enumerate(array.shape) if length >= _LEAST_AXIS]
    noise = float("nan")
    if long:
        second = np.abs(np.diff(array, n=2, axis=long[-1]))
        second = second[np.isfinite(second)]
        # |a - 2b + c| of white noise has the standard deviation sqrt(6), and its mean is
        # sqrt(2 / pi) of that.
        noise = float(second.mean() * np.sqrt(np.pi / 2) / np.sqrt(6)) if second.size else noise
    return float(known.mean()), float(known.std()), noise


# One line a patient: what was measured, how good the input is, what the cohort table knows.

ColumnKind = Literal["measured", "input", "clinical"]

NAMES = {
    "site_id": "hospital",
    "scanner_id": "scanner",
    "scanner_vendor": "maker of the scanner",
    "field_T": "field strength",
    "sex": "sex",
}
"""Columns of names, of which a new patient's may be one that training never saw."""

_SAMPLES_AT_MOST = 12
"""So many pictures of a patient say how good his are."""


@dataclass(frozen=True)
class About:
    """What a column is: its words, its unit (empty for pure numbers), and where it comes from."""

    title: str
    unit: str
    kind: ColumnKind


@dataclass(frozen=True)
class Described:
    """Patients as they are compared with those of training.

    Attributes
    ----------
    values : DataFrame, one row a patient
        Numbers by column; NaN where unknown.
    about : mapping of str to About
        By column.
    names : DataFrame, one row a patient
        Hospital, scanner and their like; None where nobody says it.
    """

    values: pd.DataFrame
    about: Mapping[str, About]
    names: pd.DataFrame

    def take(self, patients: Iterable[str]) -> Described:
        """Return these patients, in this order."""
        chosen = list(patients)
        return Described(self.values.loc[chosen], self.about, self.names.loc[chosen])


def describe(
    features: FeatureSet,
    cohort: Cohort,
    *,
    words: Mapping[str, str],
    also: Sequence[str] = (),
    never: Sequence[str] = (),
) -> Described:
    """Describe every patient of a feature set.

    Parameters
    ----------
    features : FeatureSet
        Of blocks that list measurements the median over a patient's samples counts, of pictures and
        curves their level, contrast and noise; shifted copies (variants) do not count.
    cohort : Cohort
        Whose table, where there is one, knows age and scanner.
    words : mapping of str to str
        What the plugin calls its columns (`PluginInfo.words`).
    also : sequence of str, optional
        Further columns of the cohort table.
    never : sequence of str, optional
        Columns of the cohort table that say the outcome.
    """
    rows = np.arange(len(features))
    if "variant" in features.table.columns:
        rows = np.flatnonzero(features.table["variant"].to_numpy() == 0)
    patients = features.table["patient_id"].astype(str).to_numpy()[rows]
    columns: dict[str, pd.Series] = {}
    about: dict[str, About] = {}
    for name, block in with_words(features, words).blocks.items():
        made = (
            _listed(name, block, rows, patients)
            if is_listed(block)
            else _pictures(name, block, rows, patients)
        )
        for key, own, values in made:
            columns[key], about[key] = values, own
    everybody = pd.Index(pd.unique(patients), name="patient_id")
    for key, own, values in _clinical(cohort.table, also, never):
        columns[key], about[key] = values, own
    table = pd.DataFrame(
        {key: values.reindex(everybody).astype(float) for key, values in columns.items()},
        index=everybody,
    )
    return Described(table, about, _names(cohort, everybody))


Made = Iterator[tuple[str, About, pd.Series]]


def _listed(name: str, block: FeatureBlock, rows: NDArray[Any], patients: NDArray[Any]) -> Made:
    values = block.in_units(rows).astype(float)
    values[~np.isfinite(values)] = np.nan
    table = pd.DataFrame(values).groupby(patients, sort=False).median()
    units = block.units * len(block.names) if len(block.units) == 1 else block.units
    titles = block.titles or tuple(title_of_name(item) for item in block.names)
    for place, (entry, unit, title) in enumerate(zip(block.names, units, titles, strict=True)):
        if title and entry not in block.levels:
            yield f"{name}/{entry}", About(title, UNITS.get(unit, unit), "measured"), table[place]


def _pictures(name: str, block: FeatureBlock, rows: NDArray[Any], patients: NDArray[Any]) -> Made:
    shape = block.values.shape[1:]
    if (len(shape) < 2 and not block.extents) or int(np.prod(shape)) < LEAST_VALUES:
        return
    found = {}
    for patient, places in pd.Series(rows).groupby(patients).indices.items():
        own = rows[places]
        chosen = own[np.linspace(0, len(own) - 1, min(len(own), _SAMPLES_AT_MOST)).astype(int)]
        made = [qualities_of(item) for item in block.in_units(chosen)]
        # A quality that no picture has stays missing; numpy would warn of its median.
        known = pd.DataFrame(made, columns=list(QUALITIES)).dropna(axis=1, how="all")
        found[str(patient)] = known.median().reindex(list(QUALITIES))
    table = pd.DataFrame(found).T
    unit = UNITS.get(block.units[0], block.units[0]) if len(set(block.units)) == 1 else ""
    for quality, title in QUALITIES.items():
        about = About(f"{title} of the {words_of_block(name)}", unit, "input")
        yield f"{name}/{quality}", about, table[quality]


def _clinical(table: pd.DataFrame | None, also: Sequence[str], never: Sequence[str]) -> Made:
    if table is None or not len(table):
        return
    known = [
        patient.name for patient in columns_of_patients() if patient.kind in ("number", "count")
    ]
    wanted = [item for item in dict.fromkeys((*known, *also)) if item not in never]
    for name, values in by_patient(table, wanted).items():
        numbers = pd.to_numeric(values, errors="coerce")
        numbers.index = numbers.index.astype(str)
        spec = COLUMNS.get(str(name))
        title = spec.title if spec is not None and spec.title else title_of(str(name))
        unit = spec.unit if spec is not None else ""
        if name not in NAMES and numbers.notna().any():
            yield f"table/{name}", About(title, UNITS.get(unit, unit), "clinical"), numbers


def _names(cohort: Cohort, everybody: pd.Index) -> pd.DataFrame:
    parts = [cohort.samples.table.reset_index(drop=True)]
    if cohort.table is not None and len(cohort.table):
        parts.insert(0, cohort.table.reset_index(drop=True))
    found: dict[str, pd.Series] = {}
    for table in parts:
        for name in NAMES:
            if name in table.columns and name not in found:
                known = table[table[name].map(_text) != ""]
                texts = known[name].map(_text)
                own = texts.groupby(known["patient_id"].astype(str).to_numpy()).first()
                if len(own):
                    found[name] = own
    made = pd.DataFrame(
        {name: own.reindex(everybody) for name, own in found.items()}, index=everybody
    )
    return made.astype(object).where(made.notna(), None)


def _text(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).strip()
