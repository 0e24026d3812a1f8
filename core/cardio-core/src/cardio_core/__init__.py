"""cardio-core: hooks, evaluation and orchestration for cardiac modality models.

From Python, as from the command line::

    import cardio_core as cardio

    run = cardio.run("ecg_transfer", config="smoke")
    run = cardio.open("runs/first")
    cardio.measure("ecg_transfer", "recordings")
    cardio.plugins()

Names are resolved when they are first used; importing the package imports nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardio_core.runs import Run as Run
    from cardio_core.runs import make_run as run
    from cardio_core.runs import measure as measure
    from cardio_core.runs import open_run as open  # noqa: A004
    from cardio_core.runs import plugins as plugins

_HOMES = {
    "Run": "Run", "run": "make_run", "open": "open_run", "measure": "measure",
    "plugins": "plugins",
}  # fmt: skip

__all__ = ["Run", "measure", "open", "plugins", "run"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cardio_core import runs

    return getattr(runs, _HOMES[name])


def __dir__() -> list[str]:
    """List the lazily resolved names, too."""
    return sorted({*globals(), *__all__})
