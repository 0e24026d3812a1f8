"""In which ways others name the tensors of a network, and how torchvision's names come of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cardio_core.errors import ConfigError, DataError
from cardio_core.training.foreign.networks import COUNTER, HEADS, NETWORKS, Axes

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
        >>> LAYOUTS["echonet_cmr"].named("m.stem.0.weight")
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
        "echonet_cmr",
        'R(2+1)D-18 released with the echo to CMR paper (names behind "m.")',
        _axes("r2plus1d_18"),
        r"m\.",
    ),
    Layout(
        "echonet_dynamic",
        'R(2+1)D-18 of EchoNet-Dynamic (names behind "module.", one output)',
        _axes("r2plus1d_18"),
        r"module\.",
        head_dropped="it predicts EchoNet-Dynamic's own quantity (LVEF in %)",
        head_outputs=1,
    ),
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

_ASKED = 0.5


def recognise(
    shapes: Mapping[str, Sequence[int]], asked: str | None, layouts: Mapping[str, Layout]
) -> Layout | None:
    """Return the layout that fits the names of some tensors; None where none comes near.

    Parameters
    ----------
    shapes : mapping of str to sequence of int
        Of every tensor, by its name in the file.
    asked : str or None
        Name of a layout; None takes the first that fits.
    layouts : mapping of str to Layout

    Raises
    ------
    ConfigError
        If there is no layout of the name that was asked for.
    DataError
        If most tensors of a network are there and some are not, or the one asked for does not fit.
    """
    if asked is not None:
        if asked not in layouts:
            raise ConfigError(f"--layout: expected one of {', '.join(layouts)}, found {asked!r}")
        faults = _faults(layouts[asked], shapes)
        if faults:
            raise DataError(f"weights: expected the tensors of {asked}, found {'; '.join(faults)}")
        return layouts[asked]
    nearest, share = None, 0.0
    for layout in layouts.values():
        if not _faults(layout, shapes):
            return layout
        there = {layout.named(name) for name in shapes} & set(layout.axes)
        if len(there) / len(layout.axes) > share:
            nearest, share = layout, len(there) / len(layout.axes)
    if nearest is not None and share >= _ASKED:
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
