"""The core's own model of clinical variables, opened as if it were a plugin's."""

from __future__ import annotations

from importlib import metadata

import pluggy

from cardio_core import hookspecs
from cardio_core.evaluation.patients import clinical_model
from cardio_core.registry import Plugin
from cardio_core.types.info import PluginInfo


def open_clinical() -> Plugin:
    """Return the hooks `train` and `predict` of the clinical model, to be called like a plugin's.

    Examples
    --------
    >>> open_clinical().info.name
    'cardio-core'
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(clinical_model, "clinical variables")
    info = PluginInfo("cardio-core", "Clinical variables", ())
    return Plugin(info, clinical_model, manager, "cardio-core", metadata.version("cardio-core"))
