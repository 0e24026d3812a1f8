"""After the last fit: what is kept of the training patients to tell who is like them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cardio_core.evaluation.applicability.described import describe
from cardio_core.evaluation.applicability.judge import Applicability
from cardio_core.io.atomic import write_json
from cardio_core.io.kept import models as kept
from cardio_core.runner.fitting.embedded import read_apart, read_space
from cardio_core.runner.fitting.jobs import FINAL, FoldJob
from cardio_core.runner.preparing.arms import Arm
from cardio_core.runner.session import Session

APPLICABILITY = Path("models") / FINAL / "applicability.json"
"""In a run or an exported folder."""


def keep_applicability(session: Session, arm: Arm, jobs: Sequence[FoldJob]) -> None:
    """Write the summaries of those whom the final models are fitted on, beside these models."""
    final = [job for job in jobs if job.ctx.fold == FINAL]
    if not final:
        return
    features = arm.prepared.features.view(final[0].train)
    config = arm.config
    patients = describe(
        features,
        arm.prepared.cohort,
        words=session.setup.plugin.info.words,
        also=config.covariates,
        never=[one for one in (config.outcome.column,) if one is not None],
    )
    spaces = {
        str(job.ctx.model): space
        for job in final
        if job.embeds and (space := read_space(job.out)) is not None
    }
    left_out: dict[str, dict[str, float]] = {}
    for job in jobs:
        if job.embeds and job.ctx.fold != FINAL:
            # Of several repeats the first counts: a mean of several would vary less than one.
            known = left_out.setdefault(str(job.ctx.model), {})
            left_out[str(job.ctx.model)] = read_apart(job.out) | known
    whose = features.table.assign(patient=features.table["patient_id"].astype(str))
    subjects = whose.drop_duplicates("patient").set_index("patient")["subject_id"].astype(str)
    made = Applicability.fit(
        patients,
        list(subjects.loc[list(patients.values.index)]),
        spaces=spaces,
        left_out=left_out,
        titles={name: session.setup.task.model(name).title for name in spaces},
    )
    write_json(session.out / APPLICABILITY, made.to_dict())


def read_applicability(folder: Path) -> Applicability | None:
    """Return what a run or an exported folder keeps; None of one made before."""
    path = folder / APPLICABILITY
    return Applicability.from_dict(kept.APPLICABILITY.read(path)) if path.is_file() else None
