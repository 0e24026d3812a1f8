"""What somebody asked for: everything that the command line can say about a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cardio_core.runner.plugin_options import NOTHING_GIVEN, Given

Protocols = Literal["both", "paper", "honest"]


@dataclass(frozen=True)
class RunRequest:
    """One request for a run; the fields are the options of `cardio run`.

    `given` is what was said with options that the plugin's task brings.
    `for_need` marks a run that another run makes first: of a configuration file it takes only what
    the file says of its own task. `same_as` is a finished run that is repeated: data and settings
    must be those that it was made from.
    """

    plugin: str
    task: str | None = None
    data: tuple[Path, ...] = ()
    config: str | None = None
    sets: tuple[str, ...] = ()
    needs_from: Mapping[str, Path] = field(default_factory=dict)
    protocol: Protocols = "both"
    device: str = "auto"
    n_devices: int = 1
    precision: str = "32"
    seed: int = 0
    executor: str = "local"
    out: Path | None = None
    resume: bool = False
    strict: bool = False
    smoke: bool = False
    dry_run: bool = False
    command: str = ""
    for_need: bool = False
    outcome: str | None = None
    positive: str | None = None
    primary: str | None = None
    covariates: tuple[str, ...] = ()
    given: Given = NOTHING_GIVEN
    track: str | None = None
    same_as: Path | None = None

    def settings(self) -> dict[str, Any]:
        """Return the options that stand for settings, as a tree of the configuration."""
        outcome = {"column": self.outcome, "positive": self.positive}
        asked = {key: value for key, value in outcome.items() if value is not None}
        tree: dict[str, Any] = {"outcome": asked} if asked else {}
        if self.primary is not None:
            tree["primary"] = self.primary
        if self.covariates:
            tree["covariates"] = list(self.covariates)
        return tree
