"""Who works on a run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cardio_core.io.kept.kind import Entries, Kind


class HolderForm(Entries):
    """The process that holds a run directory."""

    process: Annotated[int, Field(gt=0, lt=2**31)]
    host: str
    space: str
    began: str
    token: str


HOLDER = Kind("who works on the run", HolderForm, most_bytes=1 << 16)
