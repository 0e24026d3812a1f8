"""One line a patient: what was measured, how good the input is, what the cohort table knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.evaluation.applicability.quality import LEAST_VALUES, QUALITIES, qualities_of
from cardio_core.evaluation.patients.clinical import by_patient
from cardio_core.io.cohort_schema import COLUMNS, title_of
from cardio_core.io.cohorts.known_columns import columns_of_patients
from cardio_core.report.measured.values import UNITS, is_listed, with_words, words_of_block
from cardio_core.report.measured.values import title_of as title_of_name
from cardio_core.types.features import FeatureBlock, FeatureSet
from cardio_core.types.samples import Cohort

Kind = Literal["measured", "input", "clinical"]

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
    kind: Kind


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
    titles = block.titles or tuple(title_of_name(one) for one in block.names)
    for place, (one, unit, title) in enumerate(zip(block.names, units, titles, strict=True)):
        if title and not title.endswith("?"):
            yield f"{name}/{one}", About(title, UNITS.get(unit, unit), "measured"), table[place]


def _pictures(name: str, block: FeatureBlock, rows: NDArray[Any], patients: NDArray[Any]) -> Made:
    shape = block.values.shape[1:]
    if (len(shape) < 2 and not block.extents) or int(np.prod(shape)) < LEAST_VALUES:
        return
    found = {}
    for patient, places in pd.Series(rows).groupby(patients).indices.items():
        own = rows[places]
        chosen = own[np.linspace(0, len(own) - 1, min(len(own), _SAMPLES_AT_MOST)).astype(int)]
        made = [qualities_of(one) for one in block.in_units(chosen)]
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
    known = [one.name for one in columns_of_patients() if one.kind in ("number", "count")]
    wanted = [one for one in dict.fromkeys((*known, *also)) if one not in never]
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
                known = table[table[name].map(_said) != ""]
                texts = known[name].map(_said)
                own = texts.groupby(known["patient_id"].astype(str).to_numpy()).first()
                if len(own):
                    found[name] = own
    made = pd.DataFrame(
        {name: own.reindex(everybody) for name, own in found.items()}, index=everybody
    )
    return made.astype(object).where(made.notna(), None)


def _said(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).strip()
