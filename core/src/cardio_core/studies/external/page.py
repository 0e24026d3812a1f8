"""The folder of an external validation: its manifest, its numbers, its page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cardio_core.errors import ConfigError
from cardio_core.io.cohort_rows import shown_of
from cardio_core.io.run_artifact import RunKind
from cardio_core.io.truth_file import is_synthetic
from cardio_core.report.told.card import digest_of_final
from cardio_core.runner.manifest import first_entries, now
from cardio_core.runner.predicting.answering import Answered, Opened
from cardio_core.studies.external.applying import words_of_shares
from cardio_core.studies.external.internal import EXTERNAL, INTERNAL, words_of_changes
from cardio_core.studies.external.scoring import New
from cardio_core.types.features import flag_counts
from cardio_core.types.file_names import SafeName
from cardio_core.types.info import Target
from cardio_core.types.predictions import Scored


def default_out(run: Path) -> Path:
    """Return a folder named after the run and the time."""
    stamp = now().replace(":", "").replace("-", "")[:15]
    return Path("runs") / SafeName(f"{run.resolve().name}-external-{stamp}")


def guard_new(out: Path) -> None:
    """Refuse a folder that holds anything: nothing is overwritten.

    Raises
    ------
    ConfigError
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise ConfigError(f"--out {out}: expected a new or an empty folder, found files there")
    above = next(one for one in (out, *out.absolute().parents) if one.exists())
    if not os.access(above, os.W_OK):
        raise ConfigError(f"--out {out}: nothing may be written there; name another folder")


def about(
    opened: Opened,
    answered: Answered,
    new: New,
    scored: Scored,
    inputs: Sequence[Path],
    out: Path,
    *,
    command: Sequence[str],
    seed: int,
    further: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the entries of the manifest: what was validated, on whom, by which code."""
    run, made = opened.folder, opened.manifest
    cohort = answered.prepared.cohort
    device: Any = opened.ctx.device
    real = not any(map(is_synthetic, inputs))
    judged = {str(one) for frame in scored.frames.values() for one in frame["patient_id"]}
    kept = ("plugin", "plugin_version", "task", "task_title", "papers", "models", "model_titles",
            "baselines", "primary", "targets")  # fmt: skip
    entries = {
        **{name: made.get(name) for name in kept},
        "outcome_column": opened.config.outcome.column,
        "outcome": _outcome(opened.task.targets, scored, cohort.outcome),
        "words": {**(made.get("words") or {}), **words_of_changes(), **words_of_shares()},
        "protocols": [EXTERNAL, INTERNAL],
        "evaluated": {
            "run": run.resolve().name, "kind": made.get("kind", "run"),
            "final_models": digest_of_final(run), "config": made.get("config_digest"),
            "data": (made.get("data") or {}).get("digest"),
            "source": (made.get("data") or {}).get("source"),
            "n_patients": (made.get("data") or {}).get("n_patients"),
            "core_version": made.get("core_version"),
        },
        "seed": seed,
        "device": {key: getattr(device, key) for key in ("name", "reason", "precision")},
        "data": {
            "source": "real" if real else "synthetic",
            "path_shown": shown_of(inputs),
            "digest": answered.prepared.digest,
            "n_recordings": len(cohort.samples),
            "n_patients": int(cohort.samples.table["patient_id"].nunique()),
            "n_samples": len(answered.prepared.features), "n_judged": len(judged),
        },
        "quarantined": [row.cells() for row in answered.prepared.quarantined],
        "excluded": {why: list(ids) for why, ids in cohort.excluded.items()},
        "flags": flag_counts(answered.prepared.features.table),
        **further,
    }  # fmt: skip
    return first_entries(RunKind.EXTERNAL, out.name, command, **entries)


def _outcome(targets: Sequence[Target], scored: Scored, said: str) -> str:
    """Say how often what was predicted happened, as the plugin or the table says it."""
    if said:
        return said
    parts = []
    for target in targets:
        frame = scored.frames.get(target.name)
        if frame is None or target.kind == "continuous":
            continue
        rows = frame[frame["model"] == frame["model"].iloc[0]]
        counts = rows["y_true"].value_counts()
        found = ", ".join(f"{int(counts.get(one, 0))} {one}" for one in target.classes)
        parts.append(f"{target.name}: {found}")
    return "; ".join(parts)
