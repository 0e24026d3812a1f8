"""`cardio data check`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from cardio_core.errors import DataError

_SHOWN = 60


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--plugin", required=True, help="Name of the plugin that reads the data.")
@click.option("--task", help="One of the plugin's tasks; its default task without this.")
@click.option("--outcome", metavar="COLUMN", help="Column of the cohort table to predict.")
@click.option("--positive", metavar="VALUE", help="The value of that column that is predicted.")
@click.option("--config", help="default, cpu, full, smoke, or a YAML file.")
@click.option("--set", "sets", multiple=True, metavar="A.B=V", help="Change one setting.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(
    path: Path,
    plugin: str,
    task: str | None,
    outcome: str | None,
    positive: str | None,
    config: str | None,
    sets: tuple[str, ...],
    as_json: bool,
) -> None:
    """Load and preprocess everything under PATH, and say what can be used and what cannot.

    Exits with 3 if nothing is usable. Nothing is written.
    """
    from cardio_core.registry import require_installed

    require_installed(plugin)
    asked = {"outcome": outcome, "positive": positive}
    answer = check_data(path, plugin, task, config, sets, quiet=as_json, **asked)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        _print(answer)
    if not answer["n_usable"]:
        rows = answer["quarantined"]
        first = f"; the first, {rows[0]['recording_id']}: {rows[0]['reason']}" if rows else ""
        raise DataError(f"{path.name}: no recording can be used{first}")


def check_data(
    path: Path,
    plugin: str,
    task: str | None,
    config: str | None,
    sets: tuple[str, ...],
    *,
    quiet: bool,
    outcome: str | None = None,
    positive: str | None = None,
) -> dict[str, Any]:
    """Return what of the recordings under a path a plugin can use, as `cardio data check` says it.

    Returns
    -------
    dict
        plugin, task, path, n_recordings, n_usable, n_quarantined, n_patients and n_samples of the
        usable ones, `usable` (recording_id, patient_id, n_samples), `quarantined` (recording_id,
        hook, reason), `notes`.
    """
    from cardio_core.context import Context
    from cardio_core.io.places import cache_dir
    from cardio_core.runner.preparing.features import UnusableCohortError, load_cohort
    from cardio_core.runner.preparing.outcome import with_outcome
    from cardio_core.runner.preparing.patient import make_patient
    from cardio_core.runner.progress import Progress
    from cardio_core.runner.request import RunRequest
    from cardio_core.runner.setup import find_data, set_up
    from cardio_core.types.samples import Quarantined

    asked: dict[str, Any] = {"outcome": outcome, "positive": positive}
    request = RunRequest(plugin, task, (path,), config, sets, device="cpu", **asked)
    setup = set_up(request)
    inputs = find_data(setup, request, cache_dir())
    setup = with_outcome(setup, inputs)
    predicted = setup.config.outcome.column
    ctx = Context(setup.task, cache=cache_dir(), outcome=predicted, _inputs=inputs)
    stages = setup.config.for_protocol(setup.protocols[0])
    usable: list[dict[str, Any]] = []
    notes: tuple[str, ...] = ()
    try:
        cohort, _ = load_cohort(setup.plugin, stages, ctx)
        notes, quarantined = cohort.notes, list(cohort.quarantined)
        groups = cohort.samples.table.groupby("patient_id", sort=True).indices
        progress = Progress("patients", len(groups), None if quiet else click.echo)
        for positions in groups.values():
            samples = cohort.samples.take(positions)
            made = make_patient(setup.plugin, stages, ctx, samples, featurize=False)
            found = () if made.samples is None else made.samples.table["recording_id"]
            n_samples = Counter(found)
            quarantined += made.quarantined
            refused = {row.recording_id for row in made.quarantined}
            for recording, patient in zip(
                samples.table["recording_id"], samples.table["patient_id"], strict=True
            ):
                n = n_samples[recording]
                row = {"recording_id": recording, "patient_id": patient, "n_samples": n}
                if recording in refused:
                    continue
                if n:
                    usable.append(row)
                else:
                    reason = "preprocess made no sample of it"
                    quarantined.append(Quarantined(recording, "preprocess", reason))
            progress.advance()
        progress.close()
    except UnusableCohortError as error:
        quarantined = list(error.quarantined)
    bad_ids = {row.recording_id for row in quarantined}
    return {
        "plugin": setup.plugin.info.name,
        "task": setup.task.name,
        "path": str(path),
        "n_recordings": len(usable) + len(bad_ids),
        "n_usable": len(usable),
        "n_quarantined": len(bad_ids),
        "n_patients": len({row["patient_id"] for row in usable}),
        "n_samples": sum(row["n_samples"] for row in usable),
        "usable": usable,
        "quarantined": [vars(row) for row in quarantined],
        "notes": list(notes),
    }


def _print(answer: dict[str, Any]) -> None:
    click.echo(
        f"{answer['path']}: {answer['n_usable']} of {answer['n_recordings']} recordings can be "
        f"used by {answer['plugin']} {answer['task']}: {answer['n_patients']} patients, "
        f"{answer['n_samples']} samples."
    )
    for row in answer["usable"][:_SHOWN]:
        click.echo(
            f"  usable       {row['recording_id']}  patient {row['patient_id']}, "
            f"{row['n_samples']} samples"
        )
    if len(answer["usable"]) > _SHOWN:
        click.echo(f"  usable       and {len(answer['usable']) - _SHOWN} more (--json lists all)")
    for row in answer["quarantined"]:
        click.echo(f"  quarantined  {row['recording_id']}  {row['hook']}: {row['reason']}")
    for note in answer["notes"]:
        click.echo(f"  note: {note}")
