"""New patients through a fusion: each member answers, and their answers are joined by patient."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.compute.processes import one_thread
from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.decision import Decision
from cardio_core.evaluation.default import default_evaluate
from cardio_core.evaluation.fusion import FusionRule, side_by_side
from cardio_core.evaluation.patients import subgroup_metrics
from cardio_core.io.cohort import find_cohort_table, shown_of
from cardio_core.io.hashing import digest
from cardio_core.io.places import kept_places
from cardio_core.io.run_artifact import RunKind, require_whole
from cardio_core.io.store import open_cache
from cardio_core.io.synthetic import is_synthetic
from cardio_core.report.text.model_card import digest_of_final
from cardio_core.runner.answers import answer
from cardio_core.runner.evaluate import open_rule
from cardio_core.runner.filling import filling, state_of
from cardio_core.runner.fits import open_decisions
from cardio_core.runner.fused_models import open_fusion
from cardio_core.runner.manifest import Manifest, first_entries
from cardio_core.runner.predict import predict_new, rows_of, with_sets, without_decisions, worth_of
from cardio_core.runner.progress import Echo
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.files import SafeName, write_json
from cardio_stats.words import counted, listed
from cardio_studies.external_numbers import (
    EXTERNAL,
    FINAL,
    INTERNAL,
    Asked,
    changes,
    coverage_metrics,
    internal_metrics,
    open_for,
    recalibrations,
    scored_of,
    truth_of,
    words_of_changes,
)
from cardio_studies.external_page import (
    beside_table,
    coverage_table,
    guard_overlap,
    overlap_of,
    primary_first,
    training_of,
)
from cardio_studies.fusion_members import (
    BOTH,
    CLINICAL,
    FUSION,
    MEAN,
    digests_of,
    finished,
    one_a_patient,
)
from cardio_studies.fusion_weights import score_new
from cardio_studies.run_writer import calibration_of, publish

# A fusion opened again, whose members have to be where they were, and what they were.


@dataclass(frozen=True)
class MemberRun:
    """A member of a finished fusion.

    Attributes
    ----------
    label : str
    run : Path
    model : str
        Which of the run's models is fused.
    target : str
        What the run calls the outcome.
    event : str
        What the run calls the class that counts.
    everybody : bool
        Whether every patient of the fusion had it.
    """

    label: str
    run: Path
    model: str
    target: str
    event: str
    everybody: bool


@dataclass(frozen=True)
class FusedRun:
    """A finished fusion.

    Attributes
    ----------
    folder : Path
    manifest : mapping
    target : Target
    members : mapping of str to MemberRun
    rules : mapping of str to FusionRule
        Final weights of the fused models.
    """

    folder: Path
    manifest: Mapping[str, Any]
    target: Target
    members: Mapping[str, MemberRun]
    rules: Mapping[str, FusionRule]

    def decision(self, model: str) -> Decision | None:
        """Return the final threshold of one of the fusion's own models."""
        folder = self.folder / "models" / "final" / model
        if not (folder / "chosen.json").is_file():
            return None
        return open_decisions(folder, (self.target,)).get(self.target.name)


def open_fused(folder: Path) -> FusedRun:
    """Open a finished fusion whose members are what they were.

    Raises
    ------
    ConfigError
        In one line: not finished, of another cardio-core, or a member was moved or changed since.
    """
    manifest = Manifest.open(folder).content
    if manifest.get("status") != "done":
        raise ConfigError(f"{folder}: this fusion is not finished; fuse again")
    require_whole(manifest, folder / "manifest.json")
    one = manifest["targets"][0]
    target = Target(one["name"], one["kind"], tuple(one["classes"]))
    n = int(manifest["data"]["n_patients"])
    far = kept_places(folder).get("members") or {}
    members = {row["label"]: _member(folder, row, n, far) for row in manifest["members"]}
    final = folder / "models" / "final"
    rules = {
        name: open_fusion(final / name, target)
        for name in (FUSION, BOTH)
        if (final / name).is_dir()
    }
    return FusedRun(folder, manifest, target, members, rules)


