"""`cardio doctor`."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import click

from cardio_stats.cli.options import JSON
from cardio_stats.errors import CardioError


@click.command()
@JSON
def doctor(as_json: bool) -> None:
    """Say what is installed, which devices are there, what is missing and how to get it.

    Exits with 1 only if the core itself is broken.
    """
    findings = examine()
    if as_json:
        click.echo(json.dumps(findings, indent=2))
    else:
        for line in _lines(findings):
            click.echo(line)
    if findings["core"]["missing"] or findings["core"]["problem"]:
        sys.exit(1)


def examine() -> dict[str, Any]:
    """Return everything that `cardio doctor` looks at, ready for JSON."""
    import os
    import platform

    from cardio_core.io.datasets import data_folder
    from cardio_core.io.store import cache_dir
    from cardio_core.registry import list_plugins

    folder = data_folder()
    cache = cache_dir()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "core": _core(),
        "script": _script(),
        "machine": _machine(),
        "extras": _extras(),
        "plugins": [plugin.to_dict() for plugin in list_plugins()],
        "allowed": os.environ.get("CARDIO_PLUGINS"),
        "cache": {"folder": str(cache), "size_mb": _size_mb(cache)},
        "data": {
            "folder": os.environ.get("CARDIO_DATA"),
            "exists": folder is not None and folder.is_dir(),
            **_sets_in(folder),
        },
    }


def _sets_in(folder: Path | None) -> dict[str, Any]:
    """Return the public data sets that a folder holds; a fault of a plugin's list ends nothing."""
    from cardio_core.cli.data import datasets

    try:
        return {"found": [item.name for item in datasets() if item.found_in(folder)], "problem": ""}
    except CardioError as error:
        return {"found": [], "problem": str(error)}


def _core() -> dict[str, Any]:
    """Say whether every required package is there, and whether the runner can be imported."""
    from importlib import import_module, metadata

    from cardio_core.registry.diagnostics import is_installed, requirements, unmet

    required = list(requirements("cardio-core"))
    missing = [name.name for name in required if not is_installed(name.name)]
    problem = next((text for name in required if (text := unmet(name))), None)
    if not problem:
        try:
            import_module("cardio_core.runner.run")
        except Exception as error:  # whatever it is, the user must see it
            problem = _error_text(error)
    return {
        "version": metadata.version("cardio-core"),
        "missing": missing,
        "problem": None if missing else problem,
    }


def _script() -> dict[str, str | None]:
    """Say which script `cardio` a shell finds, and whose it is where it does not start this one.

    A project of that name on the index brings a program of that name.
    """
    import re
    import shutil
    from importlib import metadata

    found = shutil.which("cardio")
    try:
        text = Path(found).read_bytes()[:100_000] if found else b"cardio_core"
    except OSError:  # executable, and not readable
        text = b"cardio_core"
    if b"cardio_core" in text:
        return {"path": found, "problem": None}
    claims = metadata.entry_points(group="console_scripts", name="cardio")
    owners = {claim.dist.name for claim in claims if claim.dist} - {"cardio-core"}
    imported = re.search(rb"^from (\w+)\S* import", text, re.MULTILINE)
    whose = " or ".join(sorted(owners)) or (imported[1].decode() if imported else "unknown")
    return {
        "path": found,
        "problem": f"is another's ({whose}); run python -m cardio_core, or use an environment "
        "without it",
    }


def _machine() -> list[dict[str, str]]:
    try:
        from cardio_core.compute.devices import describe_devices

        rows = describe_devices()
    except Exception as error:  # a torch that does not load raises anything
        return [{"name": "devices", "found": "unknown", "remedy": _error_text(error)}]
    return [{"name": row.name, "found": row.found, "remedy": row.remedy} for row in rows]


def _extras() -> list[dict[str, Any]]:
    from cardio_core.compute.resource_errors import core_named
    from cardio_core.registry.diagnostics import extras_of, requirements, unmet

    rows = []
    for name in extras_of("cardio-core"):
        wanted = list(requirements("cardio-core", [name]))
        rows.append(
            {
                "name": name,
                "present": [item.name for item in wanted if not unmet(item)],
                "missing": [item.name for item in wanted if unmet(item)],
                "remedy": f'pip install "{core_named(name)}"',
            }
        )
    return rows


def _error_text(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _size_mb(folder: Path) -> float:
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return round(float(sum(sizes)) / 1e6, 1)


def _lines(findings: dict[str, Any]) -> list[str]:
    from cardio_core.compute.resource_errors import core_named, install_plugin

    core = findings["core"]
    lines = [
        _line("Python", findings["python"]),
        _line("platform", findings["platform"]),
        _line("cardio-core", core["version"]),
    ]
    if core["missing"]:
        lines.append(
            f"    broken: {', '.join(core['missing'])} not installed; pip install {core_named()}"
        )
    if core["problem"]:
        lines.append(f"    broken: {core['problem']}; pip install {core_named()}")
    if problem := findings["script"]["problem"]:
        lines.append(f"    warning: the script {findings['script']['path']} {problem}")
    lines += [_line(row["name"], row["found"], row["remedy"]) for row in findings["machine"]]
    lines += ["", "Plugins"]
    for plugin in findings["plugins"]:
        lines += _of_plugin(plugin)
    if not findings["plugins"]:
        lines.append(f"  none; install one: {install_plugin()}")
    if findings["allowed"] is not None:
        lines.append(f"  CARDIO_PLUGINS hides all but: {findings['allowed'] or 'none'}")
    lines += ["", "Optional"]
    for extra in findings["extras"]:
        have = "present" if not extra["missing"] else f"missing: {', '.join(extra['missing'])}"
        lines.append(_line(f"  {extra['name']}", have, extra["remedy"] if extra["missing"] else ""))
    cache, data = findings["cache"], findings["data"]
    lines += ["", _line("cache", f"{cache['folder']}, {cache['size_mb']:g} MB")]
    place = data["folder"] or "not set; it names the folder of public data sets"
    if data["folder"] and not data["exists"]:
        place += " (no such folder)"
    found = f"; holds {', '.join(data['found'])}" if data["found"] else ""
    found += f"; {data['problem']}" if data["problem"] else ""
    return [*lines, _line("CARDIO_DATA", f"{place}{found}")]


def _of_plugin(plugin: dict[str, Any]) -> list[str]:
    """Return a plugin's line; if it is broken, each fault below it."""
    head = f"  {plugin['name']} {plugin['version']}"
    if not plugin["broken"]:
        return [f"{head}  ready: {plugin['title']}"]
    lines = [f"{head}  broken"]
    for fault in (plugin["broken"], *plugin["more"]):
        lines += textwrap.wrap(
            fault, 100, initial_indent="    - ", subsequent_indent="      ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return lines


def _line(name: str, found: str, remedy: str = "") -> str:
    return f"{name:<13} {found}" + (f"; {remedy}" if remedy else "")
