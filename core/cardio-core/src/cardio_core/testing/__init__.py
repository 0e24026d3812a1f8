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
    from cardio_core.testing.case import Sizes as Sizes
    from cardio_core.testing.case import Verdict as Verdict
    from cardio_core.testing.checking import check_plugin as check_plugin
    from cardio_core.testing.contract import PluginContract as PluginContract
    from cardio_core.testing.contract import PluginTruth as PluginTruth
    from cardio_core.testing.driving import Said as Said
    from cardio_core.testing.driving import call_cardio as call_cardio
    from cardio_core.testing.driving import drawn_svg as drawn_svg
    from cardio_core.testing.driving import run_plugin as run_plugin
    from cardio_core.testing.driving import training_context as training_context
    from cardio_core.testing.searching import Canaries as Canaries

_HOMES = {
    "cardio_core.testing.case": (
        "Sizes",
        "Verdict",
    ),
    "cardio_core.testing.checking": ("check_plugin",),
    "cardio_core.testing.contract": (
        "PluginContract",
        "PluginTruth",
    ),
    "cardio_core.testing.driving": (
        "Said",
        "call_cardio",
        "drawn_svg",
        "run_plugin",
        "training_context",
    ),
    "cardio_core.testing.searching": ("Canaries",),
}
"""The public names, by the module that each lives in."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            offered = ", ".join(__all__)
            raise AttributeError(f"{__name__} has no {name!r}; it offers {offered}")
        home = import_module(_HOME_OF[name])
        globals()[name] = value = getattr(home, name, None) or import_module(
            f"{home.__name__}.{name}"
        )
        return value


def __dir__() -> list[str]:
    return __all__
