"""A rehearsal: what would run, how long and how big, as far as that can be known before."""

from __future__ import annotations

from pathlib import Path

from cardio_core.compute.executors import Executor
from cardio_core.context import Context
from cardio_core.runner.preparing.features import load_cohort
from cardio_core.runner.setup import Setup


def rehearse(setup: Setup, ctx: Context, executor: Executor, out: Path) -> list[str]:
    """Return the lines that say what would run; nothing is written in the run directory."""
    config = setup.config.for_protocol(setup.protocols[0])
    cohort, _ = load_cohort(setup.plugin, config, ctx)
    table = cohort.samples.table
    return [
        f"Data: {len(table)} recordings of {table['patient_id'].nunique()} patients, "
        f"{len(cohort.quarantined)} quarantined.",
        f"Models: {', '.join(setup.models)}. Would write {out}.",
    ]