def _member(folder: Path, row: Mapping[str, Any], n: int, far: Mapping[str, str]) -> MemberRun:
    label = row["label"]
    run = Path(os.path.normpath(folder / far.get(label, row["run"])))
    if not (run / "manifest.json").is_file():
        raise ConfigError(
            f"{label}: its run is not at {run} any more; put it back there, or fuse again"
        )
    finished(run)
    now = digests_of(run)
    for what, words in (
        ("final_digest", "final models"), ("predictions_digest", "predictions"),
    ):  # fmt: skip
        if now[what] != row[what]:
            raise ConfigError(
                f"{label}: the {words} of {run} changed since they were fused; fuse again"
            )
    return MemberRun(
        label, run, row["model"], row["target"], row["event"], int(row["n_patients"]) == n
    )


_WORST = ("inside", "not judged", "borderline", "outside")


@dataclass
class Joining:
    """What the members say of each patient.

    Attributes
    ----------
    scores : dict of str to Series
        By label: the probability of the event by patient.
    withheld : dict of str to dict
        By label: why it says nothing of a patient.
    entries : dict of str to list of dict
        By label: the member's own answers as an answer lists them.
    """

    scores: dict[str, pd.Series] = field(default_factory=dict)
    withheld: dict[str, dict[str, str]] = field(default_factory=dict)
    entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def split_inputs(texts: Sequence[str], labels: Sequence[str]) -> dict[str, list[Path]]:
    """Return the inputs by label.

    Raises
    ------
    ConfigError
        What is not ``LABEL=INPUT`` with one of the labels.

    Examples
    --------
    >>> split_inputs(["ecg=a", "echo=b", "ecg=c"], ["ecg", "echo"])["ecg"]
    [PosixPath('a'), PosixPath('c')]
    """
    found: dict[str, list[Path]] = {}
    for text in texts:
        label, equals, rest = text.partition("=")
        if not equals or label not in labels:
            raise ConfigError(
                f"{text}: expected NAME=INPUT, with a name of {', '.join(labels)}: a fusion has to "
                "know which of its runs an input is for"
            )
        found.setdefault(label, []).append(Path(rest))
    return found


def predict_fused(
    run: Path,
    inputs: Sequence[str],
    *,
    device: str = "auto",
    explain_in: Path | None = None,
    accept_synthetic: bool = False,
    echo: Echo | None = None,
) -> dict[str, Any]:
    """Predict new patients by a fusion.

    Parameters
    ----------
    run : Path
        What `cardio fuse` wrote.
    inputs : sequence of str
        ``LABEL=INPUT`` for each modality that there is; ``clinical=TABLE`` where the fusion has a
        clinical model. Tables join patients by id; without one, one patient a modality is the same
        patient.
    device : str
    explain_in : Path, optional
        Each member explains in a folder of its own in there.
    accept_synthetic : bool
        As for `predict_new`; one member without decisions leaves the fusion without.
    echo : callable, optional

    Returns
    -------
    dict
        As `predict_new` returns it, with a row a patient: of the fused models, the mean, and each
        member. No verdict where a member says why it has none.

    Raises
    ------
    ConfigError
        A changed member, or an input for none of them.
    DataError
        Several patients without ids, or inputs that share no patient.
    """
    fused = open_fused(run)
    labels = [*fused.members, *([CLINICAL] if BOTH in fused.rules else [])]
    given = split_inputs(inputs, labels)
    made = Joining()
    answers: dict[str, dict[str, Any]] = {}
    for label, paths in given.items():
        if label == CLINICAL:
            made.scores[label] = score_new(run, paths, fused.manifest["covariates"], fused.target)
            continue
        member = fused.members[label]
        answers[label] = predict_new(
            member.run, tuple(paths), device=device, accept_synthetic=accept_synthetic, echo=echo,
            explain_in=None if explain_in is None else explain_in / SafeName(label),
        )  # fmt: skip
        _read(made, member, answers[label], fused.target)
    _join(made, given)
    rows = _answered(fused, made)
    about = _about(fused)
    answered = {row["model"] for row in rows} | {FUSION}
    models = {name: title for name, title in about["models"].items() if name in answered}
    withheld = any(one["decisions_withheld"] for one in answers.values())
    return about | {
        "models": models,
        "decisions_withheld": withheld,
        "predictions": without_decisions(rows) if withheld else rows,
        "notes": _notes(fused, made, answers),
        **_of_members(answers),
    }


