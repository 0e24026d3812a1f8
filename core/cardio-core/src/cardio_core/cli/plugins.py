"""`cardio plugins`."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict, replace
from importlib.util import find_spec
from itertools import groupby
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from cardio_core.cli import options
from cardio_core.cli.completion import plugin_names, task_names
from cardio_core.errors import ConfigError, ContractError
from cardio_core.types.info import PluginInfo, Target, Task
from cardio_stats.cli.lazy import LazyGroup
from cardio_stats.files import SafeName, whole_directory

if TYPE_CHECKING:
    from cardio_core.io.cohort_template import TemplateColumn
    from cardio_core.registry.settings import Setting
    from cardio_core.testing import Verdict


@click.group(cls=LazyGroup, words="plugins")
def plugins() -> None:
    """What is installed, and what it can do."""


@plugins.command("list")
@options.JSON
def list_(as_json: bool) -> None:
    """List every installed plugin; a broken one with its reason."""
    from cardio_core.compute.resource_errors import install_plugin
    from cardio_core.registry import list_plugins

    found = list(list_plugins())
    if as_json:
        click.echo(json.dumps([plugin.to_dict() for plugin in found], indent=2))
        return
    if not found:
        click.echo(f"No plugin is installed. Install one: {install_plugin()}")
    for plugin in found:
        click.echo(f"{plugin.name}  {plugin.version}  ({plugin.distribution})")
        if plugin.info:
            click.echo(f"    {plugin.info.title}")
            click.echo(f"    tasks: {', '.join(task.name for task in plugin.info.tasks)}")
        else:
            click.echo(f"    broken: {plugin.reason}")
        for fault in plugin.more:
            click.echo(f"    and: {fault}")


# `cardio plugins check`.


@click.command()
@click.argument("name", shell_complete=plugin_names)
@click.option(
    "--task", "tasks", multiple=True, shell_complete=task_names,
    help="One of its tasks, or several; all without.",
)  # fmt: skip
@click.option(
    "--quick", is_flag=True, help="Try the hooks on a few patients, in place of whole runs."
)
@click.option("--truth", is_flag=True, help="Chance and truth over whole runs, too; takes longer.")
@click.option("--patients", type=click.IntRange(2), help="Patients of the synthetic cohort.")
@options.SETS
@options.JSON
def check(
    name: str, tasks: tuple[str, ...], quick: bool, truth: bool, patients: int | None,
    sets: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Check whether the plugin NAME keeps its contract, on its own synthetic cohort.

    The same checks as those of `cardio_core.testing.PluginContract`, without pytest. Exits with 1
    if one of them fails. --quick runs nothing and tries every hook on a few patients, after each
    step of writing a plugin. Runs name the verdict on their pages until the plugin's code changes;
    that of --quick alone is kept where a check fails.
    """
    if quick and truth:
        raise ConfigError("--quick runs nothing and --truth whole runs; leave one of them out")
    from cardio_core.registry import open_plugin
    from cardio_core.runner.contract import keep_verdict
    from cardio_core.testing import Sizes, check_plugin

    about = open_plugin(name)
    sizes = Sizes(
        n_patients=patients or (24 if truth else 12),
        sets={task.name: sets for task in about.info.tasks},
    )

    def tell(line: str) -> None:
        click.echo(f"... {line}", err=as_json)

    found: list[Verdict] = []
    # What a plugin prints must not get between the lines of JSON.
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        for verdict in check_plugin(name, tasks, quick=quick, truth=truth, sizes=sizes, tell=tell):
            if not as_json:
                click.echo(_line(verdict, {item.text for item in found}))
            found.append(verdict)
    failed = [verdict for verdict in found if verdict.failed]
    unchecked = [verdict for verdict in found if not verdict.checked]
    if failed or not quick:
        keep_verdict(about, tasks or sizes.sets, passed=not failed)
    if as_json:
        rows = [asdict(replace(item, seconds=round(item.seconds, 2))) for item in found]
        answer = {
            "plugin": name,
            "version": about.version,
            "passed": not failed,
            "n_checks": len(found),
            "n_failed": len(failed),
            "n_not_checked": len(unchecked),
            "verdicts": rows,
        }
        click.echo(json.dumps(answer, indent=2))
    if failed:
        raise ContractError(
            f"{name} fails {len(failed)} of {len(found)} checks; the first: {failed[0].name}"
        )
    if not as_json:
        what = f"the {len(found)} checks without a run" if quick else f"all {len(found)} checks"
        if unchecked:
            what = f"{len(found) - len(unchecked)} of {len(found)} checks; the others were not made"
        click.echo(f"{name} {about.version} passes {what}.")


