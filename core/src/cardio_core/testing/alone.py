"""What a plugin's tests need to call one of its hooks alone, and to look at a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from cardio_core.context import Context
    from cardio_core.types.info import Task


def training_context(task: Task, model: str, out: Path | None = None, **others: Any) -> Context:
    """Return the context in which `train` fits one model of one fold on the CPU.

    Parameters
    ----------
    task : Task
        What is being predicted.
    model : str
        Which of its models.
    out : Path, optional
        The directory that `train` fills.
    **others
        More of `Context`'s attributes.

    Examples
    --------
    >>> from cardio_core.api import Model, Target, Task
    >>> task = Task("t", "A task", "study", (Target("y", "binary", ("no", "yes")),),
    ...             (Model("m", "A model"),))
    >>> ctx = training_context(task, "m", seed=3)
    >>> ctx.model, ctx.hook, ctx.seed, ctx.device.kind
    ('m', 'train', 3, 'cpu')
    """
    from cardio_core.compute.devices import choose_device
    from cardio_core.context import Context

    places: dict[str, Any] = {"hook": "train", "protocol": "honest", "fold": "r0-f0", "_out": out}
    return Context(task, model=model, device=choose_device("cpu"), **(places | others))


def drawn_svg(draw: Callable[[Figure], None]) -> str:
    """Return a figure of a report as the report would hold it.

    Examples
    --------
    >>> "a word" in drawn_svg(lambda figure: figure.text(0.5, 0.5, "a word") and None)
    True
    """
    from cardio_core.report.figures import svg_text

    return svg_text(draw)
