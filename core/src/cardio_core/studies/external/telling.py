"""The answer of an external validation in the terminal: the sentences at the head of its page."""

from __future__ import annotations

from pathlib import Path

from cardio_core.io.run_artifact import read_artifact
from cardio_core.report.told.answer import answer


def told(out: Path) -> list[str]:
    """Return what was asked, what was found, and what stands in its way."""
    said = answer(read_artifact(out))
    return [said.asked, *said.found, *(f"- {one}" for one in (*said.warnings, *said.more))]