def _line(verdict: Verdict, texts: set[str]) -> str:
    """Return a verdict as people read it; a reason that was given before is not repeated."""
    where = f"{verdict.task}: " if verdict.task else ""
    line = f"{verdict.seconds:6.1f} s  {where}{verdict.name}"
    if verdict.advised:
        return f"look {line}\n     {verdict.text}"
    if verdict.passed:
        return f"ok   {line}"
    if not verdict.checked:
        return f"--   {line}\n     not checked: {verdict.text}"
    known = (verdict.cause or verdict.text) in texts
    return f"FAIL {line}\n     {'not checked, for the same reason' if known else verdict.text}"


# `cardio plugins info`.

_WIDTH = 100
_NUMBERED = re.compile(r"\d+$")


@click.command()
@click.argument("name", shell_complete=plugin_names)
@click.option(
    "--task",
    shell_complete=task_names,
    help="With --settings or --columns: one task; else the default one.",
)
@click.option("--settings", is_flag=True, help="Every setting: values, defaults, what it does.")
@click.option("--columns", is_flag=True, help="Every column of a cohort table that is read.")
@options.JSON
def info(name: str, task: str | None, settings: bool, columns: bool, as_json: bool) -> None:
    """Describe one plugin: its tasks, models, targets, needs, configurations and papers.

    With --settings or --columns: what may be set for a task, or what its cohort table may hold.
    """
    from cardio_core.config import named_configs
    from cardio_core.registry import open_plugin
    from cardio_core.runner.request import find_task

    plugin = open_plugin(name)
    about = plugin.info
    if settings or columns:
        chosen = find_task(plugin, task)
        found: dict[str, list[Any]] = {}
        if settings:
            found["settings"] = _settings(about, chosen)
        if columns:
            found["columns"] = _columns(about, chosen)
        if as_json:
            rows = {name: [_plain(row) for row in rows] for name, rows in found.items()}
            click.echo(json.dumps(rows, indent=2))
            return
        click.echo(f"{about.name} {plugin.version}, task {chosen.name}: {chosen.title}")
        for name, rows_of in found.items():
            click.echo(f"\n{_HEADS[name]}")
            for row in rows_of:
                for line in _LINES[name](row):
                    click.echo(line)
        return
    configs = list(named_configs(about.configs))
    if as_json:
        click.echo(json.dumps(_as_dict(about, plugin.version, configs), indent=2))
        return
    click.echo(f"{about.name} {plugin.version}: {about.title}")
    for entry in about.tasks:
        default = " (default)" if entry.name == about.default_task else ""
        click.echo(f"\n  task {entry.name}{default}: {entry.title}, by {entry.unit}")
        for line in _target_lines(entry.targets):
            click.echo(f"    target {line}")
        for model in entry.models:
            click.echo(f"    model {model.name}: {model.title}")
        for need in entry.needs:
            users = f", for {', '.join(need.models)}" if need.models else ""
            click.echo(f"    needs {need.task}, of {need.patients} patients{users}")
        if entry.plans:
            click.echo(f"    split plans: nested, holdout, {', '.join(entry.plans)}")
        for option in entry.options:
            click.echo(f"    option {option.metavar}: {option.help}")
    click.echo(f"\n  configurations: {', '.join(configs)}")
    for paper in about.papers:
        click.echo(f"  cite: {paper}")
    some = (
        f" [--task {'|'.join(item.name for item in about.tasks)}]" if len(about.tasks) > 1 else ""
    )
    for more in ("settings", "columns"):
        click.echo(f"  {more}: cardio plugins info {name} --{more}{some}")


def _target_lines(targets: Sequence[Target]) -> Iterator[str]:
    """Yield a line a target; targets that differ by their last number alone share one."""
    kinds = {
        target.name: f"{target.kind} ({', '.join(target.classes) or target.unit})"
        for target in targets
    }
    for (_, kind), run in groupby(kinds, lambda name: (_NUMBERED.sub("", name), kinds[name])):
        names = list(run)
        if len(names) > 1:
            yield f"{names[0]} ... {names[-1]}: {len(names)}, each {kind}"
        else:
            yield f"{names[0]}: {kind}"


def _settings(about: PluginInfo, task: Task) -> list[Setting]:
    from cardio_core.registry.settings import settings_of

    return list(settings_of(about, task))


def _columns(about: PluginInfo, task: Task) -> list[TemplateColumn]:
    from cardio_core.io.cohort_template import template_columns

    return template_columns(about, task)


def _plain(row: Any) -> dict[str, object]:
    """Return a row as JSON holds it."""
    return {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in vars(row).items()
    }


