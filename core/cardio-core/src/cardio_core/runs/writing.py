"""A run directory that a study fills: held meanwhile, resumed or begun anew, published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.evaluation.patients import TableOne
from cardio_core.io.places import keep_places
from cardio_core.io.run_artifact import SCHEMA, RunKind
from cardio_core.registry.diagnostics import version_at_start
from cardio_core.report.panels import Panel, write_panels
from cardio_core.runner.evaluate import Draw, shown_entries, write_csv, write_figures, write_tables
from cardio_core.runner.filling import filling, state_of
from cardio_core.runner.manifest import Manifest, first_entries, now
from cardio_core.runner.progress import Echo
from cardio_core.types.info import Task
from cardio_core.types.notes import Note
from cardio_core.types.predictions import Scored
from cardio_core.types.report import EvaluationReport
from cardio_stats.files import SafeName, file_in, write_json, write_text

_ANEW = (RunKind.JUDGED, RunKind.FUSED)
"""Kinds that are written over where they are finished: the same input gives the same files."""


class RunWriter:
    """A run directory while a command fills it; see `write_run`.

    Attributes
    ----------
    folder : Path
    manifest : Manifest
        Its entries: `update`, `stage` and `content`.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.folder = manifest.path.parent

    def json(self, name: str | Path, value: Any) -> None:
        """Write a file of the folder as JSON."""
        write_json(self.folder / name, value)

    def text(self, name: str | Path, text: str) -> None:
        """Write a file of the folder."""
        write_text(self.folder / name, text)

    def keep_places(self, **places: Any) -> None:
        """Keep places of this machine, readable for the owner alone."""
        keep_places(self.folder, **places)

    def predictions(self, protocol: str, scored: Scored, task: Task) -> None:
        """Write ``predictions.csv``."""
        write_csv(self.folder / "predictions.csv", {protocol: scored}, task)

    def publish(
        self,
        metrics: Sequence[Mapping[str, Any]],
        notes: Sequence[Note],
        tables: Mapping[str, pd.DataFrame],
        figures: Mapping[str, Draw],
        *,
        table_one: TableOne | None = None,
        protocol: str = "",
    ) -> Path:
        """Write metrics, tables, figures and the page, and finish the folder.

        Parameters
        ----------
        metrics : sequence of mapping
            Rows of ``metrics.json``.
        notes : sequence of Note
            Equal ones are kept once; figures that cannot be drawn add to them.
        tables, figures : mapping of str
            By the names of their files. Tables without a row are left out.
        table_one : TableOne, optional
        protocol : str
            Of all tables and figures; it begins their files' names.

        Returns
        -------
        Path
            Of ``report.html``.
        """
        from cardio_core.report.page import build_report

        self.json("metrics.json", metrics)
        shown = {name: table for name, table in tables.items() if len(table)}
        if table_one is not None:
            shown["table1"] = table_one.frame
            self.manifest.update(table1=table_one.about)
        prefix = f"{protocol}-" if protocol else ""
        report = EvaluationReport(tables=shown, figures=figures)
        self.manifest.update(shown=shown_entries(report, protocol))
        write_tables(self.folder, shown, prefix)
        every = dict.fromkeys([*notes, *write_figures(self.folder, figures, prefix)])
        self.manifest.close(build_report, notes=[note.to_dict() for note in every])
        return self.folder / "report.html"

    def publish_panels(
        self, panels: Sequence[Panel], *, title: str, about: Sequence[str], synthetic: bool
    ) -> Path:
        """Write the tables, figures and the page of some panels, and finish the folder.

        `about` are facts above the title; the day is added.
        """
        from cardio_stats.figures import svg_text

        drawn: dict[str, str] = {}
        for panel in panels:
            write_tables(self.folder, panel.tables)
            for name, drawing in panel.figures.items():
                drawn[name] = svg_text(drawing)
                write_text(file_in(self.folder, "figures", SafeName(name, ".svg")), drawn[name])
        found = {panel.key: list(panel.found) for panel in panels}
        self.json("found.json", found)
        page = write_panels(
            self.folder / "report.html", panels, drawn, title=title, about=[*about, now()[:10]],
            command=self.manifest.command, synthetic=synthetic,
        )  # fmt: skip
        self.manifest.close(found=found)
        return page


@contextmanager
def write_run(
    out: Path,
    kind: RunKind,
    identity: str,
    *,
    command: Sequence[str] = (),
    echo: Echo | None = None,
    **entries: Any,
) -> Iterator[RunWriter]:
    """Hold a run directory of a study until it is filled.

    What a killed command left there is thrown away, or kept by a study of stability, which goes on
    with it. Where the block ends with an error, nothing stays that cannot be gone on with. The
    block ends with `RunWriter.publish` (or `manifest.close`): until then no reader takes the folder
    for whole.

    Parameters
    ----------
    out : Path
        Made where it is not there.
    kind : RunKind
    identity : str
        Digest of everything that the folder is made of.
    command : sequence of str
        As typed, for the page; it is empty when called from Python.
    echo : callable, optional
        Takes the line that says what is done with what was there.
    **entries
        Of the manifest. What is exported has these alone.

    Raises
    ------
    ConfigError
        If the folder holds anything else, may not be written, or another command works in it.
    """
    first = {"schema": SCHEMA, "status": "running", "kind": kind, "name": out.name,
             "identity": identity, "exported": now(),
             "exported_with": version_at_start("cardio-core"), **entries}  # fmt: skip
    if kind is not RunKind.EXPORTED:
        first = first_entries(kind, out.name, command, identity=identity, **entries)
    resumes = kind is RunKind.STABILITY
    with filling(out, first, echo, again=kind in _ANEW, resumes=resumes) as manifest:
        yield RunWriter(manifest)


def guard_place(out: Path, kind: RunKind, identity: str | None = None) -> None:
    """Raise unless `write_run` may write there, before anything is computed.

    Without `identity`, a folder that was begun and is of the same kind will do.
    """
    state_of(out, kind, identity, again=kind in _ANEW)
