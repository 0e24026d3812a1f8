"""Fuse finished runs: from their names to a run of its own, with its page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.config import EvaluateBlock
from cardio_core.errors import ConfigError
from cardio_core.io.atomic import whole_directory
from cardio_core.io.hashing import digest, file_digest
from cardio_core.runner.manifest import Manifest
from cardio_core.studies.fused.clinical import Clinical, read_clinical
from cardio_core.studies.fused.fitting import fit
from cardio_core.studies.fused.folds import shared_folds
from cardio_core.studies.fused.joining import Joined, join
from cardio_core.studies.fused.members import open_members
from cardio_core.studies.fused.places import place_of
from cardio_core.studies.fused.writing import Made, write

RESAMPLES = 2000


@dataclass(frozen=True)
class Against:
    """What a fusion is held against beyond its members.

    Attributes
    ----------
    table : Path or None
        A cohort table of the same patients.
    covariates : sequence of str
        Its columns that the clinical model takes.
    guideline : str or None
        Its column of yes and no.
    """

    table: Path | None = None
    covariates: Sequence[str] = ()
    guideline: str | None = None

    def read(self, joined: Joined) -> Clinical | None:
        """Return the clinical variables of the patients, None where none are asked for."""
        if self.table is None:
            named = "--covariates" if self.covariates else "--guideline"
            if self.covariates or self.guideline:
                raise ConfigError(f"{named}: expected --clinical TABLE beside it, found none")
            return None
        if not self.covariates and not self.guideline:
            raise ConfigError(
                f"--clinical {self.table}: expected --covariates or --guideline beside it, found "
                "neither"
            )
        return read_clinical(
            self.table, self.covariates, self.guideline, joined.patients.index, joined.target
        )


def fuse_runs(
    texts: Sequence[str],
    out: Path,
    *,
    against: Against | None = None,
    outcome: str | None = None,
    level: float = 0.95,
    seed: int = 0,
    n_resamples: int | None = None,
    command: Sequence[str] = (),
) -> tuple[Path, list[str]]:
    """Fuse runs by patient, cross-validated, and write a run of its own.

    Parameters
    ----------
    texts : sequence of str
        Two finished runs or more: ``[LABEL=]RUN[:MODEL]``.
    out : Path
        A new or empty folder, or one that this wrote from the same.
    against : Against, optional
    outcome : str, optional
        Target of runs that have several.
    level : float
        Of the intervals.
    seed : int
        Of new folds and of every resampling.
    n_resamples : int, optional
        2000 without.
    command : sequence of str
        As typed, for the page.

    Returns
    -------
    Path
        Of ``report.html``.
    list of str
        What the user is told.

    Raises
    ------
    ConfigError, DataError
        In one line; nothing is written then.
    """
    against, n_resamples = against or Against(), n_resamples or RESAMPLES
    members = open_members(texts, outcome)
    joined = join(members)
    clinical = against.read(joined)
    places = [place_of(one, out) for one in joined.members]
    settings = (level, seed, n_resamples, list(against.covariates), against.guideline)
    table = file_digest(against.table) if against.table and against.table.is_file() else None
    made_of = digest([places, table, settings])
    guard(out, made_of)
    folds = shared_folds(joined, seed=seed)
    config = EvaluateBlock(level=level, n_resamples=n_resamples)

    def fill(folder: Path) -> list[str]:
        fitted = fit(joined, folds, clinical, folder)
        made = Made(joined, folds, fitted, clinical, config, seed)
        return write(folder, made, places, name=out.name, digest=made_of, command=command)

    said = whole_directory(out, fill)
    return out / "report.html", [*joined.notes, folds.said, *said]


def guard(out: Path, made_of: str) -> None:
    """Refuse a folder that holds anything but an earlier fusion of the same.

    Raises
    ------
    ConfigError
    """
    if not out.exists():
        above = next(one for one in out.resolve().parents if one.exists())
        if not os.access(above, os.W_OK):
            raise ConfigError(f"--out {out}: nothing may be written there; name another folder")
        return
    if not out.is_dir():
        raise ConfigError(f"--out {out}: is a file; name a folder")
    if not any(out.iterdir()):
        return
    if (out / "manifest.json").is_file():
        content = Manifest.open(out, complete=False).content
        if content.get("kind") == "fused" and content["data"].get("digest") == made_of:
            return
    raise ConfigError(f"--out {out}: holds something else; name a new folder")
