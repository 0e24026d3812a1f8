"""`cardio data check`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardio_core.cli import options
from cardio_core.cli.completion import plugin_names
from cardio_stats.errors import DataError

if TYPE_CHECKING:
    from cardio_core.runner.validate import Draft, Finding

_SHOWN, _MOST_WORDS = 60, 6


@click.command(cls=options.WithPluginOptions)
@click.argument("path", type=options.PATH)
@options.PLUGIN
@options.TASK
@options.outcome_options(
    "Column of the cohort table to predict.", "The value of that column that is predicted."
)
@options.COVARIATES
@options.with_layout
@options.CONFIG
@options.SETS
@options.EXECUTOR
@options.JSON
def check(path: Path, plugin: str, as_json: bool, **settings: Any) -> None:
    """List everything that is wrong with a cohort at once, and say who is in it.

    Every row of the table, every path and every recording under PATH is looked at, in processes;
    nothing is written. Recordings without an outcome are checked for `cardio measure`. Exits with
    3 where something is wrong with the table, a recording stands under two patients, or nothing is
    usable: there `cardio run` would stop.
    """
    from cardio_core.registry import require_installed
    from cardio_core.runner.request import RunRequest
    from cardio_core.runner.validate import check_data

    require_installed(plugin)
    own = options.given(plugin, settings["task"])
    request = RunRequest(plugin, data=(path,), device="cpu", given=own, **settings)
    answer = check_data(request, None if as_json else click.echo)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        _print(answer)
    if not answer["n_usable"]:
        rows = answer["quarantined"]
        first = f"; the first, {rows[0]['recording_id']}: {rows[0]['reason']}" if rows else ""
        raise DataError(f"{path.name}: expected recordings that can be used, found none{first}")
    stops = sum(finding["weight"] == "stops" for finding in answer["findings"])
    if stops:
        things = "1 thing" if stops == 1 else f"{stops} things"
        raise DataError(f"{path.name}: {things} to mend before cardio run; see the list")


def _print(answer: dict[str, Any]) -> None:
    from cardio_core.runner.validate import Finding, sentences

    found = [Finding(**finding) for finding in answer["findings"]]
    _list("To mend; cardio run stops at these:",
          _grouped([item for item in found if item.weight == "stops"]))  # fmt: skip
    _list(
        "Wrong paths; cardio run goes on without these recordings:",
        [item.line() for item in found if item.weight == "set aside" and item.kind == "path"],
    )
    hooks = {row["recording_id"]: row["hook"] for row in answer["quarantined"]}
    without = "" if answer["no_outcome"] else "; cardio run goes on without them"
    _list(f"Recordings that cannot be used{without}:",
          [f"{f'row {item.row}  ' if item.row else ''}quarantined  {item.who}  "
           f"{hooks.get(item.who, 'load')}: {item.says}"
           for item in found
           if item.weight == "set aside" and item.kind == "recording"])  # fmt: skip
    _list("Twice in the cohort:", [item.line() for item in found if item.weight == "noted"])
    _list("Without outcome:",
          [f"row {row['row']}, patient {row['patient_id']}: {row['reason']}"
           for row in answer["without_outcome"]])  # fmt: skip
    _list("Missing covariates:", [_covariate(row, answer) for row in answer["covariates"]])
    _list("Notes:", answer["notes"])
    # A recording that cannot be used stands above; a damaged file has none to stand for it.
    _list("Files that cannot be read, by their place among all:",
          [f"file {row['file']}: {row['why not']}" for row in answer["files"]
           if row["kind"] == "damaged" and not row["recording"]])  # fmt: skip
    click.echo(f"{answer['path']}:")
    for line in (*([answer["files_summed"]] if answer["files_summed"] else []), *sentences(answer)):
        click.echo(f"  {line}")


def _grouped(found: list[Finding]) -> list[str]:
    """Return a line for each finding; those that say the same of a column share one."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for entry in found:
        groups.setdefault((entry.column, entry.says), []).append(entry)
    lines = []
    for (column, says), group in groups.items():
        if not column or len(group) == 1:
            lines += [item.line() for item in group]
            continue
        words = Counter(item.cell[:40] for item in group).most_common()
        shown = [f"{word!r} in {n} row{'s'[: n != 1]}" for word, n in words[:_MOST_WORDS]]
        more = [f"{len(words) - _MOST_WORDS} more words"] if len(words) > _MOST_WORDS else []
        lines.append(
            f"{column}: {', '.join([*shown, *more])} (first in row {group[0].row}): {says}"
        )
    return lines