def _read(made: Joining, member: MemberRun, answer: Mapping[str, Any], target: Target) -> None:
    """Take what a member's fused model says, one answer a patient."""
    own = [
        row for row in answer["predictions"]
        if row["model"] == member.model and row["target"] == member.target
    ]  # fmt: skip
    known = [row for row in own if row["no_verdict"] is None]
    rows = pd.DataFrame(
        {"patient_id": [str(row["patient_id"]) for row in known],
         "score": [float(row["scores"][member.event]) for row in known]}
    )  # fmt: skip
    once = one_a_patient(rows, ["patient_id"]).set_index("patient_id")["score"]
    made.scores[member.label] = once
    made.withheld[member.label] = {
        str(row["patient_id"]): f"{member.label}: {row['no_verdict']}"
        for row in own if str(row["patient_id"]) not in once.index
    }  # fmt: skip
    threshold = next((row["threshold"] for row in known if row["threshold"] is not None), None)
    source = next((row["threshold_source"] for row in known), None)
    made.entries[member.label] = [
        _entry(member.label, who, score, threshold, source, target) for who, score in once.items()
    ]


def _entry(
    label: str, who: object, score: float, threshold: float | None, source: Any, target: Target
) -> dict[str, Any]:
    decided = None if threshold is None else target.classes[int(score >= threshold)]
    scores = dict(zip(target.classes, (round(1 - score, 6), round(score, 6)), strict=True))
    return {
        "id": who, "recording_id": None, "patient_id": who, "level": "patient", "time_s": None,
        "model": label, "target": target.name, "scores": scores, "decided": decided,
        "threshold": threshold, "threshold_source": source, "no_verdict": None,
    }  # fmt: skip


def _join(made: Joining, given: Mapping[str, Sequence[Path]]) -> None:
    """Bring the patients of all inputs under one id each.

    Raises
    ------
    DataError
        Where nothing says who is whom.
    """
    people = {
        label: set(scores.index) | set(made.withheld.get(label, ()))
        for label, scores in made.scores.items()
    }
    people = {label: who for label, who in people.items() if who}
    if len(people) < 2:
        return
    named = {
        label for label in people if all(find_cohort_table(path) for path in given[label])
    }  # fmt: skip
    counts = ", ".join(f"{label} {len(who)}" for label, who in people.items())
    if len(named) < len(people):
        several = [label for label, who in people.items() if len(who) > 1]
        if several:
            raise DataError(
                f"patients: {counts}; without a cohort table in every input nothing says which of "
                "them are the same; give tables with patient_id, or one patient"
            )
        _rename_to(made, next((next(iter(people[label])) for label in named), "1"))
        return
    everyone = [who for group in people.values() for who in group]
    if len(everyone) == len(set(everyone)):
        raise DataError(
            f"patients: {counts}, and none of them is in two inputs; do they carry the same ids?"
        )


def _rename_to(made: Joining, name: str) -> None:
    for label, scores in made.scores.items():
        made.scores[label] = scores.set_axis([name] * len(scores))
        reasons = list(made.withheld.get(label, {}).values())
        made.withheld[label] = {name: reasons[0]} if reasons else {}
        for entry in made.entries.get(label, []):
            entry["id"] = entry["patient_id"] = name


