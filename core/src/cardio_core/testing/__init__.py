"""The contract suite for authors of plugins; a plugin that passes it works in the core.

>>> from cardio_core.testing import PluginContract, PluginTruth
>>> class TestContract(PluginContract):
...     plugin = "ecg_transfer"
"""

from cardio_core.testing.alone import drawn_svg, training_context
from cardio_core.testing.contract import PluginContract, PluginTruth
from cardio_core.testing.driving import run_plugin

__all__ = ["PluginContract", "PluginTruth", "drawn_svg", "run_plugin", "training_context"]
