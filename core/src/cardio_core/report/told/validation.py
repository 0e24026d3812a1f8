"""How a protocol split, chose and tested, in the words of a methods section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cardio_core.io.kept.settings import told_in
from cardio_core.io.run_artifact import RunArtifact, SplitRecord
from cardio_core.report.words import count, counted


def settings_of(files: RunArtifact, protocol: str) -> Mapping[str, Any]:
    """Return the configuration as one protocol sees it where it decides about validation."""
    tree = told_in(files.config)
    block = (tree.get("protocols") or {}).get(protocol) or {}
    inner = dict(tree.get("inner") or {}) | dict((block.get("overrides") or {}).get("inner") or {})
    return {"block": block, "inner": inner, "search": tree.get("search") or [],
            "evaluate": tree.get("evaluate") or {}}  # fmt: skip


def split_words(split: SplitRecord) -> str:
    """Say how patients, or samples, came to training and test.

    Examples
    --------
    >>> from cardio_core.io.run_artifact import FoldRecord
    >>> fold = FoldRecord("r0-f0", train=("a", "b", "c"), test=("d",))
    >>> split_words(SplitRecord((fold,), plan="holdout"))
    'one split by patient: 1 of 4 patients was held out of training and tested'
    """
    folds = list(split.folds)
    names = [str(fold.name).partition("-") for fold in folds]
    repeats = max(1, len({name[0] for name in names}))
    k = max(1, len(folds) // repeats)
    tested = {who for fold in folds for who in fold.test}
    everyone = tested | {who for fold in folds for who in fold.train}
    plan = split.plan
    if split.unit == "sample":
        parts = f"into {len(folds)} parts, each tested once" if len(folds) > 1 else (
            f"once, {count(len(tested))} of {count(len(everyone))} being tested"
        )  # fmt: skip
        return f"samples, not patients, were split at random {parts}"
    if folds and all(set(f.test) <= set(f.train) for f in folds):
        return "every patient was both trained on and tested (apparent performance)"
    if plan == "sites":
        return f"each of {k} sites was tested by models trained on the other sites"
    if plan == "nested" or k > 1:
        again = f", repeated {repeats} times with new folds" if repeats > 1 else ""
        return (
            f"{k}-fold cross-validation{again}, stratified, with everything of a patient in one "
            "fold"
        )
    was = "was" if len(tested) == 1 else "were"
    held = f"{count(len(tested))} of {counted(len(everyone), 'patient')} {was}"
    if plan == "holdout":
        return f"one split by patient: {held} held out of training and tested"
    return f"the task's fixed lists of patients: {held} on the list for testing"


def choice_words(files: RunArtifact, protocol: str) -> str:
    """Say what was chosen inside each training set, and how thresholds came about."""
    found = settings_of(files, protocol)
    if not found["block"]:
        return ""
    k, search = found["inner"].get("k", 1), len(found["search"])
    share = float(found["inner"].get("validation_share", 0.2))
    if k == 0:
        inside = "nothing was chosen inside the training sets"
    elif k == 1:
        inside = f"inside each training set, {100 * share:.0f} % of its patients validated"
    else:
        inside = f"inside each training set, {k} inner folds by patient validated"
    candidates = f"; {search} candidate settings were compared there" if search and k else ""
    if found["block"].get("decision") == "fixed" or k == 0:
        decision = "thresholds were fixed beforehand (one half, or the most probable class)"
    else:
        decision = (
            "thresholds that maximise the Youden index (of a published rule: one half) were chosen "
            "there, never on tested patients"
        )
    fused = ""
    fuses = any("fusion-weights" in path.name for path in files.tables)
    if fuses and found["block"].get("fusion") == "tested":
        fused = "; weights of fused models were fitted on the tested patients, as published"
    return f"{inside}{candidates}; {decision}{fused}"
