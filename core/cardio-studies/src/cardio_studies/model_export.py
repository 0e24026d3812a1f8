"""`cardio export`: the final models of a run for others, without any patient."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from cardio_core import runs
from cardio_core.api import RunConfig
from cardio_stats.errors import ConfigError
from cardio_studies import export_card as card
from cardio_studies.export_contents import Chosen, Names, choose, copy_models, names_of, without

# What an exported folder says of itself: manifest and configuration, of listed entries alone.

MANIFEST_ENTRIES = (
    "plugin", "plugin_version", "core_version", "task", "task_title", "papers", "protocols",
    "targets", "outcome_column", "words", "seed", "device", "git_commit", "packages",
)  # fmt: skip
"""Entries of a run's manifest that name nobody and no file."""
DATA_ENTRIES = ("source", "difficulty", "n_recordings", "n_patients", "n_samples")


def entries_of(manifest: Mapping[str, Any], chosen: Chosen, run_digest: str) -> dict[str, Any]:
    """Return the manifest of an exported folder.

    `run_digest` is the SHA-256 of the run's own manifest, by which the two can be brought together
    again where the run is.
    """
    titles = manifest.get("model_titles") or {}
    data = manifest.get("data") or {}
    return {
        **{key: manifest[key] for key in MANIFEST_ENTRIES if key in manifest},
        "models": list(chosen.models),
        "model_titles": {key: titles[key] for key in chosen.models if key in titles},
        "baselines": [m for m in manifest.get("baselines") or () if m in chosen.models],
        "primary": chosen.primary,
        "data": {key: data[key] for key in DATA_ENTRIES if key in data},
        "left_out_models": chosen.left_out,
        "run_manifest_sha256": run_digest,
        "config_digest": "exported",  # nothing goes on from it
        "notes": [], "needs": [], "stages": {}, "quarantined": [], "messages": [],
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
    return isinstance(value, list | tuple) and any(_names(item, ids) for item in value)


@runs.one_thread()
def export_run(
    run: Path,
    out: Path,
    *,
    models: Sequence[str] = (),
    onnx: bool = False,
    examples: Sequence[Path] = (),
    echo: runs.Echo | None = None,
) -> dict[str, Any]:
    """Write what others need to use a run's final models, and nothing of its patients.

    Parameters
    ----------
    run : Path
        A finished run directory.
    out : Path
        Folder to make; it must not exist or be empty.
    models : sequence of str
        Which final models, the first of which is the primary one; none is all. What a fused model
        fuses goes along.
    onnx : bool
        Write networks as ONNX, too, checked against torch.
    examples : sequence of Path
        Recordings for that check; none makes a few synthetic ones.
    echo : callable, optional
        Takes progress lines.

    Returns
    -------
    dict
        The manifest of the exported folder, JSON-ready.

    Raises
    ------
    ConfigError
        If the run is not finished or has no final model, `out` holds something, a model does not
        exist or is made of patients' rows, or a package for ONNX is missing.
    LeakageError
        If a name of a patient, a recording or a file was found in what was to be written; nothing
        is written then.
    """
    manifest = runs.finished(run, runs.RunKind.RUN, runs.RunKind.EXPORTED, fitted=True)
    if manifest.get("kind") == "exported":
        raise ConfigError(f"{run}: is exported already; copy the folder as it is")
    made_of = runs.file_digest(run / "manifest.json")
    runs.guard_place(out, runs.RunKind.EXPORTED, made_of)
    if onnx:
        from cardio_studies.onnx_export import require_onnx

        require_onnx()
    task, config, published = runs.FinalModels(run).settings(manifest)
    chosen = choose(run, manifest, task, models)
    names = without(names_of(run), published)
    first = entries_of(manifest, chosen, made_of)
    with runs.write_run(out, runs.RunKind.EXPORTED, made_of, echo=echo, **first) as writer:
        copy_models(run, out, chosen, task)
        settings = config_of(config, names.ids).model_dump(mode="json")
        writer.text("config.yaml", yaml.safe_dump(settings, sort_keys=False))
        writer.manifest.update(final_digest=runs.FinalModels(out).digest)
        card.write(card.card_of(run, chosen, names), out)
        if onnx:
            from cardio_studies.onnx_export import write_networks

            made = write_networks(run, chosen.models, out, examples, echo)
            writer.manifest.update(onnx=made)
        _search(out, names, run)
        writer.manifest.close()
    _say(chosen, echo)
    return writer.manifest.content


def _search(folder: Path, names: Names, run: Path) -> None:
    """Look for every name of the run in every file that is to leave it."""
    for path in sorted(folder.rglob("*")):
        if path.name != "running.lock" and path.is_file() and (n := names.search(path)):
            raise runs.LeakageError(
                f"{run}: {path.relative_to(folder)} would have shown {n} name(s) of its patients "
                "or recordings, so nothing was written; leave out the model that wrote them "
                "(--model), or take them out of its settings"
            )


def _say(chosen: Chosen, echo: runs.Echo | None) -> None:
    if echo is None:
        return
    for name, why in chosen.left_out.items():
        echo(f"Model {name} stays: {why}; its patients' rows would leave with it.")
