"""`cardio export`: the final models of a run for others, without any patient."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cardio_core.compute.threads import one_thread
from cardio_core.config import RunConfig, dump_yaml, named_configs, validated
from cardio_core.errors import ConfigError, LeakageError
from cardio_core.evaluation.patients.covariates import with_clinical_model
from cardio_core.io.atomic import whole_directory, write_text
from cardio_core.io.hashing import directory_digest, file_digest
from cardio_core.io.kept.settings import settings_in
from cardio_core.registry import Plugin, resolve
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.predicting.answering import finished
from cardio_core.runner.preparing.outcome import asked_task
from cardio_core.runner.progress import Echo
from cardio_core.runner.setup import open_with_defaults
from cardio_core.studies.export import card
from cardio_core.studies.export.about import config_of, manifest_of
from cardio_core.studies.export.names import Names, names_of, without
from cardio_core.studies.export.parts import Chosen, choose, copy_models
from cardio_core.types.info import Task


@one_thread()
def export_run(
    run: Path,
    out: Path,
    *,
    models: Sequence[str] = (),
    with_patient_rows: bool = False,
    onnx: bool = False,
    examples: Sequence[Path] = (),
    echo: Echo | None = None,
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
    with_patient_rows : bool
        Let models leave that are made of patients' rows (support vectors, neighbours).
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
    manifest = finished(run)
    if manifest.get("kind") == "exported":
        raise ConfigError(f"{run}: is exported already; copy the folder as it is")
    guard_empty(out)
    if onnx:
        from cardio_core.studies.export.onnx.file import require_onnx

        require_onnx()
    plugin, config, task = _opened(run, manifest)
    chosen = choose(run, manifest, task, models, with_patient_rows=with_patient_rows)
    names = without(names_of(run), _published(plugin, task))

    def fill(folder: Path) -> None:
        copy_models(run, folder, chosen, task)
        write_text(folder / "config.yaml", dump_yaml(config_of(config, names.ids)))
        about = manifest_of(manifest, chosen, out.name, file_digest(run / "manifest.json"))
        about["final_digest"] = directory_digest(folder / "models" / "final")
        made = Manifest(folder / "manifest.json", {})
        made.update(**about)
        card.write(card.card_of(run, chosen, names), folder)
        if onnx:
            from cardio_core.studies.export.onnx.networks import write_networks

            made.update(onnx=write_networks(folder, examples, echo))
        _search(folder, names, run)
        made.add_outputs(folder)

    whole_directory(out, fill)
    _say(chosen, echo)
    return Manifest.open(out).content


def guard_empty(out: Path) -> None:
    """Raise if there is something where the folder is to be."""
    if out.is_file():
        raise ConfigError(f"--out {out}: is a file; name a folder")
    if out.is_dir() and any(out.iterdir()):
        raise ConfigError(f"--out {out}: expected an empty or a new folder, found one with files")


def _opened(run: Path, manifest: dict[str, Any]) -> tuple[Plugin, RunConfig, Task]:
    plugin = open_with_defaults(manifest["plugin"])
    task = plugin.info.task(manifest["task"])
    model: Any = resolve(plugin.info.config_of(task))
    config: RunConfig = validated(model, settings_in(run), "config.yaml")
    return plugin, config, asked_task(with_clinical_model(task, config.covariates), config)


def _published(plugin: Plugin, task: Task) -> list[str]:
    """Return the texts that anybody who installs the plugin has: they name no patient."""
    return [repr(plugin.info), repr(task), *named_configs(plugin.info.configs).values()]


def _search(folder: Path, names: Names, run: Path) -> None:
    """Look for every name of the run in every file that is to leave it."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (n := names.search(path)):
            raise LeakageError(
                f"{run}: {path.relative_to(folder)} would have told {n} name(s) of its patients "
                "or recordings, so nothing was written; leave out the model that wrote them "
                "(--model), or take them out of its settings"
            )


def _say(chosen: Chosen, echo: Echo | None) -> None:
    if echo is None:
        return
    for name, why in chosen.left_out.items():
        echo(f"Model {name} stays: {why}; a model of patients' rows leaves with "
             "--with-patient-rows alone.")  # fmt: skip
    for name, why in chosen.with_rows.items():
        echo(f"WITH PATIENTS' ROWS, as you asked: model {name} {why}.")
