"""Compare runs and tables of predictions on the patients whom all of them predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from cardio_core.errors import ConfigError
from cardio_core.studies.given import Question
from cardio_core.studies.pairs import compare_pairs
from cardio_core.studies.sources import shared
from cardio_core.studies.writing import guard, manifest_of, settings, write_page
from cardio_core.types.notes import Note, NoteKind


def compare_sources(
    paths: Sequence[str],
    asked: Question,
    out: Path,
    *,
    threshold: float | None = None,
    level: float = 0.95,
    seed: int = 0,
    command: Sequence[str] = (),
) -> tuple[Path, pd.DataFrame]:
    """Write the page of several runs or tables, compared in pairs.

    Parameters
    ----------
    paths : sequence of str
        Finished runs, or tables of predictions; ``LABEL=PATH`` names one.
    asked : Question
        Outcome, event, scores and patient, where they have to be said.
    out : Path
        A new or empty folder, or one that this wrote from the same sources.
    threshold : float, optional
        Probability from which one would act, strictly between 0 and 1.
    level : float
    seed : int
    command : sequence of str

    Returns
    -------
    Path
        Of ``report.html``.
    DataFrame
        Who is in which source.

    Raises
    ------
    ConfigError, DataError
        In one line; see `shared`.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise ConfigError(f"--threshold {threshold:g}: expected a probability between 0 and 1")
    found = shared(paths, asked)
    guard(out, found.digest)
    config = settings(found.given, level)
    more, differences = compare_pairs(found.given, config, threshold, seed)
    about = manifest_of(
        found.given, out, shown=found.shown, digest=found.digest, primary=None, seed=seed,
        command=command,
    )  # fmt: skip
    missing = found.who["not in another source"]
    note = (
        "All sources hold the same patients."
        if not missing.any()
        else f"Compared are the {int(found.who['compared'].iloc[0])} patients whom all sources "
        "predicted; who is missing where stands in the table."
    )
    page = write_page(
        found.given, out, about, config=config, seed=seed, adjusted=differences,
        notes=[Note(NoteKind.TABLE, note)],
        more=replace(more, tables={"who-is-where": found.who}),
    )  # fmt: skip
    return page, found.who
