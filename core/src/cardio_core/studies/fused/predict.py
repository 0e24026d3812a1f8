"""New patients through a fusion: each member answers, and their answers are joined by patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.evaluation.fusion.rule import side_by_side
from cardio_core.io.cohort_rows import find_cohort_table
from cardio_core.report.words import counted
from cardio_core.runner.judging.judge import open_rule
from cardio_core.runner.predicting.new_patients import predict_new, rows_of, with_sets
from cardio_core.runner.progress import Echo
from cardio_core.studies.fused.clinical import score_new
from cardio_core.studies.fused.members import BOTH, CLINICAL, FUSION, MEAN
from cardio_core.studies.fused.scores import one_a_patient
from cardio_core.studies.fused.standing import FusedRun, MemberRun, open_fused
from cardio_core.types.file_names import SafeName
from cardio_core.types.info import Target

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
            member.run, tuple(paths), device=device, echo=echo,
            explain_in=None if explain_in is None else explain_in / SafeName(label),
        )  # fmt: skip
        _read(made, member, answers[label], fused.target)
    _join(made, given)
    rows = _answered(fused, made)
    about = _about(fused)
    answered = {row["model"] for row in rows} | {FUSION}
    models = {name: title for name, title in about["models"].items() if name in answered}
    return about | {
        "models": models,
        "predictions": rows,
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
        "measurements": {}, "files": [], "files_summed": "",
    }  # fmt: skip


def _of_members(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the members said beside their predictions, each with its label."""
    judged: dict[str, dict[str, Any]] = {}
    for label, answer in answers.items():
        for one in answer.get("applicability") or []:
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
