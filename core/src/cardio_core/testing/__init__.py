"""The contract of plugins, for their authors; a plugin that passes it works in the core.

`check_plugin` gives a verdict of every check, as ``cardio plugins check`` does. With pytest,
`PluginContract` and `PluginTruth` are the same checks as classes; nothing else here needs it.

>>> from cardio_core.testing import PluginContract, PluginTruth
>>> class TestContract(PluginContract):
...     plugin = "ecg_transfer"
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardio_core.testing.calling import Said as Said
    from cardio_core.testing.calling import call_cardio as call_cardio
    from cardio_core.testing.case import Sizes as Sizes
    from cardio_core.testing.checking import check_plugin as check_plugin
    from cardio_core.testing.contract import PluginContract as PluginContract
    from cardio_core.testing.contract import PluginTruth as PluginTruth
    from cardio_core.testing.driving import drawn_svg as drawn_svg
    from cardio_core.testing.driving import run_plugin as run_plugin
    from cardio_core.testing.driving import training_context as training_context
    from cardio_core.testing.searching import Canaries as Canaries
    from cardio_core.testing.verdict import Verdict as Verdict

_HOME = {
    "Canaries": "searching",
    "PluginContract": "contract",
    "PluginTruth": "contract",
    "Said": "calling",
    "Sizes": "case",
    "Verdict": "verdict",
    "call_cardio": "calling",
    "check_plugin": "checking",
    "drawn_svg": "driving",
    "run_plugin": "driving",
    "training_context": "driving",
}

__all__ = sorted(_HOME)

if not TYPE_CHECKING:  # so that a misspelt name is an error in an author's editor

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(
                f"cardio_core.testing has no {name!r}; it offers {', '.join(__all__)}"
            )
        return getattr(import_module(f"cardio_core.testing.{_HOME[name]}"), name)
