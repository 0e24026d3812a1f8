"""One network as an ONNX file, checked against torch on other batches than it was traced with."""

from __future__ import annotations

import inspect
import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules import module as hooks

from cardio_core.api import FeatureSet
from cardio_core.runs import Echo, FinalModels, install_extra
from cardio_stats.errors import CardioError, ConfigError, DataError
from cardio_stats.files import SafeName, file_in

# Which networks a plugin calls while it predicts, and on what.

Array = NDArray[Any]
Named = Mapping[str, Array]


@dataclass(frozen=True)
class Called:
    """A network with the first batch that it was given.

    Attributes
    ----------
    network : torch.nn.Module
    inputs : mapping of str to ndarray
        By name, the examples along the first axis.
    as_mapping : bool
        Whether the network takes them as one mapping; else by position.
    """

    network: nn.Module
    inputs: Named
    as_mapping: bool


@contextmanager
def watching() -> Iterator[list[Called]]:
    """Collect the networks that are called, each once; what a network calls itself is part of it.

    Examples
    --------
    >>> with watching() as called:
    ...     _ = nn.Sequential(nn.Linear(3, 2), nn.ReLU())(torch.zeros(5, 3))
    >>> [(type(one.network).__name__, one.inputs["input"].shape) for one in called]
    [('Sequential', (5, 3))]
    """
    found: list[Called] = []
    seen: set[int] = set()
    depth = 0

    def before(module: nn.Module, value: Any) -> None:
        nonlocal depth
        depth += 1

    def after(module: nn.Module, value: Any, output: Any) -> None:
        nonlocal depth
        depth -= 1
        learnt = next(module.parameters(), None) is not None
        if depth or not learnt or id(module) in seen:
            return
        inputs, as_mapping = _named(value)
        if inputs:
            seen.add(id(module))
            found.append(Called(module, inputs, as_mapping))

    handles = [
        hooks.register_module_forward_pre_hook(before),
        hooks.register_module_forward_hook(after, always_call=True),
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _named(arguments: tuple[Any, ...]) -> tuple[dict[str, Array], bool]:
    """Return the tensors of a call by name, and whether they came as one mapping."""
    if len(arguments) == 1 and isinstance(arguments[0], Mapping):
        tensors = {str(name): value for name, value in arguments[0].items()}
        as_mapping = True
    else:
        names = (
            ["input"]
            if len(arguments) == 1
            else [f"input_{n}" for n in range(1, len(arguments) + 1)]
        )
        tensors, as_mapping = dict(zip(names, arguments, strict=True)), False
    if not all(isinstance(value, torch.Tensor) and value.dim() for value in tensors.values()):
        return {}, as_mapping
    found = {name: value.detach().cpu().numpy().copy() for name, value in tensors.items()}
    return found, as_mapping


TOLERANCE = 1e-4
"""Largest difference from torch, of outputs of size 1; of larger ones, in their proportion."""
OPSET = 18
Arrays = dict[str, NDArray[Any]]


def require_onnx() -> None:
    """Raise if a package that writes or checks ONNX files is missing.

    Raises
    ------
    ConfigError
    """
    for name in ("onnx", "onnxscript", "onnxruntime"):
        try:
            import_module(name)
        except ImportError as error:
            raise ConfigError(
                f"--onnx: needs the package {name} ({error}); {install_extra('onnx')}"
            ) from error


def write_onnx(path: Path, called: Called, about: Mapping[str, str]) -> dict[str, Any]:
    """Write a network, with any number of examples at once, and compare it with torch.

    Parameters
    ----------
    path : Path
    called : Called
        The network with one batch of the size that its inputs have.
    about : mapping of str to str
        Metadata beside what is known of inputs and outputs.

    Returns
    -------
    dict
        File, inputs and outputs with their shapes (``"n"`` is the number of examples), and the
        largest difference from torch on the given batch and on random ones of 1, 2 and 5 examples.

    Raises
    ------
    CardioError
        If torch cannot write it, or what was written answers otherwise.
    """
    network = _Flat(called).eval().cpu()
    own = _as_tensors(_of_length(called.inputs, 2))
    names = list(called.inputs)
    outputs = [f"output_{n}" for n in range(1, len(_tuple(network, own)) + 1)]
    outputs = ["output"] if len(outputs) == 1 else outputs
    path.parent.mkdir(parents=True, exist_ok=True)
    batch = torch.export.Dim("n", min=1)
    title = type(called.network).__name__
    try:
        with _silently():
            torch.onnx.export(
                network,
                own,
                str(path),
                input_names=names,
                output_names=outputs,
                dynamic_shapes=(tuple({0: batch} for _ in own),),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # torch's exporter raises what it likes
        why = str(error).strip().splitlines()
        raise CardioError(
            f"--onnx: torch could not write {title} as ONNX "
            f"({type(error).__name__}: {why[0] if why else ''}); leave --onnx out"
        ) from error
    shapes = {"inputs": _shapes(dict(zip(names, own, strict=True)))}
    shapes["outputs"] = _shapes(dict(zip(outputs, _tuple(network, own), strict=True)))
    _describe(path, called.network, {**about, **{k: json.dumps(v) for k, v in shapes.items()}})
    difference = _largest_difference(path, network, called.inputs)
    if not difference <= TOLERANCE:
        raise CardioError(
            f"--onnx: {title} answers otherwise as ONNX than in torch: largest difference "
            f"{difference:.2g}, at most {TOLERANCE:g} is allowed; leave --onnx out"
        )
    return {"file": f"onnx/{path.name}", "network": title, **shapes,
            "largest_difference": float(difference), "opset": OPSET}  # fmt: skip


@contextmanager
def _silently() -> Iterator[None]:
    """Keep what torch's exporter says of itself, and of packages that we do not use, to itself."""
    logger, level = logging.getLogger("torch.onnx"), logging.getLogger("torch.onnx").level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


class _Flat(nn.Module):
    """A network that takes its inputs one after another and returns one tensor or a tuple."""

    def __init__(self, called: Called) -> None:
        super().__init__()
        self.network = called.network
        self._names = list(called.inputs) if called.as_mapping else None

    def forward(self, *tensors: torch.Tensor) -> Any:
        """Return what the network returns, without names."""
        arguments = tensors
        if self._names is not None:
            arguments = (dict(zip(self._names, tensors, strict=True)),)  # type: ignore[assignment]
        made = self.network(*arguments)
        if isinstance(made, Mapping):
            return tuple(made.values())
        return made


def _tuple(network: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    with torch.no_grad():
        made = network(*inputs)
    return made if isinstance(made, tuple) else (made,)


def _of_length(inputs: Mapping[str, NDArray[Any]], n: int) -> Arrays:
    """Return n examples: the given ones, over again where they are too few."""
    return {name: value[np.arange(n) % len(value)] for name, value in inputs.items()}


def _as_tensors(inputs: Arrays) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(np.ascontiguousarray(value)) for value in inputs.values())


def _random(inputs: Mapping[str, NDArray[Any]], n: int, rng: np.random.Generator) -> Arrays:
    """Return random examples as large as the given ones are; whole numbers are drawn from them."""
    made: Arrays = {}
    for name, value in inputs.items():
        shape = (n, *value.shape[1:])
        if value.dtype.kind == "f":
            drawn = rng.normal(float(value.mean()), float(value.std()) or 1.0, shape)
            made[name] = drawn.astype(value.dtype)
        else:
            made[name] = rng.choice(value.ravel(), shape)
    return made


def _largest_difference(
    path: Path, network: nn.Module, inputs: Mapping[str, NDArray[Any]]
) -> float:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    largest = 0.0
    for batch in (dict(inputs), *(_random(inputs, n, rng) for n in (1, 2, 5))):
        expected = _tuple(network, _as_tensors(batch))
        found = session.run(None, batch)
        for first, other in zip(expected, found, strict=True):
            wanted = first.numpy()
            scale = max(1.0, float(np.abs(wanted).max(initial=0.0)))
            apart = float(np.abs(wanted - other).max(initial=0.0)) / scale
            largest = max(largest, apart if np.isfinite(apart) else np.inf)
    return largest


def _shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    return {
        name: {"shape": ["n", *value.shape[1:]], "type": str(value.dtype).removeprefix("torch.")}
        for name, value in tensors.items()
    }


def _describe(path: Path, network: nn.Module, about: Mapping[str, str]) -> None:
    """Write the metadata, and take out what torch says of files and lines on this machine."""
    import onnx

    model = onnx.load(str(path))
    for graph in (model.graph, *model.functions):
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
        for value in graph.value_info:
            del value.metadata_props[:]
        del graph.metadata_props[:]
        graph.doc_string = ""
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
        value.doc_string = ""
    kind = type(network)
    words = {"network": kind.__name__, **about}
    if not kind.__module__.startswith("torch."):  # else torch's words on any Sequential
        words["about"] = _first(inspect.getdoc(kind))
        words["call"] = inspect.getdoc(kind.forward) or ""
    del model.metadata_props[:]
    model.doc_string = ""
    onnx.helper.set_model_props(model, words)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _first(text: str | None) -> str:
    return (text or "").split("\n\n")[0]


# The networks of an exported folder, found by letting it predict, as ONNX files.

NOT_HERE = ("Behind the network come the plugin's own steps: probabilities, means over what a "
            "patient has, the threshold. The outputs are as the network gives them.")  # fmt: skip


def write_networks(
    run: Path,
    models: Sequence[str],
    folder: Path,
    examples: Sequence[Path],
    echo: Echo | None = None,
) -> dict[str, dict[str, Any]]:
    """Write every network that the exported models call in predicting as ``onnx/NAME.onnx``.

    Parameters
    ----------
    run : Path
        The run whose final models predict.
    models : sequence of str
    folder : Path
        Where ``onnx`` is made.
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
    made: dict[str, dict[str, Any]] = {}
    predicted = FinalModels(run).predict_each(models, examples, watching, echo)
    try:
        for name, called, opened, features in predicted:
            about = _about(opened, name, features)
            for number, call in enumerate(called, start=1):
                stem = name if len(called) == 1 else f"{name}-{number}"
                if echo is not None:
                    echo(f"ONNX: {name}, {type(call.network).__name__}")
                path = file_in(folder, "onnx", SafeName(stem, ".onnx"))
                made[stem] = write_onnx(path, call, about)
    except DataError as error:
        how = "give others with --example" if examples else "give recordings with --example"
        raise DataError(f"--onnx: no recording to call the networks on ({error}); {how}") from error
    if not made:
        raise CardioError(
            "--onnx: none of the exported models called a network in predicting; leave --onnx out"
        )
    return made


def _about(opened: Any, model: str, features: FeatureSet) -> dict[str, str]:
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
