"""Store what the pages of finished runs are made of, small enough for the repository.

Make the runs first, one a plugin, then name their folders::

    cardio run --plugin spect_polar --smoke --device cpu --out runs/spect_polar
    python tests/integration/pages/store.py runs/spect_polar

Kept are the JSON, CSV and YAML files that a report is made of, and the figures up to a size;
larger ones are kept where the page shows them open. Models, arrays, videos and logs are not.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

from cardio_core.io.run_artifact import read_artifact
from cardio_core.report.page import cases_shown

STORED = Path(__file__).parent / "stored"
LARGEST = 120_000
FOLDERS = ("tables", "figures", "explanations")
TOP = ("manifest.json", "metrics.json", "splits.json", "cohort.json", "config.yaml")
LONG_AGO = (2026, 1, 1, 0, 0, 0)


def main(runs: list[str]) -> None:
    """Write one archive a run, named after its plugin."""
    STORED.mkdir(exist_ok=True)
    for name in runs:
        run = Path(name)
        plugin = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["plugin"]
        kept = [run / one for one in TOP if (run / one).is_file()] + _parts(run)
        with zipfile.ZipFile(STORED / f"{plugin}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(kept):
                entry = zipfile.ZipInfo(path.relative_to(run).as_posix(), LONG_AGO)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
        size = (STORED / f"{plugin}.zip").stat().st_size
        sys.stdout.write(f"{plugin}.zip: {len(kept)} files, {size / 1000:.0f} kB\n")


def _parts(run: Path) -> list[Path]:
    files = read_artifact(run)
    primary = files.manifest.primary
    shown = {str(run / case.figure) for case in cases_shown(files.cases, primary)}
    found = []
    for folder in FOLDERS:
        for path in sorted((run / folder).rglob("*")):
            small = path.is_file() and path.stat().st_size <= LARGEST
            drawn = path.suffix == ".svg" and (small or str(path) in shown)
            if drawn or (small and path.suffix in (".csv", ".json")):
                found.append(path)
    # Of the explained cases that stand folded a few are enough.
    cases = [path for path in found if path.parent.name == "explanations"]
    spare = [path for path in cases if path.suffix == ".svg" and str(path) not in shown][2:]
    return [path for path in found if path not in spare]


if __name__ == "__main__":
    main(sys.argv[1:])
