"""Start a network from a local file of weights with torchvision's keys."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.errors import ConfigError, DataError, PluginError
from cardio_core.io.hashing import file_digest
from cardio_core.types.limits import require_fitting
from cardio_stats.files import replacing

if TYPE_CHECKING:
    from torch import nn

OWN = ("fc.", "side.")
"""What a file of another task cannot give: the classifier, and layers that torchvision has not."""

_COUNTER = "num_batches_tracked"


def load_backbone(network: nn.Module, path: Path, *, own: tuple[str, ...] = OWN) -> list[str]:
    """Copy the convolutional part of a safetensors file with torchvision's keys into a network.

    The network is changed in place, of the file's width; its first convolution is called ``conv1``.
    Keys that begin as `own` says are left as they are. Returned are the keys that were copied.
    ``.pt`` and ``.pth`` files are converted beforehand.

    Raises
    ------
    DataError
        If the file cannot be read, or a key is missing or of another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{path.name}: expected a safetensors file of network weights, found {error}; "
            "convert other formats with `cardio data convert-weights FILE --allow pickle`",
            code="damaged",
        ) from error
    mapped = backbone_state(state, network, own=own)
    network.load_state_dict(mapped, strict=False)
    return sorted(mapped)


def backbone_state(
    state: Mapping[str, torch.Tensor], network: nn.Module, *, own: tuple[str, ...] = OWN
) -> dict[str, torch.Tensor]:
    """Return the part of a state dict that a network's backbone can take, with its own keys.

    Prefixes ``module.`` and ``backbone.`` are taken off. Where the network has not three input
    channels, the mean of the three filters is repeated and scaled by 3 / channels, so that the
    response to a picture repeated over the channels stays the same.

    Raises
    ------
    DataError
        If a key is missing or of another shape.
    """
    plain = {key.removeprefix("module.").removeprefix("backbone."): v for key, v in state.items()}
    mapped: dict[str, torch.Tensor] = {}
    for key, present in network.state_dict().items():
        if key.startswith(own) or key.endswith(_COUNTER):
            continue
        if key not in plain:
            raise DataError(
                f"weights: expected the key {key}, found none among {len(plain)}", code="missing"
            )
        value = plain[key]
        if key == "conv1.weight" and value.shape[1] != present.shape[1]:
            n_channels = present.shape[1]
            value = value.mean(dim=1, keepdim=True).repeat(1, n_channels, 1, 1)
            value = value * (plain[key].shape[1] / n_channels)
        if value.shape != present.shape:
            raise DataError(
                f"weights: expected {key} of shape {tuple(present.shape)}, found "
                f"{tuple(value.shape)}; depth and width must agree",
                code="mismatch",
            )
        mapped[key] = value
    return mapped


# The tensors of a Keras DenseNet121, brought to torchvision's names and order of axes.

_KINDS = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_LAYER = re.compile(r"conv(\d)_block(\d+)_([012])_(conv|bn)")
_TRANSITION = re.compile(r"pool(\d)_(conv|bn)")
_OPTIMIZER = "optimizer_weights"