def _covariate(row: dict[str, Any], answer: dict[str, Any]) -> str:
    why = f" (read for {row['read_for']})" if row["read_for"] else ""
    if row["absent"]:
        return f"{row['column']}: no such column{why}"
    return f"{row['column']}: unknown in {row['n_missing']} of {answer['n_patients']} patients{why}"


def _list(title: str, lines: list[str]) -> None:
    if not lines:
        return
    click.echo(title)
    for line in lines[:_SHOWN]:
        click.echo(f"  {line}")
    if len(lines) > _SHOWN:
        click.echo(f"  and {len(lines) - _SHOWN} more (--json lists all)")


# `cardio data template`.


@click.command()
@click.argument("plugin", shell_complete=plugin_names)
@options.TASK
@click.option(
    "--from", "inputs", multiple=True, type=options.PATH, metavar="FOLDER",
    help="A row for each study found there, at any depth, in place of the example rows; "
    "repeatable.",
)  # fmt: skip
@options.path("--out", "The CSV to write; else it is printed.")
@options.JSON
def template(
    plugin: str, task: str | None, inputs: tuple[Path, ...], out: Path | None, as_json: bool
) -> None:
    """Write a cohort table to fill in: the columns that PLUGIN reads, and two example rows.

    With --from, a row for each study of a folder of recordings: patients get running numbers, paths
    start at the folder of the table, and the rest is yours to fill in. Columns that you do not have
    may go, and any others may be added: docs/cohort.md.
    """
    from cardio_core.io.cohort_template import PATIENT, table_csv, template_columns, template_csv
    from cardio_core.registry import require_installed
    from cardio_core.runner.request import find_task
    from cardio_core.runner.setup import open_with_defaults
    from cardio_stats.errors import ConfigError
    from cardio_stats.files import write_text

    require_installed(plugin)
    opened = open_with_defaults(plugin)
    chosen = find_task(opened, task)
    columns = template_columns(opened.info, chosen)
    if as_json:
        click.echo(json.dumps([vars(column) for column in columns], indent=2))
        return
    if inputs and out is None:
        raise ConfigError("--from: expected --out TABLE.csv, for paths start at the table's folder")
    if out is not None and out.exists():
        raise ConfigError(f"--out {out}: exists already; choose another name, nothing was written")
    if out is None:
        click.echo(template_csv(columns), nl=False)
        texts = ["Delete the two EXAMPLE rows when yours are in."]
    elif inputs:
        from cardio_core.runner.validate import draft

        made = draft(plugin, chosen.name, inputs, out, click.echo)
        rows = [{PATIENT: number, made.column: cell} for number, cell in made.rows]
        write_text(out, table_csv([column.name for column in columns], rows))
        texts = list(_found(made, plugin, inputs))
    else:
        write_text(out, template_csv(columns))
        texts = ["Delete the two EXAMPLE rows when yours are in."]
    wide = max(len(column.name) for column in columns)
    for column in columns:
        line = f"{column.name.ljust(wide)}  {column.holds}  ({column.read_for})"
        click.echo(line, err=out is None)
    if chosen.any_outcome:
        texts.append("An outcome of your own: a column of any name, and --outcome NAME.")
    if out is not None:
        texts.append(f"Then: cardio data check {out} --plugin {plugin} --task {chosen.name}")
    for line in texts:
        click.echo(line, err=out is None)


def _found(made: Draft, plugin: str, inputs: tuple[Path, ...]) -> Iterator[str]:
    """Yield what was found, and what is left to do."""
    from cardio_stats.words import counted

    yield (
        f"Found {counted(made.n_recordings, 'recording')} in {counted(len(made.rows), 'study')} of "
        f"{counted(made.n_patients, 'patient')}: a row a study, its recordings in {made.column}."
    )
    if made.n_refused:
        where = " ".join(map(str, inputs))
        yield (
            f"Without a row, because it cannot be used: {counted(made.n_refused, 'recording')}; "
            f"cardio data check {where} --plugin {plugin} says why."
        )
    if made.distinguished:
        yield "Studies were assigned to patients by the files; check that this is right."
    else:
        yield (
            "No file says whose it is, so each stands as a patient: give recordings of one person "
            "one patient_id, or that person is trained on and tested."
        )
    if made.several:
        yield (
            f"{counted(made.several, 'patient')} with several studies: timepoint says which is the "
            "baseline."
        )
    yield "The patients are numbered: put your study's own numbers there, never a name."
