"""The contract of plugins, for their authors; a plugin that passes it works in the core.

`check_plugin` gives a verdict of every check, as ``cardio plugins check`` does. With pytest,
`PluginContract` and `PluginTruth` are the same checks as classes; `refuses` is for errors.

>>> from cardio_core.testing import PluginContract, PluginTruth
>>> class TestContract(PluginContract):
...     plugin = "ecg_transfer"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_stats._lazy import offer

if TYPE_CHECKING:
    from cardio_core.testing.case import Sizes as Sizes
    from cardio_core.testing.case import Verdict as Verdict
    from cardio_core.testing.checking import check_plugin as check_plugin
    from cardio_core.testing.contract import PluginContract as PluginContract
    from cardio_core.testing.contract import PluginTruth as PluginTruth
    from cardio_core.testing.driving import Result as Result
    from cardio_core.testing.driving import call_cardio as call_cardio
    from cardio_core.testing.driving import drawn_svg as drawn_svg
    from cardio_core.testing.driving import every_command as every_command
    from cardio_core.testing.driving import run_plugin as run_plugin
    from cardio_core.testing.driving import training_context as training_context
    from cardio_core.testing.refusals import names as names
    from cardio_core.testing.refusals import refuses as refuses
    from cardio_core.testing.searching import Canaries as Canaries

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker
    __getattr__, __dir__, __all__ = offer(__name__)
