"""The methods text to paste into a paper, and the limits of a run, from manifest and settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cardio_core.io.run_artifact import (
    MetricRow,
    RunArtifact,
    RunKind,
    RunManifest,
    SplitRecord,
    StationEntry,
)
from cardio_core.io.settings_schema import kept_settings
from cardio_core.report.text import external
from cardio_core.report.text import fusion as fused
from cardio_core.report.text.patient_flow import AFTER, KINDS, reason_of
from cardio_core.report.text.ranking import (
    IN_WORDS,
    Standing,
    compared_word,
    in_sentence,
    leading_protocol,
    pooled_rows,
    standings,
    targets_of,
    title_of,
    words_of,
)
from cardio_stats.words import METRICS, count, counted, level_words, listed, number

# How a protocol split, chose and tested, in the words of a methods section.


def settings_of(files: RunArtifact, protocol: str) -> Mapping[str, Any]:
    """Return the configuration as one protocol sees it where it decides about validation."""
    tree = kept_settings(files.config)
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
    if files.tables_named("fusion-weights") and found["block"].get("fusion") == "tested":
        fused = "; weights of fused models were fitted on the tested patients, as published"
    return f"{inside}{candidates}; {decision}{fused}"


# What the methods text says where predictions made elsewhere were judged.

_PEOPLE = ("Brier", "Youden")
"""They keep their capitals within a sentence."""


def data_words(manifest: RunManifest) -> str:
    """Return the outcome, who was judged, and what was missing."""
    data = manifest.data
    outcome = manifest.outcome or f"{manifest.outcome_column}."
    text = f"The outcome, a column of {data.path_shown}, was {outcome}"
    patients = int(data.n_patients or 0)
    text += f" {counted(patients, 'patient')} {'was' if patients == 1 else 'were'} judged."
    return f"{text} {manifest.left_out}" if manifest.left_out else text


def measures_words(files: RunArtifact, leading: Iterable[str]) -> str:
    """Return the further measures by the method of their intervals, and the thresholds."""
    rows = [
        row for row in pooled_rows(files, leading_protocol(files))
        if not row.versus and not row.class_name and row.name not in leading
    ]  # fmt: skip
    by_method: dict[str, dict[str, None]] = {}
    for row in rows:
        name = METRICS.get(row.name, row.name.replace("_", " "))
        own = name[1:2].isupper() or name[1:2].isdigit() or name.startswith(_PEOPLE)
        word = name if own else name[0].lower() + name[1:]
        by_method.setdefault(row.method, {})[word] = None
    # one that has another number of bins is the same measure
    named: set[str] = set()
    groups = []
    for method, words in by_method.items():
        new = [word for word in words if word not in named]
        named.update(new)
        groups += [f"{listed(new)} ({method})"] if new else []
    text = f" Further measures, with their intervals: {'; '.join(groups)}." if groups else ""
    sources = dict.fromkeys(str(r.threshold_source) for r in rows if r.threshold_source)
    plain = [source.removeprefix("fixed: ") for source in sources]
    if plain:
        text += f" Threshold of a positive decision: {listed(plain)}."
    groups_of = {row.subgroup for row in files.metrics if row.subgroup}
    if groups_of:
        text += (
            f" The area is given in {counted(len(groups_of), 'group')} of patients, too, each "
            "with its interval and without a test between them."
        )
    return text


def comparison_words(files: RunArtifact) -> str:
    """Return how p of several pairs is corrected, as the rows themselves note it."""
    n_pairs = sum(adjusted_p(row) is not None for row in files.metrics)
    if not n_pairs:
        return "neither intervals nor p-values are corrected for the number of comparisons"
    return (
        f"each p-value of an area is followed by the one adjusted for {counted(n_pairs, 'pair')} "
        "(max-T); intervals and other p-values are not corrected for the number of comparisons"
    )


def adjusted_p(row: MetricRow) -> float | None:
    """Return p adjusted for all pairs, None where a row has none."""
    found: float | None = row.extra.get("p_adjusted")
    return found


CITED = {
    "numpy": "Harris CR et al. Nature 2020;585:357",
    "scipy": "Virtanen P et al. Nat Methods 2020;17:261",
    "pandas": "McKinney W. Proc 9th Python in Science Conf 2010:56",
    "scikit-learn": "Pedregosa F et al. J Mach Learn Res 2011;12:2825",
    "statsmodels": "Seabold S, Perktold J. Proc 9th Python in Science Conf 2010:92",
    "torch": "Paszke A et al. Adv Neural Inf Process Syst 2019;32",
    "lightning": "Falcon W et al. PyTorch Lightning, 2019",
}
"""Papers of packages; the last two where networks were fitted."""

_NETWORKS = ("torch", "lightning")

_BOOTSTRAP = "Efron B, Tibshirani RJ. An introduction to the bootstrap, 1993"
_SHARES = ("sensitivity", "specificity", "accuracy", "ppv", "npv")
_SETS = ("conformal_coverage", "conformal_coverage_pooled", "empty_sets", "sets_of_several")
_AREAS = ("auc", "auc_difference")
_PAPERS = {
    "DeLong ER et al. Biometrics 1988;44:837": _AREAS,
    "Wilson EB. J Am Stat Assoc 1927;22:209": (*_SHARES, *_SETS),
    "Newcombe RG. Stat Med 1998;17:873": ("youden", "balanced_accuracy"),
    "Barber RF et al. Ann Stat 2021;49:486": _SETS,
}
"""What intervals that nothing was resampled for rest on, and the metrics that have them."""


@dataclass(frozen=True)
class Methods:
    """Text to paste: paragraphs, then what to cite; a checklist quotes two of the paragraphs."""

    paragraphs: tuple[str, ...]
    citations: tuple[str, ...]
    statistics: str
    software: str


def methods(files: RunArtifact) -> Methods:
    """Return the methods of a run as a paper tells them."""
    found = standings(files)
    statistics, software = _statistics(files, found), _software(files)
    paragraphs = (_data(files), _models(files), _validation(files), statistics, software)
    return Methods(
        tuple(text for text in paragraphs if text), tuple(_citations(files)), statistics, software
    )


def _data(files: RunArtifact) -> str:
    manifest = files.manifest
    data = manifest.data
    if manifest.kind is RunKind.JUDGED:
        return data_words(manifest)
    if fused.is_fused(files):
        return fused.data_words(manifest)
    task = in_sentence(str(manifest.task_title or manifest.task or "not recorded"))
    column = manifest.outcome_column
    text = f"{external.data_words(files)} " if external.is_external(files) else ""
    text += f"The task was: {f'{column}, a column of the cohort table' if column else task}."
    flow = flow_words(files)
    if flow:
        text += f" {flow}"
    elif data.n_patients is not None:
        text += (
            f" {counted(data.n_recordings or 0, 'recording')} of "
            f"{counted(int(data.n_patients), 'patient')} were used."
        )
    if data.source == "synthetic":
        text += " All of them are synthetic: made by code, with known truth."
    if manifest.outcome:
        text += f" Outcome: {str(manifest.outcome).rstrip('.')}."
    return text


def flow_words(files: RunArtifact) -> str:
    """Return the flow of patients in sentences, empty where a run did not count it."""
    flow = files.manifest.flow
    stations = list(flow.stations)
    if not stations:
        return ""
    first, *left, used = stations
    if not left:
        return f"All {_both(used)} that were found were used."
    text = f"Of {_both(first)} found, {_both(used)} were used."
    for kind in [kind for kind in AFTER if any(item.kind == kind for item in left)]:
        own = [item for item in left if item.kind == kind]
        if kind == "without_outcome":
            text += f" {KINDS[kind]}: {listed([_both(item) for item in own])}."
            continue
        reasons = listed([f"{reason_of(item)} ({_both(item)})" for item in own])
        text += f" {KINDS[kind]}: {reasons}."
    aside = flow.unlabelled
    if aside is not None and aside.train and aside.patients:
        text += " Those without outcome took part where training needs none; they are never tested."
    return text


def _both(station: StationEntry) -> str:
    recordings = counted(int(station.recordings), "recording")
    return f"{recordings} of {counted(int(station.patients), 'patient')}"


def _models(files: RunArtifact) -> str:
    manifest = files.manifest
    names = list(manifest.models)
    if not names:
        return ""
    if external.is_external(files):
        return external.models_words(files, names)
    if manifest.kind is RunKind.JUDGED:
        text = f"Predictions made elsewhere were judged: {_titles(files, names)}."
        if manifest.primary:
            text += f" “{manifest.primary}” was declared beforehand."
        return text
    if fused.is_fused(files):
        return fused.models_words(files)
    baselines = [name for name in names if name in manifest.baselines]
    others = [name for name in names if name not in baselines]
    text = (
        f"{_titles(files, others)} {'was' if len(others) == 1 else 'were'} fitted."
        if others
        else ""
    )
    if baselines:
        text += f" Simple baselines, on the same folds: {_titles(files, baselines)}."
    if manifest.primary:
        text += (
            f" “{title_of(files, str(manifest.primary))}” was declared as the primary model "
            "before any result was known."
        )
    for need in manifest.needs:
        same = "the same patients, fold by fold" if need.patients == "same" else ""
        earlier = words_of(files, str(need.task))
        text += f" They build on an earlier task, {earlier}{f' ({same})' if same else ''}."
    return text.strip()


def _titles(files: RunArtifact, names: Sequence[str]) -> str:
    return listed([f"“{title_of(files, name)}”" for name in names])


def _validation(files: RunArtifact) -> str:
    if external.is_external(files):
        return external.validation_words(files)
    texts = []
    for protocol in files.manifest.protocols or list(files.splits):
        split = files.splits.get(protocol)
        if not split:
            continue
        choice = choice_words(files, protocol)
        overlap = str(split.declared_overlap).rstrip(". ")
        about = {
            "honest": "The honest protocol never let a fitted thing see a tested patient",
            "paper": "The paper protocol repeats what was published, optimistic by its design",
        }.get(protocol, f"The protocol {protocol}")
        if fused.is_fused(files):
            about = "Every patient was scored by models and weights that were fitted on others"
        text = f"{about}: {split_words(split)}{f'; {choice}' if choice else ''}."
        counted = files.manifest.overlap.get(protocol) if not overlap else None
        declared = f" Declared overlap: {overlap}." if overlap else ""
        texts.append(text + declared + (f" {counted}" if counted else ""))
    if texts and fused.is_fused(files):
        texts.append(
            fused.validation_words(files) + "After the folds final weights were fitted on "
            "everybody in the same way; no number here is of them."
        )
    elif texts:
        texts.append(
            "After the folds a final model was fitted on everybody in the same way; no number here "
            "is of it."
        )
    return " ".join(texts)


def _statistics(files: RunArtifact, found: Sequence[Standing]) -> str:
    if not found:
        return ""
    leading = list(dict.fromkeys(item.metric for item in found))
    of_others = files.manifest.kind is RunKind.JUDGED
    level = level_words(found[0].row.level or 0.95)
    own = dict.fromkeys(str(item.row.method) for item in found if item.row.method)
    text = (
        f"The leading measure was the {listed([IN_WORDS[name] for name in leading])}"
        f"{'' if of_others or external.is_external(files) else ', pooled over the tested folds'}, "
        f"with {level} intervals"
    )
    text += f" ({listed(list(own))})." if own else "."
    unit = found[0].row.unit
    extra: Mapping[str, Any] = found[0].row.extra
    if unit == "patient" and extra.get("n_rows") not in (None, found[0].row.n):
        text += " A patient may have several tested units; intervals take the patient as the unit."
    compared = dict.fromkeys(d.method for item in found for d in item.differences.values())
    if compared:
        text += (
            f" {compared_word(files.manifest).capitalize()}s were compared in pairs on what both "
            f"predicted ({listed(list(compared))}); {comparison_words(files)}."
        )
    if of_others:
        text += measures_words(files, leading)
    resamples = settings_of(files, leading_protocol(files))["evaluate"].get("n_resamples")
    if resamples:
        text += f" Bootstrap intervals are percentiles of {count(int(resamples))} resamples."
    rows = pooled_rows(files, leading_protocol(files))
    names = {row.name for row in rows}
    if names & {"conformal_coverage", "empty_sets"}:
        by_class = ", by class," if "empty_sets" in names else ""
        text += f" Prediction sets are conformal, calibrated{by_class} on out-of-fold patients."
    return text


def networks_fitted(files: RunArtifact) -> bool:
    """Return whether a run holds weights of a network."""
    return any((files.folder / "models").rglob("*.safetensors"))


def _packages(files: RunArtifact) -> dict[str, str]:
    packages = files.manifest.packages
    networks = networks_fitted(files)
    return {n: v for n, v in packages.items() if n in CITED and (networks or n not in _NETWORKS)}


def _software(files: RunArtifact) -> str:
    manifest = files.manifest
    core = " ".join(filter(None, ("cardio-core", manifest.core_version)))
    plugin = " ".join(filter(None, (manifest.plugin, manifest.plugin_version)))
    packages = manifest.packages
    named = [f"{name} {version}" for name, version in _packages(files).items()]
    python = [f"Python {packages['python']}"] if "python" in packages else []
    text = f"Software: {listed([core, *([f'plugin {plugin}'] if plugin else []), *python, *named])}"
    device = manifest.device.name
    if device:
        text += f", on {device}"
    if manifest.seed is not None:
        text += f"; seed {manifest.seed}"
    commit = manifest.git_commit
    return f"{text}{f'; commit {commit[:10]}' if commit else ''}."


def _citations(files: RunArtifact) -> list[str]:
    found = [str(paper) for paper in files.manifest.papers]
    rows = [row for row in files.metrics if row.low is not None]
    # An area of 0 or 1 has no variance by DeLong; another interval stands there.
    rested = [row for row in rows if not (row.name in _AREAS and row.value in (0, 1))]
    names = {row.name for row in rested if row.seed is None}
    found += [paper for paper, of in _PAPERS.items() if names & {*of}]
    found += [_BOOTSTRAP] if any(row.seed is not None for row in rows) else []
    found += [f"{name}: {CITED[name]}" for name in _packages(files)]
    return found


def limits(files: RunArtifact) -> tuple[str, ...]:
    """Return what a run cannot say, one sentence each."""
    manifest, found = files.manifest, standings(files)
    data = manifest.data
    texts = []
    if data.source == "synthetic":
        texts.append("The data are synthetic; nothing here is about patients.")
    plans = {split.plan for split in files.splits.values()}
    if external.is_external(files):
        return (*texts, *external.limits_words(files), *_of_size(found), *_of_missing(files))
    if manifest.kind is RunKind.JUDGED:
        return (*_of_judged(files), *_of_size(found))
    if "sites" not in plans:
        texts.append(
            "No centre was held out: performance at another centre, with other equipment or at "
            "another time is unknown."
        )
    texts.append(
        "This run has no external validation; cross-validation describes patients like these."
    )
    if fused.is_fused(files):
        texts += fused.limits(files)
    texts += _of_size(found)
    targets, models = len(targets_of(files)), len(manifest.models)
    if models > 1 or targets > 1:
        but = ", but for the adjusted p of areas" if fused.is_fused(files) else ""
        texts.append(
            f"{counted(models, 'model')} and {counted(targets, 'target')} were looked at without "
            f"correction{but}; only the primary model was declared before, every other lead is a "
            "hypothesis."
        )
    honest = files.splits["honest"].folds if "honest" in files.splits else ()
    if len({fold.name.partition("-")[0] for fold in honest}) == 1:
        texts.append("The folds were drawn once with one seed; other draws give other numbers.")
    texts += _of_missing(files)
    return tuple(texts)


def _of_missing(files: RunArtifact) -> list[str]:
    """Return whom the result says nothing of: without outcome, and with unusable recordings."""
    manifest, text = files.manifest, list[str]()
    unlabelled = manifest.flow.unlabelled
    if unlabelled is not None and unlabelled.patients:
        unknown = unlabelled.patients
        text.append(
            f"{counted(unknown, 'patient')} without a known outcome "
            f"{'is' if unknown == 1 else 'are'} not tested: if the outcome is unknown for a reason "
            "that goes with it, the result is biased."
        )
    if manifest.quarantined:
        n = len({row.recording_id for row in manifest.quarantined})
        text.append(f"{counted(n, 'recording')} could not be used, perhaps of the sickest.")
    return text


def _of_judged(files: RunArtifact) -> list[str]:
    """Return what predictions made elsewhere cannot show."""
    n, what = len(files.manifest.models), compared_word(files.manifest)
    texts = [
        "Only predictions were given: how the model was made, on whom, and what was chosen on "
        "these patients is not known here.",
    ]
    adjusted = any(adjusted_p(row) is not None for row in files.metrics)
    if n > 1 and adjusted:
        texts.append(
            f"{counted(n, what)} were compared; p of a difference of areas is adjusted for all "
            "pairs in a separate column, every other p is not."
        )
    elif n > 1 and not files.manifest.primary:
        texts.append(
            f"{counted(n, what)} were looked at without correction, and none was declared "
            "beforehand."
        )
    return texts


def _of_size(found: Sequence[Standing]) -> list[str]:
    if not found:
        return []
    row = found[0].row
    low, high = row.low, row.high
    if low is None or high is None:
        return ["There are too few tested patients for an interval."]
    n = counted(int(row.n or 0), str(row.unit or "row"))
    return [f"With {n} the interval of the leading measure is {number(high - low)} wide."]
