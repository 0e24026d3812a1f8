"""A living display, on a terminal: a bar, the time left, and what each worker is doing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from cardio_core.runner.progress.look import Stage

_SHOWN = 6


def on_a_terminal() -> bool:
    """Say whether somebody is looking who can be shown something that moves.

    A display cannot move without escape sequences, so that who sets ``NO_COLOR`` gets plain lines.
    """
    import os

    able = os.environ.get("TERM", "") not in ("", "dumb") and not os.environ.get("NO_COLOR")
    return able and sys.stderr.isatty()


class Living:
    """Shows the present stage at the bottom of the terminal; lines that are said stand above it.

    `look` returns the present stage and the names of those that come; None shows nothing.
    """

    def __init__(self, look: Callable[[], tuple[Stage | None, tuple[str, ...]]]) -> None:
        self._look = look
        self._live: Any = None

    def start(self) -> None:
        """Begin to show it."""
        from rich.console import Console
        from rich.live import Live

        self._live = Live(
            get_renderable=self._drawn,
            console=Console(stderr=True, highlight=False),
            refresh_per_second=4,
            transient=True,
            # A line for a file must reach the file.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._live.start()

    def said(self) -> None:
        """Do nothing: a line that is said stands above the display."""

    def stop(self) -> None:
        """Take the display away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _drawn(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        stage, coming = self._look()
        if stage is None:
            return Text("")
        row = Table.grid(padding=(0, 2))
        cells: list[Any] = [Text(stage.what, style="bold")]
        if stage.total:
            cells.append(ProgressBar(stage.total, stage.done, width=24))
            cells.append(Text(stage.counted()))
        if left := stage.time_left():
            cells.append(Text(left, style="cyan"))
        row.add_row(*cells)
        now = stage.now()
        more = [f"and {len(now) - _SHOWN} more"] if len(now) > _SHOWN else []
        under = [Text(f"  {text}", style="dim") for text in (*now[:_SHOWN], *more)]
        then = [Text(f"  then {', '.join(coming)}", style="dim")] if coming else []
        return Group(row, *under, *then)
