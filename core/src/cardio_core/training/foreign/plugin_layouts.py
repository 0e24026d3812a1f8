"""Layouts of weights that a plugin lends, said as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cardio_core.errors import PluginError
from cardio_core.training.foreign.layouts import Layout
from cardio_core.training.foreign.networks import NETWORKS

TOOL = "weight_layouts"
"""The tool of `PluginInfo.tools`: a function without arguments that returns them in a list."""


def layout_of(said: Mapping[str, Any], plugin: str) -> Layout:
    """Return a layout that a plugin says as a mapping.

    Parameters
    ----------
    said : mapping
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
    >>> said = {"name": "our_resnet50", "title": "ours", "axes": "resnet50", "prefix": "net[.]"}
    >>> layout_of(said, "ppg").named("net.conv1.weight")
    'conv1.weight'
    """
    axes = said.get("axes")
    try:
        if isinstance(axes, str):
            said = {**said, "axes": NETWORKS[axes]()}
        return Layout(**said)
    except (KeyError, TypeError) as error:
        raise PluginError(
            f"plugin {plugin}: {TOOL}: expected the fields of a layout, with axes as a mapping or "
            f"one of {', '.join(NETWORKS)}, found another ({error})"
        ) from error
