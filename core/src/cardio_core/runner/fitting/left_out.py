"""Models that the data of some fold do not allow: out of their protocol, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cardio_core.io.atomic import write_json
from cardio_core.io.kept.models import UNFITTED as WHY_UNFITTED
from cardio_core.runner.fitting.jobs import FoldJob
from cardio_core.types.info import Task
from cardio_core.types.notes import Note, NoteKind

UNFITTED = "unfitted.json"


def note_unfitted(folder: Path, reason: str) -> None:
    """Write why there is no fit where the fit would lie."""
    write_json(folder / UNFITTED, {"reason": reason})


def unfitted(jobs: Sequence[FoldJob]) -> dict[tuple[str, str], str]:
    """Return why models have no fit in some fold, by protocol and model."""
    reasons: dict[tuple[str, str], list[str]] = {}
    n_fits: Counter[tuple[str, str]] = Counter()
    fused = {_key(job) for job in jobs if job.members}
    for job in jobs:
        n_fits[_key(job)] += 1
        if (job.out / UNFITTED).is_file():
            reason = WHY_UNFITTED.read(job.out / UNFITTED)["reason"]
            reasons.setdefault(_key(job), []).append(f"{job.ctx.fold}, {reason}")
    return {
        key: f"{'its weights' if key in fused else 'it'} cannot be fitted in {len(found)} of "
        f"{n_fits[key]} fits; the first, {found[0]}"
        for key, found in reasons.items()
    }


def without(jobs: Sequence[FoldJob], left_out: set[tuple[str, str]]) -> list[FoldJob]:
    """Return the jobs of the other models; fused ones fuse what is left, if that is two or more."""
    kept = []
    for job in jobs:
        members = tuple(m for m in job.members if (str(job.protocol), m) not in left_out)
        if _key(job) not in left_out and (not job.members or len(members) > 1):
            kept.append(replace(job, members=members))
    return kept


def notes_on(jobs: Sequence[FoldJob], kept: Sequence[FoldJob], task: Task) -> list[Note]:
    """Say of each model that is not kept out of which protocol it is, and why."""
    here = {_key(job) for job in kept}
    reasons = unfitted(jobs)
    members = {_key(job): job.members for job in jobs}
    hollow = "of the models that it fuses ({}) fewer than two are left"
    kinds = {"honest": NoteKind.LEFT_OUT_OF_HONEST, "paper": NoteKind.LEFT_OUT_OF_PAPER}
    return [
        Note(
            kinds[key[0]],
            f"Model {task.model(key[1]).title} is left out of protocol {key[0]}: "
            f"{reasons.get(key) or hollow.format(', '.join(members[key]))}.",
            model=key[1],
        )
        for key in dict.fromkeys(map(_key, jobs))
        if key not in here
    ]


def _key(job: FoldJob) -> tuple[str, str]:
    return str(job.protocol), str(job.ctx.model)
