"""What a run itself can tell of the items of a reporting checklist, item by item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cardio_core.report.headline import compared_word
from cardio_core.report.run_files import RunFiles
from cardio_core.report.told import external
from cardio_core.report.told.answer import answer
from cardio_core.report.told.methods import flow_words, limits, methods
from cardio_core.report.told.standing import pooled_rows, protocol_told, title_of
from cardio_core.report.told.validation import choice_words, split_words
from cardio_core.report.words import count, counted, listed


def evidence(files: RunFiles) -> dict[str, str]:
    """Return what is known, by what it is about; what a run does not tell is not in it.

    Keys are those that the items of `tripod_ai` and `claim` name.
    """
    manifest = files.manifest
    data: Mapping[str, Any] = manifest.get("data") or {}
    told, answered = methods(files), answer(files)
    found = {
        "aim": answered.asked if manifest.get("task") else "",
        "source": _source(data),
        "participants": flow_words(files),
        "outcome": str(manifest.get("outcome") or "").rstrip("."),
        "models": _models(manifest),
        "primary": _primary(files),
        "partition": _partition(files),
        "choice": _choice(files),
        "statistics": next((t for t in told.paragraphs if t.startswith("The leading")), ""),
        "software": told.paragraphs[-1] if manifest.get("core_version") else "",
        "code": _code(manifest),
        "missing": _missing(manifest),
        "events": answered.asked.partition(", the question")[0] if "(" in answered.asked else "",
        "performance": " ".join(answered.found) if files.metrics else "",
        "internal": " ".join(answered.found) if files.metrics else "",
        "by_fold": _by_fold(files),
        "subgroups": _subgroups(files),
        "explained": counted(len(files.cases), "explained case") if files.cases else "",
        "table_1": _table_1(files),
        "settings": "every setting stands in config.yaml" if files.config else "",
        "quarantined": _quarantined(manifest),
        "final": "the model lies in models/final" if (files.run / "models/final").is_dir() else "",
        "limits": " ".join(limits(files)),
        "output": _output(manifest),
        "fusion": _fusion(files),
        "seed": f"seed {manifest['seed']}" if manifest.get("seed") is not None else "",
    }
    if manifest.get("kind") == "judged":
        # how the model was made, and on whom, is not known here
        found |= {"seed": "", "final": "", "output": "", "internal": ""}
    if external.is_external(files):
        found |= {
            "partition": external.validation_words(files), "internal": "", "seed": "",
            "updating": external.updating_words(files),
            "aim": f"evaluation: {external.data_words(files)}",
        }  # fmt: skip
    return {key: text for key, text in found.items() if text}


def _source(data: Mapping[str, Any]) -> str:
    if data.get("source") == "synthetic":
        named = f", difficulty: {data['difficulty']}" if data.get("difficulty") else ""
        return f"synthetic data, made by code with known truth{named}"
    shown = str(data.get("path_shown") or "")
    digest = f", digest {str(data['digest'])[:12]}" if data.get("digest") else ""
    if data.get("source") == "given":
        return f"predictions made elsewhere, {shown}{digest}"
    return f"real data, {shown}{digest}" if data.get("source") == "real" and shown else ""


def _primary(files: RunFiles) -> str:
    name = files.manifest.get("primary")
    when = "beforehand" if files.manifest.get("kind") == "judged" else "before the run"
    return f"“{title_of(files, str(name))}” was declared {when}" if name else ""


def _models(manifest: Mapping[str, Any]) -> str:
    names = list(manifest.get("models") or [])
    if manifest.get("kind") == "judged":
        word = compared_word(manifest)
        made = "made elsewhere" if word == "prediction" else "of predictions made elsewhere"
        return f"{counted(len(names), word)} {made}"
    baselines = sum(name in (manifest.get("baselines") or []) for name in names)
    said = f"{counted(len(names), 'model')}, {count(baselines)} of them simple baselines"
    return f"{said} (methods text, second paragraph)" if names else ""


def _partition(files: RunFiles) -> str:
    return "; ".join(
        f"{protocol}: {split_words(split)}" for protocol, split in files.splits.items()
    )


def _choice(files: RunFiles) -> str:
    return choice_words(files, protocol_told(files)) if files.splits else ""


def _code(manifest: Mapping[str, Any]) -> str:
    commit = str(manifest.get("git_commit") or "")
    command = manifest.get("command")
    parts = [
        "the command that was run" if command else "",
        f"commit {commit[:10]}" if commit else "",
    ]
    return ", ".join(filter(None, parts))


def _missing(manifest: Mapping[str, Any]) -> str:
    if manifest.get("left_out"):
        return str(manifest["left_out"]).rstrip(".")
    aside = ((manifest.get("flow") or {}).get("unlabelled") or {}).get("patients")
    if aside is None:
        return ""
    if not aside:
        return "no patient lacks the outcome"
    return f"{counted(int(aside), 'patient')} without a known outcome, not tested"


def _by_fold(files: RunFiles) -> str:
    folds = {str(row["fold"]) for row in files.metrics if row.get("fold") is not None}
    return f"every metric for each of {count(len(folds))} folds" if folds else ""


def _subgroups(files: RunFiles) -> str:
    rows = pooled_rows(files, protocol_told(files)) + list(files.metrics)
    groups = {str(row["subgroup"]) for row in rows if row.get("subgroup")}
    return f"results in {counted(len(groups), 'subgroup')}" if groups else ""


def _table_1(files: RunFiles) -> str:
    found = [path.name for path in files.tables if "table1" in path.stem.replace("-", "")]
    return f"characteristics: tables/{found[0]}" if found else ""


def _quarantined(manifest: Mapping[str, Any]) -> str:
    if "quarantined" not in manifest:
        return ""
    names = {str(row.get("recording_id")) for row in manifest["quarantined"] or []}
    if not names:
        return "no recording had to be set aside"
    return f"{counted(len(names), 'recording')} set aside, each with its reason"


def _output(manifest: Mapping[str, Any]) -> str:
    kinds = {str(target.get("kind")) for target in manifest.get("targets") or []}
    words = {"binary": "a probability", "multiclass": "a probability for each class",
             "continuous": "a number"}  # fmt: skip
    return listed([words[kind] for kind in sorted(kinds & words.keys())])


def _fusion(files: RunFiles) -> str:
    found = [path.name for path in files.tables if "fusion-weights" in path.name]
    return f"weights of fused models: tables/{found[0]}" if found else ""
