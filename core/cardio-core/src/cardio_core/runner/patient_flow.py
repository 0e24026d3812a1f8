"""Who was found, who left and why, who is used: counted once each, so that the numbers add up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from cardio_core.fold_assignment import link_subjects
from cardio_core.io.cohort import at_baseline
from cardio_core.runner.patients import Truth, table_rows
from cardio_core.runner.prepare import Prepared
from cardio_core.runner.protocols import ProtocolData
from cardio_core.types.info import Task

KINDS = ("no_recording", "left_out", "unreadable", "in_training", "without_outcome")
"""Why something leaves, in the order in which the stations are told."""

NO_REASON = "left out by the plugin, which gives no reason"
NO_SAMPLE = "nothing usable was found in it"
UNKNOWN_OUTCOME = "the outcome is not known"
MAX_REASONS = 4
"""Unreadable recordings are told by so many reasons, the commonest; the rest are taken together."""


class Loaded(Protocol):
    """A cohort with its features, and the truth brought to them: a protocol of a run, say."""

    @property
    def prepared(self) -> Prepared:
        """The cohort and its features."""
        ...

    @property
    def truth(self) -> Truth:
        """The targets."""
        ...


_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Entry:
    """One thing that was found: a recording, or a row of the table that names none.

    Attributes
    ----------
    patient : str
        Whose.
    recording : bool
        False for a row without a recording.
    left : (str, str) or None
        One of `KINDS` and the reason; None where it is used.
    """

    patient: str
    recording: bool = True
    left: tuple[str, str] | None = None


def count_flow(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return the stations: what was found, what left for each reason, what is used.

    Each station has the entries, the recordings among them, and the patients. A patient leaves with
    the last of his entries, so that what was found less what left is what is used, in all three.

    Examples
    --------
    >>> out = ("without_outcome", "lost")
    >>> found = [Entry("P1"), Entry("P1", left=out), Entry("P2", left=out)]
    >>> [(item["station"], item["patients"], item["recordings"]) for item in count_flow(found)]
    [('found', 2, 3), ('left', 1, 2), ('used', 1, 1)]
    """
    staying = list(entries)
    stations = [{"station": "found"} | _sizes(staying)]
    for left in _order(staying):
        leaving = [item for item in staying if item.left == left]
        staying = [item for item in staying if item.left != left]
        still_here = {item.patient for item in staying}
        gone = {item.patient for item in leaving} - still_here
        sizes = _sizes(leaving) | {"patients": len(gone)}
        stations.append({"station": "left", "kind": left[0], "reason": left[1]} | sizes)
    return [*stations, {"station": "used"} | _sizes(staying)]


