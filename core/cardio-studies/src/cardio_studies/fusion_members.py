"""The members of a fusion: finished runs, each brought to one out-of-fold score a patient."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from cardio_core import runs
from cardio_core.api import Target
from cardio_stats.errors import ConfigError, DataError
from cardio_studies.ingest_columns import require_one_truth, truth_of_patients

# From the predictions of a patient's recordings and studies to one score of the patient.

CLIP = 1e-7
"""Probabilities are taken as no more certain than this, as in every aggregation of the core."""


def one_a_patient(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return one row for each value of `key`, with the mean logit of its scores.

    Parameters
    ----------
    rows : DataFrame
        The columns of `key`, score (a probability) and others, of which the first row stands.
    key : list of str

    Returns
    -------
    DataFrame
        In the order of first appearance, with n_units, how many rows a score is the mean of. A
        score of one row is that row's, digit for digit.

    Examples
    --------
    >>> rows = pd.DataFrame({"patient_id": ["a", "a", "b"], "score": [0.2, 0.8, 0.3]})
    >>> one_a_patient(rows, ["patient_id"])[["patient_id", "score", "n_units"]].values.tolist()
    [['a', 0.5, 2], ['b', 0.3, 1]]
    """
    odds = logit(np.clip(rows["score"].to_numpy(float), CLIP, 1 - CLIP))
    groups = rows.assign(_odds=odds).groupby(key, sort=False)
    found = groups.first()
    n_units = groups.size()
    mean = pd.Series(expit(groups["_odds"].mean()), found.index)
    found["score"] = found["score"].where(n_units == 1, mean)
    return found.drop(columns="_odds").assign(n_units=n_units).reset_index()


FUSION, MEAN, GUIDELINE = "fusion", "mean_log_odds", "guideline"
CLINICAL, BOTH = "clinical", "fusion_clinical"
RESERVED = (FUSION, MEAN, CLINICAL, BOTH, GUIDELINE)
"""Names of the models that a fusion adds to its members, which no member can have."""

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_IDS = ("sample_id", "study_id", "patient_id")


@dataclass(frozen=True)
class Member:
    """One run, and the model of it that is fused.

    Attributes
    ----------
    label : str
        How it is called.
    run : Path
    manifest : mapping
        Of the run.
    model : str
        Name in that run.
    target : Target
        Binary, as that run has it.
    rows : DataFrame
        One row a patient and repeat, in the order of the predictions: patient_id, subject_id,
        repeat, fold (its name in that run), y (0 or 1), score (probability of the event), decided
        (0 or 1, by the threshold of that run's fold), n_units (predictions behind the score).
    turned : bool
        Whether the event of the fusion is the first class of `target`, not the second.
    """

    label: str
    run: Path
    manifest: Mapping[str, Any]
    model: str
    target: Target
    rows: pd.DataFrame
    turned: bool = False

    @property
    def event(self) -> str:
        """The class of the run's own target whose probability `rows` holds."""
        return self.target.classes[0 if self.turned else 1]

    @property
    def title(self) -> str:
        """The model's title with the label before it."""
        titles: Mapping[str, str] = self.manifest.get("model_titles") or {}
        return f"{self.label}: {titles.get(self.model, self.model)}"

    @property
    def truth(self) -> pd.Series:
        """The outcome (0 or 1) by patient."""
        return self.rows.drop_duplicates("patient_id").set_index("patient_id")["y"]

    @property
    def n_repeats(self) -> int:
        """How often its folds were drawn."""
        return int(self.rows["repeat"].nunique())


def open_members(texts: Sequence[str], outcome: str | None = None) -> list[Member]:
    """Open the runs of a fusion.

    Parameters
    ----------
    texts : sequence of str
        ``RUN``, ``LABEL=RUN``, each with ``:MODEL`` behind it where not the primary model counts.
    outcome : str, optional
        Which target of runs that have several; the first that is a yes or no, without.

    Raises
    ------
    ConfigError
        Fewer than two, two of one label, no run, an unfinished run, one of another cardio-core,
        or one without this model or without the honest protocol.
    DataError
        A target that is no yes or no, or patients of both outcomes in one run.
    """
    if len(texts) < 2:
        raise ConfigError(f"fuse: expected two runs or more, found {len(texts)}")
    named = [_named(text) for text in texts]
    labels = [label for label, _, _ in named]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice}: two runs of this name; write NAME=RUN for one of them")
    return [_open(label, run, model, outcome) for label, run, model in named]