def fused_frames(fused: FusedRun, scores: Mapping[str, pd.Series]) -> dict[str, pd.DataFrame]:
    """Return what a fusion makes of probabilities by label and patient, a frame a model.

    The fused models come first, then their mean, each member and the clinical model.
    """
    target = fused.target
    frames = {label: _frame(one, target) for label, one in scores.items()}
    members = {label: frame for label, frame in frames.items() if label in fused.members}
    empty = _frame(pd.Series(dtype=float), target)
    made: dict[str, pd.DataFrame] = {}
    if any(map(len, members.values())):
        for name, rule in fused.rules.items():
            if name == BOTH and not len(frames.get(CLINICAL, empty)):
                continue
            parts = {label: frames.get(label, empty) for label in rule.models}
            made[name] = rule.apply(side_by_side(parts, target, ()), target, name)
        made[MEAN] = _mean(members, target)
    return made | frames


def _answered(fused: FusedRun, made: Joining) -> list[dict[str, Any]]:
    """Return the rows of every model, the fusion's own first."""
    target = fused.target
    rows: list[dict[str, Any]] = []
    for name, frame in fused_frames(fused, made.scores).items():
        if name in fused.members:
            continue  # its answer has the threshold of its own run
        decision = fused.decision(name)
        decided = decision.apply(frame, target) if decision else [None] * len(frame)
        entries = rows_of(frame, target, name, decided, decision)
        rows += with_sets(entries, frame, target, open_rule(fused.folder, name, target.name))
    whole = [row | {"no_verdict": _why(made, row)} for row in rows]
    return [
        *(_emptied(row) for row in whole),
        *(entry for entries in made.entries.values() for entry in entries),
    ]


def _why(made: Joining, row: Mapping[str, Any]) -> str | None:
    if row["model"] == CLINICAL:
        return None
    found = [reasons.get(str(row["id"])) for reasons in made.withheld.values()]
    return "; ".join(filter(None, found)) or None


def _emptied(row: dict[str, Any]) -> dict[str, Any]:
    if row["no_verdict"] is None:
        return row
    return row | dict.fromkeys((key for key in ("scores", "decided", "set") if key in row), None)


def _frame(scores: pd.Series, target: Target) -> pd.DataFrame:
    known = scores.dropna()
    who = known.index.astype(str)
    return pd.DataFrame(
        {"unit_id": who, "recording_id": None, "study_id": None, "patient_id": who,
         "subject_id": who, "level": "patient", "time_s": None,
         f"score:{target.classes[0]}": 1 - known.to_numpy(float),
         f"score:{target.classes[1]}": known.to_numpy(float)}
    )  # fmt: skip


def _mean(members: Mapping[str, pd.DataFrame], target: Target) -> pd.DataFrame:
    score = f"score:{target.classes[1]}"
    rows = pd.concat(members.values(), ignore_index=True).rename(columns={score: "score"})
    once = one_a_patient(rows, ["unit_id"]).set_index("unit_id")["score"]
    return _frame(once, target)


def _about(fused: FusedRun) -> dict[str, Any]:
    manifest, target = fused.manifest, fused.target
    return {
        "run": fused.folder.name, "plugin": None, "task": manifest["task"],
        "title": manifest["task_title"],
        "targets": [{"name": target.name, "kind": target.kind, "classes": list(target.classes),
                     "unit": target.unit}],
        "models": {name: manifest["model_titles"][name] for name in manifest["models"]},
        "primary": FUSION, "synthetic_training": manifest["data"]["source"] == "synthetic",
        "worth": worth_of(fused.folder, tuple(manifest["models"])),
        "measurements": {}, "files": [], "files_summed": "",
    }  # fmt: skip


