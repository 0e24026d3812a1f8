"""Rows that the data of some fold do not allow: out of their protocol, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cardio_core.io.atomic import read_json, write_json

if TYPE_CHECKING:
    from cardio_core.runner.folds import FoldJob
    from cardio_core.types.info import Task

UNFITTED = "unfitted.json"


def note_unfitted(folder: Path, reason: str) -> None:
    """Write why there is no fit where the fit would lie."""
    write_json(folder / UNFITTED, {"reason": reason})


def unfitted(jobs: Sequence[FoldJob]) -> dict[tuple[str, str], str]:
    """Return why rows have no fit in some fold, by protocol and row."""
    reasons: dict[tuple[str, str], list[str]] = {}
    n_fits: Counter[tuple[str, str]] = Counter()
    fused = {_row(job) for job in jobs if job.members}
    for job in jobs:
        n_fits[_row(job)] += 1
        if (job.out / UNFITTED).is_file():
            reason = read_json(job.out / UNFITTED)["reason"]
            reasons.setdefault(_row(job), []).append(f"{job.ctx.fold}, {reason}")
    return {
        row: f"{'its weights' if row in fused else 'it'} cannot be fitted in {len(found)} of "
        f"{n_fits[row]} fits; the first, {found[0]}"
        for row, found in reasons.items()
    }


def without(jobs: Sequence[FoldJob], left_out: set[tuple[str, str]]) -> list[FoldJob]:
    """Return the jobs of the other rows; fused ones fuse what is left, if that is two or more."""
    kept = []
    for job in jobs:
        members = tuple(m for m in job.members if (str(job.protocol), m) not in left_out)
        if _row(job) not in left_out and (not job.members or len(members) > 1):
            kept.append(replace(job, members=members))
    return kept


def notes_on(jobs: Sequence[FoldJob], kept: Sequence[FoldJob], task: Task) -> list[str]:
    """Say of each row that is not kept out of which protocol it is, and why."""
    here = {_row(job) for job in kept}
    reasons = unfitted(jobs)
    members = {_row(job): job.members for job in jobs}
    hollow = "of the rows that it fuses ({}) fewer than two are left"
    return [
        f"Row {task.model(row[1]).title} is left out of protocol {row[0]}: "
        f"{reasons.get(row) or hollow.format(', '.join(members[row]))}."
        for row in dict.fromkeys(map(_row, jobs))
        if row not in here
    ]


def _row(job: FoldJob) -> tuple[str, str]:
    return str(job.protocol), str(job.ctx.model)
