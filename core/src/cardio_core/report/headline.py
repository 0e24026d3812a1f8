"""What ran a run, on what and for how long."""

from __future__ import annotations

from cardio_core.io.run_artifact import RunArtifact, RunKind, RunManifest
from cardio_core.report.words import moment, span

LEADING = ("auc", "macro_f1", "c_index", "mae", "r2", "accuracy")
"""The metric of the answer and of the figure below it: the first of these that was computed."""


def compared_word(manifest: RunManifest) -> str:
    """Return what is compared: a run's models, or what was predicted elsewhere and judged.

    Examples
    --------
    >>> compared_word(RunManifest()), compared_word(RunManifest(kind=RunKind.JUDGED))
    ('model', 'score')
    """
    if manifest.kind is not RunKind.JUDGED:
        return "model"
    kinds = {str(target.kind) for target in manifest.targets}
    return "prediction" if kinds == {"continuous"} else "score"


def what_ran(files: RunArtifact) -> list[str]:
    """Return device and time, in sentences."""
    m = files.manifest
    sentences = []
    device = m.device
    if device.name:
        reason = f" ({device.reason})" if device.reason else ""
        precision = f", precision {device.precision}" if device.precision else ""
        sentences.append(f"Device: {device.name}{reason}{precision}.")
    took = span(m.started, m.finished)
    if m.started:
        sentences.append(f"Started {moment(str(m.started))}" + (f", took {took}." if took else "."))
    return sentences
