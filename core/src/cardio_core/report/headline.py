"""What ran a run, on what and for how long."""

from __future__ import annotations

from cardio_core.report.run_files import RunFiles
from cardio_core.report.words import moment, span

LEADING = ("auc", "macro_f1", "c_index", "mae", "r2", "accuracy")
"""The metric of the answer and of the figure below it: the first of these that was computed."""


def what_ran(files: RunFiles) -> list[str]:
    """Return device and time, in sentences."""
    m = files.manifest
    sentences = []
    device = m.get("device") or {}
    if device.get("name"):
        reason = f" ({device['reason']})" if device.get("reason") else ""
        precision = f", precision {device['precision']}" if device.get("precision") else ""
        sentences.append(f"Device: {device['name']}{reason}{precision}.")
    took = span(m.get("started"), m.get("finished"))
    if m.get("started"):
        sentences.append(
            f"Started {moment(str(m['started']))}" + (f", took {took}." if took else ".")
        )
    return sentences