def _setting_lines(setting: Setting) -> Iterator[str]:
    from cardio_core.registry.settings import other_lines, setting_words, shown, usual_lines

    usual = usual_lines(setting)
    others = "".join(
        f"; {shown(value)} in {name}"
        for name, value in setting.elsewhere.items()
        if not isinstance(value, Mapping)
    )
    yield _filled(
        f"{setting.path}{'' if usual else f' = {shown(setting.default)}'}{others}", 2, more=6
    )
    yield _filled(setting_words(setting), 6)
    for line in usual:
        yield _filled(line, 8, more=4)
    for name in setting.elsewhere:
        if different := other_lines(setting, name):
            yield f"      in {name}:"
            for line in different:
                yield _filled(line, 8, more=4)


def _column_lines(template_column: TemplateColumn) -> Iterator[str]:
    from cardio_core.registry.settings import column_words

    yield f"  {template_column.name}"
    yield _filled(column_words(template_column), 6)


def _filled(text: str, indented: int, more: int = 0) -> str:
    """Return a text in lines of the page's width; `more` sets those after the first further in."""
    return textwrap.fill(
        text, _WIDTH, initial_indent=" " * indented, subsequent_indent=" " * (indented + more),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


_HEADS = {
    "settings": "Settings (--set PATH=VALUE, or a YAML file for --config), with their defaults:",
    "columns": "Columns of the cohort table (cardio data template writes one):",
}
_LINES: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "settings": _setting_lines, "columns": _column_lines,
}  # fmt: skip


def _as_dict(about: PluginInfo, version: str, configs: list[str]) -> dict[str, object]:
    return {
        "name": about.name,
        "version": version,
        "title": about.title,
        "default_task": about.default_task,
        "configs": configs,
        "papers": list(about.papers),
        "tasks": [
            {
                "name": task.name,
                "title": task.title,
                "unit": task.unit,
                "targets": [vars(target) for target in task.targets],
                "models": [vars(model) for model in task.models],
                "needs": [vars(need) for need in task.needs],
                "plans": ["nested", "holdout", *task.plans],
                "options": [vars(option) for option in task.options],
            }
            for task in about.tasks
        ],
    }


# `cardio plugins new`: the template, under other names.

TEMPLATE = Path(__file__).parents[1] / "template"
NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_PACKAGE = "src/cardio_my_modality/"
_KINDS = {"signal": "pulse traces", "image": "pictures", "table": "measurements"}
_ABSENT = {
    "signal": (),
    "image": ("signal/", "my_task/preprocess.py"),
    "table": (
        "signal/", "networks/", "my_task/preprocess.py", "my_task/train.py", "my_task/predict.py",
        "my_task/config.py", "my_task/sheet.py",
    ),
}  # fmt: skip
"""What of the template, which is for signals, others do without; `template/kinds` has theirs."""


@click.command()
@click.argument("name")
@click.option(
    "--kind", type=click.Choice(list(_KINDS)), default="signal", show_default=True,
    help="What a recording is.",
)  # fmt: skip
@click.option("--task", default="finding", show_default=True, help="Name of the task.")
@click.option("--target", help="Column of what is predicted.  [default: the task's name]")
@click.option(
    "--target-kind", type=click.Choice(["binary", "multiclass", "continuous"]), default="binary",
    show_default=True, help="What the target is.",
)  # fmt: skip
@click.option(
    "--unit", type=click.Choice(["patient", "study", "recording", "event"]), default="patient",
    show_default=True, help="What carries the target; events are of signals alone.",
)  # fmt: skip
@click.option("--path", help="Column of the recordings.  [default: path_KIND]")
@options.JSON
def new(name: str, as_json: bool, **about: Any) -> None:
    """Make a plugin in the new folder NAME, which can be installed and runs as it is."""
    made = new_plugin(name, Path(), **about)
    plugin = name.replace("-", "_")
    n_files = sum(path.is_file() for path in made.rglob("*"))
    lines = (
        f"{made}: {n_files} files. Next:",
        f"  pip install -e ./{made}",
        f"  cardio plugins check {plugin}",
        f"  cardio run --plugin {plugin}",
    )
    answer = {"plugin": plugin, "folder": str(made), "n_files": n_files}
    options.show(answer, lines, as_json=as_json)


