"""What a run itself can tell of the items of a reporting checklist, item by item."""

from __future__ import annotations

from cardio_core.io.run_artifact import DataEntry, RunArtifact, RunKind, RunManifest
from cardio_core.report.headline import compared_word
from cardio_core.report.told import external
from cardio_core.report.told.answer import answer
from cardio_core.report.told.methods import flow_words, limits, methods
from cardio_core.report.told.standing import pooled_rows, protocol_told, title_of
from cardio_core.report.told.validation import choice_words, split_words
from cardio_core.report.words import count, counted, listed


def evidence(files: RunArtifact) -> dict[str, str]:
    """Return what is known, by what it is about; what a run does not tell is not in it.

    Keys are those that the items of `tripod_ai` and `claim` name.
    """
    manifest = files.manifest
    data = manifest.data
    told, answered = methods(files), answer(files)
    found = {
        "aim": answered.asked if manifest.task else "",
        "source": _source(data),
        "participants": flow_words(files),
        "outcome": manifest.outcome.rstrip("."),
        "models": _models(manifest),
        "primary": _primary(files),
        "partition": _partition(files),
        "choice": _choice(files),
        "statistics": next((t for t in told.paragraphs if t.startswith("The leading")), ""),
        "software": told.paragraphs[-1] if manifest.core_version else "",
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
        "final": "the model lies in models/final"
        if (files.folder / "models/final").is_dir()
        else "",
        "limits": " ".join(limits(files)),
        "output": _output(manifest),
        "fusion": _fusion(files),
        "seed": f"seed {manifest.seed}" if manifest.seed is not None else "",
    }
    if manifest.kind is RunKind.JUDGED:
        # how the model was made, and on whom, is not known here
        found |= {"seed": "", "final": "", "output": "", "internal": ""}
    if external.is_external(files):
        found |= {
            "partition": external.validation_words(files), "internal": "", "seed": "",
            "updating": external.updating_words(files),
            "aim": f"evaluation: {external.data_words(files)}",
        }  # fmt: skip
    return {key: text for key, text in found.items() if text}


def _source(data: DataEntry) -> str:
    if data.source == "synthetic":
        named = f", difficulty: {data.difficulty}" if data.difficulty else ""
        return f"synthetic data, made by code with known truth{named}"
    shown = str(data.path_shown)
    digest = f", digest {str(data.digest)[:12]}" if data.digest else ""
    if data.source == "given":
        return f"predictions made elsewhere, {shown}{digest}"
    return f"real data, {shown}{digest}" if data.source == "real" and shown else ""


def _primary(files: RunArtifact) -> str:
    name = files.manifest.primary
    when = "beforehand" if files.manifest.kind is RunKind.JUDGED else "before the run"
    return f"“{title_of(files, str(name))}” was declared {when}" if name else ""


def _models(manifest: RunManifest) -> str:
    names = list(manifest.models)
    if manifest.kind is RunKind.JUDGED:
        word = compared_word(manifest)
        made = "made elsewhere" if word == "prediction" else "of predictions made elsewhere"
        return f"{counted(len(names), word)} {made}"
    baselines = sum(name in manifest.baselines for name in names)
    said = f"{counted(len(names), 'model')}, {count(baselines)} of them simple baselines"
    return f"{said} (methods text, second paragraph)" if names else ""


def _partition(files: RunArtifact) -> str:
    return "; ".join(
        f"{protocol}: {split_words(split)}" for protocol, split in files.splits.items()
    )


def _choice(files: RunArtifact) -> str:
    return choice_words(files, protocol_told(files)) if files.splits else ""


def _code(manifest: RunManifest) -> str:
    commit = manifest.git_commit
    command = manifest.command
    parts = [
        "the command that was run" if command else "",
        f"commit {commit[:10]}" if commit else "",
    ]
    return ", ".join(filter(None, parts))


def _missing(manifest: RunManifest) -> str:
    if manifest.left_out:
        return manifest.left_out.rstrip(".")
    aside = manifest.flow.unlabelled
    if aside is None:
        return ""
    if not aside.patients:
        return "no patient lacks the outcome"
    return f"{counted(aside.patients, 'patient')} without a known outcome, not tested"


def _by_fold(files: RunArtifact) -> str:
    folds = {str(row.fold) for row in files.metrics if row.fold is not None}
    return f"every metric for each of {count(len(folds))} folds" if folds else ""


def _subgroups(files: RunArtifact) -> str:
    rows = pooled_rows(files, protocol_told(files)) + list(files.metrics)
    groups = {row.subgroup for row in rows if row.subgroup}
    return f"results in {counted(len(groups), 'subgroup')}" if groups else ""


def _table_1(files: RunArtifact) -> str:
    found = [path.name for path in files.tables if "table1" in path.stem.replace("-", "")]
    return f"characteristics: tables/{found[0]}" if found else ""


def _quarantined(manifest: RunManifest) -> str:
    if manifest.quarantined is None:
        return ""
    names = {row.recording_id for row in manifest.quarantined}
    if not names:
        return "no recording had to be set aside"
    return f"{counted(len(names), 'recording')} set aside, each with its reason"


def _output(manifest: RunManifest) -> str:
    kinds = {str(target.kind) for target in manifest.targets}
    words = {"binary": "a probability", "multiclass": "a probability for each class",
             "continuous": "a number"}  # fmt: skip
    return listed([words[kind] for kind in sorted(kinds & words.keys())])


def _fusion(files: RunArtifact) -> str:
    found = [path.name for path in files.tables if "fusion-weights" in path.name]
    return f"weights of fused models: tables/{found[0]}" if found else ""