def _of_members(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the members said beside their predictions, each with its label."""
    judged: dict[str, dict[str, Any]] = {}
    for label, answered in answers.items():
        for one in answered.get("applicability") or []:
            told = f"{label}: {one['reasons']}" if one["reasons"] else ""
            before = judged.get(one["patient_id"])
            if before is None:
                judged[one["patient_id"]] = dict(one) | {"reasons": told, "percentile": None}
                continue
            before["verdict"] = max(before["verdict"], one["verdict"], key=_WORST.index)
            before["reasons"] = "; ".join(filter(None, (before["reasons"], told)))
    return {
        "applicability": list(judged.values()),
        "explanations": [one for answer in answers.values() for one in answer["explanations"]],
        "flags": {
            f"{label} {recording}": flags
            for label, answer in answers.items() for recording, flags in answer["flags"].items()
        },
        "quarantined": [
            row | {"recording_id": f"{label} {row['recording_id']}"}
            for label, answer in answers.items() for row in answer["quarantined"]
        ],
    }  # fmt: skip


def _notes(fused: FusedRun, made: Joining, answers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    notes = [f"{label}: {note}" for label, one in answers.items() for note in one["notes"]]
    everyone = {who for scores in made.scores.values() for who in scores.index}
    for label, member in fused.members.items():
        lacking = len(everyone - set(made.scores.get(label, pd.Series(dtype=float)).index))
        if not lacking:
            continue
        lack = "lacks" if lacking == 1 else "lack"
        said = f"{lacking} of {counted(len(everyone), 'patient')} {lack} {label}"
        if member.everybody:
            said += ", which everybody of the fusion had; its log odds count as 0 there"
        notes.append(f"{said}.")
    return notes


# External validation of a fusion: each member answers on the new patients, nothing is fitted.

RESAMPLES = 2000


@one_thread()
def evaluate_fused(
    run: Path,
    inputs: Sequence[str],
    asked: Asked,
    out: Path,
    *,
    device: str = "auto",
    echo: Echo | None = None,
    command: Sequence[str] = (),
) -> Path:
    """Validate a fusion on other patients, and write the page.

    Parameters
    ----------
    run : Path
        What `cardio fuse` wrote.
    inputs : sequence of str
        ``LABEL=PATH`` for each modality that there is: a cohort table with the outcome; and
        ``clinical=TABLE`` where the fusion has a clinical model.
    asked : Asked
        Site and subgroups are not asked of a fusion: its groups are who has which modality.
    out : Path
        A new or empty folder.
    device, echo, command
        As for a run.

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    ConfigError, DataError, LeakageError
        As for a run, of each member; patients whose outcome is told differently.
    """
    state_of(out, RunKind.EXTERNAL)
    fused = open_fused(run)
    given = split_inputs(inputs, [*fused.members, *([CLINICAL] if BOTH in fused.rules else [])])
    scores: dict[str, pd.Series] = {}
    truth: dict[str, pd.Series] = {}
    notes: list[Note] = []
    left: dict[str, Any] = {"left_out": 0, "by": "", "notes": [], "checked": True}
    for label, paths in given.items():
        if label == CLINICAL:
            scores[label] = score_new(run, paths, fused.manifest["covariates"], fused.target)
            continue
        rows, said = _external_member(fused.members[label], paths, asked, device, echo, left)
        scores[label], truth[label] = rows["score"], rows["y"]
        notes += [replace(one, text=f"{label}: {one.text}") for one in said]
    y = _one_truth(truth)
    known = {label: one[one.index.isin(y.index)] for label, one in scores.items()}
    scored = _scored(fused, known, y)
    has = pd.DataFrame({name: y.index.isin(known[name].index) for name in truth}, index=y.index)
    return _write(fused, scored, has, asked, out, notes, given, left, command, echo)


def _external_member(
    member: MemberRun,
    paths: Sequence[Path],
    asked: Asked,
    device: str,
    echo: Echo | None,
    left: dict[str, Any],
) -> tuple[pd.DataFrame, list[Note]]:
    """Return score and outcome by patient of one member, and what the reader has to know."""
    opened, notes = open_for(member.run, paths, asked, features_in=open_cache(), device=device)
    answered = answer(opened, paths, echo=echo, with_targets=True)
    new = truth_of(opened, answered)
    kept = training_of(member.run, list(opened.manifest.get("needs") or []))
    overlap = overlap_of(kept, new.prepared, other_people=asked.other_people)
    if not asked.leave_out:
        n = new.prepared.cohort.samples.table["patient_id"].nunique()
        guard_overlap(overlap, int(n), member.label)
    left["left_out"] += len(overlap.by)
    left["checked"] = left["checked"] and overlap.checked
    if overlap.words:
        left["by"] = listed([*filter(None, [left["by"]]), f"{member.label}: {overlap.words}"])
    scored = scored_of(opened, answered, new, overlap.recordings)
    frame = scored.frames[member.target]
    frame = frame[(frame["model"] == member.model) & frame["y_true"].notna()]
    rows = pd.DataFrame(
        {"patient_id": frame["patient_id"].astype(str),
         "score": frame[f"score:{member.event}"].astype(float),
         "y": (frame["y_true"] == member.event).astype(int)}
    )  # fmt: skip
    of_patient = rows.groupby("patient_id")["y"]
    mixed = of_patient.min() != of_patient.max()
    if mixed.any():
        raise DataError(
            f"{member.label}: {int(mixed.sum())} patients have both outcomes; give one a patient"
        )
    once = one_a_patient(rows, ["patient_id"]).set_index("patient_id")
    return once, [*Note.each(NoteKind.OUTCOME, notes), *answered.notes, *overlap.notes]


def _one_truth(truth: dict[str, pd.Series]) -> pd.Series:
    """Return the outcome by patient.

    Raises
    ------
    DataError
        No modality, or members that tell another outcome of the same patient.
    """
    if not truth:
        raise DataError("--data: expected NAME=PATH of a modality at least, found none")
    rows = pd.concat(truth.values())
    of_patient = rows.groupby(level=0)
    differ = of_patient.min() != of_patient.max()
    if differ.any():
        raise DataError(
            f"--data: {int(differ.sum())} patients have another outcome in one modality than in "
            "another; correct the tables"
        )
    if len(truth) > 1 and not rows.index.has_duplicates:
        counts = ", ".join(f"{label} {len(one)}" for label, one in truth.items())
        raise DataError(
            f"--data: none of the patients ({counts}) is in two modalities; do they carry the same "
            "ids?"
        )
    y: pd.Series = rows[~rows.index.duplicated()].sort_index()
    return y


def _scored(fused: FusedRun, scores: dict[str, pd.Series], y: pd.Series) -> Scored:
    target = fused.target
    words = np.asarray(target.classes, dtype=object)
    parts, sources = [], {}
    for name, frame in fused_frames(fused, scores).items():
        decision = fused.decision(name)
        threshold = decision.threshold if decision else 0.5
        sources[f"{name}/{target.name}"] = decision.source if decision else "fixed: one half"
        high = (frame[f"score:{target.classes[1]}"] >= threshold).to_numpy(int)
        parts.append(
            frame.assign(
                sample_id=None, model=name, repeat=0, fold=FINAL, predicted=words[high],
                y_true=words[y.loc[frame["unit_id"]].to_numpy(int)],
            )
        )  # fmt: skip
    return Scored({target.name: pd.concat(parts, ignore_index=True)}, sources)


def _write(
    fused: FusedRun,
    scored: Scored,
    has: pd.DataFrame,
    asked: Asked,
    out: Path,
    said: list[Note],
    given: dict[str, list[Path]],
    left: dict[str, Any],
    command: Sequence[str],
    echo: Echo | None,
) -> Path:
    manifest, target, seed = fused.manifest, fused.target, asked.seed
    frame = scored.frames[target.name]
    names = list(frame["model"].unique())
    titles = manifest["model_titles"]
    baselines = [name for name in manifest["baselines"] if name in names]
    task = Task(
        "fused", manifest["task_title"], "patient", (target,),
        tuple(Model(one, titles[one], baseline=one in baselines, partial=True) for one in names),
        primary=FUSION,
    )  # fmt: skip
    config = EvaluateBlock(level=asked.level, n_resamples=RESAMPLES)
    report = default_evaluate(scored, task, config, seed=seed)
    calibrated, refused = calibration_of(frame, target, task, config, seed)
    external = [*report.metrics, *calibrated]
    own = replace(scored, frames={target.name: frame[frame["model"].isin([FUSION, BOTH])]})
    covered, lacking = coverage_metrics(fused.folder, own, task, None, config, seed=seed)
    patterns = has.apply(
        lambda row: " and ".join(n for n, there in row.items() if there), axis=1
    ).rename("modalities")  # fmt: skip
    within, small = subgroup_metrics(scored, task, patterns.to_frame(), config, seed=seed)
    internal = [
        one for one in internal_metrics(fused.folder, task, config, seed)
        if one.scope.model in names
    ]  # fmt: skip
    whole = [*external, *covered]
    changed = changes(whole, internal)
    beside = recalibrations(scored, task, config, seed)
    rows = [one.to_dict() | {"protocol": EXTERNAL}
            for one in (*external, *covered, *changed, *within)]  # fmt: skip
    rows += [one.to_dict() | {"protocol": INTERNAL} for one in internal]
    counts = patterns.value_counts().rename_axis("modalities").reset_index(name="n_patients")
    tables = {
        **report.tables,
        "external-beside-internal": primary_first(
            beside_table(whole, internal, changed, task), task
        ),
        "external-coverage": primary_first(coverage_table(covered, task), task),
        "external-recalibration": primary_first(beside.table, task),
        "external-modalities": counts,
    }
    refusals = Note.each(NoteKind.NOT_COMPUTED, refused)
    notes = [*said, *report.notes, *refusals, *lacking, *small, *beside.notes]
    paths = [path for group in given.values() for path in group]
    about = _external_about(fused, scored, paths, out, left, command, seed, names, len(has))
    with filling(out, about, echo) as written:
        write_json(out / "recalibration.json", beside.rows)
        return publish(
            written, rows, {name: one for name, one in tables.items() if len(one)},
            {**report.figures, **beside.figures}, notes,
        )  # fmt: skip


def _external_about(
    fused: FusedRun,
    scored: Scored,
    paths: Sequence[Path],
    out: Path,
    left: dict[str, Any],
    command: Sequence[str],
    seed: int,
    names: Sequence[str],
    n: int,
) -> dict[str, Any]:
    made, target = fused.manifest, fused.target
    y = scored.frames[target.name].drop_duplicates("patient_id")["y_true"].value_counts()
    kept = ("task", "task_title", "papers", "model_titles", "primary", "targets", "outcome_column")
    entries: dict[str, Any] = {
        **{name: made.get(name) for name in kept},
        "models": list(names), "baselines": [one for one in made["baselines"] if one in names],
        "outcome": ", ".join(f"{int(y.get(one, 0))} {one}" for one in target.classes),
        "words": {**(made.get("words") or {}), **words_of_changes()},
        "protocols": [EXTERNAL, INTERNAL],
        "evaluated": {
            "run": fused.folder.resolve().name, "kind": "fused",
            "final_models": digest_of_final(fused.folder), "config": made.get("config_digest"),
            "data": made["data"].get("digest"), "source": made["data"].get("source"),
            "n_patients": made["data"].get("n_patients"), "core_version": made.get("core_version"),
        },
        "seed": seed,
        "data": {
            "source": "synthetic" if any(map(is_synthetic, paths)) else "real",
            "path_shown": shown_of(paths),
            "digest": digest([str(path) for path in paths]), "n_patients": n, "n_judged": n,
        },
        "quarantined": [], "excluded": {}, "flags": {}, "overlap": left,
    }  # fmt: skip
    entries["identity"] = digest([entries["evaluated"], entries["data"]["digest"]])
    return first_entries(RunKind.EXTERNAL, out.name, command, **entries)
