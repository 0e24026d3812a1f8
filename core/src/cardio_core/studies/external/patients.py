"""The new patients: where they come from, how they compare with those of the run, who is left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.evaluation.patients.clinical import by_patient
from cardio_core.evaluation.patients.table_one import TableOne, describe_patients
from cardio_core.io.tables.formula import table_as_it_was
from cardio_core.runner.predicting.answering import Opened
from cardio_core.runner.preparing.flow import Entry, count_flow, found_entries, table_rows
from cardio_core.runner.preparing.patients import clinical_table, patient_labels
from cardio_core.studies.external.asking import Asked
from cardio_core.studies.external.scoring import New
from cardio_core.studies.external.training import Overlap
from cardio_core.types.predictions import Scored

SITE = "site_id"
IN_THE_RUN = "In the run"


def groups_of(new: New, asked: Asked) -> tuple[pd.DataFrame, pd.Series | None]:
    """Return the columns that divide the patients, a row a patient, and the site of each.

    Raises
    ------
    ConfigError
        If a named column is not in the cohort table.
    """
    table = clinical_table(new.prepared.cohort)
    named = [*asked.subgroups, *([asked.site] if asked.site else [])]
    lacking = next((name for name in named if name not in table.columns), None)
    if lacking is not None:
        option = "--site" if lacking == asked.site else "--subgroup"
        columns = ", ".join(str(one) for one in table.columns if not str(one).startswith("path_"))
        raise ConfigError(
            f"{option} {lacking}: the cohort table has no such column; it has {columns}"
        )
    site = asked.site or (SITE if SITE in table.columns else None)
    wanted = list(dict.fromkeys([*asked.subgroups, *([site] if site else [])]))
    groups = by_patient(table, wanted)
    samples = new.prepared.cohort.samples.table
    if site is not None:
        return groups, groups[site].dropna().astype(str)
    if SITE in samples.columns:  # the plugin read it from the recordings
        known = samples.drop_duplicates("patient_id").set_index("patient_id")[SITE].dropna()
        sites = known.astype(str).set_axis(known.index.astype(str))
        return groups.join(sites.rename(SITE), how="outer"), sites
    return groups, None


def table_one_of(opened: Opened, new: New, scored: Scored) -> tuple[TableOne | None, str]:
    """Return Table 1 of the validated patients beside the run's own, and a note without one."""
    target = opened.task.targets[0]
    samples = new.prepared.features.table
    labels = patient_labels(new.prepared.cohort, samples, new.truth.targets, target)
    judged = {str(one) for frame in scored.frames.values() for one in frame["patient_id"]}
    patients = [one for one in dict.fromkeys(samples["patient_id"].astype(str)) if one in judged]
    try:
        made = describe_patients(
            clinical_table(new.prepared.cohort), patients, labels, target,
            covariates=opened.config.covariates,
        )  # fmt: skip
    except DataError as error:
        return None, f"Table 1 is left out: {error}"
    return _beside(made, opened.folder), ""


def _beside(made: TableOne, run: Path) -> TableOne:
    """Return the table with the run's own patients in a column, where it described them."""
    path = run / "tables" / "table1.csv"
    if not path.is_file():
        return made
    own = table_as_it_was(pd.read_csv(path, dtype=str, keep_default_na=False))
    whole = next((str(one) for one in own.columns if str(one).startswith("All")), None)
    if whole is None:
        return made
    # A level stands below its heading: both are needed to know a row again.
    known = dict(zip(_places(own["Variable"]), own[whole], strict=True))
    cells = [known.get(place, "") for place in _places(made.frame["Variable"])]
    if not any(cells):
        return made
    frame = made.frame.copy()
    size = whole.partition("(")[2]
    frame.insert(2, f"{IN_THE_RUN} ({size}" if size else IN_THE_RUN, cells)
    note = "The column of the run describes those whom its folds tested; no test compares them."
    return TableOne(made.title, frame, (*made.notes, note))


def _places(names: pd.Series) -> list[tuple[str, str]]:
    heading, found = "", []
    for name in names:
        indented = str(name)[:1].isspace()
        heading = heading if indented else str(name)
        found.append((heading, str(name).strip()))
    return found


def flow_of_new(
    opened: Opened, new: New, overlap: Overlap, inputs: Sequence[Path]
) -> dict[str, Any]:
    """Return the way from what was found to who was validated, as a run counts it."""
    rows = table_rows([path.resolve() for path in inputs], tuple(opened.plugin.info.paths))
    entries = found_entries(new, rows)
    for name in overlap.recordings:
        if name in entries and (entries[name].left or ("without_outcome",))[0] == "without_outcome":
            why = "in_training", f"known again: {overlap.words}"
            entries[name] = Entry(entries[name].patient, left=why)
    used = {name for name, entry in entries.items() if entry.left is None}
    table = new.prepared.features.table
    own = table[table["recording_id"].astype(str).isin(used)]
    variant = own["variant"] if "variant" in own.columns else pd.Series(0, index=own.index)
    unknown = [one for one in entries.values() if one.left and one.left[0] == "without_outcome"]
    return {
        "from_table": rows is not None,
        "stations": count_flow(entries.values()),
        "samples": int((variant == 0).sum()),
        "copies": 0,
        "unlabelled": {
            "patients": len({one.patient for one in unknown}),
            "recordings": len(unknown),
            "train": False,
        },
        "identical": new.prepared.n_identical,
        "linked": 0,
        "protocols": {},
    }
