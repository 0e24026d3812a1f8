"""New patients through a fusion: each member answers, and their answers are joined by patient."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core import runs
from cardio_core.api import CohortTable, EvaluateBlock, Model, Note, Scored, Target, Task
from cardio_core.evaluation import FusionRule, side_by_side
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.files import SafeName
from cardio_stats.words import counted, listed
from cardio_studies.external_validation import Validation
from cardio_studies.fusion_members import (
    BOTH,
    CLINICAL,
    FUSION,
    MEAN,
    digests_of,
    finished_member,
    one_a_patient,
)
from cardio_studies.fusion_weights import score_new
from cardio_studies.ingest_columns import patient_frame, require_one_truth, truth_of_patients

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
    finals : FinalModels
    manifest : mapping
    target : Target
    members : mapping of str to MemberRun
    rules : mapping of str to FusionRule
        Final weights of the fused models.
    """

    finals: runs.FinalModels
    manifest: Mapping[str, Any]
    target: Target
    members: Mapping[str, MemberRun]
    rules: Mapping[str, FusionRule]

    @property
    def labels(self) -> list[str]:
        """What inputs can be for: the members, and the clinical model where there is one."""
        return [*self.members, *([CLINICAL] if BOTH in self.rules else [])]


def open_fused(folder: Path) -> FusedRun:
    """Open a finished fusion whose members are what they were.

    Raises
    ------
    ConfigError
        In one line: not finished, of another cardio-core, or a member was moved or changed since.
    """
    manifest = runs.finished(folder, runs.RunKind.FUSED)
    entry = manifest["targets"][0]
    target = Target(entry["name"], entry["kind"], tuple(entry["classes"]))
    n = int(manifest["data"]["n_patients"])
    far = runs.Run(folder).places.get("members") or {}
    finals = runs.FinalModels(folder)
    members = {row["label"]: _member(folder, row, n, far) for row in manifest["members"]}
    found = {name: finals.fusion(name, target) for name in (FUSION, BOTH)}
    rules = {name: rule for name, rule in found.items() if rule is not None}
    return FusedRun(finals, manifest, target, members, rules)


