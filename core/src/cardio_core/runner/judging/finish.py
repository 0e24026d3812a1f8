"""The end of a run: one list of metrics, the report, the closed manifest."""

from __future__ import annotations

import shutil
from pathlib import Path

from cardio_core.io.atomic import read_json, write_json
from cardio_core.runner.manifest import Manifest, now


def finish(out: Path, manifest: Manifest) -> None:
    """Merge the protocols' metrics, build the report and close the manifest."""
    from cardio_core.report.build import build_report

    parts = [read_json(path) for path in sorted((out / "judged").glob("*.json"))]
    write_json(out / "metrics.json", [row for part in parts for row in part["metrics"]])
    notes = [*manifest.content["notes"], *(note for part in parts for note in part["notes"])]
    manifest.update(status="done", finished=now(), notes=list(dict.fromkeys(notes)))
    shutil.rmtree(out / "judged")
    build_report(out)
    manifest.add_outputs(out)