def _named(text: str) -> tuple[str, Path, str]:
    """Return label, run and model of what was typed; a folder's own name may hold a colon."""
    label, equals, rest = text.partition("=")
    rest = rest if equals else text
    path, model = Path(rest), ""
    if not path.exists() and ":" in rest:
        before, _, model = rest.rpartition(":")
        path = Path(before)
    if not path.is_dir():
        raise ConfigError(f"{path}: no such run; name a run directory")
    label = label if equals else path.resolve().name
    if label in RESERVED:
        raise ConfigError(
            f"{label}: a fusion has a model of this name; write NAME=RUN with another"
        )
    if not _LABEL.fullmatch(label):
        raise ConfigError(
            f"{label!r}: expected a name of letters, digits, '_', '.', '+' or '-'; write NAME=RUN"
        )
    return label, path, model


def _open(label: str, run: Path, model: str, outcome: str | None) -> Member:
    manifest = finished_member(run, honest=True)
    models = list(manifest.get("models") or [])
    model = model or str(manifest.get("primary") or next(iter(models), ""))
    if model not in models:
        raise ConfigError(f"{run}: has no model {model!r}; it has {', '.join(models) or 'none'}")
    target = _target(label, manifest, outcome)
    return Member(label, run, manifest, model, target, _rows(label, run, model, target))


def finished_member(run: Path, *, honest: bool = False) -> dict[str, Any]:
    """Return the manifest of a run that can be a member.

    Raises
    ------
    ConfigError
        In one line: no run, another cardio-core, not finished, or of a kind without predictions.
    """
    content = runs.finished(run, runs.RunKind.RUN, honest=honest)
    if not (run / "predictions.csv").is_file():
        raise ConfigError(f"{run}: holds no predictions to fuse; run its command again")
    return content


def _target(label: str, manifest: Mapping[str, Any], outcome: str | None) -> Target:
    found = [
        Target(
            target["name"],
            target["kind"],
            tuple(target["classes"]),
            target["unit"],
            tuple(target["unscored"]),
        )
        for target in manifest["targets"]
    ]
    if outcome is not None:
        found = [column for column in found if column.name == outcome]
        if not found:
            names = ", ".join(target["name"] for target in manifest["targets"])
            raise ConfigError(f"--outcome {outcome}: {label} does not predict it; it has {names}")
    binary = [column for column in found if column.kind == "binary"]
    if not binary:
        kinds = {"multiclass": "several classes", "continuous": "a number"}
        raise DataError(
            f"{label}: expected an outcome of two classes, found {found[0].name}, "
            f"{kinds.get(found[0].kind, found[0].kind)}; runs are fused on a yes or no"
        )
    return binary[0]


def _rows(label: str, run: Path, model: str, target: Target) -> pd.DataFrame:
    opened = runs.Run(run)
    table = opened.predictions
    chosen = (
        (table["protocol"] == "honest")
        & (table["model"] == model)
        & (table["target"] == target.name)
        & (table["event"] == target.classes[1])
    )
    table = table[chosen & table["y_true"].notna() & table["score"].notna()]
    if table.empty:
        raise DataError(
            f"{label}: model {model!r} has no out-of-fold prediction of {target.name} under the "
            "honest protocol; name another with RUN:MODEL"
        )
    y = (table["y_true"] == target.classes[1]).astype(int)
    truth_of_patients(label, table["patient_id"], y)
    rows = pd.DataFrame(
        {
            "patient_id": table["patient_id"],
            "repeat": table["repeat"].astype(int),
            "fold": table["fold"],
            "y": y,
            "score": table["score"].astype(float),
            "decided": (table["predicted"] == target.classes[1]).astype(int),
        }
    )
    made = one_a_patient(rows, ["repeat", "patient_id"])
    made["decided"] = _decided(made, opened, model, target)
    found = made["patient_id"].map(opened.subjects(model, target))
    return made.assign(subject_id=found.where(found.notna(), made["patient_id"]))


def _decided(rows: pd.DataFrame, run: runs.Run, model: str, target: Target) -> np.ndarray:
    """Return what the run decided; where a score is of several, its fold's threshold decides."""
    decided = rows["decided"].to_numpy(int)
    several = (rows["n_units"] > 1).to_numpy()
    for fold in rows.loc[several, "fold"].unique():
        rule = run.decision(fold, model, target)
        here = several & (rows["fold"] == fold).to_numpy()
        threshold = rule.threshold if rule is not None else 0.5
        decided[here] = rows.loc[here, "score"].to_numpy(float) >= threshold
    return decided


def renamed(member: Member, target: Target) -> Member:
    """Return a member whose outcome is told in the words of another; the event stays the event."""
    if member.target.classes == target.classes[::-1]:
        turned = member.rows.assign(
            y=1 - member.rows["y"],
            score=1 - member.rows["score"],
            decided=1 - member.rows["decided"],
        )
        return replace(member, rows=turned, turned=True)
    return member


# Members side by side: whose patients they share, and whether they speak of one outcome.

