"""What there is to see at one moment: the stage, its pieces, what is under way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cardio_core.stats.foundation.watching import duration, roughly

UnderWay = Callable[[], tuple[str, ...]]
Left = Callable[[], float | None]


@dataclass
class Stage:
    """One stage of a command, as far as it has come.

    `what` it is, `unit` are its pieces ("patients"), `total` how many there are (0: not counted),
    `doing` what is done now, `under_way` returns what is under way elsewhere, `left` the seconds
    left or None.
    """

    what: str
    began: float
    unit: str = ""
    total: int = 0
    done: int = 0
    doing: str = ""
    under_way: UnderWay = field(default=tuple)
    left: Left = field(default=lambda: None)

    def counted(self) -> str:
        """Return ``"12 of 72 fits"``."""
        return f"{self.done} of {self.pieces()}" if self.total else ""

    def pieces(self) -> str:
        """Return ``"72 fits"``, or ``"1 fit"``; the number alone where the stage is its pieces."""
        return (
            f"{self.total} {self.unit.removesuffix('s') if self.total == 1 else self.unit}".strip()
        )

    def time_left(self) -> str:
        """Return ``"about 40 s left"``, empty where it is not known."""
        left = self.left()
        return "" if left is None or left < 2 else f"about {roughly(left)} left"

    def now(self) -> tuple[str, ...]:
        """Return what is being done, one text for each worker."""
        return self.under_way() or ((self.doing,) if self.doing else ())

    def line(self) -> str:
        """Return all of it in one line."""
        facts = ", ".join(filter(None, (self.counted(), self.time_left())))
        now = self.now()
        doing = now[0] + (f" (and {len(now) - 1} more)" if len(now) > 1 else "") if now else ""
        if facts and doing:
            facts += "; now "
        told = f"{self.what}: {facts}{doing}" if facts or doing else self.what
        if not self.total and (so_far := time.monotonic() - self.began) >= 5:
            told += f" ({duration(so_far)} so far)"
        return told
