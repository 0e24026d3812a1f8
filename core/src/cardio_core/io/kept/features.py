"""What describes a patient's stored features."""

from __future__ import annotations

from typing import Any

from cardio_core.io.kept.kind import Entries, Kind, Name


class BlockForm(Entries):
    """One block: its axes, names, units, and how stored numbers become values."""

    axes: list[str]
    names: list[str]
    units: list[str]
    scale: float
    offset: float
    extents: dict[str, list[Any]]
    titles: list[str] | None = None


BLOCKS = Kind("what the features are", dict[Name, BlockForm])