def read_keras(path: Path, max_bytes: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of a Keras .h5 file by their path in it; no model is built, no code read.

    Raises
    ------
    DataError
        If it is no HDF5 file, or holds more than `max_bytes`.
    ConfigError
        If h5py is not installed.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise ConfigError(
            "weights in HDF5 need h5py, which is not installed; pip install h5py"
        ) from None
    found: dict[str, Any] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith(_OPTIMIZER):
            found[name] = item

    try:
        with h5py.File(path, "r") as file:
            file.visititems(keep)
            if sum(item.nbytes for item in found.values()) > max_bytes:
                raise DataError(f"{path.name}: expected at most {max_bytes / 1e9:g} GB of weights")
            return {name: np.asarray(item) for name, item in found.items()}
    except DataError:
        raise
    except Exception as error:  # h5py says of a damaged file whatever it met
        raise DataError(
            f"{path.name}: expected an HDF5 file of Keras weights, found another or a damaged one"
        ) from error


def keras_state(weights: Mapping[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    """Return the weights of a Keras DenseNet121 with torchvision's keys and layout.

    Parameters
    ----------
    weights : mapping of str to ndarray
        ``layer/weight`` as in the .h5 file of Keras or RadImageNet, with or without ``:0`` and
        groups before them: ``conv1/conv``, ``conv1/bn``, ``conv2_block1_0_bn``,
        ``conv2_block1_1_conv``, ``pool2_bn``, ``pool2_conv``, ``bn``. Convolutions are (rows,
        columns, in, out). Classifiers are left out.

    Returns
    -------
    dict of str to Tensor
        Convolutions are (out, in, rows, columns).

    Raises
    ------
    DataError
        If a layer has no place in a DenseNet121.

    Notes
    -----
    Keras pads its first convolution and pooling with zeros before it strides, as torchvision does,
    and has a batch norm epsilon of 1.001e-5 where torchvision has 1e-5. A Keras ResNet50 cannot be
    carried over so: it strides in the first convolution of a block, torchvision in the second.

    Examples
    --------
    >>> made = keras_state({"conv2_block3_1_conv/kernel:0": np.zeros((1, 1, 128, 128))})
    >>> [(name, tuple(value.shape)) for name, value in made.items()]
    [('features.denseblock1.denselayer3.conv1.weight', (128, 128, 1, 1))]
    """
    made: dict[str, torch.Tensor] = {}
    for path, value in weights.items():
        *above, kind = path.removesuffix(":0").split("/")
        place = _place(above)
        if place is None:
            continue
        array = np.asarray(value, np.float32)
        if kind == "kernel":
            made[f"{place}.weight"] = torch.from_numpy(array.transpose(3, 2, 0, 1).copy())
        elif kind in _KINDS:
            made[f"{place}.{_KINDS[kind]}"] = torch.from_numpy(array.copy())
        else:
            raise DataError(f"weights: expected kernel or batch norm in Keras, found {path}")
    return made


def _place(above: list[str]) -> str | None:
    """Return the torchvision name of a Keras layer; None for a classifier."""
    joined = "/".join(above)
    if found := _LAYER.search(joined):
        stage, layer, part, kind = found.groups()
        # Keras numbers the batch norms of a layer 0 and 1, its convolutions 1 and 2.
        number = int(part) + 1 if kind == "bn" else int(part)
        name = "norm" if kind == "bn" else "conv"
        return f"features.denseblock{int(stage) - 1}.denselayer{layer}.{name}{number}"
    if found := _TRANSITION.search(joined):
        name = "norm" if found[2] == "bn" else "conv"
        return f"features.transition{int(found[1]) - 1}.{name}"
    if "conv1/conv" in joined or joined.endswith("conv1_conv"):
        return "features.conv0"
    if "conv1/bn" in joined or joined.endswith("conv1_bn"):
        return "features.norm0"
    if above and above[-1] == "bn":
        return "features.norm5"
    if any(name.startswith(("dense", "fc", "predictions", "classifier")) for name in above):
        return None
    raise DataError(
        f"weights: {joined}: no such layer in a Keras DenseNet121; take the file of one"
    )


# The tensors of published networks, by torchvision's names and their number of axes.

COUNTER = "num_batches_tracked"
"""Last part of the name of a counter, which steers nothing here and which some files lack."""

_NORM = ("weight", "bias", "running_mean", "running_var")
_BLOCKS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
}
_DENSE_BLOCKS = (6, 12, 24, 16)

Axes = dict[str, int]


def _convolution(name: str, axes: int = 4) -> Axes:
    return {f"{name}.weight": axes}


def _norm(name: str) -> Axes:
    return {f"{name}.{kind}": 1 for kind in _NORM}


def _head(name: str) -> Axes:
    return {f"{name}.weight": 2, f"{name}.bias": 1}


def _resnet(kind: str) -> Axes:
    n_convolutions = 2 if kind in ("resnet18", "resnet34") else 3
    made = _convolution("conv1") | _norm("bn1")
    for stage, n_blocks in enumerate(_BLOCKS[kind], start=1):
        for block in range(n_blocks):
            place = f"layer{stage}.{block}"
            for number in range(1, n_convolutions + 1):
                made |= _convolution(f"{place}.conv{number}") | _norm(f"{place}.bn{number}")
            if block == 0 and (stage > 1 or n_convolutions == 3):
                made |= _convolution(f"{place}.downsample.0") | _norm(f"{place}.downsample.1")
    return made | _head("fc")


def _densenet121() -> Axes:
    made = _convolution("features.conv0") | _norm("features.norm0") | _norm("features.norm5")
    for block, n_layers in enumerate(_DENSE_BLOCKS, start=1):
        for layer in range(1, n_layers + 1):
            place = f"features.denseblock{block}.denselayer{layer}"
            for number in (1, 2):
                made |= _norm(f"{place}.norm{number}") | _convolution(f"{place}.conv{number}")
        if block < len(_DENSE_BLOCKS):
            place = f"features.transition{block}"
            made |= _norm(f"{place}.norm") | _convolution(f"{place}.conv")
    return made | _head("classifier")


def _r2plus1d_18() -> Axes:
    def space_then_time(place: str) -> Axes:
        return _convolution(f"{place}.0", 5) | _norm(f"{place}.1") | _convolution(f"{place}.3", 5)

    made = space_then_time("stem") | _norm("stem.4")
    for stage in range(1, 5):
        for block in range(2):
            place = f"layer{stage}.{block}"
            for part in ("conv1", "conv2"):
                made |= space_then_time(f"{place}.{part}.0") | _norm(f"{place}.{part}.1")
            if block == 0 and stage > 1:
                made |= _convolution(f"{place}.downsample.0", 5) | _norm(f"{place}.downsample.1")
    return made | _head("fc")


NETWORKS: Mapping[str, Callable[[], Axes]] = {
    "r2plus1d_18": _r2plus1d_18,
    "densenet121": _densenet121,
    **{kind: partial(_resnet, kind) for kind in _BLOCKS},
}
"""From a network's name to the number of axes of each of its tensors, counters left out."""

HEADS = ("fc.", "classifier.")
"""How the names of a last layer begin."""

# In which ways others name the tensors of a network, and how torchvision's names come of them.

_ANOTHER = "the classifier of another task"
_CHILDREN = (
    "conv0", "norm0", "relu0", "pool0", "denseblock1", "transition1", "denseblock2", "transition2",
    "denseblock3", "transition3", "denseblock4", "norm5",
)  # fmt: skip
_RESNET_CHILDREN = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
_DENSE_NAMES = (
    (r"(denselayer\d+)\.layers\.", r"\1."),
    (r"(denselayer\d+)\.(norm|conv)\.([12])\.", r"\1.\2\3."),
    (r"^class_layers\.out\.", "classifier."),
)
_WRAPPED = r"(module\.|model\.|backbone\.)*"


@dataclass(frozen=True)
class Layout:
    """One way of naming a network's tensors.

    Attributes
    ----------
    name, title : str
        For ``--layout`` and for messages.
    axes : mapping of str to int
        The network's tensors by torchvision's names, with the number of axes of each.
    prefix : str
        Regular expression of what stands before every name, and is taken off.
    renames : tuple of (str, str)
        Regular expressions and what takes their place, one after the other.
    head_dropped : str
        Why the last layer is left out; empty keeps it.
    head_outputs : int or None
        Outputs that the last layer must have for this layout to be recognised; None for any.
    """

    name: str
    title: str
    axes: Mapping[str, int] = field(repr=False)
    prefix: str = ""
    renames: tuple[tuple[str, str], ...] = ()
    head_dropped: str = ""
    head_outputs: int | None = None

    def named(self, name: str) -> str | None:
        """Return torchvision's name of a tensor; None where the prefix is not there.

        Examples
        --------
        >>> LAYOUTS["r2plus1d_18"].named("module.stem.0.weight")
        'stem.0.weight'
        >>> LAYOUTS["radimagenet_resnet50"].named("backbone.4.0.conv1.weight")
        'layer1.0.conv1.weight'
        """
        found = re.match(self.prefix, name)
        if found is None:
            return None
        made = name[found.end() :]
        for pattern, replacement in self.renames:
            made = re.sub(pattern, replacement, made)
        return made


def _axes(network: str) -> Axes:
    return NETWORKS[network]()


def _numbered(children: Sequence[str], before: str, after: str) -> tuple[tuple[str, str], ...]:
    return tuple((rf"^{before}{n}\.", f"{after}{name}.") for n, name in enumerate(children))


_ALL = (
    Layout(
        "kinetics_r2plus1d_18",
        "R(2+1)D-18 of Kinetics-400 with torchvision's names",
        _axes("r2plus1d_18"),
        _WRAPPED,
        head_dropped=_ANOTHER,
        head_outputs=400,
    ),
    Layout("r2plus1d_18", "R(2+1)D-18 with torchvision's names", _axes("r2plus1d_18"), _WRAPPED),
    Layout(
        "radimagenet_densenet121",
        'DenseNet121 of RadImageNet (PyTorch, names behind "backbone.0.")',
        _axes("densenet121"),
        r"(module\.)?backbone\.(?=0\.)",
        (*_numbered(_CHILDREN, r"0\.", "features."), (r"^0\.", "features."), *_DENSE_NAMES),
        _ANOTHER,
    ),
    Layout(
        "densenet121",
        "DenseNet121 with the names of torchvision (ImageNet), of 2017 or of MONAI",
        _axes("densenet121"),
        _WRAPPED,
        _DENSE_NAMES,
        _ANOTHER,
    ),
    Layout(
        "radimagenet_resnet50",
        'ResNet50 of RadImageNet (PyTorch, numbered names behind "backbone.")',
        _axes("resnet50"),
        r"(module\.)?backbone\.(?=\d)",
        _numbered(_RESNET_CHILDREN, "", ""),
        _ANOTHER,
    ),
    *(
        Layout(
            kind,
            f"ResNet{kind[6:]} with torchvision's names (ImageNet)",
            _axes(kind),
            _WRAPPED,
            head_dropped=_ANOTHER,
        )
        for kind in NETWORKS
        if kind.startswith("resnet")
    ),
)
LAYOUTS = {layout.name: layout for layout in _ALL}
"""The layouts that the core knows, those with a mark of their own before the general ones."""

_NEAR = 0.5


def recognise(
    shapes: Mapping[str, Sequence[int]], requested: str | None, layouts: Mapping[str, Layout]
) -> Layout | None:
    """Return the layout that fits the names of some tensors; None where none comes near.

    Parameters
    ----------
    shapes : mapping of str to sequence of int
        Of every tensor, by its name in the file.
    requested : str or None
        Name of a layout; None takes the first that fits.
    layouts : mapping of str to Layout

    Raises
    ------
    ConfigError
        If there is no layout of the name that was asked for.
    DataError
        If most tensors of a network are there and some are not, or the one asked for does not fit.
    """
    if requested is not None:
        if requested not in layouts:
            raise ConfigError(
                f"--layout: expected one of {', '.join(layouts)}, found {requested!r}"
            )
        faults = _faults(layouts[requested], shapes)
        if faults:
            raise DataError(
                f"weights: expected the tensors of {requested}, found {'; '.join(faults)}"
            )
        return layouts[requested]
    nearest, share = None, 0.0
    for layout in layouts.values():
        if not _faults(layout, shapes):
            return layout
        there = {layout.named(name) for name in shapes} & set(layout.axes)
        if len(there) / len(layout.axes) > share:
            nearest, share = layout, len(there) / len(layout.axes)
    if nearest is not None and share >= _NEAR:
        raise DataError(
            f"weights: nearest is {nearest.title}; expected all of its tensors, found "
            f"{'; '.join(_faults(nearest, shapes))}"
        )
    return None


def _faults(layout: Layout, shapes: Mapping[str, Sequence[int]]) -> list[str]:
    """Say what does not fit: missing, further or unlike tensors, another last layer."""
    made = {layout.named(name): tuple(shape) for name, shape in shapes.items()}
    if None in made:
        return ["names without its prefix"]
    if len(made) < len(shapes):
        return ["two tensors of one name"]
    found = {name: shape for name, shape in made.items() if name is not None}
    head = [name for name in layout.axes if name.startswith(HEADS)]
    needed = set(layout.axes) - (set(head) if layout.head_dropped else set())
    counters = {name for name in found if name.endswith(COUNTER)}
    unlike = [n for n, shape in found.items() if len(shape) != layout.axes.get(n, len(shape))]
    faults = [
        *_listed("missing", needed - set(found)),
        *_listed("that the network has not", set(found) - set(layout.axes) - counters),
        *_listed("with another number of axes", unlike),
    ]
    outputs = {found[name][0] for name in head if found.get(name)}
    if layout.head_outputs is not None and outputs and outputs != {layout.head_outputs}:
        faults.append(f"a last layer of {outputs} outputs, not {layout.head_outputs}")
    return faults


def _listed(kind: str, names: Iterable[str]) -> list[str]:
    some = sorted(names)
    if not some:
        return []
    return [f"{len(some)} {kind} ({', '.join(some[:3])}{', …' if len(some) > 3 else ''})"]


# Weights that others stored, made into a file that cannot run code and says where it is from.

NESTED = ("state_dict", "model_state_dict", "model")
"""Names under which training scripts keep the weights, beside an epoch or an optimizer."""

NOT_STATED = "not stated"
PICKLES, KERAS = (".pt", ".pth"), (".h5", ".hdf5")
MAX_BYTES = 4_000_000_000
"""Of a file: the largest network that is published for pictures or clips takes a tenth."""


@dataclass(frozen=True)
class Converted:
    """What became of a file of weights: the key report.

    Attributes
    ----------
    layout, title : str
        As it was recognised; ``as is`` where no layout fits and names are unchanged.
    licence : str
        As the user stated it.
    original, original_sha256 : str
        Name and digest of the file that was converted.
    n_tensors : int
        Written.
    renamed : dict of str to str
        New names by old ones, of those that changed.
    dropped : dict of str to str
        Why each of the others was left out, by old name.
    without_head : bool
        Whether the new file has no last layer, so that a network's own stays as it is.
    """

    layout: str
    title: str
    licence: str
    original: str
    original_sha256: str
    n_tensors: int
    renamed: dict[str, str]
    dropped: dict[str, str]
    without_head: bool


def convert_weights(
    path: Path,
    out: Path,
    *,
    licence: str = NOT_STATED,
    layout: str | None = None,
    further: Mapping[str, Layout] | None = None,
) -> Converted:
    """Copy the tensors of a file of weights into a safetensors file with torchvision's names.

    Parameters
    ----------
    path : Path
        Of ``torch.save``, read with ``weights_only=True``: anything but tensors and plain
        containers is refused. Its state dict stands by itself or under one of `NESTED`. Or the .h5
        file of a Keras DenseNet121, of which only arrays are read.
    out : Path
        The new file is whole or not there. Its metadata hold the key report.
    licence : str
        Under which the weights may be used, in the user's words.
    layout : str, optional
        How tensors are named; without it the names tell. Where none fits they stay as they are.
    further : mapping of str to Layout, optional
        Layouts that come before the core's.

    Raises
    ------
    DataError
        If the file cannot be read so, holds no state dict, or nearly fits a layout.
    ConfigError
        If there is no such layout.
    """
    from safetensors.torch import save_file

    state = _read(path)
    layouts = {**(further or {}), **LAYOUTS}
    try:
        found = recognise({name: value.shape for name, value in state.items()}, layout, layouts)
    except DataError as error:
        raise DataError(f"{path.name}: {error}", code=error.code) from error
    retained, dropped = _renamed(state, found)
    report = Converted(
        found.name if found else "as is",
        found.title if found else "no layout known here; names as they are",
        licence,
        path.name,
        file_digest(path),
        len(retained),
        {old: new for old, new in retained.items() if old != new},
        dropped,
        bool(found) and not any(new.startswith(HEADS) for new in retained.values()),
    )
    # Views of one storage are written apart: the format stores no tensor twice in one place.
    tensors = {new: state[old].detach().clone().contiguous() for old, new in retained.items()}
    fields = {name: value if isinstance(value, str) else json.dumps(value)
            for name, value in asdict(report).items()}  # fmt: skip
    with replacing(out) as temporary:
        save_file(tensors, str(temporary), metadata={"format": "pt"} | fields)
    return report


def _renamed(
    state: Mapping[str, torch.Tensor], layout: Layout | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the new names of what is kept, and why the rest is not, both by old names."""
    if layout is None:
        return {name: name for name in state}, {}
    names = {name: layout.named(name) or name for name in state}
    if not layout.head_dropped:
        return names, {}
    dropped = {old: layout.head_dropped for old, new in names.items() if new.startswith(HEADS)}
    return {old: new for old, new in names.items() if old not in dropped}, dropped


def _read(path: Path) -> dict[str, torch.Tensor]:
    suffix = path.suffix.lower()
    if suffix not in (*PICKLES, *KERAS):
        raise ConfigError(
            f"{path.name}: expected a .pt or .pth file, or the .h5 of a Keras DenseNet121, found "
            f"{suffix or 'none'}"
        )
    if not path.is_file():
        raise DataError(f"{path}: expected a file of weights, found none")
    if path.stat().st_size > MAX_BYTES:
        raise DataError(
            f"{path.name}: expected at most {MAX_BYTES / 1e9:g} GB of weights, found "
            f"{path.stat().st_size / 1e9:.1f} GB; take a file without the optimizer"
        )
    if suffix in KERAS:
        try:
            return keras_state(read_keras(path, MAX_BYTES))
        except DataError as error:
            where = "" if str(error).startswith(path.name) else f"{path.name}: "
            message = f"{where}{error}; of a Keras ResNet take the PyTorch file"
            raise DataError(message, code=error.code) from error
    return _state_of(_unpickled(path), path.name)


class _WithinItself(io.BufferedReader):
    """A file that is never asked for more bytes than it has.

    A pickle says how long a text is before it: in a damaged one that is gigabytes, and Python makes
    room for them before it finds that they are not there. What is claimed for the tensors is
    compared with the file by torch, before it is written to.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._n_bytes = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, or as many as are left."""
        left = max(self._n_bytes - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left))


def _unpickled(path: Path) -> Any:
    require_fitting([path])  # members of a new file may be packed
    try:
        with _WithinItself(path) as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds: of pickle, of zip, its own
        why = " ".join(str(error).split())[:120]
        raise DataError(
            f"{path.name}: expected weights that torch.load reads with weights_only=True, found "
            f"others ({type(error).__name__}: {why}); ask their authors for a plain state dict"
        ) from error


def _state_of(loaded: Any, name: str) -> dict[str, torch.Tensor]:
    if isinstance(loaded, Mapping):
        nested = (loaded[key] for key in NESTED if isinstance(loaded.get(key), Mapping))
        state = next(nested, loaded)
        other = [key for key, value in state.items() if not isinstance(value, torch.Tensor)]
        if state and not other:
            return {str(key): value for key, value in state.items()}
        found = f"{len(other)} entries that are none ({', '.join(map(str, other[:3]))})"
        found = found if other else "an empty one"
    else:
        found = f"a {type(loaded).__name__}"
    raise DataError(
        f"{name}: expected a state dict of tensors, by itself or under {', '.join(NESTED)}, "
        f"found {found}"
    )


# Layouts of weights that a plugin lends, said as plain data.

TOOL = "weight_layouts"
"""The tool of `PluginInfo.tools`: a function without arguments that returns them in a list."""


def layout_of(fields: Mapping[str, Any], plugin: str) -> Layout:
    """Return a layout that a plugin says as a mapping.

    Parameters
    ----------
    fields : mapping
        ``name``, ``title``, and the fields of `Layout`; ``axes`` is a mapping, or the name of a
        network of the core.
    plugin : str
        For messages.

    Raises
    ------
    PluginError
        If fields are missing or unknown.

    Examples
    --------
    >>> fields = {"name": "our_resnet50", "title": "ours", "axes": "resnet50", "prefix": "net[.]"}
    >>> layout_of(fields, "ppg").named("net.conv1.weight")
    'conv1.weight'
    """
    axes = fields.get("axes")
    try:
        if isinstance(axes, str):
            fields = {**fields, "axes": NETWORKS[axes]()}
        return Layout(**fields)
    except (KeyError, TypeError) as error:
        raise PluginError(
            f"plugin {plugin}: {TOOL}: expected the fields of a layout, with axes as a mapping or "
            f"one of {', '.join(NETWORKS)}, found another ({error})"
        ) from error