FEWEST_SHARED = 10
"""Patients whom a member must share with another one: below, nothing tells that ids are the same
people's."""


@dataclass(frozen=True)
class Joined:
    """All patients of all members.

    Attributes
    ----------
    members : tuple of Member
        Their outcomes are told alike.
    target : Target
        The first member's.
    patients : DataFrame
        Indexed by patient_id, sorted: subject_id (people linked in any member share one), y (0 or
        1), and a column of bool a label, whether that member scored the patient.
    notes : tuple of str
    """

    members: tuple[Member, ...]
    target: Target
    patients: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        """The members' names, in the order in which they were given."""
        return [member.label for member in self.members]

    @property
    def has(self) -> pd.DataFrame:
        """Who has a score of which member."""
        return self.patients[self.labels]


def join(members: Sequence[Member]) -> Joined:
    """Join members by patient.

    Raises
    ------
    DataError
        A member that shares fewer than ten patients with the others, patients whose outcome is
        told differently, or fewer than two patients of either outcome.
    """
    target = members[0].target
    alike = tuple(renamed(member, target) for member in members)
    truths = {member.label: member.truth for member in alike}
    _require_shared(truths)
    require_one_truth(truths, "fuse runs of one outcome (--outcome)")
    everyone = pd.concat(truths.values())
    y = everyone[~everyone.index.duplicated()].sort_index()
    n_events = int(y.sum())
    if min(n_events, len(y) - n_events) < 2:
        raise DataError(
            f"fuse: of {len(y)} patients {n_events} have {target.outcome}; at least 2 of either "
            "kind are needed"
        )
    patients = pd.DataFrame({"subject_id": _people(alike).reindex(y.index), "y": y})
    for label, own in truths.items():
        patients[label] = patients.index.isin(own.index)
    return Joined(alike, target, patients, tuple(_notes(members)))


def _require_shared(truths: dict[str, pd.Series]) -> None:
    for label, own in truths.items():
        others = {who for name, truth in truths.items() if name != label for who in truth.index}
        shared = len(others & set(own.index))
        if shared < FEWEST_SHARED:
            counts = ", ".join(f"{name} {len(item)}" for name, item in truths.items())
            raise DataError(
                f"fuse: {label} shares {shared} patients with the other runs (patients: {counts}), "
                f"fewer than {FEWEST_SHARED}; do their patients carry the same ids?"
            )


def _event(member: Member) -> str:
    return f"{member.target.name} = {member.target.classes[1]}"


def _people(members: Sequence[Member]) -> pd.Series:
    """Return the person behind each patient id: whom one member links, all do."""
    pairs = pd.concat([member.rows[["patient_id", "subject_id"]] for member in members])
    pairs = pairs.drop_duplicates().rename(columns={"subject_id": "subject_link"})
    people = runs.link_subjects(pairs)
    return pd.Series(people.to_numpy(), pairs["patient_id"].to_numpy()).groupby(level=0).first()


def _notes(members: Sequence[Member]) -> list[str]:
    notes = []
    first = members[0]
    for member in members[1:]:
        if (member.target.name, member.target.classes) != (first.target.name, first.target.classes):
            notes.append(
                f"The outcome is {_event(first)} in {first.label} and {_event(member)} in "
                f"{member.label}; every shared patient has the same in both."
            )
    for member in members:
        n = int((member.rows["n_units"] > 1).groupby(member.rows["patient_id"]).any().sum())
        if n:
            notes.append(
                f"{member.label}: {n} patients have several predictions; the mean of their log "
                "odds is the patient's score."
            )
    return notes


# The folds of a fusion, which all of its members share: new ones, or the sites of all.

LEAST_FOLDS, FOLDS = 2, 10
"""Of the weights: a few numbers are fitted in no time."""
OTHERWISE_DRAWN = 1_000_003
"""Added to the seed, so that no fold of a fusion is drawn as one of its members was."""


