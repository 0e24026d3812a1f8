"""What ran a run, on what and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cardio_core.report.run_files import RunFiles
from cardio_core.report.words import moment, span

LEADING = ("auc", "macro_f1", "c_index", "mae", "r2", "accuracy")
"""The metric of the answer and of the figure below it: the first of these that was computed."""


def compared_word(manifest: Mapping[str, Any]) -> str:
    """Return what is compared: a run's models, or what was predicted elsewhere and judged.

    Examples
    --------
    >>> compared_word({}), compared_word({"kind": "judged"})
    ('model', 'score')
    >>> compared_word({"kind": "judged", "targets": [{"kind": "continuous"}]})
    'prediction'
    """
    if manifest.get("kind") != "judged":
        return "model"
    kinds = {str(target.get("kind")) for target in manifest.get("targets") or []}
    return "prediction" if kinds == {"continuous"} else "score"


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
