"""A fitted model as a directory with a digest; never a live object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ModelArtifact:
    """What `train` leaves behind.

    Attributes
    ----------
    path : Path
        Directory with the fitted thing: safetensors + JSON for networks, skops for scikit-learn.
    best_epoch : int or None
        1-based epoch that validation preferred; the core takes it from the inner folds and asks
        the refit for as many. None where there are no epochs.
    notes : tuple of str
        What a reader of the report should know of this fit.
    """

    path: Path
    best_epoch: int | None = None
    notes: tuple[str, ...] = ()
    seen: tuple[str, ...] = field(default=())

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file into the artifact."""
        text = json.dumps(dict(content), indent=2, sort_keys=True)
        (self.path / name).write_text(text + "\n", encoding="utf-8")

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a JSON file of the artifact."""
        loaded: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        return loaded