def new_plugin(
    name: str,
    folder: Path,
    *,
    kind: str = "signal",
    task: str = "finding",
    target: str | None = None,
    target_kind: str = "binary",
    unit: str = "patient",
    path: str | None = None,
) -> Path:
    """Write an installable plugin into a new folder.

    Parameters
    ----------
    name : str
        Small letters and digits, with single ``_`` or ``-`` between words. The distribution is
        ``cardio-NAME`` with hyphens, package and entry point have underscores.
    folder : Path
        Where the folder ``NAME`` is made.
    kind : {"signal", "image", "table"}
        What a recording is: a trace, a picture, or a file of named measurements.
    task, target : str
        Names of the task, which is also that of its folder, and of the column that it predicts;
        the target has the name of the task unless it has its own.
    target_kind : {"binary", "multiclass", "continuous"}
        Of the target.
    unit : {"patient", "study", "recording", "event"}
        What carries the target; events are of signals alone.
    path : str, optional
        Column of the recordings, ``path_...``.

    Returns
    -------
    Path
        The new folder.

    Raises
    ------
    ConfigError
        If a name is none, is taken by an installed package, or the folder is there.

    Examples
    --------
    >>> new_plugin("PPG", Path())
    Traceback (most recent call last):
        ...
    cardio_stats.errors.ConfigError: expected a name of small letters and digits with single _ or \
- between words, found 'PPG'; ppg_rhythm would do
    """
    if not NAME.fullmatch(name) or SafeName(name) != name:  # con is a device of Windows
        raise ConfigError(
            "expected a name of small letters and digits with single _ or - between words, found "
            f"{name!r}; ppg_rhythm would do"
        )
    module = name.replace("-", "_")
    if find_spec(f"cardio_{module}") is not None:
        cure = f"pip uninstall cardio-{module.replace('_', '-')}"
        or_else = "" if module == "core" else f", or make room for a new one first: {cure}"
        raise ConfigError(
            f"a package cardio_{module} is installed already; choose another name{or_else}"
        )
    if unit == "event" and kind != "signal":
        raise ConfigError(f"--unit event: a {kind} has no events; take --kind signal")
    named = {
        "my_task": _identifier("--task", task, "rhythm"),
        "path_my_recording": _identifier("--path", path or f"path_{kind}", "path_trace"),
        "my_target": _identifier("--target", target or task, "rhythm"),
        "MY_TASK": task.upper(),
        "my_modality": module,
        "my-modality": module.replace("_", "-"),
    }
    made = folder / name
    if made.exists():
        raise ConfigError(f"{name}: expected no such folder, found one; choose another name")
    files = _files_of(kind, unit, target_kind)
    if any(file.startswith(f"{_PACKAGE}{task}/") for file in files):
        raise ConfigError(f"--task {task}: the plugin has a folder {task} already; name it rhythm")

    def write(out: Path) -> None:
        for file, text in files.items():
            texts = [file, text]
            for old, new in named.items():
                texts = [item.replace(old, new) for item in texts]
            place = out / texts[0]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(texts[1], encoding="utf-8")

    whole_directory(made, write)
    return made


def _identifier(option: str, name: str, example: str) -> str:
    """Return a name that can be one of Python's; that of a column of recordings begins path_."""
    begin = "path_" if option == "--path" else ""
    if not re.fullmatch(rf"{begin}[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or iskeyword(name):
        raise ConfigError(
            f"{option}: expected {begin}small letters and digits with single _ between words, "
            f"found {name!r}; {example} would do"
        )
    return name


def _files_of(kind: str, unit: str, target_kind: str) -> dict[str, str]:
    """Return the template's files for a kind of recording, unit and target, by path."""
    files = {
        file: text.replace(_KINDS["signal"], _KINDS[kind])
        for file, text in _texts_in(TEMPLATE).items()
        if not file.startswith(("kinds/", *(_PACKAGE + absent for absent in _ABSENT[kind])))
        and file != "variants.yaml"
    }
    others = _texts_in(TEMPLATE / "kinds" / kind)
    files |= {f"{_PACKAGE}{file}": text for file, text in others.items()}
    variants = yaml.safe_load((TEMPLATE / "variants.yaml").read_text(encoding="utf-8"))
    for item in (*variants[unit], *variants[target_kind]):
        file = item["file"].removeprefix("../../")
        file = file if file != item["file"] else _PACKAGE + file
        if file not in files:
            continue
        if files[file].count(item["old"]) != 1:
            raise ValueError(f"{file} of the template lacks {item['old']!r}, or has it twice")
        files[file] = files[file].replace(item["old"], item["new"])
    here = {file.removeprefix(_PACKAGE).partition("/")[0] for file in files}
    lines = files["README.md"].splitlines(keepends=True)
    gone = [line for line in lines if (row := _FOLDER.match(line)) and row[1] not in here]
    files["README.md"] = "".join(line for line in lines if line not in gone)
    return files


_FOLDER = re.compile(r"\| `([a-z_]+)/` \|")


def _texts_in(folder: Path) -> dict[str, str]:
    """Return the texts of a folder's files by their paths in it."""
    return {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix != ".pyc"
    }
