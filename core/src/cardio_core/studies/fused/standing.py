"""A fusion opened again, whose members have to be where they were, and what they were."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio_core.errors import ConfigError
from cardio_core.evaluation.decision import Decision
from cardio_core.evaluation.fusion.rule import FusionRule
from cardio_core.io.run_artifact import require_whole
from cardio_core.runner.fitting.fuse import open_fusion
from cardio_core.runner.fitting.stored import open_decisions
from cardio_core.runner.manifest import Manifest
from cardio_core.studies.fused.members import BOTH, FUSION, finished
from cardio_core.studies.fused.places import digests_of
from cardio_core.types.info import Target


@dataclass(frozen=True)
class MemberRun:
    """A member of a finished fusion.

    Attributes
    ----------
    label : str
    run : Path
    model : str
        Which of the run's models is fused.
    target : str
        What the run calls the outcome.
    event : str
        What the run calls the class that counts.
    everybody : bool
        Whether every patient of the fusion had it.
    """

    label: str
    run: Path
    model: str
    target: str
    event: str
    everybody: bool


@dataclass(frozen=True)
class FusedRun:
    """A finished fusion.

    Attributes
    ----------
    folder : Path
    manifest : mapping
    target : Target
    members : mapping of str to MemberRun
    rules : mapping of str to FusionRule
        Final weights of the fused models.
    """

    folder: Path
    manifest: Mapping[str, Any]
    target: Target
    members: Mapping[str, MemberRun]
    rules: Mapping[str, FusionRule]

    def decision(self, model: str) -> Decision | None:
        """Return the final threshold of one of the fusion's own models."""
        folder = self.folder / "models" / "final" / model
        if not (folder / "chosen.json").is_file():
            return None
        return open_decisions(folder, (self.target,)).get(self.target.name)


def open_fused(folder: Path) -> FusedRun:
    """Open a finished fusion whose members are what they were.

    Raises
    ------
    ConfigError
        In one line: not finished, of another cardio-core, or a member was moved or changed since.
    """
    manifest = Manifest.open(folder).content
    if manifest.get("status") != "done":
        raise ConfigError(f"{folder}: this fusion is not finished; fuse again")
    require_whole(manifest, folder / "manifest.json")
    one = manifest["targets"][0]
    target = Target(one["name"], one["kind"], tuple(one["classes"]))
    n = int(manifest["data"]["n_patients"])
    members = {row["label"]: _member(folder, row, n) for row in manifest["members"]}
    final = folder / "models" / "final"
    rules = {
        name: open_fusion(final / name, target)
        for name in (FUSION, BOTH)
        if (final / name).is_dir()
    }
    return FusedRun(folder, manifest, target, members, rules)


def _member(folder: Path, row: Mapping[str, Any], n: int) -> MemberRun:
    run, label = Path(os.path.normpath(folder / row["run"])), row["label"]
    if not (run / "manifest.json").is_file():
        raise ConfigError(
            f"{label}: its run is not at {run} any more; put it back there, or fuse again"
        )
    finished(run)
    now = digests_of(run)
    for what, words in (
        ("final_digest", "final models"), ("predictions_digest", "predictions"),
    ):  # fmt: skip
        if now[what] != row[what]:
            raise ConfigError(
                f"{label}: the {words} of {run} changed since they were fused; fuse again"
            )
    return MemberRun(
        label, run, row["model"], row["target"], row["event"], int(row["n_patients"]) == n
    )
