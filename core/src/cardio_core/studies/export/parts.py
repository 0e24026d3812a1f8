"""Which files of a finished run leave it: a list of what `predict` opens, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio_core.errors import ConfigError
from cardio_core.io.atomic import write_json
from cardio_core.io.kept.models import APPLICABILITY as KEPT_RANGES
from cardio_core.io.kept.models import CHOSEN, CONFORMAL, SEEN
from cardio_core.runner.fitting.applicable import APPLICABILITY
from cardio_core.runner.judging.judge import rule_path
from cardio_core.runner.preparing.needs import kept_needs, open_kept_needs
from cardio_core.studies.export.rows import rows_in
from cardio_core.types.info import Task

KINDS = frozenset({".safetensors", ".json", ".skops", ".npz"})
"""Files of an artifact that can be looked into."""
STAYS = frozenset({"seen.json", "history.csv"})
"""The core's own files in an artifact: who was seen, and the course of the training."""
FEW = 5
"""Counts below this are not told."""


@dataclass(frozen=True)
class Chosen:
    """Which of a run's final models are exported.

    Attributes
    ----------
    models : tuple of str
        In the run's order.
    primary : str
    left_out : dict of str to str
        Why the others stay.
    with_rows : dict of str to str
        What of the exported models is made of patients' rows, where the user wants them so.
    """

    models: tuple[str, ...]
    primary: str
    left_out: dict[str, str]
    with_rows: dict[str, str]


def choose(
    run: Path,
    manifest: Mapping[str, Any],
    task: Task,
    asked: Sequence[str],
    *,
    with_patient_rows: bool,
) -> Chosen:
    """Say which models can leave, and why the others cannot.

    Raises
    ------
    ConfigError
        If there is no final model, an asked one is not there, or the primary one or an asked one
        is made of patients' rows and nobody said that these may leave.
    """
    final = run / "models" / "final"
    there = [name for name in manifest["models"] if (final / name / "artifact").is_dir()]
    if not there:
        raise ConfigError(f"{run}: expected final models in models/final, found none to export")
    strange = [name for name in asked if name not in there]
    if strange:
        raise ConfigError(
            f"--model {strange[0]}: no final model of {run} has this name; it has "
            f"{', '.join(there)}"
        )
    wanted = [name for name in there if not asked or name in asked]
    members = {one for name in wanted for one in task.model(name).fuses if one in there}
    wanted = [name for name in there if name in {*wanted, *members}]
    made_of = {name: why for name in wanted if (why := _made_of_rows(run, name, task))}
    first = asked[0] if asked else str(manifest.get("primary") or wanted[0])
    primary = first if first in wanted else wanted[0]
    if with_patient_rows:
        return Chosen(tuple(wanted), primary, {}, made_of)
    barred = next((name for name in (primary, *asked) if name in made_of), None)
    if barred is not None:
        free = [name for name in wanted if name not in made_of]
        other = f"export another (--model {free[0]})" if free else "train another model"
        which = "the primary model" if barred == primary and not asked else "the model"
        raise ConfigError(
            f"{run}: {which} {barred} is made of patients' rows ({made_of[barred]}) and would take "
            f"them along; {other}, or say --with-patient-rows if they may leave"
        )
    return Chosen(tuple(name for name in wanted if name not in made_of), primary, made_of, {})


def copy_models(run: Path, out: Path, chosen: Chosen, task: Task) -> None:
    """Write the files of the chosen models, what they need of earlier tasks, and their rules.

    Raises
    ------
    ConfigError
        If an artifact holds a file of a kind that cannot be looked into.
    """
    final = Path("models") / "final"
    for name in chosen.models:
        _copy_artifact(run / final / name / "artifact", out / final / name / "artifact")
        _write_seen(run / final / name / "artifact", out / final / name / "artifact")
        stored = CHOSEN.read(run / final / name / "chosen.json")
        kept = {key: stored[key] for key in ("candidate", "epochs", "decisions")}
        write_json(out / final / name / "chosen.json", {**kept, "notes": []})
        for target in task.targets_of(name):
            path = rule_path(run, name, target.name)
            if path.is_file():
                write_json(rule_path(out, name, target.name), _without_small(CONFORMAL.read(path)))
    used = {need.task for need in task.needs_of(chosen.models)}
    for earlier, rows in open_kept_needs(run).items():
        if earlier not in used:
            continue
        place = kept_needs(out) / earlier
        for row, artifact in rows.items():
            _copy_artifact(artifact, place / row)
        write_json(place / "rows.json", list(rows))
    if (run / APPLICABILITY).is_file():
        write_json(out / APPLICABILITY, KEPT_RANGES.read(run / APPLICABILITY))


def _made_of_rows(run: Path, name: str, task: Task) -> str:
    """Say what of a model, its members or its earlier tasks is made of patients' rows."""
    for member in task.model(name).fuses:
        artifact = run / "models" / "final" / member / "artifact"
        if artifact.is_dir() and (why := _made_of_rows(run, member, task)):
            return f"it fuses {member}: {why}"
    used = {need.task for need in task.needs_of([name])}
    for earlier, rows in open_kept_needs(run).items():
        for row, artifact in rows.items():
            if earlier in used and (why := rows_in(artifact, _sizes(artifact))):
                return f"it needs {row} of {earlier}: {why}"
    artifact = run / "models" / "final" / name / "artifact"
    return rows_in(artifact, _sizes(artifact))


def _sizes(artifact: Path) -> set[int]:
    path = artifact / "seen.json"
    return {len(SEEN.read(path)["subjects"])} if path.is_file() else set()


def _copy_artifact(source: Path, to: Path) -> None:
    to.mkdir(parents=True)
    for path in _leaving(source):
        place = to / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def _leaving(artifact: Path) -> Iterator[Path]:
    for path in sorted(artifact.rglob("*")):
        if not path.is_file() or path.name in STAYS:
            continue
        if path.suffix not in KINDS:
            raise ConfigError(
                f"{path.parent.parent.name}: its artifact holds {path.name}, expected "
                f"{', '.join(sorted(KINDS))} alone; a file of another kind cannot be looked into "
                "for patients, leave the model out (--model)"
            )
        yield path


def _write_seen(artifact: Path, to: Path) -> None:
    """Write how many were seen, in the place of who."""
    [n] = _sizes(artifact) or {0}
    write_json(to / "seen.json", {"subjects": [], "n_subjects": n, "told": False})


def _without_small(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a conformal rule whose classes of few patients say "fewer than five" (4)."""
    counts: Iterable[int] = rule.get("class_patients") or ()
    return {**rule, "class_patients": [FEW - 1 if 0 < n < FEW else n for n in counts]}
