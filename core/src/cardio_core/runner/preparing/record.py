"""What a run writes down, and checks, once its cohort is known and before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cardio_core.config import NeedBlock
from cardio_core.io.atomic import replacing, write_json
from cardio_core.io.hashing import digest
from cardio_core.io.tables.formula import write_table
from cardio_core.runner.preparing.arms import Arm, supported_models
from cardio_core.runner.preparing.flow import flow_of
from cardio_core.runner.preparing.needs import guard_other
from cardio_core.runner.preparing.overlap import PAIRS, TABLE, certify
from cardio_core.runner.progress.words import several
from cardio_core.runner.session import Session
from cardio_core.runner.setup import primary_of, why_hollow, without_hollow_fusions
from cardio_core.runner.standing.cohort import FILE, contents_of
from cardio_core.runner.standing.resuming import guard_data, guard_repeated
from cardio_core.types.features import flag_counts
from cardio_core.types.notes import Note, NoteKind

RECORDINGS = "recordings.json"
"""In a run directory: fingerprints of the signals that the run was made from."""


def record(session: Session, arms: Sequence[Arm]) -> Session:
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
    splits = {arm.protocol: arm.plan.to_dict(arm.prepared.features.table) for arm in arms}
    split_digest = digest(splits)
    contents = contents_of(arms)
    begun = session.manifest.content
    files = arms[0].prepared.digest
    guard_data(session.out, begun, contents, split_digest, files)
    if session.same_as is not None:
        guard_repeated(session.same_as, contents, split_digest, files)
    write_json(session.out / FILE, contents.to_dict())
    data = contents.summed() | {"splits": split_digest}
    session.manifest.update(stands_on=begun["stands_on"] | data)
    _record_cohort(session, arms)
    session = _supported(session, arms)
    _guard_needs(session, arms[0])
    write_json(session.out / "splits.json", {"protocols": splits})
    session.manifest.update(split_digest=split_digest)
    _certify(session, arms)
    if arms[0].prepared.cohort.outcome:
        session.say(f"Outcome: {arms[0].prepared.cohort.outcome}")
    for arm in arms:
        session.say(_describe(arm))
    return session


def _certify(session: Session, arms: Sequence[Arm]) -> None:
    """Write down what stands on both sides of the folds, and say what must be acted on."""
    certificate = certify(arms)
    tables = session.out / "tables"
    tables.mkdir(exist_ok=True)
    kept = {TABLE: certificate.table}
    if len(certificate.pairs):
        kept[PAIRS] = certificate.pairs
    for name, table in kept.items():
        with replacing(tables / f"{name}.csv") as temporary:
            write_table(table, temporary)
    session.manifest.update(
        overlap=dict(certificate.sentences), copied_signals=len(certificate.pairs)
    )
    session.note(certificate.notes)


def _record_cohort(session: Session, arms: Sequence[Arm]) -> None:
    first, manifest = arms[0], session.manifest
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
    quarantined = {
        (q.recording_id, q.hook, q.reason): q.cells() for a in arms for q in a.prepared.quarantined
    }
    resumed = Note.each(NoteKind.RESUMED, manifest.content.get("tolerated", ()))
    manifest.update(
        data=manifest.content["data"]
        | {
            "digest": first.prepared.digest,
            "n_recordings": len(table),
            "n_patients": int(table["patient_id"].nunique()),
            "n_samples": len(first.prepared.features),
        },
        quarantined=list(quarantined.values()),
        outcome=first.prepared.cohort.outcome,
        excluded={why: list(ids) for why, ids in first.prepared.cohort.excluded.items()},
        flow=flow_of(
            arms, session.ctx._inputs, tuple(session.setup.plugin.info.paths), session.setup.task
        ),
        flags=flag_counts(first.prepared.features.table),
        notes=[note.to_dict() for note in (*resumed, *first.prepared.cohort.notes)],
    )


def _supported(session: Session, arms: Sequence[Arm]) -> Session:
    """Leave out the models that the cohort cannot support, and say why."""
    setup = session.setup
    reasons: dict[str, str] = {}
    for arm in arms:
        reasons |= arm.prepared.cohort.unsupported
    supported, notes = supported_models(setup, reasons)
    models = without_hollow_fusions(setup.task, supported)
    hollow = why_hollow(setup.task, supported, models)
    session.note([*notes, *Note.each(NoteKind.UNSUPPORTED_MODEL, hollow)])
    primary = primary_of(setup.task, setup.config, models)
    session.manifest.update(models=list(models), primary=primary)
    return replace(session, setup=replace(setup, models=models, primary=primary))


def _guard_needs(session: Session, arm: Arm) -> None:
    prepared = arm.prepared
    for resolved in session.needs:
        block = session.setup.config.needs.get(resolved.need.task, NeedBlock())
        if resolved.need.patients == "other":
            guard_other(
                resolved,
                set(prepared.own_files),
                set(prepared.cohort.samples.table["patient_id"]),
                other_people=block.other_people,
            )


def _describe(arm: Arm) -> str:
    table = arm.prepared.features.table
    fold = arm.plan.folds[0]
    patients = table["patient_id"]
    what = f"{several(len(arm.plan.folds), 'fold')} by {arm.plan.unit}, plan {arm.plan.plan}"
    sizes = (
        f"first fold: train {len(fold.train)} samples of {patients.iloc[fold.train].nunique()} "
        f"patients, test {len(fold.test)} of {patients.iloc[fold.test].nunique()}"
    )
    stamp = f" OPTIMISTIC: {arm.plan.overlap}." if arm.plan.overlap else ""
    return f"{arm.protocol}: {what}; {sizes}.{stamp}"
