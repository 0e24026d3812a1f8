"""What an exported folder says of itself: manifest and configuration, of listed entries alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

from cardio_core.config import RunConfig
from cardio_core.io.run_artifact import SCHEMA, RunKind
from cardio_core.runner.manifest import now, packages
from cardio_core.studies.export.parts import Chosen

KEPT = (
    "plugin", "plugin_version", "core_version", "task", "task_title", "papers", "protocols",
    "targets", "outcome_column", "words", "seed", "device", "git_commit", "packages",
)  # fmt: skip
"""Entries of a run's manifest that name nobody and no file."""
KEPT_OF_DATA = ("source", "difficulty", "n_recordings", "n_patients", "n_samples")


def manifest_of(
    manifest: Mapping[str, Any], chosen: Chosen, name: str, run_digest: str
) -> dict[str, Any]:
    """Return the manifest of an exported folder.

    `run_digest` is the SHA-256 of the run's own manifest, by which the two can be brought together
    again where the run is.
    """
    titles = manifest.get("model_titles") or {}
    data = manifest.get("data") or {}
    return {
        "schema": SCHEMA, "status": "done", "kind": RunKind.EXPORTED, "name": name,
        **{key: manifest[key] for key in KEPT if key in manifest},
        "models": list(chosen.models),
        "model_titles": {key: titles[key] for key in chosen.models if key in titles},
        "baselines": [m for m in manifest.get("baselines") or () if m in chosen.models],
        "primary": chosen.primary,
        "data": {key: data[key] for key in KEPT_OF_DATA if key in data},
        "left_out_models": chosen.left_out,
        "patient_rows": chosen.with_rows,
        "exported": now(), "exported_with": packages().get("cardio-core"),
        "run_manifest_sha256": run_digest, "config_digest": "exported",  # nothing goes on from it
        "notes": [], "needs": [], "stages": {}, "quarantined": [], "said": [],
    }  # fmt: skip


def config_of(config: RunConfig, ids: Collection[str]) -> RunConfig:
    """Return a configuration without texts that name recordings, patients or files.

    A text or list of texts that holds one of the ids (recordings to leave out, say) or a path's
    slash goes back to its default, and so do the sources of earlier tasks; all else stays, so that
    recordings are read as they were.
    """
    changes = _cleaned(config, ids) | {"needs": {}, "stratify": None}
    return config.model_copy(update=changes)


def _cleaned(block: BaseModel, ids: Collection[str]) -> dict[str, Any]:
    """Return the fields of a block that change."""
    changes: dict[str, Any] = {}
    for name, field in type(block).model_fields.items():
        value = getattr(block, name)
        if isinstance(value, BaseModel):
            changes[name] = value.model_copy(update=_cleaned(value, ids))
        elif isinstance(value, Mapping):
            changes[name] = {
                key: inner.model_copy(update=_cleaned(inner, ids))
                if isinstance(inner, BaseModel)
                else inner
                for key, inner in _tree(value, ids).items()
            }
        elif not field.is_required() and _names(value, ids):
            changes[name] = field.get_default(call_default_factory=True)
    return changes


def _tree(tree: Mapping[str, Any], ids: Collection[str]) -> dict[str, Any]:
    """Return a tree of settings without what names somebody or a file."""
    return {
        key: _tree(value, ids) if isinstance(value, Mapping) else value
        for key, value in tree.items()
        if not _names(value, ids)
    }


def _names(value: Any, ids: Collection[str]) -> bool:
    """Whether a text is an id or a path, or a list holds such a text.

    Examples
    --------
    >>> _names(("I", "100"), {"100"}), _names("data/x.csv", ()), _names(100, {"100"})
    (True, True, False)
    """
    if isinstance(value, str):
        return value in ids or "/" in value or "\\" in value
    return isinstance(value, list | tuple) and any(_names(one, ids) for one in value)
