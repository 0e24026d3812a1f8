"""By what a member is known again: its place beside the fusion, and what it holds."""

from __future__ import annotations

import os
from pathlib import Path

from cardio_core.io.hashing import directory_digest, file_digest
from cardio_core.studies.fused.members import Member


def place_of(member: Member, out: Path) -> dict[str, object]:
    """Return a member as the manifest of the fusion in `out` keeps it."""
    manifest = member.manifest
    return {
        "label": member.label,
        "run": os.path.relpath(member.run.resolve(), out.resolve()),
        "name": member.run.resolve().name,
        "plugin": manifest.get("plugin"),
        "plugin_version": manifest.get("plugin_version"),
        "task": manifest.get("task"),
        "model": member.model,
        "title": member.title,
        "target": member.target.name,
        "event": member.event,
        "n_patients": int(member.rows["patient_id"].nunique()),
    } | digests_of(member.run)


def digests_of(run: Path) -> dict[str, str | None]:
    """Return the SHA-256 of what a fusion takes from a run: predictions and final models."""
    final = run / "models" / "final"
    predictions = run / "predictions.csv"
    return {
        "predictions_digest": file_digest(predictions) if predictions.is_file() else None,
        "final_digest": directory_digest(final) if final.is_dir() else None,
    }
