"""The networks of an exported folder, found by letting it predict, as ONNX files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cardio_core.errors import CardioError, DataError
from cardio_core.io.atomic import file_in
from cardio_core.runner.predicting.answering import Opened, answer, open_finished
from cardio_core.runner.preparing.synthetic_cohort import CohortAsked, writer_of
from cardio_core.runner.progress import Echo
from cardio_core.studies.export.onnx.file import write_onnx
from cardio_core.studies.export.onnx.watching import watching
from cardio_core.types.features import FeatureSet
from cardio_core.types.file_names import SafeName

N_SYNTHETIC = 6
NOT_HERE = ("Behind the network come the plugin's own steps: probabilities, means over what a "
            "patient has, the threshold. The outputs are as the network gives them.")  # fmt: skip


def write_networks(
    folder: Path, examples: Sequence[Path], echo: Echo | None = None
) -> dict[str, dict[str, Any]]:
    """Write every network that the exported models call in predicting as ``onnx/NAME.onnx``.

    Parameters
    ----------
    folder : Path
        An exported folder.
    examples : sequence of Path
        Recordings to predict; none makes a few synthetic ones. Nothing of them is kept.
    echo : callable, optional

    Returns
    -------
    dict
        By name of the file without its ending: see `write_onnx`.

    Raises
    ------
    DataError
        If no recording could be predicted.
    CardioError
        If a network cannot be written, or answers otherwise than in torch.
    """
    with TemporaryDirectory(prefix="cardio-") as place:
        opened = open_finished(folder, device="cpu", features_in=Path(place) / "features")
        inputs = tuple(examples) or (_synthetic(opened, Path(place) / "synthetic"),)
        try:
            # Once without models: what measures recordings is not of the models.
            prepared = answer(_only(opened, ()), inputs, echo=echo).prepared
        except DataError as error:
            how = "--example" if examples else "give recordings with --example"
            raise DataError(
                f"--onnx: {how}: no recording to call the networks on ({error})"
            ) from error
        made: dict[str, dict[str, Any]] = {}
        for name in opened.models:
            if opened.task.model(name).core_owned:
                continue
            with watching() as called:
                answer(_only(opened, (name,)), inputs)
            for number, one in enumerate(called, start=1):
                stem = name if len(called) == 1 else f"{name}-{number}"
                path = file_in(folder, "onnx", SafeName(stem, ".onnx"))
                about = _about(opened, name, prepared.features)
                if echo is not None:
                    echo(f"ONNX: {name}, {type(one.network).__name__}")
                made[stem] = write_onnx(path, one, about)
    if not made:
        raise CardioError(
            "--onnx: none of the exported models called a network in predicting; leave --onnx out"
        )
    return made


def _only(opened: Opened, models: Sequence[str]) -> Opened:
    return replace(opened, manifest={**opened.manifest, "models": list(models)})


def _synthetic(opened: Opened, place: Path) -> Path:
    place.mkdir()
    asked = CohortAsked(opened.task.name, N_SYNTHETIC, seed=1, difficulty=opened.config.difficulty)
    writer_of(opened.plugin.info, asked)(place)
    return place


def _about(opened: Opened, model: str, features: FeatureSet) -> dict[str, str]:
    """Return what a user of the file has to know: whose it is, its settings, units and axes."""
    manifest, tree = opened.manifest, opened.config.model_dump(mode="json")
    blocks = {
        name: {"axes": list(block.axes), "names": list(block.names), "units": list(block.units)}
        for name, block in features.blocks.items()
    }
    return {
        "plugin": f"{manifest['plugin']} {manifest.get('plugin_version')}",
        "task": opened.task.title,
        "model": f"{model}: {opened.task.model(model).title}",
        "targets": json.dumps([vars(target) for target in opened.task.targets_of(model)]),
        "features": json.dumps(blocks),
        "preprocess": json.dumps(tree["preprocess"]),
        "featurize": json.dumps(tree["featurize"]),
        "outputs_are": NOT_HERE,
        "written_with": f"cardio-core {manifest.get('core_version')}",
    }