@dataclass(frozen=True)
class Folds:
    """Who is tested where.

    Attributes
    ----------
    of : DataFrame of str
        Indexed by patient, a column a repeat (0, 1, ...): the name of the fold that tests him.
    same : bool
        Whether these are the members' own: sites.
    plan : str
        The plan's name.
    sentence : str
        How they came about, in a sentence.
    """

    of: pd.DataFrame
    same: bool
    plan: str
    sentence: str

    @property
    def names(self) -> list[tuple[int, str]]:
        """Repeat and name of every fold, in order."""
        return [
            (int(repeat), name)
            for repeat in self.of.columns
            for name in sorted(self.of[repeat].unique(), key=_number)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the form of one protocol in splits.json."""
        return {
            "protocol": "honest", "plan": self.plan, "unit": "patient", "declared_overlap": None,
            "folds": [
                {
                    "name": name,
                    "train": sorted(self.of.index[self.of[repeat] != name]),
                    "test": sorted(self.of.index[self.of[repeat] == name]),
                }
                for repeat, name in self.names
            ],
        }  # fmt: skip


def shared_folds(joined: Joined, *, seed: int) -> Folds:
    """Return the folds in which a fusion is cross-validated.

    All patients are divided anew, as often as the member whose folds were drawn most often; linked
    patients stay together, and the outcome is balanced. Only where all members left out one site
    after the other, the fusion leaves out the same sites.

    Notes
    -----
    Stacking on the members' own folds would flatter: the weights that test a fold would be fitted
    on scores of models every one of which was trained on the very patients that are tested, and
    the tested scores come from models trained on the very patients that the weights are fitted on.
    Folds of its own cut across both. In pure noise (100 patients, 5 folds, 150 seeds, weights that
    cannot be negative) the mean AUC is 0.505 on the members' folds and 0.488 on others.
    """
    sites = {_plan_of(member) for member in joined.members} == {"sites"}
    found = split_alike(joined) if sites else None
    if found is not None:
        k = found[0].nunique()
        return Folds(
            found, True, "sites",
            f"As its members, the fusion is tested at each of {k} sites with weights of the "
            "others.",
        )  # fmt: skip
    y = joined.patients["y"]
    k = max(LEAST_FOLDS, min(FOLDS, int(y.sum()), int((1 - y).sum())))
    repeats = max(member.n_repeats for member in joined.members)
    table = joined.patients.reset_index(names="patient_id")
    table.index = pd.Index(table["patient_id"], name="sample_id")
    made = runs.plan_folds(
        runs.Nested(k, repeats), table, y.to_numpy(), protocol="honest", name="nested",
        seed=seed + OTHERWISE_DRAWN,
    )  # fmt: skip
    of = pd.DataFrame(index=table.index.rename("patient_id"), columns=range(repeats), dtype=object)
    for fold in made.folds:
        of.iloc[fold.test, fold.repeat] = fold.name
    again = f", {repeats} times" if repeats > 1 else ""
    return Folds(
        of, False, "nested",
        f"All patients were divided into {k} folds{again}, which cut across those of the runs.",
    )  # fmt: skip


def split_alike(joined: Joined) -> pd.DataFrame | None:
    """Return the members' own folds, None where they differ, or part people who are linked."""
    repeats = {member.n_repeats for member in joined.members}
    if len(repeats) > 1:
        return None
    own = [
        member.rows.pivot_table(
            index="patient_id", columns="repeat", values="fold", aggfunc="first"
        )
        for member in joined.members
    ]
    found = own[0]
    for other in own[1:]:
        both = found.index.intersection(other.index)
        if not found.loc[both].equals(other.loc[both]):
            return None
        found = pd.concat([found, other.drop(index=both)])
    found = found.loc[joined.patients.index]
    if found.isna().any(axis=None) or (found.nunique() < LEAST_FOLDS).any():
        return None
    people = found.groupby(joined.patients["subject_id"])
    if (people.min() != people.max()).any(axis=None):
        return None
    return found.set_axis(range(len(found.columns)), axis=1)


def _plan_of(member: Member) -> str | None:
    """Return the plan of a member's honest protocol, None where it keeps no folds."""
    split = runs.Run(member.run).artifact.splits.get("honest")
    return None if split is None else split.plan


def _number(name: str) -> int:
    return int(name.rpartition("f")[2])


# By what a member is known again: its place beside the fusion, and what it holds.


def place_of(member: Member, out: Path) -> dict[str, object]:
    """Return a member as the manifest of the fusion in `out` keeps it."""
    manifest = member.manifest
    return {
        "label": member.label,
        "run": runs.Run(member.run).place_from(out)[1],
        "name": member.run.resolve().name,
        "plugin": manifest.get("plugin"),
        "plugin_version": manifest.get("plugin_version"),
        "task": manifest.get("task"),
        "model": member.model,
        "title": member.title,
        "target": member.target.name,
        "event": member.event,
        "n_patients": int(member.rows["patient_id"].nunique()),
    } | digests_of(member.run)


def keep_members(members: Sequence[Member], writer: runs.RunWriter) -> None:
    """Keep for the owner alone where members lie whose place would tell more than it should."""
    places = {member.label: runs.Run(member.run).place_from(writer.folder) for member in members}
    if far := {label: place for label, (place, shown) in places.items() if shown != place}:
        writer.keep_places(members=far)


def digests_of(run: Path) -> dict[str, str | None]:
    """Return the SHA-256 of what a fusion takes from a run: predictions and final models."""
    predictions = run / "predictions.csv"
    return {
        "predictions_digest": runs.file_digest(predictions) if predictions.is_file() else None,
        "final_digest": runs.FinalModels(run).digest,
    }
