"""Load flow studies: a cohort table with numeric polar maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.api import (
    Cohort,
    CohortTable,
    ConfigError,
    Context,
    DataError,
    Note,
    SampleSet,
    Targets,
)
from cardio_spect_polar.flow.config import LoadBlock
from cardio_spect_polar.flow.models import N_SEGMENTS, RISK_FACTORS
from cardio_spect_polar.polar.flow_maps import FlowFiles, ReserveRules, open_maps, segments_of_map

PATHS = ("path_polarmap_rest", "path_polarmap_stress", "path_polarmap_reserve")
COLUMN_OF = {
    "smoking": "smoking", "hypertension": "htn", "dyslipidaemia": "dyslipidaemia",
    "diabetes": "dm",
}  # fmt: skip
RATE_PRESSURE = "x_rate_pressure_product"
CIRCULAR = (
    "flow reserve of 17 segments and impaired reserve, computed from the maps that the networks "
    "see: a sanity check of the first step, no clinical result."
)


def load(config: LoadBlock, ctx: Context) -> Cohort:
    """Find the maps of each patient's first study at baseline that has rest and stress.

    Targets of `mfr` are computed from the maps; those of `risk_factor` stand in the table. New
    patients may also be folders with files rest.*, stress.* and, perhaps, reserve.*.

    Raises
    ------
    DataError
        If nothing names the maps, or no study has rest and stress.
    ConfigError
        If the table lacks the columns of the maps.
    """
    rules = ReserveRules(config.min_rest, config.reference_rate_pressure)
    found = [_found(path, number, ctx) for number, path in enumerate(ctx.inputs, start=1)]
    rows = [row for part in found for row in part.rows]
    notes = list(dict.fromkeys(note for part in found for note in part.notes))
    excluded = {
        why: tuple(name for part in found for name in part.left_out.get(why, ()))
        for why in dict.fromkeys(why for part in found for why in part.left_out)
    }
    files = tuple(row.pop("files") for row in rows)
    table = pd.DataFrame(rows)
    table.index = pd.Index(table["recording_id"], name="sample_id")
    samples = SampleSet.opening(table, files, partial(open_maps, rules=rules))
    targets, clinical, outcome = None, None, ""
    if ctx.mode == "fit":
        clinical = pd.concat([part.clinical for part in found if part.clinical is not None])
        traits = clinical.loc[table["study_id"]].set_index(pd.Index(table["patient_id"]))
        if ctx.task.name == "mfr":
            values, outcome = reserve_targets(samples, config.impaired_below), CIRCULAR
            values.index = traits.index
        else:
            values = trait_targets(traits)
            outcome = "risk factors as the cohort table records them."
        targets = Targets("patient", values)
    return Cohort(
        samples,
        {name: study.paths for name, study in zip(table.index, files, strict=True)},
        targets,
        clinical,
        notes=tuple(notes),
        outcome=outcome,
        excluded=excluded,
    )


def reserve_targets(samples: SampleSet, impaired_below: float) -> pd.DataFrame:
    """Return what step one predicts, one row a study: impaired (1, 0) and 17 segmental reserves.

    A study that cannot be opened has none; `preprocess` will say why.
    """
    names = [f"mfr_{n:02d}" for n in range(1, N_SEGMENTS + 1)]
    rows = []
    for position in range(len(samples)):
        try:
            maps = samples.values[position]
        except DataError:
            rows.append(dict.fromkeys(["impaired", *names]))
            continue
        overall = maps.global_reserve
        impaired = None if np.isnan(overall) else float(overall < impaired_below)
        segments = segments_of_map(maps.reserve)
        rows.append({"impaired": impaired} | dict(zip(names, segments, strict=True)))
    return pd.DataFrame(rows, columns=["impaired", *names], dtype=float)


def trait_targets(table: pd.DataFrame) -> pd.DataFrame:
    """Return the risk factors of the table's patients, NA where the table does not say.

    Raises
    ------
    ConfigError
        If the table has none of the columns.
    """
    columns = {"sex": "sex", **COLUMN_OF}
    if not set(columns.values()) & set(table.columns):
        raise ConfigError(
            f"risk_factor: expected at least one column of {', '.join(columns.values())} in the "
            "cohort table, found none; add what is to be predicted"
        )
    made = pd.DataFrame(index=table.index)
    for name in RISK_FACTORS:
        values = table.get(columns[name])
        if values is None:
            made[name] = np.nan
        elif name == "sex":
            made[name] = values.map({"F": 0.0, "M": 1.0}).astype(float)
        else:
            made[name] = values.astype("Float64").astype(float)
    return made


@dataclass(frozen=True)
class _Found:
    """What one input holds."""

    rows: list[dict[str, Any]]
    clinical: pd.DataFrame | None = None
    notes: tuple[Note, ...] = ()
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)


def _found(path: Path, number: int, ctx: Context) -> _Found:
    table = CohortTable.find(path)
    if table is not None:
        return _from_table(table)
    if ctx.mode == "predict" and path.is_dir():
        return _from_folder(path, number)
    raise DataError(
        f"{path.name}: expected a cohort table, or a folder with cohort.csv, that names polar maps "
        f"in {PATHS[0]} and {PATHS[1]}; found none"
    )


def _from_folder(folder: Path, number: int) -> _Found:
    """Take a folder with rest.*, stress.* and perhaps reserve.* as one new patient."""
    named = {path.stem.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    if not {"rest", "stress"} <= set(named):
        raise DataError(
            f"{folder.name}: expected files called rest and stress (CSV or NPY), found "
            f"{len(named) or 'no'} file{'s' * (len(named) != 1)} of which "
            f"{' and '.join(sorted({'rest', 'stress'} & set(named))) or 'none'} is so called; name "
            "them so, or give a cohort table"
        )
    name = f"n{number}"
    row = {
        "recording_id": name,
        "study_id": name,
        "patient_id": name,
        "files": FlowFiles(named["rest"], named["stress"], named.get("reserve")),
    }
    return _Found([row], notes=(CohortTable.NUMBERED,))


def _from_table(table: CohortTable) -> _Found:
    table.require(*PATHS[:2])
    n_studies, early = len(table.rows), table.at_baseline().rows
    usable = early[early[PATHS[0]].map(len).gt(0) & early[PATHS[1]].map(len).gt(0)]
    if not len(usable):
        raise DataError(
            f"{table.name}: expected a study at baseline with maps at rest and stress, found none "
            f"in {n_studies} rows; fill in {PATHS[0]} and {PATHS[1]}"
        )
    first = usable[~usable["patient_id"].duplicated()]
    notes = []
    if len(usable) < n_studies:
        notes.append(
            f"{n_studies - len(usable)} of {n_studies} studies are left out: not at baseline, or "
            "without a map at rest or at stress."
        )
    if len(first) < len(usable):
        notes.append(
            f"{len(usable) - len(first)} further studies of patients who have one already are "
            "left out: the first one counts."
        )
    rows = [
        {
            "recording_id": str(study),
            "study_id": str(study),
            "patient_id": str(row["patient_id"]),
            **{
                name: CohortTable.text(row, name)
                for name in ("subject_link", "site_id", "scanner_id")
            },
            "correction": _digest(files.rate_pressure),
            "files": files,
        }
        for study, row in first.iterrows()
        for files in (_files(row),)
    ]
    left_out = {
        "no map at rest or none at stress": early.index.difference(usable.index, sort=False),
        "a further study of a patient who has one": usable.index.difference(
            first.index, sort=False
        ),
    }
    omitted = {why: tuple(map(str, ids)) for why, ids in left_out.items() if len(ids)}
    return _Found(rows, first, Note.each("cohort", notes), omitted)


def _digest(rate_pressure: float | None) -> str:
    """Tell the cache, which rests on these columns and the files, that the correction changed."""
    return "" if rate_pressure is None else sha256(repr(float(rate_pressure)).encode()).hexdigest()


def _files(row: pd.Series[Any]) -> FlowFiles:
    rest, stress = row[PATHS[0]][0], row[PATHS[1]][0]
    reserve = row.get(PATHS[2]) or ()
    product = row.get(RATE_PRESSURE)
    known = isinstance(product, float | int) and product == product
    return FlowFiles(rest, stress, reserve[0] if reserve else None, product if known else None)