def _member(folder: Path, row: Mapping[str, Any], n: int, far: Mapping[str, str]) -> MemberRun:
    label = row["label"]
    run = Path(os.path.normpath(folder / far.get(label, row["run"])))
    if not (run / "manifest.json").is_file():
        raise ConfigError(
            f"{label}: its run is not at {run} any more; put it back there, or fuse again",
            code="missing",
        )
    finished_member(run)
    now = digests_of(run)
    for what, words in (
        ("final_digest", "final models"), ("predictions_digest", "predictions"),
    ):  # fmt: skip
        if now[what] != row[what]:
            raise ConfigError(
                f"{label}: the {words} of {run} changed since they were fused; fuse again",
                code="mismatch",
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
    executor: str = "local:1",
    explain_in: Path | None = None,
    accept_synthetic: bool = False,
    echo: runs.Echo | None = None,
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
    device, executor : str
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
    by_label = split_inputs(inputs, fused.labels)
    made = Joining()
    answers: dict[str, dict[str, Any]] = {}
    for label, paths in by_label.items():
        if label == CLINICAL:
            made.scores[label] = score_new(run, paths, fused.manifest["covariates"], fused.target)
            continue
        member = fused.members[label]
        answers[label] = runs.predict_new(
            member.run, tuple(paths), device=device, executor=executor,
            accept_synthetic=accept_synthetic, echo=echo,
            explain_in=None if explain_in is None else explain_in / SafeName(label),
        )  # fmt: skip
        _read(made, member, answers[label], fused.target)
    _join(made, by_label)
    rows = _answered(fused, made)
    about = _about(fused)
    answered = {row["model"] for row in rows} | {FUSION}
    models = {name: title for name, title in about["models"].items() if name in answered}
    withheld = any(answer["decisions_withheld"] for answer in answers.values())
    return about | {
        "models": models,
        "decisions_withheld": withheld,
        "predictions": runs.without_decisions(rows) if withheld else rows,
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


def _join(made: Joining, by_label: Mapping[str, Sequence[Path]]) -> None:
    """Bring the patients of all inputs under one id each."""
    people = {
        label: set(scores.index) | set(made.withheld.get(label, ()))
        for label, scores in made.scores.items()
    }
    people = {label: who for label, who in people.items() if who}
    if len(people) < 2:
        return
    named = {
        label for label in people
        if all(CohortTable.find(path) is not None for path in by_label[label])
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
    frames = {label: _frame(series, target) for label, series in scores.items()}
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
        rows += fused.finals.rows(name, frame, target)
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
    return patient_frame(known.index, known, target)


def _mean(members: Mapping[str, pd.DataFrame], target: Target) -> pd.DataFrame:
    score = f"score:{target.classes[1]}"
    rows = pd.concat(members.values(), ignore_index=True).rename(columns={score: "score"})
    once = one_a_patient(rows, ["unit_id"]).set_index("unit_id")["score"]
    return _frame(once, target)


def _about(fused: FusedRun) -> dict[str, Any]:
    manifest, target = fused.manifest, fused.target
    return {
        "run": fused.finals.run.name, "plugin": None, "task": manifest["task"],
        "title": manifest["task_title"],
        "targets": [{"name": target.name, "kind": target.kind, "classes": list(target.classes),
                     "unit": target.unit}],
        "models": {name: manifest["model_titles"][name] for name in manifest["models"]},
        "primary": FUSION, "synthetic_training": manifest["data"]["source"] == "synthetic",
        "worth": fused.finals.worth(tuple(manifest["models"])),
        "measurements": {}, "files": [], "files_summed": "",
    }  # fmt: skip


def _of_members(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the members said beside their predictions, each with its label."""
    judged: dict[str, dict[str, Any]] = {}
    for label, answered in answers.items():
        for verdict in answered.get("applicability") or []:
            reasons = f"{label}: {verdict['reasons']}" if verdict["reasons"] else ""
            before = judged.get(verdict["patient_id"])
            if before is None:
                judged[verdict["patient_id"]] = dict(verdict) | {
                    "reasons": reasons,
                    "percentile": None,
                }
                continue
            before["verdict"] = max(before["verdict"], verdict["verdict"], key=_WORST.index)
            before["reasons"] = "; ".join(filter(None, (before["reasons"], reasons)))
    return {
        "applicability": list(judged.values()),
        "explanations": [case for answer in answers.values() for case in answer["explanations"]],
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
    notes = [
        f"{label}: {note}" for label, answered in answers.items() for note in answered["notes"]
    ]
    everyone = {who for scores in made.scores.values() for who in scores.index}
    for label, member in fused.members.items():
        lacking = len(everyone - set(made.scores.get(label, pd.Series(dtype=float)).index))
        if not lacking:
            continue
        lack = "lacks" if lacking == 1 else "lack"
        sentence = f"{lacking} of {counted(len(everyone), 'patient')} {lack} {label}"
        if member.everybody:
            sentence += ", which everybody of the fusion had; its log odds count as 0 there"
        notes.append(f"{sentence}.")
    return notes


# External validation of a fusion: each member answers on the new patients, nothing is fitted.

RESAMPLES = 2000


@runs.one_thread()
def evaluate_fused(
    run: Path,
    inputs: Sequence[str],
    question: runs.Question,
    out: Path,
    *,
    device: str = "auto",
    executor: str = "local:1",
    echo: runs.Echo | None = None,
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
    question : Question
        Site and subgroups are not asked of a fusion: its groups are who has which modality.
    out : Path
        A new or empty folder.
    device, executor, echo, command
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
    runs.guard_place(out, runs.RunKind.EXTERNAL)
    fused = open_fused(run)
    by_label = split_inputs(inputs, fused.labels)
    scores: dict[str, pd.Series] = {}
    truth: dict[str, pd.Series] = {}
    notes: list[Note] = []
    left: dict[str, Any] = {"left_out": 0, "by": "", "notes": [], "checked": True}
    for label, paths in by_label.items():
        if label == CLINICAL:
            scores[label] = score_new(run, paths, fused.manifest["covariates"], fused.target)
            continue
        others = runs.answer_others(
            fused.members[label].run,
            paths,
            question,
            label=label,
            device=device,
            executor=executor,
            echo=echo,
        )
        overlap = others.overlap
        left["left_out"] += len(overlap.by)
        left["checked"] = left["checked"] and overlap.checked
        if overlap.words:
            left["by"] = listed([*filter(None, [left["by"]]), f"{label}: {overlap.words}"])
        rows = _of_patients(fused.members[label], others.scored)
        scores[label], truth[label] = rows["score"], rows["y"]
        notes += [replace(note, text=f"{label}: {note.text}") for note in others.notes]
    y = _one_truth(truth)
    known = {label: series[series.index.isin(y.index)] for label, series in scores.items()}
    scored = _scored(fused, known, y)
    has = pd.DataFrame({name: y.index.isin(known[name].index) for name in truth}, index=y.index)
    patterns = has.apply(
        lambda row: " and ".join(n for n, there in row.items() if there), axis=1
    ).rename("modalities")  # fmt: skip
    manifest, target = fused.manifest, fused.target
    names = list(scored.frames[target.name]["model"].unique())
    titles = manifest["model_titles"]
    baselines = [name for name in manifest["baselines"] if name in names]
    task = Task(
        "fused", manifest["task_title"], "patient", (target,),
        tuple(Model(n, titles[n], baseline=n in baselines, partial=True) for n in names),
        primary=FUSION,
    )  # fmt: skip
    config = EvaluateBlock(level=question.level, n_resamples=RESAMPLES)
    validation = Validation(
        run, manifest, task, scored, config, question.seed, patterns.to_frame(),
        with_sets=(FUSION, BOTH),
    )  # fmt: skip
    copied = (
        "task",
        "task_title",
        "papers",
        "model_titles",
        "primary",
        "targets",
        "outcome_column",
    )
    counts = y.map(dict(enumerate(target.classes))).value_counts()
    places = [path for group in by_label.values() for path in group]
    entries = {
        **{name: manifest.get(name) for name in copied}, "models": names, "baselines": baselines,
        "outcome": ", ".join(f"{int(counts.get(word, 0))} {word}" for word in target.classes),
        "data": {
            **runs.source_of(places), "digest": runs.digest([str(path) for path in places]),
            "n_patients": len(has), "n_judged": len(has),
        },
        "quarantined": [], "excluded": {}, "flags": {}, "overlap": left,
    }  # fmt: skip
    sizes = patterns.value_counts().rename_axis("modalities").reset_index(name="n_patients")
    return validation.publish(
        out, entries, notes, tables={"external-modalities": sizes}, command=command, echo=echo
    )


def _of_patients(member: MemberRun, scored: Scored) -> pd.DataFrame:
    """Return score and outcome by patient of the model that a member lends."""
    frame = scored.frames[member.target]
    frame = frame[(frame["model"] == member.model) & frame["y_true"].notna()]
    rows = pd.DataFrame(
        {"patient_id": frame["patient_id"].astype(str),
         "score": frame[f"score:{member.event}"].astype(float),
         "y": (frame["y_true"] == member.event).astype(int)}
    )  # fmt: skip
    truth_of_patients(member.label, rows["patient_id"], rows["y"])
    return one_a_patient(rows, ["patient_id"]).set_index("patient_id")


def _one_truth(truth: dict[str, pd.Series]) -> pd.Series:
    """Return the outcome by patient."""
    if not truth:
        raise DataError("--data: expected NAME=PATH of a modality at least, found none")
    require_one_truth(truth, "correct the tables")
    rows = pd.concat(truth.values())
    if len(truth) > 1 and not rows.index.has_duplicates:
        counts = ", ".join(f"{label} {len(series)}" for label, series in truth.items())
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
        decision = fused.finals.decision(name, target)
        threshold = decision.threshold if decision else 0.5
        sources[f"{name}/{target.name}"] = decision.source if decision else "fixed: one half"
        high = (frame[f"score:{target.classes[1]}"] >= threshold).to_numpy(int)
        parts.append(
            frame.assign(
                sample_id=None, model=name, repeat=0, fold="final", predicted=words[high],
                y_true=words[y.loc[frame["unit_id"]].to_numpy(int)],
            )
        )  # fmt: skip
    return Scored({target.name: pd.concat(parts, ignore_index=True)}, sources)
