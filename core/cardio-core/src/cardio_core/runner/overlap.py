"""What a run writes down, and checks, once its cohort is known and before anything is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from cardio_core.config import NeedBlock
from cardio_core.io.hashing import digest
from cardio_core.runner.evaluate import write_tables
from cardio_core.runner.fingerprints import same_signals
from cardio_core.runner.needs import guard_other
from cardio_core.runner.patient_flow import flow_of
from cardio_core.runner.progress import several
from cardio_core.runner.protocols import ProtocolData, Session, supported_models
from cardio_core.runner.resume import FILE, contents_of, guard_data, guard_repeated
from cardio_core.runner.setup import primary_of, why_hollow, without_hollow_fusions
from cardio_core.types.features import flag_counts
from cardio_core.types.notes import Note, NoteKind
from cardio_stats.files import write_json

# The certificate of overlap: what stands on both sides of a fold, counted once the folds are made.
#
# The guards raise on overlaps that no protocol declares; here everything is counted again, and
# what no guard can know is looked for: one signal under two patients, in files that differ.

TABLE, PAIRS = "overlap", "overlap-pairs"
"""Names of the tables: what was counted, and the recordings of one signal under two patients."""


def certify(session: Session, protocols: Sequence[ProtocolData]) -> None:
    """Count patients, linked persons, files and signals on both sides of every fold.

    The counts are kept, and what must be acted on is said; the protocols' cohort is one.
    """
    twins = _pairs(protocols[0])
    rows, sentences = [], {}
    for data in protocols:
        found = _counted(data, twins)
        rows += [{"protocol": data.protocol, **row} for row in found]
        sentences[str(data.protocol)] = _sentence(data, found)
    write_tables(session.out, {TABLE: pd.DataFrame(rows)})
    session.manifest.update(overlap=sentences, copied_signals=len(twins))
    if len(twins):
        write_tables(session.out, {PAIRS: twins})
        text = (
            f"{several(len(twins), 'pair')} of recordings of different patients hold one signal, "
            "in another format or gain; are they one person? Link them with subject_link in the "
            f"cohort table, or remove one (tables/{PAIRS}.csv)."
        )
        session.note([Note(NoteKind.COHORT, text)])


def _pairs(data: ProtocolData) -> pd.DataFrame:
    table = data.prepared.features.table.drop_duplicates("recording_id")
    names = table["recording_id"].astype(str)
    patient = dict(zip(names, table["patient_id"].astype(str), strict=True))
    person = dict(zip(names, table["subject_id"].astype(str), strict=True))
    prints = {name: value for name, value in data.prepared.fingerprints.items() if name in person}
    found = [
        (item, other, patient[item], patient[other])
        for item, other in same_signals(prints)
        if person[item] != person[other]
    ]
    return pd.DataFrame(found, columns=["recording", "other recording", "patient", "other patient"])


def _counted(data: ProtocolData, twins: pd.DataFrame) -> list[dict[str, Any]]:
    table = data.prepared.features.table
    recordings = table["recording_id"].astype(str)
    digests = data.prepared.digests.own_files
    prints = data.prepared.fingerprints
    both: dict[str, set[Any]] = {"patients": set(), "persons": set(), "files": set()}
    straddling: set[int] = set()
    columns = {"patients": table["patient_id"].astype(str), "persons": table["subject_id"]}
    for fold in data.plan.folds:
        for kind, column in columns.items():
            both[kind] |= set(column.iloc[fold.train]) & set(column.iloc[fold.test])
        train, test = (set(recordings.iloc[side]) for side in (fold.train, fold.test))
        both["files"] |= _files(digests, train) & _files(digests, test)
        for number, (entry, other) in enumerate(
            zip(twins["recording"], twins["other recording"], strict=True)
        ):
            if (entry in train and other in test) or (other in train and entry in test):
                straddling.add(number)
    there = set(recordings)
    known = sum(bool(digests.get(item)) for item in there)
    printed = sum(bool(prints.get(item)) for item in there)
    n = len(there)
    return [
        _row("patients, by id", columns["patients"].nunique(), 0, len(both["patients"])),
        _row("persons, linked ids taken as one", table["subject_id"].nunique(), 0,
             len(both["persons"])),
        _row("files, by SHA-256", known, n - known, len(both["files"])),
        _row("signals, copied in another format or gain", printed, n - printed, len(straddling)),
    ]  # fmt: skip


def _row(kind: str, compared: int, without: int, found: int) -> dict[str, Any]:
    return {
        "what may stand on both sides": kind, "compared": int(compared), "without": int(without),
        "on both sides": int(found),
    }  # fmt: skip


def _files(digests: Mapping[str, Sequence[str]], recordings: set[str]) -> set[str]:
    return {item for name in recordings for item in digests.get(name, ())}


def _sentence(data: ProtocolData, rows: Sequence[Mapping[str, Any]]) -> str:
    patients, persons, _, signals = rows
    folds = several(len(data.plan.folds), "fold")
    missing = int(signals["without"])
    compared = (
        f"{several(patients['compared'], 'patient')}, {several(persons['compared'], 'person')}, "
        f"{several(signals['compared'], 'signal')} compared"
        + (f"; {several(missing, 'recording')} without a fingerprint" if missing else "")
    )
    if not any(row["on both sides"] for row in rows):
        return (
            f"Counted again over {folds}, no patient, linked person, file or copied signal stands "
            f"on both sides ({compared}). A copy that was cut or filtered would not be known."
        )
    found = ", ".join(
        several(int(row["on both sides"]), noun)
        for row, noun in zip(rows, ("patient", "person", "file", "copied signal"), strict=True)
        if row["on both sides"]
    )
    return f"Counted again over {folds}, on both sides stand: {found} ({compared})."


RECORDINGS = "recordings.json"
"""In a run directory: fingerprints of the signals that the run was made from."""


def record(session: Session, protocols: Sequence[ProtocolData]) -> Session:
    """Write down who is there and how they are split; return the session with what they support.

    Raises
    ------
    NotTheSameError
        If the data changed since the run began; nothing of it was touched.
    ConfigError
        If they support none of the models.
    LeakageError
        If an earlier task on other patients saw one of these.
    """
    splits = {data.protocol: data.plan.to_dict(data.prepared.features.table) for data in protocols}
    split_digest = digest(splits)
    contents = contents_of(protocols)
    begun = session.manifest.content
    guard_data(session.out, begun, contents, split_digest)
    if session.same_as is not None:
        guard_repeated(session.same_as, contents, split_digest)
    write_json(session.out / FILE, contents.to_dict())
    stands_on = begun["stands_on"] | contents.summed() | {"splits": split_digest}
    session.manifest.update(stands_on=stands_on)
    _record_cohort(session, protocols)
    session = _supported(session, protocols)
    _guard_needs(session, protocols[0])
    write_json(session.out / "splits.json", {"protocols": splits})
    session.manifest.update(split_digest=split_digest)
    certify(session, protocols)
    if protocols[0].prepared.cohort.outcome:
        session.say(f"Outcome: {protocols[0].prepared.cohort.outcome}")
    for data in protocols:
        session.say(_describe(data))
    return session


def _record_cohort(session: Session, protocols: Sequence[ProtocolData]) -> None:
    first, manifest = protocols[0], session.manifest
    table = first.prepared.cohort.samples.table
    write_json(
        session.out / "cohort.json",
        {
            "recordings": list(table.index),
            "patients": sorted(set(table["patient_id"])),
            "subjects": sorted(set(first.prepared.features.table["subject_id"])),
            "files": list(first.prepared.own_files),
        },
    )
    # No name, id or file: whoever has a recording can tell whether it was among these.
    prints = sorted(set(first.prepared.fingerprints.values()))
    write_json(session.out / RECORDINGS, {"n_recordings": len(table), "fingerprints": prints})
    quarantined = [row for data in protocols for row in data.prepared.quarantined]
    once = {(row.recording_id, row.hook, row.reason): row.cells() for row in quarantined}
    paths, task = tuple(session.setup.plugin.info.paths), session.setup.task
    resumed = Note.each(NoteKind.RESUMED, manifest.content.get("tolerated", ()))
    manifest.update(
        data=manifest.content["data"]
        | {
            "digest": first.prepared.digest,
            "n_recordings": len(table),
            "n_patients": int(table["patient_id"].nunique()),
            "n_samples": len(first.prepared.features),
        },
        quarantined=list(once.values()),
        outcome=first.prepared.cohort.outcome,
        excluded={why: list(ids) for why, ids in first.prepared.cohort.excluded.items()},
        flow=flow_of(protocols, session.ctx._inputs, paths, task),
        flags=flag_counts(first.prepared.features.table),
        notes=[note.to_dict() for note in (*resumed, *first.prepared.cohort.notes)],
    )


def _supported(session: Session, protocols: Sequence[ProtocolData]) -> Session:
    """Leave out the models that the cohort cannot support, and say why."""
    setup = session.setup
    reasons: dict[str, str] = {}
    for data in protocols:
        reasons |= data.prepared.cohort.unsupported
    supported, notes = supported_models(setup, reasons)
    models = without_hollow_fusions(setup.task, supported)
    hollow = why_hollow(setup.task, supported, models)
    session.note([*notes, *Note.each(NoteKind.UNSUPPORTED_MODEL, hollow)])
    primary = primary_of(setup.task, setup.config, models)
    session.manifest.update(models=list(models), primary=primary)
    return replace(session, setup=replace(setup, models=models, primary=primary))


def _guard_needs(session: Session, data: ProtocolData) -> None:
    prepared = data.prepared
    for resolved in session.needs:
        block = session.setup.config.needs.get(resolved.need.task, NeedBlock())
        if resolved.need.patients == "other":
            guard_other(
                resolved,
                set(prepared.own_files),
                set(prepared.cohort.samples.table["patient_id"]),
                other_people=block.other_people,
            )


def _describe(data: ProtocolData) -> str:
    table = data.prepared.features.table
    fold = data.plan.folds[0]
    patients = table["patient_id"]
    what = f"{several(len(data.plan.folds), 'fold')} by {data.plan.unit}, plan {data.plan.plan}"
    sizes = (
        f"first fold: train {len(fold.train)} samples of {patients.iloc[fold.train].nunique()} "
        f"patients, test {len(fold.test)} of {patients.iloc[fold.test].nunique()}"
    )
    stamp = f" OPTIMISTIC: {data.plan.overlap}." if data.plan.overlap else ""
    return f"{data.protocol}: {what}; {sizes}.{stamp}"