def _order(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    reasons = dict.fromkeys(entry.left for entry in entries if entry.left is not None)
    return sorted(reasons, key=lambda left: KINDS.index(left[0]))


def _sizes(entries: Sequence[Entry]) -> dict[str, int]:
    return {
        "entries": len(entries),
        "recordings": sum(entry.recording for entry in entries),
        "patients": len({entry.patient for entry in entries}),
    }


def flow_of(
    protocols: Sequence[ProtocolData], inputs: Sequence[Path], paths: Sequence[str], task: Task
) -> dict[str, Any]:
    """Count a run's way from what was found to who was tested.

    Parameters
    ----------
    protocols : sequence of ProtocolData
        Of the run; the stations are those of the first, each is asked whom it tests.
    inputs : sequence of Path
        What `load` was given: a row of a cohort table that the plugin says nothing of is told, too.
    paths : sequence of str
        Columns of the plugin's recordings beyond those of the schema.
    task : Task

    Returns
    -------
    dict
        Patients are persons: ids that `subject_link` joins count as one. ``stations`` (see
        `count_flow`); ``from_table``; ``samples`` and ``copies`` of the used recordings;
        ``unlabelled`` patients and recordings, and whether they train; ``identical``, recordings
        whose file another recording of the person has, too; ``linked``, ids of patients that stand
        for a person who has another; ``protocols``: patients and recordings tested, trained on
        only, and neither.
    """
    first, rows = protocols[0], table_rows(inputs, paths)
    entries = found_entries(first, rows)
    used = {name for name, entry in entries.items() if entry.left is None}
    found = summed_flow(first, rows, entries)
    return found | {
        "unlabelled": found["unlabelled"] | {"train": task.uses_unlabelled},
        "protocols": {data.protocol: _tested(data, used) for data in protocols},
    }


def summed_flow(
    loaded: Loaded, rows: pd.DataFrame | None, entries: Mapping[str, Entry]
) -> dict[str, Any]:
    """Return what became of the entries that were found, whoever is then trained on or tested."""
    prepared = loaded.prepared
    used = {name for name, entry in entries.items() if entry.left is None}
    table = prepared.features.table
    own = table[table["recording_id"].astype(str).isin(used)]
    variant = own["variant"] if "variant" in own.columns else pd.Series(0, index=own.index)
    return {
        "from_table": rows is not None,
        "stations": count_flow(entries.values()),
        "samples": int((variant == 0).sum()),
        "copies": int((variant != 0).sum()),
        "unlabelled": _unlabelled(entries) | {"train": False},
        "identical": prepared.n_identical,
        "linked": _n_linked(prepared.cohort.samples.table, rows),
        "protocols": {},
    }


def found_entries(data: Loaded, rows: pd.DataFrame | None) -> dict[str, Entry]:
    """Return everything that was found, by its id, each with the first reason why it left.

    Parameters
    ----------
    data : Loaded
    rows : DataFrame or None
        Of the cohort tables, indexed by study_id; None where there is none.
    """
    prepared = data.prepared
    retained = prepared.cohort.samples.table
    persons = _persons(retained, rows)
    studies = _Studies(rows, persons)
    entries = {str(name): Entry(persons[str(p)]) for name, p in retained["patient_id"].items()}
    covered = set(retained["study_id"].astype(str))
    gone = _why_unreadable(prepared.quarantined)
    with_samples = set(prepared.features.table["recording_id"].astype(str))
    labelled = _labelled(data)
    for name, entry in entries.items():
        if name in gone or name not in with_samples:
            left = ("unreadable", gone.get(name, NO_SAMPLE))
        elif name not in labelled:
            left = ("without_outcome", UNKNOWN_OUTCOME)
        else:
            continue
        entries[name] = Entry(entry.patient, left=left)
    left_out = {
        str(name): ("left_out", why)
        for why, names in prepared.cohort.excluded.items()
        for name in names
    }
    for name, left in {**left_out, **{n: ("unreadable", why) for n, why in gone.items()}}.items():
        if name not in entries:
            study = studies.of(name)
            covered |= {study} if study is not None else set()
            entries[name] = studies.entry(name, study, left)
    return entries | studies.unaccounted(covered)


class _Studies:
    """Rows of the cohort tables, and which of them an id of a recording belongs to."""

    def __init__(self, rows: pd.DataFrame | None, persons: Mapping[str, str]) -> None:
        self.rows = rows
        self.patients: Mapping[str, str] = {}
        self.named: dict[str, bool] = {}
        self.stems: dict[str, str] = {}
        if rows is None:
            return
        columns = [name for name in rows.columns if str(name).startswith("path_")]
        owners = rows["patient_id"].astype(str)
        self.patients = {str(study): persons[value] for study, value in owners.items()}
        for study, cells in zip(self.patients, rows[columns].to_numpy(object), strict=True):
            files = [file for cell in cells if isinstance(cell, tuple) for file in cell]
            self.named[study] = bool(files)
            self.stems |= {file.stem: study for file in files}

    def of(self, name: str) -> str | None:
        """Return the study of a recording: `load` calls it ID, or ID-1 where there are several."""
        stem = re.sub(r"-\d+$", "", name)
        found = next((value for value in (name, stem) if value in self.patients), None)
        return found if found is not None else self.stems.get(name)

    def entry(self, name: str, study: str | None, left: tuple[str, str]) -> Entry:
        if study is None:
            return Entry(name, left=left)
        if left[0] == "left_out" and not self.named[study]:
            return Entry(self.patients[study], False, ("no_recording", left[1]))
        return Entry(self.patients[study], left=left)

    def unaccounted(self, covered: set[str]) -> dict[str, Entry]:
        """Return the rows that nothing was told of: without a recording, at follow-up, or lost."""
        if self.rows is None:
            return {}
        found = {}
        for study, early in zip(self.patients, at_baseline(self.rows), strict=True):
            if study in covered:
                continue
            named = self.named[study]
            if not named:
                why = "no recording is named" + ("" if early else ", at follow-up")
                left = ("no_recording", why)
            else:
                left = ("left_out", NO_REASON if early else "not at baseline")
            found[f"row {study}"] = Entry(self.patients[study], named, left)
        return found


def _persons(retained: pd.DataFrame, rows: pd.DataFrame | None) -> dict[str, str]:
    """Return the person behind each patient's id, of the samples and of the tables together."""
    both = [part for part in (retained, rows) if part is not None]
    columns = ["patient_id", "subject_link"]
    ids = pd.concat([part.reindex(columns=columns).astype(object) for part in both])
    subjects = link_subjects(ids.reset_index(drop=True))
    return dict(zip(ids["patient_id"].astype(str), subjects, strict=True))


def _n_linked(retained: pd.DataFrame, rows: pd.DataFrame | None) -> int:
    persons = _persons(retained, rows)
    return len(persons) - len(set(persons.values()))


def _why_unreadable(quarantined: Iterable[Any]) -> dict[str, str]:
    """Return a reason for each recording: the commonest as they are, without file and numbers."""
    reasons = {
        str(entry.recording_id): _alike(entry.reason) for entry in reversed(list(quarantined))
    }
    counts = pd.Series(list(reasons.values()), dtype=object).value_counts()
    shown = set(counts.index[:MAX_REASONS] if len(counts) > MAX_REASONS + 1 else counts.index)
    return {name: why if why in shown else "other reasons" for name, why in reasons.items()}


def _alike(reason: str) -> str:
    """Return what recordings with like problems share: no file's name, no numbers, no cure.

    Examples
    --------
    >>> _alike("p7.hea: expected 10 s or more, found 4.5; record longer")
    'expected … s or more, found …'
    """
    what = re.sub(r"^[^:;]{1,120}\.\w{1,5}: ", "", reason).partition(";")[0]
    return _NUMBER.sub("…", what).strip().rstrip(".")


def _labelled(data: Loaded) -> set[str]:
    """Return the recordings with a sample whose truth is known."""
    table = data.prepared.features.table
    targets = data.truth.targets
    known = np.zeros(len(table), bool)
    for target in targets.table.columns:
        known |= np.asarray(pd.notna(targets.of(table, target)))
    known &= ~data.truth.ignored
    return set(table["recording_id"].astype(str)[known])


def _unlabelled(entries: Mapping[str, Entry]) -> dict[str, int]:
    """Count patients none of whose recordings has an outcome, though one could be used."""
    gone = [e for e in entries.values() if e.left is not None and e.left[0] == "without_outcome"]
    used = {entry.patient for entry in entries.values() if entry.left is None}
    own = [entry for entry in gone if entry.patient not in used]
    return {"patients": len({entry.patient for entry in own}), "recordings": len(own)}


def _tested(data: ProtocolData, used: set[str]) -> dict[str, Any]:
    """Count who of the used is tested, who only trains, and who does neither."""
    table = data.prepared.features.table
    here = table["recording_id"].isin(used).to_numpy(bool)
    test = {int(i) for fold in data.plan.folds for i in fold.test if here[i]}
    train = {int(i) for fold in data.plan.folds for i in fold.train if here[i]}
    found: dict[str, Any] = {"plan": data.plan.plan, "unit": data.plan.unit}
    for column, name in (("subject_id", "patients"), ("recording_id", "recordings")):
        values = table[column].to_numpy(object)
        everyone = set(values[here])
        tested = {values[i] for i in test}
        trained = {values[i] for i in train} - tested
        found[name] = {
            "tested": len(tested),
            "trained_only": len(trained),
            "neither": len(everyone - tested - trained),
        }
    return found
