"""Everything that reads a file of somebody else's, with valid files to damage."""

from __future__ import annotations

from ..cases import Reader


def readers() -> dict[str, Reader]:
    """Return all of them by name; imports the plugins."""
    from . import commands, ecg, loops, models, nuclear, runs, tables

    parts = (ecg, nuclear, loops, tables, models, commands, runs)
    return {one.name: one for part in parts for one in part.READERS}
